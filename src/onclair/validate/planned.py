"""Everything that a plan asks of a checked table: figures of the whole, by subgroup, by centre, and over the centres."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate
from onclair.science.statistics.bootstrap import Map
from onclair.validate.checked import Checked
from onclair.validate.curves import Curve, distribution
from onclair.validate.figures import figures_of
from onclair.validate.plan import Plan
from onclair.validate.subgroups import by_group, each_group, placed
from onclair.validate.transport import pooled_over_centres

Indices = npt.NDArray[np.int64]


class Judgement(NamedTuple):
    """What a plan's figures came to."""

    estimates: list[Estimate]
    curves: list[Curve]


def judge_planned(table: Checked, plan: Plan, *, map: Map = map) -> Judgement:  # noqa: A002
    """Judge every model of a plan on the same rows.

    Parameters
    ----------
    table : Checked
        From :func:`onclair.validate.checked.checked`.
    plan : Plan
    map : callable
        For the bootstrap; no result depends on it.

    Returns
    -------
    Judgement
        Estimates of the whole table, ``FIGURE:MODEL[@T]``; of each subgroup, ``...:KEY=VALUE`` with their gaps; of each centre,
        ``...:centre=NAME``; pooled over the centres, ``...:centres``, ``...:new-centre``, ``...:tau2``. Curves of the whole table.

    Raises
    ------
    BadInput
        For what no figure can be had from at all.

    Examples
    --------
    >>> import pandas as pd
    >>> from onclair.validate.checked import checked
    >>> from onclair.validate.plan import read_plan
    >>> plan = read_plan({"outcome": "binary", "columns": {"truth": "y"}, "models": {"m": {"column": "p", "kind": "score"}}})
    >>> found = judge_planned(checked(pd.DataFrame({"y": [0, 0, 1, 1], "p": [0.1, 0.4, 0.35, 0.8]}), plan), plan)
    >>> found.estimates[0].name, found.estimates[0].value
    ('auc:m', 0.75)
    """
    estimates, curves = figures_of(table, plan, map=map)
    had = {e.name for e in estimates if e.status != "not_available"}

    def here(rows: Indices) -> list[Estimate]:
        """Return what the whole table has, in a group; what it has not is said once, there."""
        return [e for e in figures_of(table.at(rows), plan, map=map)[0] if e.name in had]

    truth = table.truth if plan.outcome == "binary" else None
    for key, groups in table.groups.items():
        estimates += by_group(here, groups, key, truth=truth, patients=table.patients)
    curves += [distribution(who, table.models[who].predictions, int(table.positive.sum())) for who in plan.risks]
    return Judgement([*estimates, *_by_centre(table, here, truth)], curves)


def _by_centre(table: Checked, here: Callable[[Indices], list[Estimate]], truth: npt.NDArray[np.float64] | None) -> Iterator[Estimate]:
    """Yield the figures of each centre, then those over the centres; nothing where there is one centre."""
    if table.centres is None or np.unique(table.centres[table.centres != ""]).size < 2:
        return
    known = np.flatnonzero(table.centres != "")
    shown = each_group(
        lambda rows: here(known[rows]),
        table.centres[known],
        truth=None if truth is None else truth[known],
        patients=None if table.patients is None else table.patients[known],
    )
    yield from placed(shown, "centre")
    for prefix in dict.fromkeys(e.name for e in chain.from_iterable(shown.values())):
        yield from pooled_over_centres(_of_one(shown, prefix), prefix)


def _of_one(shown: Mapping[str, list[Estimate]], prefix: str) -> dict[str, Estimate]:
    return {centre: e for centre, estimates in shown.items() for e in estimates if e.name == prefix}
