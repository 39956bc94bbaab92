"""Conformal prediction sets: the classes that cannot be ruled out, with the patient as the unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadModelFile
from onclair.learn.conformal.threshold import check_alpha, first_reaching, shares, threshold, too_few

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Conformal:
    """Prediction sets of a binary outcome by the least ambiguous classifier (LAC).

    Attributes
    ----------
    alpha : float
        Share of new patients whose true class may lie outside the set.
    threshold : float or None
        Largest ``1 - risk of the class`` at which a class stays in the set; None gives every set both classes.
    patients : int
        Patients it was calibrated on.

    Examples
    --------
    >>> Conformal(0.1, 0.4, 50).sets([0.9, 0.5, 0.2]).tolist()
    [[False, True], [False, False], [True, False]]
    """

    alpha: float
    threshold: float | None
    patients: int

    @property
    def reason(self) -> str | None:
        """Why every set is full, in words; None where sets can be had.

        Examples
        --------
        >>> Conformal(0.1, None, 8).reason
        '8 patients are too few for sets that miss at most 10 %; at least 9 are needed, so both classes stay possible.'
        """
        if self.threshold is not None:
            return None
        return f"{too_few(self.patients, self.alpha)}, so both classes stay possible."

    def sets(self, risk: npt.ArrayLike) -> Bools:
        """Return which classes cannot be ruled out, bool, shape (n, 2): column 0 without the event, column 1 with it.

        Examples
        --------
        >>> Conformal(0.1, 0.6, 50).sets([0.5, 0.1]).tolist()
        [[True, True], [True, False]]
        """
        p = np.asarray(risk, dtype=np.float64)
        if self.threshold is None:
            return np.ones((len(p), 2), dtype=bool)
        return np.column_stack([p <= self.threshold, 1 - p <= self.threshold])

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values.

        Examples
        --------
        >>> Conformal(0.1, 0.6, 50).as_dict()
        {'kind': 'lac', 'alpha': 0.1, 'threshold': 0.6, 'patients': 50}
        """
        return {"kind": "lac", "alpha": self.alpha, "threshold": self.threshold, "patients": self.patients}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Conformal:
        """Return what :meth:`as_dict` wrote.

        Raises
        ------
        BadModelFile
            When it is of another kind or lacks an entry.
        """
        try:
            if document["kind"] != "lac":
                raise BadModelFile(f"The conformal sets are of kind '{document['kind']}'; this version knows 'lac'.", item="conformal")
            threshold = document["threshold"]
            return cls(float(document["alpha"]), None if threshold is None else float(threshold), int(document["patients"]))
        except (KeyError, TypeError, ValueError) as error:
            said = f"The conformal sets of the model lack or mangle an entry ({error}); save the model again."
            raise BadModelFile(said, item="conformal") from None


@dataclass(frozen=True, slots=True, eq=False)
class LeaveOneOut:
    """How the sets fare on patients who were left out of their own threshold.

    Attributes
    ----------
    sets : ndarray, bool, shape (n, 2)
    covered : ndarray, bool, shape (n,)
        Whether the set holds the row's true class.
    coverage, decided : float
        Shares of covered rows and of rows whose set holds exactly one class; each patient weighs the same.
    patients : int
    """

    sets: Bools
    covered: Bools
    coverage: float
    decided: float
    patients: int


def conformal(risk: npt.ArrayLike, truth: npt.ArrayLike, patients: npt.ArrayLike, alpha: float = 0.1) -> Conformal:
    """Calibrate prediction sets on risks that the model gave to rows it had not seen.

    The misfit is ``1 - risk of the true class``; where rows repeat (several lesions, spectra or repeats of the folds) the patient
    is the unit, as :func:`onclair.learn.conformal.threshold.threshold` says.

    Parameters
    ----------
    risk : array_like in [0, 1], shape (n,)
    truth : array_like, shape (n,), 0 or 1
    patients : array_like, shape (n,)
    alpha : float, in (0, 1)

    Returns
    -------
    Conformal
        Coverage at least 1 - alpha on patients exchangeable with these; a new centre may break that, so test it by centre.

    Raises
    ------
    BadSetting
        For alpha outside (0, 1).
    BadInput
        For a risk outside [0, 1] or unequal lengths.

    References
    ----------
    Sadinle, Lei & Wasserman 2019 (LAC), doi:10.1080/01621459.2017.1395341; Lee, Barber & Willett 2023, doi:10.48550/arXiv.2306.06342.

    Examples
    --------
    Nine patients, alpha 0.2: the 8th smallest of .1 to .9.

    >>> sets = conformal([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], [1] * 9, list("abcdefghi"), 0.2)
    >>> round(sets.threshold, 9)
    0.8
    >>> conformal([0.9, 0.8], [1, 1], ["a", "b"]).threshold is None
    True
    """
    score, names = _misfit(risk, truth, patients, alpha)
    found = threshold(score, names, alpha)
    return Conformal(alpha, found.value, found.patients)


def leave_one_out(risk: npt.ArrayLike, truth: npt.ArrayLike, patients: npt.ArrayLike, alpha: float = 0.1) -> LeaveOneOut:
    """Judge the sets of out-of-fold risks, each patient's by a threshold from the other patients.

    Arguments and errors as :func:`conformal`.

    Examples
    --------
    >>> judged = leave_one_out([0.9, 0.8, 0.7, 0.1], [1, 1, 1, 1], list("abcd"), 0.4)
    >>> judged.covered.tolist(), judged.coverage
    ([True, True, True, False], 0.75)
    """
    score, names = _misfit(risk, truth, patients, alpha)
    who, share, count = shares(names)
    order = np.argsort(score, kind="stable")
    everyone = np.cumsum(share[order])
    p = np.asarray(risk, dtype=np.float64)
    sets = np.zeros((len(p), 2), dtype=bool)
    for patient in range(count):
        mine = who == patient
        others = everyone - np.cumsum(np.where(mine[order], share[order], 0.0))
        at = first_reaching(others, count * (1 - alpha))
        sets[mine] = Conformal(alpha, None if at is None else float(score[order][at]), count - 1).sets(p[mine])
    covered = sets[np.arange(len(p)), np.asarray(truth, dtype=np.int64)]
    weight = share / count
    return LeaveOneOut(sets, covered, float(covered @ weight), float((sets.sum(axis=1) == 1) @ weight), count)


def _misfit(risk: npt.ArrayLike, truth: npt.ArrayLike, patients: npt.ArrayLike, alpha: float) -> tuple[Floats, npt.NDArray[np.generic]]:
    """Return each row's 1 - risk of its true class, and its patient."""
    p, y, names = np.asarray(risk, dtype=np.float64), np.asarray(truth, dtype=np.float64), np.asarray(patients)
    check_alpha(alpha)
    if not p.shape == y.shape == names.shape or p.ndim != 1:
        raise BadInput(f"Risks {p.shape}, truth {y.shape} and patients {names.shape} differ in shape; give one of each a row.")
    bad = ~((p >= 0) & (p <= 1)) | ~np.isin(y, (0.0, 1.0))
    if bad.any():
        first = int(np.argmax(bad))
        raise BadInput(f"Row {first} has risk {p[first]:g} and truth {y[first]:g}; a risk lies in [0, 1] and a truth is 0 or 1.")
    return np.where(y == 1, 1 - p, p), names
