"""What was measured for a calibration or a daily standard: a session's folder, a table with its ABOUT, or an instrument's file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadInput
from onclair.core.values import Measurement, Spectrum
from onclair.io.files import sha256_file
from onclair.io.spectra.about import read_measurements
from onclair.io.spectra.reading import read_instrument
from onclair.io.spectra.recording import Recording
from onclair.run.session_folder import read_session
from onclair.run.session_frames import FOLDER, INDEX, measurement_of, read_frames
from onclair.science.spectra.calibrate import background, net
from onclair.science.spectra.record import saturated

Floats = npt.NDArray[np.float64]
#: Of a session as many measurements are used as this, the last ones.
MOST = 400
#: What a lamp of lines is called in sentences.
LAMP = "a lamp"


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What was measured, and where it lies.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the file; of a session that of its index of frames, which holds the hash of each.
    measurements : tuple of Measurement
        Empty of an instrument's file that holds no excited frame.
    files : tuple of Recording
        Of an instrument's file.
    serial, settings_id : str or None
    virtual : bool
    """

    path: Path
    sha256: str
    measurements: tuple[Measurement, ...] = ()
    files: tuple[Recording, ...] = ()
    serial: str | None = None
    settings_id: str | None = None
    virtual: bool = False

    @property
    def wavelength_nm(self) -> Floats:
        """As the instrument tells it."""
        return self.files[0].wavelength_nm if self.files else self.measurements[0].frames[0].wavelength_nm


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """Net counts of one source at power 1: mean of all frames, their variance, and the time of one (None where nobody says)."""

    counts: Floats
    variance: Floats
    integration_ms: float | None


def taken(path: Path, about: Path | None = None) -> Taken:
    """Return what was measured.

    Parameters
    ----------
    path : Path
        The folder of a session, a table of spectra that `about` describes, or an instrument's file.
    about : Path, optional

    Raises
    ------
    BadInput
        For what cannot be read, or a session without a measurement.
    CheckFailed
        When a frame of the session was changed after it was stored.
    """
    if path.is_dir():
        return _session(path)
    if about is not None:
        measurements = read_measurements(path, about)
        named = {each.settings_id for each in measurements if each.settings_id}
        return Taken(path, sha256_file(path), measurements, settings_id=named.pop() if len(named) == 1 else None)
    file = read_instrument(path)
    serials = {each.serial for each in file.recordings if each.serial}
    return Taken(path, file.sha256, files=file.recordings, serial=serials.pop() if len(serials) == 1 else None)


def _session(path: Path) -> Taken:
    session = read_session(path)
    told = [event["frames"] for event in session.events() if event["kind"] == "measurement"][-MOST:]
    if not told:
        raise BadInput(f"The session {path} holds no measurement; let it run until it has some.", item=str(path))
    names = [str(name) for group in told for name in group]
    frames = {each.frame: each for each in read_frames(path, names)}
    made = tuple(measurement_of([frames[str(name)] for name in group]) for group in told)
    settings = {each.settings_id for each in made}
    serial = (session.about.get("instrument") or {}).get("serial")
    virtual = session.about.get("data") == "virtual"
    return Taken(path, sha256_file(path / FOLDER / INDEX), made, (), serial, made[-1].settings_id if len(settings) == 1 else None, virtual)


def lit(found: Taken, role: str, first: Sequence[str] = ("sample", "processed")) -> Net:
    """Return the net counts of a source of light: of a file its sample less its dark, of a session its excited frames less lamp off.

    Parameters
    ----------
    found : Taken
    role : str
        What it is for, in sentences.
    first : sequence of str
        The roles of a file to take, the first that is there.

    Raises
    ------
    BadCase
        For a file without counts, or with pixels that hold no number.
    """
    if not found.files:
        return _mean([(each, m.lamp_off) for m in found.measurements for each in m.frames])
    by_role: dict[str, Recording] = {each.role: each for each in found.files}
    held = next((by_role[name] for name in first if name in by_role), None)
    if held is None:
        told = ", ".join(by_role)
        raise BadCase(f"{found.path.name} holds {told} and no sample, which {role} needs; export its counts.", item=found.path.name)
    if not np.isfinite(held.values).all():
        raise BadCase(f"{found.path.name} holds pixels without a number, which {role} cannot use; export it again.", item=found.path.name)
    if held.saturated and role != LAMP:  # a line of a lamp may be full: the residual tells
        raise BadCase(f"{found.path.name} is saturated, which {role} may not be; expose it for a shorter time.", item=found.path.name)
    behind = None if held.role == "processed" or "dark" not in by_role else by_role["dark"].values
    time = held.integration_ms
    one = Spectrum(held.values, held.wavelength_nm, None, time or 1.0, behind, held.averages or 1)
    return replace(_mean([(one, ())]), integration_ms=time)


def white(found: Taken) -> Net:
    """Return the net counts of a white standard: of a session its white frames less lamp off, else as :func:`lit`, a reference first."""
    spectra = [(each, m.lamp_off) for m in found.measurements for each in m.white]
    if any(saturated(each).any() for each, _ in spectra):
        raise BadCase(f"White frames of {found.path.name} are saturated; expose them for a shorter time.", item=found.path.name)
    return _mean(spectra) if spectra else lit(found, "the white standard", ("reference", "sample", "processed"))


def dark(found: Taken) -> tuple[list[float], float | None]:
    """Return the level of each frame without light, mean over its pixels, and the time of one; nothing where there is none."""
    frames = [each for m in found.measurements for each in m.lamp_off]
    if frames:
        return [float(each.counts.mean()) for each in frames], frames[0].integration_ms
    own = [float(each.dark.mean()) for m in found.measurements for each in m.frames if each.dark is not None]
    if own:
        return own, found.measurements[0].frames[0].integration_ms
    files = [each for each in found.files if each.role == "dark"]
    return [float(np.nanmean(each.values)) for each in files], files[0].integration_ms if files else None


def _mean(spectra: Sequence[tuple[Spectrum, Sequence[Spectrum]]]) -> Net:
    behind = [(each, background(each, off)) for each, off in spectra]
    pairs = [(*net(each, under), under.variance, each.power_relative) for each, under in behind]
    counts = np.mean([counts / power for counts, _, _, power in pairs], axis=0)
    spread = np.sum([(own + under) / power**2 for _, own, under, power in pairs], axis=0) / len(pairs) ** 2
    return Net(counts, spread, spectra[0][0].integration_ms)


__all__ = ["LAMP", "Net", "Taken", "dark", "lit", "taken", "white"]
