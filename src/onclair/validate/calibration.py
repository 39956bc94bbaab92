"""Do the risks mean what they say? O:E, calibration in the large, slope, and the tests of all of it at once.

The flexible curve and its distances are in :mod:`onclair.validate.calibration_curves`, and can be had from here too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.estimate import Estimate
from onclair.science.statistics.glm import GlmFit, logistic, with_intercept
from onclair.validate.calibration_curves import calibration_curve, calibration_distances
from onclair.validate.rows import Floats, Rows, judged_risks, logits

__all__ = ["calibration_curve", "calibration_distances", "citl", "o_e", "slope", "spiegelhalter", "u_test"]

#: Beyond this condition number a variance matrix counts as singular.
MOST_CONDITION = 1e12


def o_e(name: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return observed over expected events; above 1 the risks are too low.

    The interval is formed on the log scale: variance ``1/O - 1/n`` with one row a patient, else that of the clustered ratio.

    Parameters
    ----------
    name : str
        For example ``"o_e:model"``.
    truth : array_like, shape (n,), 0 or 1
    risks : array_like, shape (n,) or (repeats, n), in [0, 1]
    patients : array_like, shape (n,), optional

    Returns
    -------
    Estimate
        ``not_available`` without an event, or when all risks are 0.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Debray et al. 2017, doi:10.1136/bmj.i6460.

    Examples
    --------
    >>> o_e("o_e:model", [0, 0, 1, 1], [0.2, 0.4, 0.4, 0.6]).value
    1.25
    """
    rows = judged_risks(truth, risks, patients, level=level)
    y, p = rows.truth.astype(np.float64), rows.scores.mean(axis=0)
    if not y.any():
        return rows.missing(name, "there is no event")
    if not p.any():
        return rows.missing(name, "every risk is 0, so no event was expected")
    value = float(y.sum() / p.sum())
    if y.all():
        return rows.bare(name, value, "observed / expected", "every row has the event, so the variance cannot be estimated")
    if rows.clusters is None:
        return rows.estimate(
            name, value, float(np.sqrt(1 / y.sum() - 1 / y.size)), "observed / expected; log scale, 1/O - 1/n", scale="log"
        )
    se = rows.error((y - value * p) / y.sum())
    return rows.estimate(name, value, se, "observed / expected; log scale, clustered ratio", scale="log")


def citl(name: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return calibration in the large, `a` of ``logit P = a + logit(risk)``; 0 is right, above it the risks are too low.

    Parameters
    ----------
    name : str
        For example ``"citl:model"``.
    truth, risks, patients
        As :func:`o_e`. With repeats, the mean of their figures, with the error of that mean.

    Returns
    -------
    Estimate
        ``not_available`` when one class is absent.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Cox 1958, doi:10.1093/biomet/45.3-4.562; Van Calster et al. 2016, doi:10.1016/j.jclinepi.2015.12.005.

    Examples
    --------
    Half had the event where one in five was expected, so log(1) - log(1 / 4):

    >>> round(citl("citl:model", [0, 1, 0, 1], [0.2] * 4).value, 6)
    1.386294
    """
    rows = judged_risks(truth, risks, patients, level=level)

    def fit(lp: Floats) -> GlmFit:
        return logistic(np.ones((lp.size, 1)), rows.truth, offset=lp, clusters=rows.clusters)

    return _recalibrated(name, rows, fit, "logistic intercept with logit(risk) as offset")


def slope(name: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return the calibration slope, `b` of ``logit P = a + b logit(risk)``; 1 is right, below it the risks are too extreme.

    Parameters
    ----------
    name : str
        For example ``"slope:model"``.
    truth, risks, patients
        As :func:`o_e`. With repeats, the mean of their figures, with the error of that mean.

    Returns
    -------
    Estimate
        ``not_available`` when one class is absent, the risks hardly vary (:attr:`onclair.validate.rows.Rows.alike`: one risk
        a fold would give the slope of the folds) or separate the classes.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Cox 1958, doi:10.1093/biomet/45.3-4.562.

    Examples
    --------
    Risks of 0.2 and 0.8 where 1 in 4 and 3 in 4 had the event: log 9 / log 16.

    >>> round(slope("slope:model", [0, 0, 0, 1, 0, 1, 1, 1], [0.2] * 4 + [0.8] * 4).value, 6)
    0.792481
    """
    rows = judged_risks(truth, risks, patients, level=level)
    if rows.one_class or rows.alike:
        return rows.missing(name, rows.one_class or f"{rows.alike}, so there is no slope")

    def fit(lp: Floats) -> GlmFit:
        return logistic(with_intercept(lp), rows.truth, clusters=rows.clusters)

    return _recalibrated(name, rows, fit, "logistic slope on logit(risk)")


def u_test(who: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None) -> list[Estimate]:
    """Test whether intercept 0 and slope 1 could both be right.

    With one row a patient and one repeat, twice the gain in log-likelihood of logistic recalibration over the given risks
    (Cox's and Miller's test, the U of `val.prob`); else the Wald statistic of the clustered sandwich, of which
    ``(G - 2) / (2 (G - 1))`` times is held against F(2, G - 2) of G patients, as Hotelling's T2 is.

    Parameters
    ----------
    who : str
        Names are ``u:WHO`` (about chi-squared, 2 degrees of freedom) and ``p_u:WHO``.
    truth, risks, patients
        As :func:`o_e`.

    Returns
    -------
    list of Estimate
        A statistic and a p-value have no interval. ``not_available`` when there is no slope, or for repeated rows of fewer than
        10 patients.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Cox 1958, doi:10.1093/biomet/45.3-4.562; Miller, Hui & Tierney 1991, doi:10.1002/sim.4780100805; Hotelling 1931,
    doi:10.1214/aoms/1177732979.

    Examples
    --------
    Nine of each twelve had the event: 2 x 24 (.75 log .75 + .25 log .25) - 2 x 12 (log .4 + log .6).

    >>> u, p = u_test("model", ([1] * 9 + [0] * 3) * 2, [0.4] * 12 + [0.6] * 12)
    >>> u.name, round(u.value, 3), round(p.value, 3)
    ('u:model', 7.259, 0.027)
    """
    names = f"u:{who}", f"p_u:{who}"
    rows = judged_risks(truth, risks, patients)
    if rows.one_class or rows.alike:
        return [rows.missing(name, rows.one_class or f"{rows.alike}, so there is no slope to test") for name in names]
    if rows.few:
        return [rows.missing(name, rows.few) for name in names]
    lines, clipped = logits(rows)
    fits = [logistic(with_intercept(line), rows.truth, clusters=rows.clusters) for line in lines]
    failed = [fit.reason for fit in fits if not fit.ok]
    if failed:
        return [rows.missing(name, str(failed[0])) for name in names]
    value: float | None
    if len(fits) == 1 and rows.clusters is None:
        y = rows.truth.astype(np.float64)
        value, how = 2 * (fits[0].log_likelihood + float(np.sum(np.logaddexp(0.0, lines[0]) - y * lines[0]))), "likelihood ratio"
        p = float(np.exp(-value / 2))
    else:
        value, how = _wald_statistic(rows, fits), f"Wald, clustered sandwich, Hotelling's F(2, {rows.n - 2})"
        p = float("nan") if value is None else float(special.fdtrc(2, rows.n - 2, value * (rows.n - 2) / (2 * (rows.n - 1))))
    if value is None:
        return [rows.missing(name, "too few patients for the two-by-two variance of intercept and slope") for name in names]
    method = f"test of intercept 0 and slope 1 in logistic recalibration, 2 degrees of freedom; {how}{clipped}"
    return [_statistic(rows, names[0], value, method), _statistic(rows, names[1], p, f"p of the {method}")]


def spiegelhalter(who: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None) -> list[Estimate]:
    """Test whether the Brier score is what right risks would give.

    ``z = sum (y - p)(1 - 2 p) / sqrt(sum (1 - 2 p)^2 p (1 - p))``; where a patient has several rows, or risks are means over
    repeats, the denominator is the root of the patients' summed squares instead.

    Parameters
    ----------
    who : str
        Names are ``spiegelhalter:WHO`` (z, normal; below 0 the Brier score is better than the risks promise) and
        ``p_spiegelhalter:WHO`` (two-sided).
    truth, risks, patients
        As :func:`o_e`.

    Returns
    -------
    list of Estimate
        ``not_available`` when every risk is 0, 1/2 or 1, where the score says nothing of calibration.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Spiegelhalter 1986, doi:10.1002/sim.4780050506.

    Examples
    --------
    ``(-0.2 x 0.6 + 0.4 x -0.2) / sqrt(0.36 x 0.16 + 0.04 x 0.24)``:

    >>> z, p = spiegelhalter("model", [0, 1], [0.2, 0.6])
    >>> round(z.value, 6), round(p.value, 6)
    (-0.771517, 0.440401)
    """
    names = f"spiegelhalter:{who}", f"p_spiegelhalter:{who}"
    rows = judged_risks(truth, risks, patients)
    p = rows.scores
    excess = ((rows.truth - p) * (1 - 2 * p)).mean(axis=0)
    if rows.clusters is None and len(p) == 1:
        variance, how = float(((1 - 2 * p) ** 2 * p * (1 - p)).sum()), "variance under the risks"
    else:
        variance, how = float(np.sum(rows.by_patient(excess) ** 2)), "variance from the patients' sums"
    if not variance > 0:
        return [rows.missing(name, "no risk lies elsewhere than at 0, 1/2 or 1, so the test has no variance") for name in names]
    z = float(excess.sum() / np.sqrt(variance))
    method = f"Spiegelhalter's z of the Brier score; {how}"
    return [_statistic(rows, names[0], z, method), _statistic(rows, names[1], 2 * float(special.ndtr(-abs(z))), f"two-sided p of {method}")]


def _statistic(rows: Rows, name: str, value: float, method: str) -> Estimate:
    return rows.bare(name, value, method)


def _wald_statistic(rows: Rows, fits: list[GlmFit]) -> float | None:
    """Return the clustered Wald statistic, or None where the patients are too few for its variance to have an inverse."""
    apart = np.mean([fit.coefficients for fit in fits], axis=0) - np.array([0.0, 1.0])
    sums = np.array([rows.by_patient(column) for column in np.mean([fit.influence for fit in fits], axis=0).T])
    scaled = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    if rows.n < 3 or np.linalg.cond(scaled @ scaled.T) > MOST_CONDITION:
        return None
    return float(apart @ np.linalg.solve(sums @ sums.T * rows.n / (rows.n - 1), apart))


def _recalibrated(name: str, rows: Rows, fit: Callable[[Floats], GlmFit], method: str) -> Estimate:
    """Return the last coefficient of `fit`, mean over repeats, with the error of that mean."""
    if rows.one_class:
        return rows.missing(name, rows.one_class)
    lines, clipped = logits(rows)
    fits = [fit(line) for line in lines]
    failed = [f.reason for f in fits if not f.ok]
    if failed:
        return rows.missing(name, str(failed[0]))
    value = float(np.mean([f.coefficients[-1] for f in fits]))
    if len(fits) == 1 and rows.clusters is None:
        se, how = float(np.sqrt(fits[0].covariance[-1, -1])), "model-based error"
    else:
        se, how = rows.error(np.mean([f.influence[:, -1] for f in fits], axis=0)), "sandwich error"
    return rows.estimate(name, value, se, f"{method}; {how}, Wald interval{clipped}")
