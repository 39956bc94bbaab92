"""The commands `samplesize` and `readers` as a person calls them."""

import csv

import numpy as np
import pytest

from commandline import onclair


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """Three readers, two modalities, twelve cases, in the field's other words and with semicolons."""
    rng, path = np.random.default_rng(1), tmp_path_factory.mktemp("readers") / "ratings.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(["reader", "modality", "case", "truth", "rating"])
        for case in range(12):
            spread = rng.normal(size=(3, 2))
            table.writerows(
                [f"R{r}", m, case, case % 2, round(case % 2 + spread[r, i], 2)] for r in range(3) for i, m in enumerate(("CT", "PET"))
            )
    return path


def test_development_prints_one_object():
    said = onclair("samplesize", "develop", "--outcome", "binary", "--parameters", "24", "--c", "0.8", "--prevalence", "0.174", "--json")
    assert said.code == 0
    assert said.json["criteria"] == {"shrinkage": 1169, "r2": 715, "intercept": 221}
    assert (said.json["n"], said.json["decided_by"], said.json["warnings"]) == (1169, "shrinkage", [])


def test_validation_takes_its_widths_and_warns():
    asked = [
        "--prevalence",
        "0.018",
        "--c",
        "0.8",
        "--lp-normal",
        "-5",
        "2.5",
        "--oe-width",
        "1",
        "--slope-width",
        "0.2",
        "--c-width",
        "0.1",
    ]
    said = onclair("samplesize", "validate", *asked, "--threshold", "0.08", "--json")
    assert said.code == 0
    assert [said.json["criteria"][name] for name in ("o_e", "slope", "c")] == [905, 4554, 4252]
    assert said.json["n"] == said.json["criteria"]["net_benefit"]
    assert [warning["code"] for warning in said.json["warnings"]] == ["prevalence_differs"]


def test_development_says_in_words_what_decides():
    said = onclair("samplesize", "develop", "--outcome", "continuous", "--parameters", "25", "--r2", "0.2", "--mean", "1.9", "--sd", "0.6")
    assert said.code == 0
    assert "918 patients, decided by shrinkage" in said.out


def test_a_missing_flag_is_named_in_one_sentence():
    said = onclair("samplesize", "develop", "--outcome", "survival", "--parameters", "25", "--r2cs", "0.051", "--rate", "0.065", "--json")
    assert (said.code, said.out) == (2, "")
    assert said.err == "onclair: A survival outcome needs --timepoint and --followup; give a figure from an earlier study.\n"


def test_readers_prints_estimates_test_and_components(ratings):
    said = onclair("readers", "--ratings", ratings, "--covariance", "unbiased", "--json")
    assert said.code == 0
    assert [e["name"] for e in said.json["estimates"][:3]] == ["auc:CT", "auc:PET", "difference:CT-minus-PET"]
    assert {"statistic", "df", "p", "se"} <= set(said.json["test"])
    assert {"MS_T", "MS_TR", "error", "cov1", "cov2", "cov3"} <= set(said.json["components"])
    assert said.json["warnings"][0]["code"] == "delimiter"


def test_readers_speaks_in_words(ratings):
    said = onclair("readers", "--ratings", ratings, "--cases", "fixed")
    assert said.code == 0
    assert "All modalities alike? F = " in said.out
    assert "Without an interval: cases are fixed" in said.out


def test_a_gap_in_the_design_is_named(ratings, tmp_path):
    lines = ratings.read_text().splitlines()
    (tmp_path / "gap.csv").write_text("\n".join(lines[:-1]))
    said = onclair("readers", "--ratings", tmp_path / "gap.csv", "--json")
    assert (said.code, said.out) == (2, "")
    assert "gap.csv has no rating of reader R2, modality PET, case 11" in said.err
