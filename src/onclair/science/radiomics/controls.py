"""Negative controls: what is left of a feature when the voxels inside the outline change places.

Welch et al., Radiother Oncol 2019;130:2-9, doi:10.1016/j.radonc.2018.10.027.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadGeometry, BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.roi import box_around

#: Of the features that need no neighbours, these do ask where the intensities lie.
_PLACED = ("morph_com", "morph_moran_i", "morph_geary_c")
_PLACELESS_FAMILIES = ("morph", "stat", "ih", "ivh")
#: How a signal is destroyed, and where.
HOW, WHERE = ("shuffled", "uniform", "resampled"), ("outline", "outside", "everywhere")
#: How far around an outline its surroundings reach.
SURROUNDINGS_MM = 30.0
_SPATIAL_FAMILIES = ("loc", "cm", "rlm", "szm", "dzm", "ngt", "ngl")


def shuffled(array: npt.NDArray[Any], region: npt.NDArray[np.bool_], rng: np.random.Generator) -> npt.NDArray[Any]:
    """Return a new array in which the voxels inside the outline have changed places at random; outside nothing changes.

    Parameters
    ----------
    array : ndarray, shape (x, y, z)
    region : ndarray, bool, shape (x, y, z)
    rng : numpy.random.Generator

    Raises
    ------
    BadGeometry
        When the shapes differ.

    Examples
    --------
    >>> a = np.arange(8.0).reshape(2, 2, 2)
    >>> b = shuffled(a, a > 1, np.random.default_rng(0))
    >>> bool((b[0, 0] == a[0, 0]).all()), sorted(b.ravel().tolist()) == a.ravel().tolist(), b is a
    (True, True, False)
    """
    if array.shape != region.shape:
        raise BadGeometry(f"The outline has shape {region.shape} and the image {array.shape}; resample one onto the other first.")
    result = array.copy()
    result[region] = rng.permutation(array[region])
    return result


def surroundings(region: npt.NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> npt.NDArray[np.bool_]:
    """Return the box around an outline, grown by `SURROUNDINGS_MM` on every side: what a control calls everywhere.

    Parameters
    ----------
    region : ndarray, bool, shape (x, y, z)
    spacing_mm : (float, float, float)

    Examples
    --------
    >>> a = np.zeros((9, 9, 9), bool); a[4, 4, 4] = True
    >>> int(surroundings(a, (10.0, 10.0, 10.0)).sum())
    343
    """
    margins = (int(np.ceil(SURROUNDINGS_MM / step)) for step in spacing_mm)
    box = tuple(slice(max(part.start - margin, 0), part.stop + margin) for part, margin in zip(box_around(region), margins, strict=True))
    near = np.zeros(region.shape, dtype=np.bool_)
    near[box] = True
    return near


def destroyed(array: npt.NDArray[Any], voxels: npt.NDArray[np.bool_], how: str, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Return a new array in which the signal of some voxels is destroyed; elsewhere nothing changes.

    Parameters
    ----------
    array : ndarray, shape (x, y, z)
    voxels : ndarray, bool, shape (x, y, z)
        The outline, what lies around it, or both.
    how : {"shuffled", "uniform", "resampled"}
        Voxels change places; are drawn evenly between their least and their greatest; or are drawn from among them, with
        replacement.
    rng : numpy.random.Generator

    Raises
    ------
    BadGeometry
        When the shapes differ.
    BadSetting
        For another word.

    References
    ----------
    Welch et al. 2019, doi:10.1016/j.radonc.2018.10.027 (shuffled).

    Examples
    --------
    >>> a = np.arange(8.0).reshape(2, 2, 2)
    >>> b = destroyed(a, a > 1, "resampled", np.random.default_rng(0))
    >>> bool((b[0, 0] == a[0, 0]).all()), set(b[a > 1]) <= set(a[a > 1])
    (True, True)
    """
    if how == "shuffled":
        return shuffled(array, voxels, rng)
    if array.shape != voxels.shape:
        raise BadGeometry(f"The voxels to change have shape {voxels.shape} and the image {array.shape}; resample one onto the other first.")
    if how not in HOW:
        raise BadSetting(f"A control cannot be '{how}'; {did_you_mean(how, HOW)}", item=how)
    inside = array[voxels]
    result = array.copy()
    if inside.size:
        result[voxels] = rng.uniform(inside.min(), inside.max(), inside.size) if how == "uniform" else rng.choice(inside, inside.size)
    return result


def is_permutation_invariant(tag: str) -> bool:
    """Return whether a feature stays the same when the voxels of the region change places.

    Shape and the statistics of intensities and grey levels do; they prove nothing in a shuffled control. Texture, the
    centre-of-mass shift, Moran's I, Geary's C, local peaks and every feature of a filtered image (``FILTER:TAG``) do not.

    Parameters
    ----------
    tag : str
        As in the reference tables, with the filter before a colon where there is one.

    Raises
    ------
    BadSetting
        For a tag of no known family.

    Examples
    --------
    >>> [is_permutation_invariant(t) for t in ("morph_volume", "stat_mean", "morph_moran_i", "cm_corr_3D_comb", "log:stat_mean")]
    [True, True, False, False, False]
    """
    filtered, _, plain = tag.rpartition(":")
    family = plain.split("_")[0]
    if family not in _PLACELESS_FAMILIES + _SPATIAL_FAMILIES:
        known = ", ".join(_PLACELESS_FAMILIES + _SPATIAL_FAMILIES)
        raise BadSetting(f"'{tag}' is not the tag of a feature; tags begin with one of {known}.", item=tag)
    return not filtered and family in _PLACELESS_FAMILIES and plain not in _PLACED
