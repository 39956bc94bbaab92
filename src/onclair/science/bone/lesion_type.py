"""Lytic, blastic, mixed or occult: a lesion's voxels against a ring of the same bone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.geometry import Affine, spacing_mm
from onclair.science.volumes.components import box_of

Type = Literal["lytic", "blastic", "mixed", "occult"]
TYPES: tuple[Type, ...] = ("lytic", "blastic", "mixed", "occult")

#: The ring begins and ends so far from the lesion, in mm.
RING_MM = (3.0, 8.0)
#: How many median absolute deviations from the ring's median a voxel must lie to be destroyed or added bone.
DEVIATIONS = 2.0
#: Share of the changed voxels that names the type, and share of the lesion below which nothing shows.
NAMED, SHOWN = 0.8, 0.3
#: A ring of fewer voxels has no median worth the name.
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Typed:
    """A lesion's type and what it rests on.

    Attributes
    ----------
    type : {"lytic", "blastic", "mixed", "occult"} or None
        None where the ring holds too little bone.
    lower, higher : float or None
        Shares of the lesion's voxels below and above the ring's median by two median absolute deviations.
    reason : str or None
        Why there is no type.
    """

    type: Type | None
    lower: float | None = None
    higher: float | None = None
    reason: str | None = None


def ring_around(region: npt.NDArray[np.bool_], bone: npt.NDArray[np.bool_], affine: Affine) -> npt.NDArray[np.bool_]:
    """Return the voxels of a bone that lie 3 to 8 mm outside a lesion.

    Parameters
    ----------
    region, bone : ndarray of bool, shape (x, y, z)
    affine : ndarray, shape (4, 4)

    Examples
    --------
    >>> lesion = np.zeros((21, 1, 1), bool); lesion[10] = True
    >>> np.flatnonzero(ring_around(lesion, np.ones((21, 1, 1), bool), np.eye(4))).tolist()
    [2, 3, 4, 5, 6, 7, 13, 14, 15, 16, 17, 18]
    """
    spacing = spacing_mm(affine)
    out = np.zeros(region.shape, bool)
    box = tuple(
        slice(max(b.start - reach, 0), b.stop + reach)
        for b, reach in zip(box_of(region), (int(np.ceil(RING_MM[1] / s)) for s in spacing), strict=True)
    )
    apart = ndimage.distance_transform_edt(~region[box], sampling=spacing)
    out[box] = (apart >= RING_MM[0]) & (apart <= RING_MM[1]) & bone[box]
    return out


def type_of(lesion_hu: npt.NDArray[Any], ring_hu: npt.NDArray[Any]) -> Typed:
    """Return a lesion's type from its values and those of the ring around it.

    ``lower`` is the share of the lesion below ``median - 2 MAD`` of the ring, ``higher`` the share above ``median + 2 MAD``. Where
    both together are under 30 % of the lesion it is occult; where one makes up 80 % of both it is lytic or blastic; else mixed.

    Parameters
    ----------
    lesion_hu, ring_hu : array_like, shape (n,)
        The ring without other lesions, in the same bone.

    Returns
    -------
    Typed

    Examples
    --------
    The ring's median is 200 and its median absolute deviation 10, so that 180 and 220 are the limits:

    >>> ring = np.repeat([180.0, 190.0, 200.0, 210.0, 220.0], [2, 5, 7, 5, 2])
    >>> [type_of(np.array(values), ring).type for values in ([50.0] * 9 + [200.0], [600.0] * 10, [50.0, 600.0], [200.0] * 8 + [0.0] * 2)]
    ['lytic', 'blastic', 'mixed', 'occult']
    """
    lesion, ring = np.asarray(lesion_hu, dtype=np.float64).ravel(), np.asarray(ring_hu, dtype=np.float64).ravel()
    if ring.size < FEWEST:
        return Typed(None, reason=f"only {ring.size} voxels of the same bone lie 3 to 8 mm around it; its type needs {FEWEST}")
    middle = float(np.median(ring))
    spread = DEVIATIONS * float(np.median(np.abs(ring - middle)))
    lower, higher = float((lesion < middle - spread).mean()), float((lesion > middle + spread).mean())
    changed = lower + higher
    if changed < SHOWN:
        return Typed("occult", lower, higher)
    if lower >= NAMED * changed:
        return Typed("lytic", lower, higher)
    return Typed("blastic" if higher >= NAMED * changed else "mixed", lower, higher)
