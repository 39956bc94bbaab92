"""An image file through a named filter, and the response written beside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onclair.core.errors import BadInput
from onclair.core.values import Image
from onclair.io.files import sha256_file
from onclair.io.nifti import write_image
from onclair.run.outlined import read_picture
from onclair.science.radiomics.filters.sets import map_set, response_map


@dataclass(frozen=True, slots=True)
class FilteredFile:
    """A response that was written.

    Attributes
    ----------
    set : str
    out, sha256 : str
    shape : tuple of int
    low, high : float
        The least and the greatest response.
    """

    set: str
    out: str
    sha256: str
    shape: tuple[int, ...]
    low: float
    high: float

    def as_dict(self) -> dict[str, Any]:
        """Return what was written as plain JSON values."""
        return {**asdict(self), "shape": list(self.shape), "warnings": []}


def filter_file(image: Path, name: str, out: Path) -> FilteredFile:
    """Filter an image by a named set-up of IBSI-2's response maps.

    Parameters
    ----------
    image : Path
        NIfTI or DICOM, as :func:`onclair.run.outlined.read_picture`.
    name : str
        ``1.a.1`` to ``10.b.1``.
    out : Path
        Ends with ``.nii`` or ``.nii.gz``; float64, on the image's grid.

    Raises
    ------
    BadSetting
        For an unknown set-up, quoting the nearest known one.
    BadInput, BadCase, BadGeometry
        When the image cannot be used, or the file's name is none for a volume or the image's own.
    NoRoom
        When it cannot be written.
    """
    map_set(name)
    if out.resolve() == image.resolve():
        raise BadInput(f"The response would replace the image {image.name}; give --out another name.", item=str(out))
    if not out.name.endswith((".nii", ".nii.gz")):
        raise BadInput(f"The file {out.name} cannot hold a volume; name it .nii or .nii.gz.", item=out.name)
    picture = read_picture(image).image
    response = response_map(picture.array, name, picture.spacing_mm)
    write_image(out, Image(response, picture.affine, "a.u.", picture.modality))
    return FilteredFile(name, str(out), sha256_file(out), response.shape, float(response.min()), float(response.max()))
