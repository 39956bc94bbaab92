"""The noise audits: what selecting outside the folds, and splitting rows of one patient, make of pure noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.learn.estimators import Logistic
from onclair.run.benches.seen import Seen
from onclair.validate.noise import selection_audit, splitting_audit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
#: Data sets of pure noise.
SEEDS = 10
WHAT = "pure noise"


def logistic(train: Floats, truth: Bools, held: Floats) -> Floats:
    """Return the risks that penalised logistic regression gives to held-out rows.

    Examples
    --------
    >>> bool(np.diff(logistic(np.array([[0.0], [1.0]]), np.array([False, True]), np.array([[0.0], [1.0]])))[0] > 0)
    True
    """
    return Logistic().fit(train, truth.astype(np.float64), np.random.default_rng(0)).risk(held)


def nearest(train: Floats, truth: Bools, held: Floats) -> Floats:
    """Return the label of the nearest training row, which remembers whoever it has seen.

    Examples
    --------
    >>> nearest(np.array([[0.0], [1.0]]), np.array([False, True]), np.array([[0.1], [0.8]])).tolist()
    [0.0, 1.0]
    """
    squares = (held**2).sum(axis=1)[:, None] - 2 * held @ train.T + (train**2).sum(axis=1)
    return np.asarray(truth[np.argmin(squares, axis=1)], dtype=np.float64)


def noise_aucs(rng: np.random.Generator) -> list[Seen]:
    """Return the AUCs of one data set of pure noise each: features selected outside and inside the folds, rows and patients split."""
    outside, inside = selection_audit(logistic, rng)
    rows, patients = splitting_audit(nearest, rng)
    found = {"selection-outside": outside, "selection-inside": inside, "rows": rows, "patients": patients}
    return [Seen(f"noise_auc:{habit}", value) for habit, value in found.items()]
