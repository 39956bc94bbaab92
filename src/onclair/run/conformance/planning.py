"""Reference figures of planning and of readers: pmsampsize's, pmvalsampsize's, MRMCaov's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onclair.io.tables import read_table
from onclair.validate.readers.comparison import compare_modalities
from onclair.validate.readers.table import CODES, ratings_of
from onclair.validate.samplesize.development import develop
from onclair.validate.samplesize.validation import Widths, normal_predictor, validate

#: The block's own words for each plan -> what they ask of :func:`onclair.validate.samplesize.development.develop`.
DEVELOPMENTS: Mapping[str, tuple[str, int, Mapping[str, float]]] = {
    "bin r2cs .288 p 24 prev .174": ("binary", 24, {"r2cs": 0.288, "prevalence": 0.174}),
    "bin r2cs .55 p 24 prev .174": ("binary", 24, {"r2cs": 0.55, "prevalence": 0.174}),
    "bin C .8 p 24 prev .174 (simulated, tol 2%)": ("binary", 24, {"c": 0.8, "prevalence": 0.174}),
    "surv r2cs .051 p 25 rate .065 t 2 fup 2.07": ("survival", 25, {"r2cs": 0.051, "rate": 0.065, "timepoint": 2, "followup": 2.07}),
    "surv r2cs .3 p 80 rate .03 t 1 fup 5": ("survival", 80, {"r2cs": 0.3, "rate": 0.03, "timepoint": 1, "followup": 5}),
    "cont r2 .2 p 25 mean 1.9 sd .6": ("continuous", 25, {"r2": 0.2, "mean": 1.9, "sd": 0.6}),
}


def sample_sizes(folder: Path) -> Mapping[str, Any]:
    """Return what the frozen plans of pmsampsize and pmvalsampsize ask for; no table stands behind them."""
    del folder
    developed = {words: develop(*asked) for words, asked in DEVELOPMENTS.items()}
    validated = validate(0.018, 0.8, normal_predictor(-5, 2.5), widths=Widths(o_e=1.0)).criteria
    sizes = {"oe": validated["o_e"], "slope_tol_3pct": validated["slope"], "c": validated["c"]}
    return {
        "pmsampsize": {words: [*size.criteria.values(), size.n] for words, size in developed.items()},
        "pmvalsampsize_bin prev .018 C .8 lp N(-5,2.5) oe width 1": sizes,
    }


def reader_study(folder: Path) -> Mapping[str, Any]:
    """Return the comparison of two modalities of echocardiography read by five readers (Van Dyke 1993)."""
    study = ratings_of(read_table(folder / "VanDyke.csv", text=CODES).frame)
    found, unbiased = compare_modalities(study), compare_modalities(study, covariance="unbiased")
    first, second, difference = found.estimates[:3]
    parts = {name: getattr(found.components, name) for name in ("MS_T", "MS_TR", "error", "cov1", "cov2", "cov3")}
    return {
        "delong_OR_random_reader_random_case": {
            "auc": [first.value, second.value],
            "diff_1_minus_2": difference.value,
            "ci": [difference.low, difference.high],
            "se": found.test.se,
            "df": found.test.df,
            "F": found.test.statistic,
            "p": found.test.p,
            **parts,
        },
        "unbiased": {
            "p": unbiased.test.p,
            "df": unbiased.test.df,
            "cov2": unbiased.components.cov2,
            "cov3": unbiased.components.cov3,
        },
        "published_fixed_readers_p": compare_modalities(study, readers="fixed", covariance="jackknife").test.p,
        "published_fixed_cases_p": compare_modalities(study, cases="fixed").test.p,
    }
