"""`onclair radiomics combat`: tables in, a harmonised table and its record out; what is refused and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from harmonise_made import made

from onclair.cli.radiomics_combat import combat
from onclair.core.errors import OnclairError
from onclair.io.files import sha256_file
from onclair.io.registry import get
from onclair.learn.harmonise import ComBat


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Write features and samples of three centres, with what users' tables have beside."""
    features, batch = made()
    rng = np.random.default_rng(0)
    features.assign(histology="adeno").rename_axis("sample").to_csv(tmp_path / "features.csv")
    samples = pd.DataFrame({"centre": batch, "kernel": rng.choice(["0", "1"], 30), "age": rng.integers(40, 80, 30)})
    samples.assign(relapse=rng.integers(0, 2, 30), copy=batch.eq("A").astype(int)).rename_axis("sample").to_csv(tmp_path / "samples.csv")
    return tmp_path


def said(folder: Path, *words: str, out: str = "out.csv") -> dict:
    """Return what the command answers."""
    tables = ["--features", str(folder / "features.csv"), "--samples", str(folder / "samples.csv")]
    result = CliRunner().invoke(combat, [*tables, "--out", str(folder / out), "--json", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout)


def refused(folder: Path, *words: str) -> str:
    """Return the sentence with which the command refuses."""
    with pytest.raises(OnclairError) as error:
        said(folder, *words)
    assert error.value.exit_code == 2
    assert not (folder / "out.csv").exists()
    return str(error.value)


def test_the_answer_names_method_batches_table_and_its_hash(tables: Path):
    answer = said(tables, "--batch", "centre")
    assert (answer["method"], answer["batches"]) == ("combat", {"A": 10, "B": 10, "C": 10})
    assert answer["out"] == str(tables / "out.csv")
    assert answer["sha256"] == sha256_file(tables / "out.csv")
    assert [w["code"] for w in answer["warnings"]] == ["carried_columns"]


def test_the_table_holds_the_harmonised_features_in_the_layout_that_was_read(tables: Path):
    said(tables, "--batch", "centre")
    features, batch = made()
    written = pd.read_csv(tables / "out.csv")
    assert list(written.columns) == ["sample", *features.columns, "histology"]
    assert list(written["sample"]) == list(features.index)
    expected = ComBat().fit(features, batch).transform(features, batch)
    np.testing.assert_allclose(written[features.columns].to_numpy(), expected.to_numpy(), rtol=1e-12)


def test_features_in_rows_come_back_in_rows(tables: Path):
    features, _ = made()
    features.T.to_csv(tables / "features.csv", index=False)
    said(tables, "--batch", "centre", "--features-in-rows", out="rows.csv")
    features.rename_axis("sample").to_csv(tables / "features.csv")
    said(tables, "--batch", "centre", out="columns.csv")
    rows, columns = pd.read_csv(tables / "rows.csv"), pd.read_csv(tables / "columns.csv", index_col=0)
    assert list(rows.columns) == list(features.index)
    np.testing.assert_allclose(rows.T.to_numpy(), columns.to_numpy(), rtol=1e-12)


@pytest.mark.parametrize("method", ["zscore", "covbat", "nested"])
def test_every_method_writes_its_table(method: str, tables: Path):
    more = ["--batch", "kernel"] if method == "nested" else []
    answer = said(tables, "--batch", "centre", *more, "--method", method)
    assert answer["method"] == method
    assert np.isfinite(pd.read_csv(tables / "out.csv")[["f0", "f5"]].to_numpy()).all()
    assert ("centre=A" in answer["batches"]) == (method == "nested")


def test_a_saved_harmoniser_is_applied_to_later_samples(tables: Path):
    said(tables, "--batch", "centre", "--model-out", str(tables / "model"))
    whole = pd.read_csv(tables / "out.csv").set_index("sample")
    for name in ("features.csv", "samples.csv"):
        pd.read_csv(tables / name).iloc[[3, 17, 29]].to_csv(tables / name, index=False)
    answer = said(tables, "--apply", str(tables / "model"), out="later.csv")
    later = pd.read_csv(tables / "later.csv").set_index("sample")
    assert (answer["method"], answer["batches"]) == ("combat", {"A": 1, "B": 1, "C": 1})
    columns = [f"f{i}" for i in range(6)]
    np.testing.assert_allclose(later[columns].to_numpy(), whole.loc[later.index, columns].to_numpy(), rtol=1e-12)


def test_an_unseen_hospital_is_refused_left_or_mapped_and_may_be_kept(tables: Path):
    said(tables, "--batch", "centre", "--model-out", str(tables / "model"))
    (tables / "out.csv").unlink()
    rng = np.random.default_rng(5)
    index = [f"N{i}" for i in range(25)]
    later = pd.DataFrame(rng.normal(size=(25, 6)) + 40, index=index, columns=[f"f{i}" for i in range(6)])
    later.rename_axis("sample").to_csv(tables / "features.csv")
    pd.DataFrame({"sample": index, "centre": "D"}).to_csv(tables / "samples.csv", index=False)
    apply = ["--apply", str(tables / "model")]
    assert "The batch 'D' of 'centre' (25 samples) was not among the training samples" in refused(tables, *apply)
    left = said(tables, *apply, "--unseen", "leave", out="left.csv")
    np.testing.assert_allclose(pd.read_csv(tables / "left.csv", index_col=0).to_numpy(), later.to_numpy(), rtol=1e-15)
    mapped = said(tables, *apply, "--unseen", "map", "--model-out", str(tables / "four"), out="mapped.csv")
    assert [w["code"] for w in left["warnings"] + mapped["warnings"]] == ["unseen_left", "unseen_mapped"]
    known = said(tables, "--apply", str(tables / "four"), out="known.csv")
    assert known["sha256"] == mapped["sha256"]


def test_diagnose_tells_the_batch_before_and_after(tables: Path):
    pd.read_csv(tables / "samples.csv").iloc[4:16].to_csv(tables / "samples.csv", index=False)
    answer = said(tables, "--batch", "centre", "--diagnose", "centre")
    found = {e["name"]: e for e in answer["estimates"]}
    assert found["auc:batch:centre:before"]["value"] > 0.9
    assert found["auc:batch:centre:after"]["value"] < 0.65
    assert found["auc:batch:centre:after-in-training-folds"]["low"] < 0.65
    assert found["share_differing:batch:centre:before"]["value"] > found["share_differing:batch:centre:after"]["value"]


def test_the_outcome_is_refused_as_covariate_and_an_aliased_batch_altogether(tables: Path):
    assert "the outcome is never kept" in refused(tables, "--batch", "centre", "--outcome", "relapse", "--covariate", "relapse")
    aliased = refused(tables, "--batch", "centre", "--outcome", "copy")
    assert "aliased (Cramer's V 1.00" in aliased
    answer = said(tables, "--batch", "centre", "--outcome", "relapse")
    assert [e["name"] for e in answer["estimates"]] == ["cramers_v:batch:centre"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "No batch column is given"),
        (["--batch", "center"], "did you mean 'centre'"),
        (["--batch", "centre", "--batch", "kernel"], "choose --method nested"),
        (["--batch", "centre", "--method", "nested"], "two or more batch columns"),
        (["--batch", "centre", "--method", "zscore", "--prior", "none"], "--prior is of no use to z-scores"),
        (["--batch", "centre", "--covariate", "centre"], "both batch and covariate"),
        (["--batch", "centre", "--reference", "Z"], "'Z' is none of those in 'centre'"),
        (["--batch", "centre", "--unseen", "map"], "--unseen is for --apply"),
        (["--batch", "centre", "--data", "cohort"], "--data is given beside"),
        (["--apply", "nowhere", "--prior", "none"], "--prior is for learning"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(words: list[str], sentence: str, tables: Path):
    assert sentence in refused(tables, *words)


def test_the_table_read_is_never_written_over(tables: Path):
    before = (tables / "features.csv").read_bytes()
    with pytest.raises(OnclairError, match="--out names the table of --features"):
        said(tables, "--batch", "centre", out="features.csv")
    assert (tables / "features.csv").read_bytes() == before


def test_a_taken_folder_for_the_model_leaves_no_table_behind(tables: Path):
    (tables / "model").mkdir()
    (tables / "model" / "note.txt").write_text("mine")
    refused(tables, "--batch", "centre", "--model-out", str(tables / "model"))


def test_samples_that_only_one_table_names_are_left_out_and_said(tables: Path):
    frame = pd.read_csv(tables / "samples.csv")
    frame.assign(sample=frame["sample"].replace("P05", "P99")).to_csv(tables / "samples.csv", index=False)
    answer = said(tables, "--batch", "centre")
    texts = {w["code"]: w["text"] for w in answer["warnings"]}
    assert "(P05)" in texts["samples_not_described"]
    assert "(P99)" in texts["samples_without_features"]
    assert answer["samples"] == len(pd.read_csv(tables / "out.csv")) == 29


def test_tables_that_share_no_sample_are_refused(tables: Path):
    frame = pd.read_csv(tables / "samples.csv")
    frame.assign(sample="x" + frame["sample"]).to_csv(tables / "samples.csv", index=False)
    assert "share no name: the first are 'P00' and 'xP00'" in refused(tables, "--batch", "centre")


def test_table_traps_are_read_and_said(tables: Path):
    features, _ = made()
    features = features.rename_axis("sample").astype(object)
    features.loc["P07", "f1"] = "#NAME?"
    (tables / "features.csv").write_bytes(b"\xef\xbb\xbf" + features.to_csv().encode())
    answer = said(tables, "--batch", "centre")
    assert [w["code"] for w in answer["warnings"]] == ["byte_order_mark", "missing_words", "missing_values"]
    written = pd.read_csv(tables / "out.csv")
    assert int(written["f1"].isna().sum()) == 1


def test_a_batch_that_is_missing_in_words_is_refused_by_sample(tables: Path):
    frame = pd.read_csv(tables / "samples.csv")
    frame.assign(centre=frame["centre"].where(frame["sample"] != "P04", "no data")).to_csv(tables / "samples.csv", index=False)
    assert "1 samples have no 'centre', the first P04" in refused(tables, "--batch", "centre")


def test_without_json_the_answer_is_in_words(tables: Path):
    words = ["--features", str(tables / "features.csv"), "--samples", str(tables / "samples.csv"), "--batch", "centre"]
    result = CliRunner().invoke(combat, [*words, "--out", str(tables / "out.csv")])
    assert "30 samples, 6 features, combat by centre: A (10), B (10), C (10)" in result.output
    assert "SHA-256" in result.output


def test_a_cohort_with_features_is_harmonised_by_its_own_columns(reference_data: Path, tmp_path: Path):
    cohort = get("nsclc-radiogenomics-table", tmp_path / "lung", mirror=reference_data / "radiomics")
    words = ["--data", str(cohort), "--batch", "kernel", "--out", str(tmp_path / "out.csv"), "--json"]
    exact = json.loads(CliRunner().invoke(combat, words, catch_exceptions=False).stdout)
    every = json.loads(CliRunner().invoke(combat, [*words, "--any-match"], catch_exceptions=False).stdout)
    assert (exact["samples"], exact["batches"]) == (167, {"0": 78, "1": 89})
    assert [w["code"] for w in exact["warnings"]] == ["inexact_match"]
    assert [e["name"] for e in exact["estimates"]] == ["cramers_v:batch:kernel"]
    assert every["samples"] == 204
    assert "R01-159" in {w["code"]: w["text"] for w in every["warnings"]}["missing_values"]
    with pytest.raises(OnclairError, match="The covariate 'event' is the outcome 'event'"):
        CliRunner().invoke(combat, [*words, "--covariate", "event"], catch_exceptions=False)


def test_a_cohort_without_features_says_how_to_get_them(tmp_path: Path):
    (tmp_path / "cohort.toml").write_text('format = "onclair-cohort/1"\ntitle = "images"\n')
    (tmp_path / "acquisitions.csv").write_text("patient,centre,visit,kind,path\nP1,A,,pet,P1.nii.gz\n")
    (tmp_path / "outcomes.csv").write_text("patient\nP1\n")
    with pytest.raises(OnclairError, match="holds no file of the kind 'features'; extract them first"):
        CliRunner().invoke(combat, ["--data", str(tmp_path), "--batch", "centre", "--out", str(tmp_path / "o.csv")], catch_exceptions=False)
