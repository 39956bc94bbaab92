"""Light in tissue, for every study that looks at it: haemoglobin and scattering.

Pure functions of wavelength; coefficients in cm-1, wavelengths in nm (air).
"""
