"""The rows that a figure is judged on: truth, scores and whose rows they are, checked once at the door."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, Scale, not_available
from onclair.science.statistics.smoothers import CLIP, moved_inside
from onclair.validate.intervals import FEW_PATIENTS, cautioned, few_patients, wald, without_interval

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Risks with fewer different values than this, their odds within a factor of ``ALIKE_ODDS``, are those of folds, not of patients.
FEW_VALUES = 10
ALIKE_ODDS = 2.0


class Clustered:
    """What judged rows of every outcome share: whose they are, and figures whose errors know it.

    A kind of rows gives ``clusters`` (code of each row's patient, or None when every patient has one row), ``level``, and the
    counts ``n`` and ``events`` in patients.
    """

    __slots__ = ()
    clusters: npt.NDArray[np.int64] | None
    level: float

    @property
    def size(self) -> int:
        """Rows."""
        raise NotImplementedError

    @property
    def n(self) -> int:
        """Patients; rows when each patient has one."""
        return int(self.size if self.clusters is None else self.clusters.max() + 1)

    @property
    def events(self) -> int:
        """Patients with an event; rows when each patient has one."""
        raise NotImplementedError

    @property
    def quantile(self) -> float:
        """By how many errors an interval reaches: the normal quantile, or Student's t on patients - 1 degrees of freedom.

        A clustered error is had from the patients' own sums, so it is no better known than a variance of that many values.
        NaN for one patient with several rows.
        """
        side = (1 + self.level) / 2
        return float(special.ndtri(side) if self.clusters is None else special.stdtrit(self.n - 1, side))

    @property
    def law(self) -> str:
        """What to say of :attr:`quantile`, to be put behind a method that uses it; empty where it is the normal one."""
        return "" if self.clusters is None else f"; t quantile on {self.n - 1} degrees of freedom"

    @property
    def few(self) -> str | None:
        """Why a figure of these rows is shown with a caution, or None: under 10 patients with repeated rows."""
        return None if self.clusters is None else few_patients(self.n, self.size)

    def said(self, method: str) -> str:
        """Return `method` with the repeated rows told."""
        return method if self.clusters is None else f"{method}; n and events count patients ({self.size} rows)"

    def cautioned(self, estimate: Estimate) -> Estimate:
        """Return an estimate of these rows as ``too_few`` where they are of few patients; value and interval stay.

        Examples
        --------
        >>> judged_rows([0, 1, 1], [0.2, 0.7, 0.9], ["a", "b", "b"]).cautioned(Estimate("auc:model", 1.0)).reason
        '2 patients with repeated rows; a figure clustered by patient needs 10'
        """
        return cautioned(estimate, self.few)

    def bare(self, name: str, value: float, method: str, reason: str | None = None) -> Estimate:
        """Return `value` without an interval, and why it has none where it could have had one.

        Examples
        --------
        >>> judged_rows([0, 1], [0.2, 0.8]).bare("ap:model", 1.0, "average precision", "no spread").text()
        '1.00'
        """
        known = Estimate(name, value, level=self.level, n=self.n, events=self.events, method=self.said(method), reason=reason)
        return self.cautioned(known)

    def by_patient(self, contributions: Floats) -> Floats:
        """Return row contributions (n,) summed by patient (G,), or as they are when each patient has one row."""
        return contributions if self.clusters is None else np.bincount(self.clusters, weights=contributions).astype(np.float64)

    def error(self, contributions: Floats) -> float:
        """Return the standard error of a figure from its rows' first-order contributions, which sum to about zero.

        Examples
        --------
        The mean of 0, 0, 1, 1 has contributions (y - 1/2) / 4 and variance (1/3) / 4:

        >>> rows = judged_rows([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4])
        >>> round(rows.error((np.array([0, 0, 1, 1]) - 0.5) / 4) ** 2, 9)
        0.083333333
        """
        sums = self.by_patient(contributions)
        return float(np.sqrt(sums.size / (sums.size - 1) * (sums @ sums))) if sums.size > 1 else float("nan")

    def missing(self, name: str, reason: str) -> Estimate:
        """Return the estimate `name` that says why there is none."""
        return not_available(name, reason, n=self.n, events=self.events)

    def estimate(self, name: str, value: float, se: float, method: str, *, scale: Scale = "identity") -> Estimate:
        """Return `value` with its Wald interval on `scale`, where the standard error `se` holds; bare where there is none.

        The interval is ``value -+ quantile se`` on `scale`; see :attr:`quantile` for clustered rows.

        Examples
        --------
        >>> judged_rows([0, 1], [0.2, 0.8]).estimate("o_e:model", 1.0, 0.5, "log scale", scale="log").text()
        '1.00 (0.38 to 2.66)'
        >>> judged_rows([0, 1], [0.2, 0.8]).estimate("auc:model", 1.0, np.nan, "AUC; Wald interval").method
        'AUC'
        """
        if not np.isfinite(se):
            return self.bare(name, value, without_interval(method), FEW_PATIENTS)
        low, high = wald(value, se, self.quantile, scale)
        return replace(self.bare(name, value, method + self.law), low=low, high=high, se=se, scale=scale)


@dataclass(frozen=True, slots=True, eq=False)
class Rows(Clustered):
    """Checked rows of one claim.

    Attributes
    ----------
    truth : ndarray, bool, shape (n,)
    scores : ndarray, float64, shape (repeats, n)
        One line a repeat of the resampling; one line for a locked model.
    clusters : ndarray, int64, shape (n,), or None
        Code of each row's patient; None when every patient has one row.
    level : float
        Of the intervals.
    """

    truth: Bools
    scores: Floats
    clusters: npt.NDArray[np.int64] | None = None
    level: float = 0.95

    @property
    def size(self) -> int:
        """Rows."""
        return int(self.truth.size)

    @property
    def events(self) -> int:
        """Patients with a positive row; positive rows when each patient has one."""
        return int(self.truth.sum() if self.clusters is None else np.count_nonzero(np.bincount(self.clusters[self.truth])))

    @property
    def one_class(self) -> str | None:
        """Why no figure that needs both classes can be had, or None."""
        positive = int(self.truth.sum())
        if 0 < positive < self.truth.size:
            return None
        return f"only one class is present: {positive} of {self.truth.size} rows are positive"

    @property
    def alike(self) -> str | None:
        """Why the risks hardly vary in some repeat, or None; only of risks.

        What knows nothing of the patient gives everybody the share of events among the training rows, one value a fold: fewer
        than 10 values whose odds lie within a factor of 2. They are lowest in the folds with most events, so a slope on
        them is about minus the number of training folds, whatever the claim. A score of a few levels further apart is
        judged as it is.

        Examples
        --------
        Of 20 patients half have the event; a fold that holds out 3 events of 5 leaves 7 of 15, one that holds out 2 leaves 8:

        >>> judged_risks([1, 0] * 10, [7 / 15] * 10 + [8 / 15] * 10).alike
        'the risks take 2 different values, whose odds lie within a factor of 2'
        >>> judged_risks([1, 0] * 10, [0.4] * 10 + [0.6] * 10).alike is None
        True
        """
        counts = [np.unique(line).size for line in self.scores]
        if min(counts) == 1:
            return "the risk is the same for everyone"
        ends = moved_inside(np.array([self.scores.min(axis=1), self.scores.max(axis=1)]))
        apart = np.diff(np.log(ends) - np.log1p(-ends), axis=0)[0]
        few = [n for n, d in zip(counts, apart, strict=True) if n < FEW_VALUES and d <= np.log(ALIKE_ODDS)]
        return f"the risks take {min(few)} different values, whose odds lie within a factor of {ALIKE_ODDS:g}" if few else None

    def said(self, method: str) -> str:
        """Return `method` with the repeats and the repeated rows told."""
        # slots=True makes a new class, so super() needs its arguments
        return super(Rows, self).said(f"{method}; mean over {len(self.scores)} repeats" if len(self.scores) > 1 else method)


def logits(rows: Rows) -> tuple[Floats, str]:
    """Return the logit of the risks, of shape (repeats, n), and what to say of those of exactly 0 or 1, which are moved inside.

    Examples
    --------
    >>> lines, said = logits(judged_risks([0, 1, 1], [0.5, 0.5, 1.0]))
    >>> lines.round(2), said
    (array([[ 0.  ,  0.  , 27.63]]), '; 1 rows with risk 0 or 1 moved inside by 1e-12')
    """
    inside = moved_inside(rows.scores)
    return np.log(inside) - np.log1p(-inside), said_of_ends(rows.scores)


def said_of_ends(risks: Floats) -> str:
    """Return what to say of the rows of `risks`, (n,) or (repeats, n), of which one is exactly 0 or 1; empty where there is none.

    Examples
    --------
    >>> said_of_ends(np.array([0.0, 1e-300, 1.0])), said_of_ends(np.array([0.5]))
    ('; 2 rows with risk 0 or 1 moved inside by 1e-12', '')
    """
    lines = np.atleast_2d(risks)
    moved = int(((lines == 0) | (lines == 1)).any(axis=0).sum())
    return f"; {moved} rows with risk 0 or 1 moved inside by {CLIP:g}" if moved else ""


def judged_rows(truth: npt.ArrayLike, scores: npt.ArrayLike, patients: npt.ArrayLike | None = None, *, level: float = 0.95) -> Rows:
    """Return checked rows.

    Parameters
    ----------
    truth : array_like, shape (n,), 0 or 1
    scores : array_like, shape (n,) or (repeats, n)
        Higher means more likely positive.
    patients : array_like, shape (n,), optional
        Whose row it is; rows that share a patient are one cluster.
    level : float

    Returns
    -------
    Rows

    Raises
    ------
    BadInput
        For shapes that differ, no rows, NaN or infinity in truth or scores (rows listed), a third value in the truth, or a
        missing patient.

    Examples
    --------
    >>> rows = judged_rows([0, 1, 1], [0.2, 0.7, 0.9], ["a", "b", "b"])
    >>> rows.n, rows.events, rows.scores.shape
    (2, 1, (1, 3))
    """
    labels, lines = np.asarray(truth), np.atleast_2d(np.asarray(scores, dtype=np.float64))
    if labels.ndim != 1 or labels.size == 0 or lines.ndim != 2 or lines.shape[1] != labels.size:
        found = f"The truth has shape {labels.shape} and the scores {np.shape(scores)}"
        raise BadInput(f"{found}; give one truth and one score a row (repeats first).")
    values = pd.to_numeric(pd.Series(labels.ravel()), errors="coerce").to_numpy(dtype=np.float64)
    refuse_gaps(~np.isfinite(values), "truth")
    refuse_gaps(np.asarray(~np.isfinite(lines).all(axis=0)), "score")
    foreign = values[(values != 0) & (values != 1)]
    if foreign.size:
        raise BadInput(f"The truth holds {foreign[0]:g} in {foreign.size} of {values.size} rows; it must be 0 or 1: recode it.")
    return Rows(values == 1, lines, patient_codes(patients, values.size), level)


def judged_risks(truth: npt.ArrayLike, risks: npt.ArrayLike, patients: npt.ArrayLike | None = None, *, level: float = 0.95) -> Rows:
    """Return checked rows whose scores are probabilities.

    Raises
    ------
    BadInput
        As :func:`judged_rows`, and for a risk outside [0, 1]: first row, count, and a hint at percent or a linear predictor.

    Examples
    --------
    >>> judged_risks([0, 1], [20.0, 80.0])
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadInput: 2 of 2 risks lie outside [0, 1], the first 20 in row 0; these look like percent: divide them by 100.
    """
    rows = judged_rows(truth, risks, patients, level=level)
    refuse_outside(rows.scores)
    return rows


def refuse_outside(risks: Floats) -> None:
    """Refuse risks of shape (repeats, n) that lie outside [0, 1].

    Raises
    ------
    BadInput
        With the first row, the count and a hint at percent or a linear predictor.
    """
    outside = ((risks < 0) | (risks > 1)).any(axis=0)
    if not outside.any():
        return
    first = int(np.flatnonzero(outside)[0])
    column = risks[:, first]
    found = column[(column < 0) | (column > 1)][0]
    percent = risks.min() >= 0 and risks.max() <= 100
    hint = "these look like percent: divide them by 100" if percent else "these look like a linear predictor: declare them as scores"
    raise BadInput(f"{int(outside.sum())} of {outside.size} risks lie outside [0, 1], the first {found:g} in row {first}; {hint}.")


def refuse_gaps(gaps: Bools, what: str) -> None:
    """Refuse rows without a finite value, of shape (n,), True where there is none; `what` names the value.

    Raises
    ------
    BadInput
        With the count and the first rows.
    """
    if gaps.any():
        where = np.flatnonzero(gaps)
        listed = ", ".join(str(i) for i in where[:5]) + (", ..." if where.size > 5 else "")
        raise BadInput(f"{where.size} of {gaps.size} rows have no finite {what} (rows {listed}); drop them and say so, or fill them first.")


def patient_codes(patients: npt.ArrayLike | None, n: int) -> npt.NDArray[np.int64] | None:
    """Return each row's patient as a code from 0, of shape (n,), or None when every patient has one row.

    Raises
    ------
    BadInput
        When patients are not named for every row.

    Examples
    --------
    >>> patient_codes(["b", "a", "b"], 3).tolist(), patient_codes(["b", "a"], 2) is None
    ([0, 1, 0], True)
    """
    if patients is None:
        return None
    names = np.asarray(patients)
    if names.shape != (n,):
        raise BadInput(f"{names.size} patients were named for {n} rows; name the patient of each row.")
    codes, known = pd.factorize(names, sort=False)
    if (codes < 0).any():
        raise BadInput(f"Row {int(np.flatnonzero(codes < 0)[0])} has no patient; every row needs one, or leave patients out altogether.")
    return None if len(known) == n else codes.astype(np.int64)
