"""How many patients does a model need? Riley's criteria for developing one; for validating one see `samplesize_validation`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy import special

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.validate.samplesize.answer import Z95, SampleSize, flags, positive, share, warned, whole
from onclair.validate.samplesize.cox_snell import highest_r2cs, highest_r2cs_survival, r2cs_from_c, r2cs_from_nagelkerke

#: Shrinkage that a model should need no more than: predictor effects shrunk by a tenth.
SHRINKAGE = 0.9
#: Largest acceptable gap of apparent and adjusted R2, and of the overall risk from its estimate.
MARGIN = 0.05
#: Multiplicative margin of error of a residual standard deviation and of a mean.
MULTIPLICATIVE_MARGIN = 1.1

_BINARY = "Riley 2019 part II (doi:10.1002/sim.7992), Riley 2020 (doi:10.1136/bmj.m441)"
_CONTINUOUS = "Riley 2019 part I (doi:10.1002/sim.7993)"


def develop(outcome: str, parameters: int, given: Mapping[str, float | None]) -> SampleSize:
    """Return the patients needed to develop a model, from what is known beforehand under the names of the command's flags.

    Parameters
    ----------
    outcome : {"binary", "survival", "continuous"}
    parameters : int
        Candidate predictor parameters, not variables: a category of four levels is three.
    given : mapping
        ``r2cs`` (adjusted Cox-Snell), ``c`` (binary only) or ``r2`` (Nagelkerke's; a continuous outcome's adjusted R2), exactly one;
        ``prevalence``; ``rate timepoint followup`` in one unit of time; ``mean sd``. None counts as not given.

    Returns
    -------
    SampleSize

    Raises
    ------
    BadSetting
        For an unknown outcome, a figure that is missing, contradictory or serves another outcome (its flag is named), or one
        outside its range.

    Examples
    --------
    >>> dict(develop("binary", 24, {"r2cs": 0.288, "prevalence": 0.174}).criteria)
    {'shrinkage': 623, 'r2': 662, 'intercept': 221}
    """
    if outcome not in _NEEDS:
        raise BadSetting(f"There is no outcome '{outcome}'; {did_you_mean(outcome, _NEEDS)}", item="outcome")
    known = {name: float(value) for name, value in given.items() if value is not None}
    strengths, needs = _NEEDS[outcome]
    for name in known:
        if name not in strengths + needs:
            raise BadSetting(
                f"--{name} does not serve a {outcome} outcome; it takes {flags(strengths, 'or')} and {flags(needs)}.", item=name
            )
    missing = [name for name in needs if name not in known]
    if missing:
        raise BadSetting(f"A {outcome} outcome needs {flags(missing)}; give a figure from an earlier study.", item=missing[0])
    chosen = [name for name in strengths if name in known]
    if len(chosen) != 1:
        found = f"{flags(chosen)} were given" if chosen else "none was given"
        raise BadSetting(f"How strong the model will be is told by exactly one of {flags(strengths, 'or')}; {found}.", item=strengths[0])
    if outcome == "continuous":
        return develop_continuous(parameters, known["r2"], mean=known["mean"], sd=known["sd"])
    if outcome == "survival":
        r2cs = (
            known["r2cs"] if "r2cs" in known else r2cs_from_nagelkerke(known["r2"], highest_r2cs_survival(known["rate"], known["followup"]))
        )
        return develop_survival(parameters, r2cs, rate=known["rate"], timepoint=known["timepoint"], followup=known["followup"])
    return develop_binary(parameters, _binary_r2cs(chosen[0], known), known["prevalence"])


def develop_binary(parameters: int, r2cs: float, prevalence: float) -> SampleSize:
    """Return the patients needed to develop a model of a binary outcome.

    Parameters
    ----------
    parameters : int
        Candidate predictor parameters.
    r2cs : float
        Cox-Snell R2 to expect, adjusted for optimism; below the largest possible at this prevalence.
    prevalence : float
        Share of patients with the outcome, in (0, 1).

    Returns
    -------
    SampleSize
        ``shrinkage`` (0.9), ``r2`` (apparent and adjusted Nagelkerke R2 within 0.05),
        ``intercept`` (overall risk to 0.05).

    Raises
    ------
    BadSetting
        For a figure outside its range.

    References
    ----------
    Riley et al. 2019, doi:10.1002/sim.7992; Riley et al. 2020, doi:10.1136/bmj.m441.

    Examples
    --------
    The intercept alone: (1.96 / 0.05)^2 x 0.5 x 0.5 = 384.16.

    >>> develop_binary(5, 0.2, 0.5).criteria["intercept"]
    385
    """
    _parameters(parameters)
    highest = highest_r2cs(prevalence)
    _below_highest(r2cs, highest, f"a prevalence of {prevalence:g}")
    criteria = _by_overfitting(parameters, r2cs, highest)
    criteria["intercept"] = whole((Z95 / MARGIN) ** 2 * prevalence * (1 - prevalence))
    n = max(criteria.values())
    figures = {"r2cs": r2cs, "highest_r2cs": highest, "events": n * prevalence, "events_per_parameter": n * prevalence / parameters}
    rare = min(prevalence, 1 - prevalence)
    said = f"The intercept criterion lets the overall risk be off by {MARGIN:g}, and the rarer outcome has only {rare:g}; plan for more."
    warnings = [("margin_wide", said)] if rare < 2 * MARGIN else []
    return SampleSize(criteria, figures, _BINARY, warned(warnings))


def develop_survival(parameters: int, r2cs: float, *, rate: float, timepoint: float, followup: float) -> SampleSize:
    """Return the patients needed to develop a model of a time to event.

    Parameters
    ----------
    parameters : int
        Candidate predictor parameters.
    r2cs : float
        Cox-Snell R2 to expect, adjusted for optimism.
    rate : float
        Events a person and unit of time.
    timepoint, followup : float
        Time of interest and mean follow-up, in the same unit.

    Returns
    -------
    SampleSize
        ``shrinkage``, ``r2``; ``intercept`` as published: the patients of the other two where they give the risk at `timepoint`
        to 0.05 (constant hazard), else what that takes; it alone is ``figures["intercept_alone"]``.

    Raises
    ------
    BadSetting
        For a figure outside its range.

    References
    ----------
    Riley et al. 2019, doi:10.1002/sim.7992; the mean follow-up as the unit of time: Riley et al. 2020, doi:10.1136/bmj.m441.

    Examples
    --------
    >>> dict(develop_survival(25, 0.051, rate=0.065, timepoint=2, followup=2.07).criteria)
    {'shrinkage': 4286, 'r2': 866, 'intercept': 4286}
    """
    _parameters(parameters)
    positive("timepoint", timepoint)
    highest = highest_r2cs_survival(rate, followup)
    _below_highest(r2cs, highest, f"{rate:g} events a unit of time over {followup:g}")
    criteria = _by_overfitting(parameters, r2cs, highest)
    risk = -math.expm1(-rate * timepoint)
    alone = _patients_for_risk(risk, rate, timepoint, followup)
    criteria["intercept"] = n = max(*criteria.values(), alone)
    low, high = (-math.expm1(-(rate + sign * Z95 * math.sqrt(rate / (n * followup))) * timepoint) for sign in (-1, 1))
    events = n * rate * followup
    figures = {
        "r2cs": r2cs,
        "highest_r2cs": highest,
        "events": events,
        "events_per_parameter": events / parameters,
        "risk": risk,
        "risk_low": low,
        "risk_high": high,
        "intercept_alone": float(alone),
    }
    return SampleSize(criteria, figures, _BINARY)


def develop_continuous(parameters: int, r2: float, *, mean: float, sd: float) -> SampleSize:
    """Return the patients needed to develop a linear model of a continuous outcome.

    Parameters
    ----------
    parameters : int
        Candidate predictor parameters.
    r2 : float
        Adjusted R2 to expect, in (0, 1).
    mean, sd : float
        Of the outcome in the population; the mean not 0, since its error is judged as a share of it.

    Returns
    -------
    SampleSize
        ``shrinkage`` (0.9, Copas), ``r2`` (apparent and adjusted within 0.05), ``variance`` (residual standard deviation within a tenth),
        ``intercept`` as published: the most of the others where they give the mean within a tenth, else what that takes.

    Raises
    ------
    BadSetting
        For a figure outside its range.

    References
    ----------
    Riley et al. 2019, doi:10.1002/sim.7993.

    Examples
    --------
    >>> dict(develop_continuous(25, 0.2, mean=1.9, sd=0.6).criteria)
    {'shrinkage': 918, 'r2': 401, 'variance': 259, 'intercept': 918}
    """
    _parameters(parameters)
    share("r2", r2)
    positive("sd", sd)
    if mean == 0 or not math.isfinite(mean):
        raise BadSetting(f"--mean is {mean:g}; the error of the mean is judged as a share of it, so give one other than 0.", item="mean")
    criteria = {
        "shrinkage": _patients_for_copas(parameters, r2),
        "r2": whole(1 + parameters * (1 - r2) / MARGIN),
        "variance": _degrees_for_variance() + parameters + 1,
    }
    alone = _patients_for_mean(parameters, sd * math.sqrt(1 - r2) / abs(mean))
    criteria["intercept"] = n = max(*criteria.values(), alone)
    return SampleSize(criteria, {"r2": r2, "patients_per_parameter": n / parameters, "intercept_alone": float(alone)}, _CONTINUOUS)


def _binary_r2cs(strength: str, known: Mapping[str, float]) -> float:
    if strength == "c":
        return r2cs_from_c(known["c"], known["prevalence"])
    return known["r2cs"] if strength == "r2cs" else r2cs_from_nagelkerke(known["r2"], highest_r2cs(known["prevalence"]))


def _by_overfitting(parameters: int, r2cs: float, highest: float) -> dict[str, int]:
    """Return the criteria of shrinkage and of the optimism of Nagelkerke's R2."""
    needed = r2cs / (r2cs + MARGIN * highest)  # criterion ii: R2 apparent - R2 adjusted = R2 / S - R2
    return {
        "shrinkage": whole(_patients_for_shrinkage(parameters, r2cs, SHRINKAGE)),
        "r2": whole(_patients_for_shrinkage(parameters, r2cs, needed)),
    }


def _patients_for_shrinkage(parameters: int, r2cs: float, shrinkage: float) -> float:
    """Riley 2019 part II, criterion i: the global shrinkage factor of van Houwelingen & le Cessie, solved for n."""
    return parameters / ((shrinkage - 1) * math.log1p(-r2cs / shrinkage))


def _patients_for_risk(risk: float, rate: float, timepoint: float, followup: float) -> int:
    """Return the patients that keep the upper end of the risk's interval within the margin."""
    if risk + MARGIN >= 1:
        return 1
    error = (-math.log1p(-(risk + MARGIN)) / timepoint - rate) / Z95
    return max(1, whole(rate / (followup * error**2)))


def _patients_for_copas(parameters: int, r2: float) -> int:
    """Return the patients from which on ``1 + (P - 2) / (n ln(1 - R2_apparent))`` is at least the shrinkage.

    The apparent R2 depends on n; the iteration falls from above to the largest n that solves it.
    """
    wanted = (parameters - 2) / (1 - SHRINKAGE)
    fewest = parameters + 2
    if wanted <= 0:
        return fewest
    n, before = wanted / -math.log1p(-r2), math.inf
    while n > fewest and before - n > 1e-9 * n:
        before, n = n, wanted / -math.log1p(-(r2 * (n - parameters - 1) + parameters) / (n - 1))
    return max(fewest, whole(n))


def _degrees_for_variance() -> int:
    """Return the residual degrees of freedom that give the standard deviation within its margin: 233."""
    degrees = np.arange(1, 1000, dtype=np.float64)
    low, high = special.chdtri(degrees, 0.975), special.chdtri(degrees, 0.025)
    return int(degrees[np.sqrt(np.maximum(degrees / low, high / degrees)) <= MULTIPLICATIVE_MARGIN][0])


def _patients_for_mean(parameters: int, spread: float) -> int:
    """Return the patients that give a mean within its margin; `spread` is the residual standard deviation as a share of it.

    The search starts below, where the normal quantile would do; Student's is met a few patients further on.
    """
    wanted = spread / (MULTIPLICATIVE_MARGIN - 1)
    n = max(parameters + 2, whole((Z95 * wanted) ** 2))
    while whole((float(special.stdtrit(n - parameters - 1, 0.975)) * wanted) ** 2) > n:
        n += 1
    return n


def _parameters(parameters: int) -> None:
    if parameters < 1:
        raise BadSetting(f"--parameters is {parameters}; a model has at least one candidate parameter.", item="parameters")


def _below_highest(r2cs: float, highest: float, where: str) -> None:
    share("r2cs", r2cs)
    if r2cs >= highest:
        raise BadSetting(f"--r2cs is {r2cs:g}; with {where} no model can have more than {highest:.3f}, so give a smaller one.", item="r2cs")


#: Outcome -> (flags of which one tells the strength, flags that it needs).
_NEEDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "binary": (("r2cs", "c", "r2"), ("prevalence",)),
    "survival": (("r2cs", "r2"), ("rate", "timepoint", "followup")),
    "continuous": (("r2",), ("mean", "sd")),
}
