"""From a phantom to a session that knows its instrument: calibrated, locked, replayed, verified, and refused where it does not belong."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commandline import onclair, onclair_here

SCRIPT = [{"at_s": at, "do": "mark", "note": "rim", "by": "Dr C"} for at in (0.8, 1.2, 1.6)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phantom's session, the calibration made from it, and a session that locked it, three sites marked."""
    place = tmp_path_factory.mktemp("calibration")
    (place / "script.json").write_text(json.dumps(SCRIPT))
    live = ("spectra", "live", "--source", "simulated", "--seed", "3", "--json")
    assert onclair(*live, "--session", place / "phantom", "--seconds", "1.8").code == 0
    made = onclair_here("spectra", "calibrate", "--contact", place / "phantom", "--out", place / "c.json", "--json")
    assert made.code == 0, made.err
    assert made.json["usual"]["measurements"] >= 5
    words = ("--session", place / "s", "--seconds", "2", "--script", place / "script.json", "--calibration", place / "c.json")
    said = onclair(*live, *words)
    assert (said.code, said.json["marks"], said.json["warnings"]) == (0, 3, []), said.err
    return place


def test_the_session_locks_the_calibration_and_every_mark_names_it(home: Path) -> None:
    about = json.loads((home / "s" / "session.json").read_text())
    made = onclair_here("spectra", "calibrate", "--contact", home / "phantom", "--out", home / "again.json", "--json").json
    assert about["calibration"]["serial"] == about["instrument"]["serial"] == made["serial"] == "virtual C1"
    assert (home / "s" / "calibration.json").read_bytes() == (home / "c.json").read_bytes()
    rows = [json.loads(line) for line in (home / "s" / "sites.jsonl").read_text().splitlines()]
    assert [row["calibration"] for row in rows] == [about["calibration"]] * 3
    gates = {gate["name"]: gate for gate in rows[0]["quality"]}
    assert gates["no_contact"]["value"] > 0.25
    assert [row["events"]["seq"] > 0 for row in rows] == [True] * 3


def test_it_verifies_and_every_row_is_reproduced_with_the_calibration(home: Path) -> None:
    verified = onclair_here("spectra", "sitelog", home / "s", "--verify", "--json")
    assert (verified.code, verified.json["valid"], verified.json["warnings"]) == (0, True, [])
    assert onclair_here("spectra", "replay", home / "s", "--json").json["reproduced"] == 3


def test_a_calibration_touched_in_the_session_is_named_and_not_replayed(home: Path) -> None:
    path = home / "s" / "calibration.json"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole.replace(b'"measurements":', b'"measurements": '))
        said = onclair_here("spectra", "sitelog", home / "s", "--verify")
        assert (said.code, "The calibration (calibration.json) was changed" in said.err) == (1, True)
        again = onclair_here("spectra", "replay", home / "s")
        assert (again.code, "is not the one that the session locked" in again.err) == (1, True)
    finally:
        path.write_bytes(whole)


def test_a_recording_is_played_again_with_the_calibration_it_had(home: Path) -> None:
    said = onclair("spectra", "live", "--source", "replay", "--recording", home / "s", "--session", home / "r", "--seconds", "1", "--json")
    assert said.code == 0, said.err
    assert (
        json.loads((home / "r" / "session.json").read_text())["calibration"]["sha256"]
        == json.loads((home / "s" / "session.json").read_text())["calibration"]["sha256"]
    )
    assert [each["code"] for each in said.json["warnings"]] == []


def test_another_spectrometers_calibration_begins_no_session_and_an_old_one_is_warned_of(home: Path) -> None:
    told = json.loads((home / "c.json").read_text())
    (home / "other.json").write_text(json.dumps({**told, "serial": "OTHER"}))
    (home / "old.json").write_text(json.dumps({**told, "made": (datetime.now(UTC) - timedelta(days=30)).isoformat()}))
    live = ("spectra", "live", "--source", "simulated", "--seconds", "0.4")
    refused = onclair_here(*live, "--session", home / "x", "--calibration", home / "other.json")
    assert (refused.code, "'OTHER' and this is 'virtual C1'" in refused.err, (home / "x").exists()) == (2, True, False)
    warned = onclair_here(*live, "--session", home / "y", "--calibration", home / "old.json", "--json")
    assert [each["code"] for each in warned.json["warnings"]] == ["calibration_old"]
    states = [json.loads(line).get("text", "") for line in (home / "y" / "events.jsonl").read_text().splitlines()]
    assert any("is 30 days old" in text for text in states)


@pytest.mark.slow
def test_a_models_session_writes_the_reference_that_its_inputs_are_held_against(home: Path) -> None:
    cohort, run = home / "brains", home / "run"
    words = ("--patients", "16", "--centres", "2", "--seed", "7", "--pixels", "512")
    assert onclair("virtual", "spectra", "--out", cohort, *words).code == 0
    assert onclair("run", "spectra", "--data", cohort, "--out", run, "--models", "logistic", "--shuffles", "1").code == 0
    live = ("spectra", "live", "--source", "simulated", "--seed", "3", "--seconds", "2", "--script", home / "script.json")
    assert onclair(*live, "--session", home / "m", "--model", run, "--calibration", home / "c.json", "--json").json["marks"] == 3
    monitor = json.loads((home / "m" / "session.json").read_text())["monitor"]
    assert set(monitor["shift_nm"]) == {"mean", "between", "within"}
    told = onclair_here("spectra", "sitelog", home / "m", "--json").json["monitor"]
    assert {each["name"] for each in told} == set(monitor)
    assert all(each["n"] == 3 for each in told if each["name"] == "shift_nm")
    assert onclair_here("spectra", "replay", home / "m", "--model", run, "--json").json["reproduced"] == 3
