"""What is measured at one virtual point: rounds of excitations between lamp-off and white frames, and what was made to go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from onclair.core.seeds import rng_for
from onclair.virtual.spectra_patients import Point
from onclair.virtual.spectra_settings import Fault, VirtualSpectra
from onclair.virtual.spectra_tissue import Tissue
from onclair.virtual.spectrometer import SEEN_NM, Exposure, Seen, Spectrometer, exposed, integration_for, seen, standard

Floats = npt.NDArray[np.float64]

#: Lamp-off frames of a point: one before the excited frames, one after.
_LAMP_OFF = 2
#: Readouts averaged in each frame of the white standard, and how often its frames are repeated.
_STANDARD_AVERAGES, _STANDARD_ROUNDS = 50, 3


@dataclass(frozen=True, slots=True)
class Taken:
    """One frame and how it was taken, as ``acquisitions.csv`` tells it.

    Attributes
    ----------
    column : str
        In the patient's table.
    kind : str
        ``fluorescence``, ``lamp_off`` or ``white``.
    excitation_nm, power_relative : float or None
    counts : ndarray of int
    """

    column: str
    kind: str
    excitation_nm: float | None
    power_relative: float | None
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Visit:
    """All frames of one point and the truth about them.

    Attributes
    ----------
    frames : tuple of Taken
    integration_ms : float
    averages : int
    truth : mapping
        What was drawn for the measurement, for ``truth.csv``.
    """

    frames: tuple[Taken, ...]
    integration_ms: float
    averages: int
    truth: Mapping[str, float | int | str]


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a fault changes: the tissue, the spectrometer, and what each kind of frame gets."""

    tissue: Tissue
    by: Spectrometer
    pressure: float
    lamp: float = 1.0
    excited_room: float = 1.0
    room: float = 1.0
    brightest: float | None = None
    swapped: bool = False


def measured(settings: VirtualSpectra, point: Point, by: Spectrometer, key: tuple[int, int]) -> Visit:
    """Return what a spectrometer makes of a point.

    Parameters
    ----------
    settings : VirtualSpectra
    point : Point
    by : Spectrometer
    key : (int, int)
        Of the patient and of the point, for the noise.

    Examples
    --------
    >>> from onclair.virtual.spectra_patients import person_of
    >>> from onclair.virtual.spectrometer import spectrometer_of
    >>> settings = VirtualSpectra(pixels=256)
    >>> visit = measured(settings, person_of(settings, 0).points[0], spectrometer_of(0, 1, 256), (0, 0))
    >>> [frame.kind for frame in visit.frames][:3], visit.frames[-1].kind
    (['lamp_off', 'fluorescence', 'fluorescence'], 'white')
    """
    struck = _struck(settings, key)
    scene = _scene(struck, point, by, rng_for(settings.seed, "spectra", "fault", *key))
    light = seen(scene.tissue, scene.by, settings.counts)
    time = integration_for(light, scene.by, scene.pressure)
    if scene.brightest is not None:
        time = _too_long(light, scene, time)
    rng = rng_for(settings.seed, "spectra", "noise", *key)
    frames, spikes = _frames(point, scene, light, time, rng)
    full = sum(int((_within(frame, by) >= (by.detector.saturation_counts or np.inf)).sum()) for frame in frames)
    truth = {
        "centre_shift_nm": scene.by.shift_nm,
        "pressure": round(scene.pressure, 6),
        "bleaching": round(point.bleaching * by.bleaching, 6),
        "repeats": point.repeats,
        "integration_ms": time,
        "spikes": spikes,
        "saturated_pixels": full,
        "film_um": round(scene.tissue.film_cm * 1e4, 3),
        "true_blood_fraction": round(scene.tissue.blood_fraction, 6),
        "unknown": round(scene.tissue.unknown, 6),
        "fault": struck,
    }
    return Visit(frames, time, by.averages, truth)


def on_standard(settings: VirtualSpectra, name: str, by: Spectrometer, index: int) -> Visit:
    """Return the frames of the white standard at the start of a patient's session: lamp off, each excitation and white light.

    The standard sends all light back and does not glow; its white light has no colour, as its certificate says.

    Parameters
    ----------
    settings : VirtualSpectra
    name : str
        What the columns begin with.
    by : Spectrometer
    index : int
        Of the patient, for the noise.

    Examples
    --------
    >>> from onclair.virtual.spectrometer import spectrometer_of
    >>> visit = on_standard(VirtualSpectra(pixels=256), "VP001", spectrometer_of(0, 1, 256), 0)
    >>> [frame.kind for frame in visit.frames][:4], visit.frames[-1].kind
    (['standard_lamp_off', 'standard_fluorescence', 'standard_fluorescence', 'standard_white'], 'standard_certificate')
    """
    light = standard(by, settings.counts)
    how = Exposure(by.ladder_ms[-1], _STANDARD_AVERAGES)
    rng = rng_for(settings.seed, "spectra", "standard", index)
    plan: list[tuple[str, str, float | None, Floats]] = []
    for turn in range(1, _STANDARD_ROUNDS + 1):
        plan.append((f"{name}_standard_off{turn}", "lamp_off", None, np.zeros_like(light.white)))
        plan += [(f"{name}_standard_{at:g}_{turn}", "fluorescence", at, light.excited(at)) for at in by.power]
        plan.append((f"{name}_standard_white{turn}", "white", None, light.white))
    taken = []
    for column, kind, at, what in plan:
        counts, _ = exposed(what, light.ambient, by, how, rng)
        taken.append(Taken(column, f"standard_{kind}", at, None if at is None else by.power[at], counts.astype(np.int64)))
    flat = Taken(f"{name}_standard_certificate", "standard_certificate", None, None, np.ones(by.pixels, dtype=np.int64))
    return Visit((*taken, flat), how.integration_ms, how.averages, {})


def _struck(settings: VirtualSpectra, key: tuple[int, int]) -> Fault:
    if settings.fault == "none":
        return "none"
    return settings.fault if rng_for(settings.seed, "spectra", "struck", *key).random() < settings.fault_share else "none"


def _scene(fault: Fault, point: Point, by: Spectrometer, rng: np.random.Generator) -> _Scene:
    scene = _Scene(point.tissue, by, point.pressure)
    if fault == "saturated":
        return replace(scene, brightest=float(rng.uniform(1.5, 3.0)))
    if fault == "lamp_off":
        return replace(scene, lamp=0.0)
    if fault == "no_contact":
        return replace(scene, pressure=point.pressure * float(rng.uniform(0.01, 0.05)), excited_room=3.0, room=3.0)
    if fault == "blood_flood":
        flooded = replace(point.tissue, blood_fraction=float(rng.uniform(0.3, 0.6)), film_cm=float(rng.uniform(1e-3, 2.5e-3)))
        return replace(scene, tissue=flooded)
    if fault == "shift3nm":
        return replace(scene, by=replace(by, shift_nm=round(by.shift_nm + (3.0 if by.shift_nm >= 0 else -3.0), 4)))
    if fault == "ambient":
        return replace(scene, excited_room=float(rng.uniform(40.0, 100.0)))
    if fault == "unknown_fluorophore":
        return replace(scene, tissue=replace(point.tissue, unknown=float(rng.uniform(0.6, 1.5))))
    return replace(scene, swapped=fault == "swapped_excitation")


def _too_long(light: Seen, scene: _Scene, time: float) -> float:
    """Return an integration time at which the dimmer excitation's peak lies beyond the range."""
    window = slice(*np.searchsorted(scene.by.wavelength_nm, SEEN_NM))
    least = min(float(light.excited(at, 0.5)[window].max()) for at in scene.by.power) * scene.pressure
    most = float(scene.by.detector.saturation_counts or 65535.0)
    return max(time, round((scene.brightest or 1.0) * most / least, 1))


def _frames(point: Point, scene: _Scene, light: Seen, time: float, rng: np.random.Generator) -> tuple[tuple[Taken, ...], int]:
    """Return lamp off, the rounds, lamp off, white; and the cosmic rays in them."""
    by, spikes = scene.by, 0
    dark = np.zeros_like(light.ambient)
    lit = Exposure(time, by.averages, scene.pressure, scene.excited_room)
    unlit = Exposure(time, by.averages, scene.pressure, scene.room)
    plan: list[tuple[str, str, float | None, Floats, Exposure]] = [(f"{point.name}_off1", "lamp_off", None, dark, unlit)]
    for turn in range(point.repeats):
        left = (1.0 - point.bleaching * by.bleaching) ** turn
        plan += [(f"{point.name}_{at:g}_{turn + 1}", "fluorescence", at, scene.lamp * light.excited(at, left), lit) for at in by.power]
    plan += [(f"{point.name}_off{_LAMP_OFF}", "lamp_off", None, dark, unlit), (f"{point.name}_white", "white", None, light.white, unlit)]
    taken = []
    for column, kind, at, what, how in plan:
        counts, found = exposed(what, light.ambient, by, how, rng)
        spikes += found
        said = _said(at, by) if scene.swapped and at is not None else at
        power = None if said is None else by.power[said]
        taken.append(Taken(column, kind, said, power, counts.astype(np.int64)))
    return tuple(taken), spikes


def _said(excitation_nm: float, by: Spectrometer) -> float:
    """Return the other excitation: the lamps' plugs were exchanged."""
    return next(at for at in by.power if at != excitation_nm)


def _within(frame: Taken, by: Spectrometer) -> npt.NDArray[np.int64]:
    return frame.counts[slice(*np.searchsorted(by.wavelength_nm, SEEN_NM))]
