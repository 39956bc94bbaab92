"""Connected parts of a region, and instance maps from what people store."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadCase, BadSetting

Instances = npt.NDArray[np.int32]

#: How many neighbours a voxel has -> the rank of scipy's structuring element: faces; faces and edges; corners too.
CONNECTIVITIES = {6: 1, 18: 2, 26: 3}


def box_of(region: npt.NDArray[Any], *, margin: int = 0) -> tuple[slice, slice, slice]:
    """Return the smallest box that holds a region, widened by a margin and cut to the array.

    Parameters
    ----------
    region : ndarray, shape (x, y, z)
        What is not zero belongs.
    margin : int
        Voxels on each side.

    Returns
    -------
    tuple of slice
        Empty slices where the region is empty.

    Examples
    --------
    >>> region = np.zeros((5, 5, 5), bool); region[2, 1:3, 4] = True
    >>> box_of(region, margin=1)
    (slice(1, 4, None), slice(0, 4, None), slice(3, 5, None))
    """
    found = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        places = np.flatnonzero(region.any(axis=others))
        if not places.size:
            return slice(0, 0), slice(0, 0), slice(0, 0)
        found.append(slice(max(int(places[0]) - margin, 0), min(int(places[-1]) + 1 + margin, region.shape[axis])))
    return found[0], found[1], found[2]


def components(region: npt.NDArray[Any], *, connectivity: int = 26) -> tuple[Instances, int]:
    """Return the connected parts of a region, numbered from 1 in the order in which their first voxels lie, and how many there are.

    Parameters
    ----------
    region : ndarray, shape (x, y, z)
        What is not zero belongs.
    connectivity : {6, 18, 26}
        Neighbours by faces; by faces and edges; by corners too.

    Returns
    -------
    parts : ndarray, int32, shape (x, y, z)
        0 outside.
    count : int

    Raises
    ------
    BadSetting
        For another connectivity.

    Examples
    --------
    Two voxels that touch by a corner are one part by 26 neighbours and two by 18:

    >>> region = np.zeros((3, 3, 3), bool); region[0, 0, 0] = region[1, 1, 1] = True
    >>> components(region)[1], components(region, connectivity=18)[1]
    (1, 2)
    """
    if connectivity not in CONNECTIVITIES:
        raise BadSetting(f"A voxel cannot have {connectivity} neighbours in three dimensions; choose 6, 18 or 26.", item=str(connectivity))
    parts = np.zeros(region.shape, np.int32)
    box = box_of(region)
    structure = ndimage.generate_binary_structure(3, CONNECTIVITIES[connectivity])
    count = int(ndimage.label(region[box] != 0, structure, output=parts[box]))
    return parts, count


def instances_of(values: npt.NDArray[Any]) -> Instances:
    """Return the instance map that a stored map means: one value other than zero is split into its parts, several are kept.

    A single value in a single part keeps its number, so that the one lesion of a scan is still called what its table calls it.

    Parameters
    ----------
    values : ndarray of integers or bool, shape (x, y, z)
        0 outside.

    Returns
    -------
    ndarray, int32, shape (x, y, z)
        26-connected parts numbered 1, 2, ...; or the values as they are, though one may lie in several pieces.

    Raises
    ------
    BadCase
        For negative values, and for another number of axes.

    Examples
    --------
    >>> instances_of(np.array([4, 0, 4]).reshape(3, 1, 1)).ravel().tolist()
    [1, 0, 2]
    >>> instances_of(np.array([4, 0, 7]).reshape(3, 1, 1)).ravel().tolist()
    [4, 0, 7]
    >>> instances_of(np.array([4, 4, 0]).reshape(3, 1, 1)).ravel().tolist()
    [4, 4, 0]
    """
    if values.ndim != 3:
        raise BadCase(f"The map of lesions has the shape {values.shape}; it must have three axes (x, y, z).")
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    if low < 0:
        raise BadCase(f"The map of lesions holds the value {low}; instances are whole numbers, 0 outside.")
    if bool(((values != 0) & (values != high)).any()):
        return values.astype(np.int32)
    parts, count = components(values)
    return parts if count != 1 else (parts * np.int32(high)).astype(np.int32)


def sizes_of(instances: Instances) -> dict[int, int]:
    """Return the number of voxels of each instance, in order of its number.

    Parameters
    ----------
    instances : ndarray of integers, shape (x, y, z)
        0 outside.

    Examples
    --------
    >>> sizes_of(np.array([4, 0, 4, 9], np.int32).reshape(4, 1, 1))
    {4: 2, 9: 1}
    """
    inside = instances[instances != 0]
    numbers, counts = np.unique(inside, return_counts=True)
    return {int(number): int(count) for number, count in zip(numbers, counts, strict=True)}
