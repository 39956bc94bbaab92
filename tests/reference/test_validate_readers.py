"""A reader study against the figures frozen from MRMCaov: VanDyke, 5 readers, 2 modalities, 114 cases."""

import json

import pytest

from onclair.io.tables import read_table
from onclair.validate.readers.comparison import compare_modalities
from onclair.validate.readers.table import CODES, ratings_of


@pytest.fixture(scope="module")
def study(reference_data):
    return ratings_of(read_table(reference_data / "evidence" / "VanDyke.csv", text=CODES).frame)


@pytest.fixture(scope="module")
def expected(reference_data):
    return json.loads((reference_data / "evidence" / "EXPECTED.json").read_text())["vandyke_mrmc"]


def test_random_readers_and_cases_by_delong(study, expected):
    found, block, tol = compare_modalities(study), expected["delong_OR_random_reader_random_case"], expected["abs_tol"]
    first, second, difference = found.estimates[:3]
    assert [e.name for e in (first, second, difference)] == ["auc:1", "auc:2", "difference:1-minus-2"]
    assert [first.value, second.value] == pytest.approx(block["auc"], abs=tol)
    assert (difference.value, difference.se) == pytest.approx((block["diff_1_minus_2"], block["se"]), abs=tol)
    assert (difference.low, difference.high) == pytest.approx(block["ci"], abs=tol)
    assert (found.test.kind, found.test.numerator_df) == ("F", 1)
    assert (found.test.statistic, found.test.df) == pytest.approx((block["F"], block["df"]), abs=tol)
    assert (found.test.p, found.test.se) == pytest.approx((block["p"], block["se"]), abs=tol)
    for name in ("MS_T", "MS_TR", "error", "cov1", "cov2", "cov3"):
        assert getattr(found.components, name) == pytest.approx(block[name], abs=tol), name


def test_the_unbiased_covariance(study, expected):
    found, block, tol = compare_modalities(study, covariance="unbiased"), expected["unbiased"], expected["abs_tol"]
    assert (found.test.p, found.test.df) == pytest.approx((block["p"], block["df"]), abs=tol)
    assert (found.components.cov2, found.components.cov3) == pytest.approx((block["cov2"], block["cov3"]), abs=tol)


def test_fixed_readers_by_the_jackknife(study, expected):
    found = compare_modalities(study, readers="fixed", covariance="jackknife")
    assert found.test.kind == "chi2"
    assert found.test.p == pytest.approx(expected["published_fixed_readers_p"], abs=expected["abs_tol"])


def test_fixed_cases(study, expected):
    found = compare_modalities(study, cases="fixed")
    assert found.test.df == 4
    assert found.test.p == pytest.approx(expected["published_fixed_cases_p"], abs=expected["abs_tol"])


def test_readers_and_cases_are_counted(study, expected):
    assert (len(study.readers), len(study.cases), study.modalities) == (expected["readers"], expected["cases"], ("1", "2"))
