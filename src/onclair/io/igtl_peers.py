"""The two ends of an OpenIGTLink connection: one that serves several readers, one that reads and connects again by itself.

Messages are pyigtl's; the sockets are our own, because pyigtl's server keeps a hundred old messages for the next reader and serves one at
a time, and its client neither notices that the other end has closed nor connects again.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pyigtl.messages import MessageBase

from onclair.core.errors import BadInput, NotReachable
from onclair.io.igtl_messages import Inbox

#: A reader that takes nothing for so long is let go.
_STUCK_S = 2.0
#: Frames that wait for one reader; the oldest go first, for nobody wants an old spectrum.
_WAITING = 16
_MOST_READERS = 8
_BLOCK = 1 << 16


@dataclass(slots=True, eq=False)
class Reader:
    """One connected reader, and what waits for it."""

    connection: socket.socket
    waiting: deque[bytes] = field(default_factory=lambda: deque(maxlen=_WAITING))
    ready: threading.Condition = field(default_factory=threading.Condition)
    closed: bool = False

    def put(self, data: bytes) -> None:
        """Leave bytes to be sent."""
        with self.ready:
            self.waiting.append(data)
            self.ready.notify()

    def serve(self) -> None:
        """Send what waits until the reader goes or takes nothing any more."""
        with contextlib.suppress(OSError), self.connection:
            self.connection.settimeout(_STUCK_S)
            while not self.closed and not self._gone():
                with self.ready:
                    self.ready.wait_for(lambda: self.waiting or self.closed, timeout=0.5)
                    data = self.waiting.popleft() if self.waiting else b""
                self.connection.sendall(data)
        self.closed = True

    def _gone(self) -> bool:
        """Return whether the reader has closed; what it says is not listened to."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(_BLOCK)


@dataclass(slots=True, eq=False)
class Serving:
    """A port that hands the same messages to every reader.

    Attributes
    ----------
    port : int
        0 for any that is free; the one taken stands here after `open`.
    host : str
        The address to listen on: this machine alone by default.
    """

    port: int
    host: str = "127.0.0.1"
    _listening: socket.socket | None = field(default=None, init=False)
    _readers: list[Reader] = field(default_factory=list, init=False)

    def open(self) -> None:
        """Take the port.

        Raises
        ------
        NotReachable
            When another program has it, or it may not be taken.
        """
        try:
            self._listening = socket.create_server((self.host, self.port), reuse_port=False)
        except (OSError, OverflowError) as error:
            why = (getattr(error, "strerror", None) or str(error)).lower()
            said = f"Port {self.port} on {self.host} cannot be taken for OpenIGTLink ({why}); end the program that has it, or give another."
            raise NotReachable(said, item=str(self.port)) from None
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, args=(self._listening,), name="igtl-port", daemon=True).start()

    @property
    def readers(self) -> int:
        """How many are connected now."""
        self._readers = [each for each in self._readers if not each.closed]
        return len(self._readers)

    def send(self, data: bytes) -> None:
        """Leave bytes for every reader; never waits for any."""
        for each in list(self._readers):
            each.put(data)

    def close(self) -> None:
        """Let go of the port and the readers."""
        if self._listening is not None:
            with contextlib.suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        for each in self._readers:
            each.closed = True
            with each.ready:
                each.ready.notify()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            if self.readers >= _MOST_READERS:
                connection.close()
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * _BLOCK)
            reader = Reader(connection)
            self._readers.append(reader)
            threading.Thread(target=reader.serve, name="igtl-reader", daemon=True).start()


@dataclass(slots=True, eq=False)
class Calling:
    """A connection to a publisher, made again whenever it is lost or nothing has come over it for `patience_s`.

    Attributes
    ----------
    host, port
    heard : callable
        ``(message, arrived)``: called from the connection's own thread for each message; `arrived` is on `clock`.
    patience_s : float
        A peer that pulled its cable looks like one that says nothing: after so long the connection is made anew.
    clock : callable
        Ours, in seconds; never set back.
    """

    host: str
    port: int
    heard: Callable[[MessageBase, float], None]
    patience_s: float = 3.0
    clock: Callable[[], float] = time.monotonic
    connected: bool = field(default=False, init=False)
    last_heard: float = field(default=float("-inf"), init=False)
    trouble: str = field(default="", init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def open(self, timeout: float = 3.0) -> None:
        """Connect, and keep connected.

        Raises
        ------
        NotReachable
            When nobody answers within `timeout` seconds.
        """
        self._stop.clear()
        first = self._connect(timeout)
        if first is None:
            said = f"Nobody answers at {self.host} port {self.port} ({self.trouble}); start the publisher, or correct --host and --port."
            raise NotReachable(said, item=f"{self.host}:{self.port}")
        self._thread = threading.Thread(target=self._keep, args=(first,), name="igtl-client", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go; closing twice does nothing."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)
            self._thread = None

    def _connect(self, timeout: float) -> socket.socket | None:
        try:
            connection = socket.create_connection((self.host, self.port), timeout=timeout)
        except (OSError, OverflowError) as error:
            self.trouble = (getattr(error, "strerror", None) or str(error) or "no answer").lower()
            return None
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection

    def _keep(self, connection: socket.socket | None) -> None:
        while not self._stop.is_set():
            if connection is None:
                self._stop.wait(0.1)
                connection = self._connect(1.0)
            if connection is not None:
                with connection:
                    self._listen(connection)
                connection = None

    def _listen(self, connection: socket.socket) -> None:
        """Hand on messages until the connection ends, turns out not to be OpenIGTLink, or is silent for too long."""
        inbox, quiet_since = Inbox(), self.clock()
        connection.settimeout(0.1)
        self.connected = True
        with contextlib.suppress(OSError, BadInput):
            while not self._stop.is_set() and self.clock() - quiet_since < self.patience_s:
                try:
                    data = connection.recv(_BLOCK)
                except TimeoutError:
                    continue
                if not data:
                    break
                arrived = quiet_since = self.last_heard = self.clock()
                for message in inbox.feed(data):
                    self.heard(message, arrived)
        self.connected, self.trouble = False, "the connection ended"
