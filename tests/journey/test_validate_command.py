"""`onclair validate` from a hospital's table to evidence that verifies, replays and merges."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from commandline import onclair, onclair_here

PLAN = """format = "onclair-plan/1"
title = "A model in three hospitals"
outcome = "binary"
design = "external"
[columns]
patient = "pid"
truth = "y"
centre = "hospital"
subgroups = ["sex"]
[models.m]
column = "p"
[models.marker]
column = "marker"
kind = "score"
[figures]
thresholds = [0.2]
compare = [["m", "marker"]]
bootstrap = 20
"""


def hospitals():
    """Three hospitals of 60 to 90 patients, one to three rows each."""
    rng = np.random.default_rng(5)
    patients = pd.DataFrame({"pid": [f"p{i:03d}" for i in range(225)], "hospital": np.repeat(["north", "south", "west"], [60, 75, 90])})
    patients["lp"] = rng.normal(-0.3, 1.2, 225)
    patients["y"] = (rng.random(225) < 1 / (1 + np.exp(-patients.lp))).astype(int)
    patients["sex"] = rng.choice(["F", "M"], 225)
    rows = patients.loc[np.repeat(patients.index, rng.integers(1, 4, 225))].reset_index(drop=True)
    noisy = rows.lp + rng.normal(0, 0.5, len(rows))
    return rows.assign(p=1 / (1 + np.exp(-noisy)), marker=noisy.round(1)).drop(columns="lp")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("validate")
    rows = hospitals()
    rows.to_csv(folder / "all.csv", index=False)
    for name, part in rows.groupby("hospital"):
        part.to_csv(folder / f"{name}.csv", index=False)
    (folder / "plan.toml").write_text(PLAN)
    return folder


@pytest.fixture(scope="module")
def whole(place):
    said = onclair("validate", "--predictions", place / "all.csv", "--plan", place / "plan.toml", "--out", place / "run", "--json")
    assert said.code == 0, said.err
    return said.json


def by_name(document):
    return {e["name"]: e for e in document["estimates"]}


def test_the_answer_is_one_object_with_counts_hashes_and_figures(whole):
    counts = ("rows", "patients", "centres", "excluded")
    assert [whole[key] for key in counts] == [len(hospitals()), 225, 3, 0]
    assert whole["events"] == int(hospitals().groupby("pid").y.max().sum())
    assert {len(whole[key]) for key in ("data_sha256", "plan_sha256", "evidence_id")} == {64}
    assert {"calibration", "decision"} <= {curve["name"] for curve in whole["curves"]}


def test_every_kind_of_name_is_there(whole):
    names = by_name(whole)
    wanted = ("auc:m", "nb:m@0.2", "nb:all@0.2", "auc:m-minus-marker", "auc:m:sex=F", "auc:m:centre=north", "nb:m@0.2:centre=west")
    pooled = ("auc:m:centres", "auc:m:new-centre", "auc:m:tau2")
    assert set(wanted) | set(pooled) <= set(names)
    assert names["slope:marker"]["status"] == "not_available"
    assert all(e["reason"] for e in names.values() if e["status"] != "ok")


def test_the_run_verifies_and_replays(place, whole):
    assert onclair_here("verify", place / "run").code == 0
    assert onclair_here("replay", place / "run", "--json").json["equal"]


def test_a_changed_estimate_no_longer_verifies(place, whole, tmp_path):
    shutil.copytree(place / "run", tmp_path / "run")
    table = tmp_path / "run" / "validate" / "estimates.csv"
    table.write_bytes(table.read_bytes().replace(b"auc:m,0.", b"auc:m,1.", 1))
    said = onclair_here("verify", tmp_path / "run", "--json")
    assert (said.code, [p["file"] for p in said.json["problems"]]) == (1, ["validate/estimates.csv"])


def test_the_number_of_workers_changes_nothing_nor_does_keeping_no_folder(place, whole):
    for workers in ("1", "2"):
        flags = ("--predictions", place / "all.csv", "--plan", place / "plan.toml", "--workers", workers, "--json")
        said = onclair_here("validate", *flags).json
        assert (said["evidence_id"], said["estimates"]) == (whole["evidence_id"], whole["estimates"])


def test_merged_sites_equal_one_run_over_all_rows(place, whole):
    sites = []
    for name in ("north", "south", "west"):
        sites.append(place / f"run-{name}")
        said = onclair_here("validate", "--predictions", place / f"{name}.csv", "--plan", place / "plan.toml", "--out", sites[-1], "--json")
        assert said.code == 0, said.err
    merged, names = onclair_here("validate", "merge", *sites, "--json").json, by_name(whole)
    compared = [e for e in merged["estimates"] if e["name"] in names]
    assert {"auc:m:centre=west", "auc:m:centres", "slope:m:new-centre", "o_e:m:tau2"} <= {e["name"] for e in compared}
    for e in compared:
        for field in ("value", "low", "high", "se"):
            assert e[field] == pytest.approx(names[e["name"]][field], abs=1e-9), (e["name"], field)
    assert onclair_here("validate", "merge", sites[0], sites[0]).code == 2
    shutil.copytree(sites[0], place / "moved")
    again = onclair_here("validate", "merge", sites[2], place / "moved", sites[1], "--json").json
    assert again == merged


def test_a_finished_run_on_other_data_is_not_written_over(place, whole):
    before = (place / "run" / "evidence.json").read_bytes()
    said = onclair_here("validate", "--predictions", place / "north.csv", "--plan", place / "plan.toml", "--out", place / "run")
    assert (said.code, (place / "run" / "evidence.json").read_bytes()) == (2, before)
    assert "another predictions file" in said.err


@pytest.mark.parametrize(
    ("table", "plan", "words"),
    [
        ("pid,hospital,sex,y,q,marker\na,n,F,0,0.1,1\n", PLAN, ("no column 'p'", "pid")),
        ("pid,hospital,sex,y,p,marker\n", PLAN, ("header",)),
        ("", PLAN, ("empty",)),
        ("pid,hospital,sex,y,p,marker\na,n,F,0,10,1\nb,n,F,1,80,2\n", PLAN, ("percent",)),
        ("pid,hospital,sex,y,p,marker\na,n,F,0,0.1,1\n", PLAN.replace("thresholds", "threshold"), ("threshold", "thresholds")),
        ("pid,hospital,sex,y,p,marker\na,n,F,0,0.1,1\n", PLAN + "[", ("not TOML",)),
    ],
)
def test_what_cannot_be_judged_is_one_sentence_and_writes_nothing(table, plan, words, tmp_path):
    (tmp_path / "t.csv").write_text(table)
    (tmp_path / "p.toml").write_text(plan)
    said = onclair_here("validate", "--predictions", tmp_path / "t.csv", "--plan", tmp_path / "p.toml", "--out", tmp_path / "run", "--json")
    assert (said.code, said.out, (tmp_path / "run").exists()) == (2, "", False)
    assert len(said.err.strip().splitlines()) == 1
    assert all(word in said.err for word in words), said.err


def test_a_table_in_the_french_dialect_is_read_and_said(tmp_path):
    rows = ["pid;hôpital;y;p"] + [f"{i};n;{i % 2};0,{3 + i % 5}" for i in range(60)]
    (tmp_path / "t.csv").write_bytes("\n".join(rows).encode("latin-1"))
    plan = 'outcome = "binary"\n[columns]\npatient = "pid"\ntruth = "y"\n[models.m]\ncolumn = "p"\n[figures]\nbootstrap = 0\n'
    (tmp_path / "p.toml").write_text(plan)
    said = onclair_here("validate", "--predictions", tmp_path / "t.csv", "--plan", tmp_path / "p.toml", "--json").json
    assert {"delimiter", "decimal_comma", "encoding"} <= {w["code"] for w in said["warnings"]}
    assert said["rows"] == 60


@pytest.mark.parametrize(("figure", "status"), [("slope:m", "not_available"), ("auc:m", "ok")])
def test_a_separating_prediction_is_a_status(figure, status, tmp_path):
    n = 60
    pd.DataFrame({"y": np.arange(n) % 2, "p": 0.2 + 0.6 * (np.arange(n) % 2)}).to_csv(tmp_path / "t.csv", index=False)
    plan = 'outcome = "binary"\n[columns]\ntruth = "y"\n[models.m]\ncolumn = "p"\n[figures]\nbootstrap = 0\n'
    (tmp_path / "p.toml").write_text(plan)
    found = by_name(onclair_here("validate", "--predictions", tmp_path / "t.csv", "--plan", tmp_path / "p.toml", "--json").json)
    assert found[figure]["status"] == status


def test_one_class_in_one_centre_is_a_status_there_and_nowhere_else(tmp_path):
    n = 120
    centre = np.repeat(["a", "b", "c"], 40)
    truth = np.where(centre == "c", 0, np.arange(n) % 2)
    pd.DataFrame({"y": truth, "p": np.linspace(0.1, 0.9, n), "c": centre}).to_csv(tmp_path / "t.csv", index=False)
    plan = 'outcome = "binary"\n[columns]\ntruth = "y"\ncentre = "c"\n[models.m]\ncolumn = "p"\n[figures]\nbootstrap = 0\n'
    (tmp_path / "p.toml").write_text(plan)
    found = by_name(onclair_here("validate", "--predictions", tmp_path / "t.csv", "--plan", tmp_path / "p.toml", "--json").json)
    assert [found[f"auc:m:centre={c}"]["status"] for c in "abc"] == ["ok", "ok", "not_available"]
    assert found["auc:m"]["status"] == "ok"


def test_the_readable_table_names_figures_and_evidence(place):
    said = onclair_here("validate", "--predictions", place / "north.csv", "--plan", place / "plan.toml")
    assert said.code == 0
    assert "auc:m" in said.out
    assert json.loads(json.dumps(said.out.split()[-1])).isalnum()


def test_a_missing_flag_is_named():
    said = onclair_here("validate", "--json")
    assert (said.code, "--predictions" in said.err) == (2, True)
