"""DICOM in and out, one room for all studies: PET, CT and MR series, SUV, RTSTRUCT and SEG outlines, and their writers.

Space is LPS mm. Whatever cannot be trusted is refused in one sentence; whatever is unusual and read all the same is named in `notes`.
"""

from onclair.io.dicom.outline import Outline, read_outline
from onclair.io.dicom.read import Volume, read_volume

__all__ = ["Outline", "Volume", "read_outline", "read_volume"]
