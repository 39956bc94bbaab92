"""Who stands in a virtual claim: centres of every size, patients with one row to forty, and what their hospitals did not write down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

#: Most rows of a patient.
MOST_ROWS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One draw of a virtual claim.

    Attributes
    ----------
    table : DataFrame
        ``predictions.csv``: one row a prediction (or rating), with a column ``data`` that says virtual.
    risk : ndarray, float64, shape (n,), or None
        True risk of each row, given its own score and centre.
    centres : DataFrame
        What the law gave each centre (or reader).
    leaks : tuple of dict
        What was planted, where something was.
    """

    table: pd.DataFrame
    risk: Floats | None
    centres: pd.DataFrame
    leaks: tuple[dict[str, object], ...] = ()


def centre_sizes(patients: int, centres: int, rng: np.random.Generator) -> tuple[Codes, list[str]]:
    """Return the patients of each centre and what is special about it.

    Sizes differ by a factor of several. From three centres on one near the end holds two patients (from eight on, two do); from four
    on the last holds one class only.

    Parameters
    ----------
    patients : int
        At least 4 a centre.
    centres : int
    rng : Generator

    Returns
    -------
    sizes : ndarray, int64, shape (centres,)
    special : list of str
        ``""``, ``"two patients"`` or ``"one class"``.

    Examples
    --------
    >>> sizes, special = centre_sizes(100, 4, np.random.default_rng(1))
    >>> int(sizes.sum()), int(sizes[2]), special
    (100, 2, ['', '', 'two patients', 'one class'])
    """
    pairs = 2 if centres >= 8 else 1 if centres >= 3 else 0
    alone = 1 if centres >= 4 else 0
    plain = centres - pairs - alone
    special = [""] * plain + ["two patients"] * pairs + ["one class"] * alone
    lonely = max(3, patients // (4 * centres)) if alone else 0
    left = patients - 2 * pairs - lonely
    share = np.exp(0.5 * rng.standard_normal(plain))
    sizes = 1 + rng.multinomial(left - plain, share / share.sum())
    return np.concatenate([sizes, [2] * pairs, [lonely] * alone]).astype(np.int64), special


def rows_of(patients: int, typical: float, rng: np.random.Generator) -> Codes:
    """Return how many rows each patient has, from 1 to 40, log-normal about `typical`.

    Examples
    --------
    >>> rows = rows_of(1000, 5.0, np.random.default_rng(1))
    >>> int(rows.min()), int(rows.max()), float(np.median(rows))
    (1, 40, 5.0)
    """
    return np.asarray(np.clip(np.rint(typical * np.exp(0.9 * rng.standard_normal(patients))), 1, MOST_ROWS), dtype=np.int64)


def people(sizes: Codes, rows: Codes, rng: np.random.Generator) -> tuple[pd.DataFrame, Codes]:
    """Return the rows' patients, centres and background, and the code of each row's patient.

    Parameters
    ----------
    sizes : ndarray, int64, shape (centres,)
    rows : ndarray, int64, shape (patients,)
    rng : Generator

    Returns
    -------
    frame : DataFrame
        ``patient centre item sex age stage``; the age is missing now and then, the stage more often and nearly always in the second centre.
    owner : ndarray, int64, shape (rows,)
    """
    n = int(sizes.sum())
    centre = np.repeat(np.arange(sizes.size), sizes)
    sex = rng.choice(["F", "M"], n)
    age = np.round(np.clip(rng.normal(64, 11, n), 18, 95))
    age[rng.random(n) < 0.05] = np.nan
    stage = rng.choice(["I", "II", "III", "IV"], n, p=[0.2, 0.3, 0.3, 0.2]).astype(object)
    stage[rng.random(n) < np.where(centre == 1, 0.9, 0.08)] = None
    owner = np.repeat(np.arange(n), rows)
    item = np.arange(owner.size) - np.repeat(np.cumsum(rows) - rows, rows) + 1
    frame = pd.DataFrame(
        {
            "patient": np.array([f"VP{i + 1:05d}" for i in range(n)])[owner],
            "centre": np.array([centre_name(c) for c in range(sizes.size)])[centre[owner]],
            "item": item,
            "sex": sex[owner],
            "age": age[owner],
            "stage": stage[owner],
        }
    )
    return frame, np.asarray(owner, dtype=np.int64)


def centre_name(index: int) -> str:
    """Return the name of a virtual centre.

    Examples
    --------
    >>> centre_name(0)
    'C01'
    """
    return f"C{index + 1:02d}"
