"""Virtual claims about a time: `survival` (one cause) and `competing` (two), with censoring that depends on the centre.

A patient's `x` is normal about the centre's case-mix; the hazards are ``rate_c exp(effect x)`` and ``rival_c exp(rival_effect x)``,
constant in time; a row shows ``score = x + row noise``. The claim is the risk by the horizon in the typical centre, which does not
exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from onclair.virtual.claim_cells import RISKS, Cells, binary_figures, cell_auc, edges, normal_cells, pseudo_figures, written
from onclair.virtual.claim_people import Claim, centre_name, centre_sizes, people, rows_of

Floats = npt.NDArray[np.float64]

THRESHOLDS = (0.1, 0.2, 0.3, 0.5)
_NODES = 60


@dataclass(frozen=True, slots=True)
class TimesLaw:
    """The law of a claim about a time.

    Attributes
    ----------
    kind : {"survival", "competing"}
    patients, centres : int
    horizon : float
        Years.
    rate, effect : float
        Hazard a year of the typical patient and its log hazard ratio a unit of `x`.
    rival_rate, rival_effect : float
        Of the competing cause; 0 in `survival`.
    tau : float
        Standard deviation of the log hazards between centres.
    mix : float
        Standard deviation of the mean of `x` between centres.
    noise : float
        Standard deviation of a row's score about the patient's `x`.
    slope : float
        Of the claimed log hazard ratio.
    typical_rows : float
    """

    kind: Literal["survival", "competing"]
    patients: int = 600
    centres: int = 8
    horizon: float = 5.0
    rate: float = 0.07
    effect: float = 0.9
    rival_rate: float = 0.0
    rival_effect: float = 0.0
    tau: float = 0.3
    mix: float = 0.25
    noise: float = 0.4
    slope: float = 1.0
    typical_rows: float = 1.2

    def cumulative(self, years: npt.ArrayLike, x: npt.ArrayLike, rates: tuple[npt.ArrayLike, npt.ArrayLike]) -> tuple[Floats, Floats]:
        """Return the probability of the event of interest by a time, and of no event of any cause.

        Examples
        --------
        One cause, hazard .1: 1 - exp(-.5) by five years.

        >>> risk, free = TimesLaw("survival").cumulative(5.0, 0.0, (0.1, 0.0))
        >>> round(float(risk), 6), round(float(free), 6)
        (0.393469, 0.606531)
        """
        first = np.asarray(rates[0]) * np.exp(self.effect * np.asarray(x))
        total = first + np.asarray(rates[1]) * np.exp(self.rival_effect * np.asarray(x))
        free = np.exp(-total * np.asarray(years))
        share = np.divide(first, total, out=np.zeros_like(total), where=total > 0)
        return np.asarray(share * (1 - free)), np.asarray(free)

    def linear_predictor(self, score: npt.ArrayLike) -> Floats:
        """Return the claimed log hazard ratio."""
        return np.asarray(self.slope * self.effect * np.asarray(score, dtype=np.float64))

    def claimed(self, score: npt.ArrayLike) -> Floats:
        """Return the risk by the horizon that the claim gives to a score: that of the typical centre, taking the score for `x`.

        For `competing` it is ``1 - exp(-rate * exp(lp) * (1 - exp(-rival_rate * horizon)) / rival_rate)``, increasing in the score.
        """
        return np.asarray(-np.expm1(-self.rate * np.exp(self.linear_predictor(score)) * self._years))

    @property
    def _years(self) -> float:
        """The horizon, shortened by those whom the other cause takes first."""
        return float(self.horizon if self.rival_rate == 0 else -np.expm1(-self.rival_rate * self.horizon) / self.rival_rate)

    @property
    def cell_ends(self) -> Floats:
        """Score at the ends of the cells of the written risk, shape (1000,)."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(-np.log1p(-edges()) / (self.rate * self._years)) / (self.slope * self.effect))


def survival_law(patients: int = 600, centres: int = 8) -> TimesLaw:
    """Return the law of a claim about one cause."""
    return TimesLaw("survival", patients, centres)


def competing_law(patients: int = 600, centres: int = 8) -> TimesLaw:
    """Return the law of a claim about one of two causes; the other one is common and little related to the score."""
    return TimesLaw("competing", patients, centres, rival_rate=0.06, rival_effect=0.3)


def draw_times(law: TimesLaw, rng: np.random.Generator) -> Claim:
    """Return one cohort.

    Returns
    -------
    Claim
        Columns ``patient centre item sex age stage time event p lp p_lab data``; event 0 censored, 1 of interest, 2 the other cause.

    Examples
    --------
    >>> claim = draw_times(survival_law(80, 4), np.random.default_rng(1))
    >>> sorted(claim.table["event"].unique().tolist()), bool((claim.table["time"] > 0).all())
    ([0, 1], True)
    """
    centres = _draw_centres(law, rng)
    sizes = centres["patients"].to_numpy()
    frame, owner = people(sizes, rows_of(law.patients, law.typical_rows, rng), rng)
    place = np.repeat(np.arange(sizes.size), sizes)
    x, time, event = follow(law, centres, place, rng)
    score = x[owner] + law.noise * rng.standard_normal(owner.size)
    lab = (rng.random(law.patients) < np.where(place == 0, 0.0 if sizes.size > 1 else 0.9, 0.9))[owner]
    frame["time"], frame["event"] = np.maximum(np.round(time, 3), 0.001)[owner], event[owner]
    frame["p"], frame["lp"] = written(law.claimed(score)), np.round(law.linear_predictor(score), 3)
    frame["p_lab"] = np.where(lab, written(law.claimed(0.5 * score + 0.5 * x[owner])), np.nan)
    frame["data"] = "virtual"
    return Claim(frame, _row_risk(law, centres, place[owner], score), centres)


def follow(
    law: TimesLaw, centres: pd.DataFrame, place: npt.NDArray[np.int64], rng: np.random.Generator
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Return each patient's `x`, follow-up in years and event, censored as the centre censors.

    Parameters
    ----------
    law : TimesLaw
    centres : DataFrame
    place : ndarray, int64, shape (n,)
        The patient's centre.
    rng : Generator
    """
    rate, rival, mix, loss, first, last = (
        centres[name].to_numpy()[place] for name in ("rate", "rival_rate", "mix", "loss", "followed_from", "followed_to")
    )
    x = mix + rng.standard_normal(place.size)
    with np.errstate(divide="ignore"):
        one = rng.standard_exponential(place.size) / (rate * np.exp(law.effect * x))
        two = rng.standard_exponential(place.size) / (rival * np.exp(law.rival_effect * x))
        gone = np.minimum(rng.standard_exponential(place.size) / loss, first + (last - first) * rng.random(place.size))
    time = np.minimum(np.minimum(one, two), gone)
    return x, time, np.where(time == gone, 0, np.where(one <= two, 1, 2)).astype(np.int64)


def exact_truth(law: TimesLaw, claim: Claim) -> dict[str, Any]:
    """Return the true figures at the horizon, without censoring, by quadrature over `x` and sums over the written risks.

    Returns
    -------
    dict
        ``figures``: ``auc_t brier ipa o_e nb@T`` and pseudo-value intercept and slope; for `competing` also the AUC whose controls
        are event-free (``auc_t`` counts those with the other cause as controls too). ``centres`` and ``between_centres``.
    """
    share = claim.centres["patients"].to_numpy() / law.patients
    parts = [_cells(law, row) for row in claim.centres.itertuples()]
    event, other, free = (sum((w * part[i] for w, part in zip(share, parts, strict=True)), np.zeros(RISKS.size)) for i in range(3))
    figures = _at_horizon(Cells(np.asarray(event), np.asarray(other)))
    if law.kind == "competing":
        figures["auc_t_event_free_controls"] = cell_auc(np.asarray(event), np.asarray(free))
    return {
        "figures": {"claim": figures},
        "centres": [_centre_truth(row, part) for row, part in zip(claim.centres.itertuples(), parts, strict=True)],
        "between_centres": {"tau2_log_hazard": law.tau**2, "sd_case_mix": law.mix},
        "censoring": {
            "law": "the earlier of an exponential loss (rate a year) and the end of the study, uniform between two times; both by centre",
            "note": "because it depends on the centre, weights from one censoring curve are somewhat biased, as in real registries",
            "centres": claim.centres[["centre", "loss", "followed_from", "followed_to"]].to_dict("records"),
        },
    }


def _at_horizon(cells: Cells) -> dict[str, float | None]:
    found = binary_figures(cells, THRESHOLDS)
    kept = {name: value for name, value in found.items() if name not in ("auc", "citl", "slope")}
    return {"auc_t": found["auc"], **kept, **(pseudo_figures(cells) if cells.event.sum() > 0 else {})}


def _draw_centres(law: TimesLaw, rng: np.random.Generator) -> pd.DataFrame:
    sizes, special_kind = centre_sizes(law.patients, law.centres, rng)
    lonely = np.array(special_kind) == "one class"
    shift = law.tau * rng.standard_normal(law.centres)
    follow_from = rng.uniform(0.4, 0.9, law.centres) * law.horizon
    return pd.DataFrame(
        {
            "centre": [centre_name(c) for c in range(law.centres)],
            "patients": sizes,
            "special": special_kind,
            "rate": np.where(lonely, 0.0, law.rate * np.exp(shift)),
            "rival_rate": np.where(lonely, 0.0, law.rival_rate * np.exp(law.tau * rng.standard_normal(law.centres))),
            "mix": law.mix * rng.standard_normal(law.centres),
            "loss": rng.uniform(0.01, 0.08, law.centres),
            "followed_from": follow_from,
            "followed_to": law.horizon * rng.uniform(1.6, 2.4, law.centres),
        }
    )


def _nodes(mean: float) -> tuple[Floats, Floats]:
    """Return nodes and weights of a normal law of variance 1."""
    at, weight = special.roots_hermitenorm(_NODES)
    return mean + at, weight / weight.sum()


def _cells(law: TimesLaw, centre: Any) -> tuple[Floats, Floats, Floats]:
    """Return P(written risk, event by the horizon), P(.., none), P(.., free of any event) for one centre, each (999,)."""
    x, weight = _nodes(centre.mix)
    risk, free = law.cumulative(law.horizon, x, (centre.rate, centre.rival_rate))
    cells = normal_cells(law.cell_ends, x, law.noise)
    return (weight * risk) @ cells, (weight * (1 - risk)) @ cells, (weight * free) @ cells


def _row_risk(law: TimesLaw, centres: pd.DataFrame, place: npt.NDArray[np.int64], score: Floats) -> Floats:
    """Return the risk by the horizon given a row's score and centre: `x` given the score is normal."""
    mix, rate, rival = (centres[name].to_numpy()[place] for name in ("mix", "rate", "rival_rate"))
    kept = 1 / (1 + law.noise**2)
    mean, sd = mix + kept * (score - mix), law.noise * np.sqrt(kept)
    at, weight = special.roots_hermitenorm(20)
    risk, _ = law.cumulative(law.horizon, mean[:, None] + sd * at, (rate[:, None], rival[:, None]))
    return np.asarray(risk @ (weight / weight.sum()))


def _centre_truth(centre: Any, part: tuple[Floats, Floats, Floats]) -> dict[str, Any]:
    figures = binary_figures(Cells(part[0], part[1]))
    return {
        "centre": centre.centre,
        "patients": int(centre.patients),
        "special": centre.special,
        "risk_by_horizon": figures["prevalence"],
        "auc_t": figures["auc"],
        "o_e": figures["o_e"],
        "case_mix_mean": float(centre.mix),
        "case_mix_sd": 1.0,
        "hazard": float(centre.rate),
        "rival_hazard": float(centre.rival_rate),
    }
