"""The prospective protocol: a locked model, silent predictions, outcomes, planned looks.

`record.py` writes each step, `looks.py` judges, `verify.py` proves the order afterwards.
"""
