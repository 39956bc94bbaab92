"""Figures of an outcome in time, with censoring.

`ranking.py` holds Harrell and Uno, `calibration.py` O:E, slope and curve; `claim.py` asks all of one claim.
"""
