"""Methods and reasons of the record: every fragment that the house can write has French words, each is said once."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pytest

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.fragments import FRAGMENTS, each_once, in_french
from onclair.report.html import render_html
from onclair.report.page import as_written
from onclair.report.words import in_words
from onclair.science.radiomics.extract import Extraction, extract
from onclair.science.statistics.cox import FollowUp, cox
from onclair.science.statistics.glm import logistic
from onclair.validate.confounds import negative_control, nuisance_correlation, null_auc, too_few_events
from onclair.validate.curves import Curve
from onclair.validate.operating_points import operating_points
from onclair.validate.record import Asked, Claim, Judgement, judge
from onclair.validate.shares import share

#: The same in both languages: names of people and of a coefficient.
NAMES = {"DeLong 1988", "Wilson 1927", "Phipson & Smyth 2010", "Spearman"}
THIN = "\u202f"


def _judged(n: int, events: int, *, several: bool = False, repeats: int = 1, seed: int = 0) -> Judgement:
    """Judge a model, a score and the same risk for all on small arrays: with repeats, or with two rows a patient."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) < events
    risks = np.clip(0.3 * truth + rng.uniform(0.05, 0.65, (repeats, n)), 0, 1)
    claims = {"model": Claim(risks), "rival:size": Claim(rng.normal(size=n), kind="score"), "rival:same": Claim(np.full(n, 0.4))}
    patients = np.arange(n) % (n // 2) if several else None
    centres = None if several else np.where(np.arange(n) % 2, "A", "B")
    return judge(truth, claims, patients=patients, centres=centres, asked=Asked(thresholds=(0.2, 0.4), replicates=20))


def _fragments(estimates: Iterable[Estimate], curves: Iterable[Curve] = ()) -> tuple[str, ...]:
    told = [text or "" for e in estimates for text in (e.method, e.reason)]
    return each_once([*told, *(text or "" for c in curves for text in (c.method, c.reason))])


def _has_french(fragment: str) -> bool:
    return in_french(fragment) is not None and (fragment in NAMES or in_french(fragment) != fragment)


COHORTS = {
    "three repeats": _judged(60, 25, repeats=3),
    "two rows a patient": _judged(40, 16, several=True),
    "one class": _judged(12, 0),
    "everybody has the event": _judged(12, 12),
    "six patients": _judged(6, 2),
}


@pytest.mark.parametrize("name", COHORTS)
def test_every_fragment_of_a_judged_cohort_has_french_words(name: str) -> None:
    fragments = _fragments(*COHORTS[name])
    assert len(fragments) >= 3
    assert [f for f in fragments if not _has_french(f)] == []


def test_every_fragment_of_the_controls_has_french_words() -> None:
    truth, rng = [0, 1] * 15, np.random.default_rng(1)
    one, other = rng.normal(size=(3, 30)), rng.normal(size=30)
    found = [
        *negative_control("model", truth, one, other),
        *negative_control("model", truth, truth, truth),
        *operating_points("model", truth, rng.uniform(size=(2, 30)), [0.3, 0.99999]),
        nuisance_correlation("spearman:model:volume", one, other),
        nuisance_correlation("spearman:model:volume", one, other, patients=np.arange(30) // 2),
        nuisance_correlation("spearman:model:volume", one, np.ones(30)),
        nuisance_correlation("spearman:model:volume", one[:, :3], other[:3]),
        null_auc("auc:model:shuffled-labels", [0.4, 0.5, np.nan]),
        null_auc("auc:model:shuffled-labels", [np.nan]),
        share("coverage:conformal", [True, False]),
        share("coverage:conformal", []),
    ]
    assert [f for f in _fragments(found) if not _has_french(f)] == []


def test_why_a_claim_that_hardly_varies_has_no_slope_has_french_words() -> None:
    truth = np.tile([0, 1], 25)
    by_fold, near = np.where(np.arange(50) % 3, 0.48, 0.5), np.linspace(0.49, 0.51, 50)
    found = judge(truth, {"model": Claim(near), "rival:prevalence": Claim(by_fold)}, asked=Asked(replicates=40))
    fragments = _fragments(*found)
    assert sum("odds lie within" in f for f in fragments) == 3
    assert any("does not hold the figure" in f for f in fragments)
    assert [f for f in fragments if not _has_french(f)] == []


def test_why_a_regression_has_no_coefficients_has_french_words() -> None:
    line, truth = np.arange(6.0), np.arange(6) > 2
    design = np.column_stack([np.ones(6), line])
    reasons = [
        logistic(design, truth).reason,
        logistic(design, np.zeros(6)).reason,
        logistic(np.ones((6, 2)), [0, 1, 0, 1, 0, 1]).reason,
        cox(line[:, None], FollowUp(np.arange(1.0, 7.0), np.zeros(6))).reason,
        cox(line[:, None], FollowUp(np.arange(6.0, 0.0, -1.0), np.ones(6))).reason,
    ]
    assert [r for r in reasons if r is None or not _has_french(r)] == []


def test_the_warning_of_too_few_events_has_french_words() -> None:
    assert all(map(_has_french, each_once([too_few_events(19, 32) or "untold"])))


def test_why_a_feature_is_undefined_has_french_words() -> None:
    rng, nothing = np.random.default_rng(2), np.zeros((5, 5, 5), dtype=bool)
    single, corner, apart = nothing.copy(), nothing.copy(), nothing.copy()
    single[2, 2, 2] = True
    corner[2, 2:4, 2] = corner[2, 2, 3] = True
    apart[0, 0, 0] = apart[4, 4, 4] = True
    noise, flat, step = rng.normal(size=nothing.shape), np.full(nothing.shape, 3.2), np.zeros(nothing.shape)
    step[2, 2, 2], step[2, 3, 2] = 1.0, -1.0
    usual, fixed = Extraction(), Extraction(discretisation="fixed-number")
    cases = [(flat, single), (flat, corner), (noise, apart), (step, corner), (1 + noise / 1e6, corner)]
    reasons = [extract(array, region, (2.0, 2.0, 2.0), usual).reasons for array, region in cases]
    reasons.append(extract(flat, corner, (2.0, 2.0, 2.0), fixed).reasons)
    told = each_once(why for found in reasons for why in found.values())
    assert len(told) >= 6
    assert [f for f in told if not _has_french(f)] == []


def test_every_pattern_keeps_the_numbers_that_it_catches() -> None:
    for pattern, french in FRAGMENTS:
        caught = re.compile(pattern).groups
        assert {int(g) for g in re.findall(r"\\(\d)", french)} == set(range(1, caught + 1)), pattern


def test_a_caught_number_gets_a_decimal_comma() -> None:
    assert in_french("rows in classes of 0.05") == "lignes par classes de 0,05"


def test_what_a_user_named_is_left_as_it_is() -> None:
    told = in_french("3 of 5 centres entered (left out, no figure: 2.0, 33.0)")
    assert told == "3 centres retenus sur 5 (écartés, sans valeur : 2.0, 33.0)"


def test_a_fragment_that_a_fragment_holds_is_french_too() -> None:
    told = in_french("membership cannot be modelled: Newton's method did not converge to 1e-09 in 50 steps")
    assert told == "l'appartenance au centre ne peut être modélisée : la méthode de Newton n'a pas convergé à 1e-09 en 50 pas"


def test_a_fragment_that_holds_an_unknown_one_is_not_half_translated() -> None:
    assert in_french("membership cannot be modelled: read in the stars") is None


def test_the_decimal_point_of_a_doi_stays() -> None:
    assert in_french("Riley 2019 part I (doi:10.1002/sim.7993)") == "Riley 2019, partie I (doi:10.1002/sim.7993)"


def test_a_fragment_that_nobody_translated_stays_english_and_is_marked_so() -> None:
    made = as_written("Wald interval; read in the stars", "fr")
    assert not isinstance(made, str)
    assert made is not None
    assert made.text == f"intervalle de Wald{THIN}; "
    assert [(s.get("lang"), s.text) for s in made] == [("en", "read in the stars")]


def test_a_caption_says_each_fragment_once_and_in_order() -> None:
    found = COHORTS["three repeats"]
    facts = {"curves": [c.as_dict() for c in found.curves], "patients": 60, "events": 25}
    page = render_html(Evidence("validate", estimates=tuple(found.estimates), facts=facts))
    captions = [re.sub(r"<[^>]+>", "", c) for c in re.findall(r"<figcaption>(.*?)</figcaption>", page, flags=re.S)]
    assert captions[0].count("empirical AUC, mid-ranks") == 1
    assert captions[0].index("DeLong 1988") < captions[0].index("mean over 3 repeats") < captions[0].index("constant score")


def test_a_reason_in_words_is_french_on_a_french_page() -> None:
    assert in_words("the cohort has one centre", "fr") == "la cohorte n’a qu’un centre"
