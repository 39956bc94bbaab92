"""Does a model of one hospital hold in the patients of others? A Cox model learnt in Rotterdam, judged in Germany.

2,982 Dutch women with primary breast cancer teach a model of recurrence or death within five years (size, nodes, grade); 686
women of the German Breast Cancer Study Group (GBSG) judge it. The recoding and every figure asserted below are those of McLernon
et al. 2023, doi:10.7326/M22-0844, recomputed in R.

Run it with ``python examples/02_validate_gbsg.py FOLDER``. The folder holds ``rotterdam.csv`` and ``gbsg.csv``: the data sets
``rotterdam`` and ``gbsg`` of R's package survival, saved as CSV. It takes some seconds and writes to a temporary folder.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from onclair.report.files import report_files
from onclair.run.validation import Validation, validate
from onclair.run.verify import verify
from onclair.science.statistics.cox import CoxFit, FollowUp, cox
from onclair.science.statistics.splines import restricted_cubic

HORIZON = 5.0  # years
PLAN = """
format = "onclair-plan/1"
title = "Rotterdam model in GBSG"
outcome = "survival"
design = "external"

[columns]
patient = "pid"
time = "time"
time_unit = "year"
event = "event"
subgroups = ["meno"]

[models.basic]
column = "p5"
linear_predictor = "lp"
cumulative_hazard = "hazard"

[figures]
horizon = 5.0
weights_at = 4.99
thresholds = [0.1, 0.23, 0.4, 0.6]
"""
#: Computed in R (survival, riskRegression, timeROC) and frozen; onclair must agree to 1e-6.
FROM_R = {
    "harrell:basic": 0.6524007561,
    "uno:basic": 0.6353713247,
    "auc_t:basic": 0.6774636951,
    "brier:basic": 0.2247775398,
    "brier_null:basic": 0.2499301918,
    "ipa:basic": 0.1006387095,
    "o_e:basic": 1.017390182,
    "poisson_o_e:basic": 1.015695036,
    "slope:basic": 1.056203952,
    "nb:basic@0.23": 0.3615001684,
    "nb:all@0.23": 0.3615001684,
    "nb:basic@0.4": 0.1885776998,
    "nb:all@0.4": 0.1805918828,
}


def main(folder: Path) -> None:
    dutch, german = pd.read_csv(folder / "rotterdam.csv"), pd.read_csv(folder / "gbsg.csv")
    model = cox(predictors(dutch), dutch_follow_up(dutch))
    assert np.isclose(model.coefficients[2], 0.3039651182, atol=1e-6), "the coefficient of nodes is R's"

    with tempfile.TemporaryDirectory() as place:
        table, plan, run = Path(place, "predictions.csv"), Path(place, "plan.toml"), Path(place, "run")
        predict(model, german).to_csv(table, index=False)
        plan.write_text(PLAN, encoding="utf-8")
        result = validate(Validation(table, plan, run, report_files))
        assert verify(run).valid

    found = {e.name: e for e in result.claim.estimates}
    for name, from_r in FROM_R.items():
        print(f"{name:20} {found[name].text(4)}")
        value = found[name].value
        assert value is not None, found[name].reason
        assert abs(value - from_r) < 1e-6, f"{name} is {value}, in R {from_r}"

    assert abs((found["harrell:basic"].se or 0) - 0.01671689663) < 1e-6, "the error of the interval is R's too"
    assert len({found[f"harrell:basic:meno={group}"].value for group in (0, 1)}) == 2, "each group has a figure of its own"


def predictors(table: pd.DataFrame) -> np.ndarray:
    """Return size in three classes, nodes as a spline of three knots, and grade 3 against lower."""
    size = table["size"] if table["size"].dtype == object or pd.api.types.is_string_dtype(table["size"]) else in_classes(table["size"])
    nodes = restricted_cubic(np.minimum(table["nodes"], 19), knots=[0, 1, 9])
    return np.column_stack([size == "20-50", size == ">50", nodes, table["grade"] == 3]).astype(float)


def in_classes(millimetres: pd.Series) -> pd.Series:
    return pd.cut(millimetres, [-1, 20, 50, np.inf], labels=["<=20", "20-50", ">50"]).astype(str)


def dutch_follow_up(table: pd.DataFrame) -> FollowUp:
    """Return time to recurrence or death; who died after the last visit without recurrence is followed to death."""
    event = np.maximum(table["recur"], table["death"])
    died_later = (event == 1) & (table["recur"] == 0) & (table["rtime"] < table["dtime"])
    return to_horizon(np.where(died_later, table["dtime"], table["rtime"]), event.to_numpy())


def to_horizon(days: np.ndarray, event: np.ndarray) -> FollowUp:
    """Return follow-up in years, cut at the horizon."""
    years = days / 365.25
    return FollowUp(np.minimum(years, HORIZON), np.where(years > HORIZON, 0, event))


def predict(model: CoxFit, table: pd.DataFrame) -> pd.DataFrame:
    """Return what a validation needs of each patient: who, outcome, and what the model says."""
    follow_up = to_horizon(table["rfstime"].to_numpy(float), table["status"].to_numpy())
    lp = predictors(table) @ model.coefficients
    return pd.DataFrame(
        {
            "pid": table["pid"],
            "meno": table["meno"],
            "time": follow_up.time,
            "event": np.asarray(follow_up.event).astype(int),
            "lp": lp,
            "p5": model.risk(lp, by=HORIZON),
            "hazard": model.baseline[0].at(follow_up.time) * np.exp(lp),
        }
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the folder that holds rotterdam.csv and gbsg.csv.")
    main(Path(sys.argv[1]))
