"""The live loop: source, bounded queue, pure step, event. It names no study: what a measurement means is the step that it is given.

Five threads, none of which waits for another: the source draws frames, the loop gathers and judges them, the watch blanks the screen by
its own clock whatever the others do, the clerk writes, and the guard looks after the model's files.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.errors import BadCase, NoRoom, OnclairError
from onclair.core.values import Measurement
from onclair.io.instruments import Frame, Instrument, Settings
from onclair.run.live_clerk import Clerk
from onclair.run.live_parts import Agenda, Judged, Loop, Mark, Marker, Outcome, Step, overfull, pose_told, round_ms, told
from onclair.run.live_rounds import Arrived, Key, Rounds
from onclair.run.live_screen import REASONS, Limits, Screen
from onclair.run.live_source import Source
from onclair.run.live_stream import Stream
from onclair.run.live_tally import Tally
from onclair.run.session_frames import measurement_of

_TICK_S = 0.02
#: Judged measurements that may still be marked.
_MARKABLE = 600


class Live:
    """One live session over an instrument, in a folder that holds nothing yet.

    Parameters
    ----------
    instrument : Instrument
    session : Path
        Its events go to ``events.jsonl``, its frames below ``frames``.
    how : Loop
    relay : callable, optional
        Is given every frame, for whoever publishes them.
    """

    def __init__(self, instrument: Instrument, session: Path, how: Loop, relay: Callable[[Frame], None] | None = None) -> None:
        self.how = how
        self.source = Source(instrument, relay) if relay else Source(instrument)
        self.clerk = Clerk(session, self._disk)
        self.stream = Stream(keep=self.clerk.event)
        self.screen, self.tally, self._rounds = Screen(how.limits), Tally(), Rounds()
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._used: set[str] = set()
        self._last: dict[Key, Arrived] = {}
        self._carried: str | None = None
        self._tracked, self._due = False, float("-inf")
        self._judged: dict[str, Judged] = {}

    def run(self, seconds: float | None = None, agenda: Agenda = ()) -> dict[str, Any]:
        """Run until the time is over, the recording ends or `stop` is called, and return the summary.

        Parameters
        ----------
        seconds : float or None
        agenda : sequence of (float, callable)
            What is done at which second of the session.

        Raises
        ------
        OnclairError
            When the instrument does not open; the event stream says so too.
        NoRoom
            When some of the session could not be written.
        """
        self.clerk.open()
        self.stream.emit("status", state="starting", model=self.how.model, silent=self.how.silent)
        for notice in self.how.notices:
            self.stream.emit("status", state="warning", **notice)
        try:
            self.source.open(self.how.settings)
        except OnclairError as error:
            self.stream.emit("status", state="failed", text=str(error))
            self.clerk.close()
            raise
        self.stream.started = started = self.source.clock()
        watchers = [threading.Thread(target=each, name=each.__name__, daemon=True) for each in (self._watch, self._guard)]
        for thread in watchers:
            thread.start()
        try:
            self._loop(started, seconds, sorted(agenda, key=lambda item: item[0]))
        finally:
            summary = self._end(started, watchers)
        return summary

    def stop(self) -> None:
        """End the session soon."""
        self._stop.set()

    def configure(self, settings: Settings) -> None:
        """Change the instrument's settings: the answer goes at once, and comes back with the first frames that carry them."""
        with self._lock:
            self.source.ask(settings)
            self.tally.discard("incomplete", self._rounds.drop())
            self.stream.emit("status", state="settings", settings_id=settings.id, integration_ms=settings.integration_ms)
            self._blank("settings_changed")

    def fault(self) -> None:
        """Say that a fault begins now, as a script knows it: the next blank is told from here."""
        with self._lock:
            self.screen.fault(self.source.clock())

    def mark(self, note: str = "", by: str = "", frame: str | None = None) -> str:
        """Have a site marked, the last judged measurement unless another is named; the ``mark`` event says when it is written.

        Returns
        -------
        str
            The measurement that is marked.

        Raises
        ------
        BadCase
            When nothing was judged yet, or nothing of that name lately.
        """
        with self._lock:
            name = frame or next(reversed(self._judged), None)
            judged = None if name is None else self._judged.get(name)
        if judged is None:
            raise BadCase(
                f"There is no measurement '{frame}' to be marked." if frame else "There is no measurement to be marked yet.", item=frame
            )
        self.clerk.do(lambda: self._marked(judged, note, by))
        return judged.frame

    def _marked(self, judged: Judged, note: str, by: str) -> None:
        """Write a site, on the clerk's thread, once its frames are on the disk."""
        try:
            stored = self.clerk.frames.sync(judged.frames)
            self.clerk.events.sync()
            added = self.how.marker(Mark(judged, stored, note, by, self.clerk.events.end))
        except OnclairError as error:
            self.stream.emit("status", state="not_marked", frame=judged.frame, text=str(error))
            return
        with self._lock:
            self.tally.marks += 1
            self.stream.emit("mark", frame=judged.frame, note=note, by=by, **{"site": self.tally.marks, **added})

    def _loop(self, started: float, seconds: float | None, agenda: list[tuple[float, Callable[[], None]]]) -> None:
        while not self._stop.is_set() and (seconds is None or self.source.clock() - started < seconds):
            while agenda and self.source.clock() - started >= agenda[0][0]:
                self._do(agenda.pop(0)[1])
            came = self.source.queue.get(0.01)
            if came is None and self.source.ended:
                return
            newest: Sequence[Arrived] = ()
            while came is not None:  # where the computation fell behind, only the newest measurement is of use
                complete = self._take(came)
                self.tally.discard("behind", newest if complete else ())
                newest, came = complete or newest, self.source.queue.get(0.0)
            if newest:
                self._judge(newest)

    def _do(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except OnclairError as error:
            self.stream.emit("status", state="refused", text=str(error))

    def _take(self, came: Arrived) -> Sequence[Arrived]:
        """Take one frame in: say why it is of no use, or add it to its round, and return the round where that is complete."""
        with self._lock:
            self.tally.acquired += 1
            self.tally.pose(came)
            self._tracked = self._tracked or came.frame.pose is not None
            unfit = self._unfit(came)
            if unfit:
                self.tally.discard(unfit, (came,))
                self.tally.discard("incomplete", self._rounds.drop())
                self._blank_once("settings_changed" if unfit == "old_settings" else unfit, came.frame.frame)
                return ()
            self.screen.fresh(came.at)
            if self._pose_age(came, came.at) > self.how.limits.pose_s:
                self._blank_once("pose_expired", came.frame.frame)
            complete, lost = self._rounds.add(came)
            self.tally.discard("incomplete", lost)
        return complete if self._due_now(complete) else ()

    def _due_now(self, complete: Sequence[Arrived]) -> bool:
        """Return whether a round is to be judged, as often as was asked for; count its frames where it is not."""
        if not complete or self.how.rate_hz is None:
            return bool(complete)
        if complete[-1].at < self._due:
            self.tally.discard("rate", complete)
            return False
        self._due = max(self._due + 1.0 / self.how.rate_hz, complete[-1].at)
        return True

    def _unfit(self, came: Arrived) -> str:
        """Return why a frame must not be used, or nothing."""
        frame, before = came.frame, self._last.get(came.key)
        if came.age_s > self.how.limits.late_s:
            return "late"
        if frame.frame in self._used or (before is not None and np.array_equal(before.frame.spectrum.counts, frame.spectrum.counts)):
            return "repeated"
        self._used.add(frame.frame)
        self._last[came.key] = came
        if self.source.expected is not None:
            return "" if frame.settings_id == self.source.expected else "old_settings"
        if self._carried not in (None, frame.settings_id):
            self.tally.discard("incomplete", self._rounds.drop())
            self._blank("settings_changed", frame.frame)
        self._carried = frame.settings_id
        return ""

    def _judge(self, complete: Sequence[Arrived]) -> None:
        """Judge a measurement and show what came of it."""
        frames = tuple(each.frame for each in complete)
        names = tuple(each.frame for each in frames)
        try:
            measurement = measurement_of(frames)
        except OnclairError as error:
            self._show(complete, None, Outcome(None, str(error), "unusable"))
            return
        self.stream.emit("measurement", measurement, frame=names[-1], frames=list(names), **told(measurement, frames))
        self._show(complete, measurement, overfull(frames) or self._stepped(measurement))
        self.clerk.store(frames)  # only now: writing takes turns from the computation

    def _stepped(self, measurement: Measurement) -> Outcome:
        try:
            return self.how.step(measurement)
        except OnclairError as error:
            return Outcome(None, str(error), "unusable")
        except Exception as error:
            return Outcome(None, f"The computation failed on this measurement ({type(error).__name__}: {error}).", "unusable")

    def _show(self, complete: Sequence[Arrived], measurement: Measurement | None, found: Outcome) -> None:
        """Show an outcome, or blank the screen with the reason: what is shown is checked here, at the very last."""
        with self._lock:
            now, last, names = self.source.clock(), complete[-1], [each.frame.frame for each in complete]
            pose_age = self._pose_age(last, now)
            outcome = self._checked(found, last, now)
            if measurement is not None:
                age = None if last.frame.pose is None else round_ms(pose_age)
                self._judged[names[-1]] = Judged(names[-1], tuple(names), measurement, outcome, age)
                if len(self._judged) > _MARKABLE:
                    self._judged.pop(next(iter(self._judged)))
            if outcome.blank:
                self.tally.discard(outcome.blank, names)
                self._blank(outcome.blank, names[-1], outcome.reason)
                return
            latency = now - last.at
            self.tally.old_settings += self.source.expected not in (None, last.frame.settings_id)
            answer = None if self.how.silent else outcome.answer
            self.tally.decided(names, latency, answer)
            self.screen.show(now, last.at)
            self.stream.emit(
                "decision",
                outcome,
                frame=names[-1],
                answer=answer,
                model=self.how.model,
                age_ms=round_ms(latency + last.age_s),
                reason=None if self.how.silent else outcome.reason,
                pose=pose_told(last, pose_age),
                settings_id=last.frame.settings_id,
                valid_ms=round_ms(self.how.limits.answer_s - latency),
                **({} if self.how.silent else {"detail": dict(outcome.detail)}),
            )

    def _checked(self, found: Outcome, last: Arrived, now: float) -> Outcome:
        """Return the outcome, or why it must not be shown any more."""
        shut = ""
        if self.screen.standing:
            shut = next(iter(self.screen.standing))
        elif self.source.expected not in (None, last.frame.settings_id):
            shut = "settings_changed"
        elif self._pose_age(last, now) > self.how.limits.pose_s:
            shut = "pose_expired"
            self.tally.poses_expired += 1
        elif now - last.at + last.age_s > self.how.limits.answer_s:
            shut = "slow"
        return Outcome(None, self.screen.standing.get(shut, REASONS[shut]), shut, found.detail) if shut else found

    def _pose_age(self, came: Arrived, now: float) -> float:
        """Return how old the pose of a frame is by now; without a tracker there is none to grow old."""
        pose = came.frame.pose
        if pose is None:
            return float("inf") if self._tracked else 0.0
        return max(came.frame.time_s - pose.time_s, 0.0) + came.age_s + now - came.at

    def _blank(self, reason: str, frame: str | None = None, text: str = "") -> None:
        """Take the answer away, or say again why there is none."""
        with self._lock:
            now = self.source.clock()
            news = self.screen.blank(reason, now)
            self.tally.sent_blanks += 1
            said = text or self.screen.standing.get(reason) or REASONS.get(reason, "")
            self.stream.emit("blank", frame=frame, reason=reason, text=said, again=not news)

    def _blank_once(self, reason: str, frame: str) -> None:
        """Take the answer away where one stands; frames come too often to say every time that there is none."""
        if self.screen.reason in (None, "starting"):
            self._blank(reason, frame)

    def _watch(self) -> None:
        """Blank the screen in time, whatever the other threads do."""
        while not self._stop.wait(_TICK_S):
            with self._lock:
                now = self.source.clock()
                self._stand("instrument_lost", self.source.lost)
                if self.source.refused:
                    self.stream.emit("status", state="refused", text=self.source.refused)
                    self.source.refused = ""
                reason = self.screen.overdue(now)
                if reason is not None:
                    self._blank(reason, text=self.source.quiet if reason == "silent" else "")
                elif self.screen.refresh(now):
                    self._blank(self.screen.reason or "starting", text=self.source.quiet if self.screen.silent(now) else "")

    def _guard(self) -> None:
        """Look after the model's files; what they were once is never believed again in this session."""
        while not self._stop.wait(self.how.limits.guard_s):
            altered = self.how.intact()
            if altered is not None:
                with self._lock:
                    self._stand("model_altered", altered)
                return

    def _disk(self, trouble: str | None) -> None:
        with self._lock:
            self._stand("not_recorded", trouble or "")

    def _stand(self, reason: str, text: str) -> None:
        """Let a reason stand, or lift it, and say so when that is news."""
        if text and reason not in self.screen.standing:
            self.screen.standing[reason] = text
            self.stream.emit("status", state=reason, text=text)
            self._blank(reason, text=text)
        elif not text and reason in self.screen.standing:
            del self.screen.standing[reason]
            self.stream.emit("status", state=f"{reason}_over", text="")

    def _end(self, started: float, watchers: Sequence[threading.Thread]) -> dict[str, Any]:
        self._stop.set()
        for thread in watchers:
            thread.join(2.0)
        self.source.close()
        with self._lock:
            now = self.source.clock()
            self.tally.discard("incomplete", self._rounds.drop())
            self.tally.discard("overflow", range(self.source.queue.dropped))
            self.tally.acquired += self.source.queue.dropped
            left = 0
            while (came := self.source.queue.get(0.0)) is not None:
                left += came is not None
            self.tally.acquired += left
            self.tally.discard("ended", range(left))
        self.stream.emit("blank", frame=None, reason="ended", text="The session has ended.", again=False)
        summary = self.tally.summary(self.screen.blanks, started, now)
        self.stream.emit("status", state="ended", summary=summary)
        undone = self.clerk.close()
        summary["marks"] = self.tally.marks
        if undone or self.clerk.given_up:
            said = f"The folder {self.clerk.session} did not take everything: {undone} events and {self.clerk.given_up} frames are missing"
            raise NoRoom(f"{said}; what was written before is intact.", item=str(self.clerk.session))
        return summary


__all__ = ["Agenda", "Judged", "Limits", "Live", "Loop", "Mark", "Marker", "Outcome", "Step"]
