"""Which features an estimator sees: ranked one by one and thinned of near-copies, on the training rows alone.

Selecting before cutting folds makes noise look like a model (AUC .88 on noise where it is .52); so this runs only inside
:meth:`onclair.learn.pipeline.Pipeline.fit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.science.statistics.ranks import auc, midranks

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Selection:
    """How many features are kept, and how alike two of them may be.

    Attributes
    ----------
    kind : {"univariate", "none"}
        ``none`` keeps every column.
    k : int
        Most features kept, at least 1.
    correlation : float
        Of two columns whose absolute Spearman correlation exceeds this, the lower-ranked is left out; in (0, 1].

    Raises
    ------
    BadSetting
        For an unknown kind, k below 1 or a correlation outside (0, 1].

    Examples
    --------
    >>> Selection(k=10)
    Selection(kind='univariate', k=10, correlation=0.9)
    """

    kind: Literal["univariate", "none"] = "univariate"
    k: int = 5
    correlation: float = 0.9

    def __post_init__(self) -> None:
        if self.kind not in ("univariate", "none"):
            raise BadSetting(f"The selection '{self.kind}' is not known; {did_you_mean(self.kind, ('univariate', 'none'))}", item="kind")
        if self.k < 1 or not 0 < self.correlation <= 1:
            found = f"k = {self.k} and correlation = {self.correlation:g}"
            raise BadSetting(f"A selection has {found}; k must be at least 1 and the correlation limit in (0, 1].", item="k")


#: The five best that are not near-copies of each other; and every column that can be used.
BEST_FIVE = Selection()
EVERYTHING = Selection("none")


def relevance(x: Floats, truth: Floats) -> Floats:
    """Return how strongly each column alone goes with the outcome, whichever way.

    Parameters
    ----------
    x : ndarray, float64, shape (n, p)
        Without missing values.
    truth : ndarray, float64, shape (n,)
        0 and 1: the relevance is |AUC - 1/2|. Otherwise signed times (+ event, - censored): the absolute correlation of the
        column's ranks with the martingale residual of the empty model, that is, the score test of a univariate Cox model.

    Returns
    -------
    ndarray, float64, shape (p,)

    References
    ----------
    Therneau, Grambsch & Fleming 1990, doi:10.1093/biomet/77.1.147.

    Examples
    --------
    >>> relevance(np.array([[1.0, 4.0], [2.0, 3.0], [3.0, 2.0], [4.0, 2.0]]), np.array([0.0, 0.0, 1.0, 1.0]))
    array([0.5, 0.5])
    """
    if np.isin(truth, (0.0, 1.0)).all():
        return np.asarray(np.abs(auc(truth, x) - 0.5))
    residual = _martingale_residual(truth)
    ranks = midranks(x)
    ranks = ranks - ranks.mean(axis=0)
    size = np.sqrt((ranks**2).sum(axis=0) * (residual**2).sum())
    return np.asarray(np.abs(residual @ ranks) / np.where(size > 0, size, 1.0))


def select(x: Floats, truth: Floats, names: Sequence[str], selection: Selection) -> npt.NDArray[np.int64]:
    """Return the positions of the columns kept, best first (in the order of the table where all are kept).

    Parameters
    ----------
    x : ndarray, float64, shape (n, p)
        Training rows, without missing values or constant columns.
    truth : ndarray, float64, shape (n,)
    names : sequence of str
        Names of the columns; they break ties, so that the order of a table never decides.
    selection : Selection

    Returns
    -------
    ndarray, int64, shape (at most k,)

    Examples
    --------
    The second column is a copy of the first, so the third takes its place:

    >>> x = np.array([[1.0, 2.0, 1.0], [2.0, 4.0, 3.0], [3.0, 6.0, 2.0], [4.0, 8.0, 4.0]])
    >>> select(x, np.array([0.0, 0.0, 1.0, 1.0]), ["a", "b", "c"], Selection(k=2)).tolist()
    [0, 2]
    """
    if selection.kind == "none":
        return np.arange(x.shape[1])
    strength = np.round(relevance(x, truth), 12)
    order = sorted(range(x.shape[1]), key=lambda j: (-strength[j], names[j]))
    ranks = midranks(x)
    ranks = ranks - ranks.mean(axis=0)
    unit = ranks / np.sqrt((ranks**2).sum(axis=0))
    kept: list[int] = []
    for j in order:
        if len(kept) == selection.k:
            break
        if not kept or np.abs(unit[:, kept].T @ unit[:, j]).max() <= selection.correlation:
            kept.append(j)
    return np.array(kept, dtype=np.int64)


def _martingale_residual(signed: Floats) -> Floats:
    """Event minus the Nelson-Aalen cumulative hazard at the end of follow-up."""
    time, event = np.abs(signed), signed > 0
    moments, deaths = np.unique(time[event], return_counts=True)
    at_risk = len(time) - np.searchsorted(np.sort(time), moments, side="left")
    hazard = np.append(0.0, np.cumsum(deaths / at_risk))
    return np.asarray(event - hazard[np.searchsorted(moments, time, side="right")], dtype=np.float64)
