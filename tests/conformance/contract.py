"""The contract that every study keeps: one function a promise, and to which studies it applies.

Which promises apply follows from the study's kind of outcome and its signal alone; the number that does is asserted, so that
none is left out in silence.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import jsonschema
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from made import PLANTED, Made

from commandline import onclair
from onclair.core.errors import BadCase, BadSetting
from onclair.core.finding import finding_schema
from onclair.core.settings import fields_of
from onclair.core.study import Description, Study
from onclair.io.cohorts import read_cohort
from onclair.report.checklists.fill import checklists
from onclair.report.checklists.pointers import backed
from onclair.report.schema import report_schema
from onclair.run.applying import opened_run
from onclair.run.describe import checked
from onclair.run.store import claim_of

Promise = Callable[[Made], None]


@dataclass(frozen=True)
class Check:
    """A promise and whom it binds."""

    keep: Promise
    applies: Callable[[Study], bool]


CHECKS: dict[str, Check] = {}
#: How many promises bind a study, by (kind of outcome, signal). A change here is a change of the contract.
EXPECTED = {("binary", "volume"): 33, ("binary", "table"): 25, ("binary", "spectrum"): 25}


def everywhere(study: Study) -> bool:
    return True


def with_outlines(study: Study) -> bool:
    return study.signal == "volume"


def outline_kind(made: Made) -> str:
    """Return the kind of acquisition that is drawn on the image: needed, or used where there is one."""
    return (*made.study.kinds[1:], *made.study.also)[0]


def binary(study: Study) -> bool:
    return study.outcome == "binary"


def promise(applies: Callable[[Study], bool] = everywhere) -> Callable[[Promise], Promise]:
    """Enter a promise into the contract."""

    def enter(keep: Promise) -> Promise:
        CHECKS[keep.__name__] = Check(keep, applies)
        return keep

    return enter


# --- its record ---------------------------------------------------------------------------------------------------------------


@promise()
def its_words_stand_in_both_languages(made: Made) -> None:
    texts = [made.study.question, *(r.words for r in made.study.rivals), *(c.words for c in made.study.controls), *made.study.limits]
    assert all(t.en and t.fr and t.en != t.fr for t in texts)
    assert all(f.en and f.fr for f in fields_of(made.study.settings))


@promise()
def an_unknown_setting_is_refused_with_the_nearest_known_one(made: Made) -> None:
    with pytest.raises(BadSetting, match="'folds'"):
        made.study.settings.read({"fold": 3})
    bad = made.place / "bad.toml"
    bad.write_text("fold = 3\n")
    said = onclair("run", made.name, "--data", made.cohort, "--out", made.place / "refused", "--settings", bad)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "'folds'" in said.err
    assert not (made.place / "refused").exists()


@promise()
def flags_form_and_docs_are_one_list(made: Made) -> None:
    from onclair.cli.run import run

    command = run.get_command(click.Context(run), made.name)
    assert command is not None
    plumbing = {"--data", "--out", "--settings", "--workers", "--skip-bad", "--lang", "--json"}
    flags = {option for p in command.params for option in p.opts} - plumbing
    form = {"--" + name.replace("_", "-") for name in made.study.settings.model_json_schema()["properties"]}
    page = settings_page(made.name)
    own = page[page.index("## Settings") : page.index("## Rivals")]
    assert flags == form == set(re.findall(r"^\| `\w+`<br>`(--[\w-]+)`", own, flags=re.MULTILINE))


def settings_page(name: str) -> str:
    """Return the generated page of a study, from the documentation's own generator."""
    import importlib.util

    path = Path(__file__).parents[2] / "docs" / "hooks.py"
    spec = importlib.util.spec_from_file_location("docs_hooks", path)
    assert spec is not None
    assert spec.loader is not None
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    return str(hooks.settings_page(name))


# --- its run ------------------------------------------------------------------------------------------------------------------


@promise()
def the_demonstration_runs_on_the_tiny_cohort(made: Made) -> None:
    assert made.demo["patients"] == dict(made.study.virtual.tiny)["patients"]
    assert Path(made.demo["report"]).is_file()
    assert len(made.demo["evidence_id"]) == 64


@promise()
def the_same_command_again_computes_no_patient_twice(made: Made) -> None:
    _ = made.demo
    said = onclair("demo", made.name, "--tiny", "--out", made.place / "demo", "--workers", "1", "--json")
    again = said.json["studies"][made.name]
    assert (again["computed"], again["reused"]) == (0, made.demo["patients"])
    assert (again["evidence_id"], again["seal"]) == (made.demo["evidence_id"], made.demo["seal"])


@promise()
def a_run_verifies(made: Made) -> None:
    said = onclair("verify", made.run, "--json")
    assert (said.code, said.json["valid"], said.json["problems"]) == (0, True, [])
    assert said.json["records"] >= made.demo["patients"] + 5


@promise()
def a_replay_with_another_number_of_workers_gives_equal_hashes(made: Made) -> None:
    assert made.replayed.code == 0, made.replayed.err
    assert made.replayed.json["equal"]
    assert made.replayed.json["seal"] == made.replayed.json["replayed_seal"] == made.demo["seal"]


@promise()
def a_flipped_bit_in_any_file_is_found_and_named(made: Made) -> None:
    run = made.copy("flipped")
    files = sorted(p for p in run.rglob("*") if p.is_file())
    for path in files[:: max(1, len(files) // 12)]:
        whole = path.read_bytes()
        spoilt = bytearray(whole)
        spoilt[len(spoilt) // 2] ^= 1
        path.write_bytes(bytes(spoilt))
        said = onclair("verify", run, "--json")
        assert said.code == 1, path
        assert path.relative_to(run).as_posix() in {p["file"] for p in said.json["problems"]}
        path.write_bytes(whole)
    assert onclair("verify", run).code == 0


@promise()
def an_edited_setting_an_added_and_a_removed_file_are_found_and_named(made: Made) -> None:
    run = made.copy("edited")
    record = run / "learn" / "evidence.json"
    text = record.read_text()
    record.write_text(text.replace('"seed":1', '"seed":2', 1))
    assert text != record.read_text()
    assert "learn/evidence.json" in problems(run)
    record.write_text(text)
    (run / "learn" / "extra.txt").write_text("x")
    assert problems(run) == {"learn/extra.txt"}
    (run / "learn" / "extra.txt").unlink()
    (run / "learn" / "predictions.parquet").unlink()
    assert problems(run) == {"learn/predictions.parquet"}


def problems(run: Path) -> set[str]:
    said = onclair("verify", run, "--json")
    assert said.code == 1
    return {p["file"] for p in said.json["problems"]}


@promise()
def patients_are_disjoint_across_folds(made: Made) -> None:
    table = pd.read_parquet(made.run / "learn" / "predictions.parquet")
    model = table[(table["who"] == "model") & (table["kind"] == "risk")]
    folds = model.groupby(["repeat", "patient"])["fold"].nunique()
    assert (folds == 1).all()
    assert (model["fold"] >= 0).all()
    assert (model.groupby("repeat")["fold"].nunique() == made.study.settings.read(dict(made.study.virtual.quick)).folds).all()


# --- its figures --------------------------------------------------------------------------------------------------------------


@promise(binary)
def shuffled_outcomes_give_an_auc_whose_interval_holds_one_half(made: Made) -> None:
    null = made.estimate("auc:model:shuffled-labels")
    assert null["status"] == "ok"
    assert null["low"] <= 0.5 <= null["high"]


@promise(binary)
def the_model_stands_beside_every_rival_with_intervals(made: Made) -> None:
    whos = ["model", *(f"rival:{r.name}" for r in made.study.rivals)]
    for name in (*(f"auc:{who}" for who in whos), *(f"auc:model-minus-{r.name}" for r in made.study.rivals)):
        found = made.estimate(name)
        assert found["status"] == "ok"
        assert found["low"] <= found["value"] <= found["high"]
    assert made.estimate("auc:rival:prevalence")["value"] == 0.5 or "prevalence" not in {r.name for r in made.study.rivals}


@promise(binary)
def calibration_brier_and_net_benefit_are_there_or_say_why_not(made: Made) -> None:
    for figure in ("o_e", "citl", "slope", "brier", "ipa"):
        found = made.estimate(f"{figure}:model")
        assert found["status"] == "ok" or found["reason"]
    assert any(e["name"].startswith("nb:model@") for e in made.demo["estimates"])
    assert any(e["name"].startswith("nb:all@") for e in made.demo["estimates"])


@promise(with_outlines)
def the_correlation_with_volume_is_reported(made: Made) -> None:
    found = made.estimate("spearman:model:volume")
    assert -1 <= found["low"] <= found["value"] <= found["high"] <= 1


@promise(with_outlines)
def a_negative_control_destroys_the_signal_and_marks_what_cannot_change(made: Made) -> None:
    assert made.study.controls
    for control in made.study.controls:
        assert made.estimate(f"auc:model:{control.name}")["status"] == "ok"
        assert made.estimate(f"auc:model-minus-{control.name}")["status"] == "ok"
    facts = json.loads((made.run / "validate" / "evidence.json").read_text())["record"]["facts"]
    assert all(c["changed"] > 0 and c["invariant"] for c in facts["controls"])


@promise()
def too_few_events_are_said(made: Made) -> None:
    assert "too_few_events" in {w["code"] for w in made.demo["warnings"]}


@promise()
def virtual_patients_are_called_virtual(made: Made) -> None:
    assert made.demo["data"] == "virtual"
    assert "virtual" in {w["code"] for w in made.demo["warnings"]}
    assert "virtual" in (made.run / "report" / "report.html").read_text()
    assert "virtuel" in (made.run / "report" / "report.fr.html").read_text()


# --- its outputs --------------------------------------------------------------------------------------------------------------


@promise()
def apply_writes_a_valid_finding_for_each_case(made: Made) -> None:
    assert len(made.findings) == made.demo["patients"]
    for finding in made.findings:
        jsonschema.validate(finding, finding_schema())
        assert finding["status"] == "preliminary"
        assert finding["data"] == "virtual"
        assert finding["evidence"] == made.demo["evidence_id"]


@promise()
def cannot_tell_is_an_answer_that_can_be_reached(made: Made) -> None:
    run = opened_run(made.run, made.study)
    table = pd.read_parquet(made.run / "table" / "features.parquet").set_index(["patient", "item"])
    strange = table.iloc[[0]] * 1e4 + 1e4
    answer = run.model.answer(strange)
    assert answer.value == "cannot_tell"
    assert answer.reason
    words = {"likely", "unlikely"} if made.study.signal != "spectrum" else {"suspect", "not_suspect"}
    assert {f["answer"]["value"] for f in made.findings} <= words | {"cannot_tell"}
    assert all(f["answer"]["reason"] for f in made.findings if f["answer"]["value"] == "cannot_tell")


@promise()
def a_changed_run_answers_nothing(made: Made) -> None:
    run = made.copy("answers-nothing")
    manifest = run / "learn" / "model" / "model.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"1", b"2", 1))
    said = onclair("apply", run, "--input", made.cohort, "--out", made.place / "nothing")
    assert said.code == 1
    assert not (made.place / "nothing").exists()


@promise()
def no_identifier_reaches_an_output(made: Made) -> None:
    run, said = made.planted
    assert said.code == 0, said.err
    texts = {"stdout": said.out, "stderr": said.err}
    for path in sorted(p for p in run.rglob("*") if p.is_file()):
        content = pd.read_parquet(path).to_csv() if path.suffix == ".parquet" else path.read_bytes().decode("latin-1")
        texts[path.relative_to(run).as_posix()] = content
    assert len(texts) > 20
    found = {(name, mark) for name, text in texts.items() for mark in PLANTED if mark in text}
    assert found == set()


@promise()
def the_report_asks_nothing_of_the_network(made: Made) -> None:
    for name in ("report.html", "report.fr.html"):
        page = (made.run / "report" / name).read_text()
        assert not re.search(r"<(script|link|iframe|object|embed)\b", page)
        assert not re.search(r"""\b(src|href|srcset|action)\s*=\s*["'](?!#|data:)""", page)
        assert not re.search(r"url\(\s*['\"]?(?!data:|#)|@import", page)
        assert "default-src 'none'" in page


@promise()
def its_report_keeps_the_schema_and_every_reported_checklist_cell_resolves(made: Made) -> None:
    report = json.loads((made.run / "report" / "report.json").read_bytes())
    jsonschema.validate(report, report_schema(), jsonschema.Draft202012Validator)
    evidence = claim_of(made.run)
    cells = [item for checklist in checklists(evidence, "en")["checklists"] for item in checklist["items"]]
    reported = [item for item in cells if item["status"] == "reported"]
    assert reported
    assert all(backed(report, item["source"], item["value"]) for item in reported)
    assert all(item["value"] is None and item["source"] is None for item in cells if item["status"] != "reported")


@promise()
def the_report_as_json_gives_the_same_facts(made: Made) -> None:
    said = onclair("report", made.run, "--format", "json")
    assert said.code == 0, said.err
    told = {e["name"]: e["value"] for e in said.json["estimates"]}
    assert told == {e["name"]: e["value"] for e in made.demo["estimates"]}
    assert said.out == (made.run / "report" / "report.json").read_text()


# --- what it refuses ----------------------------------------------------------------------------------------------------------


def refused(made: Made, cohort: Path, *words: str) -> str:
    """Run on a spoilt cohort; return the one sentence, and see that no evidence was sealed."""
    out = made.place / "refused-run"
    shutil.rmtree(out, ignore_errors=True)
    said = onclair("run", made.name, "--data", cohort, "--out", out, "--settings", made.quick_settings, "--workers", "1")
    assert said.code == 2, said.out + said.err
    sentence = said.err.strip().splitlines()[-1]
    assert sentence.startswith("onclair: ")
    assert "Traceback" not in said.err
    assert not (out / "evidence.json").exists()
    for word in words:
        assert word in sentence, sentence
    return sentence


def spoilt(made: Made, name: str) -> Path:
    place = made.place / name
    shutil.rmtree(place, ignore_errors=True)
    return Path(shutil.copytree(made.cohort, place))


def first_file(cohort: Path, kind: str) -> tuple[str, Path]:
    table = pd.read_csv(cohort / "acquisitions.csv", dtype=str)
    row = table[table["kind"] == kind].iloc[0]
    return str(row["patient"]), cohort / str(row["path"])


def rewrite(path: Path, *, array: np.ndarray | None = None, affine: np.ndarray | None = None) -> None:
    image = nib.load(path)
    data = np.asarray(image.dataobj) if array is None else array
    nib.save(nib.Nifti1Image(data, image.affine if affine is None else affine), path)


@promise(with_outlines)
def an_affine_that_is_none_is_refused(made: Made) -> None:
    cohort = spoilt(made, "bad-affine")
    patient, path = first_file(cohort, made.study.kinds[0])
    image = nib.load(path)
    broken = nib.Nifti1Image(np.asarray(image.dataobj), None)
    broken.header["sform_code"] = 1
    for row in ("srow_x", "srow_y", "srow_z"):
        broken.header[row] = [0, 0, 0, 0]
    nib.save(broken, path)
    refused(made, cohort, patient, "affine")


@promise(with_outlines)
def an_outline_of_another_geometry_is_refused(made: Made) -> None:
    cohort = spoilt(made, "other-grid")
    patient, path = first_file(cohort, outline_kind(made))
    affine = nib.load(path).affine.copy()
    affine[:3, 3] += 3.2
    rewrite(path, affine=affine)
    refused(made, cohort, patient, "another grid", "resample")


@promise()
def an_unknown_unit_is_refused(made: Made) -> None:
    cohort = spoilt(made, "bad-unit")
    about = cohort / "cohort.toml"
    text = about.read_text()
    kind = 'kind = "binary"'
    assert kind in text
    about.write_text(text.replace(kind, kind + '\nunit = "fortnight"'))
    refused(made, cohort, "fortnight")


@promise(with_outlines)
def an_unknown_voxel_unit_is_refused(made: Made) -> None:
    cohort = spoilt(made, "bad-voxel-unit")
    about = cohort / "cohort.toml"
    text = about.read_text()
    unit = next(unit for unit in ("SUV", "HU") if f'"{unit}"' in text)
    about.write_text(text.replace(f'"{unit}"', f'"{unit}V"'))
    refused(made, cohort, f"{unit}V", unit)


@promise()
def a_value_that_is_infinite_or_missing_without_a_reason_is_refused(made: Made) -> None:
    patient = made.study.read(read_cohort(made.cohort), read_cohort(made.cohort).patients[0])
    settings = made.study.settings()
    rows = made.study.describe(made.study.outline(patient, settings), settings).rows
    column = str(rows.columns[0])
    for value, word in ((np.nan, "missing without a reason"), (np.inf, "infinite")):
        with pytest.raises(BadCase, match=word) as told:
            checked(Description(rows.assign(**{column: value})), patient.patient)
        assert patient.patient in str(told.value)


@promise(with_outlines)
def nan_inside_an_image_is_refused(made: Made) -> None:
    cohort = spoilt(made, "nan")
    patient, path = first_file(cohort, made.study.kinds[0])
    array = np.asarray(nib.load(path).dataobj).astype(np.float32)
    array[tuple(n // 2 for n in array.shape)] = np.nan
    rewrite(path, array=array)
    refused(made, cohort, patient, "NaN")


@promise(with_outlines)
def an_empty_outline_is_refused(made: Made) -> None:
    cohort = spoilt(made, "empty")
    patient, path = first_file(cohort, outline_kind(made))
    rewrite(path, array=np.zeros(nib.load(path).shape, np.uint8))
    refused(made, cohort, patient, "empty")


@promise(with_outlines)
def bad_cases_are_left_out_only_when_told_and_the_report_lists_them(made: Made) -> None:
    cohort = spoilt(made, "skip-bad")
    patient, path = first_file(cohort, outline_kind(made))
    path.write_bytes(path.read_bytes()[:-20])
    refused(made, cohort, patient)
    out = made.place / "skip-bad-run"
    said = onclair(
        "run", made.name, "--data", cohort, "--out", out, "--settings", made.quick_settings, "--skip-bad", "--workers", "1", "--json"
    )
    assert said.code == 0, said.err
    assert [left["patient"] for left in said.json["left_out"]] == [patient]
    assert patient in (out / "report" / "report.html").read_text()
    assert said.json["patients"] == made.demo["patients"] - 1


@promise()
def an_outcome_of_one_class_is_refused(made: Made) -> None:
    cohort = spoilt(made, "one-class")
    outcomes = pd.read_csv(cohort / "outcomes.csv", dtype=str)
    predicted = made.study.settings().outcome
    name = predicted or next(c for c in outcomes.columns if c != "patient" and set(outcomes[c]) <= {"0", "1"})
    outcomes.assign(**{name: "0"}).to_csv(cohort / "outcomes.csv", index=False)
    refused(made, cohort, name)
