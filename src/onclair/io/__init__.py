"""Files and networks in and out: cohort folders, NIfTI, tables, the registry of public data, model files.

Floor 1. It reads and writes; it computes no feature.
"""
