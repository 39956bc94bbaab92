"""The driver of Ocean spectrometers over pyseabreeze's network transport, against a device on loopback that can fail."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from obp_made import COEFFICIENTS, PIXELS, SERIAL, Hdx
from onclair.core.errors import BadSetting, NotReachable
from onclair.io.instruments import Frame, NoFrame, Settings
from onclair.io.seabreeze import SeaBreeze

pytest.importorskip("seabreeze")
SHORT, LONGER = Settings(10.0, excitations_nm=(405.0,), white=False), Settings(25.0, excitations_nm=(405.0,), white=False)


@pytest.fixture(scope="module")
def device() -> Iterator[Hdx]:
    with Hdx() as made:
        yield made


@pytest.fixture
def instrument(device: Hdx) -> Iterator[SeaBreeze]:
    device.fault, device.counts = "", 10.0
    made = SeaBreeze(("127.0.0.1", device.port), deadline_s=5.0)
    made.open()
    yield made
    made.close()


def until(instrument: SeaBreeze, settings_id: str) -> list[Frame]:
    """Return frames up to the first that carries the settings."""
    frames = []
    for _ in range(12):
        with contextlib.suppress(NoFrame):
            frames.append(instrument.frame(5.0))
            if frames[-1].settings_id == settings_id:
                return frames
    raise AssertionError([frame.settings_id for frame in frames])


def forty(instrument: SeaBreeze) -> None:
    """Ask for a frame again and again."""
    for _ in range(40):
        with contextlib.suppress(NoFrame):
            instrument.frame(0.1)


def test_the_device_is_told_by_model_serial_and_its_own_wavelengths(instrument: SeaBreeze) -> None:
    frame = until(instrument, instrument.configure(SHORT))[-1]
    pixel = np.arange(PIXELS)
    expected = sum(np.float64(np.float32(c)) * pixel**power for power, c in enumerate(COEFFICIENTS))
    assert (instrument.about["model"], instrument.about["serial"]) == ("HDX", SERIAL.decode())
    np.testing.assert_allclose(frame.spectrum.wavelength_nm, expected)
    assert frame.spectrum.excitation_nm == 405.0


def test_no_frame_carries_new_settings_before_it_was_exposed_with_them(instrument: SeaBreeze) -> None:
    first = instrument.configure(SHORT)
    until(instrument, first)
    second = instrument.configure(LONGER)
    frames = until(instrument, second)
    assert len(frames) > 1, "the stale frame was handed out under the new name"
    assert [frame.settings_id for frame in frames[:-1]] == [first] * (len(frames) - 1)
    assert frames[-1].spectrum.counts[0] == 10.0 * LONGER.integration_ms


def test_a_full_pixel_is_said(instrument: SeaBreeze, device: Hdx) -> None:
    device.counts = 1e5
    assert until(instrument, instrument.configure(SHORT))[-1].saturated


def test_a_time_that_the_device_does_not_have_is_refused_with_its_limits(instrument: SeaBreeze) -> None:
    with pytest.raises(BadSetting, match="6 to 10000 ms, but 1 ms"):
        instrument.configure(Settings(1.0, excitations_nm=(405.0,)))


def test_two_excitations_are_refused_because_no_lamp_is_switched(instrument: SeaBreeze) -> None:
    with pytest.raises(BadSetting, match="switches no lamp, but 2"):
        instrument.configure(Settings(10.0))


@pytest.mark.parametrize("fault", ["hang", "close"])
def test_a_driver_that_never_returns_is_ended_and_opened_again(device: Hdx, fault: str) -> None:
    device.fault = ""
    instrument = SeaBreeze(("127.0.0.1", device.port), deadline_s=5.0)
    instrument.open()
    until(instrument, instrument.configure(SHORT))
    device.fault, instrument.deadline_s = fault, 0.3
    process = instrument._process
    assert process is not None
    with pytest.raises(NotReachable, match="does not answer"):
        forty(instrument)
    assert process.poll() is not None, "the driver is still running"
    device.fault, instrument.deadline_s = "", 5.0
    instrument.open()
    assert until(instrument, instrument.configure(SHORT))
    instrument.close()


def test_the_driver_ends_when_its_parent_is_killed(device: Hdx) -> None:
    device.fault = ""
    words = "from onclair.io.seabreeze import SeaBreeze; import sys, time"
    words += (
        "; s = SeaBreeze(('127.0.0.1', int(sys.argv[1])), deadline_s=20.0); s.open(); print(s._process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", words, str(device.port)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    driver = Path("/proc", parent.stdout.readline().strip())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 20
    while driver.exists() and "seabreeze_driver" in (driver / "cmdline").read_text() and time.monotonic() < until:
        time.sleep(0.05)
    assert not driver.exists() or "seabreeze_driver" not in (driver / "cmdline").read_text()


def test_an_address_where_nobody_is_is_one_sentence() -> None:
    with Hdx() as gone:
        port = gone.port
    with pytest.raises(NotReachable, match=f"127.0.0.1 port {port} does not work"):
        SeaBreeze(("127.0.0.1", port), deadline_s=5.0).open()


def test_without_a_spectrometer_on_usb_it_is_said() -> None:
    with pytest.raises(NotReachable, match="There is no spectrometer on USB"):
        SeaBreeze().open()
