"""Several readers, several modalities, the same cases.

`table.py` reads the ratings, `comparison.py` tests the modalities.
"""
