"""Whatever an explanation says of how it was had, or why it was not, has French words."""

from __future__ import annotations

import numpy as np
import pandas as pd
from fragment_sweep import NAMES, told

from onclair.core.fragments import each_once, in_french
from onclair.explain.alike import alike
from onclair.explain.occlusion import Occluding, occlusion, occlusion_figures
from onclair.explain.semantics import associations
from onclair.explain.similar import reference

RNG = np.random.default_rng(6)


def _without_french(fragments) -> list[str]:
    return sorted(f for f in fragments if in_french(f) is None or (in_french(f) == f and f not in NAMES))


def test_associations_have_french_words() -> None:
    n, score = 60, RNG.normal(size=60)
    table = pd.DataFrame(
        {
            "scale": np.round(score),
            "itself": score,
            "two": ["a", "b"] * 30,
            "apart": score > 0,
            "rare": [1] * 3 + [0] * 57,
            "groups": ["a", "b", "c"] * 18 + ["d"] * 6,
            "small": ["a", "b"] * 28 + ["c"] * 4,
            "rarest": ["a"] * 56 + list("bcde"),
            "wholly": np.repeat(["a", "b", "c"], 20),
            "names": [str(i) + "x" for i in range(n)],
            "flat": 1.0,
            "few": [1.0] * 5 + [2.0] * 4 + [np.nan] * 51,
            "words": ["a", "b", "c"] * 20,
            "more": [1, 2, 3] * 20,
        }
    )
    kinds = {"words": "ordinal", "more": "binary"}
    found = [associations(score, table, kinds=kinds, given={"volume": RNG.normal(size=n)})]
    found += [associations(score, table[["scale", "two", "groups"]], patients=np.arange(n) // 2)]
    found += [associations(np.repeat([1.0, 2.0, 3.0], 20), table[["wholly"]])]
    fragments = told(*(f.estimates for f in found))
    assert len(fragments) >= 30
    assert _without_french(fragments) == []


def test_occlusion_and_similar_cases_have_french_words() -> None:
    still = occlusion(lambda a, r: 1.0, np.arange(6.0), None, [1.0], Occluding(2.0))
    moved = [occlusion(lambda a, r: float(a[2]), RNG.normal(size=6), np.arange(6) < 4, [1.0], Occluding(2.0)) for _ in range(3)]
    table = pd.DataFrame(RNG.normal(size=(20, 2)), columns=["a", "b"])
    known = reference(table, labels=["x", "y"] * 10)
    figures = [alike(known), alike(reference(table, labels=["x"] * 20)), alike(reference(table[:8], labels=["x", "y"] * 4))]
    figures += [occlusion_figures(found) for found in (moved, [*moved, still], [still], moved[:2])]
    reasons = [known.similar({"a": 50.0, "b": 50.0}).reason, known._near(np.zeros((1, 2)), 1, None, np.zeros(20, dtype=bool)).reason]
    fragments = [*told(*figures), *each_once(str(r) for r in reasons)]
    assert len(fragments) >= 14
    assert _without_french(fragments) == []
