"""What the screen shows, an answer or a blank with its reason, and when it must go blank: decided by our own clock alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: What a blank screen says: reason -> sentence.
REASONS: Mapping[str, str] = {
    "starting": "No measurement is complete yet.",
    "silent": "The instrument sends nothing.",
    "settings_changed": "The settings of the instrument were changed; nothing measured with the old ones is used.",
    "saturated": "The detector is saturated: less light or a shorter integration time is needed.",
    "ambient": "The light of the room alone fills the detector: dim the lights or shield the probe, then measure again.",
    "pose_expired": "The tracker no longer sees the probe: nobody knows which point this is.",
    "repeated": "The instrument hands out the same frame again.",
    "late": "Frames come late: what they show is not what the probe touches now.",
    "slow": "The computation does not keep up with the instrument.",
    "unusable": "The measurement cannot be used.",
    "not_recorded": "Nothing can be written to the session's folder.",
    "model_altered": "The model's files were changed while it was in use.",
    "instrument_lost": "The instrument is lost.",
}


#: A fault that was announced explains a blank for so long.
_FAULT_HOLDS_S = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How old things may be, in seconds.

    Attributes
    ----------
    silence_s : float
        After so long without a new frame the screen goes blank; short of the half second that a stale answer may stand at most.
    answer_s : float
        So long an answer stands when no other takes its place.
    pose_s : float
        A pose older than this is not used.
    late_s : float
        A frame that comes later than this is not used.
    refresh_s : float
        So often a blank is said again, so that a screen sees that it is alive.
    guard_s : float
        So often the model's files are looked at.
    """

    silence_s: float = 0.35
    answer_s: float = 0.5
    pose_s: float = 0.2
    late_s: float = 0.3
    refresh_s: float = 0.14
    guard_s: float = 1.0


@dataclass(slots=True)
class Blanked:
    """A time without an answer: why, from when, since when its cause was there, and until when (None while it lasts)."""

    reason: str
    at: float
    cause: float
    until: float | None = None

    def as_dict(self, started: float, now: float) -> dict[str, Any]:
        """Return the time as the summary tells it.

        Examples
        --------
        >>> Blanked("silent", 12.4, 12.0, 13.0).as_dict(10.0, 20.0)
        {'reason': 'silent', 'at_s': 2.4, 'after_ms': 400.0, 'for_s': 0.6}
        """
        until = now if self.until is None else self.until
        after_ms = round(1000 * (self.at - self.cause), 1)
        return {"reason": self.reason, "at_s": round(self.at - started, 3), "after_ms": after_ms, "for_s": round(until - self.at, 3)}


@dataclass(slots=True, eq=False)
class Screen:
    """The state of the screen. Not safe for several threads by itself: whoever holds it locks.

    Attributes
    ----------
    limits : Limits
    reason : str or None
        Why it is blank; None while an answer stands.
    standing : dict of str to str
        Reasons that no measurement can lift, with their sentences.

    Examples
    --------
    >>> screen = Screen(Limits())
    >>> screen.fresh(9.9); screen.show(10.0, 9.9)
    >>> screen.overdue(10.2), screen.overdue(10.26)
    (None, 'silent')
    >>> screen.blank("silent", 10.26)
    True
    >>> screen.reason, round(screen.blanks[-1].at - screen.blanks[-1].cause, 2)
    ('silent', 0.36)
    """

    limits: Limits
    reason: str | None = "starting"
    standing: dict[str, str] = field(default_factory=dict)
    blanks: list[Blanked] = field(default_factory=list)
    _fresh: float | None = field(default=None, init=False)
    _answer: float | None = field(default=None, init=False)
    _good: float | None = field(default=None, init=False)
    _fault: float | None = field(default=None, init=False)
    _sent: float = field(default=float("-inf"), init=False)

    def fresh(self, arrived: float) -> None:
        """Take note of a new frame."""
        self._fresh = arrived

    def fault(self, at: float) -> None:
        """Take note of a fault whose beginning is known: the next blank is told from it."""
        self._fault = at

    def show(self, now: float, arrived: float) -> None:
        """Put up an answer that rests on what came at `arrived`."""
        if self.reason is not None and self.blanks and self.blanks[-1].until is None:
            self.blanks[-1].until = now
        self.reason, self._answer, self._good, self._sent = None, arrived, arrived, now

    def blank(self, reason: str, now: float) -> bool:
        """Take the answer away, or say again that there is none; return whether that was news."""
        self._sent = now
        if self.reason is not None and not self._outweighs(reason):
            self.reason = self.reason if self.reason in self.standing else reason
            return False
        if self.blanks and self.blanks[-1].until is None:
            self.blanks[-1].until = now
        if self.reason is None or self.blanks:  # before the first answer there is nothing that a fault could take away
            self.blanks.append(Blanked(reason, now, self._cause(reason, now)))
        self.reason, self._answer = reason, None
        return True

    def _outweighs(self, reason: str) -> bool:
        """Return whether a reason begins a time of its own in the summary, though the screen is blank already."""
        if reason == self.reason or self.reason in self.standing:
            return False
        return self.reason in ("starting", "silent") or reason == "silent" or reason in self.standing

    def overdue(self, now: float) -> str | None:
        """Return why the screen must go blank, or be blank for another reason; None while all may stay as it is."""
        if self.reason is not None:
            return "silent" if self.silent(now) and self._fresh is not None and self._outweighs("silent") else None
        if self.standing:
            return next(iter(self.standing))
        if self._fresh is not None and now - self._fresh > self.limits.silence_s:
            return "silent"
        if self._answer is not None and now - self._answer > self.limits.answer_s:
            return "slow"
        return None

    def silent(self, now: float) -> bool:
        """Return whether no new frame has come for too long."""
        return self._fresh is None or now - self._fresh > self.limits.silence_s

    def refresh(self, now: float) -> bool:
        """Return whether a blank is to be said again."""
        return self.reason is not None and now - self._sent >= self.limits.refresh_s

    def _cause(self, reason: str, now: float) -> float:
        """Return since when the cause is there: as known, else since the last frame that is known to have been good."""
        fault, self._fault = self._fault, None
        if fault is not None and 0.0 <= now - fault <= _FAULT_HOLDS_S:
            return fault
        last = self._fresh if reason == "silent" else self._good
        return now if last is None or reason in ("settings_changed", *self.standing) else min(last, now)
