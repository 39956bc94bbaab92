"""How well a row names its patient: whoever can be recognised can be remembered, so folds that cut a patient in two leak.

Where a single spectrum names its patient, a model judged on other spectra of people it knows may answer from memory. The figure says
how large that danger is in a cohort; folds by patient are the remedy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCohort

Floats = npt.NDArray[np.float64]

#: Share of the patients' common spread that is taken to be the same in all directions, so that it can be inverted.
SHRINKAGE = 0.1
#: Directions kept of the rows, at most: more than patients can be told apart by.
MOST_AXES = 60


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """Who each row was taken for.

    Attributes
    ----------
    true, predicted : ndarray of str, shape (n,)
        ``predicted`` is empty where the row was not judged.
    judged : ndarray, bool, shape (n,)
        Rows of patients who had another group of rows to be recognised by.
    chance : float
        Share of the judged rows that naming the patient with most rows every time would get right.
    """

    true: npt.NDArray[np.str_]
    predicted: npt.NDArray[np.str_]
    judged: npt.NDArray[np.bool_]
    chance: float

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each judged row was named rightly, shape (judged,)."""
        return np.asarray((self.true == self.predicted)[self.judged])


def name_patients(x: npt.ArrayLike, patients: npt.ArrayLike, groups: npt.ArrayLike | None = None, *, folds: int = 5) -> Named:
    """Name the patient of each row by a linear discriminant that saw other rows of the same patients.

    Each fold leaves out some groups of every patient; a row goes to the nearest patient's mean, in the metric of the spread within
    patients (shrunken linear discriminant analysis with equal priors). Nothing is drawn at random.

    Parameters
    ----------
    x : array_like, float64, shape (n, p)
        Features or area-normalised spectra. NaN is *not* accepted.
    patients : array_like of str, shape (n,)
        At least 2 patients with at least 2 groups each.
    groups : array_like, shape (n,), optional
        What must stay together: frames of one point are near-copies, and a near-copy in training would be recognised rather than the
        patient. None where each row stands alone.
    folds : int
        At least 2.

    Returns
    -------
    Named

    Raises
    ------
    BadCohort
        For shapes that do not belong together, values that are not finite, or fewer than 2 patients with 2 groups.

    References
    ----------
    Fisher 1936, doi:10.1111/j.1469-1809.1936.tb02137.x; shrinkage: Friedman 1989, doi:10.1080/01621459.1989.10478752, eq. 18. Leaks by
    identity: Saeb et al. 2017, doi:10.1093/gigascience/gix019.

    Examples
    --------
    Two people, one bright and one dim, and a third with a single row, who cannot be judged:

    >>> found = name_patients([[1.0], [1.1], [3.0], [3.1], [2.0]], ["A", "A", "B", "B", "C"])
    >>> found.predicted.tolist(), found.right.tolist(), found.chance
    (['A', 'A', 'B', 'B', ''], [True, True, True, True], 0.5)
    """
    rows = np.asarray(x, dtype=np.float64)
    who = np.asarray(patients).astype(str)
    together = np.arange(len(who)) if groups is None else np.asarray(groups)
    _check(rows, who, together, folds)
    order = _places(who, together)
    judged = np.array([order[who == name].max() > 0 for name in who])
    if len(set(who[judged])) < 2:
        raise BadCohort("Fewer than 2 patients have 2 or more groups of rows; whether a row names its patient cannot be told.")
    fold = np.where(judged, order % folds, -1)
    predicted = np.full(len(who), "", dtype=who.dtype)
    for number in np.unique(fold[judged]):
        here = fold == number
        predicted[here] = _nearest(rows[~here], who[~here], rows[here])
    counts = np.unique(who[judged], return_counts=True)[1]
    return Named(who, predicted, judged, float(counts.max() / judged.sum()))


def _check(rows: Floats, who: npt.NDArray[np.str_], together: npt.NDArray[np.generic], folds: int) -> None:
    if rows.ndim != 2 or len(rows) != len(who) or len(who) != len(together):
        raise BadCohort(f"{rows.shape} values, {len(who)} patients and {len(together)} groups do not belong together; give one a row.")
    if not np.isfinite(rows).all():
        at = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise BadCohort(f"Row {at + 1}, of patient {who[at]}, holds a value that is not finite; leave such rows out.", item=str(who[at]))
    if folds < 2:
        raise BadCohort(f"Patients are to be named in {folds} folds; give at least 2.", item="folds")


def _places(who: npt.NDArray[np.str_], together: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """Return the running number of each row's group within its patient, in the order of the rows."""
    place = np.zeros(len(who), dtype=np.int64)
    for name in np.unique(who):
        mine = np.flatnonzero(who == name)
        seen: dict[object, int] = {}
        place[mine] = [seen.setdefault(group, len(seen)) for group in together[mine].tolist()]
    return place


def _nearest(known: Floats, names: npt.NDArray[np.str_], asked: Floats) -> npt.NDArray[np.str_]:
    """Return the patient whose mean lies nearest, in the metric of the spread within patients."""
    centre, scale = known.mean(axis=0), known.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    z = (known - centre) / scale
    axes = np.linalg.svd(z, full_matrices=False)[2][:MOST_AXES]
    z, asked = z @ axes.T, ((asked - centre) / scale) @ axes.T
    patients, code = np.unique(names, return_inverse=True)
    means = np.stack([z[code == k].mean(axis=0) for k in range(len(patients))])
    spread = (z - means[code]).T @ (z - means[code]) / len(z)
    even = max(float(np.trace(spread)) / len(spread), 1e-12)
    root = np.linalg.cholesky((1 - SHRINKAGE) * spread + SHRINKAGE * even * np.eye(len(spread)))
    at, to = np.linalg.solve(root, asked.T).T, np.linalg.solve(root, means.T).T
    distance = ((at[:, None, :] - to[None]) ** 2).sum(axis=2)
    return np.asarray(patients[np.argmin(distance, axis=1)])
