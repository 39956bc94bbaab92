"""How many patients a study needs.

`development.py` holds Riley 2019 and 2020, `validation.py` Riley 2021.
"""
