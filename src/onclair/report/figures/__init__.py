"""Figures as SVG with text as text: forest, calibration, decision, control, and the frame of virtual patients.

Each is a function of values already in the record; none computes a statistic.
"""
