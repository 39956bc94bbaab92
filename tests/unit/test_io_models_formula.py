"""Published formulas typed by hand: read, checked to the last coefficient, and applied exactly."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadInput, BadModelFile, BadSetting
from onclair.io.models import FORMAT, ModelRecord, load_formula, load_model, save_model
from onclair.science.statistics.formula import formula_of
from onclair.science.statistics.splines import restricted_cubic

TYPED = {
    "format": FORMAT,
    "name": "published",
    "family": "logistic",
    "outcome": "malignancy",
    "inputs": [
        {"name": "age", "unit": "year", "low": 18, "high": 100},
        {"name": "volume", "unit": "mL", "low": 0, "missing": 12.5},
        {"name": "sex"},
    ],
    "terms": [
        {"input": "age", "coefficient": 0.031},
        {"input": "volume", "transform": "log1p", "coefficient": 0.72},
        {"input": "sex", "levels": {"F": 0.0, "M": 0.44}},
    ],
    "intercept": -4.2,
    "thresholds": [0.1, 0.3],
}
CASES = pd.DataFrame({"age": [64.0, 41.0], "volume": [20.0, None], "sex": ["M", "F"]})


def typed(tmp_path, **changes):
    path = tmp_path / "formula.json"
    path.write_text(json.dumps({**TYPED, **changes}))
    return path


def read(tmp_path, **changes):
    return formula_of(load_formula(typed(tmp_path, **changes)).document)


def test_a_formula_typed_by_hand_predicts_as_worked_by_hand(tmp_path):
    lp = [-4.2 + 0.031 * 64 + 0.72 * math.log(21) + 0.44, -4.2 + 0.031 * 41 + 0.72 * math.log(13.5)]
    assert read(tmp_path).predict(CASES) == pytest.approx([1 / (1 + math.exp(-x)) for x in lp], abs=1e-14)


def test_one_case_is_predicted_like_a_table_of_one(tmp_path):
    formula = read(tmp_path)
    assert formula.risk({"age": 64.0, "volume": 20.0, "sex": "M"}) == formula.predict(CASES)[0]


def test_the_order_of_terms_changes_no_digit(tmp_path):
    one, other = read(tmp_path), read(tmp_path, terms=TYPED["terms"][::-1])
    assert np.array_equal(one.predict(CASES), other.predict(CASES))


def test_a_linear_formula_gives_its_sum(tmp_path):
    formula = read(tmp_path, family="linear", inputs=[], terms=[{"input": "dose", "coefficient": -0.5}], intercept=2.0)
    assert formula.predict({"dose": [1.0, 4.0]}).tolist() == [1.5, 0.0]


@pytest.mark.parametrize("family", ["spline", "linear"])
def test_a_restricted_cubic_spline_is_harrells(tmp_path, family):
    knots, b = [40.0, 55.0, 62.0, 80.0], [0.02, -0.3, 0.9]
    term = {"input": "age", "transform": "rcs", "knots": knots, "coefficient": b}
    formula = read(tmp_path, family=family, inputs=[], terms=[term], intercept=1.0)
    ages = np.linspace(20, 95, 31)
    assert formula.predict({"age": ages}) == pytest.approx(1.0 + restricted_cubic(ages, knots) @ b, abs=1e-12)


@pytest.mark.parametrize(
    ("transform", "x", "expected"),
    [
        ("identity", 3.0, 3.0),
        ("log", 3.0, math.log(3)),
        ("log1p", 3.0, math.log(4)),
        ("log2", 8.0, 3.0),
        ("log10", 100.0, 2.0),
        ("square", 3.0, 9.0),
        ("cube", 2.0, 8.0),
        ("sqrt", 9.0, 3.0),
        ("inverse", 4.0, 0.25),
        ("sign(x) log(1 + |x| / 2.5)", -5.0, -math.log(3)),
    ],
)
def test_each_transform_is_what_its_word_says(tmp_path, transform, x, expected):
    formula = read(tmp_path, family="linear", inputs=[], terms=[{"input": "x", "transform": transform, "coefficient": 2.0}], intercept=0)
    assert formula.predict({"x": [x]})[0] == pytest.approx(2 * expected, rel=1e-15)


def test_winsorising_pulls_values_in_to_its_limits(tmp_path):
    term = {"input": "x", "transform": "winsor", "knots": [1.0, 5.0], "coefficient": 1.0}
    assert read(tmp_path, family="linear", inputs=[], terms=[term], intercept=0).predict({"x": [0.0, 3.0, 9.0]}).tolist() == [1.0, 3.0, 5.0]


def test_levels_may_be_numbers_written_either_way(tmp_path):
    term = {"input": "grade", "levels": ["1", "2", "3"], "coefficient": [0.0, 0.5, 1.2]}
    formula = read(tmp_path, family="linear", inputs=[], terms=[term], intercept=0)
    assert formula.predict({"grade": [1.0, 2.0, 3.0]}).tolist() == formula.predict({"grade": ["1", "2", "3"]}).tolist() == [0.0, 0.5, 1.2]


COX = {
    "family": "cox",
    "inputs": [],
    "intercept": None,
    "terms": [{"input": "x", "coefficient": math.log(2)}],
    "baseline": {"horizon": [1, 5], "survival": [0.98, 0.9], "unit": "year", "centre": 0.0},
}


def test_a_cox_formula_gives_the_risk_by_a_published_horizon(tmp_path):
    formula = read(tmp_path, **COX)
    assert formula.predict({"x": [0.0, 1.0]}, horizon=5) == pytest.approx([0.1, 0.19], abs=1e-14)
    assert formula.predict({"x": [1.0]}, horizon=1) == pytest.approx([1 - 0.98**2], abs=1e-14)


def test_a_cumulative_hazard_and_a_centre_may_stand_for_the_survival(tmp_path):
    hazard = {"horizon": 5, "cumulative_hazard": -math.log(0.9), "centre": math.log(2)}
    assert read(tmp_path, **{**COX, "baseline": hazard}).predict({"x": [1.0]}) == pytest.approx([0.1], abs=1e-14)


def test_a_horizon_that_was_not_published_is_refused(tmp_path):
    formula = read(tmp_path, **COX)
    with pytest.raises(BadSetting, match=r"no baseline at the horizon 3; published: 1, 5 year"):
        formula.predict({"x": [0.0]}, horizon=3)
    with pytest.raises(BadSetting, match="several horizons"):
        formula.predict({"x": [0.0]})
    with pytest.raises(BadSetting, match="logistic and has no horizon"):
        read(tmp_path).predict(CASES, horizon=5)


def test_a_model_learnt_here_predicts_from_its_readable_formula(tmp_path):
    from onclair.learn.estimators import CoxPH, Logistic
    from onclair.learn.pipeline import Pipeline
    from onclair.learn.saved import formula as written
    from onclair.learn.selection import Selection

    draw = np.random.default_rng(0)
    table = pd.DataFrame(np.exp(draw.normal(size=(80, 3))), columns=list("abc"))
    y = (table["a"] > 1).to_numpy(dtype=float)
    signed = np.where(y > 0, 1, -1) * (1 + draw.random(80) / table["a"].to_numpy())
    for estimator, truth, family in ((Logistic(), y, "logistic"), (CoxPH(horizon=1.3), signed, "cox")):
        for transform in ("standardise", "signed_log"):
            fitted = Pipeline("m", estimator, Selection(k=3), transform).fit(table, truth, draw)
            formula = formula_of({"name": "m", "family": family, **written(fitted)})
            assert formula.predict(table) == pytest.approx(fitted.risk(table), abs=1e-12)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"age": [64.0], "volume": [1.0]}, "no column 'sex'"),
        ({"agee": [64.0], "volume": [1.0], "sex": ["M"]}, "no column 'age', an input of the formula; did you mean 'agee'"),
        (
            {"age": [64.0, 134.0], "volume": [1.0, 1], "sex": ["M", "M"]},
            "input age of row 1 is 134.0, which is outside its declared range, 18",
        ),
        ({"age": [64.0, None], "volume": [1.0, 1], "sex": ["M", "M"]}, "input age of row 1 is None, which is missing"),
        ({"age": [64.0], "volume": [-1.0], "sex": ["M"]}, "outside its declared range, at least 0 mL"),
        ({"age": ["old"], "volume": [1.0], "sex": ["M"]}, "holds what is no number"),
        ({"age": [64.0], "volume": [1.0], "sex": ["male"]}, "sex is 'male' in row 0, which the formula does not know"),
        ({"age": [64.0], "volume": [1.0], "sex": [None]}, "input sex of row 0 is None, which is missing"),
        ({"age": [64.0, 65.0], "volume": [1.0], "sex": ["M"]}, "have \\[1, 2\\] rows"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, table, sentence):
    with pytest.raises(BadInput, match=sentence):
        read(tmp_path).predict(table)


def test_a_value_where_the_transform_is_not_defined_is_refused(tmp_path):
    formula = read(tmp_path, inputs=[], terms=[{"input": "psa", "transform": "log", "coefficient": 1.0}])
    with pytest.raises(BadInput, match="psa is 0 in row 1, of which 'log' cannot be taken; check its unit"):
        formula.predict({"psa": [1.0, 0.0]})


@pytest.mark.parametrize("family", ["identity", "rcs", "exp"])
def test_a_term_that_overflows_is_refused_whatever_its_transform(tmp_path, family):
    term = {"input": "psa", "transform": family, "coefficient": 1e200}
    term |= {"knots": [1.0, 2.0, 3.0], "coefficient": [1.0, 2.0]} if family == "rcs" else {}
    formula = read(tmp_path, inputs=[], terms=[term])
    with pytest.raises(BadInput, match=f"psa is 1e\\+200 in row 1, of which '{family}' cannot be taken; check its unit"):
        formula.predict({"psa": [1.5, 1e200]})


def test_what_keeps_a_case_from_being_predicted_is_said_without_raising(tmp_path):
    formula = read(tmp_path)
    assert formula.fault({"age": 64.0, "volume": None, "sex": "F"}) is None
    assert formula.fault({"age": None, "volume": 1.0, "sex": "F"}) == "age is missing or no number"
    assert "does not know" in str(formula.fault({"age": 64.0, "volume": 1.0, "sex": "X"}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"inputs": [{"name": "age", "low": 100, "high": 18}], "terms": TYPED["terms"][:1]}, "runs from 100 down to 18; swap its ends"),
        ({"inputs": [{"name": "age"}, {"name": "age"}], "terms": TYPED["terms"][:1]}, "'age' of formula.json is listed twice"),
        ({"terms": [{"input": "age"}]}, "coefficient of 'age' of formula.json is 'missing'"),
        ({"terms": [{"input": "age", "coefficient": None}]}, "coefficient of 'age' of formula.json is 'missing'"),
        ({"terms": [{"input": "sex", "levels": {"F": 0, "M": "0.4"}}]}, "coefficient of 'sex' of formula.json is '0.4'"),
        ({"terms": [{"input": "age", "transform": "rcs", "knots": [60, 40, 80], "coefficient": [1, 2]}]}, "write them rising"),
        ({"terms": {"age": 0.03}}, "'terms' of formula.json is no list"),
        ({"thresholds": ["10 %"]}, "threshold of formula.json is '10 %'"),
        ({"baseline": 0.9}, "baseline of formula.json is 0.9"),
        ({"intersept": 1}, "did you mean 'intercept'"),
    ],
)
def test_a_slip_in_the_file_is_refused_when_it_is_read(tmp_path, changes, sentence):
    with pytest.raises(BadModelFile, match=sentence):
        load_formula(typed(tmp_path, **changes))


def test_a_key_written_twice_is_refused(tmp_path):
    path = tmp_path / "formula.json"
    path.write_text(json.dumps(TYPED)[:-1] + ', "intercept": 4.2}')
    with pytest.raises(BadModelFile, match="the key 'intercept' is written twice"):
        load_formula(path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"terms": [{"input": "age", "transform": "lgo1p", "coefficient": 1}]}, "'lgo1p', which is unknown; did you mean 'log1p'"),
        ({"terms": [{"input": "age", "transform": "rcs", "knots": [40, 60], "coefficient": [1]}]}, "takes three knots or more"),
        (
            {"terms": [{"input": "age", "transform": "rcs", "knots": [40, 60, 80], "coefficient": [1]}]},
            "has 1 coefficients where 'rcs' takes 2",
        ),
        ({"terms": [{"input": "age", "knots": [40, 60, 80], "coefficient": 1}]}, "'identity' takes no knots"),
        ({"terms": [{"input": "sex", "levels": ["F", "M"], "coefficient": [0.1]}]}, "2 levels \\(F, M\\) and 1 coefficients"),
        ({"terms": [{"input": "sex", "levels": {"F": 0.1}, "coefficient": 1}]}, "both by level and apart"),
        ({"terms": []}, "has no terms"),
        ({"intercept": None}, "has no intercept"),
        ({"family": "logistical"}, "did you mean 'logistic'"),
        ({"extra": {"calibrator": {"kind": "platt"}}}, "more than a formula \\(calibrator\\)"),
        ({**COX, "baseline": None}, "no baseline with a horizon"),
        ({**COX, "baseline": {"horizon": 5, "survial": 0.9}}, "unknown key 'survial'; did you mean 'survival'"),
        ({**COX, "baseline": {"horizon": 5, "survival": 90}}, "lies above 0 and at most at 1"),
        ({**COX, "baseline": {"horizon": [1, 5], "survival": [0.9, 0.98]}}, "both rising with time"),
        ({**COX, "baseline": {"horizon": [1, 5], "survival": [0.9]}}, "one hazard \\(or survival\\) for each horizon"),
        ({**COX, "baseline": {"horizon": 5}}, "cumulative_hazard in the baseline of 'published' is None"),
        ({"inputs": [{"name": "age", "low": 18, "missing": 5}], "terms": TYPED["terms"][:1]}, "missing 'age' is 5, but age is outside"),
    ],
)
def test_a_formula_that_cannot_be_applied_is_refused_before_it_is(tmp_path, changes, sentence):
    with pytest.raises(BadModelFile, match=sentence):
        read(tmp_path, **changes)


def test_a_formula_survives_the_model_folder(tmp_path):
    again = load_model(save_model(tmp_path / "m", ModelRecord(TYPED)))
    assert np.array_equal(formula_of(again.document).predict(CASES), formula_of(ModelRecord(TYPED).document).predict(CASES))
