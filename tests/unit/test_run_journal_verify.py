"""Verification names the row: a byte changed, a row removed, rows swapped, the tail cut, a frame touched, an event that saw more."""

from __future__ import annotations

from pathlib import Path

import pytest

from onclair.core.errors import BadInput
from onclair.run.journal import Pathology, enter_pathology
from onclair.run.journal_verify import verify_session
from onclair.run.session_folder import SESSION, Session
from onclair.run.sites import log_of
from site_sessions import finished


@pytest.fixture
def session(tmp_path: Path) -> Session:
    made = finished(tmp_path / "s", (500.0, 20.0, 210.0, 300.0))
    enter_pathology(made, [Pathology(2, "margin", 0.3)], source={"file": "p.csv", "sha256": "cd" * 32})
    return made


def lines_of(session: Session) -> list[bytes]:
    return log_of(session).path.read_bytes().splitlines(keepends=True)


def put(session: Session, lines: list[bytes]) -> None:
    log_of(session).path.write_bytes(b"".join(lines))


def rows(session: Session) -> list[int | None]:
    found = verify_session(session.folder)
    assert not found.valid
    return [problem.row for problem in found.problems]


def test_a_log_as_it_was_written_is_valid(session: Session) -> None:
    found = verify_session(session.folder)
    assert (found.valid, found.sites, found.rows, found.problems) == (True, 4, 5, ())


@pytest.mark.parametrize("row", [1, 3, 5])
def test_a_changed_byte_names_its_row_and_site(session: Session, row: int) -> None:
    lines = lines_of(session)
    lines[row - 1] = lines[row - 1].replace(b'"kind":"', b'"kind":"x', 1)
    put(session, lines)
    found = verify_session(session.folder)
    assert found.problems[0].row == row
    assert f"Row {row}" in found.problems[0].message


def test_every_single_byte_of_the_log_counts(session: Session) -> None:
    whole = log_of(session).path.read_bytes()
    for at in range(0, len(whole), 97):
        log_of(session).path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert not verify_session(session.folder).valid, at


def test_a_removed_row_is_named(session: Session) -> None:
    lines = lines_of(session)
    put(session, lines[:1] + lines[2:])
    found = verify_session(session.folder)
    assert found.problems[0].row == 2
    assert "record 2 is not before it" in found.problems[0].message


def test_swapped_rows_are_both_named(session: Session) -> None:
    lines = lines_of(session)
    put(session, [lines[0], lines[2], lines[1], *lines[3:]])
    assert {2, 3} <= set(rows(session))


def test_a_cut_tail_names_the_rows_that_are_missing(session: Session) -> None:
    put(session, lines_of(session)[:3])
    found = verify_session(session.folder)
    assert found.problems[0].code == "cut"
    assert found.problems[0].row == 4
    assert "Rows 4 to 5 are missing" in found.problems[0].message


def test_a_log_that_was_removed_whole_is_a_cut(session: Session) -> None:
    log_of(session).path.unlink()
    assert not verify_session(session.folder).valid


def test_a_tail_cut_together_with_its_head_is_seen_in_the_events_and_by_a_kept_hash(session: Session) -> None:
    kept = verify_session(session.folder).head
    put(session, [])
    log_of(session).head_path.unlink()
    found = verify_session(session.folder, kept)
    codes = {problem.code for problem in found.problems}
    assert {"event", "head_not_found"} <= codes
    assert [problem.site for problem in found.problems if problem.code == "event"] == [1, 2, 3, 4]


def test_a_changed_frame_names_the_row_and_the_file(session: Session) -> None:
    path = session.folder / "frames" / "000004.npz"
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(bytes(data))
    (problem,) = verify_session(session.folder).problems
    assert (problem.code, problem.row, problem.site) == ("frame", 2, 2)
    assert "000004.npz" in problem.message


def test_a_changed_session_file_is_told_at_every_mark(session: Session) -> None:
    path = session.folder / SESSION
    path.write_bytes(path.read_bytes().replace(b"cal-1", b"cal-2"))
    found = verify_session(session.folder)
    assert [problem.code for problem in found.problems] == ["session"] * 4


def test_a_session_file_that_is_gone_does_not_hide_the_log(session: Session) -> None:
    (session.folder / SESSION).unlink()
    found = verify_session(session.folder)
    assert not found.valid
    assert found.sites == 4


def test_a_folder_without_session_and_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no session"):
        verify_session(tmp_path)


def test_a_session_without_a_site_is_valid(tmp_path: Path) -> None:
    found = verify_session(finished(tmp_path / "empty", ()).folder)
    assert (found.valid, found.sites) == (True, 0)
