"""Signed contributions: what each feature moved, against the same case with that feature at its training median."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadCase

Floats = npt.NDArray[np.float64]

#: Most contributions that an answer shows.
MOST = 4


def contributions(
    predict: Callable[[pd.DataFrame], Floats],
    row: pd.DataFrame,
    reference: pd.Series,
    *,
    most: int = MOST,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Mapping[str, Any], ...]:
    """Return the features that moved one prediction most, signed, the largest first.

    The contribution of a feature is ``predict(row) - predict(row with the feature at its reference)``. Given a linear
    predictor it is exact, coefficient x (value - reference), and all of them add up to the distance from the reference case;
    given a risk it is what the number on the screen would change by, and interactions keep the sum from being exact.

    Parameters
    ----------
    predict : callable
        ``(DataFrame (n, columns)) -> (n,)``: a model's risk or linear predictor.
    row : DataFrame of one row
        The case; columns that `reference` does not name are left as they are.
    reference : Series, float
        Training median of each feature that the model uses, in the feature's own unit.
    most : int
        Most features returned.
    groups : mapping of str to sequence of str, optional
        Features that are put at their reference together, under one name: neighbouring bins of a spectrum, of which one alone moves
        nothing. Value and reference of a group are the means of its features'; those in no group stand for themselves.

    Returns
    -------
    tuple of mapping
        ``{"feature", "value", "reference", "contribution"}``; features that are missing or moved nothing are left out.

    Raises
    ------
    BadCase
        For another number of rows, or when the row lacks a feature.

    Examples
    --------
    >>> case = pd.DataFrame({"volume": [30.0], "uptake": [5.0]})
    >>> def line(table):
    ...     return 0.1 * table["volume"].to_numpy() - 1.0 * table["uptake"].to_numpy()
    >>> found = contributions(line, case, pd.Series({"volume": 10.0, "uptake": 4.0}))
    >>> [(c["feature"], c["value"], c["reference"], round(c["contribution"], 9)) for c in found]
    [('volume', 30.0, 10.0, 2.0), ('uptake', 5.0, 4.0, -1.0)]
    >>> both = contributions(line, case, pd.Series({"volume": 10.0, "uptake": 4.0}), groups={"all": ("volume", "uptake")})
    >>> [(c["feature"], c["value"], round(c["contribution"], 9)) for c in both]
    [('all', 17.5, 1.0)]
    """
    if len(row) != 1:
        raise BadCase(f"Contributions explain one row at a time; found {len(row)} rows: hand them in one by one.")
    names = [str(name) for name in reference.index]
    for name in names:
        if name not in row.columns:
            raise BadCase(f"The feature '{name}' is absent from the row to explain; describe the case again.", item=name)
    parts = _parts(names, groups or {})
    changed = pd.concat([row] * (len(parts) + 1), ignore_index=True).astype(dict.fromkeys(names, np.float64))
    for i, members in enumerate(parts.values(), start=1):
        changed.loc[i, members] = reference[members].to_numpy(dtype=np.float64)
    predicted = np.asarray(predict(changed), dtype=np.float64)
    moved = dict(zip(parts, predicted[0] - predicted[1:], strict=True))
    values = {name: float(row[members].to_numpy(dtype=np.float64).mean()) for name, members in parts.items()}
    order = sorted((name for name in parts if moved[name] != 0 and not np.isnan(values[name])), key=lambda name: (-abs(moved[name]), name))
    return tuple(
        {
            "feature": name,
            "value": values[name],
            "reference": float(reference[parts[name]].to_numpy(dtype=np.float64).mean()),
            "contribution": float(moved[name]),
        }
        for name in order[:most]
    )


def _parts(names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return what is moved together, by its name: the groups as far as the model sees them, then each feature in none."""
    known, grouped = set(names), {member for members in groups.values() for member in members}
    found = {name: [each for each in members if each in known] for name, members in groups.items()}
    return {name: members for name, members in found.items() if members} | {name: [name] for name in names if name not in grouped}
