"""Six ways to turn the matrices of slices and directions into one value (IBSI manual, arXiv:1612.07003, section 3.6.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.science.radiomics.levels import IN_PLANE, GreyLevels

#: By slice or by volume (2.5D: in the slice, but merged over slices); averaged over directions, or merged.
AGGREGATIONS = ("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb")

Table = npt.NDArray[np.int64]
Row = npt.NDArray[np.float64]
#: (levels, some of its spans, step) to the matrix of one direction.
Count = Callable[[GreyLevels, npt.NDArray[np.int64], int], Table]
#: One matrix to the sums that its features are made of.
Reduce = Callable[[Table], Row]


def reduced(levels: GreyLevels, aggregations: Iterable[str], count: Count, reduce: Reduce) -> dict[str, list[Row]]:
    """Count the matrices that the aggregations ask for, merge them, and reduce each at once, so that few live together.

    Parameters
    ----------
    levels : GreyLevels
    aggregations : iterable of str
        Of `AGGREGATIONS`.
    count : callable
        Gives one direction's matrix over some of the voxels, in a table of its own.
    reduce : callable
        Gives what the features need of one matrix.

    Returns
    -------
    dict of str to list of ndarray
        For each aggregation, one row for each matrix that it averages over; a single one where all are merged.

    Examples
    --------
    >>> from onclair.science.radiomics.levels import grey_levels
    >>> g = grey_levels(np.array([1, 1]), np.ones((2, 1, 1), bool))
    >>> {k: len(v) for k, v in reduced(g, AGGREGATIONS, lambda g, v, step: np.ones((1, 1)), np.ravel).items()}
    {'2D_avg': 4, '2D_comb': 1, '2_5D_avg': 4, '2_5D_comb': 1, '3D_avg': 13, '3D_comb': 1}
    """
    wanted = set(aggregations)
    rows: dict[str, list[Row]] = {}
    if wanted & {"3D_avg", "3D_comb"}:
        rows |= _volume(levels, "3D_avg" in wanted, count, reduce)
    if wanted - {"3D_avg", "3D_comb"}:
        rows |= _slices(levels, "2D_avg" in wanted, count, reduce)
    return {name: rows[name] for name in AGGREGATIONS if name in wanted}


def _volume(levels: GreyLevels, averaged: bool, count: Count, reduce: Reduce) -> dict[str, list[Row]]:
    rows, merged = [], None
    for offset in levels.offsets:
        table = count(levels, levels.spans, offset)
        if averaged:
            rows.append(reduce(table))
        merged = table if merged is None else merged + table
    assert merged is not None  # there are always thirteen directions
    return {"3D_avg": rows, "3D_comb": [reduce(merged)]}


def _slices(levels: GreyLevels, averaged: bool, count: Count, reduce: Reduce) -> dict[str, list[Row]]:
    directed: list[Row] = []
    whole: list[Row] = []
    merged: list[Any] = [0] * IN_PLANE
    for spans in levels.slices:
        tables = [count(levels, spans, offset) for offset in levels.offsets[:IN_PLANE]]
        if averaged:
            directed += [reduce(table) for table in tables]
        whole.append(reduce(sum(tables[1:], tables[0])))
        merged = [total + table for total, table in zip(merged, tables, strict=True)]
    return {
        "2D_avg": directed,
        "2D_comb": whole,
        "2_5D_avg": [reduce(table) for table in merged],
        "2_5D_comb": [reduce(sum(merged[1:], merged[0]))],
    }


def averaged(measures: Mapping[str, Row], names: Sequence[str]) -> dict[str, float]:
    """Average each measure over the matrices in which it is defined; NaN where it is in none.

    Examples
    --------
    >>> averaged({"corr": np.array([0.2, np.nan, 0.4]), "energy": np.array([np.nan])}, ["corr", "energy"])
    {'corr': 0.30000000000000004, 'energy': nan}
    """
    result = {}
    for name in names:
        defined = measures[name][~np.isnan(measures[name])]
        result[name] = float(defined.sum() / defined.size) if defined.size else float("nan")
    return result
