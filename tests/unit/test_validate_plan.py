"""A plan is read whole or refused in one sentence."""

import pytest

from onclair.core.errors import BadSetting
from onclair.validate.plan import read_plan

BINARY = {"outcome": "binary", "columns": {"truth": "y"}, "models": {"m": {"column": "p"}}}
SURVIVAL = {
    "outcome": "survival",
    "columns": {"time": "t", "event": "e"},
    "models": {"m": {"column": "p"}},
    "figures": {"horizon": 5.0},
}


def changed(plan, **parts):
    return {**plan, **parts}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (changed(BINARY, titel="x"), ("titel", "title")),
        (changed(BINARY, columns={"truth": "y", "patiant": "p"}), ("patiant", "patient")),
        (changed(BINARY, models={"m": {"column": "p", "knd": "risk"}}), ("knd", "kind")),
        (changed(BINARY, figures={"treshold": [0.1]}), ("treshold", "thresholds")),
        (changed(BINARY, format="onclair-plan/2"), ("onclair-plan/2", "onclair-plan/1")),
        (changed(BINARY, outcome="ordinal"), ("ordinal", "binary")),
        ({"columns": {}, "models": {}}, ("outcome",)),
        (changed(BINARY, models={}), ("no model",)),
        (changed(BINARY, models={"m": {"kind": "risk"}}), ("models.m", "column")),
        (changed(BINARY, models={"all": {"column": "p"}}), ("'all'",)),
        (changed(BINARY, models={"a:b": {"column": "p"}}), ("'a:b'",)),
        (changed(BINARY, models="p"), ("[models]",)),
        (changed(BINARY, columns={}), ("truth",)),
        (changed(SURVIVAL, columns={"time": "t"}), ("event",)),
        (changed(SURVIVAL, columns={"time": "t", "event": "e", "truth": "y"}), ("truth",)),
        (changed(SURVIVAL, figures={}), ("horizon",)),
        (changed(BINARY, figures={"horizon": 5.0}), ("horizon",)),
        (changed(SURVIVAL, figures={"horizon": 5.0, "weights_at": 6.0}), ("weights_at", "6")),
        (changed(BINARY, figures={"thresholds": [0.1, 1.5]}), ("1.5",)),
        (changed(BINARY, figures={"thresholds": [0.1, 0.1]}), ("twice",)),
        (changed(BINARY, figures={"compare": [["m", "n"]]}), ("'n'",)),
        (changed(BINARY, figures={"compare": [["m", "m"]]}), ("itself",)),
        (changed(BINARY, design="case-control"), ("prevalence",)),
        (changed(BINARY, design="case-control", figures={"prevalence": 1.5}), ("prevalence", "1.5")),
        (changed(SURVIVAL, design="case-control"), ("case-control", "survival")),
        (changed(BINARY, design="internal-external"), ("centre",)),
        (changed(BINARY, models={"a-minus-b": {"column": "p"}}), ("'-minus-'",)),
        (changed(BINARY, columns={"truth": "y", "subgroups": ["sex", "sex"]}), ("twice",)),
        (changed(BINARY, figures={"smoother": "spline"}), ("smoother", "loess")),
        (changed(BINARY, figures={"level": 95}), ("level", "95")),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(document, words):
    with pytest.raises(BadSetting) as refused:
        read_plan(document)
    assert all(word in str(refused.value) for word in words), str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_horizon_may_be_absent_when_every_model_is_a_score():
    plan = read_plan(changed(SURVIVAL, figures={}, models={"m": {"column": "p", "kind": "score"}}))
    assert plan.figures.horizon is None


def test_competing_scores_need_no_horizon_either():
    plan = read_plan(changed(SURVIVAL, outcome="competing", figures={}, models={"m": {"column": "p", "kind": "score"}}))
    assert plan.figures.horizon is None


@pytest.mark.parametrize("figures", [{"seed": "3"}, {"bootstrap": True}, {"thresholds": [True]}, {"level": "0.9"}, {"weights_at": 1.0}])
def test_numbers_are_not_guessed_from_other_kinds(figures):
    with pytest.raises(BadSetting):
        read_plan(changed(BINARY, figures=figures))


def test_every_column_is_named_once_in_the_plans_order():
    plan = read_plan(
        changed(
            SURVIVAL,
            columns={"patient": "id", "time": "t", "event": "e", "centre": "c", "subgroups": ["sex", "c"]},
            models={"a": {"column": "p", "linear_predictor": "lp"}, "b": {"column": "p", "cumulative_hazard": "h"}},
        )
    )
    assert plan.used == ("id", "t", "e", "c", "sex", "p", "lp", "h")
