"""Sessions of the simulated instrument on a clock of their own, and lamps, for tests of calibrations and daily standards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from onclair.core.values import Measurement
from onclair.io.instruments import Frame, Settings
from onclair.io.spectra.lamp_lines import HG_AR
from onclair.io.spectra.table import write_spectra_table
from onclair.run.session_events import EventsFile
from onclair.run.session_folder import Session, new_session
from onclair.run.session_frames import SessionFrames, measurement_of
from onclair.virtual.instrument import Simulated, simulated
from onclair.virtual.spectra_tissue import Tissue
from onclair.virtual.spectrometer import spectrometer_of

SERIAL = "virtual C1"
TIME_MS = 20.0
PIXELS = 1024


@dataclass
class Clock:
    """Time that goes by only where somebody waits."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def device(seed: int = 3, *, room: float = 1.0, touch: float = 1.0, real: bool = False) -> Simulated:
    """The simulated instrument, its room as many times brighter, its probe pressed to that share; by the real clock or its own."""
    clock = Clock()
    made = simulated(seed=seed, pixels=PIXELS) if real else simulated(seed=seed, pixels=PIXELS, clock=clock, sleep=clock.sleep)
    made.by = replace(made.by, ambient=made.by.ambient * room)
    made.person = replace(made.person, points=tuple(replace(point, pressure=point.pressure * touch) for point in made.person.points))
    return made


def phantom(made: Simulated, light: float = 1.0) -> Simulated:
    """The same with a phantom under the probe, wherever it is: without blood, and with more PpIX than most tissue."""
    amounts = {"PpIX634": 2.0, "PpIX620": 0.03, "NADH": 0.3, "FAD": 0.2, "Lipofuscin": 0.1}
    made.person = replace(made.person, points=tuple(replace(point, tissue=Tissue(amounts), pressure=light) for point in made.person.points))
    return made


def rounds(made: Simulated, count: int) -> list[tuple[Frame, ...]]:
    """Whole rounds of frames under the settings that a session at 8 Hz has."""
    made.open()
    made.configure(Settings(TIME_MS))
    made.frame(10.0)
    return [tuple(made.frame(10.0) for _ in range(4)) for _ in range(count)]


def measurements(made: Simulated, count: int) -> list[Measurement]:
    """The measurements of so many rounds."""
    return [measurement_of(frames) for frames in rounds(made, count)]


def session_of(folder: Path, made: Simulated, count: int = 8, serial: str | None = SERIAL) -> Session:
    """The folder of a session that has seen so many rounds."""
    session = new_session(folder, {"study": "spectra", "data": "virtual", "instrument": {"serial": serial}})
    store, events = SessionFrames(folder), EventsFile(folder)
    for number, frames in enumerate(rounds(made, count), start=1):
        names = [store.store(frame).frame for frame in frames]
        said = {"seq": number, "kind": "measurement", "time": f"T{number}", "frame": names[-1], "frames": names}
        events.write(said)
    events.close()
    return session


def lamp(path: Path, off_nm: float = 0.8, lines: tuple[float, ...] = HG_AR) -> Path:
    """A lamp of lines, seen by the first centre's spectrometer, which believes its wavelengths so much too long."""
    said = spectrometer_of(0, 1, PIXELS).wavelength_nm
    rng = np.random.default_rng(1)
    light = sum(9000.0 * np.exp(-0.5 * ((said - off_nm - line) / 1.0) ** 2) for line in lines) + np.full(PIXELS, 200.0)
    write_spectra_table(path, said, {"sample": rng.poisson(light).astype(float), "dark": rng.poisson(200.0, PIXELS).astype(float)})
    return path


def table(path: Path, **columns: np.ndarray) -> Path:
    """A table with that spectrometer's wavelengths."""
    write_spectra_table(path, spectrometer_of(0, 1, PIXELS).wavelength_nm, columns)
    return path
