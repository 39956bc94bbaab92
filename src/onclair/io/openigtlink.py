"""Spectra, poses and a heartbeat over OpenIGTLink: a publisher that any such program can read, and an instrument that reads one.

The only home of OpenIGTLink. The protocol says nothing of a peer that fell silent, and pyigtl does not notice one: what comes is aged by
our own clock, and the heartbeat tells a publisher without an instrument from one that is gone.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pyigtl.messages import ImageMessage, MessageBase, StringMessage, TransformMessage

from onclair.io.ageing import Ageing
from onclair.io.igtl_messages import INFO, POSE, SPECTRUM, STATUS, Pairing, frame_bytes, pose_bytes, pose_of, string_bytes
from onclair.io.igtl_peers import Calling, Serving
from onclair.io.instruments import Frame, NoFrame, Pose, Settings

#: Between two heartbeats.
BEAT_S = 0.1
_HELD = 64


@dataclass(slots=True, eq=False)
class Publisher:
    """An OpenIGTLink server of frames and poses, for as many readers as come.

    Attributes
    ----------
    port : int
        0 for any that is free; the one taken stands here after `open`.
    host : str
        This machine alone by default.
    """

    port: int
    host: str = "127.0.0.1"
    _serving: Serving = field(init=False)
    _status: Mapping[str, Any] = field(default_factory=lambda: {"status": "starting"}, init=False)
    _last_pose_s: float | None = field(default=None, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)

    def open(self) -> None:
        """Take the port and start the heartbeat.

        Raises
        ------
        NotReachable
            When the port cannot be taken.
        """
        self._serving = Serving(self.port, self.host)
        self._serving.open()
        self.port = self._serving.port
        threading.Thread(target=self._beat, name="igtl-heartbeat", daemon=True).start()

    @property
    def readers(self) -> int:
        """How many are connected now."""
        return self._serving.readers

    def send(self, frame: Frame) -> None:
        """Hand a frame to every reader, and its pose where that is new; never waits for any."""
        wall_s = time.time()
        data = b""
        if frame.pose is not None and frame.pose.time_s != self._last_pose_s:
            self._last_pose_s = frame.pose.time_s
            data = pose_bytes(frame.pose, wall_s - max(frame.time_s - frame.pose.time_s, 0.0))
        self._serving.send(data + frame_bytes(frame, wall_s))

    def say(self, status: Mapping[str, Any]) -> None:
        """Let the heartbeat carry another status, plain JSON values, from now on."""
        self._status = dict(status)

    def close(self) -> None:
        """Let go of the port; closing twice does nothing."""
        self._stop.set()
        self._serving.close()

    def _beat(self) -> None:
        beat = 0
        while not self._stop.wait(BEAT_S):
            beat += 1
            self._serving.send(string_bytes(STATUS, {**self._status, "beat": beat}, time.time()))


@dataclass(slots=True, eq=False)
class OpenIGTLink:
    """An instrument at the other end of an OpenIGTLink connection.

    Times of frames and poses are on our own clock: when they came, less what they came late by. A pose that was not sent again grows old.

    Attributes
    ----------
    host, port
    clock : callable
        Ours, in seconds; never set back.
    dropped : int
        Frames that nobody fetched in time.
    status : mapping
        What the last heartbeat said.

    Raises
    ------
    NotReachable
        By `open`, when nobody answers; by then a lost connection is made again without a word, and `frame` raises `NoFrame`.
    """

    host: str = "127.0.0.1"
    port: int = 18944
    clock: Callable[[], float] = time.monotonic
    dropped: int = field(default=0, init=False)
    status: Mapping[str, Any] = field(default_factory=dict, init=False)
    _calling: Calling = field(init=False)
    _pairing: Pairing = field(default_factory=Pairing, init=False)
    _frames: deque[Frame] = field(default_factory=deque, init=False)
    _came: threading.Condition = field(default_factory=threading.Condition, init=False)
    _pose: Pose | None = field(default=None, init=False)
    _ages: dict[str, Ageing] = field(default_factory=lambda: {POSE: Ageing(), SPECTRUM: Ageing()}, init=False)

    def __post_init__(self) -> None:
        self._calling = Calling(self.host, self.port, self._heard, clock=self.clock)

    def open(self) -> None:
        """Connect.

        Raises
        ------
        NotReachable
            When nobody answers.
        """
        self._calling.open()

    def configure(self, settings: Settings) -> str:
        """Return the id of the settings; the publisher's own hold, and every frame says which."""
        return settings.id

    def frame(self, timeout: float) -> Frame:
        """Return the next frame, the oldest first.

        Raises
        ------
        NoFrame
            When none came within `timeout` seconds; the sentence says whether the peer is gone or only silent.
        """
        with self._came:
            if self._came.wait_for(lambda: self._frames, timeout):
                return self._frames.popleft()
        raise NoFrame(self._why_silent(), item=f"{self.host}:{self.port}")

    def close(self) -> None:
        """Let go; closing twice does nothing."""
        self._calling.close()

    @property
    def damaged(self) -> int:
        """Messages that could not be read."""
        return self._pairing.damaged

    def _why_silent(self) -> str:
        peer, silent_s = f"The publisher at {self.host} port {self.port}", self.clock() - self._calling.last_heard
        if not self._calling.connected:
            return f"{peer} is not connected ({self._calling.trouble or 'no answer'}); the connection is tried again."
        if silent_s < 5 * BEAT_S:
            return f"{peer} is alive but sends no spectrum; look at its instrument."
        return f"{peer} says nothing, not even a heartbeat: it is paused, or the cable is out."

    def _heard(self, message: MessageBase, arrived: float) -> None:
        """Take one message in, on the connection's thread."""
        if isinstance(message, ImageMessage) and message.device_name == SPECTRUM:
            self._pairing.image(message)
        elif isinstance(message, TransformMessage) and message.device_name == POSE:
            self._pose = pose_of(message, arrived - self._ages[POSE].late(arrived, message.timestamp)) or self._pose
        elif isinstance(message, StringMessage) and message.device_name == INFO:
            self._framed(message, arrived)
        elif isinstance(message, StringMessage) and message.device_name == STATUS:
            self.status = _status(message)

    def _framed(self, message: StringMessage, arrived: float) -> None:
        found = self._pairing.info(message, self._pose)
        if found is None:
            return
        told = replace(found, time_s=arrived - self._ages[SPECTRUM].late(arrived, found.time_s))
        with self._came:
            if len(self._frames) >= _HELD:
                self._frames.popleft()
                self.dropped += 1
            self._frames.append(told)
            self._came.notify()


def _status(message: StringMessage) -> Mapping[str, Any]:
    try:
        said = json.loads(message.string)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
