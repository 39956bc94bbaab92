"""Similar cases: which known patients a case lies closest to, how close that is, and when there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial.distance import cdist

from onclair.core.errors import BadCase, BadCohort, BadModelFile, BadSetting
from onclair.core.names import did_you_mean
from onclair.explain.distances import METRICS, Metric, Space, space

Floats = npt.NDArray[np.float64]

#: A case farther from its nearest than so many of the known patients are from theirs has no similar case.
FAMILIAR = 0.95
#: Patients are left out one by one up to this number, in so many blocks beyond it.
MOST_BLOCKS = 20
#: Fewer known patients than this give no scale to call anything near or far.
FEWEST_PATIENTS = 5
_ARRAYS = ("rows", "centre", "scale", "turn", "nearest", "shrinkage", "unit")


@dataclass(frozen=True, slots=True)
class Similar:
    """One known case that is like the case asked about.

    Attributes
    ----------
    item, patient, label : str
        Of the known case: the lesion or point, whose it is, and what it turned out to be (empty where not given).
    distance : float
        In the metric of the reference.
    percentile : float
        Of the known patients, how many in a hundred have their own nearest case of another patient at most as far away: 0 is closer
        than any of them, 100 farther than all.
    apart : str
        The feature in which the two cases differ most, in standard deviations of the known cases.
    """

    item: str
    patient: str
    label: str
    distance: float
    percentile: float
    apart: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What is known of cases like one.

    Attributes
    ----------
    cases : tuple of Similar
        Nearest first; one for each patient; none beyond the limit.
    nearest : float
        Distance to the nearest known case of another patient, within the limit or not.
    percentile : float
        Of that distance, as :class:`Similar`.
    reason : str or None
        Why there is no similar case.
    """

    cases: tuple[Similar, ...]
    nearest: float
    percentile: float
    reason: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Known cases, frozen: what a case is compared with, whoever asks.

    Attributes
    ----------
    columns : tuple of str
    items, patients, labels : tuple of str, length n
    rows : ndarray, float64, shape (n, p)
        The known cases in their own units.
    metric : str
    space : Space
    nearest : ndarray, float64, shape (patients,)
        Of each known patient, the least distance of a case to one of another patient, in a space learnt without that patient; sorted.
    """

    columns: tuple[str, ...]
    items: tuple[str, ...]
    patients: tuple[str, ...]
    labels: tuple[str, ...]
    rows: Floats
    metric: Metric
    space: Space
    nearest: Floats

    @property
    def limit(self) -> float:
        """The distance beyond which nothing is called similar."""
        return float(np.quantile(self.nearest, FAMILIAR, method="higher"))

    def percentile(self, distance: float) -> float:
        """Return how many in a hundred known patients have their nearest case at most `distance` away."""
        return 100.0 * float(np.searchsorted(self.nearest, distance, side="right")) / self.nearest.size

    def similar(self, row: Mapping[str, float] | pd.Series, *, k: int = 3, patient: str | None = None) -> Neighbours:
        """Return the known cases nearest to one, a patient once each.

        Parameters
        ----------
        row : mapping or Series of column to float
            In the units of the known cases; more columns than needed may be there.
        k : int
            Most cases returned.
        patient : str, optional
            Whose case it is, whose own known cases are never returned.

        Raises
        ------
        BadCase
            When a feature is absent, missing or infinite.
        BadSetting
            For `k` under 1.

        Examples
        --------
        >>> table = pd.DataFrame({"volume": [10.0, 12, 30, 31, 50, 53]})
        >>> known = reference(table, patients=list("abcdef"))
        >>> [s.item for s in known.similar({"volume": 30.2}, k=2).cases], known.similar({"volume": 300.0}).cases
        (['2', '3'], ())
        >>> known.similar({"volume": 30.2}, k=1, patient="c").cases[0].item
        '3'
        """
        return self._near(self._asked(row), k, patient, np.ones(len(self.items), dtype=bool))

    def similar_by_label(self, row: Mapping[str, float] | pd.Series, *, k: int = 3, patient: str | None = None) -> dict[str, Neighbours]:
        """Return the nearest known cases among those of each label, labels in order of name: the likest of either kind.

        Parameters and errors as :meth:`similar`; cases without a label are left out.

        Examples
        --------
        >>> table = pd.DataFrame({"volume": [10.0, 12, 30, 31, 50, 53]})
        >>> known = reference(table, patients=list("abcdef"), labels=["benign", "benign", "benign", "tumour", "tumour", "tumour"])
        >>> {label: found.cases[0].item for label, found in known.similar_by_label({"volume": 30.2}, k=1).items()}
        {'benign': '2', 'tumour': '3'}
        """
        asked, labels = self._asked(row), np.array(self.labels)
        return {str(label): self._near(asked, k, patient, labels == label) for label in np.unique(labels[labels != ""])}

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the numbers, for an NPZ file; `document` has the rest."""
        held = self.space
        values = (self.rows, held.centre, held.scale, held.turn, self.nearest, held.shrinkage, held.unit)
        return {name: np.asarray(value, dtype=np.float64) for name, value in zip(_ARRAYS, values, strict=True)}

    def document(self) -> dict[str, Any]:
        """Return the words, for a JSON file; `arrays` has the rest."""
        words = {name: list(getattr(self, name)) for name in ("columns", "items", "patients", "labels")}
        return {"format": "onclair-similar/1", "metric": self.metric, **words}

    @classmethod
    def from_record(cls, document: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Reference:
        """Return the reference that :meth:`document` and :meth:`arrays` wrote.

        Raises
        ------
        BadModelFile
            When a part is absent, or parts do not go together.
        """
        absent = [n for n in _ARRAYS if n not in arrays] + [
            n for n in ("metric", "columns", "items", "patients", "labels") if n not in document
        ]
        if absent:
            raise BadModelFile(f"The record of similar cases lacks '{absent[0]}'; write it again from its cases.", item=absent[0])
        held = {name: np.asarray(arrays[name], dtype=np.float64) for name in _ARRAYS}
        words = {name: tuple(map(str, document[name])) for name in ("columns", "items", "patients", "labels")}
        n, p = len(words["items"]), len(words["columns"])
        fits = held["rows"].shape == (n, p) and held["turn"].shape == (p, p) and held["centre"].shape == held["scale"].shape == (p,)
        if (
            not fits
            or {len(words["patients"]), len(words["labels"])} != {n}
            or document["metric"] not in METRICS
            or held["nearest"].size == 0
        ):
            raise BadModelFile(f"The record of similar cases has {n} cases and {p} columns that do not fit its arrays; write it again.")
        where = Space(held["centre"], held["scale"], held["turn"], bool(held["unit"].item()), held["shrinkage"].item())
        return cls(
            words["columns"], words["items"], words["patients"], words["labels"], held["rows"], document["metric"], where, held["nearest"]
        )

    def _asked(self, row: Mapping[str, float] | pd.Series) -> Floats:
        for name in self.columns:
            if name not in row:
                sentence = f"The feature '{name}' is absent from the case to compare; {did_you_mean(name, map(str, row.keys()))}"
                raise BadCase(sentence, item=name)
        values = np.array([float(row[name]) for name in self.columns])
        if not np.isfinite(values).all():
            name = self.columns[int(np.argmin(np.isfinite(values)))]
            raise BadCase(
                f"The feature '{name}' of the case to compare is {row[name]}; it must be a finite number: describe it again.", item=name
            )
        return values[None, :]

    def _near(self, asked: Floats, k: int, patient: str | None, among: npt.NDArray[np.bool_]) -> Neighbours:
        if k < 1:
            raise BadSetting(f"{k} similar cases were asked for; ask for 1 or more.", item="k")
        others = np.flatnonzero(among & (np.array(self.patients) != patient))
        if others.size == 0:
            return Neighbours((), float("inf"), 100.0, "there is no known case of another patient")
        away = cdist(self.space.placed(asked), self.space.placed(self.rows[others]))[0]
        order = others[np.argsort(away, kind="stable")]
        distance = dict(zip(others.tolist(), away.tolist(), strict=True))
        first = {self.patients[i]: i for i in reversed(order.tolist())}  # the nearest of each patient
        nearest, limit = distance[int(order[0])], self.limit
        chosen = [i for i in order.tolist() if first[self.patients[i]] == i and distance[i] <= limit][:k]
        told = self.percentile(nearest)
        reason = None if chosen else f"no similar case: the nearest is farther away than {told:.0f} % of known patients are from theirs"
        return Neighbours(tuple(self._told(asked, i, distance[i]) for i in chosen), nearest, told, reason)

    def _told(self, asked: Floats, i: int, distance: float) -> Similar:
        differs = np.abs(self.space.standardised(asked) - self.space.standardised(self.rows[[i]]))[0]
        feature = self.columns[int(np.argmax(differs))]
        return Similar(self.items[i], self.patients[i], self.labels[i], distance, self.percentile(distance), feature)


def reference(
    table: pd.DataFrame,
    *,
    patients: Sequence[Any] | None = None,
    labels: Sequence[Any] | None = None,
    metric: Metric = "mahalanobis-shrunk",
) -> Reference:
    """Learn from known cases what is near and what is far.

    Fit it on training rows alone: a held-out case is then compared with what the model learnt from. The scale of distances is the
    cases' own: how far each known patient lies from the nearest other, in a space learnt without that patient (beyond 20 patients,
    without its block of a twentieth), which is what a new patient meets.

    Parameters
    ----------
    table : DataFrame, shape (n, p)
        Finite numbers; the index names the items. Skewed features are best handed in on the scale on which the model takes them.
    patients, labels : sequence of length n, optional
        Whose each row is (the item itself where not given), and what it turned out to be.
    metric : {"mahalanobis-shrunk", "euclidean-standardised", "cosine"}
        As :func:`onclair.explain.distances.space`.

    Returns
    -------
    Reference

    Raises
    ------
    BadCohort
        For fewer than 5 patients, values that are missing or infinite, no column, a column named twice, none that varies, or
        patients and labels that are not one a row.
    BadSetting
        For an unknown metric.

    References
    ----------
    Retrieval as an explanation: Aamodt & Plaza 1994, doi:10.3233/AIC-1994-7104. The covariance: Ledoit & Wolf 2004,
    doi:10.1016/S0047-259X(03)00096-4.

    Examples
    --------
    >>> known = reference(pd.DataFrame({"volume": [1.0, 2, 3, 4, 9]}), metric="euclidean-standardised")
    >>> known.nearest.size, round(known.percentile(known.limit))
    (5, 100)
    """
    rows, owners, told = _checked(table, patients, labels)
    if metric not in METRICS:
        raise BadSetting(f"Cases cannot be compared by '{metric}'; {did_you_mean(metric, METRICS)}", item="metric")
    names, who = np.unique(owners, return_inverse=True)
    if names.size < FEWEST_PATIENTS:
        raise BadCohort(f"Similar cases need {FEWEST_PATIENTS} known patients to tell near from far; found {names.size}.")
    columns = tuple(map(str, table.columns))
    whole = space(metric, rows)
    if not np.isfinite(whole.scale).any():
        raise BadCohort("No column of the known cases varies, so all are alike; choose features that differ between patients.")
    return Reference(columns, tuple(map(str, table.index)), owners, told, rows, metric, whole, _own_nearest(rows, who, metric))


def _own_nearest(rows: Floats, who: npt.NDArray[np.int64], metric: Metric) -> Floats:
    """Return each patient's least distance to a case of another, in a space learnt without its block of patients; sorted."""
    found = np.full(int(who.max()) + 1, np.inf)
    block = who if found.size <= MOST_BLOCKS else who % MOST_BLOCKS
    for left_out in np.unique(block):
        mine = block == left_out
        learnt = space(metric, rows[~mine])
        away = cdist(learnt.placed(rows[mine]), learnt.placed(rows))
        away[who[mine][:, None] == who[None, :]] = np.inf
        np.minimum.at(found, who[mine], away.min(axis=1))
    return np.sort(found)


def _checked(
    table: pd.DataFrame, patients: Sequence[Any] | None, labels: Sequence[Any] | None
) -> tuple[Floats, tuple[str, ...], tuple[str, ...]]:
    n, p = table.shape
    columns = list(map(str, table.columns))
    if p == 0 or len(set(columns)) < p:
        raise BadCohort(f"The known cases have {p} columns, {len(set(columns))} of different names; give each feature one column.")
    rows = table.to_numpy(dtype=np.float64)
    bad = ~np.isfinite(rows)
    if bad.any():
        row, column = map(int, np.argwhere(bad)[0])
        sentence = f"{int(bad.any(axis=1).sum())} of {n} known cases have gaps, the first {table.index[row]} in '{columns[column]}'"
        raise BadCohort(f"{sentence}; fill or leave them out.", item=str(table.index[row]))
    owners = tuple(map(str, table.index if patients is None else patients))
    told = ("",) * n if labels is None else tuple("" if pd.isna(label) else str(label) for label in labels)
    if len(owners) != n or len(told) != n:
        raise BadCohort(f"{len(owners)} patients and {len(told)} labels stand beside {n} known cases; give one of each a row.")
    return rows, owners, told
