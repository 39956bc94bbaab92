"""Virtual reader study: two ways of reading, several readers, the same cases; ratings after Roe & Metz."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from onclair.virtual.claim_cells import cell_auc, normal_cells
from onclair.virtual.claim_people import Claim

Floats = npt.NDArray[np.float64]

#: Rating = 50 + 15 * latent value, rounded and cut to 0..100: cells of the latent value.
_ENDS = np.concatenate([[-np.inf], (np.arange(0, 100) + 0.5 - 50) / 15, [np.inf]])


@dataclass(frozen=True, slots=True)
class ReadersLaw:
    """The law of a reader study.

    The latent rating of case k, of truth t, by reader j under treatment i is ``mean_i t + R_jt + TR_ijt + C_k + TC_ik + RC_jk + E_ijk``,
    every term normal.

    Attributes
    ----------
    patients, readers : int
        Cases; readers who each read every case under both treatments.
    means : tuple of float
        Separation under treatment 1 and 2.
    reader, reader_treatment, case, case_treatment, case_reader, error : float
        Variances; the last four sum to 1.

    References
    ----------
    Roe & Metz 1997, doi:10.1016/S1076-6332(97)80210-3.
    """

    patients: int = 120
    readers: int = 5
    means: tuple[float, float] = (1.5, 1.9)
    reader: float = 0.01
    reader_treatment: float = 0.01
    case: float = 0.3
    case_treatment: float = 0.3
    case_reader: float = 0.2
    error: float = 0.2
    prevalence: float = 0.4
    kind: str = "readers"


def readers_law(patients: int = 120, centres: int = 5) -> ReadersLaw:
    """Return the law of a reader study with `patients` cases and as many readers as `centres` (two at least)."""
    return ReadersLaw(patients, max(2, centres))


def true_aucs(law: ReadersLaw) -> tuple[float, float]:
    """Return the AUC of each treatment, averaged over readers not yet met, ties of the ratings and all.

    Examples
    --------
    Without reader effects it is close to ``ndtr(mean / sqrt(2))``:

    >>> [round(value, 2) for value in true_aucs(ReadersLaw(reader=0.0, reader_treatment=0.0))]
    [0.86, 0.91]
    """
    sd = float(np.sqrt(1 + law.reader + law.reader_treatment))
    one, two = (cell_auc(normal_cells(_ENDS, mean, sd), normal_cells(_ENDS, 0.0, sd)) for mean in law.means)
    return one, two


def draw_readers(law: ReadersLaw, rng: np.random.Generator) -> Claim:
    """Return one fully crossed study.

    Returns
    -------
    Claim
        Columns ``reader treatment case truth rating seconds data``; the reading time is missing where nobody stopped the clock.

    Examples
    --------
    >>> claim = draw_readers(readers_law(10, 3), np.random.default_rng(1))
    >>> claim.table.shape[0], sorted(claim.table["treatment"].unique().tolist())
    (60, [1, 2])
    """
    n, r = law.patients, law.readers
    truth = np.zeros(n, dtype=np.int64)
    truth[rng.permutation(n)[: int(np.clip(round(law.prevalence * n), 1, n - 1))]] = 1
    reader, both = (np.sqrt(v) * rng.standard_normal(shape) for v, shape in ((law.reader, (r, 2)), (law.reader_treatment, (2, r, 2))))
    latent = np.array(law.means)[:, None, None] * truth + (reader + both)[:, :, truth]
    latent = latent + np.sqrt(law.case) * rng.standard_normal(n) + np.sqrt(law.case_treatment) * rng.standard_normal((2, 1, n))
    latent = latent + np.sqrt(law.case_reader) * rng.standard_normal((1, r, n)) + np.sqrt(law.error) * rng.standard_normal((2, r, n))
    rating = np.clip(np.rint(50 + 15 * latent), 0, 100).astype(np.int64)
    treatment, who, case = (part.ravel() for part in np.indices(rating.shape))
    seconds = np.round(np.exp(rng.normal(3.5, 0.4, rating.size)), 1)
    seconds[rng.random(rating.size) < 0.1] = np.nan
    table = pd.DataFrame(
        {
            "reader": [f"R{j + 1}" for j in who],
            "treatment": treatment + 1,
            "case": [f"VP{k + 1:05d}" for k in case],
            "truth": truth[case],
            "rating": rating.ravel(),
            "seconds": seconds,
            "data": "virtual",
        }
    )
    effect = (reader + both)[:, :, 1] - (reader + both)[:, :, 0]
    centres = pd.DataFrame([{"reader": f"R{j + 1}", "treatment": i + 1, "effect": float(effect[i, j])} for i in range(2) for j in range(r)])
    return Claim(table, None, centres)


def truth_of_readers(law: ReadersLaw, claim: Claim) -> dict[str, Any]:
    """Return the true AUC of each treatment, their difference, and each reader's own (before rounding)."""
    one, two = true_aucs(law)
    own = [
        {**row, "auc": float(special.ndtr((law.means[int(row["treatment"]) - 1] + row["effect"]) / np.sqrt(2)))}
        for row in claim.centres.to_dict("records")
    ]
    return {
        "figures": {"auc:1": one, "auc:2": two, "difference:1-minus-2": one - two},
        "how": "exact: normal latent ratings cut at the ends of the hundred and one ratings; Monte Carlo error 0",
        "readers": own,
    }
