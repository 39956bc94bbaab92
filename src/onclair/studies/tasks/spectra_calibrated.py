"""A calibration put to use: how frames are then prepared, what it refuses, and what is to be warned of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from onclair.core.errors import BadInput, CheckFailed
from onclair.core.values import Measurement
from onclair.io.spectra.calibration import OLD_DAYS, Axis, Calibration, axis_of, calibration_from, why_unfit
from onclair.run.live_parts import Outcome, Step
from onclair.run.session_folder import Session
from onclair.science.spectra.preparing import Preparing, Usual
from onclair.science.spectra.response import Response

#: The name of a calibration's copy in a session's folder.
CALIBRATION = "calibration.json"


def preparing_of(known: Calibration | None, base: Preparing | None = None) -> Preparing:
    """Return how the frames of a calibrated spectrometer are prepared.

    Examples
    --------
    >>> preparing_of(Calibration(Axis(2, 1.0, 2.0, 2.0), "2026-01-01T00:00:00+00:00", usual={"white": 3.0})).usual.white
    3.0
    """
    base = base or Preparing()
    if known is None:
        return base
    return replace(
        base,
        nonlinearity=known.nonlinearity,
        wavelength_correction=known.correction,
        response=None if known.response is None else Response(*known.response),
        white_standard=known.white_standard,
        usual=Usual(known.usual.get("white"), known.usual.get("fluorescence")),
    )


def refuse_unfit(known: Calibration, axis: Axis | None, serial: str | None = None, excitations_nm: Sequence[float] | None = None) -> None:
    """Refuse a calibration that belongs to another spectrometer or other settings.

    Raises
    ------
    BadInput
    """
    if why := why_unfit(known, axis, serial, excitations_nm):
        raise BadInput(why, item="calibration")


def calibrated_step(step: Step, known: Calibration | None) -> Step:
    """Return a step that judges nothing measured with other pixels or excitations than the calibration's."""
    if known is None:
        return step
    return _Fitting(step, known)


class _Fitting:
    """Looks at each measurement's pixels and excitations before it is judged."""

    def __init__(self, step: Callable[[Measurement], Outcome], known: Calibration) -> None:
        self._step, self._known = step, known

    def __call__(self, measurement: Measurement) -> Outcome:
        excitations = [at for at in measurement.excitations_nm if at is not None]
        why = why_unfit(self._known, axis_of(measurement.frames[0].wavelength_nm), None, excitations)
        return self._step(measurement) if why is None else Outcome(None, why, "unusable")


def ageing(known: Calibration | None, serial: str | None) -> list[Mapping[str, str]]:
    """Return what is to be warned of: an old calibration, one that nobody can hold against the spectrometer, none at all."""
    if known is None:
        text = "There is no calibration: the wavelengths are taken as they come, and a probe that does not touch may go unnoticed."
        return [{"code": "not_calibrated", "text": text}]
    told: list[Mapping[str, str]] = []
    days = known.age_days()
    if days > OLD_DAYS:
        text = f"The calibration is {days:.0f} days old, made on {known.made[:10]}; measure the daily standard, or calibrate again."
        told.append({"code": "calibration_old", "text": text})
    if None in (known.serial, serial):
        whose = "calibration" if known.serial is None else "instrument"
        text = f"The serial number of the {whose} is not known, so that nobody can tell whether they belong together."
        told.append({"code": "serial_unknown", "text": text})
    if not known.usual:
        text = "The calibration does not know the usual light in contact: a probe that does not touch may go unnoticed."
        told.append({"code": "contact_unknown", "text": text})
    return told


def locked_calibration(session: Session) -> Calibration | None:
    """Return the calibration that a session locked; None where it had none.

    Raises
    ------
    CheckFailed
        When its copy in the folder is missing or is not the one that was locked.
    """
    told = session.about.get("calibration")
    if not isinstance(told, Mapping) or "file" not in told:
        return None
    path = session.folder / Path(str(told["file"])).name
    again = "restore the session from a copy"
    try:
        found = calibration_from(path.read_bytes(), str(path))
    except (OSError, BadInput) as error:
        raise CheckFailed(f"The calibration {path.name} of the session is missing or damaged; {again}.", item=path.name) from error
    if found.sha256 != told.get("sha256"):
        raise CheckFailed(f"The calibration {path.name} is not the one that the session locked; {again}.", item=path.name)
    return found


__all__ = ["CALIBRATION", "ageing", "calibrated_step", "locked_calibration", "preparing_of", "refuse_unfit"]
