"""`onclair spectra live` as a user calls it: a session with faults, its summary, its folder, and what is refused."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from commandline import Said, onclair, onclair_here
from obp_made import Hdx

SUMMARY = ("frames", "latency_ms", "display_hz", "blanked", "reused_frames", "decided_on_old_settings", "poses", "answers", "marks")


def live(source: str, session: Path, *words: str | Path) -> Said:
    return onclair_here("spectra", "live", "--source", source, "--session", session, *words)


def events(session: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (session / "events.jsonl").read_text().splitlines()]


def script(path: Path, entries: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Return the folder and the summary of a short session with a mark, a stall and a change of settings."""
    home = tmp_path_factory.mktemp("live")
    told = [
        {"at_s": 1.5, "do": "mark", "note": "grey rim", "by": "Ada"},
        {"at_s": 2.0, "do": "integration_ms", "value": 25},
        {"at_s": 3.0, "do": "stall", "for_s": 0.8},
    ]
    words = ("--seconds", "5", "--seed", "3", "--script", script(home / "script.json", told), "--json")
    said = onclair("spectra", "live", "--source", "simulated", "--session", home / "s", *words)
    assert said.code == 0, said.err
    return home / "s", said.json


def test_the_summary_holds_what_is_promised(session: tuple[Path, dict[str, Any]]) -> None:
    _, summary = session
    assert set(SUMMARY) <= set(summary)
    assert set(summary["frames"]) == {"acquired", "decided", "discarded"}
    assert set(summary["latency_ms"]) == {"p50", "p95", "max"}
    assert (summary["reused_frames"], summary["decided_on_old_settings"], summary["marks"]) == (0, 0, 1)
    assert summary["frames"]["acquired"] == summary["frames"]["decided"] + sum(summary["frames"]["discarded"].values())


def test_each_fault_blanks_within_half_a_second(session: tuple[Path, dict[str, Any]]) -> None:
    _, summary = session
    for fault_s, reason in ((2.0, "settings_changed"), (3.0, "silent")):
        blank = next(each for each in summary["blanked"] if each["reason"] == reason)
        assert fault_s <= blank["at_s"] <= fault_s + 0.6
        assert blank["after_ms"] <= 500


def test_the_folder_tells_the_whole_session(session: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = session
    told = events(folder)
    assert [e["seq"] for e in told] == list(range(1, len(told) + 1))
    assert {e["kind"] for e in told} == {"status", "measurement", "decision", "blank", "mark"}
    assert json.loads((folder / "session.json").read_text())["data"] == "virtual"
    assert len(list((folder / "frames").glob("*.npz"))) == sum(len(e["frames"]) for e in told if e["kind"] == "measurement")
    assert json.loads((folder / "sites.jsonl").read_text().splitlines()[0])["note"] == "grey rim"


def test_a_session_is_never_continued(session: tuple[Path, dict[str, Any]]) -> None:
    said = live("simulated", session[0], "--seconds", "1")
    assert said.code == 2
    assert "is in use" in said.err
    assert "Traceback" not in said.err


def test_a_recorded_session_is_played_again_through_the_same_loop(session: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = session
    before = (folder / "events.jsonl").read_bytes()
    said = live("replay", folder, "--seconds", "2", "--json")
    assert said.code == 0, said.err
    shown = {e["frame"]: e["answer"] for e in events(folder) if e["kind"] == "decision"}
    again = {e["frame"]: e["answer"] for e in events(folder / "replays" / "001") if e["kind"] == "decision"}
    assert again
    assert {name: answer for name, answer in again.items() if name in shown} == {name: shown[name] for name in again if name in shown}
    assert (folder / "events.jsonl").read_bytes() == before


def test_a_spectrometer_on_the_network_is_read_and_its_loss_blanks(tmp_path: Path) -> None:
    with Hdx(counts=40.0) as device:
        words = [sys.executable, "-m", "onclair", "spectra", "live", "--source", "seabreeze", "--host", "127.0.0.1", "--port"]
        running = subprocess.Popen(
            [*words, str(device.port), "--session", str(tmp_path / "s"), "--seconds", "30", "--json"], stdout=subprocess.PIPE, text=True
        )
        wait_for(lambda: any(e["kind"] == "measurement" for e in heard(tmp_path / "s")))
        device.fault = "close"
        wait_for(lambda: any(e.get("state") == "instrument_lost" for e in heard(tmp_path / "s")))
        running.send_signal(signal.SIGTERM)
        out, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert json.loads(out)["frames"]["acquired"] > 0
    assert heard(tmp_path / "s")[-1]["state"] == "ended"


def heard(session: Path) -> list[dict[str, Any]]:
    path = session / "events.jsonl"
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]] if path.exists() else []


def wait_for(what: Any, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)


@pytest.mark.parametrize(("source", "said"), [("seabreeze", "There is no spectrometer on USB"), ("igtl", "Nobody answers at 127.0.0.1")])
def test_without_an_instrument_it_says_so_and_leaves_the_folder_free(tmp_path: Path, source: str, said: str) -> None:
    for _ in range(2):
        refused = live(source, tmp_path / "s", "--seconds", "1", "--port", "1") if source == "igtl" else live(source, tmp_path / "s")
        assert refused.code == 2
        assert said in refused.err
        assert "Traceback" not in refused.err
        assert not (tmp_path / "s").exists()
    assert live("simulated", tmp_path / "s", "--seconds", "0.5", "--json").code == 0


def test_the_words_at_the_bedside_are_french_where_that_is_asked_for(tmp_path: Path) -> None:
    told = script(tmp_path / "script.json", [{"at_s": 0.8, "do": "saturate", "for_s": 0.6}])
    words = ("--seconds", "1.4", "--script", told, "--lang", "fr")
    said = onclair("spectra", "live", "--source", "simulated", "--session", tmp_path / "s", *words)
    assert said.code == 0, said.err
    for french in (
        "Le détecteur est saturé",
        "Il n'y a pas d'étalonnage",
        "La séance est terminée.",
        "Mesures : ",
        "634/AF se situe entre",
    ):
        assert french in said.out
    assert not any(word in said.out for word in ("The ", "Frames", "lies between"))
    kept = [e["text"] for e in events(tmp_path / "s") if e.get("reason") == "saturated"]
    assert kept[0].startswith("The detector is saturated")


@pytest.mark.parametrize(
    ("entries", "source", "sentence"),
    [
        ([{"at_s": 1, "do": "explode"}], "simulated", "explode"),
        ({"at_s": 1}, "simulated", "no JSON list"),
        ([{"at_s": 1, "do": "stall", "for_s": 1}], "igtl", "only the simulated instrument"),
    ],
)
def test_a_script_that_cannot_be_played_is_refused_before_anything_is_made(
    tmp_path: Path, entries: Any, source: str, sentence: str
) -> None:
    path = script(tmp_path / "script.json", entries)
    said = onclair_here("spectra", "live", "--source", source, "--session", tmp_path / "s", "--script", path, "--seconds", "1")
    assert said.code == 2
    assert sentence in said.err
    assert not (tmp_path / "s").exists()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="a small disk of its own needs unshare (util-linux)")
def test_a_disk_that_fills_up_is_said_and_what_was_written_stays_whole(tmp_path: Path) -> None:
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    command = f"{sys.executable} -m onclair spectra live --source simulated --session {disk}/s --seconds 2 --json"
    do = f"mount -t tmpfs -o size=300k none {disk} && {command}; code=$?; cp -r {disk}/s {kept}; exit $code"
    done = subprocess.run(["unshare", "-m", "bash", "-c", do], capture_output=True, text=True, check=False)
    if "mount" in done.stderr:
        pytest.skip("mounting a small disk needs root")
    assert done.returncode == 2, done.stderr
    assert "did not take everything" in done.stderr
    assert "Traceback" not in done.stderr
    told = events(kept)
    assert [e["seq"] for e in told] == list(range(1, len(told) + 1))


@pytest.mark.slow
def test_five_faults_in_24_seconds(tmp_path: Path) -> None:
    faults = {
        4.0: ("stall", {"for_s": 1.0}, {"silent"}),
        8.0: ("integration_ms", {"value": 15}, {"settings_changed"}),
        12.0: ("saturate", {"for_s": 1.0}, {"saturated"}),
        16.0: ("lamp_off", {"for_s": 1.0}, {"lamp_off", "snr", "no_contact"}),
        20.0: ("tracker_lost", {"for_s": 1.0}, {"pose_expired"}),
    }
    told = script(tmp_path / "script.json", [{"at_s": at, "do": do, **more} for at, (do, more, _) in faults.items()])
    said = onclair("spectra", "live", "--source", "simulated", "--session", tmp_path / "s", "--seconds", "24", "--script", told, "--json")
    assert said.code == 0, said.err
    summary = said.json
    for at, (do, _, reasons) in faults.items():
        blank = next(each for each in summary["blanked"] if each["reason"] in reasons and at <= each["at_s"] <= at + 0.6)
        assert blank["after_ms"] <= 500, do
    assert summary["latency_ms"]["p95"] <= 50
    assert summary["display_hz"] >= 5
    assert (summary["reused_frames"], summary["decided_on_old_settings"]) == (0, 0)
    decisions = [e for e in events(tmp_path / "s") if e["kind"] == "decision"]
    assert all(e["pose"]["age_ms"] <= 200 for e in decisions)
