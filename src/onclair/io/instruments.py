"""Instruments that hand out frames: four calls, whoever makes the box; and the one that replays what was recorded.

Drivers of real boxes stand in files of their own; the simulated one is ``onclair.virtual.instrument``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadCase, BadSetting, NotReachable
from onclair.core.geometry import Affine, checked_affine
from onclair.core.values import Spectrum

FrameKind = Literal["fluorescence", "lamp_off", "white"]
Space = Literal["LPS", "RAS"]
#: What turns RAS worlds into LPS and back.
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
RAS_TO_LPS.setflags(write=False)
#: Letters of a settings id.
_ID_LENGTH = 12


class NoFrame(NotReachable):
    """No frame came within the time given; the instrument may still be there."""


class NoMoreFrames(NotReachable):
    """What was recorded has been handed out to the end."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an instrument is told before it measures.

    Attributes
    ----------
    integration_ms : float
        Of every frame, whatever its kind: the lamp-off frame must have that of the excited ones.
    averages : int
        Readouts behind a frame.
    excitations_nm : tuple of float
        In the order in which they are taken.
    white : bool
        Whether a frame under white light closes each round.

    Raises
    ------
    BadSetting
        For a time that is not positive, less than one readout, or no excitation.

    Examples
    --------
    >>> Settings(20.0).kinds
    ('lamp_off', 'fluorescence', 'fluorescence', 'white')
    """

    integration_ms: float
    averages: int = 1
    excitations_nm: tuple[float, ...] = (385.0, 405.0)
    white: bool = True

    def __post_init__(self) -> None:
        if not (np.isfinite(self.integration_ms) and self.integration_ms > 0) or self.averages < 1:
            said = f"The integration time is {self.integration_ms} ms with {self.averages} averages"
            raise BadSetting(f"{said}; both must be positive.", item="integration_ms")
        if not self.excitations_nm:
            raise BadSetting("The instrument is given no excitation; name at least one, such as 405 nm.", item="excitations_nm")

    @property
    def kinds(self) -> tuple[FrameKind, ...]:
        """The kinds of one round, in order: lamp off, each excitation, white."""
        kinds: list[FrameKind] = ["lamp_off"]
        for _ in self.excitations_nm:
            kinds.append("fluorescence")
        if self.white:
            kinds.append("white")
        return tuple(kinds)

    @property
    def id(self) -> str:
        """A name of the settings: equal settings, equal names.

        Examples
        --------
        >>> Settings(20.0).id == Settings(20.0).id, Settings(20.0).id == Settings(40.0).id
        (True, False)
        """
        return sha256_of(asdict(self))[:_ID_LENGTH]


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where the probe was, and when.

    Attributes
    ----------
    matrix : ndarray, shape (4, 4)
        Probe to world, mm, in the axes of `space`; the tip is its last column.
    time_s : float
        On the instrument's own clock; an old pose keeps its old time.
    space : {"LPS", "RAS"}
        Which way the world's axes point.
    frame_of_reference : str
        The navigation frame.
    registration_error_mm : float or None
        What the navigation says of that frame.

    Raises
    ------
    BadCase
        For a space other than LPS and RAS.

    Examples
    --------
    >>> tip = np.eye(4); tip[:3, 3] = (10.0, 20.0, 30.0)
    >>> Pose(tip, 0.0, "RAS").lps[:3, 3].tolist()
    [-10.0, -20.0, 30.0]
    """

    matrix: Affine
    time_s: float
    space: Space = "LPS"
    frame_of_reference: str = ""
    registration_error_mm: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", checked_affine(self.matrix, of="the probe's pose"))
        if self.space not in ("LPS", "RAS"):
            raise BadCase(f"The pose is told in '{self.space}'; it must say LPS or RAS.", item="space")

    @property
    def lps(self) -> Affine:
        """The matrix in LPS, the only axes that are used inside."""
        return self.matrix if self.space == "LPS" else np.asarray(RAS_TO_LPS @ self.matrix)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One readout as it left the instrument.

    Attributes
    ----------
    frame : str
        Its name, given once: no two frames of a session share it.
    kind : {"fluorescence", "lamp_off", "white"}
    spectrum : Spectrum
        Raw counts.
    settings_id : str
        Of the settings that it was exposed with, which may be older than the last ones asked for.
    time_s : float
        When the exposure ended, on the instrument's own clock.
    saturated : bool
        Whether any pixel is full.
    pose : Pose or None
        The last pose known by then, however old.

    Examples
    --------
    >>> nm = np.array([500.0, 501.0])
    >>> frame = Frame("F1", "fluorescence", Spectrum(nm, nm, 405.0, 20.0), "abc", 1.5)
    >>> frame.info["excitation_nm"], frame.info["kind"]
    (405.0, 'fluorescence')
    """

    frame: str
    kind: FrameKind
    spectrum: Spectrum
    settings_id: str
    time_s: float
    saturated: bool = False
    pose: Pose | None = None

    @property
    def info(self) -> dict[str, Any]:
        """What goes with the counts over a wire: ``frame kind settings_id excitation_nm integration_ms saturated time``."""
        return {
            "frame": self.frame,
            "kind": self.kind,
            "settings_id": self.settings_id,
            "excitation_nm": self.spectrum.excitation_nm,
            "integration_ms": self.spectrum.integration_ms,
            "saturated": self.saturated,
            "time": self.time_s,
        }


class Instrument(Protocol):
    """A box that hands out frames. Four calls, from one thread at a time."""

    def open(self) -> None:
        """Take hold of the box; `NotReachable` where there is none."""
        ...

    def configure(self, settings: Settings) -> str:
        """Ask for settings and return their id; frames carry it once they were exposed with them, not before."""
        ...

    def frame(self, timeout: float) -> Frame:
        """Return the next frame, each once; `NoFrame` when none came within `timeout` seconds."""
        ...

    def close(self) -> None:
        """Let go of the box; closing twice does nothing."""
        ...


@dataclass(slots=True, eq=False)
class Replay:
    """Recorded frames, handed out again in their order and, where asked for, in their time.

    Attributes
    ----------
    frames : sequence of Frame
        As they were recorded; two of one name are refused.
    speed : float
        1 keeps the recorded intervals, 2 halves them, infinity hands frames out as fast as they are asked for.
    clock, sleep : callable
        The time in seconds, and what waits.

    Raises
    ------
    BadCase
        When two frames share a name.
    BadSetting
        When the speed is not positive.

    Examples
    --------
    >>> nm = np.array([500.0, 501.0])
    >>> recorded = Frame("F1", "lamp_off", Spectrum(nm, nm, None, 20.0), "abc", 1.5)
    >>> replay = Replay([recorded])
    >>> replay.open()
    >>> replay.frame(1.0).frame, replay.left
    ('F1', 0)
    """

    frames: Sequence[Frame]
    speed: float = np.inf
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _place: int = field(default=0, init=False)
    _opened_at: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        names = [each.frame for each in self.frames]
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None) if len(set(names)) < len(names) else None
        if twice is not None:
            raise BadCase(f"Two recorded frames are called '{twice}'; a frame may be used once: keep one.", item=twice)
        if not self.speed > 0:
            raise BadSetting(f"The replay's speed is {self.speed}; it must be positive.", item="speed")

    @property
    def left(self) -> int:
        """Frames not handed out yet."""
        return len(self.frames) - self._place

    def open(self) -> None:
        """Start from the first frame."""
        self._place, self._opened_at = 0, self.clock()

    def configure(self, settings: Settings) -> str:
        """Return the id of the settings asked for; what was recorded stays as it was and carries its own."""
        return settings.id

    def frame(self, timeout: float) -> Frame:
        """Return the next recorded frame.

        Raises
        ------
        NoFrame
            When its time has not come within `timeout` seconds.
        NoMoreFrames
            After the last.
        NotReachable
            Before `open`.
        """
        if self._opened_at is None:
            raise NotReachable("The recording is not open; call open() first.")
        if not self.left:
            raise NoMoreFrames(f"All {len(self.frames)} recorded frames have been handed out.")
        following = self.frames[self._place]
        due = self._opened_at + (following.time_s - self.frames[0].time_s) / self.speed
        wait = due - self.clock()
        if wait > timeout:
            self.sleep(timeout)
            raise NoFrame(f"The recording holds no frame for {timeout:g} s; the next comes in {wait - timeout:.3g} s.")
        if wait > 0:
            self.sleep(wait)
        self._place += 1
        return following

    def close(self) -> None:
        """Let go."""
        self._opened_at = None


@dataclass(slots=True, eq=False)
class Opened:
    """An instrument that was opened to be asked what it is, before the session that opens it again began.

    Attributes
    ----------
    instrument : Instrument
    """

    instrument: Instrument
    _begun: bool = field(default=False, init=False)

    def begin(self) -> None:
        """Open it now; the next `open` finds it open."""
        self.instrument.open()
        self._begun = True

    def open(self) -> None:
        """Take hold of the box, unless that was done."""
        if not self._begun:
            self.instrument.open()
        self._begun = False

    def configure(self, settings: Settings) -> str:
        """Ask for settings and return their id."""
        return self.instrument.configure(settings)

    def frame(self, timeout: float) -> Frame:
        """Return the next frame."""
        return self.instrument.frame(timeout)

    def close(self) -> None:
        """Let go of the box."""
        self._begun = False
        self.instrument.close()


def is_saturated(counts: npt.ArrayLike, saturation_counts: float | None) -> bool:
    """Return whether any pixel is full; False where the limit is not known.

    Examples
    --------
    >>> is_saturated([5.0, 9.0], 9.0), is_saturated([5.0, 9.0], None)
    (True, False)
    """
    return saturation_counts is not None and bool((np.asarray(counts) >= saturation_counts).any())
