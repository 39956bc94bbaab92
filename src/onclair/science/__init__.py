"""What nature, geometry and statistics do, as pure functions: arrays in, arrays out.

Floor 1. Nothing here opens a file, learns, or knows a study.
"""
