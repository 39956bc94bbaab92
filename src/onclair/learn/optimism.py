"""What a model's figures would be on other patients like these: Harrell's correction for optimism, and .632+.

Both need :func:`onclair.learn.refits.refits`, in which the whole pipeline is learnt again on each bootstrap sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadSetting
from onclair.core.estimate import Estimate, not_available
from onclair.learn.refits import Refits
from onclair.science.statistics.ranks import auc
from onclair.science.statistics.recalibration import weighted_intercept, weighted_slope

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Figures that are right by construction on the rows a model was fitted on: there they are no evidence and are never shown.
BY_CONSTRUCTION = frozenset({"slope", "citl", "o_e"})
#: Times the truth is shuffled for the figure that a model without information would have.
SHUFFLES = 200
#: Why a figure has no interval, or one that it does not lie in.
BESIDE = "no interval: it is shown only beside its correction"
UNCERTAIN = "no interval: a mean over samples, whose uncertainty the corrected figure carries"
UNVARIED = "no interval, since the figure does not vary on a sample's own rows"
ONE_SAMPLE = "no interval: it takes two bootstrap samples with this figure"
ASTRAY = "the percentile interval does not hold the figure: on their own rows the samples' figures lie to one side of the apparent one"
#: Relative difference that rounding alone may leave between a figure and the end of its interval.
ROUNDING = 1e-12
_HARRELL = "apparent minus mean optimism (Harrell 1996)"
_PLUS = ".632+ (Efron & Tibshirani 1997), out-of-sample figure averaged over samples"
_SHIFTED = "percentiles of the apparent figure over samples, shifted (Noma 2021)"


@dataclass(frozen=True, slots=True)
class Merit:
    """A figure of merit.

    Attributes
    ----------
    name : str
        The FIGURE of an estimate's name: ``auc``, ``brier``, ``slope``...
    of : callable
        ``(truth, risk) -> float`` on arrays of equal length; NaN where it cannot be had.
    better : {"higher", "lower"}

    Examples
    --------
    >>> AUC.of(np.array([0.0, 1.0]), np.array([0.2, 0.7])), AUC.evidence_in_sample, SLOPE.evidence_in_sample
    (1.0, True, False)
    """

    name: str
    of: Callable[[Floats, Floats], float]
    better: Literal["higher", "lower"] = "higher"

    def __post_init__(self) -> None:
        if self.better not in ("higher", "lower"):
            raise BadSetting(f"The figure '{self.name}' is better '{self.better}'; write 'higher' or 'lower'.", item=self.name)

    @property
    def evidence_in_sample(self) -> bool:
        """Whether the figure means anything on the rows that the model was fitted on.

        Examples
        --------
        >>> Merit("brier", lambda y, p: 0.0, "lower").evidence_in_sample
        True
        """
        return self.name.partition("@")[0] not in BY_CONSTRUCTION


@dataclass(frozen=True, slots=True)
class Corrected:
    """One figure, apparent and corrected.

    Attributes
    ----------
    apparent : Estimate
        ``FIGURE:WHO:apparent``, on the rows the model was fitted on; not available where it is right by construction.
    optimism : Estimate
        ``FIGURE:WHO:optimism``, how much better samples look on themselves than their models do on the original rows.
    corrected : Estimate
        ``FIGURE:WHO:optimism-corrected``.
    plus632 : Estimate
        ``FIGURE:WHO:632plus``.
    """

    apparent: Estimate
    optimism: Estimate
    corrected: Estimate
    plus632: Estimate

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The four, in this order."""
        return self.apparent, self.optimism, self.corrected, self.plus632


def corrected(found: Refits, merit: Merit, *, who: str = "model", level: float = 0.95, seed: int = 1) -> Corrected:
    """Return one figure corrected for optimism by Harrell's bootstrap, and by .632+.

    Parameters
    ----------
    found : Refits
        Of the whole pipeline.
    merit : Merit
    who : str
        WHO of the estimates' names.
    level : float
        Of the intervals.
    seed : int
        Of the shuffled truths that give the figure of a model without information.

    Returns
    -------
    Corrected
        Of ``slope``, ``citl`` and ``o_e`` only optimism and the corrected figure: on its own rows a maximum-likelihood model has slope 1
        by construction, so the apparent figure, .632+ (which mixes it in) and the shifted interval (whose spread is its spread) say
        nothing. A shifted interval that does not hold its figure is given as it is, and the reason says so.

    References
    ----------
    Harrell, Lee & Mark 1996, doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4; Efron & Tibshirani 1997, section 3,
    doi:10.1080/01621459.1997.10474007; intervals: Noma, Shinozaki, Iba, Teramukai & Furukawa 2021, doi:10.1002/sim.9148.

    Examples
    --------
    The prevalence ranks nobody, on itself or elsewhere:

    >>> import pandas as pd
    >>> from onclair.learn.pipeline import Prevalence
    >>> from onclair.learn.refits import refits
    >>> found = refits(Prevalence(), pd.DataFrame({"x": 0.0}, index=list("ABCDEF")), [0, 1, 0, 1, 0, 1], replicates=20)
    >>> [estimate.value for estimate in corrected(found, AUC).estimates]
    [0.5, 0.0, 0.5, 0.5]
    """
    apparent = float(merit.of(found.truth, found.risk))
    own, other, outside = (np.array([f(found, merit, b) for b in range(len(found.risks))]) for f in (_own, _original, _outside))
    both = np.isfinite(own) & np.isfinite(other)
    stem = f"{merit.name}:{who}"
    if not np.isfinite(apparent) or not both.any():
        reason = "the figure cannot be had on the rows the model was fitted on, or in any bootstrap sample"
        return Corrected(*(not_available(f"{stem}:{w}", reason, n=found.patients, events=found.events) for w in _WHERES))
    optimism = float((own[both] - other[both]).mean())
    harrell = apparent - optimism
    said = _Said(stem, found, level, own[both] if merit.evidence_in_sample else None, apparent)
    return Corrected(
        said.apparent(merit),
        Estimate(f"{stem}:optimism", optimism, n=found.patients, events=found.events, method=found.method, reason=UNCERTAIN),
        said.shifted("optimism-corrected", harrell, _HARRELL),
        _plus632(said, merit, outside, seed),
    )


def plus632(apparent: float, outside: float, chance: float) -> float:
    """Return the .632+ figure; all three as errors, lower being better (hand in minus a figure of which more is better).

    Parameters
    ----------
    apparent : float
        On the rows the model was fitted on.
    outside : float
        On rows left out of the samples.
    chance : float
        Of a model without information.

    References
    ----------
    Efron & Tibshirani 1997, section 3, doi:10.1080/01621459.1997.10474007.

    Examples
    --------
    A model that knows its own rows by heart and others not at all: R = 1, all weight outside.

    >>> plus632(0.0, 0.5, 0.5)
    0.5
    >>> round(plus632(0.2, 0.2, 0.5), 6)
    0.2
    """
    held = min(outside, chance)  # no model is counted worse than one without information
    over = (held - apparent) / (chance - apparent) if held > apparent and chance > apparent else 0.0  # the relative overfitting rate
    weight = 0.632 / (1 - 0.368 * over)
    return (1 - weight) * apparent + weight * held


_WHERES = ("apparent", "optimism", "optimism-corrected", "632plus")


@dataclass(frozen=True, slots=True)
class _Said:
    """What the estimates of one figure share."""

    stem: str
    found: Refits
    level: float
    spread: Floats | None
    value: float

    def apparent(self, merit: Merit) -> Estimate:
        """Return the figure on the model's own rows, or why it is not shown."""
        name = f"{self.stem}:apparent"
        if not merit.evidence_in_sample:
            return not_available(name, _OWN_ROWS.format(merit.name), n=self.found.patients, events=self.found.events)
        method = "on the rows the model was fitted on; too good, shown only beside its correction"
        return Estimate(name, self.value, n=self.found.patients, events=self.found.events, method=method, reason=BESIDE)

    def shifted(self, where: str, value: float, how: str) -> Estimate:
        """Return a corrected figure with the percentile interval of the apparent one, moved by the correction."""
        method, n, events = f"{how}; {self.found.method}", self.found.patients, self.found.events
        bare = Estimate(f"{self.stem}:{where}", value, level=self.level, n=n, events=events, method=method)
        if self.spread is None or self.spread.size < 2:
            return replace(bare, reason=UNVARIED if self.spread is None else ONE_SAMPLE)
        low, high = (float(end) for end in np.quantile(self.spread, [(1 - self.level) / 2, (1 + self.level) / 2]) + (value - self.value))
        slack = ROUNDING * max(1.0, abs(value))
        reason = None if low - slack <= value <= high + slack else ASTRAY
        return replace(bare, low=low, high=high, se=float(self.spread.std(ddof=1)), method=f"{method}; {_SHIFTED}", reason=reason)


_OWN_ROWS = "{} is right by construction on the rows a model was fitted on, so there it is no evidence"


def _plus632(said: _Said, merit: Merit, outside: Floats, seed: int) -> Estimate:
    name, found = f"{said.stem}:632plus", said.found
    if not merit.evidence_in_sample:
        return not_available(name, _OWN_ROWS.format(merit.name), n=found.patients, events=found.events)
    if not np.isfinite(outside).any():
        return not_available(name, "no sample left out enough patients to judge it on", n=found.patients, events=found.events)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(3,)))
    chance = float(np.nanmean([merit.of(rng.permutation(found.truth), found.risk) for _ in range(SHUFFLES)]))
    sign = -1.0 if merit.better == "higher" else 1.0
    value = sign * plus632(sign * said.value, sign * float(np.nanmean(outside)), sign * chance)
    return said.shifted("632plus", value, _PLUS)


def _own(found: Refits, merit: Merit, b: int) -> float:
    """Return the figure of model b on the sample it was fitted on."""
    return _on(found, merit, b, np.repeat(np.arange(found.truth.size), found.drawn[b][found.who]))


def _original(found: Refits, merit: Merit, b: int) -> float:
    """Return the figure of model b on the original rows."""
    return _on(found, merit, b, np.arange(found.truth.size))


def _outside(found: Refits, merit: Merit, b: int) -> float:
    """Return the figure of model b on the rows of patients that its sample left out."""
    return _on(found, merit, b, np.flatnonzero(found.drawn[b][found.who] == 0))


def _on(found: Refits, merit: Merit, b: int, rows: Ints) -> float:
    risk = found.risks[b][rows]
    return float(merit.of(found.truth[rows], risk)) if rows.size and not np.isnan(risk).any() else float("nan")


def _auc(truth: Floats, risk: Floats) -> float:
    return float(auc(truth, risk))


def _brier(truth: Floats, risk: Floats) -> float:
    return float(np.mean((truth - risk) ** 2))


def _logit(risk: Floats) -> Floats:
    return np.asarray(special.logit(np.clip(risk, 1e-9, 1 - 1e-9)))


def _slope(truth: Floats, risk: Floats) -> float:
    return weighted_slope(_logit(risk), truth, np.ones(truth.size))[1]


def _citl(truth: Floats, risk: Floats) -> float:
    return weighted_intercept(_logit(risk), truth, np.ones(truth.size))


#: Ready figures for a binary truth.
AUC = Merit("auc", _auc)
BRIER = Merit("brier", _brier, "lower")
SLOPE = Merit("slope", _slope)
CITL = Merit("citl", _citl)
