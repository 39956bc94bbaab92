"""Net benefit against figures frozen from dcurves and from the survival companion, for every kind of outcome."""

import json

import pandas as pd
import pytest

from onclair.validate.acting import acting_in_time, acting_on
from onclair.validate.benefits import benefits, benefits_of_all_or_none
from onclair.validate.followed import followed_risks


@pytest.fixture(scope="module")
def folder(reference_data):
    return reference_data / "evidence"


@pytest.fixture(scope="module")
def expected(folder):
    return json.loads((folder / "EXPECTED.json").read_text())


def values(estimates):
    return [e.value for e in estimates]


@pytest.mark.parametrize("who", ["cancerpredmarker", "famhistory"])
def test_in_a_cohort_it_is_that_of_dcurves(who, folder, expected):
    block, table = expected["dca_binary"], pd.read_csv(folder / "df_binary.csv")
    acting = acting_on(table.cancer.astype(int), table[who])
    assert values(benefits("m", acting, block["thresholds"])) == pytest.approx(block[f"nb_{who}"], abs=1e-6)
    every = [e for e in benefits_of_all_or_none(acting, block["thresholds"]) if e.name.startswith("nb:all")]
    assert values(every) == pytest.approx(block["nb_all"], abs=1e-6)


def test_with_cases_and_controls_it_is_that_of_dcurves(folder, expected):
    block, table = expected["dca_case_control"], pd.read_csv(folder / "df_case_control.csv")
    acting = acting_on(table.casecontrol.astype(int), table.cancerpredmarker, prevalence=block["prevalence"])
    assert values(benefits("m", acting, block["thresholds"])) == pytest.approx(block["nb_cancerpredmarker"], abs=2e-6)
    every = [e for e in benefits_of_all_or_none(acting, block["thresholds"]) if e.name.startswith("nb:all")]
    assert values(every) == pytest.approx(block["nb_all"], abs=2e-6)


def test_with_survival_it_is_that_of_dcurves(folder, expected):
    block, table = expected["dca_survival"], pd.read_csv(folder / "df_surv.csv")
    acting = acting_in_time(followed_risks(table[block["time_col"]], table.cancer.astype(int), table.cancerpredmarker), block["time"])
    assert values(benefits("m", acting, block["thresholds"])) == pytest.approx(block["nb_cancerpredmarker"], abs=2e-6)
    every = [e for e in benefits_of_all_or_none(acting, block["thresholds"]) if e.name.startswith("nb:all")]
    assert values(every) == pytest.approx(block["nb_all"], abs=2e-6)


@pytest.mark.parametrize("model", ["basic", "pgr"])
def test_in_gbsg_it_is_the_frozen_one(model, folder, expected):
    block, table = expected["rotterdam_to_gbsg"][model]["val"], pd.read_csv(folder / f"rotterdam_gbsg_{model}_val_pred.csv")
    acting = acting_in_time(followed_risks(table.time, table.event, table.p5), 5.0)
    thresholds = [float(t) for t in block["nb"]]
    assert values(benefits("m", acting, thresholds)) == pytest.approx(list(block["nb"].values()), abs=1e-6)
    every = [e for e in benefits_of_all_or_none(acting, thresholds) if e.name.startswith("nb:all")]
    assert values(every) == pytest.approx(list(expected["rotterdam_to_gbsg"]["basic"]["val"]["nb_all"].values()), abs=1e-6)


def test_in_rotterdam_it_is_the_frozen_one(folder, expected):
    block, table = expected["rotterdam_to_gbsg"]["basic"]["dev"], pd.read_csv(folder / "rotterdam_gbsg_basic_dev_pred.csv")
    acting = acting_in_time(followed_risks(table.time, table.event, table.p5), 5.0)
    assert benefits("m", acting, [0.23])[0].value == pytest.approx(block["nb_0.23"], abs=1e-6)
    assert benefits_of_all_or_none(acting, [0.23])[0].value == pytest.approx(block["nb_all_0.23"], abs=1e-6)
