"""Naming the patient of a row: found where people differ, at chance where they do not, and never by a near-copy."""

import numpy as np
import pytest

from onclair.core.errors import BadCohort
from onclair.learn.identity import name_patients


def people(n=20, rows=6, p=12, apart=3.0, seed=0):
    draw = np.random.default_rng(seed)
    who = np.repeat([f"P{i:02d}" for i in range(n)], rows)
    return np.repeat(apart * draw.normal(size=(n, p)), rows, axis=0) + draw.normal(size=(n * rows, p)), who


def test_people_who_differ_are_named():
    assert name_patients(*people()).right.mean() > 0.9


def test_people_who_do_not_differ_are_named_by_chance_alone():
    found = name_patients(*people(apart=0.0))
    assert found.right.mean() < 0.15
    assert found.chance == pytest.approx(1 / 20)


def test_near_copies_are_no_help_when_they_are_kept_together():
    x, who = people(apart=0.0, rows=4)
    x = np.repeat(x, 3, axis=0) + 1e-3 * np.random.default_rng(1).normal(size=(240, 12))
    groups = np.repeat(np.arange(80), 3)
    apart, together = name_patients(x, np.repeat(who, 3)), name_patients(x, np.repeat(who, 3), groups)
    assert apart.right.mean() > together.right.mean() + 0.1
    assert together.right.mean() < 0.2


def test_who_has_one_group_is_not_judged():
    x, who = people()
    found = name_patients(np.vstack([x, x[:1]]), [*who, "alone"])
    assert found.judged.tolist() == [True] * 120 + [False]
    assert found.predicted[-1] == ""


@pytest.mark.parametrize(
    ("x", "who", "sentence"),
    [
        ([[1.0], [2.0]], ["A", "B"], "Fewer than 2 patients have 2 or more groups"),
        ([[1.0], [np.nan]], ["A", "B"], "Row 2, of patient B, holds a value that is not finite"),
        ([[1.0], [2.0]], ["A"], "do not belong together"),
    ],
)
def test_what_cannot_be_judged_is_refused(x, who, sentence):
    with pytest.raises(BadCohort, match=sentence):
        name_patients(x, who)


def test_one_fold_is_refused():
    with pytest.raises(BadCohort, match="named in 1 folds"):
        name_patients(*people(), folds=1)
