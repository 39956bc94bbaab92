"""Does the instrument still measure what it did? A daily standard on CUSUM charts, and a monitor of what comes in during a session.

The standard is a phantom of known colour, measured every morning: position of the 634 nm peak, gain, dark level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadSetting
from onclair.core.values import Spectrum
from onclair.science.spectra.calibrate import background, net
from onclair.science.spectra.wavelengths import checked_peaks

Floats = npt.NDArray[np.float64]

#: Half of the shift to be found soonest, and the decision limit, in standard deviations.
ALLOWANCE, LIMIT = 0.5, 5.0
#: The standard's peak, nm.
STANDARD_NM = 634.0
#: Days in control that a reference needs.
FEWEST_DAYS = 10
#: A session's mean may lie so many standard deviations from those of the reference's sessions.
SESSION_LIMIT = 3.5
#: Measurements of a session before its mean is judged.
FEWEST_IN_SESSION = 3
_BINS = 200


@dataclass(frozen=True, slots=True)
class Standard:
    """What one measurement of the daily standard says.

    Attributes
    ----------
    peak_nm : float
        Where the 634 nm peak is found.
    gain : float
        Net counts per ms at power 1 within 10 nm of the peak.
    dark : float
        Mean counts of the lamp-off frames, else of the dark frame.
    """

    peak_nm: float
    gain: float
    dark: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Two-sided CUSUM of one figure.

    Attributes
    ----------
    up, down : tuple of float
        The two sums after each value, in standard deviations.
    alarms : tuple of int
        Places at which a sum exceeded the limit.
    limit : float
    """

    up: tuple[float, ...]
    down: tuple[float, ...]
    alarms: tuple[int, ...]
    limit: float

    @property
    def in_control(self) -> bool:
        """Whether no alarm was raised."""
        return not self.alarms


def daily_standard(frame: Spectrum, lamp_off: Sequence[Spectrum] = (), known_nm: float = STANDARD_NM) -> Standard:
    """Return peak position, gain and dark level of one frame of the standard.

    Parameters
    ----------
    frame : Spectrum
    lamp_off : sequence of Spectrum
        Of the same integration time.
    known_nm : float
        Where the standard peaks.

    Returns
    -------
    Standard

    Raises
    ------
    BadCase
        When no peak lies within 5 nm of `known_nm`, or no lamp-off frame has the integration time.

    Examples
    --------
    >>> nm = np.arange(600.0, 680.0, 0.5)
    >>> light = 1000.0 * np.exp(-0.5 * ((nm - 634.4) / 8.0) ** 2)
    >>> found = daily_standard(Spectrum(light + 100.0, nm, 405.0, 10.0, dark=nm * 0 + 100.0))
    >>> round(found.peak_nm, 2), round(found.gain), found.dark
    (634.4, 78, 100.0)
    """
    behind = background(frame, lamp_off)
    counts, _ = net(frame, behind)
    near = np.abs(frame.wavelength_nm - known_nm) <= 10.0
    peak = checked_peaks(counts, frame.wavelength_nm, (known_nm,)).found_nm[0]
    gain = float(counts[near].mean()) / (frame.integration_ms * frame.power_relative)
    dark = np.mean([each.counts.mean() for each in lamp_off]) if lamp_off else behind.offset.mean()
    return Standard(peak, gain, float(dark))


def standardised(values: npt.ArrayLike, reference: npt.ArrayLike) -> Floats:
    """Return values in standard deviations of a reference, about its mean.

    Parameters
    ----------
    values : array, shape (m,)
    reference : array, shape (r,)
        Days in control, at least 10.

    Raises
    ------
    BadInput
        For fewer days, or days that are all the same.

    Examples
    --------
    >>> standardised([2.0], [0.0, 2.0] * 5).round(2).tolist()
    [0.95]
    """
    known = np.asarray(reference, dtype=np.float64)
    if known.size < FEWEST_DAYS:
        raise BadInput(f"The reference of the daily standard has {known.size} days; measure it on at least {FEWEST_DAYS} before charting.")
    sd = float(known.std(ddof=1))
    if not sd > 0:
        raise BadInput(f"All {known.size} days of the reference are the same; give them with all their digits.")
    return np.asarray((np.asarray(values, dtype=np.float64) - known.mean()) / sd)


def cusum(standardised_values: npt.ArrayLike, allowance: float = ALLOWANCE, limit: float = LIMIT) -> Chart:
    """Return the two-sided CUSUM of standardised values.

    ``up = max(0, up + z - k)``, ``down = max(0, down - z - k)``; an alarm where one exceeds h. Both start again after an alarm.

    Parameters
    ----------
    standardised_values : array, shape (m,)
        In the order of time; NaN, a day without a measurement, leaves the sums as they are.
    allowance, limit : float
        k and h, in standard deviations.

    Returns
    -------
    Chart

    References
    ----------
    E. S. Page, Continuous inspection schemes, Biometrika 1954;41:100, doi:10.1093/biomet/41.1-2.100.

    Examples
    --------
    >>> chart = cusum([0.0, 2.0, 2.0, 2.0, 2.0])
    >>> chart.up, chart.alarms
    ((0.0, 1.5, 3.0, 4.5, 6.0), (4,))
    """
    _checked(allowance, limit)
    up = down = 0.0
    ups, downs, alarms = [], [], []
    for place, value in enumerate(np.asarray(standardised_values, dtype=np.float64)):
        if np.isfinite(value):
            up, down = max(0.0, up + value - allowance), max(0.0, down - value - allowance)
        ups.append(float(up))
        downs.append(float(down))
        if max(up, down) > limit:
            alarms.append(place)
            up = down = 0.0
    return Chart(tuple(ups), tuple(downs), tuple(alarms), limit)


def charts(days: Sequence[Standard], reference: Sequence[Standard], allowance: float = ALLOWANCE, limit: float = LIMIT) -> dict[str, Chart]:
    """Return the charts ``peak_nm``, ``gain`` and ``dark`` of the daily standard.

    Parameters
    ----------
    days : sequence of Standard
        In the order of time.
    reference : sequence of Standard
        Days in control.

    Examples
    --------
    >>> reference = [Standard(634.0 + 0.1 * (i % 2), 80.0 + i % 3, 100.0 + i % 2) for i in range(12)]
    >>> drifted = [Standard(634.4, 81.0, 100.5)] * 3
    >>> [name for name, chart in charts(drifted, reference).items() if not chart.in_control]
    ['peak_nm']
    """
    names = ("peak_nm", "gain", "dark")
    return {
        name: cusum(standardised([getattr(d, name) for d in days], [getattr(d, name) for d in reference]), allowance, limit)
        for name in names
    }


def run_length(shift: float = 0.0, allowance: float = ALLOWANCE, limit: float = LIMIT) -> float:
    """Return the mean number of days until a two-sided CUSUM alarms, with independent normal values whose mean is `shift`.

    By the Markov chain over 200 intervals of one sum; the two sides are combined as ``1/L = 1/L+ + 1/L-``, since one is at 0 whenever
    the other alarms.

    Parameters
    ----------
    shift : float
        In standard deviations; 0 in control.
    allowance, limit : float

    References
    ----------
    D. Brook, D. A. Evans, An approach to the probability distribution of CUSUM run length, Biometrika 1972;59:539,
    doi:10.1093/biomet/59.3.539.

    Examples
    --------
    >>> round(run_length()), round(run_length(1.0), 1)
    (465, 10.4)
    """
    _checked(allowance, limit)
    return 1.0 / sum(1.0 / _one_sided(sign * shift, allowance, limit) for sign in (1.0, -1.0))


@dataclass(frozen=True, slots=True)
class SessionReference:
    """How one figure varied between and within sessions when all was well.

    Attributes
    ----------
    mean, between, within : float
        Mean over sessions, and the two standard deviations.
    """

    mean: float
    between: float
    within: float


@dataclass(frozen=True, slots=True)
class Departure:
    """How far a session's inputs are from those of the reference.

    Attributes
    ----------
    name : str
    z : float
        Of the session's mean; 0 before there are 3 measurements.
    departs : bool
    n : int
        Measurements with a value.
    """

    name: str
    z: float
    departs: bool
    n: int


def session_reference(values: npt.ArrayLike, session: Sequence[str]) -> SessionReference:
    """Return mean and both standard deviations of a figure over sessions in control, by the analysis of variance.

    Parameters
    ----------
    values : array, shape (m,)
        NaN is left out.
    session : sequence of str, length m
        Whose measurement each is: a patient's.

    Raises
    ------
    BadInput
        For fewer than 3 sessions with a value.

    Examples
    --------
    >>> session_reference([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], ["a", "a", "b", "b", "c", "c"])
    SessionReference(mean=5.0, between=3.872983346207417, within=1.4142135623730951)
    """
    all_values, whose = np.asarray(values, dtype=np.float64), np.asarray(session)
    good = np.isfinite(all_values)
    names = np.unique(whose[good])
    if len(names) < 3:
        raise BadInput(f"The reference of the session monitor has {len(names)} sessions with a value; at least 3 are needed.")
    groups = [all_values[good & (whose == name)] for name in names]
    means, sizes = np.array([group.mean() for group in groups]), np.array([len(group) for group in groups])
    inside = sum(float(((group - group.mean()) ** 2).sum()) for group in groups) / max(int(sizes.sum()) - len(groups), 1)
    between = max(float(means.var(ddof=1)) - inside * float((1.0 / sizes).mean()), 0.0)
    return SessionReference(float(means.mean()), float(np.sqrt(between)), float(np.sqrt(inside)))


def monitored(rows: Sequence[Mapping[str, float]], references: Mapping[str, SessionReference]) -> tuple[Departure, ...]:
    """Return how far the inputs of a running session are from those of the reference, a figure at a time.

    ``z = (mean - mu) / sqrt(between^2 + within^2 / n)``: a patient may differ from the mean patient, but not by more than patients do.

    Parameters
    ----------
    rows : sequence of mapping
        One a measurement so far: features, gates' values.
    references : mapping of str to SessionReference

    Returns
    -------
    tuple of Departure
        In the order of `references`.

    Examples
    --------
    >>> reference = {"shift_nm": SessionReference(0.0, 0.3, 0.4)}
    >>> found, = monitored([{"shift_nm": 2.0}] * 4, reference)
    >>> round(found.z, 2), found.departs, found.n
    (5.55, True, 4)
    """
    found = []
    for name, known in references.items():
        values = np.array([row.get(name, np.nan) for row in rows], dtype=np.float64)
        values = values[np.isfinite(values)]
        spread = np.hypot(known.between, known.within / np.sqrt(max(len(values), 1)))
        z = float((values.mean() - known.mean) / spread) if len(values) >= FEWEST_IN_SESSION and spread > 0 else 0.0
        found.append(Departure(name, z, abs(z) > SESSION_LIMIT, len(values)))
    return tuple(found)


def _one_sided(shift: float, allowance: float, limit: float) -> float:
    """Return the mean run length of one sum: its values cut into intervals, the first of half width around 0."""
    from scipy.special import ndtr

    width = 2.0 * limit / (2.0 * _BINS - 1.0)
    middle = width * np.arange(_BINS)
    upper = middle + width / 2.0
    reached = ndtr(upper[None, :] - middle[:, None] + allowance - shift)
    moves = np.diff(reached, axis=1, prepend=0.0)
    return float(np.linalg.solve(np.eye(_BINS) - moves, np.ones(_BINS))[0])


def _checked(allowance: float, limit: float) -> None:
    if not (allowance >= 0 and limit > 0):
        raise BadSetting(
            f"The allowance of the CUSUM is {allowance} and its limit {limit}; neither may be negative, the limit not 0.", item="limit"
        )
