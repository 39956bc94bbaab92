"""A CT and what is known of its bones, as the commands of the study take them: image, mask, labels and their scheme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadSetting
from onclair.core.names import did_you_mean
from onclair.io.dicom.geometry import Departure
from onclair.io.label_schemes import read_label_scheme
from onclair.io.scans import Scan, map_on, read_scan, region_on
from onclair.learn.lesion_finder import bone_of
from onclair.science.bone.labels import SCHEMES, Scheme, bone_region, plausible
from onclair.science.bone.lesions import Skeleton

Region = npt.NDArray[np.bool_]
Notes = tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Given:
    """Which scan, and what somebody else already knows of it.

    Attributes
    ----------
    image : Path
        NIfTI, or a DICOM file or folder.
    series : str or None
    allow_gaps : bool
        Missing slices are left empty, to look at.
    bone_mask : Path or None
    labels : Path or None
        Of bones, by number.
    scheme : str
        ``totalseg``, ``verse``, or a TOML file.
    """

    image: Path
    series: str | None = None
    allow_gaps: bool = False
    bone_mask: Path | None = None
    labels: Path | None = None
    scheme: str = "totalseg"


@dataclass(frozen=True, slots=True, eq=False)
class Boned:
    """A scan with its bone.

    Attributes
    ----------
    scan : Scan
    bone : ndarray of bool, shape (x, y, z)
    method : {"given", "labels", "computed"}
    labels : ndarray, int32, or None
    scheme : Scheme or None
    warnings : tuple of mapping
    """

    scan: Scan
    bone: Region
    method: Any
    labels: npt.NDArray[np.int32] | None = None
    scheme: Scheme | None = None
    warnings: Notes = ()

    @property
    def skeleton(self) -> Skeleton:
        """What the lesion table asks for."""
        return Skeleton(self.labels, self.scheme, self.bone)


def scheme_of(name: str) -> Scheme:
    """Return a scheme by name, or that of a user's file.

    Raises
    ------
    BadSetting
        For a name that is neither.
    BadInput
        As :func:`onclair.io.label_schemes.read_label_scheme`.

    Examples
    --------
    >>> scheme_of("verse").bones[19].level
    'T12'
    """
    if name in SCHEMES:
        return SCHEMES[name]()
    if Path(name).suffix.lower() in (".toml", ".json"):
        return Scheme.from_mapping(read_label_scheme(name))
    raise BadSetting(f"There is no scheme of labels '{name}'; {did_you_mean(name, SCHEMES)} Or give a TOML file.", item=name)


def boned(given: Given) -> Boned:
    """Read a scan and find its bone.

    Raises
    ------
    BadInput, BadCase, BadGeometry
        As the readers; for a mask or labels of another grid, an empty bone, labels without any bone of the scheme.
    """
    named = scheme_of(given.scheme)
    scheme = named if given.labels is not None else None
    allowed: tuple[Departure, ...] = ("gaps",) if given.allow_gaps else ()
    scan = read_scan(given.image, series=given.series, allow=allowed)
    labels = map_on(scan, given.labels, of="the bones") if given.labels is not None else None
    mask = region_on(scan, given.bone_mask, of="the bone mask") if given.bone_mask is not None else None
    labelled = None if labels is None or given.labels is None else _named(labels, named, given.labels.name)
    try:
        bone, method = bone_of(scan.image.array, scan.image.affine, given=mask, labelled=labelled)
    except BadCase as error:
        raise BadCase(f"{given.image.resolve().name}: {error}", item=given.image.name) from error
    doubts = plausible(scan.image.array, labels, scheme) if labels is not None and scheme is not None else ()
    return Boned(scan, bone, method, labels, scheme, (*scan.facts.warnings, *doubts))


def _named(labels: npt.NDArray[np.int32], scheme: Scheme, file: str) -> Region:
    """Return the voxels of the bones that a scheme names; labels of another scheme are refused by what they hold."""
    region = bone_region(labels, scheme)
    if region.any():
        return region
    held = [str(value) for value in np.unique(labels[labels > 0]).tolist()]
    if not held:
        raise BadCase(f"The labels in {file} are empty; give labels that hold voxels, or leave --labels out.", item=file)
    found = f"{', '.join(held[:8])}{' and more' if len(held) > 8 else ''}"
    said = f"The labels in {file} hold {found}, and the scheme {scheme.name} names no bone by {'that' if len(held) == 1 else 'these'}"
    raise BadCase(f"{said}; give the scheme that they were drawn by: --scheme totalseg, verse, or a TOML file.", item=file)
