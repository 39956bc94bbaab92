"""A scan from whatever holds it, and maps drawn on it: NIfTI, a DICOM series, SEG; on one grid or refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadInput
from onclair.core.values import Image
from onclair.io.dicom.ct import read_ct
from onclair.io.dicom.ct_facts import CtFacts, facts_of, facts_of_image
from onclair.io.dicom.files import is_dicom
from onclair.io.dicom.geometry import Departure
from onclair.io.dicom.outline import read_outline
from onclair.io.dicom.read import Volume
from onclair.io.layouts.label_maps import label_values
from onclair.io.nifti import read_image


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A CT, how it was acquired, and the series it came from.

    Attributes
    ----------
    image : Image
        In HU.
    facts : CtFacts
    volume : Volume or None
        None where no DICOM came in.
    """

    image: Image
    facts: CtFacts
    volume: Volume | None = None

    @property
    def frame_of_reference(self) -> str:
        """The DICOM frame that the image lies in; empty without DICOM."""
        return "" if self.volume is None else self.volume.series.frame_of_reference


def holds_dicom(path: Path) -> bool:
    """Return whether a path is a folder, or a DICOM file."""
    return path.is_dir() or (path.is_file() and is_dicom(path))


def read_scan(path: Path, *, series: str | None = None, allow: Collection[Departure] = ()) -> Scan:
    """Read a CT.

    Parameters
    ----------
    path : Path
        NIfTI in HU, or a DICOM file or folder.
    series : str, optional
        SeriesInstanceUID, where the folder holds several.
    allow : collection of {"gaps"}
        Missing slices are left empty: to look at, never for finite elements.

    Raises
    ------
    BadInput, BadCase, BadGeometry
        As the readers of the formats; for a series asked of a NIfTI file.
    """
    if not path.exists():
        raise BadInput(f"There is no file or folder {path}; correct the path.", item=path.name)
    if holds_dicom(path):
        volume = read_ct(path, series=series, allow=allow)
        return Scan(volume.image, facts_of(volume), volume)
    if series is not None:
        raise BadInput(f"The image {path.name} is no folder of DICOM files, which alone has series; leave --series out.", item="--series")
    image = read_image(path, "HU", "CT", of=f"the image {path.name}")
    return Scan(image, facts_of_image(image))


def map_on(scan: Scan, path: Path, *, of: str, leave: Collection[str] = (), only: str = "") -> npt.NDArray[np.int32]:
    """Return a map of whole numbers on the grid of a scan: labels, instances or a mask.

    Parameters
    ----------
    scan : Scan
    path : Path
        NIfTI, or a SEG or RTSTRUCT whose segments become 1, 2, ... in order (the later one where they overlap).
    of : str
        What it is, for errors: ``"the bone mask"``.
    leave : collection of str
        Names of segments that do not count.
    only : str
        The one segment that counts where one is called so.

    Raises
    ------
    BadCase, BadGeometry
        For a file that cannot be read, numbers that are not whole, or another grid; both affines are quoted. The file is named.
    """
    if not path.exists():
        raise BadInput(f"There is no file {path} for {of}; correct the path.", item=path.name)
    if not holds_dicom(path):
        try:
            return label_values(path, (scan.image.affine, scan.image.array.shape), None, case=of)[0]
        except BadCase as error:
            raise type(error)(str(error) if path.name in str(error) else f"{path.name}: {error}", item=path.name) from error
    mask = read_outline(path, scan.image, frame_of_reference=scan.frame_of_reference).mask
    found = np.zeros(scan.image.array.shape, np.int32)
    wanted = (only,) if only in mask.labels else tuple(label for label in mask.labels if label not in leave)
    for number, label in enumerate(wanted, start=1):
        found[mask.region(label)] = number
    return found


def region_on(scan: Scan, path: Path, *, of: str) -> npt.NDArray[np.bool_]:
    """Return a mask on the grid of a scan: all that is not zero; of a SEG or RTSTRUCT the segment ``Bone`` where there is one.

    Raises
    ------
    BadCase
        As :func:`map_on`, and for an empty mask.
    """
    region = np.asarray(map_on(scan, path, of=of, only="Bone") > 0)
    if not region.any():
        raise BadCase(f"{of[:1].upper()}{of[1:]} in {path.name} is empty; give one that holds voxels.", item=path.name)
    return region
