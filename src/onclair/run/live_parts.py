"""What a live session is given, what its step makes of a measurement, and how that is told in events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onclair.core.values import Measurement
from onclair.io.instruments import Frame, Settings
from onclair.run.live_rounds import Arrived
from onclair.run.live_screen import REASONS, Limits
from onclair.run.session_frames import Stored


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step makes of a measurement.

    Attributes
    ----------
    answer : str or None
        ``suspect``, ``not_suspect`` or ``cannot_tell``; None with a blank.
    reason : str
        One sentence: why it cannot tell, or which gate shut.
    blank : str
        The gate that shut; empty where an answer may be shown.
    detail : mapping
        Plain JSON values that go with the decision: probability, set, amounts.
    """

    answer: str | None
    reason: str = ""
    blank: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A measurement that was judged, and what came of it.

    Attributes
    ----------
    frame : str
        The name of the measurement: that of its last frame.
    frames : tuple of str
    measurement : Measurement
    outcome : Outcome
        With `blank` set where the screen showed nothing.
    pose_age_ms : float or None
    """

    frame: str
    frames: tuple[str, ...]
    measurement: Measurement
    outcome: Outcome
    pose_age_ms: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A site that somebody marks; its frames are on the disk for good, and `events` names the last event before it."""

    judged: Judged
    frames: tuple[Stored, ...]
    note: str
    by: str
    events: Mapping[str, Any] | None = None


Step = Callable[[Measurement], Outcome]
Marker = Callable[[Mark], Mapping[str, Any]]
Agenda = Sequence[tuple[float, Callable[[], None]]]


def _nothing_more(mark: Mark) -> Mapping[str, Any]:
    del mark
    return {}


def _intact() -> str | None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """How a session is run.

    Attributes
    ----------
    step : callable
        ``(Measurement) -> Outcome``, pure.
    model : str
        Its name in every decision.
    settings : Settings or None
        What the instrument is told; None follows what its frames say.
    rate_hz : float or None
        Measurements judged a second, at most; None judges all.
    silent : bool
        Whether answers are withheld: decisions then say null.
    limits : Limits
    intact : callable
        Returns what is wrong with the model's files, None when nothing is.
    marker : callable
        ``(Mark) -> mapping``: writes a site and returns what the ``mark`` event adds; OSError means that it is tried again.
    notices : sequence of mapping
        ``code text``, said when the session begins.
    """

    step: Step
    model: str = ""
    settings: Settings | None = None
    rate_hz: float | None = None
    silent: bool = False
    limits: Limits = field(default_factory=Limits)
    intact: Callable[[], str | None] = _intact
    marker: Marker = _nothing_more
    notices: Sequence[Mapping[str, str]] = ()


def overfull(frames: Sequence[Frame]) -> Outcome | None:
    """Return why frames with full pixels are not judged; None where there are none.

    A frame without a lamp that is full is full of the light of the room, and that is then the reason.

    Examples
    --------
    >>> overfull([]) is None
    True
    """
    full = [each.kind for each in frames if each.saturated]
    if not full:
        return None
    reason = "ambient" if "lamp_off" in full else "saturated"
    return Outcome(None, REASONS[reason], reason)


def round_ms(seconds: float) -> float:
    """Return milliseconds to a tenth.

    Examples
    --------
    >>> round_ms(0.01234)
    12.3
    """
    return round(1000 * seconds, 1)


def told(measurement: Measurement, frames: Sequence[Frame]) -> dict[str, Any]:
    """Return what the ``measurement`` event says."""
    return {
        "settings_id": measurement.settings_id,
        "excitation_nm": [each for each in measurement.excitations_nm if each is not None],
        "integration_ms": measurement.frames[0].integration_ms,
        "saturated": any(each.saturated for each in frames),
        "time_s": frames[-1].time_s,
    }


def pose_told(last: Arrived, age_s: float) -> dict[str, Any] | None:
    """Return the pose of a decision, LPS mm."""
    pose = last.frame.pose
    if pose is None:
        return None
    tip = [round(float(value), 3) for value in pose.lps[:3, 3]]
    named = {"frame_of_reference": pose.frame_of_reference, "registration_error_mm": pose.registration_error_mm}
    return {"lps_mm": tip, "age_ms": round_ms(age_s), **named}
