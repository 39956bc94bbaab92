"""The one quantile that all conformal answers rest on, with the patient as the unit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadSetting

Floats = npt.NDArray[np.float64]

#: Rounding that a sum of shares may carry before it counts as short of the mass that is wanted.
SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Threshold:
    """The largest misfit at which an answer stays possible.

    Attributes
    ----------
    value : float or None
        None where too few patients were there: then nothing is ruled out.
    patients : int
        Patients that it was calibrated on.
    """

    value: float | None
    patients: int


def needed(alpha: float) -> int:
    """Return how many patients it takes before anything can be ruled out: the least n with ``ceil((n + 1)(1 - alpha)) <= n``.

    Examples
    --------
    >>> needed(0.1), needed(0.05), needed(0.2)
    (9, 19, 4)
    """
    return math.ceil((1 - alpha) / alpha - SLACK)


def threshold(misfit: npt.ArrayLike, patients: npt.ArrayLike, alpha: float) -> Threshold:
    """Return the conformal quantile of misfits, each patient weighing the same however many rows it has.

    With one row a patient it is the ``ceil((n + 1)(1 - alpha))``-th smallest of n misfits. Where rows repeat, each patient's mass
    1 / (K + 1) is shared equally by its rows and the new patient's mass 1 / (K + 1) lies at infinity (hierarchical conformal
    prediction, Lee, Barber & Willett 2023, section 3).

    Parameters
    ----------
    misfit : array_like, shape (n,)
        Larger is stranger; of rows that the model has not seen.
    patients : array_like, shape (n,)
    alpha : float, in (0, 1)

    Returns
    -------
    Threshold
        A row drawn at random from a new patient exchangeable with these lies at or below it with probability at least 1 - alpha:
        of a new patient's rows, a share of 1 - alpha on average over patients. It is no promise for all rows of one patient at
        once; hand in :func:`worst_of_each` for that.

    Raises
    ------
    BadSetting
        For alpha outside (0, 1).
    BadInput
        For unequal lengths or a misfit that is NaN.

    References
    ----------
    Vovk, Gammerman & Shafer 2005, doi:10.1007/b106715; Lee, Barber & Willett 2023, doi:10.48550/arXiv.2306.06342; Dunn, Wasserman &
    Ramdas 2023 (subsampling once keeps the same promise but throws rows away), doi:10.1080/01621459.2022.2060112.

    Examples
    --------
    >>> threshold([0.1, 0.2, 0.3, 0.4], list("abcd"), 0.4)
    Threshold(value=0.3, patients=4)

    Patient a's ten strange rows weigh no more than the one row of each other patient:

    >>> threshold([0.9] * 10 + [0.1, 0.2, 0.3], ["a"] * 10 + list("bcd"), 0.4).value
    0.3
    """
    values, names = np.asarray(misfit, dtype=np.float64), np.asarray(patients)
    check_alpha(alpha)
    if values.ndim != 1 or values.shape != names.shape:
        raise BadInput(f"Misfits {values.shape} and patients {names.shape} differ in shape; give one of each a row.")
    if np.isnan(values).any():
        raise BadInput(f"The misfit of row {int(np.argmax(np.isnan(values)))} is NaN; leave out rows without a prediction or a truth.")
    share, count = shares(names)[1:]
    order = np.argsort(values, kind="stable")
    at = first_reaching(np.cumsum(share[order]), (count + 1) * (1 - alpha))
    return Threshold(None if at is None else float(values[order][at]), count)


def worst_of_each(misfit: npt.ArrayLike, patients: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.str_]]:
    """Return each patient's largest misfit, and the patients: a threshold on these holds for all rows of a new patient at once.

    The promise is for new patients with as many rows as these tend to have, for the number of rows is part of what is exchanged.

    Parameters
    ----------
    misfit, patients : array_like, shape (n,)

    Returns
    -------
    misfit : ndarray, float64, shape (patients,)
    patients : ndarray of str, shape (patients,)
        In order of name.

    Examples
    --------
    >>> worst_of_each([0.1, 0.7, 0.3], ["b", "a", "b"])[0].tolist()
    [0.7, 0.3]
    """
    names, who = np.unique(np.asarray(patients).astype(str), return_inverse=True)
    worst = np.full(len(names), -np.inf)
    np.maximum.at(worst, who, np.asarray(misfit, dtype=np.float64))
    return worst, names


def check_alpha(alpha: float) -> None:
    """Refuse an alpha outside (0, 1).

    Raises
    ------
    BadSetting

    Examples
    --------
    >>> check_alpha(0.1)
    """
    if not 0 < alpha < 1:
        raise BadSetting(f"The setting 'alpha' of the prediction sets is {alpha:g}; it must lie between 0 and 1.", item="alpha")


def shares(patients: npt.NDArray[np.generic]) -> tuple[npt.NDArray[np.int64], Floats, int]:
    """Return each row's patient as a number, its share of the patient, and the count of patients.

    Examples
    --------
    >>> who, share, count = shares(np.array(["b", "a", "b"]))
    >>> who.tolist(), share.tolist(), count
    ([1, 0, 1], [0.5, 1.0, 0.5], 2)
    """
    _, who, rows = np.unique(patients, return_inverse=True, return_counts=True)
    return who.astype(np.int64), 1.0 / rows[who] if len(rows) else np.zeros(0), len(rows)


def first_reaching(mass: Floats, wanted: float) -> int | None:
    """Return the first position at which the cumulated mass reaches `wanted`, None when it never does.

    Examples
    --------
    >>> first_reaching(np.array([1.0, 2.0, 3.0]), 1.8), first_reaching(np.array([1.0]), 1.8) is None
    (1, True)
    """
    reached = mass >= wanted - SLACK
    return int(np.argmax(reached)) if reached.any() else None


def too_few(patients: int, alpha: float) -> str:
    """Return why nothing can be ruled out on so few patients, without the ending that says what follows.

    Examples
    --------
    >>> too_few(8, 0.1)
    '8 patients are too few for sets that miss at most 10 %; at least 9 are needed'
    """
    who = "1 patient is" if patients == 1 else f"{patients} patients are"
    return f"{who} too few for sets that miss at most {100 * alpha:g} %; at least {needed(alpha)} are needed"
