"""A virtual table of features with a split, clean or with leaks planted one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from onclair.virtual.claim_people import Claim, centre_name, centre_sizes, people, rows_of

Floats = npt.NDArray[np.float64]

#: Features of the clean table.
FEATURES = 12
#: What share of patients, the last to come, is held out.
HELD_OUT = 0.3


@dataclass(frozen=True, slots=True)
class LeakyLaw:
    """The law of a table to audit.

    Attributes
    ----------
    patients, centres : int
    plants : tuple of str
        Leaks to plant, from `PLANTS`, in this order.
    effect : float
        By how much each third feature differs between the classes.
    """

    patients: int = 200
    centres: int = 5
    plants: tuple[str, ...] = ()
    effect: float = 0.5
    kind: str = "leaky"


def leaky_law(patients: int = 200, centres: int = 5) -> LeakyLaw:
    """Return the law of a table with seven leaks."""
    return LeakyLaw(patients, centres, tuple(PLANTS))


def draw_leaky(law: LeakyLaw, rng: np.random.Generator) -> Claim:
    """Return one table, with every leak of the law planted and written down.

    Returns
    -------
    Claim
        Columns ``patient centre lesion exam scanner date split y f_01 ... data``; `leaks` names check, items and what was done.

    Examples
    --------
    >>> claim = draw_leaky(LeakyLaw(60, 4, ("target-echo",)), np.random.default_rng(1))
    >>> [leak["check"] for leak in claim.leaks], claim.leaks[0]["items"]
    (['target-echo'], ['f_echo'])
    """
    table, risk, centres = _clean(law, rng)
    leaks: list[dict[str, object]] = []
    for name in law.plants:
        table, items, what = PLANTS[name](table, rng)
        leaks.append({"check": name, "items": items, "what": what})
    return Claim(table, risk, centres, tuple(leaks))


def _clean(law: LeakyLaw, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats, pd.DataFrame]:
    """Return a table without leak: split in time by patient, centres that differ a little, features of every kind, values missing."""
    sizes, special_kind = centre_sizes(law.patients, law.centres, rng)
    rows = np.minimum(rows_of(law.patients, 3.0, rng), 12)
    frame, owner = people(sizes, rows, rng)
    place = np.repeat(np.arange(sizes.size), sizes)
    prevalence = special.expit(-0.4 + 0.4 * rng.standard_normal(sizes.size))
    prevalence[np.array(special_kind) == "one class"] = 0.0
    y = (rng.random(law.patients) < prevalence[place]).astype(np.int64)
    day = np.sort(rng.choice(3000, law.patients, replace=law.patients > 3000))[rng.permutation(law.patients)]
    border = np.quantile(day, 1 - HELD_OUT)
    frame["lesion"] = [f"{patient}-L{1 + item % 2}" for patient, item in zip(frame["patient"], frame["item"], strict=True)]
    frame["exam"] = [f"EX{i + 1:06d}" for i in range(len(frame))]
    frame["scanner"] = np.array(["Alpha", "Beta", "Gamma"])[place % 3][owner]
    frame["date"] = (pd.Timestamp("2014-01-01") + pd.to_timedelta(day[owner], unit="D")).strftime("%Y-%m-%d")
    frame["split"] = np.where(day <= border, "train", "test")[owner]
    frame["y"] = y[owner]
    features = _features(law, y, place, owner, rng)
    table = pd.concat([frame.drop(columns=["item", "age", "stage"]), features], axis=1)
    shown = table.iloc[np.argsort(rng.permutation(law.patients)[owner], kind="stable")].reset_index(drop=True)
    shown["data"] = "virtual"
    centres = pd.DataFrame(
        {"centre": [centre_name(c) for c in range(sizes.size)], "patients": sizes, "special": special_kind, "prevalence": prevalence}
    )
    return shown, prevalence[place][owner], centres


def _features(
    law: LeakyLaw, y: npt.NDArray[np.int64], place: npt.NDArray[np.int64], owner: npt.NDArray[np.int64], rng: np.random.Generator
) -> pd.DataFrame:
    """Return features with a patient effect, a centre effect and a row's noise; skewed, counts, one with gaps."""
    columns: dict[str, Floats] = {}
    for j in range(FEATURES):
        patient = rng.standard_normal(y.size) + (law.effect if j % 3 == 0 else 0.0) * y + 0.3 * rng.standard_normal(law.centres)[place]
        value = patient[owner] + 0.8 * rng.standard_normal(owner.size)
        value = np.exp(value) if j % 4 == 1 else value
        columns[f"f_{j + 1:02d}"] = np.maximum(np.rint(3 + 2 * value), 0.0) if j % 6 == 4 else 10 + 4 * value
    frame = pd.DataFrame(columns)
    frame.loc[rng.random(len(frame)) < 0.1, "f_06"] = np.nan
    return frame


_Planted = tuple[pd.DataFrame, list[str], str]


def _names(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table.columns if str(name).startswith("f_")]


def _pick(table: pd.DataFrame, split: str, rng: np.random.Generator) -> int:
    return int(rng.choice(np.flatnonzero(table["split"] == split)))


def _pairs(table: pd.DataFrame, count: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return held-out rows, each with a training row of the same outcome; all whole, and no copies of anything yet."""
    names = _names(table)
    whole = (table[names].notna().all(axis=1) & ~table.duplicated(names, keep=False)).to_numpy()
    held = rng.choice(np.flatnonzero(whole & (table["split"] == "test").to_numpy()), count, replace=False)
    y = table["y"].to_numpy()
    known = whole & (table["split"] == "train").to_numpy()
    return [(int(at), int(rng.choice(np.flatnonzero(known & (y == y[at]))))) for at in held]


def _patient(table: pd.DataFrame, rng: np.random.Generator) -> _Planted:
    held, known = _pick(table, "test", rng), _pick(table, "train", rng)
    changed = table.copy()
    rows = changed["patient"] == changed["patient"].iloc[held]
    changed.loc[rows, ["patient", "y", "centre"]] = changed[["patient", "y", "centre"]].iloc[known].to_list()
    return changed, [str(table["patient"].iloc[known])], "a held-out patient was given the code of a training patient"


def _lesion(table: pd.DataFrame, rng: np.random.Generator) -> _Planted:
    held, known = _pick(table, "test", rng), _pick(table, "train", rng)
    uid = str(table["lesion"].iloc[known])
    changed = table.copy()
    changed.loc[held, "lesion"] = uid
    return changed, [uid], "a held-out row was given the identifier of a lesion of the training rows"


def _exact(table: pd.DataFrame, rng: np.random.Generator) -> _Planted:
    (held, known), changed = _pairs(table, 1, rng)[0], table.copy()
    changed.loc[held, _names(table)] = changed.loc[known, _names(table)].to_numpy()
    return changed, [f"row {held + 1} = row {known + 1}"], "the features of a training row were copied into a held-out row"


def _near(table: pd.DataFrame, rng: np.random.Generator) -> _Planted:
    changed, items, names = table.copy(), [], _names(table)
    changed[names] = changed[names].astype(np.float64)
    spread = changed[names].std().to_numpy()
    for held, known in _pairs(table, 3, rng):
        changed.loc[held, names] = changed.loc[known, names].to_numpy(np.float64) + 0.005 * spread * rng.standard_normal(len(names))
        items.append(f"row {held + 1} is near row {known + 1}")
    return changed, items, "held-out rows were given the features of training rows, with noise of 0.5 % of a standard deviation"


def _echo(table: pd.DataFrame, rng: np.random.Generator) -> _Planted:
    echo = 20 + 8 * table["y"] + rng.standard_normal(len(table))
    at = list(table.columns).index("data")
    changed = table.copy()
    changed.insert(at, "f_echo", echo)
    return changed, ["f_echo"], "a feature was added that is measured after the outcome"


def _time(table: pd.DataFrame, rng: np.random.Generator) -> _Planted:
    known = rng.choice(np.flatnonzero(table["split"] == "train"), 4, replace=False)
    changed = table.copy()
    changed.loc[known, "date"] = str(table["date"].max())
    return changed, [f"row {at + 1}" for at in sorted(known)], "training rows were dated as late as the last held-out row"


def _transform(table: pd.DataFrame, rng: np.random.Generator) -> _Planted:
    del rng
    value = table["f_10"]
    changed = table.assign(f_10=(value - value.mean()) / value.std(ddof=0))
    return changed, ["f_10"], "a feature was standardised on training and held-out rows together"


#: Leaks that can be planted, by the check that must name them; the transformation last, for it must hold of the rows as they are written.
PLANTS: Mapping[str, Callable[[pd.DataFrame, np.random.Generator], _Planted]] = {
    "patient-in-both-splits": _patient,
    "uid-in-both-splits": _lesion,
    "target-echo": _echo,
    "exact-duplicate-across-splits": _exact,
    "near-duplicate-across-splits": _near,
    "time-order": _time,
    "transform-before-split": _transform,
}
