"""How the AUCs of several readers and modalities move together when the same cases are read: DeLong, jackknife, unbiased."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadSetting
from onclair.core.names import did_you_mean
from onclair.science.statistics.ranks import placements

Floats = npt.NDArray[np.float64]

#: The three estimators of the covariance of AUCs on the same cases.
COVARIANCES: tuple[str, ...] = ("delong", "jackknife", "unbiased")
#: Comparisons held at once by the unbiased estimator.
_BLOCK = 4_000_000


def auc_covariance(truth: npt.ArrayLike, ratings: npt.ArrayLike, covariance: str) -> Floats:
    """Return the covariance matrix of the AUCs of several columns of ratings, by the estimator named.

    Parameters
    ----------
    truth : array_like, shape (cases,), 0 or 1
        At least two cases of each class.
    ratings : array_like, shape (cases, columns)
        Every case rated in every column.
    covariance : {"delong", "jackknife", "unbiased"}

    Returns
    -------
    ndarray, float64, shape (columns, columns)

    Raises
    ------
    BadSetting
        For an unknown estimator.
    BadInput
        When a class has fewer than two cases, lengths differ or a rating is NaN.

    Examples
    --------
    >>> auc_covariance([0, 0, 1, 1], [[1], [4], [3], [8]], "delong")
    array([[0.125]])
    """
    if covariance not in COVARIANCES:
        raise BadSetting(f"There is no covariance '{covariance}'; {did_you_mean(covariance, COVARIANCES)}", item="covariance")
    return {"delong": delong_covariance, "jackknife": jackknife_covariance, "unbiased": unbiased_covariance}[covariance](truth, ratings)


def delong_covariance(truth: npt.ArrayLike, ratings: npt.ArrayLike) -> Floats:
    """Return DeLong's covariance of the AUCs of columns (columns, columns): S10 / m + S01 / k, ddof 1.

    Parameters and errors as :func:`auc_covariance`.

    References
    ----------
    DeLong et al. 1988, eq. 5 and 6, doi:10.2307/2531595.

    Examples
    --------
    Placements 0.5, 1 | 1, 0.5: 0.125 / 2 + 0.125 / 2.

    >>> delong_covariance([0, 0, 1, 1], [[0.1], [0.4], [0.35], [0.8]])
    array([[0.125]])
    """
    above, below = _placed(truth, ratings)
    positives, negatives = above - above.mean(axis=0), below - below.mean(axis=0)
    m, k = len(above), len(below)
    return np.asarray(positives.T @ positives / (m * (m - 1)) + negatives.T @ negatives / (k * (k - 1)), dtype=np.float64)


def jackknife_covariance(truth: npt.ArrayLike, ratings: npt.ArrayLike) -> Floats:
    """Return the jackknife covariance (columns, columns) over all n cases: (n - 1) / n times the scatter of the n leave-one-out AUCs.

    Leaving out one positive gives ``(m AUC - placement) / (m - 1)``, so nothing is ranked again.
    Parameters and errors as :func:`auc_covariance`.

    References
    ----------
    Efron 1982, doi:10.1137/1.9781611970319; for readers: Hillis et al. 2005, doi:10.1002/sim.2024.

    Examples
    --------
    Leave-one-out AUCs 1, 0.5 (a positive left out), 0.5, 1 (a negative): 3/4 x 4 x 0.25^2.

    >>> jackknife_covariance([0, 0, 1, 1], [[0.1], [0.4], [0.35], [0.8]])
    array([[0.1875]])
    """
    above, below = _placed(truth, ratings)
    m, k = len(above), len(below)
    value = above.mean(axis=0)
    left_out = np.concatenate([(m * value - above) / (m - 1), (k * value - below) / (k - 1)])
    scatter = left_out - left_out.mean(axis=0)
    return np.asarray((m + k - 1) / (m + k) * scatter.T @ scatter, dtype=np.float64)


def unbiased_covariance(truth: npt.ArrayLike, ratings: npt.ArrayLike) -> Floats:
    """Return the unbiased covariance (columns, columns) from the four moments of the comparisons of a positive with a negative.

    ``AUC_a AUC_b`` less the mean product of comparisons that share neither case; that mean is what is left of all products
    once those that share a positive, a negative or both are taken away. A variance may come out negative in few cases.
    Parameters and errors as :func:`auc_covariance`.

    References
    ----------
    Gallas 2006, doi:10.1016/j.acra.2005.11.030; Gallas et al. 2007, doi:10.1364/JOSAA.24.000B70; with Obuchowski & Rockette's
    model: Hillis 2018, doi:10.1002/sim.7616.

    Examples
    --------
    Comparisons 1, 0 (first positive) and 1, 1: AUC^2 is 9/16; the two pairs that share nothing have the products 1 and 0.

    >>> unbiased_covariance([0, 0, 1, 1], [[0.1], [0.4], [0.35], [0.8]])
    array([[0.0625]])
    """
    above, below = _placed(truth, ratings)
    m, k = len(above), len(below)
    value = above.mean(axis=0)
    everything = np.outer(value, value) * (m * k) ** 2
    same_positive, same_negative = k**2 * above.T @ above, m**2 * below.T @ below
    neither = everything - same_positive - same_negative + _same_pair(truth, ratings)
    return np.asarray(np.outer(value, value) - neither / (m * (m - 1) * k * (k - 1)), dtype=np.float64)


def _same_pair(truth: npt.ArrayLike, ratings: npt.ArrayLike) -> Floats:
    """Return the sums over all pairs (positive, negative) of the product of two columns' comparisons."""
    positive, columns = np.asarray(truth) == 1, np.asarray(ratings, dtype=np.float64)
    cases, others = columns[positive], columns[~positive]
    rows = max(1, _BLOCK // max(1, others.size))
    total = np.zeros((columns.shape[1], columns.shape[1]))
    for start in range(0, len(cases), rows):
        compared = 0.5 * (1 + np.sign(cases[start : start + rows, None, :] - others[None, :, :])).reshape(-1, columns.shape[1])
        total += compared.T @ compared
    return total


def _placed(truth: npt.ArrayLike, ratings: npt.ArrayLike) -> tuple[Floats, Floats]:
    columns = np.asarray(ratings, dtype=np.float64)
    if columns.ndim != 2:
        raise BadInput(f"The ratings have shape {columns.shape}; give one row a case and one column a reader and modality.")
    above, below = placements(truth, columns)
    if len(above) < 2 or len(below) < 2:
        raise BadInput(f"A covariance of AUCs needs two cases of each class; {len(above)} are positive and {len(below)} negative.")
    return above, below
