"""Two virtual readers who disagree: each misses some lesions, takes some mimics for them, and draws borders of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.virtual.bone_growths import Growth
from onclair.virtual.bone_render import Filled
from onclair.virtual.textures import smooth_field

#: How readily each reader calls something a metastasis: a shift of the log odds. The first is bold, the second is cautious.
READERS = (0.5, -0.5)
#: Log odds of calling what one has seen: by what it is. Mimics that look most alike are called most often; plausible choices.
_CALLED: Mapping[str, float] = {
    "metastasis": 2.2,
    "bone_island": -1.4,
    "haemangioma": -1.6,
    "schmorl_node": -2.0,
    "degenerative_sclerosis": -1.5,
    "osteoporotic_patch": -1.2,
    "vessel_channel": -2.6,
    "healed_fracture": -1.4,
}
_TYPES = ("lytic", "blastic", "mixed", "occult")


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What one reader makes of an image.

    Attributes
    ----------
    instances : ndarray, uint8, shape of the image
        The reader's own numbers.
    rows : tuple of dict
        ``reader, instance, lesion`` (of the truth), ``type, score`` for each.
    """

    instances: npt.NDArray[np.uint8]
    rows: tuple[dict[str, Any], ...]


def read_by(
    number: int,
    growths: Sequence[Growth],
    fills: Mapping[int, Filled],
    image: npt.NDArray[np.int16],
    step_mm: tuple[float, float, float],
    rng: np.random.Generator,
) -> Reading:
    """Return what one of the two readers marks.

    Parameters
    ----------
    number : {1, 2}
    growths : sequence of Growth
    fills : mapping of int to Filled
        What each of them fills.
    image : ndarray, int16
        HU, as the reader sees it.
    step_mm : tuple of float
    rng : numpy Generator
    """
    instances = np.zeros(image.shape, np.uint8)
    rows: list[dict[str, Any]] = []
    for index, growth in enumerate(growths):
        filled = fills.get(index)
        seen, call, shift = rng.normal(0.0, 0.8), rng.normal(0.0, 0.7), rng.normal(0.0, 0.6)
        if filled is None or not (filled.share > 0.5).any():
            continue
        odds = min(_seen(filled, image, step_mm) + seen, _CALLED[growth.kind] + call) + READERS[number - 1]
        if rng.random() < 1.0 / (1.0 + np.exp(-odds)):
            drawn = _outlined(filled, step_mm, float(shift), rng)
            if drawn.any():
                target = instances[filled.cut]
                target[drawn & (target == 0)] = len(rows) + 1
                score = round(float(1.0 / (1.0 + np.exp(-odds - 0.5))), 3)
                named = growth.type if rng.random() < 0.85 else str(rng.choice(_TYPES[:3]))
                rows.append({"reader": number, "instance": len(rows) + 1, "lesion": index + 1, "type": named, "score": score})
    return Reading(instances, tuple(rows))


def _seen(filled: Filled, image: npt.NDArray[np.int16], step_mm: tuple[float, float, float]) -> float:
    """Return the log odds of noticing: contrast to the ring around, in its own spread, times the root of the diameter in cm."""
    hu, inside = image[filled.cut].astype(np.float64), filled.share > 0.5
    near = (filled.share < 0.05) & ndimage.binary_dilation(inside, iterations=3)
    diameter = (6.0 * inside.sum() * float(np.prod(step_mm)) / np.pi) ** (1 / 3)
    ring = hu[near] if near.any() else hu
    contrast = abs(np.median(hu[inside]) - np.median(ring)) / max(float(ring.std()), 20.0)
    return float(4.0 * contrast * np.sqrt(diameter / 10.0) - 0.8)


def _outlined(filled: Filled, step_mm: tuple[float, float, float], shift_mm: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return a border of the reader's own: the true one moved along its normal by a shift and a smooth error of 0.8 mm."""
    inside = filled.share > 0.5
    depth = ndimage.distance_transform_edt(inside, sampling=step_mm) - ndimage.distance_transform_edt(~inside, sampling=step_mm)
    shape = inside.shape
    error = smooth_field((shape[0], shape[1], shape[2]), 1.0, 5.0, rng) * 0.8
    return np.asarray(depth + shift_mm + error > 0)
