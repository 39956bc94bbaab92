"""Copies across splits in tables whose features were rounded, as spreadsheets do."""

import numpy as np
import pandas as pd
import pytest

from onclair.validate.leakage.audit import audit
from onclair.validate.leakage.plan import leakage_plan, leakage_table

PLAN = {"format": "onclair-leakage/1", "columns": {"patient": "id", "split": "split", "truth": "y"}, "features": {"prefix": "f_"}}


def rounded(patients, decimals, seed, copies=5):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(patients, 6)).round(decimals)
    held = np.arange(patients) >= patients * 2 // 3
    for k in range(copies):
        values[np.flatnonzero(held)[k]] = values[k]
    frame = pd.DataFrame(values, columns=[f"f_{i}" for i in range(6)])
    frame["y"] = (values[:, 0] + rng.normal(size=patients) > 0).astype(int)
    return frame.assign(id=[f"p{i}" for i in range(patients)], split=np.where(held, "test", "train"))


@pytest.mark.parametrize(("patients", "decimals"), [(150, 1), (1500, 2), (300, 1)])
def test_exact_copies_of_rounded_rows_are_found(patients, decimals):
    plan = leakage_plan(PLAN)
    found = audit(leakage_table(rounded(patients, decimals, 1), plan))
    assert [f.check for f in found.findings if f.severity == "leak"] == ["exact-duplicate-across-splits"]


@pytest.mark.parametrize("seed", range(3))
def test_rounded_rows_without_a_copy_are_clean(seed):
    plan = leakage_plan(PLAN)
    assert audit(leakage_table(rounded(150, 1, seed, copies=0), plan)).verdict == "clean"


def test_answers_of_a_short_questionnaire_repeat_by_chance():
    rng = np.random.default_rng(2)
    trait = rng.integers(0, 4, 200)
    frame = pd.DataFrame({f"f_{i}": np.clip(trait + rng.integers(0, 2, 200), 0, 4) for i in range(6)})
    frame = frame.assign(y=rng.integers(0, 2, 200), id=[f"p{i}" for i in range(200)], split=np.where(np.arange(200) < 140, "train", "test"))
    assert audit(leakage_table(frame, leakage_plan(PLAN))).verdict == "clean"
