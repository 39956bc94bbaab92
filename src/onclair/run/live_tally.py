"""What a live session adds up to: the counts and times of its summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from onclair.run.live_rounds import Arrived
from onclair.run.live_screen import Blanked


@dataclass(slots=True, eq=False)
class Tally:
    """Counts of one session.

    Attributes
    ----------
    reused : int
        Frames behind more than one decision; the loop never lets it happen, and here it is counted apart from the loop.
    old_settings : int
        Decisions on frames whose settings were not those asked for at that time.

    Examples
    --------
    >>> tally = Tally()
    >>> tally.acquired += 2
    >>> tally.decided(["F1"], 0.02, "suspect"); tally.decided(["F1"], 0.03, None)
    >>> tally.reused, tally.answers["suspect"], tally.decisions
    (1, 1, 2)
    """

    acquired: int = 0
    decided_frames: int = 0
    decisions: int = 0
    sent_blanks: int = 0
    reused: int = 0
    old_settings: int = 0
    marks: int = 0
    poses: int = 0
    poses_expired: int = 0
    discarded: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    _names: set[str] = field(default_factory=set, init=False)
    _last_pose_s: float | None = field(default=None, init=False)

    def discard(self, reason: str, frames: Iterable[Any]) -> None:
        """Count frames that were not used."""
        self.discarded[reason] += len(tuple(frames))

    def pose(self, came: Arrived) -> None:
        """Count a pose that was not seen before."""
        pose = came.frame.pose
        if pose is not None and pose.time_s != self._last_pose_s:
            self.poses, self._last_pose_s = self.poses + 1, pose.time_s

    def decided(self, frames: Sequence[str], latency_s: float, answer: str | None) -> None:
        """Count a decision and the frames behind it."""
        self.reused += sum(name in self._names for name in frames)
        self._names.update(frames)
        self.decided_frames += len(frames)
        self.decisions += 1
        self.latencies.append(latency_s)
        self.answers[answer or "silent"] += 1

    def summary(self, blanks: Sequence[Blanked], started: float, now: float) -> dict[str, Any]:
        """Return the summary as plain JSON values; times that nothing was measured for are None."""
        latencies = 1000 * np.array(self.latencies or [np.nan])
        found = {"p50": np.quantile(latencies, 0.5), "p95": np.quantile(latencies, 0.95), "max": latencies.max()}
        lasted = max(now - started, 1e-9)
        return {
            "frames": {
                "acquired": self.acquired,
                "decided": self.decided_frames,
                "discarded": {k: n for k, n in self.discarded.items() if n},
            },
            "latency_ms": {name: round(float(value), 2) if self.latencies else None for name, value in found.items()},
            "display_hz": round((self.decisions + self.sent_blanks) / lasted, 2),
            "blanked": [each.as_dict(started, now) for each in blanks],
            "reused_frames": self.reused,
            "decided_on_old_settings": self.old_settings,
            "poses": {"received": self.poses, "expired": self.poses_expired},
            "answers": dict(self.answers),
            "marks": self.marks,
        }
