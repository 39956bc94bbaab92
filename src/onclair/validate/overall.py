"""How far are the risks from what happened, all in all? Brier score, its gain over the prevalence, and Nagelkerke's R2."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.estimate import Estimate
from onclair.validate.intervals import cut
from onclair.validate.rows import Floats, Rows, judged_risks


def brier(name: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return the Brier score, the mean squared distance of risk and outcome; 0 is perfect.

    Parameters
    ----------
    name : str
        For example ``"brier:model"``.
    truth : array_like, shape (n,), 0 or 1
    risks : array_like, shape (n,) or (repeats, n), in [0, 1]
        With repeats, the mean of their Brier scores.
    patients : array_like, shape (n,), optional
        Rows of one patient are one cluster of the standard error.

    Returns
    -------
    Estimate

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> round(brier("brier:model", [0, 1], [0.2, 0.6]).value, 12)
    0.1
    """
    rows = judged_risks(truth, risks, patients, level=level)
    squares = _squares(rows)
    value = float(squares.mean())
    found = rows.estimate(name, value, rows.error((squares - value) / squares.size), "mean squared error of the risk; Wald interval")
    return cut(found, 0.0, np.inf)


def ipa(name: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return the index of prediction accuracy, ``1 - Brier / Brier of the prevalence``; 0 is no gain, 1 is perfect.

    The standard error is that of the ratio (first-order, both Brier scores from the same patients); the interval is cut at 1.

    Parameters
    ----------
    name : str
        For example ``"ipa:model"``.
    truth, risks, patients
        As :func:`brier`. The prevalence is that of these rows.

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
    Kattan & Gerds 2018, doi:10.1186/s41512-018-0029-2.

    Examples
    --------
    Brier 0.1 against 0.25:

    >>> round(ipa("ipa:model", [0, 1], [0.2, 0.6]).value, 12)
    0.6
    """
    rows = judged_risks(truth, risks, patients, level=level)
    if rows.one_class:
        return rows.missing(name, rows.one_class)
    squares, y = _squares(rows), rows.truth.astype(np.float64)
    score, prevalence = squares.mean(), y.mean()
    null = prevalence * (1 - prevalence)
    influence = -(squares - score) / null + score / null**2 * (1 - 2 * prevalence) * (y - prevalence)
    method = "1 - Brier / (prevalence (1 - prevalence)); first-order error of the ratio; Wald interval"
    return cut(rows.estimate(name, float(1 - score / null), rows.error(influence / y.size), method), -np.inf, 1.0)


def nagelkerke(
    name: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95
) -> Estimate:
    """Return Nagelkerke's R2 of the given risks: their gain in likelihood over the prevalence, as a share of the most possible.

    Nothing is refitted, so risks worse than the prevalence have a value below 0.

    Parameters
    ----------
    name : str
        For example ``"nagelkerke:model"``.
    truth, risks, patients
        As :func:`brier`. With repeats, the likelihood is the mean of theirs.

    Returns
    -------
    Estimate
        ``not_available`` when one class is absent, or when a risk of exactly 0 had the event, or one of 1 had none: the
        likelihood is then zero, however good the others.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Nagelkerke 1991, doi:10.1093/biomet/78.3.691.

    Examples
    --------
    ``(1 - exp(-2 (log 0.8 - log 0.5))) / (1 - exp(2 log 0.5))``:

    >>> round(nagelkerke("nagelkerke:model", [0, 1], [0.2, 0.8]).value, 6)
    0.8125
    """
    rows = judged_risks(truth, risks, patients, level=level)
    if rows.one_class:
        return rows.missing(name, rows.one_class)
    y, share = rows.truth.astype(np.float64), float(rows.truth.mean())
    given = np.asarray((special.xlogy(y, rows.scores) + special.xlog1py(1 - y, -rows.scores)).mean(axis=0), dtype=np.float64)
    if not np.isfinite(given).all():
        impossible = int((~np.isfinite(given)).sum())
        return rows.missing(name, f"{impossible} rows have an outcome to which their risk of 0 or 1 gave no chance, so the likelihood is 0")
    null = special.xlogy(share, share) + special.xlog1py(1 - share, -share)
    gain, most = np.exp(2 * (null - given.mean())), np.exp(2 * null)
    value = (1 - gain) / (1 - most)
    # first order: the given likelihood is a mean, the null's moves with the prevalence by its logit
    by_given = 2 * gain / (1 - most)
    by_null = 2 * (most * (1 - gain) - gain * (1 - most)) / (1 - most) ** 2
    influence = by_given * (given - given.mean()) + by_null * (y - share) * (np.log(share) - np.log1p(-share))
    method = "Nagelkerke's R2 of the given risks, not refitted; first-order error; Wald interval"
    return cut(rows.estimate(name, float(value), rows.error(influence / y.size), method), -np.inf, 1.0)


def _squares(rows: Rows) -> Floats:
    return np.asarray(((rows.scores - rows.truth) ** 2).mean(axis=0), dtype=np.float64)
