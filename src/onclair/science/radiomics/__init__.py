"""Radiomic features in the IBSI's definitions: intensity, histogram, shape and texture of one outlined region.

Pure functions on arrays; the numba kernels stand beside the formulas that they serve.
"""
