"""Ocean spectrometers through pyseabreeze, in a process of their own that is ended when it does not answer in time.

pyseabreeze blocks without limit on a device that was pulled out, and turns for ever on a network connection that was closed. So the driver
is a process; every call has a deadline, and a driver that misses it is killed and left behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting, NotReachable
from onclair.core.values import Detector, Spectrum
from onclair.io.instruments import Frame, FrameKind, NoFrame, Settings, is_saturated

_ABSENT = ("LookupError", "NoBackendError")


@dataclass(slots=True, eq=False)
class SeaBreeze:
    """A spectrometer on USB, or on the network at an address.

    pyseabreeze switches no lamp, so every frame is taken under the one light that is on: settings name one excitation, or the lamp-off
    frame is taken by an instrument that wraps this one and switches the lamp (see "write an instrument").

    Attributes
    ----------
    address : (str, int) or None
        IPv4 address and port; None for the first on USB.
    kind : {"fluorescence", "lamp_off", "white"}
        What the frames that follow are; set by whoever switches the lamp.
    deadline_s : float
        So long the driver may take beyond the exposure itself.
    about : mapping
        ``model serial limits_ms most_counts`` once it is open.
    """

    address: tuple[str, int] | None = None
    kind: FrameKind = "fluorescence"
    deadline_s: float = 3.0
    about: dict[str, Any] = field(default_factory=dict, init=False)
    _wavelength: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), init=False)
    _settings: Settings | None = field(default=None, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _line: Connection | None = field(default=None, init=False)
    _asked: bool = field(default=False, init=False)
    _waited_s: float = field(default=0.0, init=False)
    _made: int = field(default=0, init=False)

    def open(self) -> None:
        """Start the driver and take hold of the spectrometer.

        Raises
        ------
        NotReachable
            When there is none, or it does not answer.
        """
        self.close()
        self._start()
        host, port = self.address or (None, None)
        about = self._call(
            {"do": "open", "host": host, "port": port}, max(10.0, self.deadline_s) if self.address is None else self.deadline_s
        )
        self._wavelength = np.array(about.pop("wavelength_nm"))
        self.about = about

    def configure(self, settings: Settings) -> str:
        """Set the integration time and return the settings' id.

        Raises
        ------
        BadSetting
            For a time that the spectrometer does not have, or more than one excitation.
        NotReachable
            When the driver does not answer.
        """
        low, high = self.about.get("limits_ms", (0.0, np.inf))
        if not low <= settings.integration_ms < high:
            said = f"The spectrometer {self.name} takes {low:g} to {high:g} ms, but {settings.integration_ms:g} ms are asked for"
            raise BadSetting(f"{said}; give another integration time.", item="integration_ms")
        if len(settings.excitations_nm) != 1:
            said = f"The spectrometer {self.name} switches no lamp, but {len(settings.excitations_nm)} excitations are asked for"
            raise BadSetting(f"{said}; name the one that is on, or write an instrument that switches them.", item="excitations_nm")
        self._drain()
        self._call({"do": "configure", "integration_ms": settings.integration_ms, "averages": settings.averages, "id": settings.id})
        self._settings = settings
        return settings.id

    def frame(self, timeout: float) -> Frame:
        """Return the next frame.

        Raises
        ------
        NoFrame
            When it was not there within `timeout` seconds; it is asked for again by the next call.
        NotReachable
            When the driver has missed its deadline and was ended.
        """
        settings = self._settings
        if settings is None:
            raise NotReachable(f"The spectrometer {self.name} was told no integration time yet; configure it first.")
        if not self._asked:
            self._send({"do": "frame"})
            self._asked, self._waited_s = True, 0.0
        if not self._ready(timeout):
            self._waited_s += timeout
            if self._waited_s > self.deadline_s + settings.averages * settings.integration_ms / 1000.0:
                self._abandon("no spectrum came")
            raise NoFrame(f"The spectrometer {self.name} has sent no spectrum for {self._waited_s:.1f} s.", item=self.name)
        self._asked = False
        return self._framed(self._answer(), settings)

    def close(self) -> None:
        """End the driver, whatever it is doing; closing twice does nothing."""
        process, line = self._process, self._line
        self._process = self._line = None
        self._asked, self._settings = False, None
        if line is not None:
            with contextlib.suppress(OSError):
                line.close()
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
            if process.poll() is None:
                process.kill()
            process.wait()

    @property
    def name(self) -> str:
        """What sentences call it."""
        where = f"at {self.address[0]} port {self.address[1]}" if self.address else "on USB"
        known = " ".join(str(self.about[key]) for key in ("model", "serial") if self.about.get(key))
        return f"{known} {where}".strip()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            handle = theirs.fileno()
            words = [sys.executable, "-m", "onclair.io.seabreeze_driver", str(handle)]
            self._process = subprocess.Popen(words, pass_fds=(handle,), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._line = Connection(os.dup(ours.fileno()))
        ours.close()

    def _call(self, said: dict[str, Any], deadline_s: float | None = None) -> dict[str, Any]:
        self._send(said)
        if not self._ready(self.deadline_s if deadline_s is None else deadline_s):
            self._abandon(f"it did not answer to '{said['do']}'")
        return self._answer()

    def _drain(self) -> None:
        """Wait for a frame that was asked for and not fetched, and forget it."""
        if self._asked and self._settings is not None:
            if not self._ready(self.deadline_s + self._settings.averages * self._settings.integration_ms / 1000.0):
                self._abandon("no spectrum came")
            self._asked = False
            self._answer()
            self._data()

    def _send(self, said: dict[str, Any]) -> None:
        if self._line is None:
            raise NotReachable(f"The spectrometer {self.name} is not open; open it first.")
        try:
            self._line.send_bytes(json.dumps(said).encode())
        except OSError:
            self._abandon("its driver ended")

    def _ready(self, timeout: float) -> bool:
        return self._line is not None and self._line.poll(timeout)

    def _answer(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(self._line.recv_bytes()) if self._line is not None else {}
        except (EOFError, OSError):
            self._abandon("its driver ended")
        if "fault" in answer:
            self._refuse(answer["fault"])
        return answer

    def _data(self) -> bytes:
        if self._line is None or not self._line.poll(self.deadline_s):
            self._abandon("half of a spectrum came")
        return self._line.recv_bytes() if self._line is not None else b""

    def _framed(self, about: dict[str, Any], settings: Settings) -> Frame:
        counts = np.frombuffer(self._data(), dtype="<f8")
        most = self.about["most_counts"]
        self._made += 1
        name = f"{self.about.get('serial') or 'seabreeze'}_F{self._made:06d}"
        excitation = settings.excitations_nm[0] if self.kind == "fluorescence" else None
        spectrum = Spectrum(
            counts, self._wavelength, excitation, settings.integration_ms, averages=settings.averages, detector=Detector(most), frame=name
        )
        return Frame(name, self.kind, spectrum, about["settings_id"], about["time_s"], is_saturated(counts, most))

    def _refuse(self, fault: str) -> None:
        self.close()
        if fault.startswith(_ABSENT):
            said = f"There is no spectrometer {self.name} ({fault.partition(': ')[2] or fault})"
            raise NotReachable(
                f"{said}; plug it in, give yourself the right to use it (seabreeze_os_setup), and try again.", item=self.name
            )
        raise NotReachable(
            f"The spectrometer {self.name} does not work ({fault}); check cable and address, and open it again.", item=self.name
        )

    def _abandon(self, why: str) -> None:
        """End a driver that does not answer, and say so."""
        self.close()
        said = f"The spectrometer {self.name} does not answer ({why}); its driver was ended"
        raise NotReachable(f"{said}: check cable and power, then it is opened again.", item=self.name)
