"""Figures of an event that others may forestall.

`ranking.py` holds Wolbers, `calibration.py` pseudo-values and O:E; `claim.py` asks all of one claim.
"""
