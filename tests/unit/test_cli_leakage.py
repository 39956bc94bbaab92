"""The commands `leakage` and `virtual claims`, as a user calls them."""

import numpy as np
import pytest

from commandline import onclair
from onclair.io.tables import write_table
from onclair.virtual.claim_leaky import LeakyLaw
from onclair.virtual.claims import VirtualClaims, draw, write


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    """A virtual table with seven leaks, and its plan."""
    return write(VirtualClaims(kind="leaky", patients=80, centres=4), tmp_path_factory.mktemp("leaky") / "claim")


def test_seven_planted_leaks_are_named_and_the_exit_code_is_one(leaky):
    said = onclair("leakage", "--table", leaky / "predictions.csv", "--plan", leaky / "plan.toml", "--json")
    assert said.code == 1
    assert said.json["verdict"] == "leak"
    assert {f["check"] for f in said.json["findings"] if f["severity"] == "leak"} == {
        "patient-in-both-splits",
        "uid-in-both-splits",
        "exact-duplicate-across-splits",
        "near-duplicate-across-splits",
        "target-echo",
        "time-order",
        "transform-before-split",
    }
    assert all(set(f) == {"check", "severity", "count", "items", "value", "explanation"} for f in said.json["findings"])
    assert said.json["data"] == "virtual"


def test_a_misspelt_column_is_refused_with_the_nearest_name(leaky, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text((leaky / "plan.toml").read_text().replace('split = "split"', 'split = "splitt"'))
    said = onclair("leakage", "--table", leaky / "predictions.csv", "--plan", plan, "--json")
    assert (said.code, said.out) == (2, "")
    assert "no column 'splitt'; did you mean 'split'?" in said.err


def test_a_clean_table_is_said_to_be_clean_and_the_exit_code_is_zero(leaky, tmp_path):
    write_table(tmp_path / "clean.csv", draw(LeakyLaw(80, 4), np.random.default_rng(3)).table)
    said = onclair("leakage", "--table", tmp_path / "clean.csv", "--plan", leaky / "plan.toml")
    assert said.code == 0
    assert "11 checks run: patient-in-both-splits" in said.out
    assert said.out.endswith("Clean: no check found a leak.\n")


def test_virtual_claims_are_written_and_say_what_to_do_next(tmp_path):
    said = onclair("virtual", "claims", "--kind", "clustered", "--patients", "60", "--centres", "4", "--out", tmp_path / "claim")
    assert said.code == 0
    assert "onclair validate --predictions" in said.out
    assert sorted(p.name for p in (tmp_path / "claim").iterdir()) == ["plan.toml", "predictions.csv", "truth.json"]
