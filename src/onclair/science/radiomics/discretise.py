"""Grey levels from intensities: bins of fixed width, a fixed number of bins, or the intensities as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadSetting
from onclair.core.names import did_you_mean

Method = Literal["fixed-width", "fixed-number", "none"]
#: Levels are kept as uint16.
MOST_LEVELS = 65535


@dataclass(frozen=True, slots=True)
class Discretisation:
    """How intensities become grey levels 1, 2, ...

    Attributes
    ----------
    method : {"fixed-width", "fixed-number", "none"}
        IBSI's FBS, FBN, or whole numbers taken as they are.
    width : float or None
        Bin width in the image's unit (fixed-width).
    minimum : float or None
        Lower edge of the first bin (fixed-width): the lower bound of re-segmentation; 0 for SUV.
    bins : int or None
        Number of bins (fixed-number).

    Raises
    ------
    BadSetting
        For an unknown method, or a width, minimum or number of bins that is missing or impossible.

    Examples
    --------
    >>> Discretisation("fixed-width", width=0.5, minimum=0.0).width
    0.5
    """

    method: Method
    width: float | None = None
    minimum: float | None = None
    bins: int | None = None

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            hint = did_you_mean(self.method, get_args(Method))
            raise BadSetting(f"The discretisation '{self.method}' is unknown; {hint}", item="discretisation")
        if self.method == "fixed-width":
            if self.width is None or not 0 < self.width < np.inf:
                raise BadSetting(f"The bin width is {self.width}; fixed-width bins need a positive one, in the image's unit.", item="width")
            if self.minimum is None or not np.isfinite(self.minimum):
                raise BadSetting("Fixed-width bins need the lower edge of the first one: set minimum (0 for SUV) or range.", item="minimum")
        if self.method == "fixed-number" and (self.bins is None or not 2 <= self.bins <= MOST_LEVELS):
            raise BadSetting(f"The number of bins is {self.bins}; it must lie in 2 to {MOST_LEVELS}.", item="bins")


def discretised(values: npt.NDArray[np.float64], how: Discretisation) -> npt.NDArray[np.uint16]:
    """Return the grey level of each intensity.

    Parameters
    ----------
    values : ndarray, float64, shape (n,)
        Intensities of the region, at least one, finite, in any order.
    how : Discretisation

    Returns
    -------
    ndarray, uint16, shape (n,)
        From 1. Fixed width: ``floor((x - minimum) / width) + 1``; fixed number: ``floor(N (x - min) / (max - min)) + 1``
        with the maximum in bin N (IBSI manual, arXiv:1612.07003, section 2.7).

    Raises
    ------
    BadCase
        For intensities below the first bin, more than 65,535 levels, a constant region in a fixed number of bins, or
        intensities taken as they are that are not whole numbers from 1.

    Examples
    --------
    >>> discretised(np.array([0.0, 0.49, 0.5, 2.0]), Discretisation("fixed-width", width=0.5, minimum=0.0)).tolist()
    [1, 1, 2, 5]
    >>> discretised(np.array([-10.0, 0.0, 10.0]), Discretisation("fixed-number", bins=4)).tolist()
    [1, 3, 4]
    """
    low, high = float(values.min()), float(values.max())
    if how.method == "fixed-number":
        assert how.bins is not None  # Discretisation checks what its method needs
        if low == high:
            raise BadCase(f"Every voxel of the region is {low:g}; a fixed number of bins needs a range of intensities.")
        scaled = values - low
        scaled *= how.bins
        scaled /= high - low
        return np.asarray(np.minimum(scaled.astype(np.uint16), np.uint16(how.bins - 1)) + np.uint16(1))
    if how.method == "fixed-width":
        assert how.width is not None
        assert how.minimum is not None
        _check_levels(low, (low - how.minimum) / how.width + 1, (high - how.minimum) / how.width + 1, values < how.minimum)
        scaled = values - how.minimum
        scaled /= how.width
        return scaled.astype(np.uint16) + np.uint16(1)
    if not (np.rint(values) == values).all():
        raise BadCase("The intensities are not whole numbers and so no grey levels as they are; choose fixed-width or fixed-number.")
    _check_levels(low, low, high, values < 1)
    return values.astype(np.uint16)


def _check_levels(lowest: float, first: float, last: float, below: npt.NDArray[np.bool_]) -> None:
    if first < 1:
        count = int(below.sum())
        found = "1 voxel of the region lies" if count == 1 else f"{count} voxels of the region lie"
        raise BadCase(
            f"{found} below the first grey level, the lowest at {lowest:g}; start the bins lower, or leave such intensities out by a range."
        )
    if last >= MOST_LEVELS + 1:
        raise BadCase(
            f"The region falls into {last:.6g} grey levels; at most {MOST_LEVELS} can be held: use wider bins, or check the unit."
        )
