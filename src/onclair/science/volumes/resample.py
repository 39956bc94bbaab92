"""A volume on another grid: other spacing over the same extent, or the grid of another volume."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

from onclair.core.errors import BadGeometry, BadSetting
from onclair.core.geometry import Affine, checked_affine, spacing_mm

Floats = npt.NDArray[np.float64]
#: Between voxel centres; the nearest one; or the mean over a new voxel's extent.
Order = Literal["linear", "nearest", "average"]
ORDERS = ("linear", "nearest", "average")


def resampled(
    array: npt.NDArray[Any],
    affine: Affine,
    spacing_to_mm: tuple[float, float, float],
    *,
    order: Order = "linear",
    shape: tuple[int, int, int] | None = None,
) -> tuple[npt.NDArray[Any], Affine]:
    """Return a volume at another spacing, its outer faces where they were.

    Parameters
    ----------
    array : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    spacing_to_mm : (float, float, float)
        Of the new voxels along the array's axes.
    order : {"linear", "nearest", "average"}
        ``"average"`` is the mean over each new voxel's extent, weighted by what it covers, as thick slices arise from thin ones.
        Values beyond the outermost centres are those of the outermost voxels.
    shape : (int, int, int), optional
        Of the result; as many voxels as come nearest to the old extent when left out.

    Returns
    -------
    array : ndarray, float32 (float64 for float64); the array's own type for ``"nearest"``
    affine : ndarray, shape (4, 4)

    Raises
    ------
    BadSetting
        For a spacing that is not positive, or an unknown order.

    Examples
    --------
    >>> fine = np.array([1.0, 3.0, 5.0, 7.0]).reshape(4, 1, 1)
    >>> coarse, affine = resampled(fine, np.eye(4), (2.0, 1.0, 1.0), order="average")
    >>> coarse.ravel().tolist(), affine[0].tolist()
    ([2.0, 6.0], [2.0, 0.0, 0.0, 0.5])
    """
    old = spacing_mm(affine)
    if not all(np.isfinite(s) and s > 0 for s in spacing_to_mm):
        raise BadSetting(f"The spacing {spacing_to_mm} mm cannot be resampled to; give three positive numbers.")
    ratio = np.array([new / was for new, was in zip(spacing_to_mm, old, strict=True)])
    size = shape or tuple(max(1, int(np.rint(n / r))) for n, r in zip(array.shape, ratio, strict=True))
    target = np.array(affine, dtype=np.float64)
    target[:3, :3] = affine[:3, :3] * ratio
    target[:3, 3] = affine[:3, :3] @ ((ratio - 1) / 2) + affine[:3, 3]
    places = [(r - 1) / 2 + r * np.arange(n) for r, n in zip(ratio, size, strict=True)]
    return _along_axes(array, places, ratio, order, outside=None), checked_affine(target, of="the resampled volume")


def onto(
    array: npt.NDArray[Any],
    affine: Affine,
    target_affine: Affine,
    target_shape: tuple[int, ...],
    *,
    order: Order = "linear",
    outside: float = 0.0,
) -> npt.NDArray[Any]:
    """Return a volume on the grid of another.

    Parameters
    ----------
    array : ndarray, shape (x, y, z)
    affine, target_affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    target_shape : tuple of int
        Only the first three count.
    order : {"linear", "nearest", "average"}
        As :func:`resampled`; ``"average"`` only where the two grids' axes are parallel.
    outside : float
        The value of voxels whose centre lies beyond the outer faces of `array`.

    Returns
    -------
    ndarray, shape `target_shape`; its type as :func:`resampled`

    Raises
    ------
    BadGeometry
        For an average between grids that are turned against each other.
    BadSetting
        For an unknown order.

    Examples
    --------
    >>> moved = np.eye(4); moved[0, 3] = 1.0
    >>> onto(np.array([1.0, 2.0]).reshape(2, 1, 1), np.eye(4), moved, (2, 1, 1)).ravel().tolist()
    [2.0, 0.0]
    """
    size = tuple(int(n) for n in target_shape[:3])
    between = np.linalg.inv(affine) @ target_affine
    turned = np.abs(between[:3, :3])
    order_of = [int(np.argmax(turned[axis])) for axis in range(3)]  # the target's axis along each of the array's
    straight = sorted(order_of) == [0, 1, 2] and all(
        turned[axis, other] <= 1e-6 * turned[axis, order_of[axis]] for axis in range(3) for other in range(3) if other != order_of[axis]
    )
    if straight:
        steps = np.array([between[axis, order_of[axis]] for axis in range(3)])
        places = [between[axis, 3] + steps[axis] * np.arange(size[order_of[axis]]) for axis in range(3)]
        found = _along_axes(array, places, np.abs(steps), order, outside=outside)
        return np.ascontiguousarray(np.transpose(found, np.argsort(order_of)))
    if order == "average":
        raise BadGeometry("A mean over voxels of a grid that is turned against the volume's is not offered; ask for 'linear' or 'nearest'.")
    return _turned(array, between, size, order, outside)


def _turned(array: npt.NDArray[Any], between: Floats, size: tuple[int, ...], order: Order, outside: float) -> npt.NDArray[Any]:
    """Return the volume where the grids are turned against each other, plane by plane along the last axis."""
    nearest = _checked(order) == "nearest"
    source = array if nearest else array.astype(_real(array), copy=False)
    out = np.empty(size, source.dtype)
    first, second = np.meshgrid(np.arange(size[0]), np.arange(size[1]), indexing="ij")
    limit = np.array(array.shape)[:, None, None] - 0.5
    for k in range(size[2]):
        place = np.einsum("ab,bij->aij", between[:3], np.stack([first, second, np.full_like(first, k), np.ones_like(first)]).astype(float))
        inside = ((place >= -0.5) & (place <= limit)).all(axis=0)
        plane = ndimage.map_coordinates(source, place, order=0 if nearest else 1, mode="nearest")
        out[:, :, k] = np.where(inside, plane, np.asarray(outside, source.dtype))
    return out


def _along_axes(
    array: npt.NDArray[Any], places: list[Floats], width: npt.NDArray[Any], order: Order, *, outside: float | None
) -> npt.NDArray[Any]:
    """Return the values at places given axis by axis, in voxel indices of `array`; beyond its faces `outside`, or the nearest voxel."""
    out: npt.NDArray[Any] = array
    if _checked(order) == "nearest":
        for axis, at in enumerate(places):
            index = np.clip(np.floor(at + 0.5).astype(int), 0, array.shape[axis] - 1)
            out = np.take(out, index, axis=axis)
    else:
        out = array.astype(_real(array), copy=False)
        for axis in np.argsort([len(at) / n for at, n in zip(places, array.shape, strict=True)]):  # what shrinks most goes first
            n = array.shape[axis]
            weights = _linear(places[axis], n) if order == "linear" else _means(places[axis], float(width[axis]), n)
            out = _weighted(weights.astype(out.dtype), out, int(axis))
    if outside is not None:
        for axis, at in enumerate(places):
            beyond = (at < -0.5 - 1e-9) | (at > array.shape[axis] - 0.5 + 1e-9)
            if beyond.any():
                out = np.array(out) if not out.flags.writeable or out is array else out
                out[tuple(beyond if a == axis else slice(None) for a in range(3))] = outside
    return np.array(out) if out is array else out


def _checked(order: Order) -> Order:
    if order not in ORDERS:
        raise BadSetting(f"There is no resampling '{order}'; choose {', '.join(ORDERS)}.", item=order)
    return order


def _real(array: npt.NDArray[Any]) -> Any:
    return np.float64 if array.dtype == np.float64 else np.float32


def _linear(at: Floats, n: int) -> Any:
    """Return the weights (new, old) of linear interpolation, the ends held."""
    at = np.clip(at, 0, n - 1)
    low = np.minimum(np.floor(at).astype(int), max(n - 2, 0))
    share = at - low
    rows = np.arange(len(at))
    high = np.minimum(low + 1, n - 1)
    cells = (np.r_[1 - share, share], (np.r_[rows, rows], np.r_[low, high]))
    return sparse.csr_matrix(cells, shape=(len(at), n))


def _means(at: Floats, width: float, n: int) -> Any:
    """Return the weights (new, old) of the mean over each new voxel's extent; beyond the ends the outermost voxel stands."""
    rows, columns, weights = [], [], []
    for row, centre in enumerate(at):
        low, high = centre - width / 2, centre + width / 2
        first = np.clip(int(np.floor(low + 0.5)), 0, n - 1)
        last = np.clip(int(np.ceil(high - 0.5)), 0, n - 1)
        cells = np.arange(first, last + 1)
        left = np.where(cells == 0, -np.inf, cells - 0.5)
        right = np.where(cells == n - 1, np.inf, cells + 0.5)
        covered = np.clip(np.minimum(right, high) - np.maximum(left, low), 0, None)
        rows.append(np.full(cells.size, row))
        columns.append(cells)
        weights.append(covered / covered.sum())
    return sparse.csr_matrix((np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), shape=(len(at), n))


def _weighted(weights: Any, array: npt.NDArray[Any], axis: int) -> npt.NDArray[Any]:
    """Return ``weights @ array`` along one axis, a slab at a time where it is the last, so that no large copy is made."""
    if axis == 0:
        flat = weights @ array.reshape(array.shape[0], -1)
        return np.asarray(flat).reshape(weights.shape[0], *array.shape[1:])
    shape = list(array.shape)
    shape[axis] = weights.shape[0]
    out = np.empty(shape, array.dtype)
    for i in range(array.shape[0]):
        out[i] = weights @ array[i] if axis == 1 else (weights @ array[i].T).T
    return out
