"""An instrument for tests of the live loop: small, quick, and told frame by frame what to hand out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from onclair.core.values import Measurement, Spectrum
from onclair.io.instruments import Frame, FrameKind, NoFrame, Pose, Settings
from onclair.run.live_parts import Outcome

NM = np.linspace(400.0, 740.0, 64)
ROUND: tuple[tuple[FrameKind, float | None], ...] = (("lamp_off", None), ("fluorescence", 405.0))


def made(number: int, settings_id: str = "S", *, at: float | None = None, pose_age_s: float | None = None, **other: object) -> Frame:
    """Return the frame of that number: lamp off and 405 nm in turn, no two with equal counts."""
    kind, lit = ROUND[number % len(ROUND)]
    now = time.monotonic() if at is None else at
    tip = np.eye(4)
    tip[:3, 3] = (1.0, 2.0, 3.0)
    pose = None if pose_age_s is None else Pose(tip, now - pose_age_s, "LPS", "nav", 0.8)
    spectrum = Spectrum(np.arange(64.0) + number, NM, lit, 5.0, frame=f"F{number}")
    return replace(Frame(f"F{number}", kind, spectrum, settings_id, now, False, pose), **other)


@dataclass
class Told:
    """Hands out what a generator yields, one item each `every_s`; None is a silence of that length, an error is raised.

    The frame after a change of settings is stale: it is the one that was under way.
    """

    frames: Callable[[], Iterable[Frame | Exception | None]]
    every_s: float = 0.005
    stale: int = 1
    ids: list[str] = field(default_factory=list)
    opened: int = 0
    _coming: Iterator[Frame | Exception | None] | None = None
    _left: int = 0

    def open(self) -> None:
        self.opened += 1
        self._coming = self._coming or iter(self.frames())

    def configure(self, settings: Settings) -> str:
        self.ids.append(settings.id)
        self._left = self.stale
        return settings.id

    def frame(self, timeout: float) -> Frame:
        assert self._coming is not None
        time.sleep(self.every_s)
        found = next(self._coming, None)
        if found is None:
            raise NoFrame("The instrument of the test says nothing.")
        if isinstance(found, Exception):
            raise found
        if not self.ids:
            return found
        old = self._left > 0
        self._left -= old
        carried = (self.ids[-2] if len(self.ids) > 1 else "before") if old else self.ids[-1]
        return replace(found, settings_id=carried)

    def close(self) -> None:
        pass


def steadily(count: int = 10_000, **other: object) -> Callable[[], Iterator[Frame]]:
    """Return what makes frames one after the other."""
    return lambda: (made(number, **other) for number in range(count))


def bright(measurement: Measurement) -> Outcome:
    """Answer by the sum of the counts: a step that costs nothing."""
    total = float(measurement.frames[0].counts.sum())
    return Outcome("suspect" if total > 0 else "not_suspect", f"{total:g} counts.", detail={"total": total})
