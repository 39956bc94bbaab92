"""How far each patient's risk would move had other patients like these been collected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.estimate import Estimate, not_available
from onclair.learn.refits import Refits

Floats = npt.NDArray[np.float64]

NO_INTERVAL = "no interval: it is a mean over the very samples that would give one"
_METHOD = "mean over rows and samples of |risk by a sample's model - risk by the original model| (Riley & Collins 2023)"


@dataclass(frozen=True, slots=True, eq=False)
class Instability:
    """The risks that models of bootstrap samples give, beside the original model's.

    Attributes
    ----------
    risk : ndarray, float64, shape (n,)
        By the original model.
    risks : ndarray, float64, shape (samples, n)
        By the models of samples that could be trained on.
    low, high : ndarray, float64, shape (n,)
        The range of each row's risks: percentiles at `level` (type 7).
    level : float
    mape : ndarray, float64, shape (n,)
        Mean absolute prediction error of each row: the mean over samples of the absolute difference from `risk`.
    mean : Estimate
        ``mape:WHO``, their mean; each patient weighs the same.
    """

    risk: Floats
    risks: Floats
    low: Floats
    high: Floats
    level: float
    mape: Floats
    mean: Estimate

    def changed(self, threshold: float) -> Floats:
        """Return, for each row, the share of models that put it on the other side of `threshold` than the original does, shape (n,).

        Parameters
        ----------
        threshold : float, in (0, 1)
            A risk at or above it counts as high.

        Raises
        ------
        BadSetting
            For a threshold outside (0, 1).

        References
        ----------
        Riley & Collins 2023, classification instability, doi:10.1002/bimj.202200302.
        """
        if not 0 < threshold < 1:
            raise BadSetting(f"The threshold {threshold:g} is no risk between 0 and 1; correct it.", item="threshold")
        return np.asarray(((self.risks >= threshold) != (self.risk >= threshold)).mean(axis=0))


def instability(found: Refits, *, who: str = "model", level: float = 0.95) -> Instability:
    """Return how unstable the risks are that a whole pipeline gives.

    Parameters
    ----------
    found : Refits
        Of the whole pipeline; 200 samples or more.
    who : str
        WHO of the estimate's name.
    level : float, in (0, 1)
        Of each row's range.

    Returns
    -------
    Instability
        With `mean` not available and NaN ranges where no sample could be trained on.

    References
    ----------
    Riley & Collins 2023, doi:10.1002/bimj.202200302: MAPE is the mean absolute difference between an individual's risks by the bootstrap
    models and by the original one, averaged over the individuals.

    Examples
    --------
    Two models that say .1 more and .3 less: (.1 + .3) / 2.

    >>> one = Refits("m", np.array([1.0]), np.array([0]), np.array([0.5]), np.array([[0.6], [0.2]]), np.array([[1], [1]]))
    >>> round(instability(one).mean.value, 6)
    0.2
    """
    trained = found.risks[~np.isnan(found.risks).any(axis=1)]
    name = f"mape:{who}"
    if not len(trained):
        nothing = np.full(found.risk.shape, np.nan)
        reason = f"none of the {len(found.risks)} bootstrap samples could be trained on"
        return Instability(found.risk, trained, nothing, nothing, level, nothing, not_available(name, reason, n=found.patients))
    low, high = np.quantile(trained, [(1 - level) / 2, (1 + level) / 2], axis=0)
    mape = np.abs(trained - found.risk).mean(axis=0)
    of_patient = np.bincount(found.who, weights=mape) / np.bincount(found.who)
    method = f"{_METHOD}; {found.method}"
    mean = Estimate(name, float(of_patient.mean()), level=level, n=found.patients, events=found.events, method=method, reason=NO_INTERVAL)
    return Instability(found.risk, trained, np.asarray(low), np.asarray(high), level, mape, mean)
