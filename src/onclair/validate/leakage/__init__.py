"""What may have leaked from test to training.

`audit.py` runs every check by its name; `checks.py`, `duplicates.py` and `permutation.py` hold them.
"""
