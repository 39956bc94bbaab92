"""Draws frames from an instrument on a thread of its own, says when each came and how old it was, and never waits for the loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from onclair.core.errors import BadSetting, OnclairError
from onclair.io.ageing import Ageing
from onclair.io.instruments import Frame, Instrument, NoFrame, NoMoreFrames, Settings
from onclair.run.live_rounds import Arrived
from onclair.run.live_stream import Bounded

_ASK_S, _AGAIN_S = 0.1, 0.5


def _nobody(frame: Frame) -> None:
    del frame


@dataclass(slots=True, eq=False)
class Source:
    """An instrument, as the loop sees it.

    Attributes
    ----------
    instrument : Instrument
        Used from the source's thread alone once that runs.
    relay : callable
        Is given every frame as it comes, for whoever publishes them.
    queue : Bounded
        Frames that the loop has not taken yet; the oldest go first when it does not keep up.
    expected : str or None
        Settings id that frames must carry; None takes whatever comes, an empty string nothing (a change is under way).
    quiet : str
        Why no frame came, in the instrument's own words; empty while they come.
    lost : str
        Why the instrument cannot be reached; empty while it can.
    refused : str
        Why the last change of settings was not made; empty when it was.
    ended : bool
        Whether a recording has been handed out to its end.
    """

    instrument: Instrument
    relay: Callable[[Frame], None] = _nobody
    clock: Callable[[], float] = time.monotonic
    queue: Bounded[Arrived] = field(default_factory=lambda: Bounded(32))
    expected: str | None = None
    quiet: str = ""
    lost: str = ""
    refused: str = ""
    ended: bool = False
    _carried: str | None = field(default=None, init=False)
    _asked: Settings | None = field(default=None, init=False)
    _settings: Settings | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _ageing: Ageing = field(default_factory=Ageing, init=False)

    def open(self, settings: Settings | None) -> None:
        """Open the instrument, ask for settings where any are given, and begin to draw frames.

        Raises
        ------
        OnclairError
            What the instrument says against it.
        """
        self.instrument.open()
        self._settings = settings
        if settings is not None:
            self.expected = self._carried = self.instrument.configure(settings)
        self._thread = threading.Thread(target=self._draw, name="live-source", daemon=True)
        self._thread.start()

    def ask(self, settings: Settings) -> None:
        """Have the settings changed before the next frame; from now on no frame counts until one carries them."""
        with self._lock:
            self._asked, self.expected = settings, ""

    def close(self, timeout: float = 1.0) -> None:
        """Let go; an instrument that does not answer is left behind."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)
            if not self._thread.is_alive():
                self.instrument.close()

    def _draw(self) -> None:
        while not self._stop.is_set():
            try:
                self._change()
                frame = self.instrument.frame(_ASK_S)
            except NoMoreFrames as error:
                self.quiet, self.ended = str(error), True
                return
            except NoFrame as error:
                self.quiet = str(error)
                continue
            except OnclairError as error:
                self._reopen(str(error))
                continue
            arrived = self.clock()
            self.quiet = self.lost = ""
            self.queue.put(Arrived(frame, arrived, self._ageing.late(arrived, frame.time_s)))
            self.relay(frame)

    def _change(self) -> None:
        with self._lock:
            asked, self._asked = self._asked, None
        if asked is None:
            return
        try:
            self._carried, self._settings = self.instrument.configure(asked), asked
        except BadSetting as error:
            self.refused = str(error)
        with self._lock:
            self.expected = self._carried if self._asked is None else ""

    def _reopen(self, trouble: str) -> None:
        """Say that the instrument is lost, and try to have it back."""
        self.lost = trouble
        if self._stop.wait(_AGAIN_S):
            return
        try:
            self.instrument.close()
            self.instrument.open()
            if self._settings is not None and self.expected is not None:
                self.ask(self._settings)
        except OnclairError as error:
            self.lost = str(error)
