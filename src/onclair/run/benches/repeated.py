"""Sixty patients with twenty rows each, whose truth and score belong mostly to the patient: what naive intervals do not see.

Truth is the sign of a latent normal, and the score a normal that correlates with it; 80 % of the variance of either is the patient's.
Every true figure is closed form: for a correlation rho the AUC is ``1/2 + 2/pi asin(rho / sqrt(2))``, and sensitivity, specificity
and both predictive values at the middle are ``1/2 + asin(rho) / pi`` (orthant probabilities of normals).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.run.benches.seen import Seen, each_holds, holds
from onclair.validate.discrimination import auc
from onclair.validate.operating_points import operating_points
from onclair.validate.resampling import bootstrap_binary
from onclair.validate.rows import judged_risks

Floats = npt.NDArray[np.float64]

PATIENTS, ROWS, OF_PATIENT, AUC = 60, 20, 0.8, 0.7
REPLICATES = 400
WHAT = f"{PATIENTS} patients with {ROWS} rows, {100 * OF_PATIENT:g} % of the variance between patients, true AUC {AUC:g}"


def correlation(auc: float) -> float:
    """Return the correlation of score and latent truth that gives an AUC.

    Examples
    --------
    >>> round(correlation(0.5), 6), round(correlation(1.0), 6)
    (0.0, 1.0)
    """
    return float(np.sqrt(2) * np.sin((auc - 0.5) * np.pi / 2))


def draw_rows(rng: np.random.Generator) -> tuple[npt.NDArray[np.int64], Floats, npt.NDArray[np.int64]]:
    """Return one cohort: truth, risk (the score's normal rank, above 1/2 when the score is above its middle) and patient.

    Examples
    --------
    >>> truth, risk, patient = draw_rows(np.random.default_rng(1))
    >>> truth.shape, int(patient.max()), bool(((risk > 0) & (risk < 1)).all())
    ((1200,), 59, True)
    """
    patient = np.repeat(np.arange(PATIENTS), ROWS)
    latent, other = (_of_patients(patient, rng) for _ in range(2))
    rho = correlation(AUC)
    score = rho * latent + np.sqrt(1 - rho**2) * other
    return (latent > 0).astype(np.int64), np.asarray(special.ndtr(score)), patient


def intervals(rng: np.random.Generator) -> list[Seen]:
    """Return which intervals of one cohort hold the truth: clustered, naive and bootstrapped; and how wide two of them are."""
    truth, risk, patient = draw_rows(rng)
    middle = 0.5 + float(np.arcsin(correlation(AUC))) / np.pi
    truths = {f"{figure}@0.5": middle for figure in ("sens", "spec", "ppv", "npv")}
    seen = []
    for who, owners in (("clustered", patient), ("naive", None)):
        found = auc("auc:claim", truth, risk, patients=owners)
        seen.append(holds(f"coverage:auc:{who}", found, AUC))
        seen.append(Seen(f"width:auc:{who}", None if found.low is None or found.high is None else found.high - found.low))
        seen += each_holds(operating_points("claim", truth, risk, [0.5], patients=owners), truths, who)
    drawn = bootstrap_binary("claim", judged_risks(truth, risk, patient), replicates=REPLICATES, seed=int(rng.integers(2**31)))
    return [*seen, holds("coverage:auc:bootstrap", drawn[0], AUC)]


def _of_patients(patient: npt.NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Return standard normal rows that share the patient's part of the variance."""
    own, noise = rng.standard_normal(PATIENTS), rng.standard_normal(patient.size)
    return np.asarray(np.sqrt(OF_PATIENT) * own[patient] + np.sqrt(1 - OF_PATIENT) * noise)
