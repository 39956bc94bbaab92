"""The silent phase: nothing tells an answer before pathology is in, nothing changes it, and the trial takes no refitted model."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadInput, BadSetting, CheckFailed
from onclair.io.chainlog import read
from onclair.run.journal import Pathology, enter_pathology, review
from onclair.run.journal_replay import mark_of, replay_session
from onclair.run.journal_verify import verify_session
from onclair.run.sealed import open_answers, read_silent_plan, silent_about
from onclair.run.sealed_protocol import hand_over, lock_trial
from onclair.run.session_folder import Session
from onclair.run.sites import log_of, record_of, sites_of
from onclair.validate.protocol.verify import verify_protocol
from site_sessions import MODEL, PLAN, finished, mark_site, session_at, step

SOURCE = {"file": "p.csv", "sha256": "cd" * 32}
TOLD = [Pathology(1, "core", 0.9), Pathology(2, "healthy", 0.0), Pathology(3, "margin", 0.4)]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return silent(tmp_path / "s", tmp_path)


def silent(folder: Path, home: Path, plan: str = PLAN, **about: object) -> Session:
    (home / "plan.toml").write_text(plan)
    return finished(folder, **{**silent_about(home / "plan.toml", MODEL), **about})


def records(session: Session) -> list[dict]:
    return [record_of(site) for site in sites_of(read(log_of(session)).entries)]


def test_a_silent_mark_tells_no_answer_anywhere_in_plain_text(session: Session) -> None:
    assert all(record["sealed"] and record["answer"] is None and record["probability"] is None for record in records(session))
    for path in session.folder.rglob("*.json*"):
        assert b"suspect" not in path.read_bytes(), path


def test_the_log_commits_to_the_salted_answer_and_to_its_file(session: Session) -> None:
    sealed = read(log_of(session)).entries[0].fields["sealed"]
    data = (session.folder / sealed["file"]).read_bytes()
    envelope = json.loads(gzip.decompress(data))
    assert hashlib.sha256(data).hexdigest() == sealed["sha256"]
    assert sha256_of({"answer": envelope["answer"], "salt": envelope["salt"]}) == sealed["commitment"]
    assert len(bytes.fromhex(envelope["salt"])) == 32
    assert envelope["answer"]["answer"] == "suspect"


def test_answers_stay_sealed_until_every_site_has_pathology(session: Session) -> None:
    enter_pathology(session, TOLD[:2], source=SOURCE)
    with pytest.raises(BadInput, match="1 of 3 sites have none yet \\(3\\)"):
        open_answers(session)
    enter_pathology(session, TOLD[2:], source=SOURCE)
    open_answers(session, "Dr C")
    assert [record["answer"] for record in records(session)] == ["suspect", "not_suspect", "cannot_tell"]
    assert verify_session(session.folder).valid


def test_the_plan_may_say_that_answers_are_opened_earlier(tmp_path: Path) -> None:
    session = silent(tmp_path / "s", tmp_path, PLAN + "open_after = 2\n")
    enter_pathology(session, TOLD[:2], source=SOURCE)
    open_answers(session)
    assert not records(session)[2]["sealed"]


def test_answers_are_opened_once_and_no_site_follows(session: Session) -> None:
    enter_pathology(session, TOLD, source=SOURCE)
    open_answers(session)
    with pytest.raises(BadInput, match="opened before"):
        open_answers(session)
    with pytest.raises(BadInput, match="no site can be added"):
        mark_site(session, 4, 100.0)


def test_a_sealed_answer_cannot_be_reviewed(session: Session) -> None:
    with pytest.raises(BadInput, match="sealed until pathology is in"):
        review(session, 1, "accept", "Dr C")


def test_a_sealed_answer_that_was_changed_is_named_and_never_opened(session: Session) -> None:
    path = session.folder / "sealed" / "0002.json.gz"
    envelope = json.loads(gzip.decompress(path.read_bytes()))
    envelope["answer"]["answer"] = "suspect"
    path.write_bytes(gzip.compress(json.dumps(envelope).encode()))
    (problem,) = verify_session(session.folder).problems
    assert (problem.code, problem.row, problem.site) == ("sealed", 2, 2)
    enter_pathology(session, TOLD, source=SOURCE)
    with pytest.raises(CheckFailed, match="site 2 is not the one that the log committed to"):
        open_answers(session)


def test_a_silent_session_is_replayed_against_its_sealed_answers(session: Session) -> None:
    assert replay_session(session, step).reproduced == 3


def test_a_site_of_a_silent_session_can_be_marked_afterwards_with_the_model_alone(session: Session) -> None:
    with pytest.raises(BadInput, match="no model is at hand"):
        mark_of(session, "F2b", "", "CD", None)
    assert mark_of(session, "F2a", "", "CD", step).result["answer"] == "not_suspect"


def test_opened_answers_reach_the_trial_as_the_sealed_probabilities(session: Session, tmp_path: Path) -> None:
    enter_pathology(session, TOLD, source=SOURCE)
    with pytest.raises(BadInput, match="still sealed"):
        hand_over(session, tmp_path / "trial")
    open_answers(session)
    handed = hand_over(session, tmp_path / "trial")
    entries = read(log_of(session)).entries
    risks = [e.fields["body"]["risk"] for e in _trial(tmp_path) if e.fields["kind"] == "prediction"]
    assert risks == pytest.approx([site.mark["probability"] for site in sites_of(entries)], rel=1e-9)
    assert [e.fields["body"]["truth"] for e in _trial(tmp_path) if e.fields["kind"] == "outcome"] == [1, 0, 1]
    assert (len(handed.cases), handed.left_out, handed.events) == (3, (), 2)
    assert verify_protocol(tmp_path / "trial").valid


def test_handing_over_twice_enters_nothing_twice(session: Session, tmp_path: Path) -> None:
    enter_pathology(session, TOLD, source=SOURCE)
    open_answers(session)
    hand_over(session, tmp_path / "trial")
    assert hand_over(session, tmp_path / "trial").cases == ()


def test_a_look_that_falls_due_is_taken(tmp_path: Path) -> None:
    plan = PLAN + '[looks]\nfigure = "o_e"\nnull = 1.0\nplanned = [2, 10]\n'
    session = silent(tmp_path / "s", tmp_path, plan)
    enter_pathology(session, TOLD, source=SOURCE)
    open_answers(session)
    handed = hand_over(session, tmp_path / "trial")
    assert (handed.look["information"], handed.next_look) == (2, 10)


def test_a_trial_takes_no_session_of_a_refitted_model(session: Session, tmp_path: Path) -> None:
    lock_trial(session, tmp_path / "trial")
    other = silent(tmp_path / "other", tmp_path, model={**MODEL, "sha256": "ef" * 32})
    enter_pathology(other, TOLD, source=SOURCE)
    open_answers(other)
    with pytest.raises(BadInput, match="a refitted model needs a trial of its own"):
        hand_over(other, tmp_path / "trial")


def test_a_trial_takes_no_session_of_another_plan(session: Session, tmp_path: Path) -> None:
    lock_trial(session, tmp_path / "trial")
    other = silent(tmp_path / "other", tmp_path, PLAN.replace('"t"', '"u"'))
    enter_pathology(other, TOLD, source=SOURCE)
    open_answers(other)
    with pytest.raises(BadInput, match="locked another plan"):
        hand_over(other, tmp_path / "trial")


def test_a_plan_that_names_another_model_is_refused_before_the_session(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(PLAN + f'model = "{"ef" * 32}"\n')
    with pytest.raises(BadInput, match="refitted model needs a plan of its own"):
        silent_about(tmp_path / "plan.toml", MODEL)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (b"format =", "is not TOML"),
        (b'format = "other/1"', "has the format 'other/1'"),
        (b'format = "onclair-silent/1"', "which values of 'diagnosis' count as 1"),
        (b'format = "onclair-silent/1"\npositve = ["core"]', "positve"),
    ],
)
def test_a_bad_plan_is_refused_in_words(plan: bytes, said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        read_silent_plan(plan)


def test_a_plan_of_the_evidence_protocol_itself_will_do() -> None:
    planned = read_silent_plan(b'format = "onclair-protocol/1"\ncolumns = {case = "id", truth = "tumour"}\n')
    assert (planned.plan.truth, planned.plan.positive) == ("tumour", ("1",))


def test_a_session_without_plan_is_silent_all_the_same(tmp_path: Path) -> None:
    session = session_at(tmp_path / "s", **silent_about(None, MODEL))
    mark_site(session, 1, 500.0)
    assert records(session)[0]["sealed"]


def _trial(home: Path):
    from onclair.validate.protocol.record import chain_of

    return read(chain_of(home / "trial")).entries
