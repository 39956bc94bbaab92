"""Shares of patients: how often a prediction set held the truth, or could not tell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.validate.discrimination import wilson


def share(name: str, hits: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return the share of patients with a hit, with Wilson's interval.

    Parameters
    ----------
    name : str
        For example ``"coverage:conformal"``.
    hits : array_like, bool, shape (n,)
    patients : array_like, shape (n,), optional
        Where a patient has several rows, each patient weighs the same and counts once.
    level : float

    Returns
    -------
    Estimate
        ``not_available`` without rows.

    Raises
    ------
    BadInput
        When patients are not named for every row.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> share("coverage:conformal", [True] * 9 + [False]).text()
    '0.90 (0.60 to 0.98)'
    """
    hit = np.asarray(hits, dtype=float)
    owner = np.arange(hit.size) if patients is None else np.unique(np.asarray(patients), return_inverse=True)[1]
    if owner.shape != hit.shape:
        raise BadInput(f"{owner.size} patients were named for {hit.size} rows; name the patient of each row.")
    if not hit.size:
        return not_available(name, "there is no row to count")
    by_patient = np.bincount(owner, weights=hit) / np.bincount(owner)
    n, value = by_patient.size, float(by_patient.mean())
    low, high = wilson(value, n, float(special.ndtri((1 + level) / 2)))
    return Estimate(name, value, low=low, high=high, level=level, n=n, method="share of patients; Wilson 1927")
