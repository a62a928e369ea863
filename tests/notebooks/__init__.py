"""How the lessons are checked.

lint.py reads them, refresh.py executes them and stores their outputs, harness.py compares a new run with what
is stored.
"""
