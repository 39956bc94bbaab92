"""Random-effects meta-analysis: REML, Hartung-Knapp's interval, the prediction interval, and what the centres do not share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]

#: Points at which the restricted likelihood's slope is looked at for a change of sign before it is solved.
_GRID = 256
#: Solved to this share of the upper bound of tau2.
_TOLERANCE = 1e-14
#: Hartung and Knapp's scale, 1 where the figures differ as their errors say, is a zero that agreement left below this.
_LEAST_SCALE = 1e-6
#: A prediction interval needs t(k - 2), hence this many figures.
FEWEST_FOR_PREDICTION = 3
#: Remarks.
AT_ZERO = "tau2 is at 0: the figures differ no more than their errors explain, which does not prove the centres alike"
NARROWER = "Hartung and Knapp's interval is here narrower than a fixed-effect interval"
EQUAL = "the figures are almost equal, so the error is not Hartung-Knapp's, which is about zero, but the fixed-effect one"
TOO_FEW = f"fewer than {FEWEST_FOR_PREDICTION} figures give no prediction interval"


@dataclass(frozen=True, slots=True)
class Pooled:
    """Figures of several centres, pooled.

    Attributes
    ----------
    value : float
        The mean `mu` over centres, on the scale of the figures.
    se : float
        Its Hartung-Knapp standard error, to be read with t(k - 1).
    low, high : float
        The interval of the mean at `level`.
    new_low, new_high : float or None
        The prediction interval: where the figure of a new centre is expected; None with fewer than three figures.
    tau2 : float
        Variance between centres.
    tau2_low, tau2_high : float
        Its Q-profile interval.
    q, q_p : float
        Cochran's Q and its p-value, chi-squared with k - 1 degrees of freedom.
    i2 : float
        Per cent of the figures' variance that lies between centres, against a typical error (Higgins & Thompson).
    k : int
        Figures that were pooled.
    level : float
    remarks : tuple of str
        What a reader must know: no variance between centres found, too few figures, a Hartung-Knapp error of zero.
    """

    value: float
    se: float
    low: float
    high: float
    new_low: float | None
    new_high: float | None
    tau2: float
    tau2_low: float
    tau2_high: float
    q: float
    q_p: float
    i2: float
    k: int
    level: float
    remarks: tuple[str, ...] = ()

    @property
    def new_se(self) -> float:
        """The error of a new centre's figure, ``sqrt(tau2 + se**2)``."""
        return float(np.sqrt(self.tau2 + self.se**2))


def pooled(values: npt.ArrayLike, errors: npt.ArrayLike, level: float = 0.95) -> Pooled:
    """Pool figures that differ between centres by more than chance.

    Parameters
    ----------
    values : array_like, shape (k,), k >= 2
        One figure a centre, on a scale where it is about normal: logit C, log O:E, slope.
    errors : array_like, shape (k,)
        Their standard errors on that scale, positive.
    level : float
        Of all intervals.

    Returns
    -------
    Pooled
        ``mu -+ t(k-1) se`` with Hartung & Knapp's error, not widened where the centres agree better than chance (it is then
        narrower than the fixed-effect interval, and `remarks` says so, and that tau2 is 0); figures that are almost equal have
        the fixed-effect error; the prediction interval is ``mu -+ t(k-2) sqrt(tau2 + se**2)``.

    Raises
    ------
    BadInput
        For fewer than two figures, lengths that differ, a value that is not finite, an error that is not positive and finite, or
        a level outside (0, 1).

    References
    ----------
    REML: Viechtbauer 2005, doi:10.3102/10769986030003261; Hartung & Knapp 2001, doi:10.1002/sim.791; prediction: Higgins et
    al. 2009, doi:10.1111/j.1467-985X.2008.00552.x; Partlett & Riley 2017, doi:10.1002/sim.7140; Q-profile: Viechtbauer 2007,
    doi:10.1002/sim.2514; I2: Higgins & Thompson 2002, eq. 9, doi:10.1002/sim.1186.

    Examples
    --------
    With equal errors REML is the variance of the figures, 1, less that of their errors, 0.25; the mean's error is 1 / sqrt(3):

    >>> found = pooled([0.0, 1.0, 2.0], [0.5, 0.5, 0.5])
    >>> [round(v, 9) for v in (found.value, found.tau2, found.se**2, found.q, found.i2)]
    [1.0, 0.75, 0.333333333, 8.0, 75.0]

    Two centres give an interval, with t(1), but no prediction:

    >>> pooled([0.0, 1.0], [0.1, 0.1]).remarks
    ('fewer than 3 figures give no prediction interval',)
    """
    y, v = _checked(values, errors, level)
    k = y.size
    tau2 = _reml(y, v)
    mu, q_star, total = _weighted(y, 1 / (v + tau2))
    se, remarks = _knapp_error(q_star / (k - 1), total)
    half = float(stats.t.isf((1 - level) / 2, k - 1)) * se
    if tau2 == 0:
        narrower = half < float(stats.norm.isf((1 - level) / 2)) / np.sqrt(total)
        remarks = (AT_ZERO, *((NARROWER,) if narrower else ()), *remarks)
    new_low = new_high = None
    if k >= FEWEST_FOR_PREDICTION:
        wide = float(stats.t.isf((1 - level) / 2, k - 2) * np.sqrt(tau2 + se**2))
        new_low, new_high = mu - wide, mu + wide
    else:
        remarks = (*remarks, TOO_FEW)
    q = _weighted(y, 1 / v)[1]
    low, high = _q_profile(y, v, level)
    spread = _typical_variance(v)
    return Pooled(
        value=mu,
        se=se,
        low=mu - half,
        high=mu + half,
        new_low=new_low,
        new_high=new_high,
        tau2=tau2,
        tau2_low=low,
        tau2_high=high,
        q=q,
        q_p=float(stats.chi2.sf(q, k - 1)),
        i2=100 * tau2 / (tau2 + spread),
        k=k,
        level=level,
        remarks=remarks,
    )


def restricted_log_likelihood(tau2: float, values: npt.ArrayLike, errors: npt.ArrayLike) -> float:
    """Return the restricted log-likelihood of a variance between centres, up to a constant.

    Parameters
    ----------
    tau2 : float
        At least 0.
    values, errors : array_like, shape (k,)

    Raises
    ------
    BadInput
        As :func:`pooled`.

    References
    ----------
    Viechtbauer 2005, doi:10.3102/10769986030003261.

    Examples
    --------
    Two figures 0 and 2 with error 1: weights 1, so -(log 2 + 2) / 2.

    >>> abs(restricted_log_likelihood(0.0, [0.0, 2.0], [1.0, 1.0]) + (float(np.log(2)) + 2) / 2) < 1e-12
    True
    """
    y, v = _checked(values, errors, 0.95)
    return _likelihood(y, v, tau2)


def _checked(values: npt.ArrayLike, errors: npt.ArrayLike, level: float) -> tuple[Floats, Floats]:
    """Return values and variances."""
    y, s = np.asarray(values, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if y.ndim != 1 or y.shape != s.shape:
        raise BadInput(f"There are figures of shape {y.shape} and errors of shape {s.shape}; give one error for each figure.")
    if y.size < 2:
        raise BadInput(f"{y.size} figure was given to pool; pooling needs at least 2.")
    bad = np.flatnonzero(~(np.isfinite(y) & np.isfinite(s) & (s > 0)))
    if bad.size:
        i = int(bad[0])
        raise BadInput(f"Figure {i} is {y[i]:g} with the error {s[i]:g}; both must be finite and the error positive: leave it out.")
    if not 0 < level < 1:
        raise BadInput(f"The level is {level:g}; give one between 0 and 1, such as 0.95.")
    return y, s**2


def _weighted(y: Floats, w: Floats) -> tuple[float, float, float]:
    """Return the weighted mean, the weighted sum of squares about it and the total weight."""
    total = float(w.sum())
    mu = float(w @ y) / total
    return mu, float(w @ (y - mu) ** 2), total


def _likelihood(y: Floats, v: Floats, tau2: float) -> float:
    w = 1 / (v + tau2)
    _, squares, total = _weighted(y, w)
    return -0.5 * (float(np.log(v + tau2).sum()) + float(np.log(total)) + squares)


def _reml(y: Floats, v: Floats) -> float:
    """Return the tau2 >= 0 of the highest restricted likelihood.

    Beyond ``s2 + sqrt(s2 max v)``, s2 the variance of the figures, the likelihood falls; within, every change of its slope
    from rising to falling is solved for, since with unequal errors there may be several.
    """
    spread = float(y.var(ddof=1))
    top = spread + float(np.sqrt(spread * v.max()))
    if top == 0:
        return 0.0

    def rising(tau2: float) -> float:
        w = 1 / (v + tau2)
        mu, _, total = _weighted(y, w)
        return 0.5 * (float(w**2 @ (y - mu) ** 2) - total + float(w @ w) / total)

    places = np.append(0.0, np.geomspace(1e-8, 1.0, _GRID) * top)
    signs = np.array([rising(t) > 0 for t in places])
    found = [0.0] if not signs[0] else []
    for i in np.flatnonzero(signs[:-1] & ~signs[1:]):
        found.append(_root(rising, float(places[i]), float(places[i + 1])))
    # rounding may leave the slope positive at the bound itself
    return max(found or [top], key=lambda tau2: _likelihood(y, v, tau2))


def _root(of: Callable[[float], float], low: float, high: float) -> float:
    return float(optimize.brentq(of, low, high, xtol=_TOLERANCE * high, rtol=4 * np.finfo(float).eps, maxiter=500))


def _knapp_error(scale: float, total: float) -> tuple[float, tuple[str, ...]]:
    """Return Hartung & Knapp's error, sqrt(q / sum of weights); the ordinary one where the figures are almost equal."""
    if scale >= _LEAST_SCALE:
        return float(np.sqrt(scale / total)), ()
    return float(np.sqrt(1 / total)), (EQUAL,)


def _typical_variance(v: Floats) -> float:
    """Return Higgins & Thompson's typical variance of a figure within a centre (eq. 9)."""
    w = 1 / v
    return float((v.size - 1) * w.sum() / (w.sum() ** 2 - w @ w))


def _q_profile(y: Floats, v: Floats, level: float) -> tuple[float, float]:
    """Return the values of tau2 at which the generalised Q has the tail quantiles of chi-squared with k - 1 df."""
    upper, lower = (float(stats.chi2.isf(tail, y.size - 1)) for tail in ((1 - level) / 2, (1 + level) / 2))
    return _profiled(y, v, upper), _profiled(y, v, lower)


def _profiled(y: Floats, v: Floats, target: float) -> float:
    def excess(tau2: float) -> float:
        return _weighted(y, 1 / (v + tau2))[1] - target

    if excess(0.0) <= 0:
        return 0.0
    # Q <= sum of squares / tau2
    top = 2 * float(((y - y.mean()) ** 2).sum()) / target
    return _root(excess, 0.0, top)
