"""A prospective trial from lock to proof: what is refused, what is logged, and what is found when somebody changed it."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commandline import onclair
from onclair.core.canonical import canonical_json, sha256_of
from onclair.core.errors import BadInput, BadModelFile, BadSetting, BadTable, CheckFailed, NoRoom
from onclair.io.chainlog import head_from_dict
from onclair.io.signatures import make_keys, read_key
from onclair.validate.protocol.record import chain_of, enter_outcomes, lock, look, predict, sign
from onclair.validate.protocol.verify import verify_protocol

MODEL: dict[str, Any] = {
    "format": "onclair-model/1",
    "name": "handwritten",
    "family": "logistic",
    "outcome": "relapse",
    "intercept": -4.2,
    "inputs": [
        {"name": "age", "unit": "year", "low": 18, "high": 100},
        {"name": "volume", "unit": "mL", "low": 0.1, "high": 900},
        {"name": "smoker", "low": 0, "high": 1},
    ],
    "terms": [
        {"input": "age", "coefficient": 0.031},
        {"input": "volume", "transform": "log", "coefficient": 0.72},
        {"input": "smoker", "coefficient": 0.4},
    ],
    "thresholds": [0.3],
}
PLAN = """format = "onclair-protocol/1"
[columns]
case = "id"
truth = "relapse"
[looks]
figure = "auc"
null = 0.5
alpha = 0.05
spending = "obrien-fleming"
information = "events"
planned = [20, 40, 60]
[drift]
psi_alert = 0.25
"""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def patients(n: int, first: int = 0, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": [f"P{first + i:04}" for i in range(n)], "age": rng.integers(30, 90, n)})
    frame["volume"] = rng.lognormal(3.0, 0.8, n).round(2).clip(0.1, 900)
    frame["smoker"] = rng.integers(0, 2, n)
    return frame


def written(folder: Path, name: str, frame: pd.DataFrame) -> Path:
    frame.to_csv(folder / name, index=False)
    return folder / name


def model_file(folder: Path, model: dict[str, Any] = MODEL) -> Path:
    (folder / "model.json").write_text(json.dumps(model), encoding="utf-8")
    return folder / "model.json"


def plan_file(folder: Path, text: str = PLAN) -> Path:
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return folder / "plan.toml"


def locked(folder: Path, model: dict[str, Any] = MODEL, plan: str = PLAN) -> Path:
    lock(model_file(folder, model), plan_file(folder, plan), folder / "trial", now=NOON)
    return folder / "trial"


def running(folder: Path, n: int = 6) -> Path:
    """A protocol with predictions, and outcomes of all but two."""
    trial, frame = locked(folder), patients(n)
    predict(trial, written(folder, "cases.csv", frame), now=NOON)
    outcomes = pd.DataFrame({"id": frame["id"], "relapse": [i % 2 for i in range(n)]})[: n - 2]
    enter_outcomes(trial, written(folder, "outcomes.csv", outcomes), now=NOON)
    return trial


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A protocol of 120 cases with a first look; tests that spoil it copy it."""
    folder = tmp_path_factory.mktemp("looked")
    trial, frame = locked(folder), patients(120)
    risks = dict(predict(trial, written(folder, "cases.csv", frame)).predictions)
    truth = np.random.default_rng(3).random(120) < np.array([risks[case] for case in frame["id"]])
    outcomes = pd.DataFrame({"id": frame["id"], "relapse": truth.astype(int)})
    enough = int(np.flatnonzero(np.cumsum(truth) == 22)[0]) + 1
    enter_outcomes(trial, written(folder, "outcomes.csv", outcomes[:enough]))
    look(trial)
    return trial


def copied(trial: Path, folder: Path) -> Path:
    return Path(shutil.copytree(trial, folder / "copy"))


def rewrite(trial: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = trial / "log.jsonl"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def forged(lines: list[bytes], change: Callable[[list[dict[str, Any]]], None]) -> list[bytes]:
    """Return lines whose records were changed and the whole chain written anew, as a forger would."""
    records = [json.loads(line) for line in lines]
    change(records)
    prev, out = "0" * 64, []
    for seq, record in enumerate(records, start=1):
        record = {name: value for name, value in record.items() if name != "hash"} | {"seq": seq, "prev": prev}
        prev = sha256_of(record)
        out.append(canonical_json({**record, "hash": prev}) + b"\n")
    return out


def codes(trial: Path, head: str | None = None) -> set[str]:
    return {problem.code for problem in verify_protocol(trial, head).problems}


def test_a_trial_is_locked_run_looked_at_and_proved_from_the_command_line(tmp_path: Path) -> None:
    frame = patients(4)
    cases = written(tmp_path, "cases.csv", frame)
    trial = tmp_path / "trial"
    made = onclair("protocol", "lock", "--model", model_file(tmp_path), "--plan", plan_file(tmp_path), "--out", trial, "--json")
    assert made.code == 0, made.err
    found = onclair("protocol", "predict", trial, "--input", cases, "--json")
    age, volume, smoker = (float(frame[name][0]) for name in ("age", "volume", "smoker"))
    by_hand = 1 / (1 + math.exp(-(-4.2 + 0.031 * age + 0.72 * math.log(volume) + 0.4 * smoker)))
    assert found.json["predictions"][0]["case"] == "P0000"
    assert found.json["predictions"][0]["risk"] == pytest.approx(by_hand, abs=1e-12)
    outcomes = written(tmp_path, "outcomes.csv", pd.DataFrame({"id": frame["id"], "relapse": [0, 1, 0, 1]}))
    entered = onclair("protocol", "outcome", trial, "--input", outcomes, "--json").json
    assert {k: entered[k] for k in ("entered", "events", "awaited", "next_look")} == {
        "entered": 4,
        "events": 2,
        "awaited": 0,
        "next_look": 20,
    }
    early = onclair("protocol", "look", trial)  # refused, so that its sentence is seen
    assert (early.code, early.out) == (2, "")
    assert early.err == "onclair: Look 1 is due at 20 events and there are 2; enter more outcomes first.\n"
    proof = verify_protocol(trial, entered["head"]).as_dict()
    assert (proof["valid"], proof["records"], proof["problems"]) == (True, 9, [])
    rewrite(trial, lambda lines: lines[:-1])
    cut = onclair("protocol", "verify", trial, "--head", entered["head"], "--json")
    assert (cut.code, cut.json["valid"]) == (1, False)


def test_a_look_is_logged_with_its_figure_and_decision_and_is_not_repeated(looked: Path, tmp_path: Path) -> None:
    trial = copied(looked, tmp_path)
    with pytest.raises(BadInput, match="not repeated"):
        look(trial)
    body = json.loads((trial / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])["body"]
    assert (body["index"], body["information"], body["decision"]) == (1, 22, "continue")
    assert body["figure"]["value"] == pytest.approx(0.5 + body["z"] * body["figure"]["se"], abs=1e-9)


def test_boundaries_are_those_of_the_books() -> None:
    said = onclair("protocol", "boundaries", "--looks", "5", "--alpha", "0.05", "--spending", "lan-demets-obf", "--json")
    assert said.json["boundaries"] == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=0.002)


def test_a_folder_in_use_is_not_locked_over(tmp_path: Path) -> None:
    trial = locked(tmp_path)
    with pytest.raises(NoRoom, match="is not empty"):
        lock(model_file(tmp_path), plan_file(tmp_path), trial)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"family": "cox"}, "logistic formula"),
        ({"intercept": None}, "no intercept"),
        ({"terms": []}, "no terms"),
        ({"extra": {"calibrator": {}}}, "calibrator"),
        ({"thresholds": [30]}, "risks between 0 and 1"),
        ({"terms": [{"input": "agee", "coefficient": 1}]}, "did you mean 'age'"),
        ({"terms": [{"input": "age", "transform": "logg", "coefficient": 1}]}, "did you mean 'log'"),
        ({"terms": [{"input": "age", "levels": {"a": 0.0, "b": 1.0}}]}, "has levels"),
        ({"inputs": [{"name": "age", "low": 9, "high": 3}], "terms": [{"input": "age", "coefficient": 1}]}, "swap its ends"),
    ],
)
def test_a_model_that_is_no_whole_formula_is_refused_and_nothing_written(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadModelFile, match=words):
        locked(tmp_path, {**MODEL, **change})
    assert not (tmp_path / "trial").exists()


def test_a_plan_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="after --plan"):
        lock(model_file(tmp_path), tmp_path / "none.toml", tmp_path / "trial")


def test_predictions_do_not_depend_on_the_dialect_of_the_table(tmp_path: Path) -> None:
    first, second = (tmp_path / name for name in ("a", "b"))
    first.mkdir()
    second.mkdir()
    plain = predict(locked(first), written(tmp_path, "a.csv", patients(5)))
    patients(5).to_csv(tmp_path / "b.csv", index=False, sep=";", decimal=",", encoding="utf-8-sig")
    local = predict(locked(second), tmp_path / "b.csv")
    assert plain.predictions == local.predictions
    assert {note["code"] for note in local.notes} >= {"byte_order_mark", "delimiter"}


def spoiled(column: str, value: object) -> pd.DataFrame:
    return patients(3).astype(object).assign(**{column: [value, *patients(3)[column][1:]]})


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (spoiled("age", 134), "P0000: age is outside its declared range, 18 to 100 year"),
        (spoiled("age", None), "P0000: age is missing or no number"),
        (spoiled("age", "old"), "P0000: age is missing or no number"),
        (spoiled("id", None), "row 1 .* is empty"),
        (spoiled("id", "Marie Curie"), "looks like a name"),
        (spoiled("id", "curie@example.org"), "looks like a name"),
        (spoiled("id", "P0002"), "P0002 stands twice"),
        (patients(3).rename(columns={"age": "agee"}), "no column 'age'; did you mean 'agee'"),
        (patients(3).assign(Age=1), "unknown column 'Age' beside 'age'"),
    ],
)
def test_a_batch_with_one_bad_row_or_column_is_refused_whole(tmp_path: Path, frame: pd.DataFrame, words: str) -> None:
    trial = locked(tmp_path)
    before = (trial / "log.jsonl").read_bytes()
    with pytest.raises((BadInput, BadTable), match=words):
        predict(trial, written(tmp_path, "cases.csv", frame))
    assert (trial / "log.jsonl").read_bytes() == before


def test_columns_that_are_not_used_are_told_and_never_logged(tmp_path: Path) -> None:
    trial = locked(tmp_path)
    found = predict(trial, written(tmp_path, "cases.csv", patients(2).assign(surname="Curie")))
    assert [note["code"] for note in found.notes] == ["unused_columns"]
    assert b"Curie" not in (trial / "log.jsonl").read_bytes()


def test_skip_bad_logs_what_it_left_out_and_why(tmp_path: Path) -> None:
    trial = locked(tmp_path)
    found = predict(trial, written(tmp_path, "cases.csv", spoiled("volume", 0.01)), skip_bad=True)
    assert [case for case, _ in found.predictions] == ["P0001", "P0002"]
    assert found.skipped == (("P0000", "volume is outside its declared range, 0.1 to 900 mL"),)
    assert (verify_protocol(trial).valid, verify_protocol(trial).counts["skipped"]) == (True, 1)
    corrected = predict(trial, written(tmp_path, "corrected.csv", patients(1)))
    assert len(corrected.predictions) == 1


def test_an_input_whose_transform_is_not_defined_is_a_bad_row_like_any_other(tmp_path: Path) -> None:
    inputs = [{"name": "age"}, {"name": "volume"}, {"name": "smoker"}]
    trial = locked(tmp_path, {**MODEL, "inputs": inputs})
    cases = written(tmp_path, "cases.csv", spoiled("volume", 0))
    with pytest.raises(BadInput, match="volume is 0, of which 'log' cannot be taken"):
        predict(trial, cases)
    assert predict(trial, cases, skip_bad=True).skipped == (("P0000", "volume is 0, of which 'log' cannot be taken"),)


def test_a_second_prediction_is_refused(tmp_path: Path) -> None:
    trial = running(tmp_path)
    with pytest.raises(BadInput, match="Case P0005 already has a prediction"):
        predict(trial, written(tmp_path, "more.csv", patients(3, first=5)))
    assert verify_protocol(trial).counts["prediction"] == 6


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ({"id": ["P9999"], "relapse": [1]}, "P9999 has no prediction"),
        ({"id": ["P0000"], "relapse": [1]}, "P0000 already has an outcome"),
        ({"id": ["P0005"], "relapse": [2]}, "P0005 is '2'; it must be 0 or 1"),
        ({"id": ["P0004", "P0005"], "relapse": [1, None]}, "P0005 is missing"),
        ({"id": ["P0005", "P0005"], "relapse": [1, 1]}, "stands twice"),
        ({"id": ["P0005"], "relaps": [1]}, "did you mean 'relaps'"),
    ],
)
def test_an_outcome_that_cannot_be_entered_refuses_the_batch(tmp_path: Path, outcomes: dict[str, list[Any]], words: str) -> None:
    trial = running(tmp_path)
    before = (trial / "log.jsonl").read_bytes()
    with pytest.raises((BadInput, BadTable), match=words):
        enter_outcomes(trial, written(tmp_path, "more.csv", pd.DataFrame(outcomes)))
    assert (trial / "log.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["plan.toml", "bundle/model.json", "bundle/preprocessing.json", "bundle/thresholds.json", "bundle/manifest.json"]
)
def test_any_changed_byte_of_what_was_locked_stops_everything(tmp_path: Path, name: str) -> None:
    trial = running(tmp_path)
    content = (trial / name).read_bytes()
    (trial / name).write_bytes(content.replace(b"0", b"1", 1) if b"0" in content else content + b" ")
    for call in (
        lambda: predict(trial, tmp_path / "cases.csv"),
        lambda: enter_outcomes(trial, tmp_path / "outcomes.csv"),
        lambda: look(trial),
    ):
        with pytest.raises(BadInput, match="after it was locked"):
            call()
    assert codes(trial) == {"bundle"}


def test_a_file_added_to_the_bundle_or_taken_from_it_is_found(tmp_path: Path) -> None:
    trial = running(tmp_path)
    (trial / "bundle" / "more.json").write_text("{}")
    assert codes(trial) == {"bundle"}
    (trial / "bundle" / "more.json").unlink()
    (trial / "bundle" / "thresholds.json").unlink()
    assert codes(trial) == {"bundle"}


def test_a_plan_without_looks_allows_none(tmp_path: Path) -> None:
    trial = locked(tmp_path, plan=PLAN.partition("[looks]")[0])
    with pytest.raises(BadInput, match="no look is planned"):
        look(trial)


def test_a_folder_that_is_no_protocol_is_said_to_be_none_and_left_alone(tmp_path: Path) -> None:
    for call in (verify_protocol, look):
        with pytest.raises(BadInput, match="holds no protocol"):
            call(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda lines: [*lines[:2], lines[2].replace(b'"age":', b'"Age":'), *lines[3:]], "edited"),
        (lambda lines: [*lines[:2], *lines[3:]], "missing"),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "out_of_order"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "repeated"),
        (lambda lines: lines[:-1], "cut"),
    ],
)
def test_a_changed_log_is_not_valid_and_nothing_more_is_logged(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], code: str
) -> None:
    trial = running(tmp_path)
    rewrite(trial, change)
    assert code in codes(trial)
    with pytest.raises(CheckFailed, match="does not hold"):
        predict(trial, written(tmp_path, "more.csv", patients(2, first=50)))


def case_of(records: list[dict[str, Any]], kind: str, at: int = 0) -> dict[str, Any]:
    return [record["body"] for record in records if record["kind"] == kind][at]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda records: case_of(records, "prediction").update(risk=0.99), "risk"),
        (lambda records: case_of(records, "prediction")["inputs"].update(age=41.0), "risk"),
        (lambda records: case_of(records, "prediction")["inputs"].update(age=410.0), "inputs"),
        (lambda records: case_of(records, "prediction")["inputs"].pop("age"), "inputs"),
        (lambda records: case_of(records, "prediction", 1).update(case="P0000"), "second_prediction"),
        (lambda records: case_of(records, "outcome", 1).update(case="P0000"), "second_outcome"),
        (lambda records: case_of(records, "outcome").update(truth=3), "malformed"),
        (lambda records: case_of(records, "look").update(z=9.9), "look"),
        (lambda records: case_of(records, "look").update(decision="stop: null rejected"), "look"),
        (lambda records: case_of(records, "outcome").update(truth=1 - case_of(records, "outcome")["truth"]), "look"),
        (lambda records: records.insert(1, records.pop(121)), "order"),
        (lambda records: records.append(records[1]), "order"),
        (lambda records: records.append({**records[0]}), "order"),
        (lambda records: records.append({"kind": "note", "time": "", "body": {}}), "malformed"),
        (lambda records: records.pop(0), "no_lock"),
    ],
)
def test_a_log_forged_whole_is_still_caught_where_it_contradicts_the_model_or_itself(
    looked: Path, tmp_path: Path, change: Callable[[list[dict[str, Any]]], None], code: str
) -> None:
    trial = copied(looked, tmp_path)
    rewrite(trial, lambda lines: forged(lines, change))
    last = json.loads((trial / "log.jsonl").read_bytes().splitlines()[-1])
    head = {"format": "onclair-head/1", "seq": last["seq"], "hash": last["hash"], "time": last["time"]}
    (trial / "HEAD").write_bytes(canonical_json(head) + b"\n")
    assert code in codes(trial)


def test_a_tail_cut_off_with_its_head_is_caught_by_the_head_that_was_kept(tmp_path: Path) -> None:
    trial = running(tmp_path)
    early = {name: (trial / name).read_bytes() for name in ("log.jsonl", "HEAD")}
    kept = predict(trial, written(tmp_path, "more.csv", patients(2, first=50))).head
    for name, content in early.items():
        (trial / name).write_bytes(content)
    assert codes(trial) == set()
    assert codes(trial, kept) == {"head_not_found"}


def test_a_line_that_a_stopped_writer_left_unfinished_is_told_and_does_not_count(tmp_path: Path) -> None:
    trial = running(tmp_path)
    with (trial / "log.jsonl").open("ab") as log:
        log.write(b'{"body":{"case":"P0050","inp')
    found = verify_protocol(trial)
    assert (found.valid, [note.code for note in found.notes]) == (True, ["torn"])
    after = predict(trial, written(tmp_path, "more.csv", patients(1, first=50)))
    assert [note["code"] for note in after.notes] == ["set_aside"]
    assert (trial / "log.jsonl.torn").read_bytes() == b'{"body":{"case":"P0050","inp\n'
    assert verify_protocol(trial, after.head).valid


def test_two_processes_predicting_at_once_leave_one_valid_chain_and_one_prediction_a_case(tmp_path: Path) -> None:
    trial = locked(tmp_path)
    own = written(tmp_path, "own.csv", patients(40))
    both = written(tmp_path, "both.csv", patients(40, first=200))
    command = [sys.executable, "-m", "onclair", "protocol", "predict", str(trial), "--json", "--input"]
    started = [subprocess.Popen([*command, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for path in (own, both, both)]
    exits = [process.wait() for process in started if process.communicate()]
    assert (exits[0], sorted(exits[1:])) == (0, [0, 2])
    found = verify_protocol(trial)
    assert (found.valid, found.counts["prediction"]) == (True, 80)


def test_a_moved_input_is_told_at_the_look_against_the_table_that_was_locked(tmp_path: Path) -> None:
    reference = written(tmp_path, "reference.csv", patients(300, seed=9))
    trial = tmp_path / "trial"
    lock(model_file(tmp_path), plan_file(tmp_path), trial, reference=reference)
    frame = patients(60)
    frame["volume"] = (frame["volume"] * 6).clip(0.1, 900)
    predict(trial, written(tmp_path, "cases.csv", frame))
    truth = pd.DataFrame({"id": frame["id"][:45], "relapse": [i % 2 for i in range(45)]})
    enter_outcomes(trial, written(tmp_path, "outcomes.csv", truth))
    drift = look(trial).drift
    assert drift.alerts == ("volume",)
    assert (drift.awaited, drift.predicted, drift.brier.status) == (15, 60, "ok")
    assert len(drift.cusum.path) == 45


def test_a_reference_without_an_input_is_refused(tmp_path: Path) -> None:
    reference = written(tmp_path, "reference.csv", patients(300).drop(columns="volume"))
    with pytest.raises(BadTable, match="no column 'volume'"):
        lock(model_file(tmp_path), plan_file(tmp_path), tmp_path / "trial", reference=reference)
    assert not (tmp_path / "trial").exists()


def test_the_reference_keeps_no_row_of_a_patient(tmp_path: Path) -> None:
    frame = patients(300, seed=9)
    lock(model_file(tmp_path), plan_file(tmp_path), tmp_path / "trial", reference=written(tmp_path, "reference.csv", frame))
    kept = json.loads((tmp_path / "trial" / "bundle" / "reference.json").read_bytes())["inputs"]
    assert kept["volume"] == sorted(frame["volume"]) != frame["volume"].tolist()
    assert set(kept) == {"age", "volume", "smoker"}


def test_after_a_rejection_a_later_look_describes_only(tmp_path: Path) -> None:
    trial, frame = locked(tmp_path), patients(150)
    risks = dict(predict(trial, written(tmp_path, "cases.csv", frame)).predictions)
    ranked = sorted(risks, key=lambda case: risks[case])
    truth = {case: int(place >= 90 and place % 7 != 6) for place, case in enumerate(ranked)}
    events = [case for case in ranked if truth[case]]
    for batch in ([*events[:22], *ranked[:45], ranked[146]], [*events[22:45], *ranked[45:80]]):
        rows = {"id": batch, "relapse": [truth[case] for case in batch]}
        enter_outcomes(trial, written(tmp_path, "outcomes.csv", pd.DataFrame(rows)))
        found = look(trial)
    assert (found.look.index, [note["code"] for note in found.notes]) == (2, ["after_the_end"])
    assert verify_protocol(trial).valid


def test_a_signed_head_proves_the_protocol_and_shows_a_rewritten_one(tmp_path: Path) -> None:
    trial, key, kept = running(tmp_path), tmp_path / "trial.key", tmp_path / "signed.json"
    make_keys(key)
    signed = onclair("protocol", "sign", trial, "--key", key, "--out", kept, "--json").json
    words = ("protocol", "verify", trial, "--public-key", f"{key}.pub", "--signed", kept)
    assert signed["head"] == verify_protocol(trial).head
    assert verify_protocol(trial, public_key=read_key(f"{key}.pub"), signed=head_from_dict(signed["signed"])).valid
    rewrite(trial, lambda lines: forged(lines, lambda records: case_of(records, "outcome").update(truth=1)))
    assert onclair(*words).code == 1
    with pytest.raises(CheckFailed):
        sign(trial, key)


def test_a_log_names_no_path_host_or_user(tmp_path: Path) -> None:
    trial = running(tmp_path)
    content = (trial / "log.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in content.splitlines()]
    assert str(tmp_path) not in content
    assert {name for record in records for name in record} == {"seq", "kind", "time", "body", "prev", "hash"}
    assert set(records[1]["body"]) == {"case", "inputs", "risk"}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_of_log_plan_or_bundle_is_found(looked: Path, tmp_path: Path, data: st.DataObject) -> None:
    trial = tmp_path / "copy"
    if not trial.exists():
        copied(looked, tmp_path)
    name = data.draw(st.sampled_from(["log.jsonl", "plan.toml", "bundle/model.json", "bundle/manifest.json", "bundle/preprocessing.json"]))
    content = bytearray((looked / name).read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    (trial / name).write_bytes(bytes(content))
    assert not verify_protocol(trial).valid
    shutil.copy(looked / name, trial / name)
    assert chain_of(trial).path.exists()
