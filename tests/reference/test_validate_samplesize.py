"""Sample sizes against the figures frozen from pmsampsize and pmvalsampsize."""

import json

import pytest

from onclair.validate.samplesize.development import develop
from onclair.validate.samplesize.validation import Widths, normal_predictor, validate

BINARY = {"prevalence": 0.174}
ASKED = {
    "bin r2cs .288 p 24 prev .174": ("binary", 24, {"r2cs": 0.288, **BINARY}),
    "bin r2cs .55 p 24 prev .174": ("binary", 24, {"r2cs": 0.55, **BINARY}),
    "bin C .8 p 24 prev .174 (simulated, tol 2%)": ("binary", 24, {"c": 0.8, **BINARY}),
    "surv r2cs .051 p 25 rate .065 t 2 fup 2.07": ("survival", 25, {"r2cs": 0.051, "rate": 0.065, "timepoint": 2, "followup": 2.07}),
    "surv r2cs .3 p 80 rate .03 t 1 fup 5": ("survival", 80, {"r2cs": 0.3, "rate": 0.03, "timepoint": 1, "followup": 5}),
    "cont r2 .2 p 25 mean 1.9 sd .6": ("continuous", 25, {"r2": 0.2, "mean": 1.9, "sd": 0.6}),
}


@pytest.fixture(scope="module")
def expected(reference_data):
    return json.loads((reference_data / "evidence" / "EXPECTED.json").read_text())["sample_size"]


@pytest.mark.parametrize("name", ASKED)
def test_development_asks_for_as_many_as_pmsampsize(name, expected):
    found = develop(*ASKED[name])
    assert [*found.criteria.values(), found.n] == pytest.approx(expected["pmsampsize"][name], rel=0.02 if "simulated" in name else 0)


def test_every_frozen_development_is_asked(expected):
    assert set(ASKED) == set(expected["pmsampsize"])


def test_the_step_from_c_to_r2_is_the_quadrature_of_the_simulation():
    assert list(develop("binary", 24, {"c": 0.8, **BINARY}).criteria.values()) == [1169, 715, 221]


def test_validation_asks_for_as_many_as_pmvalsampsize(expected):
    block = expected["pmvalsampsize_bin prev .018 C .8 lp N(-5,2.5) oe width 1"]
    found = validate(0.018, 0.8, normal_predictor(-5, 2.5), widths=Widths(o_e=1.0))
    assert found.criteria["o_e"] == block["oe"]
    assert found.criteria["c"] == block["c"]
    assert found.criteria["slope"] == pytest.approx(block["slope_tol_3pct"], rel=0.03)
    assert found.criteria["slope"] == 4554
