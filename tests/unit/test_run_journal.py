"""The journal: what is acknowledged is on the disk, nothing is edited, and what cannot be logged is refused in words."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from onclair.core.errors import BadInput, CheckFailed, NoRoom
from onclair.io.chainlog import read
from onclair.run.journal import Pathology, SiteMark, enter_pathology, from_live, mark, marker, result_of, review
from onclair.run.journal_verify import verify_session
from onclair.run.live_parts import Judged, Mark, Outcome
from onclair.run.session_folder import new_session, read_session
from onclair.run.session_frames import SessionFrames, measurement_of
from onclair.run.sites import log_of, record_of, sites_of
from site_sessions import MODEL, finished, frames_of, mark_site, session_at, step

SOURCE = {"file": "p.csv", "sha256": "cd" * 32}


def rows_of(session):
    return [entry.fields for entry in read(log_of(session)).entries]


def test_a_mark_holds_all_that_its_answer_rests_on(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s")
    mark_site(session, 1, 500.0, note="edge")
    (row,) = rows_of(session)
    assert (row["kind"], row["site"], row["note"], row["author"]) == ("mark", 1, "edge", "AB")
    assert (row["settings_id"], row["calibration"], row["model"]) == ("set1", "cal-1", MODEL)
    assert [each["frame"] for each in row["frames"]] == ["F1a", "F1b"]
    assert row["amounts"]["PpIX634"]["status"] == "ok"
    assert row["quality"][0]["name"] == "snr"
    assert row["prediction_set"] == ["suspect"]
    assert (row["pose_age_ms"], row["registration_error_mm"], row["frame_of_reference"]) == (50.0, 1.4, "navigation A")


def test_a_pose_told_in_ras_is_logged_in_lps(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s")
    mark_site(session, 1, 500.0, place=(10.0, 20.0, 30.0))
    assert sites_of(read(log_of(session)).entries)[0].position == (10.0, 20.0, 30.0)


def test_sites_are_numbered_from_one_without_gaps(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s")
    assert [mark_site(session, number, 100.0).site for number in (1, 2, 3)] == [1, 2, 3]


def test_a_session_folder_is_never_used_again(tmp_path: Path) -> None:
    session_at(tmp_path / "s")
    with pytest.raises(NoRoom, match="never continued nor written over"):
        new_session(tmp_path / "s", {"data": "virtual"})


def test_a_folder_without_a_session_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no session"):
        read_session(tmp_path)


def test_a_mark_whose_frame_is_not_on_the_disk_is_refused_and_not_logged(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s")
    stored = tuple(SessionFrames(session.folder).store(frame) for frame in frames_of(1, 100.0))
    (session.folder / stored[1].file).unlink()
    with pytest.raises(CheckFailed, match="'F1b' of the mark is missing"):
        mark(session, SiteMark(stored, result_of(Outcome("suspect")), author="AB"))
    assert not log_of(session).path.exists()


def test_a_mark_without_author_or_frames_is_refused(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s")
    stored = tuple(SessionFrames(session.folder).store(frame) for frame in frames_of(1, 100.0))
    with pytest.raises(BadInput, match="say who marks"):
        mark(session, SiteMark(stored, result_of(Outcome("suspect"))))
    with pytest.raises(BadInput, match="name a stored frame"):
        mark(session, SiteMark((), result_of(Outcome("suspect")), author="AB"))


def test_an_answer_of_a_refitted_model_is_refused(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s")
    stored = tuple(SessionFrames(session.folder).store(frame) for frame in frames_of(1, 100.0))
    other = {**result_of(Outcome("suspect")), "model": {**MODEL, "sha256": "ef" * 32}}
    with pytest.raises(BadInput, match="refitted model needs a session of its own"):
        mark(session, SiteMark(stored, other, author="AB"))


def test_the_live_loops_mark_is_logged_and_its_event_told_site_and_row_hash(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s", operator="Dr C")
    frames = frames_of(1, 500.0)
    measurement = measurement_of(frames)
    stored = tuple(SessionFrames(session.folder).store(frame) for frame in frames)
    judged = Judged("F1b", ("F1a", "F1b"), measurement, step(measurement), 40.0)
    added = marker(session)(Mark(judged, stored, "pedal", ""))
    (row,) = rows_of(session)
    assert added == {"site": 1, "row_hash": read(log_of(session)).head}
    assert (row["author"], row["note"], row["pose_age_ms"], row["answer"]) == ("Dr C", "pedal", 40.0, "suspect")
    assert from_live(Mark(judged, stored, "", "X")).author == "X"


def test_a_second_pathology_is_a_new_row_and_the_last_one_stands(tmp_path: Path) -> None:
    session = finished(tmp_path / "s")
    enter_pathology(session, [Pathology(1, "margin", 0.3)], source=SOURCE)
    enter_pathology(session, [Pathology(1, "core", 0.8)], source=SOURCE)
    told = [row["diagnosis"] for row in rows_of(session) if row["kind"] == "pathology"]
    record = record_of(sites_of(read(log_of(session)).entries)[0])
    assert (told, record["pathology"]["diagnosis"], record["pathologies"]) == (["margin", "core"], "core", 2)


def test_pathology_of_an_unknown_site_is_refused_whole(tmp_path: Path) -> None:
    session = finished(tmp_path / "s")
    with pytest.raises(BadInput, match="Site 9 was never marked in this session \\(it has sites 1 to 3\\)"):
        enter_pathology(session, [Pathology(1, "margin"), Pathology(9, "core")], source=SOURCE)
    assert [row["kind"] for row in rows_of(session)] == ["mark"] * 3


def test_a_review_names_who_and_why(tmp_path: Path) -> None:
    session = finished(tmp_path / "s")
    review(session, 2, "reject", "Dr C", reason="necrosis")
    assert sites_of(read(log_of(session)).entries)[1].review["reason"] == "necrosis"
    with pytest.raises(BadInput, match="why the answer is to be rejected"):
        review(session, 2, "reject", "Dr C")


def test_numbers_that_json_cannot_hold_become_none() -> None:
    made = result_of(Outcome("suspect", detail={"inputs": {"a": np.float64("nan"), "b": np.float32(0.5)}, "prediction_set": ("suspect",)}))
    assert made["inputs"] == {"a": None, "b": 0.5}
    assert made["prediction_set"] == ["suspect"]


def test_a_half_written_last_line_is_set_aside_and_told(tmp_path: Path) -> None:
    session = finished(tmp_path / "s")
    with log_of(session).path.open("ab") as stream:
        stream.write(b'{"kind":"mark","site":4,"am')
    found = verify_session(session.folder)
    assert (found.valid, found.sites, [note["code"] for note in found.notes]) == (True, 3, ["torn"])
    assert mark_site(session, 4, 100.0).site == 4
    assert log_of(session).torn_path.read_bytes().startswith(b'{"kind":"mark","site":4')
    assert verify_session(session.folder).valid


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from site_sessions import mark_site, session_at
session = session_at(Path({folder!r}))
for number in range(1, 10_000):
    print(mark_site(session, number, 100.0 + number).site, flush=True)
"""


def test_every_mark_that_a_killed_process_acknowledged_is_there_with_its_frames(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    code = WRITER.format(tests=str(Path(__file__).parent.parent), folder=str(folder))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as writer:
        acknowledged = [int(writer.stdout.readline()) for _ in range(12)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().splitlines()]
    assert writer.returncode == -signal.SIGKILL
    found = verify_session(folder)
    assert found.problems == ()
    assert found.sites >= acknowledged[-1] >= 12
    sites = {site.number: site for site in sites_of(read(log_of(read_session(folder))).entries)}
    assert set(acknowledged) <= set(sites)
    assert all((folder / each["file"]).is_file() for number in acknowledged for each in sites[number].mark["frames"])


def test_rows_are_canonical_json_a_line_each(tmp_path: Path) -> None:
    session = finished(tmp_path / "s")
    lines = log_of(session).path.read_bytes().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3]
