from .harness import pytest_configure  # noqa: F401  pytest finds its hooks by name
