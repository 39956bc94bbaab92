"""A spectrometer that is not there: it takes its time, hands out stale frames, drifts with the probe and fails by script."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from onclair.core.errors import NotReachable
from onclair.core.seeds import rng_for
from onclair.core.values import Spectrum
from onclair.io.instruments import RAS_TO_LPS, Frame, FrameKind, NoFrame, Pose, Settings, Space, is_saturated
from onclair.virtual.instrument_script import Event
from onclair.virtual.spectra_patients import Person, Point, person_of
from onclair.virtual.spectra_settings import VirtualSpectra
from onclair.virtual.spectra_tissue import Tissue
from onclair.virtual.spectrometer import Exposure, Spectrometer, exposed, seen, spectrometer_of

__all__ = ["Exposed", "Simulated", "between", "simulated", "where"]

#: What goes by between the end of one exposure and the start of the next.
READOUT_S = 0.002
#: How long the probe rests on a point, and how long it takes to the next one.
REST_S, WAY_S = 2.0, 1.0
#: A saturating frame is brighter than usual by this.
_GLARE = 200.0
#: Added to the seed for the patient on the table, so that it is none of the cohort of that seed, which a model may have learnt from.
ON_THE_TABLE = 2_000_003
#: How much the tracker's answers scatter, mm.
_JITTER_MM = 0.1


@dataclass(frozen=True, slots=True)
class Exposed:
    """How a frame is to be exposed: settings and the place in their round."""

    settings: Settings
    turn: int

    @property
    def kind(self) -> FrameKind:
        """Lamp off, an excitation, or white."""
        return self.settings.kinds[self.turn % len(self.settings.kinds)]

    @property
    def excitation_nm(self) -> float | None:
        """The excitation, None without one."""
        if self.kind != "fluorescence":
            return None
        return self.settings.excitations_nm[self.turn % len(self.settings.kinds) - 1]


@dataclass(slots=True, eq=False)
class Simulated:
    """The simulated instrument, moving over a virtual patient.

    Frames come one after the other as long as they take: lamp off, each excitation, white, and again. Whatever is asked of it, the frame
    that was under way when the settings changed is handed out as it is, with the settings that it was exposed with.

    Attributes
    ----------
    person : Person
        Over whose points the probe goes, in turn and back again.
    by : Spectrometer
    script : sequence of Event
        What goes wrong. ``integration_ms`` is somebody turning a knob: frames then carry settings that nobody asked for.
    space : {"LPS", "RAS"}
        Which way the tracker's axes point.
    seed : int
        Of noise, jitter and registration error.
    counts : float
        At the peak of median healthy tissue in 40 ms.
    clock, sleep : callable
        The time in seconds, and what waits: real ones, or a test's.

    Examples
    --------
    >>> from onclair.virtual.instrument import simulated
    >>> device = simulated(pixels=256, sleep=lambda seconds: None)
    >>> device.open()
    >>> asked = device.configure(Settings(20.0))
    >>> [device.frame(1.0).settings_id == asked for _ in range(2)]  # the first is stale
    [False, True]
    """

    person: Person
    by: Spectrometer
    script: Sequence[Event] = ()
    space: Space = "LPS"
    seed: int = 1
    counts: float = 3000.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _opened_at: float | None = field(default=None, init=False)
    _now: Exposed = field(init=False)
    _stale: Exposed | None = field(default=None, init=False)
    _ready_at: float = field(default=0.0, init=False)
    _made: int = field(default=0, init=False)
    _turned: int = field(default=0, init=False)
    _last_pose: Pose | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._now = Exposed(Settings(self.by.ladder_ms[-1], self.by.averages, tuple(self.by.power)), 0)

    def open(self) -> None:
        """Switch on; the first frame is under way."""
        self._opened_at = self._ready_at = self.clock()
        self._stale = self._last_pose = None
        self._turned = 0

    def configure(self, settings: Settings) -> str:
        """Ask for settings and return their id.

        Raises
        ------
        NotReachable
            Before `open`, or for an excitation that this instrument has no lamp for.
        """
        self._since_opening()
        for excitation in settings.excitations_nm:
            if excitation not in self.by.power:
                lamps = " and ".join(f"{at:g}" for at in self.by.power)
                raise NotReachable(f"The simulated instrument has no lamp of {excitation:g} nm; ask for {lamps} nm.")
        self._change(settings)
        return settings.id

    def frame(self, timeout: float) -> Frame:
        """Return the next frame when its exposure has ended.

        Raises
        ------
        NoFrame
            When that takes longer than `timeout` seconds.
        NotReachable
            Before `open`.
        """
        begun = self.clock()
        self._turn_knobs(self._since_opening())
        until = begun + timeout
        stalled = self._stalled_until(begun)
        taken = self._stale or self._now
        length = 0.0 if self._stale else taken.settings.integration_ms * taken.settings.averages / 1000.0 + READOUT_S
        ready = max(self._ready_at + length, begun, stalled)
        if ready > until:
            self.sleep(max(until - begun, 0.0))
            raise NoFrame(f"The simulated instrument handed out no frame within {timeout:g} s.")
        if ready > begun:
            self.sleep(ready - begun)
        self._ready_at, self._stale = ready, None
        if taken is self._now:
            self._now = Exposed(taken.settings, taken.turn + 1)
        return self._frame(taken, ready - float(self._opened_at or 0.0))

    def close(self) -> None:
        """Switch off."""
        self._opened_at = None

    def truth(self, at_s: float) -> tuple[Tissue, Point]:
        """Return what lies under the probe at a time after opening, and the point that is nearest."""
        one, other, share = where(len(self.person.points), at_s)
        first, second = self.person.points[one], self.person.points[other]
        return between(first.tissue, second.tissue, share), first if share < 0.5 else second

    def _since_opening(self) -> float:
        if self._opened_at is None:
            raise NotReachable("The simulated instrument is not open; call open() first.")
        return self.clock() - self._opened_at

    def _change(self, settings: Settings) -> None:
        """Take over settings; the frame under way stays what it is and is handed out next."""
        if self._stale is None:
            self._stale = self._now
        self._now = Exposed(settings, 0)

    def _turn_knobs(self, at_s: float) -> None:
        """Do what the script says of the integration time up to now."""
        turned = [event for event in self.script if event.do == "integration_ms" and event.at_s <= at_s]
        for event in turned[self._turned :]:
            old = self._now.settings
            self._change(Settings(float(event.value or old.integration_ms), old.averages, old.excitations_nm, old.white))
        self._turned = len(turned)

    def _stalled_until(self, now: float) -> float:
        opened = float(self._opened_at or 0.0)
        stalls = [event for event in self.script if event.do == "stall" and event.holds(now - opened)]
        return max((opened + event.at_s + event.for_s for event in stalls), default=now)

    def _going_on(self, do: str, at_s: float) -> bool:
        return any(event.do == do and event.holds(at_s) for event in self.script)

    def _frame(self, taken: Exposed, at_s: float) -> Frame:
        self._made += 1
        rng = rng_for(self.seed, "instrument", self._made)
        tissue, point = self.truth(at_s)
        light, kind, excitation = seen(tissue, self.by, self.counts), taken.kind, taken.excitation_nm
        shone = light.excited(excitation) if excitation is not None else light.white if kind == "white" else np.zeros(self.by.pixels)
        shone = shone * (0.0 if self._going_on("lamp_off", at_s) and excitation is not None else 1.0)
        shone = shone * (_GLARE if self._going_on("saturate", at_s) else 1.0)
        how = Exposure(taken.settings.integration_ms, taken.settings.averages, point.pressure)
        counts, _ = exposed(shone, light.ambient, self.by, how, rng)
        name = f"{self.person.name}_F{self._made:06d}"
        power = 1.0 if excitation is None else self.by.power[excitation]
        spectrum = Spectrum(
            counts, self.by.wavelength_nm, excitation, how.integration_ms, None, how.averages, power, self.by.detector, name
        )
        full = is_saturated(counts, self.by.detector.saturation_counts)
        return Frame(name, kind, spectrum, taken.settings.id, float(self._opened_at or 0.0) + at_s, full, self._pose(at_s, rng))

    def _pose(self, at_s: float, rng: np.random.Generator) -> Pose | None:
        """Return where the tracker last saw the probe: beside the truth by a fixed registration error, and with jitter."""
        jitter = rng.normal(0.0, _JITTER_MM, 3)
        if self._going_on("tracker_lost", at_s):
            return self._last_pose
        one, other, share = where(len(self.person.points), at_s)
        ends = [np.array(self.person.points[place].tip_mm) for place in (one, other)]
        matrix = np.eye(4)
        matrix[:3, 3] = (1 - share) * ends[0] + share * ends[1] + self._registration() + jitter
        if self.space == "RAS":
            matrix = RAS_TO_LPS @ matrix
        when = float(self._opened_at or 0.0) + at_s
        self._last_pose = Pose(matrix, when, self.space, "virtual MRI", self.person.registration_error_mm)
        return self._last_pose

    def _registration(self) -> np.ndarray:
        """Return by how much the navigation is off, LPS mm: as far as it says of itself, in a direction that nobody knows."""
        way = rng_for(self.seed, "instrument", "registration").normal(size=3)
        return np.asarray(self.person.registration_error_mm * way / np.linalg.norm(way))


def simulated(
    *,
    seed: int = 1,
    pixels: int = 2048,
    script: Sequence[Event] = (),
    space: Space = "LPS",
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Simulated:
    """Return an instrument over a virtual patient, whom no cohort of that seed holds, with the spectrometer of the first centre.

    Parameters
    ----------
    seed : int
    pixels : int
    script : sequence of Event
    space : {"LPS", "RAS"}
    clock, sleep : callable

    Examples
    --------
    >>> simulated(pixels=512).person.name
    'VP001'
    """
    settings = VirtualSpectra(patients=2, centres=1, seed=seed + ON_THE_TABLE, pixels=pixels)
    return Simulated(person_of(settings, 0), spectrometer_of(0, seed, pixels), script, space, seed, clock=clock, sleep=sleep)


def where(points: int, at_s: float) -> tuple[int, int, float]:
    """Return the point that the probe leaves, the one that it goes to, and the share of the way that is done.

    It rests on each point for two seconds, takes one to the next, and from the last goes to the first.

    Examples
    --------
    >>> where(4, 1.0), where(4, 2.5), where(4, 3.5)
    ((0, 1, 0.0), (0, 1, 0.5), (1, 2, 0.0))
    """
    whole, rest = divmod(max(at_s, 0.0), REST_S + WAY_S)
    way = max(rest - REST_S, 0.0) / WAY_S
    return int(whole) % points, (int(whole) + 1) % points, float(3 * way**2 - 2 * way**3)


def between(one: Tissue, other: Tissue, share: float) -> Tissue:
    """Return tissue on the way from one to another: amounts on the logarithm, all else in a straight line.

    Examples
    --------
    >>> round(between(Tissue({"NADH": 1.0}), Tissue({"NADH": 4.0}), 0.5).amounts["NADH"], 9)
    2.0
    """
    if share <= 0.0:
        return one
    amounts = {name: float(value ** (1 - share) * other.amounts[name] ** share) for name, value in one.amounts.items()}
    names = ("blood_fraction", "sto2", "scattering_per_cm", "scattering_power", "shift_nm", "width")
    return Tissue(amounts, **{name: (1 - share) * getattr(one, name) + share * getattr(other, name) for name in names})
