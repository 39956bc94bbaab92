"""What a CT was acquired with and what is unusual about it, in plain values: thickness is not spacing, and overlaps and gaps are said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from onclair.core.values import Image
from onclair.io.dicom.geometry import Notes
from onclair.io.dicom.read import Volume

#: Share by which thickness and spacing may differ and still be called equal.
_SAME = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class CtFacts:
    """Acquisition of one CT.

    Attributes
    ----------
    shape : tuple of int
        Columns, rows, slices.
    spacing_mm : tuple of float
        Between voxel centres.
    slice_thickness_mm : float or None
        None where nobody said.
    overlapping : bool
        True where slices are thicker than they lie apart.
    unmeasured_mm : float
        Between neighbouring slices, where they are thinner than they lie apart; 0 elsewhere.
    kernel, reconstruction : str or None
        The kernel's first name (``"Br38f"``), and all that the header says of it (``"Br38f 3"``).
    kvp : float or None
    contrast : str or None
        What the header calls the agent; None where it names none, which is no proof that none was given.
    manufacturer, model : str or None
    uids_minted : bool
        True when the files hold no exam or series UID and these were made from their headers.
    sheared : bool
        True when a gantry tilt was taken out by interpolation: to look at, not to compute strength from.
    gaps_mm : tuple of float
        Places along the normal of slices that are missing and were left empty.
    virtual : bool
    warnings : tuple of mapping
        ``code text``.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    slice_thickness_mm: float | None = None
    overlapping: bool = False
    unmeasured_mm: float = 0.0
    kernel: str | None = None
    reconstruction: str | None = None
    kvp: float | None = None
    contrast: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    uids_minted: bool = False
    sheared: bool = False
    gaps_mm: tuple[float, ...] = ()
    virtual: bool = False
    warnings: Notes = ()

    @property
    def whole(self) -> bool:
        """Whether every voxel was measured where it lies: what elements of finite stiffness need."""
        return not self.sheared and not self.gaps_mm

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "shape": list(self.shape),
            "spacing_mm": list(self.spacing_mm),
            "slice_thickness_mm": self.slice_thickness_mm,
            "overlapping": self.overlapping,
            "unmeasured_mm": self.unmeasured_mm,
            "kernel": self.kernel,
            "reconstruction": self.reconstruction,
            "kvp": self.kvp,
            "contrast": self.contrast,
            "manufacturer": self.manufacturer,
            "model": self.model,
            "uids_minted": self.uids_minted,
            "sheared": self.sheared,
            "gaps_mm": list(self.gaps_mm),
            "virtual": self.virtual,
            "warnings": [dict(note) for note in self.warnings],
        }


def facts_of(volume: Volume) -> CtFacts:
    """Return the acquisition facts of a CT that was read from DICOM.

    Parameters
    ----------
    volume : Volume
        As :func:`onclair.io.dicom.ct.read_ct` or :func:`onclair.io.dicom.read.read_volume` gives it.

    Returns
    -------
    CtFacts
        Its warnings are the notes of the volume, and ``overlapping_slices`` or ``slices_apart``.

    Examples
    --------
    >>> import tempfile
    >>> from onclair.io.dicom.write import Exam, write_volume
    >>> ct = Image(np.zeros((2, 2, 3), np.int16), np.diag([1.0, 1.0, 2.0, 1.0]), "HU", "CT")
    >>> with tempfile.TemporaryDirectory() as home:
    ...     facts = facts_of(write_volume(home, ct, Exam("P1", seed=1)))
    >>> facts.shape, facts.spacing_mm, facts.overlapping
    ((2, 2, 3), (1.0, 1.0, 2.0), False)
    """
    about = volume.facts
    apart, thick = volume.image.spacing_mm[2], about.get("slice_thickness_mm")
    said = _thickness_note(apart, thick)
    reconstruction = str(about.get("kernel") or "") or None
    return CtFacts(
        shape=_shape(volume.image),
        spacing_mm=volume.image.spacing_mm,
        slice_thickness_mm=thick,
        overlapping=bool(thick and thick > apart * (1 + _SAME)),
        unmeasured_mm=round(apart - thick, 4) if thick and thick < apart * (1 - _SAME) else 0.0,
        kernel=reconstruction.split()[0] if reconstruction else None,
        reconstruction=reconstruction,
        kvp=about.get("kvp"),
        contrast=about.get("contrast"),
        manufacturer=about.get("manufacturer") or None,
        model=about.get("model") or None,
        uids_minted=bool(volume.series.minted),
        sheared=bool(about.get("sheared")),
        gaps_mm=_gaps(volume),
        virtual=volume.virtual,
        warnings=(*volume.notes, *said),
    )


def facts_of_image(image: Image, warnings: Notes = ()) -> CtFacts:
    """Return what is known of a CT that came as NIfTI: its grid, and nothing of the scanner.

    Examples
    --------
    >>> facts_of_image(Image(np.zeros((2, 2, 3)), np.eye(4), "HU", "CT")).kernel is None
    True
    """
    text = "The file says neither thickness, kernel, tube voltage nor contrast; DICOM would."
    note: Mapping[str, str] = {"code": "acquisition_unknown", "text": text}
    return CtFacts(_shape(image), image.spacing_mm, warnings=(*warnings, note))


def _shape(image: Image) -> tuple[int, int, int]:
    x, y, z = image.array.shape[:3]
    return int(x), int(y), int(z)


def _thickness_note(apart: float, thick: float | None) -> Notes:
    if not thick or abs(thick - apart) <= _SAME * apart:
        return ()
    sizes = f"Slices are {thick:.4g} mm thick and {apart:.4g} mm apart"
    if thick > apart:
        text = f"{sizes}: they overlap by {thick - apart:.4g} mm, and detail along the axis is that of the thickness."
        return ({"code": "overlapping_slices", "text": text},)
    return ({"code": "slices_apart", "text": f"{sizes}: {apart - thick:.4g} mm between them were not measured."},)


def _gaps(volume: Volume) -> tuple[float, ...]:
    affine = volume.image.affine
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    normal /= np.linalg.norm(normal)
    places = (affine[:3, 3] + k * affine[:3, 2] for k, uid in enumerate(volume.sop_uids) if not uid)
    return tuple(round(float(place @ normal), 3) for place in places)
