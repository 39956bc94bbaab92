"""What the image and the outline were before, after resampling and after re-segmentation, in the words of the IBSI's tables.

IBSI manual, arXiv:1612.07003, section 5.4: figures to find out where two programs part, not features.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.science.radiomics.extraction import Extraction
from onclair.science.radiomics.grid import Resampled, resampled
from onclair.science.radiomics.resegment import within_outliers, within_range
from onclair.science.radiomics.roi import Spacing, box_around, checked_outline, checked_spacing

AXES = "xyz"
Array = npt.NDArray[Any]
Region = npt.NDArray[np.bool_]


def diagnostics(array: Array, region: Region, spacing_mm: npt.ArrayLike, extraction: Extraction) -> dict[str, float]:
    """Return the diagnostic figures of an extraction.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
    region : ndarray, bool, shape (x, y, z)
        At least one voxel.
    spacing_mm : array_like, shape (3,)
    extraction : Extraction

    Returns
    -------
    dict of str to float
        Tags as in the reference tables, in their order: ``*_init_img`` and ``*_init_roi`` before, ``*_interp_img`` and
        ``*_interp_roi`` after resampling, ``*_reseg_roi`` after re-segmentation. The whole image is resampled for them.

    Raises
    ------
    BadGeometry, BadCase
        As `extract` does.

    Examples
    --------
    >>> a = np.arange(8.0).reshape(2, 2, 2)
    >>> d = diagnostics(a, a > 0, (1, 1, 1), Extraction(range=(2, 9)))
    >>> d["int_mask_vox_count_init_roi"], d["int_mask_vox_count_reseg_roi"], d["morph_mask_vox_count_reseg_roi"]
    (7.0, 6.0, 7.0)
    """
    array, region = checked_outline(array, region)
    before = Resampled(array.astype(np.float64), region, checked_spacing(spacing_mm), (0.0, 0.0, 0.0))
    after = before if extraction.grid is None else resampled(array, region, before.spacing_mm, extraction.grid)
    kept = within_outliers(after.array, within_range(after.array, after.region, extraction.range), extraction.outliers)
    return {
        **_of_image(before, "init_img"),
        **_of_image(after, "interp_img"),
        **_of_outline(before, before.region, "init_roi"),
        **_of_outline(after, after.region, "interp_roi"),
        **_of_outline(after, kept, "reseg_roi"),
    }


def _of_image(of: Resampled, suffix: str) -> dict[str, float]:
    return {
        **_along_axes("img_dim", of.array.shape, suffix),
        **_along_axes("vox_dim", of.spacing_mm, suffix),
        **_intensities("", of.array.ravel(), suffix),
    }


def _of_outline(of: Resampled, kept: Region, suffix: str) -> dict[str, float]:
    return {
        **_along_axes("int_mask_dim", of.array.shape, suffix),
        **_along_axes("int_mask_bb_dim", _extent(kept), suffix),
        **_along_axes("morph_mask_bb_dim", _extent(of.region), suffix),
        f"int_mask_vox_count_{suffix}": float(np.count_nonzero(kept)),
        f"morph_mask_vox_count_{suffix}": float(np.count_nonzero(of.region)),
        **_intensities("int_mask_", of.array[kept], suffix),
    }


def _along_axes(name: str, lengths: Iterable[float], suffix: str) -> dict[str, float]:
    return {f"{name}_{axis}_{suffix}": float(length) for axis, length in zip(AXES, lengths, strict=True)}


def _extent(region: Region) -> Spacing:
    x, y, z = (float(side.stop - side.start) for side in box_around(region))
    return x, y, z


def _intensities(prefix: str, values: npt.NDArray[np.float64], suffix: str) -> dict[str, float]:
    figures = {"mean": float(values.mean()), "min": float(values.min()), "max": float(values.max())}
    return {f"{prefix}{name}_int_{suffix}": figure for name, figure in figures.items()}
