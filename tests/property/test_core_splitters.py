"""Splitters: no patient on both sides, everybody judged once, classes spread evenly."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from onclair.core.cohort import Cohort


def cohort_of(n: int, centres: int = 1, visits: int = 1) -> Cohort:
    names = [f"P{i:03d}" for i in range(n)]
    rows = [
        {"patient": p, "centre": f"C{i % centres}", "visit": str(v), "kind": "pet", "path": f"{p}/{v}.nii.gz"}
        for i, p in enumerate(names)
        for v in range(visits)
    ]
    return Cohort(pd.DataFrame(rows), pd.DataFrame({"patient": names, "event": [i % 2 for i in range(n)]}))


@given(n=st.integers(4, 60), folds=st.integers(2, 8), seed=st.integers(0, 999), visits=st.integers(1, 3))
def test_folds_are_disjoint_and_judge_every_patient_once(n, folds, seed, visits) -> None:
    cohort = cohort_of(n, visits=visits)
    splits = cohort.by_patient(min(folds, n), np.random.default_rng(seed))
    judged = [p for split in splits for p in split.test]
    assert sorted(judged) == list(cohort.patients)
    for split in splits:
        assert not set(split.train) & set(split.test)
        assert set(split.train) | set(split.test) == set(cohort.patients)


@given(n=st.integers(10, 60), events=st.integers(2, 8), folds=st.integers(2, 5), seed=st.integers(0, 999))
def test_strata_spread_over_the_folds_within_one_patient(n, events, folds, seed) -> None:
    cohort = cohort_of(n)
    strata = pd.Series([1.0 if i < events else 0.0 for i in range(n)], index=cohort.patients)
    splits = cohort.by_patient(folds, np.random.default_rng(seed), strata=strata)
    for value in (0.0, 1.0):
        counts = [sum(strata[p] == value for p in split.test) for split in splits]
        assert max(counts) - min(counts) <= 1


@given(seed=st.integers(0, 999))
def test_the_same_seed_cuts_alike_whatever_the_order_of_rows(seed) -> None:
    cohort = cohort_of(20)
    mixed = Cohort(cohort.acquisitions.sample(frac=1.0, random_state=3), cohort.outcomes.sample(frac=1.0, random_state=4))
    assert cohort.by_patient(4, np.random.default_rng(seed)) == mixed.by_patient(4, np.random.default_rng(seed))


@given(n=st.integers(4, 40), centres=st.integers(2, 4))
def test_each_centre_is_judged_once_by_the_others(n, centres) -> None:
    cohort = cohort_of(n, centres)
    splits = cohort.by_centre()
    assert [s.name for s in splits] == [f"centre:{c}" for c in cohort.centres]
    for split in splits:
        assert set(cohort.centre_of(split.test)).isdisjoint(set(cohort.centre_of(split.train)))
    assert sorted(p for s in splits for p in s.test) == list(cohort.patients)
