"""Reference figures over centres: metamisc's of EuroSCORE II, and four ovarian studies left out in turn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from onclair.core.estimate import Estimate
from onclair.run.conformance.binary import ends, table_of
from onclair.science.statistics.concordance import harrell
from onclair.science.statistics.cox import FollowUp, cox
from onclair.science.statistics.meta_analysis import pooled
from onclair.validate.transport import leave_one_centre_out, pooled_over_centres

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def euroscore(folder: Path) -> Mapping[str, Any]:
    """Return the pooled C-statistic and total O:E of 23 published validations."""
    table = table_of(folder, "EuroSCORE.csv")
    logits, errors = _logit_c(table)
    found = pooled(logits, errors)
    knha = {
        "mu": found.value,
        "se": found.se,
        "tau2": found.tau2,
        "I2": found.i2,
        "Q": found.q,
        "C": _share(found.value),
        "ci": [_share(end) for end in (found.low, found.high)],
        "pi_t_km2": [_share(end) for end in (found.new_low, found.new_high)],
    }
    mean, new, _ = pooled_over_centres(_totals(table), "o_e:m")
    return {"reml_knha": knha, "total_o_e": {"est": mean.value, "ci": ends(mean), "pi": ends(new)}}


def _logit_c(table: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return each study's logit C and its error: from the printed interval, the printed error, else from its size (Debray 2019)."""
    c, se = table["c.index"].to_numpy(float), table["se.c.index"].to_numpy(float)
    low, high = (special.logit(table[column].to_numpy(float)) for column in ("c.index.95CIl", "c.index.95CIu"))
    printed = (high - low) / (2 * special.ndtri(0.975))
    se = np.where(np.isfinite(se), se, _newcombe(c, table["n.events"].to_numpy(float), table["n"].to_numpy(float)))
    return special.logit(c), np.where(np.isfinite(printed), printed, se / (c * (1 - c)))


def _share(logit: float | None) -> float | None:
    return None if logit is None else float(special.expit(logit))


def _newcombe(c: Floats, events: Floats, n: Floats) -> Floats:
    """Return the error of a C-statistic from the size of its study (Newcombe 2006, method 4, doi:10.1002/sim.2324)."""
    spread = 1 + (n / 2 - 1) * ((1 - c) / (2 - c) + c / (1 + c))
    return np.asarray(np.sqrt(c * (1 - c) * spread / (events * (n - events))))


def _totals(table: pd.DataFrame) -> dict[str, Estimate]:
    found = {}
    for i, row in enumerate(table[["n", "n.events", "e.events"]].itertuples(index=False)):
        n, observed, expected = (float(v) for v in row)
        se = float(np.sqrt(1 / observed - 1 / n))
        found[str(i + 1)] = Estimate("o_e:m", observed / expected, se=se, scale="log", n=int(n), events=int(observed))
    return found


def ovarian(folder: Path) -> Mapping[str, Any]:
    """Return the concordance and slope of each study judged by the model that the three others taught, and both pooled."""
    table = table_of(folder, "ovarian4.csv.gz")
    design = table[["CXCL12", "TIMP2", "NCOA3", "debulk"]].to_numpy(float)
    time, event, group = (table[c].to_numpy() for c in ("t.event", "event", "group"))

    def refit(training: Indices, held_out: Indices) -> Floats:
        fit = cox(design[training], FollowUp(time[training], event[training], group[training]))
        return np.asarray(design[held_out] @ fit.coefficients)

    def judge(rows: Indices, lp: Floats) -> list[Estimate]:
        """Return both figures on some rows; one patient relapsed on day 0, whom the rows of a plan would refuse."""
        agreed, line = harrell(time[rows], event[rows], lp), cox(lp[:, None], FollowUp(time[rows], event[rows]))
        error = float(np.sqrt(agreed.contributions @ agreed.contributions))
        return [
            Estimate("harrell:m", agreed.value, se=error, n=rows.size, events=int(event[rows].sum())),
            Estimate("slope:m", float(line.coefficients[0]), se=float(line.covariance[0, 0] ** 0.5), n=rows.size),
        ]

    found = {e.name: e for e in leave_one_centre_out(refit, judge, group)}
    by_group = {}
    for name in sorted({str(g) for g in group}):
        agreed, line = found[f"harrell:m:centre={name}"], found[f"slope:m:centre={name}"]
        by_group[name] = {"C": agreed.value, "se": agreed.se, "slope": line.value}
    return {"by_group": by_group, "pooled_logitC_reml_knha": _pooled(found, "harrell", "C"), "pooled_slope": _pooled(found, "slope", "est")}


def _pooled(found: Mapping[str, Estimate], figure: str, point: str) -> Mapping[str, Any]:
    mean, new, between = (found[f"{figure}:m:{where}"] for where in ("centres", "new-centre", "tau2"))
    return {point: mean.value, "ci": ends(mean), "tau2": between.value, "pi": ends(new)}
