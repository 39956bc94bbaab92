"""A spectrometer of the model HDX on loopback: it answers the Ocean Binary Protocol, hands out one stale spectrum, and can fail."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

import numpy as np

HEADER = "<HHHHLL6sBB16sL"
PIXELS = 2068
COEFFICIENTS = (350.0, 0.4, -1e-6, 0.0)
SERIAL = b"HDX00042"
SERIAL_LENGTH, GET_SERIAL, SPECTRUM, SET_TIME, HOW_MANY, COEFFICIENT = 0x101, 0x100, 0x101000, 0x110010, 0x180100, 0x180101


@dataclass
class Hdx:
    """Counts tell the integration time in ms that they were exposed with; `fault` is "", "hang" or "close"."""

    fault: str = ""
    counts: float = 10.0
    exposures: int = 0
    asked: list[int] = field(default_factory=list)

    def __enter__(self) -> Hdx:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self.integration_ms = self._exposed_ms = 100.0
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, struct.error), connection:
            while True:
                header = connection.recv(44, socket.MSG_WAITALL)
                start, _, flags, _, kind, _, _, _, length, immediate, remaining = struct.unpack(HEADER, header)
                assert start == 0xC0C1
                body = connection.recv(remaining, socket.MSG_WAITALL)[:-20]
                self.asked.append(kind)
                if self.fault == "close" and kind == SPECTRUM:
                    return
                while self.fault == "hang" and kind == SPECTRUM:
                    time.sleep(0.01)
                answer = self._answer(kind, immediate[:length] or body)
                if answer or flags & 4:
                    connection.sendall(packed(kind, answer))

    def _answer(self, kind: int, said: bytes) -> bytes:
        if kind == SERIAL_LENGTH:
            return struct.pack("<B", len(SERIAL))
        if kind == GET_SERIAL:
            return SERIAL
        if kind == HOW_MANY:
            return struct.pack("<B", len(COEFFICIENTS))
        if kind == COEFFICIENT:
            return struct.pack("<f", COEFFICIENTS[said[0]])
        if kind == SET_TIME:
            self.integration_ms = struct.unpack("<L", said)[0] / 1000.0
            return b""
        if kind == SPECTRUM:
            return self._spectrum()
        raise OSError(kind)

    def _spectrum(self) -> bytes:
        """Return what was under way, and begin the next exposure with the settings of now."""
        exposed, self._exposed_ms = self._exposed_ms, self.integration_ms
        time.sleep(exposed / 1000.0)
        self.exposures += 1
        counts = np.minimum(self.counts * exposed + np.arange(PIXELS) % 7, 65535)
        counts[-1] = self.exposures % 1000  # no two exposures are ever alike
        return counts.astype("<u2").tobytes()


def packed(kind: int, answer: bytes) -> bytes:
    """Return an answer as the protocol wants it: up to 16 bytes within the header."""
    immediate, payload = (answer, b"") if len(answer) <= 16 else (b"", answer)
    header = struct.pack(HEADER, 0xC0C1, 0x1100, 1, 0, kind, 0, b"", 0, len(immediate), immediate, 20 + len(payload))
    return header + payload + struct.pack("<16sL", b"", 0xC2C3C4C5)
