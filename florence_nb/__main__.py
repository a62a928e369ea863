"""`python -m florence_nb` is the same as `florence-nb`."""

import sys

from .cli import main

sys.exit(main())
