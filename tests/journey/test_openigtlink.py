"""OpenIGTLink between real ends: our publisher read by pyigtl, pyigtl's server read by us, and a publisher process that is paused."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commandline import onclair_here
from live_made import made
from onclair.core.errors import NotReachable
from onclair.io.instruments import Frame, NoFrame

pyigtl = pytest.importorskip("pyigtl")
from onclair.io.igtl_peers import Calling  # noqa: E402 (needs the extra)
from onclair.io.openigtlink import OpenIGTLink, Publisher  # noqa: E402


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher(0)
    made.open()
    yield made
    made.close()


@pytest.fixture
def reader(publisher: Publisher) -> Iterator[OpenIGTLink]:
    made = OpenIGTLink(port=publisher.port)
    made.open()
    wait_for(lambda: publisher.readers == 1)
    yield made
    made.close()


def wait_for(what: Any, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.01)


def test_a_frame_comes_out_as_it_went_in(publisher: Publisher, reader: OpenIGTLink) -> None:
    sent = made(1, pose_age_s=0.05)
    publisher.send(sent)
    got = reader.frame(5.0)
    assert (got.frame, got.kind, got.settings_id, got.spectrum.excitation_nm, got.saturated) == ("F1", "fluorescence", "S", 405.0, False)
    np.testing.assert_allclose(got.spectrum.wavelength_nm, sent.spectrum.wavelength_nm, rtol=1e-6)
    np.testing.assert_array_equal(got.spectrum.counts, sent.spectrum.counts)
    assert got.pose is not None
    assert got.pose.lps[:3, 3].tolist() == [1.0, 2.0, 3.0]
    assert (got.pose.frame_of_reference, got.pose.registration_error_mm) == ("nav", 0.8)


def test_every_frame_comes_once_and_in_order(publisher: Publisher, reader: OpenIGTLink) -> None:
    got = []
    for number in range(40):
        publisher.send(made(number))
        got.append(reader.frame(5.0).frame)
    assert got == [f"F{number}" for number in range(40)]
    with pytest.raises(NoFrame):
        reader.frame(0.05)


def test_a_plain_pyigtl_client_reads_the_publisher_in_ras(publisher: Publisher) -> None:
    client = pyigtl.OpenIGTLinkClient("127.0.0.1", publisher.port)
    try:
        wait_for(lambda: publisher.readers == 1)
        publisher.send(made(1, pose_age_s=0.05))
        image, info, pose = (client.wait_for_message(name, timeout=10) for name in ("Spectrum", "SpectrumInfo", "ProbeToReference"))
        assert (image.image.shape, image.image.dtype) == ((1, 2, 64), np.float32)
        said = json.loads(info.string)
        assert {"frame", "kind", "settings_id", "excitation_nm", "integration_ms", "saturated", "time"} <= set(said)
        assert pose.matrix[:3, 3].tolist() == [-1.0, -2.0, 3.0]
        assert json.loads(client.wait_for_message("Status", timeout=10).string)["beat"] >= 1
    finally:
        client.stop()


def test_a_plain_pyigtl_server_is_read_and_its_poses_are_turned_to_lps() -> None:
    usual = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = pyigtl.OpenIGTLinkServer(port=port)
    reader = OpenIGTLink(port=port)
    try:
        reader.open()
        wait_for(server.is_connected)
        matrix = np.eye(4)
        matrix[:3, 3] = (10.0, 20.0, 30.0)
        server.send_message(pyigtl.TransformMessage(matrix, device_name="ProbeToReference"))
        pixels = np.stack([np.linspace(400, 700, 50), np.arange(50.0)]).astype(np.float32)[None]
        server.send_message(pyigtl.ImageMessage(pixels, device_name="Spectrum"))
        said = {
            "frame": "X",
            "kind": "white",
            "settings_id": "a",
            "excitation_nm": None,
            "integration_ms": 5,
            "saturated": True,
            "time": 1.0,
        }
        server.send_message(pyigtl.StringMessage(json.dumps(said), device_name="SpectrumInfo"))
        got = reader.frame(10.0)
        assert (got.frame, got.saturated, got.spectrum.integration_ms) == ("X", True, 5.0)
        assert got.pose is not None
        assert got.pose.lps[:3, 3].tolist() == [-10.0, -20.0, 30.0]
    finally:
        reader.close()
        server.stop()
        for number, handler in usual.items():
            signal.signal(number, handler)


def test_what_is_no_spectrum_is_counted_and_passed_over(publisher: Publisher, reader: OpenIGTLink) -> None:
    from onclair.io.igtl_messages import string_bytes

    publisher.send(made(1))
    reader.frame(5.0)
    flat = pyigtl.ImageMessage(np.zeros((1, 3, 8), np.float32), device_name="Spectrum").pack()
    publisher._serving.send(flat + string_bytes("SpectrumInfo", {"frame": "bad"}, 0.0) + string_bytes("Other", {}, 0.0))
    good = pyigtl.ImageMessage(np.zeros((1, 2, 8), np.float32), device_name="Spectrum").pack()
    publisher._serving.send(good + string_bytes("SpectrumInfo", {"frame": "bad", "kind": "x-ray"}, 0.0))
    publisher.send(made(2))
    assert reader.frame(5.0).frame == "F2"
    assert reader.damaged == 2


def test_a_connection_that_is_no_openigtlink_is_left_and_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        calling = Calling("127.0.0.1", other.getsockname()[1], lambda message, arrived: None)
        calling.open()
        first, _ = other.accept()
        first.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4)
        other.settimeout(10)
        second, _ = other.accept()
        calling.close()
        first.close()
        second.close()


def test_a_half_open_peer_is_called_again(publisher: Publisher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(10)
        calling = Calling("127.0.0.1", mute.getsockname()[1], lambda message, arrived: None, patience_s=0.3)
        calling.open()
        first, _ = mute.accept()
        second, _ = mute.accept()
        calling.close()
        first.close()
        second.close()


def test_a_new_reader_is_given_nothing_old(publisher: Publisher) -> None:
    for number in range(5):
        publisher.send(made(number))
    reader = OpenIGTLink(port=publisher.port)
    reader.open()
    wait_for(lambda: publisher.readers == 1)
    publisher.send(made(9))
    assert reader.frame(5.0).frame == "F9"
    reader.close()


def test_a_port_that_is_taken_and_a_port_where_nobody_is_are_one_sentence_each(publisher: Publisher) -> None:
    with pytest.raises(NotReachable, match=f"Port {publisher.port} on 127.0.0.1 cannot be taken"):
        Publisher(publisher.port).open()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NotReachable, match=f"Nobody answers at 127.0.0.1 port {port}"):
        OpenIGTLink(port=port).open()


def test_silence_is_told_from_absence_by_the_heartbeat(publisher: Publisher, reader: OpenIGTLink) -> None:
    wait_for(lambda: bool(reader.status))
    with pytest.raises(NoFrame, match="alive but sends no spectrum"):
        reader.frame(0.2)
    publisher.close()
    wait_for(lambda: "is not connected" in silence(reader))


def silence(reader: OpenIGTLink) -> str:
    try:
        found: Frame = reader.frame(0.05)
    except NoFrame as error:
        return str(error)
    return found.frame


def test_a_reader_blanks_while_the_publisher_is_paused_and_recovers(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "onclair", "spectra", "live", "--source"]
    simulated = [*words, "simulated", "--seed", "3", "--rate-hz", "2", "--publish", "0"]
    publishing = subprocess.Popen([*simulated, "--session", str(tmp_path / "publisher"), "--seconds", "120"], stdout=subprocess.DEVNULL)
    try:
        port = published_port(tmp_path / "publisher", publishing)
        folder = tmp_path / "reader"
        reading = subprocess.Popen(
            [*words, "igtl", "--port", str(port), "--rate-hz", "5", "--session", str(folder), "--seconds", "60", "--json"],
            stdout=subprocess.PIPE,
        )
        wait_for(lambda: any(e["kind"] == "decision" for e in heard(folder)), 60.0)
        publishing.send_signal(signal.SIGSTOP)
        stopped = len(heard(folder))
        wait_for(lambda: any("not even a heartbeat" in e.get("text", "") for e in heard(folder)[stopped:]))
        publishing.send_signal(signal.SIGCONT)
        resumed = len(heard(folder))
        wait_for(lambda: any(e["kind"] == "decision" for e in heard(folder)[resumed:]))
        reading.send_signal(signal.SIGTERM)
        out, _ = reading.communicate(timeout=60)
    finally:
        publishing.send_signal(signal.SIGCONT)
        publishing.kill()
        publishing.wait()
    summary = json.loads(out)
    paused = [blank for blank in summary["blanked"] if blank["reason"] == "silent"]
    assert paused
    assert all(blank["after_ms"] <= 500 for blank in paused)
    assert summary["reused_frames"] == summary["decided_on_old_settings"] == 0
    assert all(e["pose"]["age_ms"] <= 200 for e in heard(folder) if e["kind"] == "decision")


def published_port(session: Path, process: subprocess.Popen[bytes]) -> int:
    def ports() -> list[int]:
        assert process.poll() is None
        return [e["port"] for e in heard(session) if e.get("state") == "publishing"]

    wait_for(ports, 60.0)
    return ports()[0]


def heard(session: Path) -> list[dict[str, Any]]:
    path = session / "events.jsonl"
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]] if path.exists() else []


def test_where_nobody_publishes_the_command_says_so_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = onclair_here("spectra", "live", "--source", "igtl", "--port", str(port), "--session", tmp_path / "s", "--seconds", "1")
    assert said.code == 2
    assert f"Nobody answers at 127.0.0.1 port {port}" in said.err
    assert "Traceback" not in said.err
