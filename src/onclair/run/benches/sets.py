"""Conformal sets on new patients of the same centres: how the promise is kept over all, and within each class and centre (Mondrian)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from onclair.learn.conformal import SetRule, prediction_sets
from onclair.run.benches.seen import Seen
from onclair.virtual.claim_binary import clustered_law, draw_binary

LAW = clustered_law(400, 8)
ALPHA = 0.1
WHAT = "sets that promise 90 %, calibrated on 200 patients with 1 to 40 rows in 8 centres and judged on 200 others, each weighing the same"


def set_coverage(rng: np.random.Generator) -> list[Seen]:
    """Return the share of new patients covered by sets for everyone and by Mondrian sets, over all and by class and centre."""
    table = draw_binary(LAW, rng).table
    y, p = table["y"].to_numpy(np.int64), table["p"].to_numpy(np.float64)
    _, who = np.unique(table["patient"].to_numpy(), return_inverse=True)
    centre = table["centre"].to_numpy(str)
    old = (rng.permutation(LAW.patients) < LAW.patients // 2)[who]
    new = ~old
    weight = 1.0 / np.bincount(who)[who[new]]

    def covered(by: str) -> npt.NDArray[np.bool_]:
        ready = prediction_sets(p[old], y[old], who[old], SetRule(ALPHA, by=by), groups=centre[old])  # type: ignore[arg-type]
        return np.asarray(ready.sets(p[new], groups=centre[new])[np.arange(y[new].size), y[new]])

    everyone = covered("everyone")
    seen = [Seen("coverage:conformal", float(np.average(everyone, weights=weight)))]
    groups = {"class": y[new].astype(str), "centre": centre[new]}
    for kind, by in (("class", "class"), ("centre", "group")):
        mondrian = covered(by)
        seen += _each(f"coverage:conformal:group:{kind}=", everyone, groups[kind], weight)
        seen += _each(f"coverage:mondrian:{kind}=", mondrian, groups[kind], weight)
    return seen


def _each(start: str, covered: npt.NDArray[np.bool_], group: npt.NDArray[np.str_], weight: npt.NDArray[np.float64]) -> Iterator[Seen]:
    """Yield the coverage of each group, patients weighing the same."""
    for name in np.unique(group):
        here = group == name
        yield Seen(f"{start}{name}", float(np.average(covered[here], weights=weight[here])))
