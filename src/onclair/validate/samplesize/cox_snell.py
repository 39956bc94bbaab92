"""The Cox-Snell R2 of a model not yet developed: the largest possible, and from Nagelkerke's R2 or the C statistic."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from onclair.core.errors import BadSetting
from onclair.validate.samplesize.answer import positive, share


def highest_r2cs(prevalence: float) -> float:
    """Return the largest Cox-Snell R2 that a model of a binary outcome can have.

    ``1 - exp(2 (p ln p + (1 - p) ln(1 - p)))``.

    References
    ----------
    Riley et al. 2019, eq. 23, doi:10.1002/sim.7992.

    Examples
    --------
    >>> highest_r2cs(0.5)
    0.75
    """
    share("prevalence", prevalence)
    return float(-math.expm1(-2 * (special.entr(prevalence) + special.entr(1 - prevalence))))


def highest_r2cs_survival(rate: float, followup: float) -> float:
    """Return the largest Cox-Snell R2 that a model of a time to event can have, at a constant hazard.

    With e events a patient over the mean follow-up (the unit of time): ``1 - exp(2 (e ln e - e))``.

    Raises
    ------
    BadSetting
        For a rate or follow-up that is not above 0, or more than one event a patient.

    References
    ----------
    Riley et al. 2020, doi:10.1136/bmj.m441, which makes the mean follow-up the unit of time.

    Examples
    --------
    One event a patient: 1 - exp(-2).

    >>> round(highest_r2cs_survival(0.1, 10), 4)
    0.8647
    """
    positive("rate", rate)
    positive("followup", followup)
    events = rate * followup
    if events > 1:
        said = f"--rate {rate:g} over --followup {followup:g} makes {events:.3g} events a patient; give both in one unit of time."
        raise BadSetting(said, item="rate")
    return -math.expm1(2 * (events * math.log(events) - events))


def r2cs_from_nagelkerke(r2: float, highest: float) -> float:
    """Return the Cox-Snell R2 of a Nagelkerke R2, given the largest Cox-Snell R2 possible.

    Examples
    --------
    >>> r2cs_from_nagelkerke(0.4, 0.75)
    0.30000000000000004
    """
    share("r2", r2)
    return r2 * highest


def r2cs_from_c(c: float, prevalence: float) -> float:
    """Return the Cox-Snell R2 of a model with the C statistic `c`, its linear predictor normal in both classes with one spread.

    The authors draw the linear predictor and fit a logistic model to it. Under that very law the logistic model is true, so the
    gain in log-likelihood a patient is an integral, computed here by quadrature: no draw, no seed.

    Parameters
    ----------
    c : float
        In (0.5, 1).
    prevalence : float
        In (0, 1).

    Raises
    ------
    BadSetting
        For a figure outside its range.

    References
    ----------
    Riley et al. 2021, doi:10.1002/sim.8806.

    Examples
    --------
    >>> round(r2cs_from_c(0.8, 0.174), 5)
    0.16709
    """
    share("prevalence", prevalence)
    if not 0.5 < c < 1:
        raise BadSetting(f"--c is {c:g}; a C statistic to plan with lies above 0.5 and below 1.", item="c")
    apart = math.sqrt(2) * float(special.ndtri(c))
    nodes, weights = np.polynomial.hermite_e.hermegauss(180)
    weights = weights / weights.sum()
    base = float(special.logit(prevalence))
    cases = special.log_expit(base + apart * (nodes + apart / 2)) @ weights
    others = special.log_expit(-(base + apart * (nodes - apart / 2))) @ weights
    gain = prevalence * cases + (1 - prevalence) * others + special.entr(prevalence) + special.entr(1 - prevalence)
    return float(-math.expm1(-2 * gain))
