"""What must hold of explanations for any data: no answer depends on units, order or turning."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.explain.occlusion import Occluding, occlusion
from onclair.explain.semantics import associations
from onclair.explain.similar import reference
from onclair.explain.strengths import between_strength

seeds = st.integers(0, 10_000)


def _table(seed, n=24, p=3):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(n, p)) @ rng.normal(size=(p, p)), columns=list("abc"), index=[f"L{i}" for i in range(n)])


@given(seeds, st.sampled_from(["mahalanobis-shrunk", "euclidean-standardised"]))
@settings(max_examples=25, deadline=None)
def test_similar_cases_do_not_depend_on_units(seed, metric):
    table, factor, shift = _table(seed), np.array([1e-3, 7.0, 1e4]), np.array([5.0, -2.0, 1e3])
    known, other = reference(table, metric=metric), reference(table * factor + shift, metric=metric)
    asked = table.iloc[0] + 0.1
    one, two = known.similar(asked), other.similar(asked * factor + shift)
    assert [s.item for s in one.cases] == [s.item for s in two.cases]
    assert two.nearest == pytest.approx(one.nearest, rel=1e-6)


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_similar_cases_do_not_depend_on_the_order_of_the_known(seed):
    table = _table(seed)
    turned = table.iloc[np.random.default_rng(seed).permutation(len(table))]
    asked = table.iloc[3] * 0.9
    assert [s.item for s in reference(table).similar(asked).cases] == [s.item for s in reference(turned).similar(asked).cases]


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_associations_do_not_depend_on_a_monotone_change_of_the_score(seed):
    rng = np.random.default_rng(seed)
    score = rng.normal(size=30)
    beside = pd.DataFrame({"scale": rng.integers(1, 6, 30), "two": rng.integers(0, 2, 30), "groups": rng.choice(list("abc"), 30)})
    plain, bent = associations(score, beside), associations(np.exp(3 * score), beside)
    assert [(e.value, e.low, e.high) for e in plain.estimates] == [(e.value, e.low, e.high) for e in bent.estimates]
    assert plain.each == bent.each


@given(seeds, st.integers(2, 5), st.integers(0, 1))
@settings(max_examples=25, deadline=None)
def test_a_share_between_groups_lies_in_its_interval_and_in_0_to_1(seed, groups, apart):
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, 40)
    found = between_strength("epsilon2:x", rng.normal(size=40) + 3 * apart * group, group)
    if found.estimate.low is not None:
        assert 0 <= found.estimate.low <= found.estimate.value <= found.estimate.high <= 1


@given(seeds, st.sampled_from([(1, 0, 2), (2, 1, 0)]), st.sampled_from(["surroundings", "outline-mean"]))
@settings(max_examples=10, deadline=None)
def test_an_occlusion_map_turns_with_the_volume(seed, axes, fill):
    rng = np.random.default_rng(seed)
    volume, outline = rng.normal(size=(8, 8, 8)), np.zeros((8, 8, 8), dtype=bool)
    outline[2:6, 3:6, 2:5] = True
    how = Occluding(4.0, fill=fill)
    one = occlusion(lambda a, r: float((a**3)[r].mean()), volume, outline, (1.0, 1.0, 1.0), how)
    two = occlusion(lambda a, r: float((a**3)[r].mean()), volume.transpose(axes), outline.transpose(axes), (1.0, 1.0, 1.0), how)
    assert two.drop == pytest.approx(one.drop.transpose(axes), rel=1e-5, abs=1e-7)
    assert two.inside_share == pytest.approx(one.inside_share)
