"""How far two masks of one thing agree: Dice, surface Dice, the 95th percentile of the surfaces' distance, volume error."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage, spatial

from onclair.core.errors import BadCase
from onclair.core.geometry import Affine
from onclair.science.volumes.components import box_of

Region = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

TOLERANCE_MM = 2.0
BOTH_EMPTY, ONE_EMPTY = "both masks are empty", "one mask is empty, so that there is no distance between surfaces"


@dataclass(frozen=True, slots=True)
class MaskAgreement:
    """How far two masks agree.

    Attributes
    ----------
    dice : float or None
        None where both are empty.
    surface_dice : float or None
        Share of both surfaces that lies within the tolerance of the other; 0 where one is empty, None where both are.
    hd95_mm : float or None
        The larger of the two directed 95th percentiles of surface distances; None where a mask is empty.
    volume_error_ml : float
        Predicted less true.
    relative_volume_error : float or None
        Volume error over the true volume; None where that is 0.
    reason : str or None
        Why a figure is None.
    """

    dice: float | None
    surface_dice: float | None
    hd95_mm: float | None
    volume_error_ml: float
    relative_volume_error: float | None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return asdict(self)


def mask_agreement(
    truth: npt.NDArray[Any], predicted: npt.NDArray[Any], affine: Affine, *, tolerance_mm: float = TOLERANCE_MM
) -> MaskAgreement:
    """Return how far two masks on one grid agree.

    A surface is the voxels of a mask that have a face neighbour outside it (beyond the grid counts as outside), each counted once;
    this departs from the reference's surface elements, which weigh the patches of a triangulation.

    Parameters
    ----------
    truth, predicted : ndarray, shape (x, y, z)
        What is not zero belongs.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    tolerance_mm : float
        Of the surface Dice.

    Returns
    -------
    MaskAgreement

    Raises
    ------
    BadCase
        For two shapes.

    References
    ----------
    Dice 1945, doi:10.2307/1932409; surface Dice: Nikolov et al. 2021, doi:10.2196/26151; HD95: Maier-Hein et al. 2024,
    doi:10.1038/s41592-023-02151-z.

    Examples
    --------
    Two rods of four voxels, one moved by a voxel of 3 mm: three of four overlap, one end of each lies 3 mm off.

    >>> truth, predicted = np.zeros((8, 1, 1), bool), np.zeros((8, 1, 1), bool)
    >>> truth[1:5] = predicted[2:6] = True
    >>> found = mask_agreement(truth, predicted, np.diag([3.0, 1.0, 1.0, 1.0]))
    >>> found.dice, found.surface_dice, round(found.hd95_mm, 3), found.volume_error_ml
    (0.75, 0.75, 2.55, 0.0)
    """
    first, second = _pair(truth, predicted)
    sizes = int(first.sum()), int(second.sum())
    voxel_ml = float(abs(np.linalg.det(affine[:3, :3]))) / 1000.0
    error = (sizes[1] - sizes[0]) * voxel_ml
    relative = (sizes[1] - sizes[0]) / sizes[0] if sizes[0] else None
    if not any(sizes):
        return MaskAgreement(None, None, None, 0.0, None, BOTH_EMPTY)
    if not all(sizes):
        return MaskAgreement(0.0, 0.0, None, error, relative, ONE_EMPTY)
    there, back = surface_distances_mm(first, second, affine)
    within = float((there <= tolerance_mm).sum() + (back <= tolerance_mm).sum()) / (there.size + back.size)
    hd95 = float(max(np.percentile(there, 95), np.percentile(back, 95)))
    return MaskAgreement(2.0 * int((first & second).sum()) / sum(sizes), within, hd95, error, relative)


def dice(truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> float | None:
    """Return twice the overlap over the sum of two masks; None where both are empty.

    Raises
    ------
    BadCase
        For two shapes.

    Examples
    --------
    >>> dice(np.array([[[1, 1, 0]]]), np.array([[[0, 1, 1]]]))
    0.5
    """
    first, second = _pair(truth, predicted)
    total = int(first.sum()) + int(second.sum())
    return 2.0 * int((first & second).sum()) / total if total else None


def surface_distances_mm(truth: Region, predicted: Region, affine: Affine) -> tuple[Floats, Floats]:
    """Return how far each surface voxel of one mask lies from the other's surface, and the other way round, in mm.

    Raises
    ------
    BadCase
        For two shapes, or an empty mask.

    Examples
    --------
    >>> one, other = np.zeros((5, 1, 1), bool), np.zeros((5, 1, 1), bool)
    >>> one[0] = other[3] = True
    >>> surface_distances_mm(one, other, np.eye(4))
    (array([3.]), array([3.]))
    """
    first, second = _pair(truth, predicted)
    if not (first.any() and second.any()):
        raise BadCase("One of two masks is empty, so that no distance between their surfaces can be had; leave the pair out.")
    box = box_of(first | second)
    one, other = (np.argwhere(_surface(mask[box])) @ affine[:3, :3].T for mask in (first, second))
    there, back = spatial.cKDTree(other).query(one)[0], spatial.cKDTree(one).query(other)[0]
    return np.asarray(there, dtype=np.float64), np.asarray(back, dtype=np.float64)


def _surface(mask: Region) -> Region:
    inner = ndimage.binary_erosion(np.pad(mask, 1))[1:-1, 1:-1, 1:-1]
    return np.asarray(mask & ~inner, dtype=np.bool_)


def _pair(truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> tuple[Region, Region]:
    if truth.shape != predicted.shape or truth.ndim != 3:
        raise BadCase(f"The two masks have the shapes {truth.shape} and {predicted.shape}; both must lie on one grid (x, y, z).")
    return np.asarray(truth != 0, dtype=np.bool_), np.asarray(predicted != 0, dtype=np.bool_)
