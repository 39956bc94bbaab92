"""One image and its outline from whatever files hold them: NIfTI, or a DICOM series with RTSTRUCT or SEG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadCase, BadInput
from onclair.core.names import did_you_mean
from onclair.core.values import Image, Mask
from onclair.io.dicom.files import is_dicom
from onclair.io.files import sha256_file
from onclair.io.nifti import read_image, read_mask

Notes = tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Outlined:
    """An image, the region outlined on it, and what was unusual about their files.

    Attributes
    ----------
    image : Image
    region : ndarray, bool, shape (x, y, z)
        On the image's grid.
    notes : tuple of mapping
        ``code text``.
    """

    image: Image
    region: npt.NDArray[np.bool_]
    notes: Notes = ()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image, the DICOM frame of reference it lies in (empty for NIfTI), and what was unusual about its files."""

    image: Image
    frame_of_reference: str = ""
    notes: Notes = ()


def read_picture(path: Path, *, of: str = "") -> Picture:
    """Read an image.

    Parameters
    ----------
    path : Path
        NIfTI, or a DICOM file or folder with one series; PET comes as SUV, CT as HU.
    of : str
        Whose it is, for errors: ``"P012"``.

    Raises
    ------
    BadInput, BadCase, BadGeometry
        As the readers of the formats.
    """
    if not _holds_dicom(path):
        return Picture(read_image(path, "a.u.", of=f"the image of {of}" if of else ""))
    from onclair.io.dicom.read import read_volume

    volume = read_volume(path)
    return Picture(volume.image, volume.series.frame_of_reference, volume.notes)


def read_outlined(image: Path, mask: Path, *, structure: str | None = None, of: str = "") -> Outlined:
    """Read an image and one region of its outline.

    Parameters
    ----------
    image : Path
        NIfTI, or a DICOM file or folder with one series.
    mask : Path
        NIfTI, or an RTSTRUCT or SEG (or a folder with one).
    structure : str or None
        The name of the structure, or the number of a NIfTI's label; needed where there are several.
    of : str
        Whose they are, for errors: ``"P012"``.

    Raises
    ------
    BadInput, BadCase, BadGeometry
        As the readers of the formats; for a structure that is not there or several without a choice (those present are listed), and
        for an outline on another grid.
    """
    picture = read_picture(image, of=of)
    whose = f" of {of}" if of else ""
    if _holds_dicom(mask):
        from onclair.io.dicom.outline import read_outline

        drawn = read_outline(mask, picture.image, structure=structure, frame_of_reference=picture.frame_of_reference)
        return Outlined(picture.image, _region(drawn.mask, None, f"outline{whose}"), (*picture.notes, *drawn.notes))
    numbered = {int(structure): structure} if structure is not None and structure.isdecimal() else None
    outline = read_mask(mask, labels=numbered, of=f"the outline{whose}" if of else "")
    return Outlined(picture.image, _region(outline.on(picture.image), structure, f"outline{whose}"), picture.notes)


def series_at(image: Path, series: str | None) -> Path:
    """Return the image itself, or one file of the series that is wanted in a folder, which stands for all of it.

    Parameters
    ----------
    image : Path
    series : str or None
        SeriesInstanceUID.

    Raises
    ------
    BadInput
        For a series that is not there, or one wanted of a file that is no DICOM.

    Examples
    --------
    >>> series_at(Path("pet.nii.gz"), None).name
    'pet.nii.gz'
    """
    if series is None:
        return image
    if not _holds_dicom(image):
        raise BadInput(f"The image {image.name} is no folder of DICOM files, which alone has series; leave --series out.", item="--series")
    from onclair.io.dicom.read import find_series

    return find_series(image, series).items[0].path


def sha256_of_files(path: Path) -> str:
    """Return the SHA-256 of what is read when a path is given.

    Parameters
    ----------
    path : Path
        A DICOM slice stands for its whole series, a folder for all files in it; neither the names of the files nor their order counts.
        Any other file stands for itself.

    Raises
    ------
    BadCase
        When there is nothing to read.
    BadInput
        For a DICOM file in whose folder its series cannot be found.
    """
    try:
        if path.is_dir():
            return _sha256_of_all(file for file in path.rglob("*") if file.is_file())
        if is_dicom(path) and (files := _slices_beside(path)):
            return _sha256_of_all(files)
        return sha256_file(path)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise BadCase(f"The file {path} cannot be read ({why}); correct its path or its rights.", item=path.name) from None


def _slices_beside(path: Path) -> tuple[Path, ...]:
    """Return the files of the series that a slice belongs to; none for an outline, which is one file."""
    from onclair.io.dicom.files import item_of
    from onclair.io.dicom.read import find_series

    return tuple(item.path for item in find_series(path).items) if item_of(path).kind == "image" else ()


def _sha256_of_all(files: Iterable[Path]) -> str:
    return sha256_of(sorted(sha256_file(file) for file in files))


def _holds_dicom(path: Path) -> bool:
    return path.is_dir() or (path.is_file() and is_dicom(path))


def _region(mask: Mask, structure: str | None, where: str) -> npt.NDArray[np.bool_]:
    """Return one structure's voxels: the one named, or the only one."""
    filled = [label for label in mask.labels if mask.region(label).any()]
    if structure is None:
        if len(filled) > 1:
            raise BadCase(f"The {where} holds {len(filled)} structures ({', '.join(filled)}); choose one with --structure.", item=filled[0])
        return mask.region()
    if structure not in mask.labels:
        raise BadCase(f"The {where} has no structure '{structure}'; {did_you_mean(structure, mask.labels)}", item=structure)
    return mask.region(structure)
