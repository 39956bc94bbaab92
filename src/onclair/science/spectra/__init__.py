"""Fluorescence spectra: from counts to fluorophore amounts with standard errors, and to features.

Pure functions on arrays; wavelengths in nm (air), counts as the detector gives them.
"""
