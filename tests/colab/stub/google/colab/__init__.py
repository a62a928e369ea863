"""Stands in for Colab's own module: each call is recorded as a line of JSON in the file that COLAB_CALLS
names.
"""

from . import drive, files, output

__all__ = ["drive", "files", "output"]
