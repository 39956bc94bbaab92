"""What a scan says of its own scanner: how wide its kernel is, and how strong and how fine its noise.

The kernel is read off the body's outline, an edge of a thousand HU that every scan has; the noise off soft tissue that is nearly even. Both
are of first order: one width for the plane, one power spectrum that depends on the frequency alone, one correlation of neighbouring slices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.geometry import Affine, spacing_mm
from onclair.virtual.scanner import FWHM_PER_SIGMA

Volume = npt.NDArray[np.float32]
#: Where nothing can be measured: a body kernel, and white noise.
PLAIN_FWHM_MM, PLAIN_NOISE_HU = 1.1, 15.0
#: The edge: from less than this to more than that, in HU, within so many voxels.
_AIR, _TISSUE, _REACH = -800.0, -160.0, 6
#: Fewest edges, and patches of even tissue, that are believed; voxels to a patch's side.
_EDGES, _PATCHES, _SIDE = 60, 4, 16
#: Soft tissue in HU.
_EVEN = (-40.0, 140.0)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A scan's kernel and noise.

    Attributes
    ----------
    fwhm_mm : float
        Width of the point spread in plane.
    noise_hu : float
        Standard deviation of the noise.
    frequency, power : ndarray, float64
        Per mm, and the shape of the noise's power there; what is between is interpolated.
    between : float
        Correlation of the noise of neighbouring slices, 0 to 0.5.
    guessed : tuple of str
        Of ``kernel`` and ``noise``, what could not be measured and is a guess.
    """

    fwhm_mm: float
    noise_hu: float
    frequency: npt.NDArray[np.float64]
    power: npt.NDArray[np.float64]
    between: float
    guessed: tuple[str, ...] = ()

    @property
    def sigma_mm(self) -> float:
        """Standard deviation of the point spread."""
        return self.fwhm_mm / FWHM_PER_SIGMA

    def noise(self, shape: tuple[int, int, int], step_mm: tuple[float, float], rng: np.random.Generator) -> Volume:
        """Return noise like the scan's, slices along the last axis.

        Parameters
        ----------
        shape : tuple of int
        step_mm : tuple of float
            In plane.
        rng : numpy Generator
        """
        across, along = np.fft.fftfreq(shape[0], step_mm[0]), np.fft.rfftfreq(shape[1], step_mm[1])
        power = np.interp(np.hypot(across[:, None], along), self.frequency, self.power)
        white = np.fft.rfft2(rng.normal(size=(shape[0], shape[1], shape[2] + 1)), axes=(0, 1))
        drawn = np.fft.irfft2(white * np.sqrt(power)[:, :, None], s=shape[:2], axes=(0, 1))
        share = _mixing(self.between)
        mixed = drawn[:, :, :-1] + share * drawn[:, :, 1:]
        spread = float(np.sqrt((power * _doubled(shape[1], along.size)).sum() / (shape[0] * shape[1]) * (1.0 + share**2)))
        return np.asarray(mixed * self.noise_hu / max(spread, 1e-9), np.float32)


def _doubled(columns: int, kept: int) -> npt.NDArray[np.float64]:
    """Return how often each column of a real transform stands in the whole one."""
    counts = np.full(kept, 2.0)
    counts[0] = 1.0
    if columns % 2 == 0:
        counts[-1] = 1.0
    return counts


def _mixing(correlation: float) -> float:
    """Return what of the next slice is added to each, so that neighbours correlate: a / (1 + a^2).

    Examples
    --------
    >>> _mixing(0.0), round(_mixing(0.4), 3)
    (0.0, 0.5)
    """
    rho = min(max(correlation, 0.0), 0.499)
    return 0.0 if rho < 1e-6 else float((1.0 - np.sqrt(1.0 - 4.0 * rho**2)) / (2.0 * rho))


def measured(hu: npt.NDArray[Any], affine: Affine) -> Measured:
    """Return a scan's kernel and noise; its slices lie along the last axis.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    """
    values, step = np.asarray(hu, np.float32), spacing_mm(affine)
    width = _edge_width(values, step[0], step[1])
    found = _noise(values, step[0])
    guessed = tuple(name for name, missing in (("kernel", width is None), ("noise", found is None)) if missing)
    noise, frequency, power, between = found or (PLAIN_NOISE_HU, np.array([0.0, 1.0]), np.array([1.0, 1.0]), 0.0)
    return Measured(PLAIN_FWHM_MM if width is None else width, noise, frequency, power, between, guessed)


def _edge_width(values: Volume, step_x: float, step_y: float) -> float | None:
    """Return the full width at half maximum of the point spread, mm: from 16 to 84 % of the edge is two standard deviations."""
    widths = [w for array, step in ((values, step_x), (np.swapaxes(values, 0, 1), step_y)) for w in _edges(array, step)]
    if len(widths) < _EDGES:
        return None
    found = FWHM_PER_SIGMA * float(np.median(widths)) / 2.0
    return float(np.clip(found, 0.6 * min(step_x, step_y), 3.0))


def _edges(values: Volume, step: float) -> list[float]:
    """Return the widths, 16 to 84 %, of the edges from air to skin along the first axis that stand square to it."""
    some = values[:, :, :: max(1, values.shape[2] // 24)]
    middle = (some[:-1] < -500.0) & (some[1:] >= -500.0)
    middle[: _REACH + 1] = middle[-_REACH - 1 :] = False
    found = []
    for i, j, k in np.argwhere(middle)[:: max(1, int(middle.sum()) // 4000)]:
        line = some[i - _REACH + 1 : i + _REACH + 1, j, k].astype(float)
        rising = line[_REACH - 3 : _REACH + 3]
        beside = some[i : i + 2, max(j - 2, 0) : j + 3, k]
        low, high = float(line[:3].mean()), float(line[-3:].mean())
        square = beside.shape[1] == 5 and abs(float(beside[:, 4].sum() - beside[:, 0].sum())) < 0.25 * (high - low)
        if low < _AIR and high > _TISSUE and square and bool((np.diff(rising) > 0).all()):
            share = (rising - low) / (high - low)
            if share[0] < 0.16 and share[-1] > 0.84:
                found.append(float(np.interp(0.84, share, np.arange(6)) - np.interp(0.16, share, np.arange(6))) * step)
    return found


def _noise(values: Volume, step: float) -> tuple[float, npt.NDArray[np.float64], npt.NDArray[np.float64], float] | None:
    """Return standard deviation, frequencies, power and the correlation of neighbouring slices, from patches of even tissue."""
    patches = [patch for k in range(0, values.shape[2] - 1, max(1, values.shape[2] // 16)) for patch in _even(values, k)]
    if len(patches) < _PATCHES:
        return None
    spread = np.array([patch[:, :, 0].std() for patch in patches])
    quiet = np.argsort(spread, kind="stable")[: max(_PATCHES, len(patches) // 4)]
    flat = [_level(patches[i]) for i in quiet]
    window = np.hanning(_SIDE + 2)[1:-1]
    power = np.mean([np.abs(np.fft.fft2(f[:, :, 0] * window[:, None] * window)) ** 2 for f in flat], axis=0)
    one = np.abs(np.fft.fftfreq(_SIDE, step))
    radius = np.hypot(one[:, None], one)
    ends = np.linspace(0.0, radius.max() + 1e-6, 9)
    which = np.digitize(radius, ends) - 1
    radial = np.array([power[which == b].mean() for b in range(8)])
    between = float(np.mean([np.corrcoef(f[:, :, 0].ravel(), f[:, :, 1].ravel())[0, 1] for f in flat]))
    return float(np.mean([f.std() for f in flat])), (ends[:-1] + ends[1:]) / 2.0, radial / radial.max(), max(between, 0.0)


def _even(values: Volume, k: int) -> list[Volume]:
    """Return the patches of two slices that are soft tissue all over."""
    found = []
    for i in range(0, values.shape[0] - _SIDE + 1, _SIDE):
        for j in range(0, values.shape[1] - _SIDE + 1, _SIDE):
            patch = values[i : i + _SIDE, j : j + _SIDE, k : k + 2]
            if _EVEN[0] < float(np.percentile(patch, 2)) and float(np.percentile(patch, 98)) < _EVEN[1] and patch.std() > 0.0:
                found.append(patch)
    return found


def _level(patch: Volume) -> Volume:
    """Return a patch without its own plane."""
    x, y = (np.arange(_SIDE, dtype=np.float32) - (_SIDE - 1) / 2.0 for _ in range(2))
    flat = patch - patch.mean(axis=(0, 1))
    for axis in (x[:, None, None], y[None, :, None]):
        slope = (flat * axis).sum(axis=(0, 1)) / (np.square(axis).sum() * _SIDE)
        flat = flat - slope * axis
    return np.asarray(flat, np.float32)
