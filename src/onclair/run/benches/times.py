"""Virtual claims about a time, one cause or two, and whether intervals hold what is true.

One centre, so that one censoring curve is right; what censoring that depends on the centre does is a bias, not a matter of intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.estimate import Estimate
from onclair.core.seeds import rng_for
from onclair.run.benches.seen import Seen, each_holds
from onclair.science.statistics.glm import cloglog
from onclair.validate.acting import acting_in_time
from onclair.validate.benefits import benefits
from onclair.validate.censored import auc_t, brier, ipa
from onclair.validate.competing import calibration as competing_calibration
from onclair.validate.competing.ranking import c_index
from onclair.validate.followed import Followed, followed_risks
from onclair.validate.survival import calibration as survival_calibration
from onclair.validate.survival.ranking import harrell, uno
from onclair.virtual.claim_draws import drawn_truth
from onclair.virtual.claim_times import TimesLaw, competing_law, draw_times, exact_truth, survival_law

Truths = Mapping[str, float | None]

SURVIVAL = replace(survival_law(400, 1), tau=0.0, mix=0.0)
COMPETING = replace(competing_law(400, 1), tau=0.0, mix=0.0)
WHAT = "400 patients with 1 to 40 rows in one centre, censored by loss and by the end of the study"
#: Figures weighted for censoring, at the horizon.
WEIGHTED = {"auc_t": auc_t, "brier": brier, "ipa": ipa}
#: Draws for the truths without a closed form: of every cohort, whose censoring is its own, and once for all.
DRAWS, DRAWS_ONCE = 200_000, 1_000_000
#: Patients of the one large cohort whose true risks give the limit of the pseudo-value intercept.
PATIENTS_ONCE = 50_000


def survival_intervals(rng: np.random.Generator) -> list[Seen]:
    """Return which intervals of survival figures hold the truth of one cohort, clustered and naive."""
    claim = draw_times(SURVIVAL, rng)
    drawn = drawn_truth(SURVIVAL, claim.centres, DRAWS, rng)
    truths = {**_at_horizon(SURVIVAL), **{name: figure["value"] for name, figure in drawn.items()}}
    lp = claim.table["lp"].to_numpy(np.float64)
    return _judged(SURVIVAL, claim.table, truths, lambda rows: _survival(rows, lp))


def competing_intervals(rng: np.random.Generator) -> list[Seen]:
    """Return which intervals of figures under competing events hold the truth of one cohort, clustered and naive."""
    return _judged(COMPETING, draw_times(COMPETING, rng).table, _of_competing(), _competing)


def _judged(law: TimesLaw, table: pd.DataFrame, truths: Truths, figures: Callable[[Followed], list[Estimate]]) -> list[Seen]:
    seen: list[Seen] = []
    for who, owners in (("clustered", table["patient"].to_numpy()), ("naive", None)):
        rows = followed_risks(table["time"].to_numpy(), table["event"].to_numpy(), table["p"].to_numpy(), owners)
        found = [*figures(rows), *benefits("claim", acting_in_time(rows, law.horizon), [0.2])]
        seen += each_holds(found, truths, who, law.kind)
    return seen


def _survival(rows: Followed, lp: npt.NDArray[np.float64]) -> list[Estimate]:
    at = SURVIVAL.horizon
    found = [harrell("harrell:claim", rows), uno("uno:claim", rows, tau=at)]
    found += [of(f"{name}:claim", rows, at) for name, of in WEIGHTED.items()]
    found.append(survival_calibration.o_e("o_e:claim", rows, at))
    return [*found, survival_calibration.slope("slope:claim", replace(rows, scores=lp))]


def _competing(rows: Followed) -> list[Estimate]:
    here = {**WEIGHTED, "c_index": c_index}
    here |= {name: getattr(competing_calibration, name) for name in ("o_e", "pseudo_intercept", "pseudo_slope")}
    return [of(f"{name}:claim", rows, COMPETING.horizon) for name, of in here.items()]


@cache
def _at_horizon(law: TimesLaw) -> Truths:
    """Return the exact figures at the horizon: with one centre and no spread between centres, those of every cohort."""
    return dict(exact_truth(law, draw_times(law, rng_for(1, "coverage", law.kind)))["figures"]["claim"])


@cache
def _of_competing() -> Truths:
    """Return the figures of the competing law; Wolbers' index and the pseudo-value intercept, which no censoring changes, by draws."""
    rng = rng_for(1, "coverage", "competing", "drawn")
    claim = draw_times(COMPETING, rng)
    drawn = drawn_truth(COMPETING, claim.centres, DRAWS_ONCE, rng)
    many = draw_times(replace(COMPETING, patients=PATIENTS_ONCE), rng)
    fitted = cloglog(np.ones((len(many.table), 1)), np.asarray(many.risk), offset=np.log(-np.log1p(-many.table["p"].to_numpy())))
    return {**_at_horizon(COMPETING), "c_index": drawn["c_index"]["value"], "pseudo_intercept": float(fitted.coefficients[0])}
