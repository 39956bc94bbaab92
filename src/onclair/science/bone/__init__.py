"""What bone is on CT: its mask, its names, its lesions and their measures; its density, stiffness and strength.

Pure functions on arrays (x, y, z) in HU or MPa with their affine to LPS mm.
"""
