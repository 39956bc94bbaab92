"""Pictures of a CT with its lesions: the slices that a radiologist would turn to first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.geometry import Affine
from onclair.report.pictures import Scene, taken
from onclair.science.bone.lesions import Lesion

#: Lowest and highest HU shown: bone and its marrow.
WINDOW = (-200.0, 800.0)
#: How many lesions are pictured, and how much around each.
PICTURED, MARGIN_MM = 1, 110.0
#: Hues of lesions, in order.
_TONES = ("s2", "s3", "s4", "s5", "s6")


def pictured(
    hu: npt.NDArray[Any], affine: Affine, instances: npt.NDArray[np.int32], rows: Sequence[Lesion], *, virtual: bool
) -> list[dict[str, Any]]:
    """Return the axial and the coronal slice through the likeliest lesion, else the largest; none where there is no lesion.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    instances : ndarray, int32, shape (x, y, z)
    rows : sequence of Lesion
    virtual : bool

    Returns
    -------
    list of dict
        As :meth:`onclair.report.pictures.Picture.as_dict`.
    """
    if not rows:
        return []
    first = max(rows, key=lambda row: (row.score or 0.0, row.volume_ml))
    at = _inside(instances == first.id, np.linalg.inv(affine) @ [*first.centroid_lps_mm, 1.0])
    shown = [(str(row.id), _TONES[place % len(_TONES)], instances == row.id) for place, row in enumerate(rows[:20])]
    scene = Scene(hu, affine, WINDOW, "HU", shown, virtual)
    return [taken(scene, plane, at, margin_mm=MARGIN_MM).as_dict() for plane in ("axial", "coronal")]


def _inside(region: npt.NDArray[np.bool_], centre: npt.NDArray[np.float64]) -> tuple[int, int, int]:
    """Return the voxel of a region that is nearest to its centroid: a hollow lesion's centroid may lie outside it."""
    places = np.argwhere(region)
    x, y, z = places[np.square(places - centre[:3]).sum(axis=1).argmin()].tolist()
    return x, y, z
