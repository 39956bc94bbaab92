"""Virtual claims with a binary outcome, from centre to centre and from reader to reader, and whether intervals hold what is true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate
from onclair.run.benches.seen import Seen, each_holds, holds
from onclair.validate.acting import acting_on
from onclair.validate.benefits import benefits
from onclair.validate.binary import OF_RISK
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.readers.comparison import compare_modalities
from onclair.validate.readers.table import ratings_of
from onclair.validate.resampling import bootstrap_binary
from onclair.validate.rows import judged_risks
from onclair.validate.transport import per_centre
from onclair.virtual.claim_binary import centres_law, clustered_law, draw_binary, new_centre_auc, truth_of_binary
from onclair.virtual.claim_readers import draw_readers, readers_law, truth_of_readers

BINARY, CENTRES, READERS = clustered_law(300, 8), replace(centres_law(4000, 25), tau=0.45, typical_rows=1.5), readers_law(120, 5)
REPLICATES = 200
WHAT_BINARY = "300 patients with 1 to 40 rows in 8 centres whose prevalence differs, a risk that is miscalibrated"
WHAT_CENTRES = "25 centres, a median of about 150 patients each, logit AUC with standard deviation 0.45 between centres, as pooled by REML"
WHAT_READERS = "5 readers, 120 cases, 2 treatments, random readers and cases"


def binary_intervals(rng: np.random.Generator) -> list[Seen]:
    """Return which intervals of the everyday binary figures hold the truth of one cohort: clustered, naive and bootstrapped."""
    claim = draw_binary(BINARY, rng)
    table, figures = claim.table, truth_of_binary(BINARY, claim)["figures"]
    truths = {**figures["claim"], "auc_difference": figures["claim"]["auc"] - figures["rival"]["auc"]}
    y, p, patients = table["y"].to_numpy(), table["p"].to_numpy(), table["patient"].to_numpy()
    seen = []
    for who, owners in (("clustered", patients), ("naive", None)):
        found = [of(f"{figure}:claim", y, p, patients=owners) for figure, of in OF_RISK.items()]
        found += benefits("claim", acting_on(y, p, owners), [0.2])
        found.append(auc_difference("auc_difference:claim-minus-rival", y, p, table["rival"].to_numpy(), patients=owners))
        seen += each_holds(found, truths, who)
    drawn = bootstrap_binary("claim", judged_risks(y, p, patients), replicates=REPLICATES, seed=int(rng.integers(2**31)))
    return seen + each_holds([e for e in drawn if not e.name.startswith("auc:")], truths, "bootstrap")


def centre_intervals(rng: np.random.Generator) -> list[Seen]:
    """Return whether the intervals over centres hold what is true of them, and of a centre nobody has seen.

    ``coverage:new-centre`` asks the prediction interval for the new centre's true AUC; ``...:pooled-interval`` asks the interval of the
    pooled figure for it, which is what is read into a pooled figure that stands alone.
    """
    table = draw_binary(CENTRES, rng).table
    y, p, patients = table["y"].to_numpy(), table["p"].to_numpy(), table["patient"].to_numpy()

    def here(rows: npt.NDArray[np.int64]) -> list[Estimate]:
        return [auc("auc:claim", y[rows], p[rows], patients=patients[rows])]

    found = {e.name: e for e in per_centre(here, table["centre"].to_numpy(), truth=y, patients=patients)}
    new = new_centre_auc(CENTRES, rng)
    return [
        holds("coverage:new-centre", found["auc:claim:new-centre"], new),
        holds("coverage:new-centre:pooled-interval", found["auc:claim:centres"], new),
        holds("coverage:auc:centres", found["auc:claim:centres"], CENTRES.auc),
        holds("coverage:auc:tau2", found["auc:claim:tau2"], CENTRES.tau**2),
    ]


def reader_intervals(rng: np.random.Generator) -> list[Seen]:
    """Return whether the intervals of a reader study hold each treatment's AUC and their difference, for readers like these."""
    claim = draw_readers(READERS, rng)
    truths = truth_of_readers(READERS, claim)["figures"]
    found = compare_modalities(ratings_of(claim.table)).estimates
    names = {"auc:1": "coverage:auc:readers", "difference:1-minus-2": "coverage:difference:readers"}
    return [holds(names[e.name], e, truths[e.name]) for e in found if e.name in names]
