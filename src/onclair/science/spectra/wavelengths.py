"""Wavelength of every pixel: from the lines of a mercury-argon lamp, or a check by the excitation line and standard peaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase
from onclair.science.spectra.peaks import Peaks, peaks

Floats = npt.NDArray[np.float64]
#: Peak (pixel) and line (nm).
Pairs = list[tuple[float, float]]

#: Lines of a mercury-argon lamp, nm in air (NIST Atomic Spectra Database).
HG_AR_NM = (404.656, 435.833, 546.074, 576.960, 579.066, 696.543, 706.722, 738.398, 750.387, 763.511)
#: A calibration is good below, and refused above, this residual.
TARGET_NM, REFUSED_NM = 0.1, 0.3
#: A line is sought within this of where the wavelengths at hand say.
REACH_NM = 8.0
#: After a straight correction a line lies this near its peak.
_NEAR_NM = 0.8
#: The dispersion at hand is right to this share.
_STRETCH = 0.02
#: Two lines nearer than so many widths at half height are one peak, whose top is neither.
_BLENDED = 1.2
_FEWEST = 4
#: A line disagrees where leaving it out lowers the residual of the others to this share.
_FAR_BETTER = 0.6
#: A higher degree is taken only where it lowers the residual by more than this.
_COULD_BE = 1.3


@dataclass(frozen=True, slots=True, eq=False)
class Wavelengths:
    """Calibrated wavelengths.

    Attributes
    ----------
    wavelength_nm : ndarray, shape (n,)
    correction : tuple of float
        c0, c1, ...: ``sum c_k pixel^k`` is added to the wavelengths at hand; pixels count from 0.
    residual_rms_nm : float
        Over the lines used, per degree of freedom.
    lines_nm, pixel, residual_nm : ndarray, shape (m,)
        The lines used, where they were found, and found less tabulated.
    left_out_nm : tuple of float
        Lines that were not found, were blended with a neighbour, or disagreed with all others.
    """

    wavelength_nm: Floats
    correction: tuple[float, ...]
    residual_rms_nm: float
    lines_nm: Floats
    pixel: Floats
    residual_nm: Floats
    left_out_nm: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """How far the wavelengths are from peaks that are known.

    Attributes
    ----------
    shift_nm : float
        Mean of found less known: positive where the wavelengths at hand are too long.
    residual_rms_nm : float
        About that mean; 0 for one peak.
    found_nm : tuple of float
        One a known peak; NaN where there is none within reach.
    """

    shift_nm: float
    residual_rms_nm: float
    found_nm: tuple[float, ...]


def calibrated(counts: npt.ArrayLike, wavelength_nm: npt.ArrayLike, lines_nm: Sequence[float] = HG_AR_NM, degree: int = 3) -> Wavelengths:
    """Return wavelengths calibrated by the lines of a lamp.

    Peaks are found to a fraction of a pixel. Among straight corrections through any two pairs of peak and line, the one that brings most
    peaks to lines is taken; a polynomial through these pairs is then fitted, and a pair that departs from the others is left out. Lines
    may be missing, and peaks may be false.

    Parameters
    ----------
    counts : array, shape (n,)
        Net counts of the lamp.
    wavelength_nm : array, shape (n,)
        What the instrument believes, right to 8 nm and 2 per cent.
    lines_nm : sequence of float
        In air.
    degree : int
        Of the polynomial added; lower where there are few lines, so that two degrees of freedom are left to judge it.

    Returns
    -------
    Wavelengths

    Raises
    ------
    BadCase
        For fewer than 4 lines found, a residual above 0.3 nm, or wavelengths that would no longer rise.

    Examples
    --------
    >>> nm = np.linspace(390.0, 780.0, 1200)
    >>> lamp = sum(1000.0 * np.exp(-0.5 * ((nm - line) / 0.5) ** 2) for line in HG_AR_NM)
    >>> found = calibrated(lamp, nm - 1.5)
    >>> found.residual_rms_nm < 0.01, bool(np.abs(found.wavelength_nm - nm).max() < 0.05)
    (True, True)
    """
    at_hand = np.asarray(wavelength_nm, dtype=np.float64)
    seen = peaks(counts)
    known, blended = _resolved(np.asarray(lines_nm, dtype=np.float64), seen, at_hand)
    pairs = _matched(seen, known, at_hand)
    if len(pairs) < _FEWEST:
        raise BadCase(
            f"{len(pairs)} of {len(known)} lines of the lamp were found within {REACH_NM:g} nm of their place; {_FEWEST} are needed: "
            "expose the lamp longer without saturating it, or give wavelengths that are nearer.",
            item="wavelength_nm",
        )
    pairs, fitted = _simplest(pairs, at_hand, degree)
    rms = _rms(fitted, pairs, at_hand)
    used = {line for _, line in pairs}
    found = at_hand + fitted(np.arange(at_hand.size))
    _refuse(rms, found)
    pixel, line = np.array(pairs).T
    return Wavelengths(
        wavelength_nm=found,
        correction=tuple(float(c) for c in fitted.convert().coef),
        residual_rms_nm=rms,
        lines_nm=line,
        pixel=pixel,
        residual_nm=_at(at_hand, pixel) + fitted(pixel) - line,
        left_out_nm=tuple(sorted([*blended, *(float(each) for each in known if each not in used)])),
    )


def with_correction(wavelength_nm: npt.ArrayLike, correction: Sequence[float]) -> Floats:
    """Return wavelengths with the polynomial of an earlier calibration added, pixels counted from 0.

    Raises
    ------
    BadCase
        When they would no longer rise.

    Examples
    --------
    >>> with_correction([500.0, 501.0, 502.0], (0.5, 0.1)).tolist()
    [500.5, 501.6, 502.7]
    """
    at_hand = np.asarray(wavelength_nm, dtype=np.float64)
    found = at_hand + np.polynomial.polynomial.polyval(np.arange(float(at_hand.size)), np.asarray(correction, dtype=np.float64))
    _refuse(0.0, found)
    return np.asarray(found)


def checked_peaks(counts: npt.ArrayLike, wavelength_nm: npt.ArrayLike, known_nm: Sequence[float], within_nm: float = 5.0) -> Checked:
    """Return how far the wavelengths are off, from the excitation's own line and the peaks of a standard.

    Parameters
    ----------
    counts : array, shape (n,)
        Net counts of the standard.
    wavelength_nm : array, shape (n,)
    known_nm : sequence of float
        The excitation line, 634 nm of protoporphyrin IX, ...
    within_nm : float
        A peak farther away is another one.

    Returns
    -------
    Checked

    Raises
    ------
    BadCase
        When none of the known peaks is found.

    Examples
    --------
    >>> nm = np.arange(400.0, 700.0, 0.3)
    >>> light = sum(1000.0 * np.exp(-0.5 * ((nm - line - 0.4) / 4.0) ** 2) for line in (405.0, 634.0))
    >>> round(checked_peaks(light, nm, (405.0, 634.0)).shift_nm, 2)
    0.4
    """
    at_hand = np.asarray(wavelength_nm, dtype=np.float64)
    seen = peaks(counts)
    places = _at(at_hand, seen.pixel)
    found = []
    for known in known_nm:
        near = np.abs(places - known) <= within_nm
        found.append(float(places[near][seen.height[near].argmax()]) if near.any() else float("nan"))
    away = np.array(found) - np.asarray(known_nm, dtype=np.float64)
    if np.isnan(away).all():
        asked = ", ".join(f"{each:g}" for each in known_nm)
        raise BadCase(f"The standard shows no peak within {within_nm:g} nm of {asked} nm; measure it again.", item="wavelength_nm")
    return Checked(float(np.nanmean(away)), float(np.nanstd(away)), tuple(found))


def _resolved(lines: Floats, seen: Peaks, at_hand: Floats) -> tuple[Floats, list[float]]:
    """Return the lines that stand alone at the instrument's resolution, and those that do not."""
    if not seen.width.size:
        return lines, []
    width = float(np.median(seen.width)) * float(np.median(np.diff(at_hand)))
    apart = np.abs(lines[:, None] - lines) + np.where(np.eye(len(lines), dtype=bool), np.inf, 0.0)
    alone = apart.min(axis=1) >= _BLENDED * width
    return lines[alone], [float(each) for each in lines[~alone]]


def _matched(seen: Peaks, known: Floats, at_hand: Floats) -> Pairs:
    """Return pairs of peak and line by the straight correction that brings most of them together."""
    places = _at(at_hand, seen.pixel)
    candidates = [(i, j) for i in range(len(places)) for j in range(len(known)) if abs(places[i] - known[j]) <= REACH_NM]
    best: Pairs = []
    least = np.inf
    for (i, j), (k, m) in combinations(candidates, 2):
        if i == k or j == m or abs(places[k] - places[i]) < 20.0:
            continue
        slope = (known[m] - known[j]) / (places[k] - places[i])
        if abs(slope - 1.0) > _STRETCH:
            continue
        away = np.abs((known[j] + slope * (places - places[i]))[:, None] - known)
        nearest = away.argmin(axis=0)
        fit = away[nearest, np.arange(len(known))]
        near = np.flatnonzero(fit <= _NEAR_NM)
        cost = float(fit[near].sum())
        if len(near) > len(best) or (len(near) == len(best) and cost < least):
            best, least = [(float(seen.pixel[nearest[n]]), float(known[n])) for n in near], cost
    return best


def _simplest(pairs: Pairs, at_hand: Floats, degree: int) -> tuple[Pairs, np.polynomial.Polynomial]:
    """Return the pairs kept and their polynomial, of the lowest degree that does: an instrument's own wavelengths are nearly right."""
    tried = [_agreed(pairs, at_hand, each) for each in range(min(1, degree), degree + 1)]
    costs = [_rms(fitted, kept, at_hand) * (len(pairs) / len(kept)) ** 2 for kept, fitted in tried]
    enough = max(_COULD_BE * min(costs), TARGET_NM / 4)
    return next(each for each, cost in zip(tried, costs, strict=True) if cost <= enough)


def _agreed(pairs: Pairs, at_hand: Floats, degree: int) -> tuple[Pairs, np.polynomial.Polynomial]:
    """Return the pairs that agree with one polynomial, and the polynomial: a pair is left out where all others then agree far better."""
    fitted = _fit(pairs, at_hand, degree)
    while len(pairs) > _FEWEST and _rms(fitted, pairs, at_hand) > TARGET_NM / 4:
        fewer = [pairs[:i] + pairs[i + 1 :] for i in range(len(pairs))]
        without = [_rms(_fit(rest, at_hand, degree), rest, at_hand) for rest in fewer]
        best = int(np.argmin(without))
        if without[best] > _FAR_BETTER * _rms(fitted, pairs, at_hand):
            break
        pairs, fitted = fewer[best], _fit(fewer[best], at_hand, degree)
    return pairs, fitted


def _fit(pairs: Pairs, at_hand: Floats, degree: int) -> np.polynomial.Polynomial:
    pixel, line = np.array(pairs).T
    return np.polynomial.Polynomial.fit(pixel, line - _at(at_hand, pixel), _degree(pairs, degree), domain=[0.0, at_hand.size - 1.0])


def _degree(pairs: Pairs, degree: int) -> int:
    return max(min(degree, len(pairs) - 3), 0)


def _rms(fitted: np.polynomial.Polynomial, pairs: Pairs, at_hand: Floats) -> float:
    pixel, line = np.array(pairs).T
    away = _at(at_hand, pixel) + fitted(pixel) - line
    return float(np.sqrt((away**2).sum() / max(len(pairs) - len(fitted.coef), 1)))


def _refuse(rms: float, found: Floats) -> None:
    if rms > REFUSED_NM:
        raise BadCase(
            f"The lines of the lamp leave a residual of {rms:.2f} nm; at most {REFUSED_NM:g} nm is allowed: measure the lamp again, "
            "unsaturated, through the probe that will be used.",
            item="wavelength_nm",
        )
    if not (np.diff(found) > 0).all():
        raise BadCase("The calibrated wavelengths do not rise from pixel to pixel; give the lines of this lamp.", item="wavelength_nm")


def _at(at_hand: Floats, pixel: Floats) -> Floats:
    return np.asarray(np.interp(pixel, np.arange(at_hand.size), at_hand))
