"""The events of a session: chained, bound into the log of the sites, and whatever was done to them is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from onclair.io.chainlog import read
from onclair.run.journal import Pathology, enter_pathology, review
from onclair.run.journal_verify import verify_session
from onclair.run.session_events import EventsFile
from onclair.run.session_folder import SESSION, Session, given_back, new_session, read_session
from onclair.run.session_frames import SessionFrames
from onclair.run.sites import log_of
from site_sessions import finished, frames_of, mark_site, session_at, tell

Damage = Callable[[list[bytes]], list[bytes]]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Three marks and their events, nine and the end."""
    return finished(tmp_path / "s")


def damaged(session: Session, damage: Damage) -> list[str]:
    """Return what is said of events to which that was done."""
    lines = session.events_path.read_bytes().splitlines(keepends=True)
    session.events_path.write_bytes(b"".join(damage(lines)))
    found = verify_session(session.folder)
    assert not found.valid
    assert {problem.code for problem in found.problems} == {"event"}
    return [problem.message for problem in found.problems]


def test_events_as_they_were_written_are_valid(session: Session) -> None:
    found = verify_session(session.folder)
    assert (found.valid, found.notes) == (True, ())
    told = [json.loads(line) for line in session.events_path.read_bytes().splitlines()]
    assert [event["seq"] for event in told] == list(range(1, 11))
    assert [event["prev"] for event in told[1:]] == [event["hash"] for event in told[:-1]]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: [*lines[:4], lines[4].replace(b'"answer":', b'"anwser":'), *lines[5:]], "Line 5 was edited"),
        (lambda lines: [*lines[:4], *lines[5:]], "Line 5 holds event 6, but event 5 is not before it"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "Line 1 holds record 2"),
        (lambda lines: [*lines[:3], b"garbage\n", *lines[3:]], "Line 4 cannot be read"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "Line 4 repeats line 3"),
        (lambda lines: lines[:6], "ends at record 6, but events.head counts 10"),
        (lambda lines: lines[:-1], "its tail was cut off"),
        (lambda lines: [*lines[:-1], lines[-1][:20]], "its tail was cut off"),
    ],
    ids=["edited", "removed", "swapped", "garbage", "repeated", "cut", "last", "torn"],
)
def test_whatever_is_done_to_the_events_is_named(session: Session, damage: Damage, said: str) -> None:
    messages = damaged(session, damage)
    assert any(said.replace("event", "record") in message or said in message for message in messages), messages
    assert any(message.startswith("events.jsonl: ") for message in messages)


def test_events_that_were_removed_whole_are_missed(session: Session) -> None:
    session.events_path.unlink()
    (session.folder / "events.head").unlink()
    assert "events.jsonl is missing" in verify_session(session.folder).problems[0].message


def test_a_tail_cut_together_with_its_head_is_seen_by_the_log_of_the_sites(session: Session) -> None:
    (session.folder / "events.head").unlink()
    messages = damaged(session, lambda lines: lines[:4])
    assert "Row 2 (site 2): event 5, the last before it, is not in events.jsonl as it was" in messages[0]


def test_events_rewritten_whole_are_seen_by_the_log_of_the_sites(session: Session) -> None:
    told = [json.loads(line) for line in session.events_path.read_bytes().splitlines()]
    session.events_path.unlink()
    anew = EventsFile(session.folder)
    for event in told:
        kept = {name: value for name, value in event.items() if name not in ("prev", "hash")}
        anew.write({**kept, "answer": "not_suspect"} if kept.get("answer") == "suspect" else kept)
    anew.close()
    found = verify_session(session.folder)
    assert [problem.row for problem in found.problems] == [1, 2, 3]
    assert all("removed or rewritten" in problem.message for problem in found.problems)


def test_rows_that_come_later_are_bound_to_the_end_of_the_events(session: Session) -> None:
    enter_pathology(session, [Pathology(2, "margin", 0.3)], source={"file": "p.csv", "sha256": "cd" * 32})
    review(session, 1, "accept", "Dr C")
    last = json.loads(session.events_path.read_bytes().splitlines()[-1])
    rows = read(log_of(session)).entries
    assert [row.fields["events"]["seq"] for row in rows] == [2, 5, 8, 10, 10]
    assert rows[-1].fields["events"]["hash"] == last["hash"]


def test_a_session_that_was_killed_is_valid_and_what_nobody_vouches_for_is_told(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s")
    mark_site(session, 1, 500.0)
    with session.events_path.open("ab") as stream:
        stream.write(b'{"seq": 4, "kind": "dec')
    found = verify_session(session.folder)
    assert found.valid
    assert {note["code"] for note in found.notes} == {"events_torn", "events_open"}
    assert any("stop at 3, and the log of the sites vouches for those up to 2" in note["text"] for note in found.notes)


def test_of_a_session_without_chained_events_gaps_and_garbage_are_told(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s", events="plain")
    for line in ({"seq": 1}, {"seq": 2}, {"seq": 4}):
        with session.events_path.open("a") as stream:
            stream.write(json.dumps({**line, "kind": "status"}) + "\n")
    found = verify_session(session.folder)
    (problem,) = found.problems
    assert problem.message == "events.jsonl: Line 3 holds event 4 where event 3 was due: removed or moved."
    assert [note["code"] for note in found.notes] == ["events_unchained"]


def test_an_event_may_hold_what_json_cannot(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s")
    written = EventsFile(session.folder)
    written.write({"seq": 1, "kind": "status", "time": "T", "value": float("nan"), "pair": (1, 2)})
    written.close()
    (event,) = session.events()
    assert (event["value"], event["pair"]) == (None, [1, 2])
    assert verify_session(session.folder).valid


def test_a_session_that_never_began_gives_its_folder_back(tmp_path: Path) -> None:
    session = new_session(tmp_path / "s", {"beside": ["c.json"]}, {"c.json": b"{}"})
    SessionFrames(session.folder)
    tell(session, {"kind": "status", "state": "failed"})
    assert given_back(session)
    assert not (tmp_path / "s").exists()


def test_a_folder_with_a_frame_a_site_or_a_strange_file_is_kept(tmp_path: Path) -> None:
    framed = session_at(tmp_path / "framed")
    SessionFrames(framed.folder).store(frames_of(1, 10.0)[0])
    strange = session_at(tmp_path / "strange")
    (strange.folder / "notes.txt").write_text("mine")
    assert [given_back(each) for each in (framed, strange, finished(tmp_path / "marked"))] == [False] * 3
    assert (strange.folder / SESSION).exists()
    assert read_session(framed.folder).about["events"] == "chained"
