"""What a score means to people: how it goes with readers' scores and biology, and how many questions were asked to find out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadInput, BadSetting
from onclair.core.estimate import Estimate, not_available
from onclair.core.names import did_you_mean
from onclair.explain.readings import KINDS, Beside, Kind, as_numbers, beside, kind_of, known_values
from onclair.explain.strengths import FEWEST, FEWEST_OF_A_GROUP, NO_SPREAD, Strength, area_strength, between_strength, rank_strength

__all__ = ["Association", "Associations", "Beside", "Kind", "associations", "beside", "feature_associations"]

Floats = npt.NDArray[np.float64]

FIGURE_OF: Mapping[Kind, str] = {"ordinal": "spearman", "binary": "auc", "categorical": "epsilon2"}
#: The share of false ones taken among associations that are called one.
FALSE_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Association:
    """One question and its answer.

    Attributes
    ----------
    column : str
        As the table spells it.
    kind : {"ordinal", "binary", "categorical"}
    estimate : Estimate
        ``spearman:``, ``auc:`` or ``epsilon2:``; ``not_available`` with its reason where the question could not be asked.
    p, q : float or None
        Two-sided p-value, and adjusted for how many were asked (Benjamini and Hochberg); q is None for one reader alone, which asks
        a question again that the column has asked.
    reader : str or None
        Whose scores, where several read; None for all together.
    given : str or None
        What was taken off both sides.
    about : str
        The feature that was asked about; empty for the score.
    """

    column: str
    kind: Kind
    estimate: Estimate
    p: float | None = None
    q: float | None = None
    reader: str | None = None
    given: str | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Associations:
    """All that was asked.

    Attributes
    ----------
    each : tuple of Association
        In the order of the columns; a column's readers behind it, what is given behind those.
    """

    each: tuple[Association, ...]

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The figures, in order; those that could not be had too."""
        return tuple(a.estimate for a in self.each)

    @property
    def asked(self) -> int:
        """How many questions were asked, and therefore adjusted for; what is given and single readers not counted."""
        return sum(a.q is not None and a.given is None for a in self.each)

    def close(self, share: float = FALSE_SHARE) -> tuple[str, ...]:
        """Return the columns that the score goes with (of features: ``FEATURE with COLUMN``), at most `share` of them falsely so."""
        found = (a for a in self.each if a.given is None and a.q is not None and a.q < share)
        return tuple(f"{a.about} with {a.column}" if a.about else a.column for a in found)


def associations(
    score: npt.ArrayLike,
    beside: Beside | pd.DataFrame,
    *,
    who: str = "model:semantic",
    patients: npt.ArrayLike | None = None,
    kinds: Mapping[str, Kind] | None = None,
    given: Mapping[str, npt.ArrayLike] | None = None,
) -> Associations:
    """Ask of every column how a score goes with it, and adjust for how often was asked.

    A scale is asked by Spearman's correlation, two groups by the area under the ROC curve, several by the share of the score's
    variance between them. An association is no cause, and one that is not seen may still be there: the interval says how strong
    it could be. A reader's error weakens what is seen.

    Parameters
    ----------
    score : array_like, float, shape (n,)
        Finite.
    beside : Beside or DataFrame of n rows
        Readers' scores and biology in the rows of the score; missing where not known.
    who : str
        Estimates are named ``FIGURE:WHO:COLUMN``; of one reader ``:reader=NAME`` and, with `given`, ``:given-NAME`` behind.
    patients : array_like, shape (n,), optional
        Whose row it is, where rows repeat (lesions, spectra).
    kinds : mapping of str to {"ordinal", "binary", "categorical"}, optional
        What the named columns are, where their values do not tell (groups coded by numbers).
    given : mapping of str to array_like of shape (n,), optional
        For each, such as the volume, every scale and pair of groups is asked again by partial Spearman correlation with that
        taken off both sides: whether more than it is shared. Adjusted among themselves.

    Returns
    -------
    Associations
        Every column has its estimate: ``not_available`` with fewer than 10 patients, without spread, or where each row has a word of
        its own (a name, not a group). Of two groups the later in order (larger number, later word) is the one that a high score
        should tell. A group of several with under 5 patients is left out, and said to be. Such columns are not counted as asked.

    Raises
    ------
    BadInput
        When score, table, patients and given do not have one row each, or a score is not finite.
    BadSetting
        When `kinds` names a column that is not there, or an unknown kind.

    References
    ----------
    Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x, which holds for tests that go together too where they do so
    positively (Benjamini & Yekutieli 2001, doi:10.1214/aos/1013699998).

    Examples
    --------
    >>> score = np.arange(12.0)
    >>> asked = pd.DataFrame({"margin": score // 3, "egfr": ["wt", "mut"] * 6, "note": list("abcdefghijkl")})
    >>> found = associations(score, asked)
    >>> [(a.estimate.name, a.estimate.status) for a in found.each]
    [('spearman:model:semantic:margin', 'ok'), ('auc:model:semantic:egfr', 'ok'), ('epsilon2:model:semantic:note', 'not_available')]
    >>> found.asked, found.close()
    (2, ('margin',))
    """
    rows = _checked(score, beside, patients, given or {})
    kinds = _declared(kinds or {}, rows.beside)
    names = _plain_names(rows.beside.whole.columns)
    each: list[Association] = []
    for column in map(str, rows.beside.whole.columns):
        each += _of_column(rows, column, kinds.get(column), f"{who}:{names[column]}")
    return Associations(_adjusted(each))


def feature_associations(
    features: pd.DataFrame,
    beside: Beside | pd.DataFrame,
    *,
    who: str = "semantic",
    patients: npt.ArrayLike | None = None,
    kinds: Mapping[str, Kind] | None = None,
) -> Associations:
    """Ask of every feature and every column how they go together, adjusted for all questions at once.

    Parameters
    ----------
    features : DataFrame, n rows
        A number in every cell; a feature with gaps is asked of the rows that have it.
    beside, patients, kinds
        As :func:`associations`.
    who : str
        Estimates are named ``FIGURE:feature:NAME:WHO:COLUMN``.

    Raises
    ------
    BadInput, BadSetting
        As :func:`associations`.

    Examples
    --------
    >>> table = pd.DataFrame({"volume": np.arange(12.0), "mean": np.arange(12) % 3 * 1.0})
    >>> found = feature_associations(table, pd.DataFrame({"size": np.arange(12) // 2}))
    >>> found.asked, found.close(), found.estimates[0].name
    (2, ('volume with size',), 'spearman:feature:volume:semantic:size')
    """
    held = beside if isinstance(beside, Beside) else Beside(beside)
    lone, each = Beside(held.whole.reset_index(drop=True)), []
    owners = None if patients is None else np.asarray(patients)
    names = _plain_names(features.columns)
    for feature in map(str, features.columns):
        values = features[feature].to_numpy(dtype=np.float64)
        known = np.isfinite(values)
        if len(lone.whole) != values.size:
            raise BadInput(f"{values.size} rows of features stand beside {len(lone.whole)} rows of the table; give one of each.")
        some = Beside(lone.whole[known].reset_index(drop=True))
        found = associations(
            values[known], some, who=f"feature:{names[feature]}:{who}", patients=None if owners is None else owners[known], kinds=kinds
        )
        each += [replace(a, about=feature, estimate=_without_q(a.estimate), q=None) for a in found.each]
    return Associations(_adjusted(each))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    score: Floats
    beside: Beside
    patients: npt.NDArray[Any] | None
    given: Mapping[str, Floats]


def _checked(score: npt.ArrayLike, beside: Beside | pd.DataFrame, patients: npt.ArrayLike | None, given: Mapping[str, Any]) -> _Rows:
    values = np.asarray(score, dtype=np.float64)
    held = beside if isinstance(beside, Beside) else Beside(beside)
    owners = None if patients is None else np.asarray(patients)
    controls = {name: np.asarray(column, dtype=np.float64) for name, column in given.items()}
    beside_it = {"the table": len(held.whole), **({} if owners is None else {"patients": owners.size})}
    for what, count in {**beside_it, **{name: column.size for name, column in controls.items()}}.items():
        if values.ndim != 1 or count != values.size:
            raise BadInput(f"The score has shape {values.shape} and {what} {count} rows; give one of each a row.", item=what)
    if not np.isfinite(values).all():
        raise BadInput(f"{int((~np.isfinite(values)).sum())} of {values.size} scores are not finite; leave those rows out and say so.")
    return _Rows(values, held, owners, controls)


def _declared(kinds: Mapping[str, Kind], beside: Beside) -> Mapping[str, Kind]:
    columns = [str(c) for c in beside.whole.columns]
    for column, kind in kinds.items():
        if column not in columns:
            raise BadSetting(f"The table has no column '{column}' to be called {kind}; {did_you_mean(column, columns)}", item=column)
        if kind not in KINDS:
            raise BadSetting(f"The column '{column}' cannot be '{kind}'; choose {', '.join(KINDS)}.", item=column)
    return kinds


def _of_column(rows: _Rows, column: str, kind: Kind | None, name: str) -> Iterator[Association]:
    """Yield the association of a column, of each reader's own, and given each control."""
    values = rows.beside.whole[column]
    kind = kind or kind_of(values)
    found = _strength(rows, name, values, kind)
    yield Association(column, kind, found.estimate, found.p)
    for reader, table in rows.beside.readers.items():
        lone = _strength(rows, name, table[column], kind)
        told = replace(lone.estimate, name=f"{lone.estimate.name}:reader={_plain(reader)}")
        yield Association(column, kind, told, lone.p, reader=reader)
    if kind == "categorical" or found.p is None:
        return
    for control in rows.given:
        beyond = _strength(rows, name, values, "ordinal", control)
        told = replace(beyond.estimate, name=f"{beyond.estimate.name}:given-{_plain(control)}")
        yield Association(column, kind, told, beyond.p, given=control)


def _strength(rows: _Rows, name: str, column: pd.Series, kind: Kind, control: str | None = None) -> Strength:
    """Return the strength of one association on the rows whose value is known, or why there is none."""
    label, plain = f"{FIGURE_OF[kind]}:{name}", known_values(column)
    known = plain.notna().to_numpy(copy=True)
    if control is not None:
        known &= np.isfinite(rows.given[control])
    owners = None if rows.patients is None else rows.patients[known]
    n = int(known.sum()) if owners is None else int(np.unique(owners).size)
    if n < FEWEST:
        return Strength(not_available(label, f"{n} patients have a value; an association needs {FEWEST}", status="too_few", n=n), None)
    score, values = rows.score[known], plain[known]
    if np.ptp(score) == 0 or values.nunique() < 2:
        return Strength(not_available(label, NO_SPREAD, n=n), None)
    if kind == "categorical":
        return _between(label, score, values, owners)
    numbers = as_numbers(values)
    if kind == "binary":
        return _apart(label, score, values if numbers is None else numbers, owners)
    ordered = pd.Series(pd.factorize(values, sort=True)[0], index=values.index, dtype=np.float64) if numbers is None else numbers
    if numbers is None and values.nunique() > 2:
        return Strength(not_available(label, "its words have no order; call it categorical", n=n), None)
    given = None if control is None else rows.given[control][known][:, None]
    return rank_strength(label, score, ordered.to_numpy(dtype=np.float64), owners, given)


def _apart(name: str, score: Floats, values: pd.Series, owners: npt.NDArray[Any] | None) -> Strength:
    levels = sorted(values.unique())
    if len(levels) > 2:
        return Strength(not_available(name, f"it has {len(levels)} values; two groups need two", n=int(values.size)), None)
    high = (values == levels[-1]).to_numpy(dtype=bool)
    return area_strength(name, score, high, (_word(levels[-1]), _word(levels[0])), owners)


def _between(name: str, score: Floats, values: pd.Series, owners: npt.NDArray[Any] | None) -> Strength:
    n = values.size if owners is None else int(np.unique(owners).size)
    if n < values.size:
        return Strength(not_available(name, "patients have several rows; several groups are compared on one row a patient", n=n), None)
    counts = values.value_counts()
    if counts.max() == 1:
        return Strength(not_available(name, "every row has a value of its own, as a name has", n=n), None)
    kept = values.isin(counts[counts >= FEWEST_OF_A_GROUP].index).to_numpy()
    left = int((counts < FEWEST_OF_A_GROUP).sum())
    if len(counts) - left < 2:
        return Strength(not_available(name, f"fewer than two groups have {FEWEST_OF_A_GROUP} patients", status="too_few", n=n), None)
    estimate, p = between_strength(name, score[kept], values[kept].to_numpy(dtype=object).astype(str))
    if left:
        estimate = replace(estimate, method=f"{estimate.method}; {left} groups of under {FEWEST_OF_A_GROUP} patients left out")
    return Strength(estimate, p)


def _adjusted(each: Sequence[Association]) -> tuple[Association, ...]:
    """Return the associations with q-values: all columns among themselves, and again under each thing given."""
    from scipy.stats import false_discovery_control  # here, because loading scipy.stats costs every command half a second

    found = list(each)
    for given in dict.fromkeys(a.given for a in each):
        family = [i for i, a in enumerate(each) if a.given == given and a.reader is None and a.p is not None]
        if not family:
            continue
        q_values = false_discovery_control([each[i].p for i in family], method="bh")
        for i, q in zip(family, map(float, q_values), strict=True):
            told = f"{each[i].estimate.method}; q = {q:.3g} among {len(family)} asked, Benjamini & Hochberg 1995"
            found[i] = replace(each[i], q=q, estimate=replace(each[i].estimate, method=told))
    return tuple(found)


def _without_q(estimate: Estimate) -> Estimate:
    return replace(estimate, method="; ".join(part for part in estimate.method.split("; ") if not part.startswith("q = ")))


def _plain_names(columns: Iterable[Any]) -> dict[str, str]:
    """Return what columns are called in estimates; two that read alike are told apart by a number."""
    names: dict[str, str] = {}
    for column in map(str, columns):
        plain, count = _plain(column), 2
        while plain in names.values():
            plain, count = f"{_plain(column)}-{count}", count + 1
        names[column] = plain
    return names


def _plain(name: str) -> str:
    return "-".join(name.replace(":", " ").split()) or "column"


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace(";", ",")
