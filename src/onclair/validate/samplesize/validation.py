"""How many patients does it take to validate a model of a binary outcome? O:E, slope, C and net benefit, each to a width."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadSetting
from onclair.validate.samplesize.answer import Z95, SampleSize, positive, share, warned, whole

Floats = npt.NDArray[np.float64]

#: Events, and patients without one, below which a validation says little.
FEWEST = 100
#: Standard deviations of the linear predictor that the quadrature reaches; nodes on either side of a cut.
_REACH, _NODES = 12.0, 300
_METHOD = "Riley 2021 (doi:10.1002/sim.9025); fewer than 100 events or non-events: Collins 2016 (doi:10.1002/sim.6787)"


@dataclass(frozen=True, slots=True)
class Widths:
    """How wide the 95 % intervals may be.

    Attributes
    ----------
    o_e, slope, c, net_benefit : float
        Of observed over expected, the calibration slope, the C statistic and the standardised net benefit.
    """

    o_e: float = 0.2
    slope: float = 0.2
    c: float = 0.1
    net_benefit: float = 0.2


@dataclass(frozen=True, slots=True)
class Predictor:
    """The law of the linear predictor (log-odds) in the patients to come: a mixture of normals.

    Attributes
    ----------
    parts : tuple of (share, mean, standard deviation)
    """

    parts: tuple[tuple[float, float, float], ...]

    def expect(self, figure: Callable[[Floats], Floats], *, above: float = -math.inf) -> float:
        """Return the mean of ``figure(linear predictor)``, counting it 0 where the linear predictor is below `above`.

        Examples
        --------
        >>> round(normal_predictor(-1.0, 2.0).expect(lambda lp: lp**2), 9)
        5.0
        """
        nodes, weights = _gauss()
        total = 0.0
        for part, mean, sd in self.parts:
            low = float(np.clip((above - mean) / sd, -_REACH, _REACH))
            z = low + (_REACH - low) * (nodes + 1) / 2
            density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
            total += part * (_REACH - low) / 2 * float(weights @ (density * figure(mean + sd * z)))
        return total


@cache
def _gauss() -> tuple[Floats, Floats]:
    """Return Gauss-Legendre nodes and weights on [-1, 1], found once: they cost more than all that is done with them."""
    return np.polynomial.legendre.leggauss(_NODES)


def normal_predictor(mean: float, sd: float) -> Predictor:
    """Return a normal law of the linear predictor.

    Raises
    ------
    BadSetting
        For a mean that is no number or a standard deviation that is not above 0.
    """
    if not math.isfinite(mean):
        raise BadSetting(f"The mean of --lp-normal is {mean}; give the mean and the standard deviation of the log-odds.", item="lp-normal")
    positive("lp-normal", sd)
    return Predictor(((1.0, mean, sd),))


def binormal_predictor(prevalence: float, c: float) -> Predictor:
    """Return the law of a calibrated linear predictor that is normal in both classes with one spread and has the C statistic `c`.

    With spread s in each class the means lie s^2 apart, so C = Phi(s / sqrt 2); calibration puts those without the event at
    ``logit(prevalence) - s^2 / 2``.

    Raises
    ------
    BadSetting
        For figures outside their range.

    References
    ----------
    Riley et al. 2021, doi:10.1002/sim.9025, where it is found by simulation.

    Examples
    --------
    The mean risk is the prevalence:

    >>> round(binormal_predictor(0.2, 0.75).expect(special.expit), 9)
    0.2
    """
    share("prevalence", prevalence)
    _checked_c(c)
    sd = math.sqrt(2) * float(special.ndtri(c))
    mean = float(special.logit(prevalence)) - sd**2 / 2
    return Predictor(((1 - prevalence, mean, sd), (prevalence, mean + sd**2, sd)))


def validate(
    prevalence: float,
    c: float,
    predictor: Predictor | None = None,
    *,
    widths: Widths | None = None,
    threshold: float | None = None,
    caught: tuple[float, float] | None = None,
) -> SampleSize:
    """Return the patients that validate a model of a binary outcome to the widths asked for.

    The model is taken to be calibrated: that asks for the most patients.

    Parameters
    ----------
    prevalence : float
        Share of patients with the outcome, in (0, 1).
    c : float
        C statistic to expect, above 0.5 and below 1.
    predictor : Predictor, optional
        Law of the linear predictor; :func:`binormal_predictor` when left out, with a warning.
    widths : Widths, optional
    threshold : float, optional
        Risk from which one acts; with it, net benefit is a criterion too.
    caught : (sensitivity, specificity), optional
        At `threshold`; from the linear predictor's law when left out.

    Returns
    -------
    SampleSize
        ``o_e`` (to the nearest patient, as the authors' code), ``slope`` (by quadrature where the authors draw a million patients),
        ``c`` (Newcombe's variance) and, with `threshold`, ``net_benefit`` (standardised). Warnings: ``few_events``, ``few_non_events``
        below 100; ``prevalence_differs`` where the law of the linear predictor means another prevalence; ``predictor_assumed``.

    Raises
    ------
    BadSetting
        For a figure outside its range (its flag is named).

    References
    ----------
    Riley et al. 2021, doi:10.1002/sim.9025; Archer et al. 2021, doi:10.1002/sim.8766.

    Examples
    --------
    >>> plan = validate(0.018, 0.8, normal_predictor(-5, 2.5), widths=Widths(o_e=1.0))
    >>> dict(plan.criteria)
    {'o_e': 905, 'slope': 4554, 'c': 4252}
    """
    share("prevalence", prevalence)
    _checked_c(c)
    wide = _checked_widths(widths or Widths())
    law = predictor or binormal_predictor(prevalence, c)
    criteria = {
        "o_e": max(1, round(_patients_for_o_e(prevalence, wide.o_e))),
        "slope": whole(_patients_for_slope(law, wide.slope)),
        "c": whole(_patients_for_c(prevalence, c, wide.c)),
    }
    figures = {"predicted_prevalence": law.expect(special.expit)}
    if threshold is not None:
        sensitivity, specificity = _at_threshold(law, threshold, caught)
        patients = _patients_for_net_benefit(prevalence, sensitivity, specificity, threshold, wide.net_benefit)
        criteria["net_benefit"] = whole(patients)
        figures |= {"threshold": threshold, "sensitivity": sensitivity, "specificity": specificity}
    elif caught is not None:
        raise BadSetting("--sensitivity and --specificity serve the net benefit; give its --threshold too.", item="threshold")
    n = max(criteria.values())
    figures |= {"events": n * prevalence, "non_events": n * (1 - prevalence)}
    return SampleSize(criteria, figures, _METHOD, warned(_cautions(figures, prevalence, predictor is None)))


def planned(prevalence: float, c: float, lp_normal: tuple[float, float] | None, given: Mapping[str, float | None]) -> SampleSize:
    """Return :func:`validate` from what the command's flags say.

    Parameters
    ----------
    prevalence, c : float
    lp_normal : (mean, sd), optional
    given : mapping
        ``oe_width slope_width c_width nb_width threshold sensitivity specificity``; None counts as not given.

    Raises
    ------
    BadSetting
        As :func:`validate`, and for a sensitivity without its specificity.

    Examples
    --------
    >>> planned(0.018, 0.8, (-5, 2.5), {"oe_width": 1.0}).criteria["o_e"]
    905
    """
    known = {name: value for name, value in given.items() if value is not None}
    names = {"oe_width": "o_e", "slope_width": "slope", "c_width": "c", "nb_width": "net_benefit"}
    caught = known.get("sensitivity"), known.get("specificity")
    if (caught[0] is None) != (caught[1] is None):
        alone, other = ("sensitivity", "specificity") if caught[1] is None else ("specificity", "sensitivity")
        raise BadSetting(f"--{alone} was given without --{other}; give both, or neither.", item=other)
    return validate(
        prevalence,
        c,
        None if lp_normal is None else normal_predictor(*lp_normal),
        widths=Widths(**{field: known[flag] for flag, field in names.items() if flag in known}),
        threshold=known.get("threshold"),
        caught=None if caught[0] is None or caught[1] is None else (caught[0], caught[1]),
    )


def _cautions(figures: dict[str, float], prevalence: float, assumed: bool) -> list[tuple[str, str]]:
    found = []
    for key, words, part in (("events", "events", prevalence), ("non_events", "patients without an event", 1 - prevalence)):
        if figures[key] < FEWEST:
            enough = math.ceil(FEWEST / part)
            said = (
                f"These widths are met with only {figures[key]:.0f} {words}; fewer than {FEWEST} say little, {enough} patients bring them."
            )
            found.append((f"few_{key}", said))
    implied = figures["predicted_prevalence"]
    if abs(implied - prevalence) > 0.1 * min(prevalence, 1 - prevalence):
        said = f"The linear predictor given means a prevalence of {implied:.3g}, not {prevalence:g}; a calibrated model has one of the two."
        found.append(("prevalence_differs", said))
    if assumed:
        said = "No linear predictor was given; it was taken to be normal in both classes with one spread, which the C statistic fixes."
        found.append(("predictor_assumed", said))
    return found


def _patients_for_o_e(prevalence: float, width: float) -> float:
    """Riley 2021, O:E by the delta method: the variance of ln(O/E) is (1 - p) / (n p); the interval exp(+-1.96 se) is `width` wide."""
    error = math.asinh(width / 2) / Z95
    return (1 - prevalence) / (prevalence * error**2)


def _patients_for_slope(law: Predictor, width: float) -> float:
    """Riley 2021, calibration slope: Fisher information of (intercept, slope) a patient, inverted."""

    def information(power: int) -> float:
        return law.expect(lambda lp: lp**power * special.expit(lp) * special.expit(-lp))

    centre = information(1) / information(0)
    spread = law.expect(lambda lp: (lp - centre) ** 2 * special.expit(lp) * special.expit(-lp))
    return (2 * Z95 / width) ** 2 / spread


def _patients_for_c(prevalence: float, c: float, width: float) -> float:
    """Newcombe's variance, as Riley 2021 takes it: quadratic in n."""
    pairs = (1 - c) / (2 - c) + c / (1 + c)
    a = prevalence * (1 - prevalence) * (width / (2 * Z95)) ** 2
    b, constant = c * (1 - c) * pairs / 2, c * (1 - c) * (1 - pairs)
    return (b + math.sqrt(b**2 + 4 * a * constant)) / (2 * a)


def _patients_for_net_benefit(prevalence: float, sensitivity: float, specificity: float, threshold: float, width: float) -> float:
    """Riley 2021, net benefit, on the variance of Marsh 2020 (doi:10.1111/biom.13190): sensitivity - (1 - specificity) w."""
    w = (1 - prevalence) / prevalence * threshold / (1 - threshold)
    among_events = sensitivity * (1 - sensitivity) / prevalence
    among_others = w**2 * specificity * (1 - specificity) / (1 - prevalence)
    of_prevalence = w**2 * (1 - specificity) ** 2 / (prevalence * (1 - prevalence))
    return (2 * Z95 / width) ** 2 * (among_events + among_others + of_prevalence)


def _at_threshold(law: Predictor, threshold: float, caught: tuple[float, float] | None) -> tuple[float, float]:
    """Return sensitivity and specificity of acting from the threshold on."""
    share("threshold", threshold)
    if caught is not None:
        for name, value in zip(("sensitivity", "specificity"), caught, strict=True):
            if not 0 <= value <= 1:
                raise BadSetting(f"--{name} is {value:g}; it lies between 0 and 1.", item=name)
        return caught
    cut, with_event = float(special.logit(threshold)), law.expect(special.expit)
    sensitivity = law.expect(special.expit, above=cut) / with_event
    flagged_without = law.expect(lambda lp: special.expit(-lp), above=cut) / (1 - with_event)
    return float(np.clip(sensitivity, 0, 1)), float(np.clip(1 - flagged_without, 0, 1))


def _checked_c(c: float) -> None:
    if not 0.5 < c < 1:
        raise BadSetting(f"--c is {c:g}; a C statistic to plan with lies above 0.5 and below 1.", item="c")


def _checked_widths(widths: Widths) -> Widths:
    for field in fields(widths):
        name = {"o_e": "oe-width", "net_benefit": "nb-width"}.get(field.name, f"{field.name}-width")
        positive(name, getattr(widths, field.name))
    return widths
