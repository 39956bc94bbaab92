"""Points of virtual patients for the benchmark of spectra, made in memory: the frames of each as an instrument hands them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from onclair.core.values import Measurement, Spectrum
from onclair.science.spectra.chain import usual_of
from onclair.science.spectra.point import Steps
from onclair.science.spectra.preparing import Preparing
from onclair.virtual.spectra_patients import Person, Point, person_of
from onclair.virtual.spectra_points import Taken, Visit, measured
from onclair.virtual.spectra_settings import VirtualSpectra
from onclair.virtual.spectrometer import Spectrometer, spectrometer_of

#: Added to the seed for the points that an instrument is calibrated on, so that none of them is judged.
CALIBRATED_ON = 1_000_003


@dataclass(frozen=True, slots=True, eq=False)
class VirtualPoint:
    """One point of one patient.

    Attributes
    ----------
    person : Person
    point : Point
    measurement : Measurement
    """

    person: Person
    point: Point
    measurement: Measurement


def one_a_patient(settings: VirtualSpectra, patients: Iterable[int]) -> Iterator[VirtualPoint]:
    """Yield one point of each patient, so that no two have a patient in common; which one goes by turns.

    Parameters
    ----------
    settings : VirtualSpectra
        With its fault, where there is one.
    patients : iterable of int
        From 0; patients fall to the centres in turn.

    Examples
    --------
    >>> found = list(one_a_patient(VirtualSpectra(pixels=256), range(2)))
    >>> [each.person.name for each in found], len(found[0].measurement.lamp_off), found[0].measurement.frames[0].excitation_nm
    (['VP001', 'VP002'], 2, 385.0)
    """
    for index in patients:
        person = person_of(settings, index)
        by = spectrometer_of(person.centre, settings.seed, settings.pixels)
        place = index // settings.centres % len(person.points)
        point = person.points[place]
        yield VirtualPoint(person, point, measurement_of(measured(settings, point, by, (index, place)), by))


def measurement_of(visit: Visit, by: Spectrometer) -> Measurement:
    """Return the frames of a virtual visit as a measurement, as reading the cohort's files would."""

    def frames(kind: str) -> tuple[Spectrum, ...]:
        return tuple(_spectrum(frame, visit, by) for frame in visit.frames if frame.kind == kind)

    return Measurement(frames("fluorescence"), frames("lamp_off"), frames("white"))


def one_round(measurement: Measurement) -> Measurement:
    """Return what a live instrument hands out for one answer: lamp off, each excitation once, white.

    Examples
    --------
    >>> point = next(one_a_patient(VirtualSpectra(pixels=256), [0]))
    >>> found = one_round(point.measurement)
    >>> len(found.lamp_off), [frame.excitation_nm for frame in found.frames], len(found.white)
    (1, [385.0, 405.0], 1)
    """
    first = {frame.excitation_nm: frame for frame in reversed(measurement.frames)}
    frames = tuple(first[at] for at in sorted(first, key=lambda at: at or 0.0))
    return Measurement(frames, measurement.lamp_off[:1], measurement.white[:1])


def calibrated(settings: VirtualSpectra, centre: int, points: int) -> Steps:
    """Return the steps of one centre's instrument after a daily start: what usually comes back is known from clean points in contact.

    Parameters
    ----------
    settings : VirtualSpectra
        Whose seed is not used for these points, but one far from it; the spectrometers of the first three centres are the same.
    centre : int
        From 0.
    points : int
        Clean points, each of another patient.
    """
    clean = settings.model_copy(update={"seed": settings.seed + CALIBRATED_ON, "fault": "none"})
    patients = range(centre, centre + clean.centres * points, clean.centres)
    return Steps(preparing=Preparing(usual=usual_of([each.measurement for each in one_a_patient(clean, patients)])))


def _spectrum(frame: Taken, visit: Visit, by: Spectrometer) -> Spectrum:
    return Spectrum(
        frame.counts.astype(np.float64),
        by.wavelength_nm,
        frame.excitation_nm,
        visit.integration_ms,
        averages=visit.averages,
        power_relative=1.0 if frame.power_relative is None else frame.power_relative,
        detector=by.detector,
        frame=frame.column,
    )
