"""The process that holds a spectrometer through pyseabreeze: it may hang or spin for ever, and is ended from outside when it does.

Run as ``python -m onclair.io.seabreeze_driver HANDLE``; it answers requests that come over that handle, one JSON object each, and a frame's
counts as bytes behind it. It ends by itself when its parent is gone.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

#: Frames after a change that are handed out with the old settings' name at the least.
_STALE = 1
_ORPHAN_S = 0.5


@dataclass(slots=True, eq=False)
class Driver:
    """One spectrometer, and what it was last told."""

    device: Any = None
    settings_id: str = ""
    before: str = ""
    integration_ms: float = 0.0
    averages: int = 1
    changed_at: float = field(default=float("-inf"))
    since_change: int = _STALE

    def open(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Find a spectrometer: the one at an address, else the first on USB."""
        self.device = _at(said["host"], int(said["port"])) if said.get("host") else _plugged_in()
        self.device.open()
        spectrometer = self.device.f.spectrometer
        wavelengths = np.asarray(spectrometer.get_wavelengths(), dtype=np.float64)
        limits = [limit / 1000.0 for limit in spectrometer.get_integration_time_micros_limits()]
        about = {"model": self.device.model, "serial": self.device.serial_number, "limits_ms": limits}
        return {**about, "most_counts": float(spectrometer.get_maximum_intensity()), "wavelength_nm": wavelengths.tolist()}

    def configure(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Set the integration time; until a frame was wholly exposed with it, frames keep the old settings' name."""
        self.device.f.spectrometer.set_integration_time_micros(round(1000.0 * said["integration_ms"]))
        self.before, self.settings_id = self.settings_id, said["id"]
        self.integration_ms, self.averages = said["integration_ms"], said["averages"]
        self.changed_at, self.since_change = time.monotonic(), 0
        return {}

    def frame(self, said: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Read as many spectra as are to be averaged; the oldest of them says which settings they carry."""
        del said
        begun_since, begun = self.since_change, time.monotonic()
        counts = np.mean([self.device.f.spectrometer.get_intensities() for _ in range(self.averages)], axis=0)
        ended = time.monotonic()
        carries = begun_since >= _STALE and begun - self.changed_at >= self.integration_ms / 1000.0
        self.since_change += 1
        about = {"settings_id": self.settings_id if carries else self.before, "time_s": ended, "pixels": int(counts.size)}
        return about, np.asarray(counts, dtype="<f8").tobytes()


def _at(host: str, port: int) -> Any:
    """Return the device at an address, without asking the whole network for others."""
    from seabreeze.pyseabreeze.devices import SeaBreezeDevice
    from seabreeze.pyseabreeze.transport import IPv4Transport, IPv4TransportHandle

    if (host, port) not in IPv4Transport.devices_ip_port:
        IPv4Transport.register_model("HDX", ipv4_address=host, ipv4_port=port)
    return SeaBreezeDevice(IPv4TransportHandle(host, port))


def _plugged_in() -> Any:
    """Return the first device on USB.

    Raises
    ------
    LookupError
        When there is none, or the system lacks libusb.
    """
    from seabreeze.pyseabreeze.devices import SeaBreezeDevice
    from seabreeze.pyseabreeze.transport import USBTransport

    try:
        found = next(iter(USBTransport.list_devices()), None)
    except RuntimeError as error:
        if "backend" in str(error):
            raise LookupError("the system's libusb, through which it is seen, is missing: install libusb-1.0") from error
        raise
    if found is None:
        raise LookupError("no spectrometer is plugged in")
    return SeaBreezeDevice(found)


def serve(line: Connection) -> None:
    """Answer requests until the other end closes."""
    driver = Driver()
    calls: dict[str, Callable[[Mapping[str, Any]], Any]] = {"open": driver.open, "configure": driver.configure, "frame": driver.frame}
    while True:
        try:
            said = json.loads(line.recv_bytes())
        except (EOFError, OSError):
            return
        try:
            answer = calls[said["do"]](said)
        except Exception as error:
            # whatever a driver raises goes over the line; the parent puts it into words
            line.send_bytes(json.dumps({"fault": f"{type(error).__name__}: {error}"}).encode())
            continue
        about, data = answer if isinstance(answer, tuple) else (answer, b"")
        line.send_bytes(json.dumps(about).encode())
        if data:
            line.send_bytes(data)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_ORPHAN_S)
    os._exit(0)


def main() -> None:
    """Serve over the handle that the command line names."""
    warnings.simplefilter("ignore")
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    serve(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    main()
