"""ROC, calibration, decision curve and conformal quantile from counts in bins that hospitals can add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.federate.values import Ask, State, Update

Floats = npt.NDArray[np.float64]
Kind = Literal["roc_counts", "calibration_counts", "conformal_counts"]


@dataclass(frozen=True, slots=True)
class Counts:
    """One sum of counts over sites.

    Attributes
    ----------
    kind : {"roc_counts", "calibration_counts", "conformal_counts"}
    bins : int
        Of equal width over [0, 1].
    """

    kind: Kind
    bins: int = 1000

    @property
    def name(self) -> str:
        """What settings and reports call it."""
        return self.kind

    def begin(self, sites: Sequence[str]) -> State:
        """Return the empty state."""
        del sites
        return State(numbers={"finished": False})

    def plan(self, state: State) -> Ask | None:
        """Return the one order there is."""
        settings: dict[str, Any] = {"bins": self.bins}
        return None if state.numbers["finished"] else Ask(self.kind, state, settings)

    def aggregate(self, state: State, updates: Mapping[str, Update]) -> State:
        """Return the counts over all sites."""
        names = sorted(updates)
        arrays = {key: np.sum([updates[name].arrays[key] for name in names], axis=0) for key in updates[names[0]].arrays}
        return State(arrays, {"finished": True}, state.round)


def auc_of_counts(events: Floats, others: Floats) -> tuple[float, float]:
    """Return the AUC from counts by bin of risk, and how far it may be from that of the risks themselves.

    Parameters
    ----------
    events, others : ndarray, shape (bins,)

    Returns
    -------
    (float, float)
        Pairs within one bin count half; the bound is half of their share.

    Examples
    --------
    >>> auc_of_counts(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    (0.75, 0.25)
    """
    pairs = events.sum() * others.sum()
    if not pairs:
        return float("nan"), float("nan")
    lower = np.append(0.0, others.cumsum()[:-1])
    within = float((events * others).sum() / pairs)
    return float((events * lower).sum() / pairs) + within / 2, within / 2


def net_benefit(events: Floats, others: Floats, threshold: float) -> float:
    """Return the net benefit of acting from a risk threshold that is an edge of the bins.

    Examples
    --------
    >>> net_benefit(np.array([0.0, 2.0]), np.array([1.0, 1.0]), 0.5)
    0.25
    """
    first = round(threshold * len(events))
    total = events.sum() + others.sum()
    return float((events[first:].sum() - others[first:].sum() * threshold / (1 - threshold)) / total)


def conformal_quantile(misfit: Floats, alpha: float) -> float:
    """Return the upper edge of the bin that holds the split-conformal quantile of the misfits; 1 where there are too few.

    Examples
    --------
    >>> conformal_quantile(np.array([8.0, 1.0, 0.0, 0.0]), 0.2)
    0.25
    """
    n = int(misfit.sum())
    rank = int(np.ceil((n + 1) * (1 - alpha)))
    if rank > n:
        return 1.0
    return float((np.searchsorted(misfit.cumsum(), rank) + 1) / len(misfit))
