"""Outcomes from a known law: one standardised knob, a logistic risk, and the best discrimination that anybody can reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Law:
    """``logit(risk) = intercept + slope * knob``, the knob being standardised.

    Attributes
    ----------
    knob : str
        What decides: ``"volume"``, ``"texture"``, ``"centre"`` or ``"nothing"``.
    slope, intercept : float

    Examples
    --------
    >>> law = Law("texture", 2.0)
    >>> law.risk(np.array([-1.0, 0.0, 1.0])).round(3).tolist()
    [0.119, 0.5, 0.881]
    """

    knob: str
    slope: float
    intercept: float = 0.0

    def linear_predictor(self, knob: Floats) -> Floats:
        """Return the logit of the risk."""
        return self.intercept + self.slope * np.asarray(knob, dtype=np.float64)

    def risk(self, knob: Floats) -> Floats:
        """Return the probability of the event."""
        return np.asarray(special.expit(self.linear_predictor(knob)))


def normal_atoms(n: int = 100_000) -> Floats:
    """Return the quantiles of the standard normal law at the middles of `n` equal parts.

    Examples
    --------
    >>> normal_atoms(4).round(3).tolist()
    [-1.15, -0.319, 0.319, 1.15]
    """
    return np.asarray(special.ndtri((np.arange(n) + 0.5) / n))


def best_auc(law: Law, atoms: Floats) -> float:
    """Return the AUC of the true risk itself, which no predictor can pass except by luck.

    Parameters
    ----------
    law : Law
    atoms : ndarray, shape (n,)
        Equally likely values of the knob.

    Returns
    -------
    float
        ``P(risk of an event > risk of a non-event)`` plus half the probability of a tie, summed over all pairs of atoms.

    Examples
    --------
    >>> round(best_auc(Law("centre", np.log(3.0)), np.array([-1.0, 1.0])), 6)  # risks 1/4 and 3/4: (9/16) + half of (6/16)
    0.75
    >>> best_auc(Law("nothing", 0.0), normal_atoms(10))
    0.5
    """
    risk, which = np.unique(law.risk(atoms), return_inverse=True)
    weight = np.bincount(which).astype(np.float64)
    event, other = risk * weight, (1.0 - risk) * weight
    below = np.cumsum(other) - other
    return float((event * (below + other / 2.0)).sum() / (event.sum() * other.sum()))
