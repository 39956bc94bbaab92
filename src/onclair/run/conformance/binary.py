"""Reference figures of binary outcomes: pROC's, CalibrationCurves' and rms's, dcurves'."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from onclair.core.estimate import Estimate
from onclair.io.tables import read_table
from onclair.science.statistics.glm import logistic, with_intercept
from onclair.science.statistics.recalibration import wald_interval_as_r
from onclair.science.statistics.splines import knots
from onclair.validate.acting import acting_on
from onclair.validate.benefits import benefits, benefits_of_all_or_none
from onclair.validate.calibration import citl, o_e, slope, spiegelhalter, u_test
from onclair.validate.calibration_curves import calibration_distances
from onclair.validate.discrimination import auc, auc_difference, auc_influence, partial_auc
from onclair.validate.overall import brier, ipa, nagelkerke
from onclair.validate.rows import Rows, judged_risks, judged_rows

MARKERS = ("s100b", "ndka", "wfns")
#: The thresholds that dcurves' figures were taken at.
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3)


def table_of(folder: Path, name: str) -> pd.DataFrame:
    """Return a reference table."""
    return read_table(folder / name).frame


def ends(estimate: Estimate) -> list[float | None]:
    """Return the two ends of an estimate's interval."""
    return [estimate.low, estimate.high]


def haemorrhage(folder: Path) -> Mapping[str, Any]:
    """Return pROC's figures of three markers after subarachnoid haemorrhage: areas, DeLong's variances, pairs, partial areas."""
    table = table_of(folder, "aSAH.csv")
    truth = (table["outcome"] == "Poor").to_numpy()
    score = {marker: table[marker].to_numpy(float) for marker in MARKERS}
    found = {marker: auc(f"auc:{marker}", truth, values) for marker, values in score.items()}
    partial = {marker: partial_auc(marker, truth, values, specificity=(0.9, 1.0)) for marker, values in score.items()}
    return {
        "auc": {marker: e.value for marker, e in found.items()},
        "var": {marker: None if e.se is None else e.se**2 for marker, e in found.items()},
        "ci95_wald": {marker: ends(e) for marker, e in found.items()},
        "cov_s100b_ndka": _covariance(judged_rows(truth, score["s100b"]), judged_rows(truth, score["ndka"])),
        "paired": {f"{a}-{b}": _paired(a, b, truth, score) for a, b in (("s100b", "ndka"), ("s100b", "wfns"))},
        "pauc_spec_0.9_1": {
            **{marker: plain.value for marker, (plain, _) in partial.items()},
            **{f"{marker}_corrected": corrected.value for marker, (_, corrected) in partial.items()},
        },
    }


def _covariance(a: Rows, b: Rows) -> float:
    """Return DeLong's covariance of two areas on the same rows (one row a patient)."""
    first, second = auc_influence(a)[1], auc_influence(b)[1]
    parts = [(size / (size - 1) * (first[of] @ second[of])) for of in (a.truth, ~a.truth) for size in (int(of.sum()),)]
    return float(sum(parts))


def _paired(a: str, b: str, truth: np.ndarray[Any, Any], score: Mapping[str, Any]) -> Mapping[str, Any]:
    found = auc_difference(f"auc:{a}-minus-{b}", truth, score[a], score[b])
    z = float(found.value or 0) / float(found.se or np.nan)
    return {"z": z, "p": 2 * special.ndtr(-abs(z)), "ci_diff": ends(found)}


def calibration_cases(folder: Path) -> Mapping[str, Any]:
    """Return the calibration figures of CalibrationCurves and of rms's val.prob, each by its own smoother."""
    table = table_of(folder, "calibration_cases.csv")
    y, p = table["y"].to_numpy(float), table["p"].to_numpy(float)
    area, large, logits = auc("auc:m", y, p), citl("citl:m", y, p), special.logit(p)
    loess, spline, lowess = (_distances(y, p, smoother) for smoother in ("loess", "rcs5", "lowess"))
    u, p_u = u_test("m", y, p)
    z, p_z = spiegelhalter("m", y, p)
    return {
        "auc": area.value,
        "auc_ci_delong": ends(area),
        "brier": brier("brier:m", y, p).value,
        "ipa": ipa("ipa:m", y, p).value,
        "o_e": o_e("o_e:m", y, p).value,
        "citl": large.value,
        "citl_ci": ends(large),
        "slope": slope("slope:m", y, p).value,
        # R's interval holds the weights of the step before its last; ours, converged, lies 1.2e-5 beside it
        "slope_ci": list(wald_interval_as_r(with_intercept(logits), y)[1]),
        "intercept_logistic_recal": float(logistic(with_intercept(logits), y).coefficients[0]),
        "val_prob": {
            "Eavg_lowess_iter0": lowess[0],
            "E90": lowess[2],
            "Emax": lowess[3],
            "U_chi2": u.value,
            "U_p": p_u.value,
            "spiegelhalter_z": z.value,
            "spiegelhalter_p": p_z.value,
            "R2_nagelkerke_of_given_p": nagelkerke("nagelkerke:m", y, p).value,
        },
        "ici_loess_default": loess[0],
        "ici_loess_e50_e90_emax": loess[1:],
        "ici_rcs5_logit": spline[0],
        "ici_rcs5_e50_e90_emax": spline[1:],
        "rcs5_knots_logit": list(knots(logits, 5)),
    }


def _distances(y: np.ndarray[Any, Any], p: np.ndarray[Any, Any], smoother: str) -> list[float | None]:
    return [e.value for e in calibration_distances("m", judged_risks(y, p), smoother=smoother, replicates=0)]


def decision_curves(folder: Path) -> Mapping[str, Any]:
    """Return dcurves' net benefits of a cohort."""
    table, thresholds = table_of(folder, "df_binary.csv"), (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
    truth = table["cancer"].to_numpy(float)
    acting = {column: acting_on(truth, table[column].to_numpy(float)) for column in ("cancerpredmarker", "famhistory")}
    every = benefits_of_all_or_none(acting["famhistory"], thresholds)[: len(thresholds)]
    return {**{f"nb_{c}": [e.value for e in benefits(c, a, thresholds)] for c, a in acting.items()}, "nb_all": [e.value for e in every]}


def case_control_curves(folder: Path) -> Mapping[str, Any]:
    """Return dcurves' net benefits of cases and controls sampled apart, at a prevalence of 0.2."""
    table = table_of(folder, "df_case_control.csv")
    acting = acting_on(table["casecontrol"].to_numpy(float), table["cancerpredmarker"].to_numpy(float), prevalence=0.2)
    every = [e.value for e in benefits_of_all_or_none(acting, THRESHOLDS)[: len(THRESHOLDS)]]
    return {"nb_cancerpredmarker": [e.value for e in benefits("m", acting, THRESHOLDS)], "nb_all": every}
