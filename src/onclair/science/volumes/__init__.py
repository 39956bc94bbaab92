"""Geometry of volumes that several studies share: components, diameters, registration, tracking.

Pure functions on arrays and affines.
"""
