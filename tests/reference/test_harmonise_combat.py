"""ComBat against the outputs of R's neuroCombat, and what batch effects do to the two-centre lung cancer table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onclair.io.registry import get
from onclair.learn.harmonise import BatchClassifier, ComBat
from onclair.run.pool import pool
from onclair.science.statistics.concordance import harrell
from onclair.validate.batch import Resampling, batch_auc

VOLUME = "T1_ED_Volumetric_Volume"

CASES = {
    "combat_parametric_adjusted": (ComBat(), True),
    "combat_parametric_unadjusted": (ComBat(), False),
    "combat_parametric_adjusted_meanonly": (ComBat(adjusts="mean"), True),
    "combat_parametric_adjusted_noeb": (ComBat(prior="none"), True),
    "combat_parametric_adjusted_batchref": (ComBat(reference="1"), True),
    "combat_nonparametric_adjusted": (ComBat(prior="nonparametric"), True),
}


def simulated(folder: Path) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    """Return features, batch and covariate of the ten simulated samples."""
    features = pd.read_csv(folder / "testdata.csv").T
    features.columns = [f"f{i}" for i in features.columns]
    batch = pd.Series([1] * 5 + [2] * 5, index=features.index, name="batch")
    return features, batch, pd.DataFrame({"covariate": [1, 0] * 5}, index=features.index)


@pytest.mark.parametrize("case", CASES)
def test_combat_gives_the_outputs_of_the_r_implementation(case: str, reference_data: Path):
    folder = reference_data / "radiomics" / "combat_reference"
    features, batch, covariate = simulated(folder)
    combat, adjusted = CASES[case]
    covariates = covariate if adjusted else None
    ours = combat.fit(features, batch, covariates).transform(features, batch, covariates=covariates)
    theirs = pd.read_csv(folder / f"testdata_{case}_r.csv").T.to_numpy()
    assert ours.shape == (10, 200)
    np.testing.assert_allclose(ours.to_numpy(), theirs, rtol=0, atol=1e-8)


def test_later_samples_get_what_r_gives_them_without_a_covariate(reference_data: Path):
    folder = reference_data / "radiomics" / "combat_reference"
    features, batch, covariate = simulated(folder)
    later = ["V1", "V2", "V6", "V7"]
    ours = ComBat().fit(features, batch, covariate).transform(features.loc[later], batch.loc[later])
    theirs = pd.read_csv(folder / "training_test_scenario2_r.csv")
    assert list(theirs.columns) == later
    np.testing.assert_allclose(ours.to_numpy(), theirs.T.to_numpy(), rtol=0, atol=1e-8)


@pytest.fixture(scope="module")
def lung(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return features and description of the 167 patients whose codes match as spelled."""
    out = get("nsclc-radiogenomics-table", tmp_path_factory.mktemp("lung") / "cohort", mirror=reference_data / "radiomics")
    described = pd.read_csv(out / "acquisitions.csv").merge(pd.read_csv(out / "outcomes.csv"), on="patient").set_index("patient")
    described = described[described["match"] == "exact"]
    return pd.read_csv(out / "features.csv").set_index("patient").loc[described.index], described


def told(features: pd.DataFrame, batch: pd.Series) -> float:
    """Return how well the batch is told from the features of patients that were not trained on."""

    def fit(train, codes, held, rng):
        return BatchClassifier().fit(features.iloc[train], codes, rng)(features.iloc[held])

    with pool(1) as over:  # one thread: small matrices on busy cores
        value = batch_auc("auc:batch:x:before", batch, fit, how=Resampling(10, 1), map=over).value
    assert value is not None
    return value


def test_volume_alone_has_concordance_0687_on_the_167_patients(lung):
    features, described = lung
    found = harrell(described["days"], described["event"], features[VOLUME])
    assert features.shape == (167, 102)
    assert found.value == pytest.approx(0.687, abs=0.0005)


def test_26_of_the_101_other_features_are_volume(lung):
    features, _ = lung
    others = features.drop(columns=VOLUME).corrwith(features[VOLUME], method="spearman").abs()
    assert (len(others), int((others > 0.8).sum())) == (101, 26)


@pytest.mark.parametrize(("column", "expected"), [("kernel", 0.91), ("contrast", 0.71), ("centre", 0.63)])
def test_the_batch_is_told_from_the_features(column: str, expected: float, lung):
    features, described = lung
    assert told(features, described[column]) == pytest.approx(expected, abs=0.04)


def test_combat_by_centre_leaves_the_kernel_in_the_features(lung):
    features, described = lung
    harmonised = ComBat().fit(features, described["centre"]).transform(features, described["centre"])
    assert told(harmonised, described["kernel"]) >= 0.85


def test_combat_by_kernel_takes_the_kernel_off(lung):
    features, described = lung
    harmonised = ComBat().fit(features, described["kernel"]).transform(features, described["kernel"])
    assert told(harmonised, described["kernel"]) < 0.65
