"""A tumour's stiffness is unknown: the four assumptions that bound it, always run together, and the interval that they leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadInput
from onclair.science.volumes.components import box_of

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Instances = npt.NDArray[np.int32]
Assumption = Literal["density", "half", "tenth", "void"]

#: What the tumour is taken for: bone of its calibrated density, a share of the stiffness around it, nothing.
ASSUMPTIONS: tuple[Assumption, ...] = ("density", "half", "tenth", "void")
SHARES: Mapping[Assumption, float] = {"half": 0.5, "tenth": 0.1, "void": 0.0}
#: The bone around a lesion, as the lesion table takes it.
RING_MM = (3.0, 8.0)
#: Standard errors on either side of a 90 % interval.
LEVEL, Z = 0.90, 1.6449


@dataclass(frozen=True, slots=True)
class Step:
    """What one assumption gave.

    Attributes
    ----------
    assumption : {"density", "half", "tenth", "void"}
    stiffness_n_per_mm, strength_n : float
    """

    assumption: Assumption
    stiffness_n_per_mm: float
    strength_n: float

    def as_dict(self) -> dict[str, Any]:
        """Return the step as the command prints it."""
        return {"assumption": self.assumption, "stiffness_N_per_mm": self.stiffness_n_per_mm, "strength_N": self.strength_n}


@dataclass(frozen=True, slots=True)
class Interval:
    """What a strength may be.

    Attributes
    ----------
    low, high : float
        In the unit of the value.
    widths : mapping of str to float
        What ``tumour stiffness``, ``outline``, ``calibration`` and ``voxels`` each contribute, as a share of the value.
    dominant : str or None
        The largest of them; None where none contributes.
    """

    low: float
    high: float
    widths: Mapping[str, float]
    dominant: str | None


def band_moduli(modulus_mpa: Floats, lesions: Instances, bone: Flags, spacing_mm: tuple[float, float, float]) -> dict[Assumption, Floats]:
    """Return Young's modulus under each assumption.

    Parameters
    ----------
    modulus_mpa : ndarray, float64, shape (x, y, z)
        By calibrated density, 0 outside the bone.
    lesions : ndarray, int32, shape (x, y, z)
        Instances; each is set against the bone around itself.
    bone : ndarray, bool, shape (x, y, z)
    spacing_mm : tuple of float

    Returns
    -------
    dict of str to ndarray
        ``density`` is the map as it came; ``half`` and ``tenth`` a share of the median modulus 3 to 8 mm around, in the same bone and
        outside every lesion; ``void`` 0.

    Raises
    ------
    BadInput
        When lesions leave nothing of the bone to compare with.

    Examples
    --------
    >>> bone = np.full((20, 20, 20), 400.0); spot = np.zeros((20, 20, 20), np.int32); spot[10, 10, 10] = 1
    >>> found = band_moduli(bone, spot, bone > 0, (1.0, 1.0, 1.0))
    >>> [float(found[name][10, 10, 10]) for name in ASSUMPTIONS]
    [400.0, 200.0, 40.0, 0.0]
    """
    inside = (lesions > 0) & bone
    around = {int(number): _around(modulus_mpa, lesions, bone, spacing_mm, int(number)) for number in np.unique(lesions[inside])}
    found: dict[Assumption, Floats] = {"density": modulus_mpa}
    for assumption, share in SHARES.items():
        changed = modulus_mpa.copy()
        for number, surrounding in around.items():
            changed[inside & (lesions == number)] = share * surrounding
        found[assumption] = changed
    return found


def _around(modulus: Floats, lesions: Instances, bone: Flags, spacing_mm: tuple[float, float, float], number: int) -> float:
    """Return the median modulus of the bone in a ring around one lesion, or of all the bone that is free of lesions."""
    near, far = RING_MM
    box = box_of(lesions == number, margin=int(np.ceil(far / min(spacing_mm))) + 1)
    apart = ndimage.distance_transform_edt(lesions[box] != number, sampling=spacing_mm)
    ring = bone[box] & (lesions[box] == 0) & (apart >= near) & (apart <= far)
    values = modulus[box][ring] if ring.any() else modulus[bone & (lesions == 0)]
    if not values.size:
        raise BadInput(
            "The lesions fill the whole bone, so there is no bone around them to compare with; check both masks.", item="lesions"
        )
    return float(np.median(values))


def interval(value: float, band: Sequence[float], errors: Mapping[str, float]) -> Interval:
    """Return the 90 % interval that joins the band of assumptions with the errors of outline and calibration.

    Parameters
    ----------
    value : float
        At the calibrated density.
    band : sequence of float
        The same figure under each assumption; the interval holds them all. Empty where there is no tumour.
    errors : mapping of str to float
        Relative standard errors (of the logarithm) by their source; they are added in squares and widen the band at both ends.

    Returns
    -------
    Interval

    Examples
    --------
    >>> found = interval(100.0, [100.0, 97.0, 93.0, 92.0], {"outline": 0.01, "calibration": 0.02})
    >>> round(found.low, 1), round(found.high, 1), found.dominant
    (88.7, 103.7, 'tumour stiffness')
    """
    low, high = min((value, *band)), max((value, *band))
    spread = float(np.sqrt(sum(error**2 for error in errors.values())))
    low_end, high_end = low * np.exp(-Z * spread), high * np.exp(Z * spread)
    widths = {"tumour stiffness": (high - low) / abs(value) if value else 0.0}
    widths |= {source: 2.0 * Z * error for source, error in errors.items()}
    dominant = max(widths, key=lambda source: widths[source])
    return Interval(float(low_end), float(high_end), widths, dominant if widths[dominant] > 0 else None)
