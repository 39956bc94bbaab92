"""The image of one patient of a cohort with its outline, whatever files hold them: NIfTI, or a DICOM series with RTSTRUCT or SEG."""

from __future__ import annotations

from pathlib import Path

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadInput
from onclair.core.values import Image, Mask
from onclair.io.cohorts import file_of
from onclair.io.dicom.files import is_dicom
from onclair.io.nifti import read_image, read_mask
from onclair.run.outlined import Picture, read_picture


def pictured(cohort: Cohort, patient: str, kind: str, unit: str) -> tuple[Image, Mask]:
    """Return the image of one patient and its outline, on one grid.

    Parameters
    ----------
    cohort : Cohort
    patient : str
    kind : str
        Of the image: ``pet``, ``ct`` or ``mr``. The outline is of the kind ``mask``. A row of ``acquisitions.csv`` names a NIfTI file, or
        any one slice of a DICOM series; an RTSTRUCT or a SEG.
    unit : str
        What the image is to be in: ``SUV``, ``HU`` or ``a.u.``.

    Returns
    -------
    (Image, Mask)

    Raises
    ------
    BadCase
        For a missing or damaged file, an outline of another geometry or frame of reference, NaN, or an image in another unit.
    """
    try:
        picture = _picture(file_of(cohort, patient, kind), kind, unit, patient)
        return picture.image, _outline(file_of(cohort, patient, "mask"), picture, patient)
    except BadCase:
        raise
    except BadInput as error:  # the readers of DICOM refuse folders and files; here each is one patient's
        raise BadCase(f"{patient}: {error}", item=patient) from error


def _picture(path: Path, kind: str, unit: str, patient: str) -> Picture:
    """Return an image in the unit that is asked for."""
    if not is_dicom(path):
        return Picture(read_image(path, unit, kind.upper(), of=f"the {kind.upper()} of {patient}"))
    found = read_picture(path, of=patient)
    said = found.image.unit
    if said != unit:
        raise BadCase(f"The {kind.upper()} of {patient} is in '{said}', not {unit}; export it from its scanner with the values it needs.")
    return found


def _outline(path: Path, picture: Picture, patient: str) -> Mask:
    if not is_dicom(path):
        return read_mask(path, of=f"the outline of {patient}").on(picture.image)
    from onclair.io.dicom.outline import read_outline

    return read_outline(path, picture.image, frame_of_reference=picture.frame_of_reference).mask
