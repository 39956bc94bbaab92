"""What a score goes with: readers' scores and biology, and how many questions were asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from onclair.core.errors import BadInput, BadSetting
from onclair.explain.semantics import associations, beside, feature_associations

RNG = np.random.default_rng(5)
SCORE = RNG.normal(size=60)
TABLE = pd.DataFrame(
    {
        "texture score": np.clip(np.round(SCORE + RNG.normal(size=60)), -2, 2),
        "egfr": np.where(SCORE + RNG.normal(size=60) > 0, "mutant", "wildtype"),
        "histology": RNG.choice(["adeno", "squamous", "large"], 60),
        "size": RNG.normal(size=60),
    }
)


def _by(found, column, **where):
    (only,) = [
        a for a in found.each if a.column == column and all(getattr(a, k) == v for k, v in {"reader": None, "given": None, **where}.items())
    ]
    return only


def test_each_kind_of_column_is_asked_in_its_own_way() -> None:
    found = associations(SCORE, TABLE)
    assert [a.estimate.name for a in found.each] == [
        "spearman:model:semantic:texture-score",
        "auc:model:semantic:egfr",
        "epsilon2:model:semantic:histology",
        "spearman:model:semantic:size",
    ]
    assert all(a.estimate.low <= a.estimate.value <= a.estimate.high for a in found.each)


def test_a_scale_has_the_correlation_and_p_value_of_scipy() -> None:
    asked = _by(associations(SCORE, TABLE), "texture score")
    rho, p = stats.spearmanr(SCORE, TABLE["texture score"])
    assert asked.estimate.value == pytest.approx(rho, abs=1e-12)
    assert asked.p == pytest.approx(p, rel=1e-9)


def test_two_groups_have_the_area_of_mann_and_whitney_and_its_p_value() -> None:
    asked = _by(associations(SCORE, TABLE), "egfr")
    wild, mutant = SCORE[TABLE["egfr"] == "wildtype"], SCORE[TABLE["egfr"] == "mutant"]
    u, p = stats.mannwhitneyu(wild, mutant, use_continuity=False, method="asymptotic")
    assert asked.estimate.value == pytest.approx(u / (wild.size * mutant.size), abs=1e-12)
    assert asked.p == pytest.approx(p, rel=1e-9)
    assert "AUC of 'wildtype' against 'mutant'" in asked.estimate.method


def test_several_groups_have_the_p_value_of_kruskal_and_wallis() -> None:
    asked = _by(associations(SCORE, TABLE), "histology")
    groups = [SCORE[TABLE["histology"] == name] for name in TABLE["histology"].unique()]
    assert asked.p == pytest.approx(stats.kruskal(*groups).pvalue, rel=1e-9)


def test_q_values_are_those_of_benjamini_and_hochberg_over_all_columns_asked() -> None:
    found = associations(SCORE, TABLE)
    expected = stats.false_discovery_control([a.p for a in found.each])
    assert [a.q for a in found.each] == pytest.approx(list(expected))
    assert found.asked == 4
    assert all(f"q = {a.q:.3g} among 4 asked" in a.estimate.method for a in found.each)
    assert found.close() == ("texture score", "egfr")


def test_a_column_that_cannot_be_asked_says_why_and_is_not_counted() -> None:
    odd = pd.DataFrame(
        {
            "few": [1.0] * 6 + [2.0] * 3 + [np.nan] * 51,
            "same": 3,
            "name": [f"note {i}" for i in range(60)],
            "rare": ["a"] * 57 + ["b", "c", "d"],
            "size": TABLE["size"],
        }
    )
    found = associations(SCORE, odd)
    reasons = {a.column: a.estimate.reason for a in found.each}
    assert found.asked == 1
    assert reasons == {
        "few": "9 patients have a value; an association needs 10",
        "same": "the score or the column does not vary among them",
        "name": "every row has a value of its own, as a name has",
        "rare": "fewer than two groups have 5 patients",
        "size": None,
    }


def test_a_group_of_few_is_left_out_and_said_to_be() -> None:
    groups = np.array(["a", "b"] * 28 + ["c"] * 4)
    (asked,) = associations(SCORE, pd.DataFrame({"kind": groups})).each
    assert "1 groups of under 5 patients left out" in asked.estimate.method
    assert asked.estimate.n == 56


def test_a_group_of_two_with_few_patients_is_shown_with_a_caution() -> None:
    (asked,) = associations(SCORE, pd.DataFrame({"kras": [1, 1, 1] + [0] * 57})).each
    assert asked.estimate.status == "too_few"
    assert asked.estimate.value is not None
    assert asked.estimate.reason == "one of the two groups has 3 patients; 5 are asked for"


def test_groups_wholly_apart_have_no_interval_and_a_reason() -> None:
    (asked,) = associations(SCORE, pd.DataFrame({"kras": SCORE > 0})).each
    assert (asked.estimate.value, asked.estimate.low) == (1.0, None)
    assert "wholly apart" in asked.estimate.reason
    assert asked.p < 1e-6


def test_numbers_that_code_groups_are_groups_where_declared() -> None:
    codes = pd.DataFrame({"histology": TABLE["histology"].map({"adeno": 1, "squamous": 2, "large": 3})})
    (plain,), (declared,) = associations(SCORE, codes).each, associations(SCORE, codes, kinds={"histology": "categorical"}).each
    assert (plain.estimate.name, declared.estimate.name) == ("spearman:model:semantic:histology", "epsilon2:model:semantic:histology")
    assert declared.p == pytest.approx(_by(associations(SCORE, TABLE), "histology").p)


def test_unknown_words_are_missing() -> None:
    words = pd.DataFrame({"egfr": ["Mutant ", "Wildtype", "Unknown", "Not collected"] * 15})
    (asked,) = associations(SCORE, words).each
    assert (asked.kind, asked.estimate.n) == ("binary", 30)


def test_what_volume_explains_is_taken_off_both_sides() -> None:
    volume = np.random.default_rng(1).normal(size=80)
    noise = np.random.default_rng(2).normal(size=(2, 80))
    score, read = volume + 0.3 * noise[0], pd.DataFrame({"size": volume + 0.3 * noise[1]})
    found = associations(score, read, given={"volume": volume})
    plain, beyond = _by(found, "size"), _by(found, "size", given="volume")
    assert beyond.estimate.name == "spearman:model:semantic:size:given-volume"
    assert plain.estimate.low > 0.7
    assert beyond.estimate.low < 0 < beyond.estimate.high
    assert found.asked == 1
    assert found.close() == ("size",)


def test_rows_that_repeat_make_the_interval_wider() -> None:
    patients = np.repeat(np.arange(20), 3)
    score, read = SCORE[patients], pd.DataFrame({"size": TABLE["size"].to_numpy()[patients], "egfr": TABLE["egfr"].to_numpy()[patients]})
    plain, clustered = associations(score, read), associations(score, read, patients=patients)
    for a, b in zip(plain.each, clustered.each, strict=True):
        assert b.estimate.n == 20
        assert b.estimate.value == pytest.approx(a.estimate.value)
        assert b.estimate.high - b.estimate.low > a.estimate.high - a.estimate.low
        assert b.p > a.p


def test_readers_are_brought_together_and_shown_one_by_one() -> None:
    rng = np.random.default_rng(3)
    rows = [
        {"patient": f"P{i}", "reader": r, "margin": round(s + e)}
        for i, s in enumerate(SCORE)
        for r, e in zip("AB", rng.normal(size=2), strict=True)
    ]
    held = beside(pd.DataFrame(rows), [f"P{i}" for i in range(60)])
    found = associations(SCORE, held)
    assert [a.estimate.name for a in found.each] == [
        "spearman:model:semantic:margin",
        "spearman:model:semantic:margin:reader=A",
        "spearman:model:semantic:margin:reader=B",
    ]
    assert found.asked == 1
    assert [a.q is None for a in found.each] == [False, True, True]
    assert found.each[0].estimate.value > max(a.estimate.value for a in found.each[1:])


def test_a_word_on_which_readers_disagree_is_missing_and_counted() -> None:
    table = pd.DataFrame({"patient": ["a", "a", "b", "b"], "reader": ["R1", "R2"] * 2, "border": ["sharp", "diffuse", "sharp", "sharp"]})
    held = beside(table, ["a", "b"])
    assert held.disagreed == {"border": 1}
    assert held.whole["border"].isna().tolist() == [True, False]


def test_features_are_adjusted_for_all_questions_at_once() -> None:
    features = pd.DataFrame({"volume": TABLE["size"] + 0.01 * SCORE, "mean": SCORE})
    found = feature_associations(features, TABLE[["size", "egfr"]])
    assert found.asked == 4
    assert found.close() == ("volume with size", "mean with egfr")
    assert all(a.estimate.method.count("q = ") == 1 for a in found.each)


def test_two_columns_that_read_alike_keep_two_names() -> None:
    found = associations(SCORE, pd.DataFrame({"a b": TABLE["size"], "a:b": TABLE["size"]}))
    assert [e.name for e in found.estimates] == ["spearman:model:semantic:a-b", "spearman:model:semantic:a-b-2"]


def test_a_table_without_patients_a_short_table_and_a_score_with_gaps_are_refused() -> None:
    with pytest.raises(BadInput, match="lacks the column 'patient'"):
        beside(TABLE, range(60))
    with pytest.raises(BadInput, match="the table 59 rows"):
        associations(SCORE, TABLE[:59])
    with pytest.raises(BadInput, match="1 of 60 scores are not finite"):
        associations(np.r_[np.nan, SCORE[1:]], TABLE)


def test_a_declaration_of_an_unknown_column_or_kind_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"no column 'histolgy'.*histology"):
        associations(SCORE, TABLE, kinds={"histolgy": "categorical"})
    with pytest.raises(BadSetting, match="cannot be 'nominal'"):
        associations(SCORE, TABLE, kinds={"histology": "nominal"})
