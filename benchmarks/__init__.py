"""How fast it is, against the plain loop of lesson 03: ``python -m benchmarks``.

Both sides run in one process, with the same weights, settings and number of tokens, by turns. Base and large
have their exact sizes and random weights: the work is the same, and nothing has to be downloaded.
"""
