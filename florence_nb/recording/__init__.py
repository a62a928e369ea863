"""Record once, show anywhere: what a model answered, in a file that answers where there is no model.

    florence-nb record large --out large.json      on a machine that has the weights
    real = fnb.load("large.json")                  on any other: the same run_example, show and playground

`file` is the file, `questions` what is asked, `recorder` asks, `replay` answers, and `page` stands for a
photograph that is not there.
"""

from .file import read_record
from .recorder import check, record
from .replay import RecordedFlorence, load_record, needs_model

__all__ = ["RecordedFlorence", "check", "load_record", "needs_model", "read_record", "record"]
