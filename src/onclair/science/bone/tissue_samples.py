"""Five tissues sampled from a labelled CT, for calibration without a phantom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadCase
from onclair.core.geometry import Affine, spacing_mm
from onclair.science.bone.body import body_mask
from onclair.science.bone.calibrate import ENHANCED_HU, PLAUSIBLE_HU

Flags = npt.NDArray[np.bool_]

#: TotalSegmentator v2: aorta; gluteus, muscles of the back and iliopsoas; humeri and femurs, whose cortex is thick enough to be seen whole.
BLOOD, MUSCLE, LONG_BONES = (52,), tuple(range(80, 90)), (69, 70, 75, 76)
#: Any bone, for scans that show no long one.
BONES = (*range(25, 51), *LONG_BONES, *range(71, 75), 77, 78, 91, *range(92, 117))
#: What may be fat, and air outside the body; voxels at the scan's lowest value are padding.
FAT_HU, AIR_HU = (-140.0, -40.0), (-1100.0, -850.0)
#: Cortex is what reaches this share of the bone's 99.5th percentile.
CORTEX_SHARE = 0.85
FEWEST_VOXELS = 50


@dataclass(frozen=True, slots=True)
class Samples:
    """HU of tissues, and how they were had.

    Attributes
    ----------
    hu : mapping of str to float
        Medians.
    voxels : mapping of str to int
    refused : mapping of str to str
        Tissues that were not used, and why.
    warnings : tuple of mapping
        ``code`` and ``text``.
    """

    hu: Mapping[str, float]
    voxels: Mapping[str, int]
    refused: Mapping[str, str]
    warnings: tuple[Mapping[str, str], ...] = ()


def sampled(hu: npt.NDArray[Any], labels: npt.NDArray[Any], affine: Affine, *, contrast: str | None = None) -> Samples:
    """Return the HU of five tissues under TotalSegmentator's labels.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    labels : ndarray of integers, shape (x, y, z)
        Task ``total``, version 2.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    contrast : str or None
        What the header calls the contrast agent.

    Returns
    -------
    Samples
        Blood only without contrast: neither the header names an agent, nor does the aorta show more than 90 HU. Tissues with fewer than
        50 voxels, or outside what they can show, are refused with the reason.

    Raises
    ------
    BadCase
        For labels of another shape.
    """
    if hu.shape != labels.shape:
        raise BadCase(f"The image has the shape {hu.shape} and the labels {labels.shape}; both must lie on one grid.")
    body = body_mask(hu, affine)
    inner = {
        "adipose": _core((labels == 0) & body & _between(hu, FAT_HU), affine),
        "air": _air(hu, body),
        "blood": _core(np.isin(labels, BLOOD), affine),
        "bone": _cortex(hu, labels),
        "muscle": _core(np.isin(labels, MUSCLE), affine),
    }
    found, voxels, refused = {}, {}, {}
    for tissue, region in inner.items():
        voxels[tissue] = int(region.sum())
        value = float(np.median(hu[region])) if voxels[tissue] else float("nan")
        why = _fault(tissue, value, voxels[tissue], contrast)
        if why is None:
            found[tissue] = value
        else:
            refused[tissue] = why
    return Samples(found, voxels, refused, _warnings(labels))


def _fault(tissue: str, value: float, voxels: int, contrast: str | None) -> str | None:
    """Return why a tissue cannot be used, or None."""
    if voxels < FEWEST_VOXELS:
        return f"{tissue}: {voxels} voxels under its labels, {FEWEST_VOXELS} are needed"
    if tissue == "blood" and (contrast or value > ENHANCED_HU):
        said = f"the header names a contrast agent ({contrast})" if contrast else "the header names no contrast agent"
        return f"blood: {said} and the aorta shows {value:.0f} HU; blood is used only without contrast and up to {ENHANCED_HU:.0f} HU"
    low, high = PLAUSIBLE_HU[tissue]
    if not low <= value <= high:
        return f"{tissue}: {value:.0f} HU, which it cannot show ({low:.0f} to {high:.0f}); image and labels may not lie in the same place"
    return None


def _warnings(labels: npt.NDArray[Any]) -> tuple[Mapping[str, str], ...]:
    if np.isin(labels, LONG_BONES).sum() >= FEWEST_VOXELS:
        return ()
    text = "No humerus or femur is in view; the cortex of thinner bones is blurred, which makes densities too high."
    return ({"code": "thin_cortex", "text": text},)


def _cortex(hu: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Flags:
    """Return the densest voxels of the long bones, of all bones where there is no long one."""
    long = np.isin(labels, LONG_BONES)
    bone = long if int(long.sum()) >= FEWEST_VOXELS else np.isin(labels, BONES)
    if not bone.any():
        return np.asarray(bone)
    return np.asarray(bone & (hu >= CORTEX_SHARE * float(np.percentile(hu[bone], 99.5))))


def _air(hu: npt.NDArray[Any], body: Flags) -> Flags:
    """Return air outside the body; the scan's lowest value is left out, for it fills what was not scanned."""
    return np.asarray(~body & _between(hu, AIR_HU) & (hu > hu.min()))


def _core(region: Flags, affine: Affine) -> Flags:
    """Return a region without its outermost layer of about a millimetre, slice by slice where slices are thick."""
    thick = spacing_mm(affine)[2] > 2.0 * spacing_mm(affine)[0]
    structure = ndimage.generate_binary_structure(3, 1)
    if thick:
        structure[:, :, [0, 2]] = False
    return np.asarray(ndimage.binary_erosion(region, structure))


def _between(hu: npt.NDArray[Any], span: Sequence[float]) -> Flags:
    return np.asarray((hu > span[0]) & (hu < span[1]))
