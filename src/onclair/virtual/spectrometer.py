"""Spectrometers of virtual centres: how each colours, blurs, shifts and counts the light that tissue sends back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special

from onclair.core.seeds import rng_for
from onclair.core.values import Detector
from onclair.virtual.spectra_tissue import GRID_NM, Emission, Tissue, emission, reflectance

Floats = npt.NDArray[np.float64]

#: What the lamps of every centre excite with.
EXCITATIONS_NM = (385.0, 405.0)
#: Median healthy tissue, to which the gain of every centre is set.
MEDIAN_TISSUE = Tissue({"PpIX634": 0.03, "PpIX620": 0.03, "NADH": 1.0, "FAD": 0.6, "Lipofuscin": 0.25})
#: How long the counts that a cohort is told are gathered.
REFERENCE_MS = 40.0
#: Where light is judged bright, nm.
SEEN_NM = (420.0, 730.0)
_STEP_NM = float(GRID_NM[1] - GRID_NM[0])
_FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))
#: Excitation that leaks past the filter: the sigma of the lamp's line, nm, and a tail of this height that falls off over so many nm.
_LAMP_NM, _TAIL, _TAIL_NM = 4.0, 0.15, 18.0
#: A cosmic ray leaves this many counts, median and standard deviation of the logarithm.
_SPIKE = (900.0, 0.8)
#: Lines of tubes in the theatre: nm, sigma, height.
_TUBES = ((436.0, 1.0, 0.5), (487.5, 2.5, 0.25), (546.0, 1.2, 1.0), (611.5, 1.6, 1.1))


@dataclass(frozen=True, slots=True)
class Spectrometer:
    """One centre's spectrometer with its lamps and its room.

    Attributes
    ----------
    name : str
        Of the centre.
    pixels : int
    ends_nm, bend_nm : (float, float), float
        First and last wavelength, and how far the middle lies off a straight line.
    shift_nm : float
        By how much peaks are measured at longer wavelengths than they have.
    tilt : float
        Gain at 730 nm less gain at 420 nm, halved, relative to the middle.
    fwhm_nm, edge_nm : float
        Resolution, and where the long-pass filter lets half through.
    gain : float
        Of the optics, relative to the usual.
    detector : Detector
    bias, dark_per_ms : float
        Counts without light, and what each ms adds.
    leakage : float
        Height of the excitation's line behind the filter, relative to the peak of median healthy tissue.
    ambient : float
        Light of the room, relative to the same.
    tubes : float
        Share of it from tubes, in lines; the rest comes from a white lamp.
    flicker_hz, flicker : float
        Twice the mains frequency, and the depth of the modulation.
    ladder_ms : tuple of float
        Integration times to choose from, rising.
    averages : int
    power : mapping of float to float
        Of each excitation, relative to the usual.
    bleaching : float
        Most that a round of excitations takes from PpIX.
    spikes : float
        Cosmic rays a frame.

    Examples
    --------
    >>> spectrometer_of(0, 1, 512).shift_nm, spectrometer_of(1, 1, 512).shift_nm, spectrometer_of(2, 1, 512).shift_nm
    (0.0, 0.6, -0.8)
    """

    name: str
    pixels: int
    ends_nm: tuple[float, float] = (360.0, 820.0)
    bend_nm: float = 4.0
    shift_nm: float = 0.0
    tilt: float = 0.0
    fwhm_nm: float = 3.0
    edge_nm: float = 415.0
    gain: float = 1.0
    detector: Detector = field(default_factory=lambda: Detector(65535.0, 4.0, 1.0))
    bias: float = 300.0
    dark_per_ms: float = 0.3
    leakage: float = 0.01
    ambient: float = 0.02
    tubes: float = 0.5
    flicker_hz: float = 100.0
    flicker: float = 0.3
    ladder_ms: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0)
    averages: int = 1
    power: Mapping[float, float] = field(default_factory=lambda: MappingProxyType(dict.fromkeys(EXCITATIONS_NM, 1.0)), hash=False)
    bleaching: float = 0.1
    spikes: float = 0.3

    @property
    def wavelength_nm(self) -> Floats:
        """What the spectrometer says of its pixels, nm, shape (pixels,), to 1e-4 nm."""
        place = np.linspace(0.0, 1.0, self.pixels)
        low, high = self.ends_nm
        return np.round(low + (high - low) * place + 4.0 * self.bend_nm * place * (1.0 - place), 4)


def spectrometer_of(centre: int, seed: int, pixels: int) -> Spectrometer:
    """Return the spectrometer of a centre, numbered from 0; the first three are the same for every seed.

    Examples
    --------
    >>> one = spectrometer_of(5, 1, 512)
    >>> one.name, -1.0 <= one.shift_nm <= 1.0, 2.0 <= one.fwhm_nm <= 8.0
    ('C6', True, True)
    """
    if centre < len(_FIRST):
        return replace(_FIRST[centre], pixels=pixels)
    rng = rng_for(seed, "spectra", "centre", centre)
    first = _FIRST[centre % len(_FIRST)]
    return replace(
        first,
        name=f"C{centre + 1}",
        pixels=pixels,
        shift_nm=round(float(rng.uniform(-1.0, 1.0)), 2),
        tilt=round(float(rng.uniform(-0.12, 0.12)), 3),
        fwhm_nm=round(float(rng.uniform(2.0, 8.0)), 1),
        edge_nm=round(float(rng.uniform(410.0, 424.0)), 1),
        gain=round(float(np.exp(rng.normal(0.0, 0.3))), 2),
        leakage=round(float(rng.uniform(0.0, 0.05)), 3),
        ambient=round(float(rng.uniform(0.01, 0.05)), 3),
        bleaching=round(float(rng.uniform(0.04, 0.2)), 2),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Light on the pixels of one spectrometer in counts per ms, before the detector draws its noise.

    Attributes
    ----------
    porphyrin, rest : mapping of float to ndarray, shape (n,)
        Fluorescence by excitation, at the power of this centre.
    stray : mapping of float to ndarray
        Leaking excitation.
    white, ambient : ndarray
        White light back from the tissue, and light of the room.
    """

    porphyrin: Mapping[float, Floats]
    rest: Mapping[float, Floats]
    stray: Mapping[float, Floats]
    white: Floats
    ambient: Floats

    def excited(self, excitation_nm: float, left: float = 1.0) -> Floats:
        """Return what one excitation gives where a share `left` of the PpIX has not bleached."""
        return np.asarray(left * self.porphyrin[excitation_nm] + self.rest[excitation_nm] + self.stray[excitation_nm])


def seen(tissue: Tissue, by: Spectrometer, counts: float) -> Seen:
    """Return what a spectrometer sees of tissue at the usual pressure.

    Parameters
    ----------
    tissue : Tissue
    by : Spectrometer
    counts : float
        At the peak of median healthy tissue, at the usual gain and power, in 40 ms.

    Examples
    --------
    >>> by = spectrometer_of(0, 1, 512)
    >>> light = seen(MEDIAN_TISSUE, by, 3000.0)
    >>> bool(2500.0 < light.excited(405.0).max() * 40.0 < 3500.0)
    True
    """
    level = by.gain * counts / REFERENCE_MS
    scale = level / _usual_peak()
    made: dict[float, Emission] = {excitation: emission(tissue, excitation) for excitation in by.power}
    back = reflectance(tissue)
    return Seen(
        {at: on_pixels(made[at].porphyrin, by) * scale * power for at, power in by.power.items()},
        {at: on_pixels(made[at].rest, by) * scale * power for at, power in by.power.items()},
        {at: _stray(by, at, back) * level * power for at, power in by.power.items()},
        on_pixels(back, by) * _white_level(by),
        _room(by) * level,
    )


def standard(by: Spectrometer, counts: float) -> Seen:
    """Return what a spectrometer sees of a white standard, which sends all light back and does not glow; `counts` as of :func:`seen`."""
    level = by.gain * counts / REFERENCE_MS
    all_back, nothing = np.ones_like(GRID_NM), dict.fromkeys(by.power, np.zeros(by.pixels))
    stray = {at: _stray(by, at, all_back) * level * power for at, power in by.power.items()}
    return Seen(nothing, nothing, stray, on_pixels(all_back, by) * _white_level(by), _room(by) * level)


def on_pixels(light: Floats, by: Spectrometer) -> Floats:
    """Return light given on :data:`GRID_NM` as the pixels see it: coloured, blurred, shifted.

    Examples
    --------
    >>> by = spectrometer_of(1, 1, 2048)
    >>> line = np.exp(-0.5 * ((GRID_NM - 600.0) / 2.0) ** 2)
    >>> round(float(by.wavelength_nm[on_pixels(line, by).argmax()]))  # by 0.6 nm too far
    601
    """
    return _blurred(light * colour(by), by)


@lru_cache(maxsize=256)
def colour(by: Spectrometer) -> Floats:
    """Return the response of a spectrometer on :data:`GRID_NM`: a tilt, and the edge of the long-pass filter.

    Examples
    --------
    >>> by = spectrometer_of(1, 1, 512)
    >>> round(float(np.interp(420.0, GRID_NM, colour(by)) / np.interp(730.0, GRID_NM, colour(by))), 2)  # (1 + .12) / (1 - .12)
    1.27
    """
    low, high = SEEN_NM
    tilted = 1.0 + by.tilt * (2.0 * GRID_NM - low - high) / (high - low)
    return np.asarray(np.clip(tilted, 0.2, None) * special.ndtr((GRID_NM - by.edge_nm) / 2.0))


@dataclass(frozen=True, slots=True)
class Exposure:
    """How one frame is exposed.

    Attributes
    ----------
    integration_ms : float
    averages : int
    factor : float
        On all light from the tissue: pressure, contact.
    room : float
        On the light of the room.
    """

    integration_ms: float
    averages: int = 1
    factor: float = 1.0
    room: float = 1.0


def exposed(light: Floats, room: Floats, by: Spectrometer, how: Exposure, rng: np.random.Generator) -> tuple[Floats, int]:
    """Return one frame in counts, whole numbers, and the cosmic rays in it.

    ``gain Poisson{t (factor light + flickering room + dark) / gain} + N(0, read noise) + bias``, averaged and clipped.

    Parameters
    ----------
    light, room : ndarray, shape (n,)
        Counts per ms from the tissue and from the room.
    by : Spectrometer
    how : Exposure
    rng : Generator

    Examples
    --------
    >>> by = spectrometer_of(0, 1, 512)
    >>> nothing = np.zeros(512)
    >>> frame, _ = exposed(nothing, nothing, by, Exposure(20.0), np.random.default_rng(1))
    >>> bool(abs(frame.mean() - by.bias - 20.0 * by.dark_per_ms) < 25.0)
    True
    """
    found = by.detector
    per_electron = float(found.gain_counts_per_electron or 1.0) / how.averages
    flickering = how.room * _flickered(by, how.integration_ms, rng)
    mean = how.integration_ms * (how.factor * light + flickering * room + by.dark_per_ms)
    counts = per_electron * rng.poisson(np.minimum(mean, 1e7) / per_electron)
    counts = counts + by.bias + rng.normal(0.0, float(found.read_noise_counts or 0.0) / math.sqrt(how.averages), counts.size)
    spikes = int(rng.poisson(by.spikes))
    for _ in range(spikes):
        at = int(rng.integers(counts.size - 1))
        height = _SPIKE[0] * math.exp(_SPIKE[1] * rng.normal())
        counts[at] += height
        counts[at + 1] += height * rng.uniform(0.0, 0.5)
    return np.clip(np.rint(counts), 0.0, found.saturation_counts), spikes


def _flickered(by: Spectrometer, integration_ms: float, rng: np.random.Generator) -> float:
    """Return the mean of a modulated lamp over an exposure that begins anywhere in its period."""
    turn = math.pi * by.flicker_hz * integration_ms / 1000.0
    return 1.0 + by.flicker * math.sin(turn) / turn * math.cos(rng.uniform(0.0, 2.0 * math.pi))


def integration_for(light: Seen, by: Spectrometer, factor: float) -> float:
    """Return the integration time that an operator would choose: the longest that keeps the brightest frame below 70 % of the range.

    Examples
    --------
    >>> by = spectrometer_of(0, 1, 512)
    >>> dim = integration_for(seen(MEDIAN_TISSUE, by, 3000.0), by, 1.0)
    >>> bright = integration_for(seen(MEDIAN_TISSUE, by, 3000.0), by, 100.0)
    >>> dim > bright
    True
    """
    window = slice(*np.searchsorted(by.wavelength_nm, SEEN_NM))
    most = max(float((factor * light.excited(at) + light.ambient)[window].max()) for at in by.power)
    room = 0.7 * float(by.detector.saturation_counts or 65535.0) - by.bias
    fitting = [time for time in by.ladder_ms if time * (most + by.dark_per_ms) <= room]
    return fitting[-1] if fitting else by.ladder_ms[0]


def _blurred(light: Floats, by: Spectrometer) -> Floats:
    """Return light behind all filters as the pixels see it."""
    blurred = ndimage.gaussian_filter1d(light, by.fwhm_nm / _FWHM / _STEP_NM, mode="nearest")
    return np.interp(by.wavelength_nm - by.shift_nm, GRID_NM, blurred)


@lru_cache(maxsize=1)
def _usual_peak() -> float:
    """Return the brightest that median healthy tissue is at 405 nm, on the scale of the bases."""
    made = emission(MEDIAN_TISSUE, 405.0)
    return float((made.porphyrin + made.rest).max())


def _white_level(by: Spectrometer) -> float:
    """Return counts per ms where all white light came back: so little that no tissue fills the range, however hard it is pressed on."""
    return 0.4 * float(by.detector.saturation_counts or 65535.0) / by.ladder_ms[-1]


@lru_cache(maxsize=256)
def _room(by: Spectrometer) -> Floats:
    """Return the light of the room on the pixels, relative to `level`."""
    lamp = np.exp(-0.5 * ((GRID_NM - 452.0) / 10.0) ** 2) + 0.8 * np.exp(-0.5 * ((GRID_NM - 565.0) / 48.0) ** 2)
    lines = sum(height * np.exp(-0.5 * ((GRID_NM - at) / sigma) ** 2) for at, sigma, height in _TUBES)
    return on_pixels(by.ambient * ((1.0 - by.tubes) * lamp + 4.0 * by.tubes * lines), by)


def _stray(by: Spectrometer, excitation_nm: float, back: Floats) -> Floats:
    """Return excitation that leaks past the filter, brighter where the tissue sends more of it back."""
    usual = float(np.interp(excitation_nm, GRID_NM, reflectance(MEDIAN_TISSUE)))
    away = GRID_NM - excitation_nm
    shape = np.exp(-0.5 * (away / _LAMP_NM) ** 2) + _TAIL * np.exp(-np.abs(away) / _TAIL_NM)
    level = by.leakage * float(np.interp(excitation_nm, GRID_NM, back)) / usual
    return _blurred(level * shape, by)


_FIRST = (
    Spectrometer("C1", 1024, tilt=0.03, fwhm_nm=3.0, leakage=0.01, power=MappingProxyType({385.0: 1.0, 405.0: 1.0})),
    Spectrometer(
        "C2",
        1024,
        ends_nm=(355.0, 800.0),
        bend_nm=-3.0,
        shift_nm=0.6,
        tilt=-0.12,
        fwhm_nm=2.0,
        edge_nm=411.0,
        gain=0.9,
        detector=Detector(16383.0, 4.0, 0.5),
        bias=120.0,
        leakage=0.05,
        ambient=0.04,
        tubes=0.8,
        flicker_hz=120.0,
        ladder_ms=(4.0, 8.0, 20.0, 50.0),
        averages=2,
        power=MappingProxyType({385.0: 0.8, 405.0: 1.1}),
        bleaching=0.2,
    ),
    Spectrometer(
        "C3",
        1024,
        ends_nm=(370.0, 835.0),
        bend_nm=6.0,
        shift_nm=-0.8,
        tilt=0.12,
        fwhm_nm=8.0,
        edge_nm=422.0,
        gain=1.15,
        detector=Detector(65535.0, 4.0, 1.6),
        bias=900.0,
        leakage=0.02,
        ambient=0.03,
        tubes=0.2,
        flicker_hz=100.0,
        flicker=0.6,
        ladder_ms=(3.0, 7.5, 15.0, 30.0),
        power=MappingProxyType({385.0: 1.2, 405.0: 0.9}),
        bleaching=0.06,
    ),
)
