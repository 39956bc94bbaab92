"""Batches that were not among the training samples, nested and CovBat, and harmonisers saved and read again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from harmonise_made import made

from onclair.core.errors import BadCase, BadCohort, BadModelFile, BadSetting
from onclair.io.models import ModelRecord, load_model, save_model
from onclair.learn.harmonise import ComBat, CovBat, Nested, ZScore, harmoniser_of, harmoniser_record

WAYS = {
    "combat": ComBat(),
    "nonparametric": ComBat("nonparametric"),
    "reference": ComBat(reference="A"),
    "zscore": ZScore(),
    "covbat": CovBat(),
}


def newcomers(n: int = 40, seed: int = 9) -> tuple[pd.DataFrame, pd.Series]:
    """Return cases of a hospital unknown at training: moved by 50 and stretched by 3."""
    features, _ = made(seed=0)
    rng = np.random.default_rng(seed)
    values = 3 * rng.normal(size=(n, 6)) + features.mean().to_numpy() + 50
    index = [f"N{i:02}" for i in range(n)]
    return pd.DataFrame(values, index=index, columns=features.columns), pd.Series(["new"] * n, index=index, name="centre")


@pytest.mark.parametrize("way", WAYS)
def test_an_unseen_batch_is_refused_by_name_and_count(way):
    fitted = WAYS[way].fit(*made())
    with pytest.raises(BadCase, match=r"The batch 'new' of 'centre' \(40 samples\) was not among the training samples"):
        fitted.transform(*newcomers())


@pytest.mark.parametrize("way", WAYS)
def test_an_unseen_batch_may_be_left_as_it_is(way):
    fitted = WAYS[way].fit(*made())
    features, batch = newcomers()
    assert fitted.transform(features, batch, unseen="leave").equals(features)
    assert fitted.unseen(batch) == {"centre": {"new": 40}}


@pytest.mark.parametrize("way", ["combat", "zscore", "covbat"])
def test_a_mapped_batch_lies_where_the_training_samples_lie(way):
    known, labels = made()
    fitted = WAYS[way].fit(known, labels)
    features, batch = newcomers()
    trained, mapped = fitted.transform(known, labels), fitted.transform(features, batch, unseen="map")
    away = (mapped.mean() - trained.mean()).abs() / trained.std()
    assert away.max() < 1.0
    assert 0.5 < (mapped.std() / trained.std()).mean() < 2.0


def test_a_mapped_batch_is_brought_to_the_reference():
    known, labels = made()
    features, batch = newcomers()
    mapped = ComBat(prior="none", reference="A").fit(known, labels).transform(features, batch, unseen="map")
    there = known[labels == "A"]
    np.testing.assert_allclose(mapped.mean().to_numpy(), there.mean().to_numpy(), rtol=1e-9)


def test_mapping_takes_at_least_20_cases():
    fitted = ComBat().fit(*made())
    with pytest.raises(BadCase, match="'new' of 'centre' has 19 cases; at least 20"):
        fitted.transform(*newcomers(19), unseen="map")
    assert np.isfinite(fitted.transform(*newcomers(20), unseen="map").to_numpy()).all()


@pytest.mark.parametrize("way", WAYS)
def test_mapping_changes_nothing_for_the_batches_known(way):
    known, labels = made()
    fitted = WAYS[way].fit(known, labels)
    assert fitted.mapped(*newcomers()).transform(known, labels).equals(fitted.transform(known, labels))


def test_known_and_unseen_batches_may_come_together():
    known, labels = made()
    features, batch = newcomers()
    fitted = ComBat().fit(known, labels)
    both = fitted.transform(pd.concat([known, features]), pd.concat([labels, batch]), unseen="map")
    assert both.loc[known.index].equals(fitted.transform(known, labels))
    assert both.loc[features.index].equals(fitted.transform(features, batch, unseen="map"))


def two_columns(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return features moved by centre and by kernel."""
    rng = np.random.default_rng(seed)
    batch = pd.DataFrame({"centre": ["A", "B"] * 30, "kernel": ["sharp"] * 24 + ["soft"] * 36}, index=[f"P{i:02}" for i in range(60)])
    moved = 3.0 * (batch["centre"] == "A").to_numpy()[:, None] + 2.0 * (batch["kernel"] == "soft").to_numpy()[:, None]
    return pd.DataFrame(rng.normal(size=(60, 5)) + moved, index=batch.index, columns=list("abcde")), batch


def test_nested_takes_off_every_batch_column():
    features, batch = two_columns()
    fitted = Nested().fit(features, batch)
    out = fitted.transform(features, batch)
    assert sorted(fitted.variables) == ["centre", "kernel"]
    for name in batch.columns:
        gap = out.groupby(batch[name]).mean().diff().iloc[-1].abs().max()
        assert gap < 0.4


def test_nested_keeps_the_order_that_leaves_the_fewest_differences():
    features, batch = two_columns()
    fitted = Nested().fit(features, batch)
    assert set(fitted.differing) == {("centre", "kernel"), ("kernel", "centre")}
    assert fitted.differing[fitted.variables] == min(fitted.differing.values())


def test_nested_in_the_order_given_is_one_combat_after_the_other():
    features, batch = two_columns()
    ours = Nested(order="given").fit(features, batch).transform(features, batch)
    once = ComBat().fit(features, batch["centre"]).transform(features, batch["centre"])
    twice = ComBat().fit(once, batch["kernel"]).transform(once, batch["kernel"])
    assert ours.equals(twice)


def test_nested_refuses_a_reference_an_absent_column_and_six_of_them():
    features, batch = two_columns()
    with pytest.raises(BadSetting, match="no reference batch"):
        Nested(ComBat(reference="A"))
    with pytest.raises(BadCohort, match="The batch column 'kernel' is absent"):
        Nested().fit(features, batch).transform(features, batch[["centre"]])
    many = pd.DataFrame({f"b{i}": batch["centre"] for i in range(6)})
    with pytest.raises(BadSetting, match="6 batch columns have too many orders"):
        Nested().fit(features, many)


def test_nested_leaves_or_refuses_each_columns_unseen_batches():
    features, batch = two_columns()
    fitted = Nested().fit(features, batch)
    other = batch.assign(kernel="smooth")
    assert fitted.unseen(other) == {"kernel": {"smooth": 60}}
    with pytest.raises(BadCase, match="'smooth' of 'kernel'"):
        fitted.transform(features, other)
    assert np.isfinite(fitted.transform(features, other, unseen="map").to_numpy()).all()


def together(seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Return features that vary together in batch B and not in batch A."""
    rng = np.random.default_rng(seed)
    apart = rng.normal(size=(80, 4))
    joint = 0.8 * rng.normal(size=(80, 1)) + 0.6 * rng.normal(size=(80, 4))
    index = pd.RangeIndex(160)
    return pd.DataFrame(np.vstack([apart, joint]), index=index, columns=list("abcd")), pd.Series(["A"] * 80 + ["B"] * 80, index, name="s")


def test_covbat_makes_covariances_agree_where_combat_does_not():
    features, batch = together()

    def gap(table: pd.DataFrame) -> float:
        return float(np.abs(table[:80].cov() - table[80:].cov()).to_numpy().max())

    combat, covbat = (way.fit(features, batch).transform(features, batch) for way in (ComBat(), CovBat()))
    assert gap(covbat) < 0.5 * gap(combat)


def test_covbat_refuses_a_missing_value_by_feature_and_sample():
    features, batch = made()
    features.loc["P04", "f3"] = np.nan
    with pytest.raises(BadCohort, match="The feature 'f3' is missing in P04"):
        CovBat().fit(features, batch)


def test_covbat_hands_untouched_features_and_the_reference_back():
    features, batch = made()
    features["constant"] = 3.0
    out = CovBat(ComBat(reference="A")).fit(features, batch).transform(features, batch)
    assert out["constant"].equals(features["constant"])
    assert out[batch == "A"].equals(features[batch == "A"])


def test_covbat_refuses_a_share_outside_its_range():
    with pytest.raises(BadSetting, match="give a share in"):
        CovBat(variance=1.5)


@pytest.mark.parametrize("way", [*WAYS, "nested", "covariates"])
def test_a_saved_harmoniser_gives_equal_outputs(way, tmp_path):
    features, batch = two_columns() if way == "nested" else made()
    covariates = pd.DataFrame({"sex": ["F", "M"] * 15, "age": range(30)}, index=features.index) if way == "covariates" else None
    fitted = {**WAYS, "nested": Nested(), "covariates": ComBat()}[way].fit(features, batch, covariates)
    again = harmoniser_of(load_model(save_model(tmp_path / "model", harmoniser_record(fitted))))
    assert again.transform(features, batch, covariates=covariates).equals(fitted.transform(features, batch, covariates=covariates))
    assert dict(again.batches) == dict(fitted.batches)
    assert dict(again.untouched) == dict(fitted.untouched)


def test_another_models_file_is_refused_as_a_harmoniser():
    record = harmoniser_record(ComBat().fit(*made()))
    with pytest.raises(BadModelFile, match="'logistic', which is no harmoniser"):
        harmoniser_of(ModelRecord({**record.document, "family": "logistic"}))


def test_a_harmoniser_with_an_array_of_another_shape_is_refused():
    record = harmoniser_record(ComBat().fit(*made()))
    with pytest.raises(BadModelFile, match="lacks or mangles"):
        harmoniser_of(replace(record, arrays={**record.arrays, "0.location": np.zeros((1, 1))}))
