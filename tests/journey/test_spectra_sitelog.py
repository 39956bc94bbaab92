"""A session's log through the command line: listed, verified, marked, told pathology, exported, replayed; damaged, and caught."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from commandline import onclair, onclair_here
from onclair.core.values import Measurement
from onclair.run.session_folder import read_session
from onclair.run.sites import log_of
from site_sessions import PLAN, finished, pathology_csv


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session that the simulated instrument and the command line made, three sites marked by script."""
    home = tmp_path_factory.mktemp("live")
    script = [{"at_s": at, "do": "mark", "note": f"at {at}", "by": "script"} for at in (1.2, 1.6, 2.0)]
    (home / "script.json").write_text(json.dumps(script))
    words = ("--source", "simulated", "--seconds", "2.6", "--seed", "3", "--script", home / "script.json")
    said = onclair("spectra", "live", *words, "--session", home / "s", "--json")
    assert said.code == 0, said.err
    assert said.json["marks"] == 3
    return home / "s"


def test_a_live_session_is_valid_and_every_row_is_reproduced(live: Path) -> None:
    verified = onclair_here("spectra", "sitelog", live, "--verify", "--json")
    assert (verified.code, verified.json["valid"], verified.json["sites"], verified.json["problems"]) == (0, True, 3, [])
    replayed = onclair_here("spectra", "replay", live, "--json")
    assert replayed.code == 0, replayed.err
    assert [replayed.json[name] for name in ("rows", "reproduced", "different")] == [3, 3, 0]


def test_a_frame_marked_afterwards_is_a_site_like_the_others(live: Path, tmp_path: Path) -> None:
    session = shutil.copytree(live, tmp_path / "s")
    frame = next(e["frame"] for e in read_session(session).events() if e["kind"] == "decision")
    said = onclair_here("spectra", "sitelog", session, "--mark", frame, "--note", "later", "--by", "Dr C", "--json")
    assert said.json["marked"]["site"] == 4
    assert onclair_here("spectra", "replay", session, "--json").json["reproduced"] == 4
    lost = onclair_here("spectra", "sitelog", session, "--mark", "nowhere", "--by", "Dr C")
    assert (lost.code, "used a frame 'nowhere'" in lost.err) == (2, True)


def test_pathology_comes_back_and_every_export_is_written(live: Path, tmp_path: Path) -> None:
    session = shutil.copytree(live, tmp_path / "s")
    table = pathology_csv(tmp_path / "p.csv", ["1,core,0.9,A1", "2,margin,0.2,A2", "3,healthy,0,A3"])
    exports = [word for kind in ("csv", "slicer", "fhir", "map") for word in ("--export", kind)]
    said = onclair_here("spectra", "sitelog", session, "--pathology", table, "--by", "Dr P", *exports, "--out", tmp_path / "out", "--json")
    assert said.code == 0, said.err
    assert said.json["pathology"]["entered"] == 3
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "map.nii.gz",
        "map.svg",
        "sites.csv",
        "sites.fhir.json",
        "sites.mrk.json",
    ]
    unknown = onclair_here("spectra", "sitelog", session, "--pathology", pathology_csv(tmp_path / "q.csv", ["7,core,,"]))
    assert (unknown.code, "Site 7 was never marked" in unknown.err) == (2, True)


def _edited(data: bytes) -> bytes:
    return data.replace(b'"note":"at 1.6"', b'"note":"at 1.7"')


def _removed(data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    return lines[0] + lines[2]


def _swapped(data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    return lines[0] + lines[2] + lines[1]


def _cut(data: bytes) -> bytes:
    return b"".join(data.splitlines(keepends=True)[:1])


@pytest.mark.parametrize("damage", [_edited, _removed, _swapped, _cut])
def test_a_damaged_log_exits_1_names_the_row_and_takes_nothing_more(live: Path, tmp_path: Path, damage) -> None:
    session = shutil.copytree(live, tmp_path / "s")
    log = log_of(read_session(session))
    log.path.write_bytes(damage(log.path.read_bytes()))
    said = onclair_here("spectra", "sitelog", session, "--verify", "--json")
    assert (said.code, said.json["valid"], said.json["problems"][0]["row"]) == (1, False, 2)
    assert onclair_here("spectra", "sitelog", session, "--export", "csv", "--out", tmp_path / "out").code == 1
    assert onclair_here("spectra", "replay", session).code == 1


def test_a_row_that_does_not_come_out_the_same_is_named(tmp_path: Path) -> None:
    from onclair.run.journal_replay import replay_session
    from site_sessions import step

    session = finished(tmp_path / "s")

    def _other(measurement: Measurement):
        found = step(measurement)
        lower = found.detail["probability"] if found.answer != "not_suspect" else 0.2
        return type(found)(found.answer, found.reason, found.blank, {**found.detail, "probability": lower})

    found = replay_session(session, _other)
    assert (found.rows, found.reproduced) == (3, 2)
    assert (found.differences[0].row, found.differences[0].site, found.differences[0].fields) == (2, 2, ("probability",))


def test_a_silent_session_is_opened_by_its_pathology_and_judged_by_the_trial(tmp_path: Path) -> None:
    from onclair.run.sealed import silent_about
    from site_sessions import MODEL

    (tmp_path / "plan.toml").write_text(PLAN)
    session = finished(tmp_path / "s", **silent_about(tmp_path / "plan.toml", MODEL)).folder
    early = onclair_here("spectra", "sitelog", session, "--open", "--by", "Dr C")
    assert (early.code, "stay sealed until every site has pathology" in early.err) == (2, True)
    assert "suspect" not in onclair_here("spectra", "sitelog", session).out
    table = pathology_csv(tmp_path / "p.csv", ["1,core,0.9,", "2,healthy,0,", "3,margin,0.3,"])
    said = onclair_here("spectra", "sitelog", session, "--pathology", table, "--by", "Dr P", "--protocol", tmp_path / "trial", "--json")
    assert said.code == 0, said.err
    assert (said.json["opened"]["sites"], len(said.json["trial"]["cases"])) == ([1, 2, 3], 3)
    assert onclair_here("spectra", "sitelog", session, "--verify").code == 0
    assert onclair_here("protocol", "verify", tmp_path / "trial").code == 0


def test_the_folder_of_a_session_is_not_used_again(live: Path) -> None:
    said = onclair_here("spectra", "live", "--source", "simulated", "--seconds", "1", "--session", live)
    assert (said.code, "never continued nor written over" in said.err) == (2, True)


def test_words_that_would_be_passed_over_are_refused(live: Path) -> None:
    log = log_of(read_session(live)).path
    before = log.read_bytes()
    for words, said in [
        (("--verify", "--mark", "F", "--by", "Dr C"), "--verify only looks; give --mark"),
        (("--verify", "--open"), "give --open in a call of its own"),
        (("--head", "ab"), "--head is checked by --verify alone"),
        (("--note", "red rim", "--by", "Dr C"), "--note belongs to --mark or --review"),
        (("--action", "reject", "--by", "Dr C"), "--action belongs to --review"),
    ]:
        found = onclair_here("spectra", "sitelog", live, *words)
        assert (found.code, said in found.err) == (2, True), found.err
    assert log.read_bytes() == before


def test_what_is_refused_with_a_mark_leaves_no_mark_behind_or_says_so(live: Path, tmp_path: Path) -> None:
    session = shutil.copytree(live, tmp_path / "s")
    log = log_of(read_session(session)).path
    before = log.read_bytes()
    frame = next(e["frame"] for e in read_session(session).events() if e["kind"] == "decision")
    mark = ("spectra", "sitelog", session, "--mark", frame, "--by", "Dr C")
    assert onclair_here(*mark, "--export", "csv").code == 2
    twice = pathology_csv(tmp_path / "twice.csv", ["1,core,0.9,", "1,core,0.9,"])
    assert onclair_here(*mark, "--pathology", twice).code == 2
    assert log.read_bytes() == before
    unknown = onclair_here(*mark, "--pathology", pathology_csv(tmp_path / "unknown.csv", ["9,core,0.9,"]))
    assert (unknown.code, "stands in the log: marked" in unknown.err) == (2, True)


def test_a_log_taken_away_is_not_replayed_as_empty(live: Path, tmp_path: Path) -> None:
    session = shutil.copytree(live, tmp_path / "s")
    log_of(read_session(session)).path.unlink()
    assert onclair_here("spectra", "replay", session).code == 1
    assert onclair_here("spectra", "sitelog", session, "--verify").code == 1
