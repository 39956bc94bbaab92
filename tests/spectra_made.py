"""Spectra made by another program: a simulator that shares no line with the model that unmixes them.

Bases are integrated on a fine grid of their own, haemoglobin comes from a few bands fitted by nobody (`bands`) or from arrays given, the
instrument's resolution is a convolution, the noise is Poisson and read noise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: Peaks as the table of the field tells them: height, mode, left and right sigma in nm.
PEAKS = {
    "PpIX634": "917 634.0 10.2 8.0 459 699.8 18.9 15.4 231 651.4 10.9 20.7",
    "PpIX620": "863 618.9 9.1 8.7 514 687.6 14.7 10.5 225 657.0 35.2 17.2",
    "NADH": "961 447.1 7.8 29.4 234 501.0 13.2 62.7",
    "FAD": "838 527.0 18.3 38.0 399 495.7 11.3 22.2",
    "Lipofuscin": "782 632.6 26.4 90 642 579.9 17.5 31.1",
    "Elastin": "892 469.3 40.5 30.6 243 544.9 53.3 30.9",
}
REACH = {
    385.0: {"PpIX634": 0.57, "PpIX620": 0.57, "NADH": (0.42 + 0.165) / 2, "FAD": 0.66 - 0.14 / 4},
    405.0: {"PpIX634": 0.94, "PpIX620": 0.94, "NADH": (0.048 + 0.010) / 2, "FAD": (0.52 + 0.55) / 2},
}
FINE_NM = np.arange(340.0, 1010.0, 0.1)


@dataclass(frozen=True)
class Truth:
    """One point: amounts, shift in nm, and what its blood does."""

    amounts: dict[str, float]
    shift_nm: float = 0.0
    blood: float = 0.0
    saturation: float = 0.65
    extinction: object = None
    resolution_nm: float = 0.0
    excitations: tuple[float, ...] = (405.0,)
    moves_blood: bool = False
    gains: dict[float, float] = field(default_factory=dict)


def emission(name: str) -> np.ndarray:
    """Return a base on the fine grid; its area between 420 and 730 nm is 1 by the midpoint rule."""
    numbers = np.array(PEAKS[name].split(), float).reshape(-1, 4)
    total = np.zeros_like(FINE_NM)
    for height, mode, left, right in numbers:
        sigma = np.full_like(FINE_NM, right)
        sigma[mode > FINE_NM] = left
        total += height / 1000 * np.exp(-((FINE_NM - mode) ** 2) / (2 * sigma**2))
    inside = (FINE_NM >= 420.0) & (FINE_NM <= 730.0)
    return total / (total[inside].sum() * 0.1)


def escaped(truth: Truth, excitation: float, nm: np.ndarray) -> np.ndarray:
    """Return the share of light that comes out, up to a constant that all excitations share."""

    def effective(at):
        oxy, deoxy = truth.extinction(at)
        molar = truth.saturation * oxy + (1 - truth.saturation) * deoxy
        mua = 0.1 + truth.blood * 2.303 * 150.0 / 64500.0 * molar
        return np.sqrt(3 * mua * (mua + 20.0 * (at / 500.0) ** -1.3))

    return 1.0 / (effective(np.array(excitation)) + effective(nm))


def spectra(truth: Truth, nm: np.ndarray, peak: float) -> tuple[np.ndarray, float]:
    """Return expected counts, one row an excitation, the highest of all at `peak`; and the counts that one unit of amount stands for."""
    rows = []
    for excitation in truth.excitations:
        light = sum(a * REACH[excitation].get(name, 1.0) * emission(name) for name, a in truth.amounts.items())
        if truth.blood and truth.moves_blood:
            light = light * escaped(truth, excitation, FINE_NM)
        if truth.resolution_nm:
            sigma = truth.resolution_nm / 2.3548 / 0.1
            kernel = np.exp(-0.5 * (np.arange(-int(5 * sigma), int(5 * sigma) + 1) / sigma) ** 2)
            light = np.convolve(light, kernel / kernel.sum(), mode="same")
        row = np.interp(nm, FINE_NM + truth.shift_nm, light)
        if truth.blood and not truth.moves_blood:
            row = row * escaped(truth, excitation, nm)
        rows.append(row * truth.gains.get(excitation, 1.0))
    scale = peak / max(row.max() for row in rows)
    return np.array(rows) * scale, scale


def measured(expected: np.ndarray, rng: np.random.Generator, read_noise: float = 4.0) -> np.ndarray:
    """Return counts with Poisson and read noise."""
    return rng.poisson(expected) + rng.normal(0.0, read_noise, expected.shape)


def drawn(rng: np.random.Generator, sort: str = "any") -> dict[str, float]:
    """Return amounts of one point, lognormal about the medians of a kind of tissue."""
    medians = {"healthy": (0.03, 0.03), "margin": (0.10, 0.07), "core": (1.6, 0.25), "low grade": (0.06, 0.10)}
    kind = str(rng.choice(list(medians))) if sort == "any" else sort
    first, second = medians[kind]
    spread = 0.6
    amounts = {"PpIX634": first * np.exp(spread * rng.normal()), "PpIX620": second * np.exp(spread * rng.normal())}
    for name, median in (("NADH", 1.0), ("FAD", 0.6), ("Lipofuscin", 0.25)):
        amounts[name] = median * float(np.exp(0.35 * rng.normal()))
    return amounts
