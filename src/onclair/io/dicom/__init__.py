"""DICOM in and out, one room for all studies: PET, CT and MR series, SUV, RTSTRUCT and SEG outlines, and their writers.

Space is LPS mm. Whatever cannot be trusted is refused in one sentence; whatever is unusual and read all the same is named in `notes`.
"""
