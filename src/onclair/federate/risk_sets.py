"""Cox's partial likelihood from sums over risk sets, which sites can add up: Breslow's ties or Efron's.

Breslow 1974, doi:10.2307/2529620; Efron 1977, doi:10.1080/01621459.1977.10480613; over sites: Lu et al. 2015 (WebDISCO),
doi:10.1093/jamia/ocv083.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting

Floats = npt.NDArray[np.float64]
Ties = Literal["breslow", "efron"]


@dataclass(frozen=True, slots=True, eq=False)
class RiskSums:
    """Sums at each event time: over who is at risk, and over who has the event.

    Attributes
    ----------
    at_risk, tied : tuple of ndarray, shapes (t,), (t, p), (t, p, p)
        Sum of exp(eta), of exp(eta) x and of exp(eta) x x' over those at risk, and over those with the event at that time.
    deaths : ndarray, shape (t,)
    seen : ndarray, shape (p,)
        Sum of x over all events.
    eta : float
        Sum of eta over all events.

    Examples
    --------
    >>> one = risk_sums(np.array([[0.0], [1.0]]), np.zeros(2), np.array([1.0, 2.0]), np.array([1.0, 0.0]), np.array([1.0]))
    >>> one.at_risk[0].tolist(), one.at_risk[1].tolist(), one.deaths.tolist()
    ([2.0], [[1.0]], [1.0])
    """

    at_risk: tuple[Floats, Floats, Floats]
    tied: tuple[Floats, Floats, Floats]
    deaths: Floats
    seen: Floats
    eta: float

    def __add__(self, other: RiskSums) -> RiskSums:
        """Return the sums over both: what pooling the sites would give."""
        first, second = (
            tuple(a + b for a, b in zip(*pair, strict=True)) for pair in ((self.at_risk, other.at_risk), (self.tied, other.tied))
        )
        return RiskSums(first, second, self.deaths + other.deaths, self.seen + other.seen, self.eta + other.eta)  # type: ignore[arg-type]


def risk_sums(design: Floats, eta: Floats, time: Floats, event: Floats, at: Floats) -> RiskSums:
    """Return the sums of some rows at given event times.

    Parameters
    ----------
    design : ndarray, shape (n, p)
    eta, time, event : ndarray, shape (n,)
    at : ndarray, shape (t,), rising
        Event times, of these rows or of all sites; every event of these rows is at one of them.
    """
    t, p = len(at), design.shape[1]
    weight = np.exp(eta)
    first, second = weight[:, None] * design, np.einsum("i,ij,ik->ijk", weight, design, design)
    place = np.searchsorted(at, time, side="right") - 1  # the last event time at which a row is still at risk
    inside = place >= 0
    risk = (np.zeros(t), np.zeros((t, p)), np.zeros((t, p, p)))
    for total, values in zip(risk, (weight, first, second), strict=True):
        np.add.at(total, place[inside], values[inside])
        total[:] = total[::-1].cumsum(axis=0)[::-1]
    died = event > 0
    where = np.searchsorted(at, time[died])
    tied = (np.zeros(t), np.zeros((t, p)), np.zeros((t, p, p)))
    for total, values in zip(tied, (weight, first, second), strict=True):
        np.add.at(total, where, values[died])
    deaths = np.bincount(where, minlength=t).astype(np.float64)
    return RiskSums(risk, tied, deaths, design[died].sum(axis=0), float(eta[died].sum()))


def partial_likelihood(sums: RiskSums, ties: Ties = "breslow") -> tuple[float, Floats, Floats]:
    """Return the negative log partial likelihood, its gradient and its Hessian.

    Parameters
    ----------
    sums : RiskSums
    ties : {"breslow", "efron"}

    Raises
    ------
    BadSetting
        For other ties.

    Examples
    --------
    Two at risk, one dies: log 2 at zero weights, whatever the column.

    >>> one = risk_sums(np.array([[0.0], [1.0]]), np.zeros(2), np.array([1.0, 2.0]), np.array([1.0, 0.0]), np.array([1.0]))
    >>> loss, gradient, hessian = partial_likelihood(one)
    >>> round(loss, 4), gradient.tolist(), hessian.tolist()
    (0.6931, [0.5], [[0.25]])
    """
    if ties not in ("breslow", "efron"):
        raise BadSetting(f"There are no ties '{ties}'; known: breslow, efron.", item=ties)
    loss, gradient = -sums.eta, -sums.seen
    hessian = np.zeros((len(sums.seen), len(sums.seen)))
    steps = int(sums.deaths.max(initial=0.0)) if ties == "efron" else 1
    for step in range(steps):
        here = sums.deaths > step if ties == "efron" else sums.deaths > 0
        times = np.ones(here.sum()) if ties == "efron" else sums.deaths[here]
        share = step / sums.deaths[here] if ties == "efron" else np.zeros(here.sum())
        zero = sums.at_risk[0][here] - share * sums.tied[0][here]
        one = (sums.at_risk[1][here] - share[:, None] * sums.tied[1][here]) / zero[:, None]
        two = (sums.at_risk[2][here] - share[:, None, None] * sums.tied[2][here]) / zero[:, None, None]
        loss += float((times * np.log(zero)).sum())
        gradient = gradient + times @ one
        hessian += np.einsum("t,tjk->jk", times, two) - np.einsum("t,tj,tk->jk", times, one, one)
    return loss, gradient, hessian
