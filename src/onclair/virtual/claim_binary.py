"""Virtual claims about a binary outcome: rows that repeat (`clustered`), and centres whose true AUC differs (`centres`).

The score of a row is ``x = separation_c y + shift_c + sqrt(r) u_patient + sqrt(1 - r) e_row``: given the outcome it is normal with
variance 1, so that the true risk of a row is logistic in `x` and every figure of the written risk is a sum over its thousand values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from onclair.core.canonical import plain_float
from onclair.virtual.claim_cells import RISKS, Cells, binary_figures, cell_auc, edges, normal_cells, written
from onclair.virtual.claim_people import Claim, centre_name, centre_sizes, people, rows_of

Floats = npt.NDArray[np.float64]

#: Thresholds that the plan declares.
THRESHOLDS = (0.1, 0.2, 0.3, 0.5)
#: Separation of the rival's score and of the laboratory value; correlation of the rival's noise with the claim's.
RIVAL, LAB, TOGETHER = 0.7, 0.8, 0.4
#: The rival's score is written with one decimal.
_RIVAL_ENDS = np.concatenate([[-np.inf], np.arange(-60, 60) / 10 + 0.05, [np.inf]])


@dataclass(frozen=True, slots=True)
class BinaryLaw:
    """The law of a binary claim.

    Attributes
    ----------
    kind : {"clustered", "centres"}
    patients, centres : int
    auc : float
        Of the score before it is rounded: in every centre (`clustered`), or the centre with mean logit (`centres`).
    tau : float
        Standard deviation of the true logit AUC between centres.
    within : float
        Share of the score's variance that a patient's rows have in common, in [0, 1].
    prevalence, prevalence_sd : float
        Of the typical centre; standard deviation between centres on the logit scale.
    shift_sd : float
        Standard deviation of the score's shift between centres.
    intercept, slope : float
        Of the claimed risk: ``logit p = intercept + slope * (logit of the true risk in the typical centre)``.
    typical_rows : float
    """

    kind: Literal["clustered", "centres"]
    patients: int = 400
    centres: int = 8
    auc: float = 0.80
    tau: float = 0.0
    within: float = 0.5
    prevalence: float = 0.35
    prevalence_sd: float = 0.6
    shift_sd: float = 0.0
    intercept: float = 0.2
    slope: float = 1.25
    typical_rows: float = 6.0

    @property
    def separation(self) -> float:
        """Distance of the two classes of the typical centre, ``sqrt(2) ndtri(auc)``."""
        return float(np.sqrt(2) * special.ndtri(self.auc))

    @property
    def true_auc(self) -> float:
        """Population AUC of the written risk where every centre has the typical separation, ties and all.

        Examples
        --------
        >>> round(BinaryLaw("clustered", auc=0.8).true_auc, 3)
        0.8
        """
        ends, d = self.cell_ends, self.separation
        return cell_auc(normal_cells(ends, d, 1.0), normal_cells(ends, 0.0, 1.0))

    @property
    def cell_ends(self) -> Floats:
        """Score at the ends of the cells of the written risk, shape (1000,)."""
        with np.errstate(divide="ignore"):
            lp = special.logit(edges())
        typical = (lp - self.intercept) / self.slope
        return np.asarray((typical - special.logit(self.prevalence)) / self.separation + self.separation / 2)

    def claimed(self, score: Floats) -> Floats:
        """Return the risk that the claim gives to a score."""
        typical = special.logit(self.prevalence) + self.separation * (score - self.separation / 2)
        return np.asarray(special.expit(self.intercept + self.slope * typical))


def clustered_law(patients: int = 400, centres: int = 8) -> BinaryLaw:
    """Return the law of rows that repeat: one separation in every centre, so that the pooled AUC is known in closed form."""
    return BinaryLaw("clustered", patients, centres)


def centres_law(patients: int = 2500, centres: int = 25) -> BinaryLaw:
    """Return the law of centres that differ: true AUC logit-normal, prevalence and shift of their own."""
    return BinaryLaw("centres", patients, centres, tau=0.35, shift_sd=0.3, typical_rows=2.0)


def new_centre_auc(law: BinaryLaw, rng: np.random.Generator) -> float:
    """Return the true AUC (of the unrounded score) of a centre that nobody has seen.

    Examples
    --------
    >>> round(new_centre_auc(clustered_law(), np.random.default_rng(1)), 6)
    0.8
    """
    return float(special.expit(special.logit(law.auc) + law.tau * rng.standard_normal()))


def draw_binary(law: BinaryLaw, rng: np.random.Generator) -> Claim:
    """Return one cohort.

    Parameters
    ----------
    law : BinaryLaw
    rng : Generator

    Returns
    -------
    Claim
        Columns ``patient centre item sex age stage y p rival p_lab data``; `p_lab` is missing where the laboratory value is.

    Examples
    --------
    >>> claim = draw_binary(clustered_law(60, 4), np.random.default_rng(1))
    >>> claim.table["patient"].nunique(), claim.table["centre"].nunique(), bool(claim.risk.max() < 1)
    (60, 4, True)
    """
    centres = _draw_centres(law, rng)
    sizes = centres["patients"].to_numpy()
    rows = rows_of(law.patients, law.typical_rows, rng)
    frame, owner = people(sizes, rows, rng)
    place = np.repeat(np.arange(sizes.size), sizes)
    y = _outcomes(centres["prevalence"].to_numpy()[place], place, rng)
    common, own = rng.standard_normal(law.patients), rng.standard_normal(owner.size)
    noise = np.sqrt(law.within) * common[owner] + np.sqrt(1 - law.within) * own
    at = place[owner]
    separation, shift, prevalence = (centres[name].to_numpy()[at] for name in ("separation", "shift", "prevalence"))
    score = separation * y[owner] + shift + noise
    rival = RIVAL * y[owner] + TOGETHER * noise + np.sqrt(1 - TOGETHER**2) * rng.standard_normal(owner.size)
    lab = (LAB * y + rng.standard_normal(law.patients))[owner]
    known = ~(rng.random(law.patients) < np.where(place == 0, 1.0 if sizes.size > 1 else 0.1, 0.1))[owner]
    with_lab = special.expit(special.logit(law.claimed(score)) + LAB * (lab - LAB / 2))
    frame["y"], frame["p"], frame["rival"] = y[owner], written(law.claimed(score)), np.clip(np.round(rival, 1), -6.0, 6.0)
    frame["p_lab"] = np.where(known, written(with_lab), np.nan)
    frame["data"] = "virtual"
    with np.errstate(divide="ignore"):
        risk = special.expit(special.logit(prevalence) + separation * (score - shift - separation / 2))
    return Claim(frame, np.asarray(risk), centres)


def truth_of_binary(law: BinaryLaw, claim: Claim) -> dict[str, Any]:
    """Return the true figures of a cohort's centres taken together, and of each.

    Everything is exact: sums over the values that the written risk can take.

    Returns
    -------
    dict
        ``figures`` (of `claim`, `rival`, `claim_with_lab`), ``centres``, ``between_centres``.
    """
    cells = [_cells(law, row) for row in claim.centres.itertuples()]
    share = claim.centres["patients"].to_numpy() / law.patients
    pooled = Cells(
        sum((w * c.event for w, c in zip(share, cells, strict=True)), np.zeros(RISKS.size)),
        sum((w * c.other for w, c in zip(share, cells, strict=True)), np.zeros(RISKS.size)),
    )
    rival = cell_auc(normal_cells(_RIVAL_ENDS, RIVAL, 1.0), normal_cells(_RIVAL_ENDS, 0.0, 1.0))
    figures = {"claim": binary_figures(pooled, THRESHOLDS), "rival": {"auc": rival}}
    if law.kind == "clustered":
        figures["claim_with_lab"] = {"auc": _auc_with_lab(law)}
    return {
        "figures": figures,
        "how": "exact sums over the values that the written risk can take; Monte Carlo error 0",
        "centres": [_centre_truth(row, c) for row, c in zip(claim.centres.itertuples(), cells, strict=True)],
        "between_centres": {
            "mean_logit_auc": float(special.logit(law.auc)),
            "tau2_logit_auc": law.tau**2,
            "sd_logit_prevalence": law.prevalence_sd,
            "sd_score_shift": law.shift_sd,
        },
    }


def _draw_centres(law: BinaryLaw, rng: np.random.Generator) -> pd.DataFrame:
    sizes, special_kind = centre_sizes(law.patients, law.centres, rng)
    auc = special.expit(special.logit(law.auc) + law.tau * rng.standard_normal(law.centres))
    prevalence = special.expit(special.logit(law.prevalence) + law.prevalence_sd * rng.standard_normal(law.centres))
    prevalence[np.array(special_kind) == "one class"] = 0.0
    return pd.DataFrame(
        {
            "centre": [centre_name(c) for c in range(law.centres)],
            "patients": sizes,
            "special": special_kind,
            "auc": auc,
            "separation": np.sqrt(2) * special.ndtri(auc),
            "prevalence": prevalence,
            "shift": law.shift_sd * rng.standard_normal(law.centres),
        }
    )


def _outcomes(prevalence: Floats, place: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return each patient's outcome, both classes present whatever the luck."""
    y = (rng.random(place.size) < prevalence).astype(np.int64)
    able = np.flatnonzero(prevalence > 0)
    if not y.any():
        y[able[0]] = 1
    if y[able].all():
        y[able[-1]] = 0
    return y


def _cells(law: BinaryLaw, centre: Any) -> Cells:
    ends = law.cell_ends
    event = centre.prevalence * normal_cells(ends, centre.separation + centre.shift, 1.0)
    return Cells(event, (1 - centre.prevalence) * normal_cells(ends, centre.shift, 1.0))


def _auc_with_lab(law: BinaryLaw) -> float:
    """Return the AUC of ``slope * separation * x + LAB * lab``: normal with equal variances in both classes."""
    weight = law.slope * law.separation
    mean, variance = weight * law.separation + LAB * LAB, weight**2 + LAB**2
    return float(special.ndtr(mean / np.sqrt(2 * variance)))


def _centre_truth(centre: Any, cells: Cells) -> dict[str, Any]:
    figures = binary_figures(cells)
    mass = cells.event + cells.other
    lp = special.logit(RISKS)
    mean = float(mass @ lp)
    return {
        "centre": centre.centre,
        "patients": int(centre.patients),
        "special": centre.special,
        **{name: figures[name] for name in ("prevalence", "auc", "o_e", "citl", "slope", "brier")},
        "auc_of_unrounded_score": plain_float(centre.auc),
        "lp_mean": mean,
        "lp_sd": float(np.sqrt(mass @ (lp - mean) ** 2)),
    }
