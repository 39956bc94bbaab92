"""Looks: taken when planned and never otherwise; z and boundary are those of the books."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onclair.core.errors import BadInput, BadSetting
from onclair.science.statistics.sequential import boundaries
from onclair.validate.calibration import o_e
from onclair.validate.discrimination import auc
from onclair.validate.protocol.looks import judge_look
from onclair.validate.protocol.plan import LooksPlan, read_protocol_plan

PLAN = LooksPlan(figure="auc", null=0.5, alpha=0.05, spending="obrien-fleming", planned=(20, 40, 60))


def trial(events: int, others: int = 40, strength: float = 1.0, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.r_[np.ones(events), np.zeros(others)]
    risks = 1 / (1 + np.exp(-(strength * truth + rng.normal(size=truth.size) - 0.5)))
    return truth, risks


def test_z_of_an_auc_is_its_distance_from_the_null_in_delong_errors() -> None:
    truth, risks = trial(20)
    figure = auc("auc:model", truth, risks)
    assert figure.scale == "identity"
    assert judge_look(PLAN, truth, risks, []).z == pytest.approx((figure.value - 0.5) / figure.se, rel=1e-12)


def test_z_of_an_auc_near_one_uses_the_same_error_though_its_interval_is_on_the_logit_scale() -> None:
    truth, risks = trial(20, strength=3.5)
    figure = auc("auc:model", truth, risks)
    assert figure.scale == "logit"
    own = figure.se * figure.value * (1 - figure.value)
    assert judge_look(PLAN, truth, risks, []).z == pytest.approx((figure.value - 0.5) / own, rel=1e-12)


def test_z_of_observed_over_expected_is_on_the_log_scale() -> None:
    truth, risks = trial(20)
    plan = PLAN.model_copy(update={"figure": "o_e", "null": 1.2})
    figure = o_e("o_e:model", truth, risks)
    assert judge_look(plan, truth, risks, []).z == pytest.approx(math.log(figure.value / 1.2) / math.sqrt(1 / 20 - 1 / 60), rel=1e-12)


@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock", "lan-demets-obf", "lan-demets-pocock"])
def test_looks_as_planned_have_the_boundaries_of_the_plan(spending: str) -> None:
    plan = PLAN.model_copy(update={"spending": spending})
    expected = boundaries([1 / 3, 2 / 3, 1.0], 0.05, spending)
    taken = [judge_look(plan, *trial(events), earlier).boundary for events, earlier in ((20, []), (40, [20]), (60, [20, 40]))]
    assert taken == pytest.approx(expected.tolist(), abs=1e-9)


def test_a_late_look_is_judged_by_the_events_it_has() -> None:
    plan = PLAN.model_copy(update={"spending": "lan-demets-obf"})
    late = judge_look(plan, *trial(27), [])
    assert late.boundary == pytest.approx(boundaries([27 / 60], 0.05, "lan-demets-obf")[0], abs=1e-9)
    assert (late.index, late.information) == (1, 27)


@pytest.mark.parametrize(
    ("events", "earlier", "words"),
    [
        (19, [], "Look 1 is due at 20 events and there are 19"),
        (20, [20], "Look 1 was taken at 20 events and is not repeated; the next is due at 40"),
        (30, [20], "Look 2 is due at 40 events and there are 30"),
        (50, [45], "Look 2 is due at 60 events and there are 50"),
        (80, [20, 40, 60], r"All planned looks \(20, 40, 60 events\) were taken"),
    ],
)
def test_an_early_repeated_or_unplanned_look_is_refused(events: int, earlier: list[int], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        judge_look(PLAN, *trial(events), earlier)


def test_a_figure_beyond_the_boundary_stops_the_trial_and_a_last_look_inside_ends_it() -> None:
    strong, weak = judge_look(PLAN, *trial(20, strength=2.5), []), judge_look(PLAN, *trial(20, strength=0.0), [])
    assert (strong.code, strong.decision, weak.code) == ("rejected", "stop: null rejected", "continue")
    last = judge_look(PLAN, *trial(60, strength=0.0), [20, 40])
    assert (last.code, last.decision) == ("not_rejected", "stop: null not rejected")


def test_wholly_separated_classes_are_judged_by_the_error_that_an_auc_has_at_the_null() -> None:
    truth = np.r_[np.ones(20), np.zeros(40)]
    look = judge_look(PLAN, truth, np.where(truth == 1, 0.9, 0.1), [])
    rank_sum_error = math.sqrt((20 + 40 + 1) / (12 * 20 * 40))  # exact for a null of one half
    assert (look.z, look.code) == (pytest.approx(0.5 / rank_sum_error, rel=1e-12), "rejected")


def test_a_figure_without_an_error_decides_nothing() -> None:
    truth = np.r_[np.ones(20), np.zeros(20)]
    look = judge_look(PLAN, truth, np.full(40, 0.3), [])
    assert (look.z, look.code, look.decision) == (None, "cannot_tell", "cannot tell")
    assert "nothing is decided" in look.text


MINIMAL = 'format = "onclair-protocol/1"\n[columns]\ncase = "id"\ntruth = "y"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("format = ", "is not TOML"),
        ("[columns]\ncase = 'id'", "has no format"),
        (MINIMAL.replace("/1", "/9"), "onclair-protocol/9"),
        (MINIMAL + "[look]\nnull = 1", "unknown key 'look'; did you mean 'looks'"),
        (MINIMAL.replace("truth", "thruth"), "did you mean 'truth'"),
        (MINIMAL.replace('truth = "y"', ""), "column of the truth"),
        (MINIMAL.replace('"y"', '"id"'), "both case and truth"),
        (MINIMAL + "[looks]\nnull = 0.7", "no 'planned'"),
        (MINIMAL + "[looks]\nplanned = [10]", "no 'null'"),
        (MINIMAL + "[looks]\nnull = 0.7\nplanned = [20, 20]", "give events that rise"),
        (MINIMAL + "[looks]\nnull = 0.7\nplanned = []", "give events that rise"),
        (MINIMAL + "[looks]\nnull = 1.0\nplanned = [20]", "must lie below 1"),
        (MINIMAL + "[looks]\nnull = 0.7\nplanned = [20]\nplaned = 3", "did you mean 'planned'"),
        (MINIMAL + '[looks]\nnull = 0.7\nplanned = [20]\nspending = "obf"', "obrien-fleming"),
        (MINIMAL + '[looks]\nnull = 0.7\nplanned = [20]\ninformation = "patients"', "'events'"),
        (MINIMAL + "[looks]\nnull = 0.7\nplanned = [20]\nalpha = 1.5", "less than 1"),
        (MINIMAL + "[drift]\npsi_alert = 0", "more than 0"),
        ("drift = 3\n" + MINIMAL, r"head it with \[drift\]"),
    ],
)
def test_an_impossible_plan_is_refused_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(BadSetting, match=words):
        read_protocol_plan(text.encode())
