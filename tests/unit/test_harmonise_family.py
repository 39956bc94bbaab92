"""ComBat: what it learns, what it leaves alone, what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from harmonise_made import made

from onclair.core.errors import BadCase, BadCohort, BadSetting
from onclair.learn.harmonise import ComBat, Unharmonised, ZScore, aliasing, refuse_aliased, refuse_outcome_among
from onclair.learn.harmonise.shrink import Moments, moments, nonparametric, parametric, shrunken


def test_without_a_prior_every_batch_ends_with_the_same_mean_and_variance():
    features, batch = made()
    out = ComBat(prior="none").fit(features, batch).transform(features, batch)
    groups = out.groupby(batch)
    np.testing.assert_allclose(groups.mean().to_numpy(), np.tile(features.mean().to_numpy(), (3, 1)), rtol=1e-10)
    assert np.ptp(groups.var().to_numpy(), axis=0).max() < 1e-9


@pytest.mark.parametrize("prior", ["parametric", "nonparametric", "none"])
@pytest.mark.parametrize("adjusts", ["mean-and-variance", "mean"])
def test_every_member_of_the_family_brings_the_batches_nearer(prior, adjusts):
    features, batch = made()
    out = ComBat(prior, adjusts).fit(features, batch).transform(features, batch)

    def apart(table: pd.DataFrame) -> float:
        return float(table.groupby(batch).mean().std().sum())

    assert apart(out) < 0.5 * apart(features)


def test_the_mean_alone_leaves_each_batchs_variance():
    features, batch = made()
    out = ComBat(adjusts="mean").fit(features, batch).transform(features, batch)
    np.testing.assert_allclose(out.groupby(batch).var().to_numpy(), features.groupby(batch).var().to_numpy(), rtol=1e-10)


def test_samples_of_the_reference_come_back_bit_for_bit():
    features, batch = made()
    out = ComBat(reference="B").fit(features, batch).transform(features, batch)
    here = batch == "B"
    assert out[here].equals(features[here])
    assert not np.allclose(out[~here], features[~here])


def test_a_covariate_keeps_its_effect_and_the_batch_loses_its_own():
    rng = np.random.default_rng(3)
    dose = pd.Series(rng.normal(size=60))
    batch = pd.Series(np.where(dose + rng.normal(size=60) > 0, "A", "B"), name="centre")
    features = pd.DataFrame({f"f{i}": 2 * dose + 4 * (batch == "A") + rng.normal(size=60) / 10 for i in range(5)})
    covariates = pd.DataFrame({"dose": dose})
    kept = ComBat().fit(features, batch, covariates).transform(features, batch, covariates=covariates)
    lost = ComBat().fit(features, batch).transform(features, batch)
    slope = [np.polyfit(dose, table["f0"], 1)[0] for table in (kept, lost)]
    assert slope[0] == pytest.approx(2.0, abs=0.05)
    assert slope[1] < 1.8


def test_a_category_as_covariate_equals_its_dummy_column():
    features, batch = made()
    sex = pd.DataFrame({"sex": ["F", "M"] * 15}, index=batch.index)
    dummy = pd.DataFrame({"male": [0, 1] * 15}, index=batch.index)
    one = ComBat().fit(features, batch, sex).transform(features, batch, covariates=sex)
    other = ComBat().fit(features, batch, dummy).transform(features, batch, covariates=dummy)
    np.testing.assert_allclose(one.to_numpy(), other.to_numpy(), rtol=1e-12)


def test_fitting_does_not_see_samples_that_are_only_transformed():
    features, batch = made()
    train = np.arange(30) % 3 != 0
    changed = features.copy()
    changed.loc[~train] = 1e6
    fitted = [ComBat().fit(table[train], batch[train]) for table in (features, changed)]
    once, again = (one.transform(features[~train], batch[~train]) for one in fitted)
    assert once.equals(again)
    alone = fitted[0].transform(features[~train].iloc[:1], batch[~train].iloc[:1])
    np.testing.assert_array_equal(alone.to_numpy(), once.iloc[:1].to_numpy())


def test_arguments_are_not_changed():
    features, batch = made()
    copy, labels = features.copy(), batch.copy()
    ComBat().fit(features, batch).transform(features, batch)
    assert features.equals(copy)
    assert batch.equals(labels)


def test_a_missing_value_is_left_out_of_its_own_feature_and_stays_missing():
    features, batch = made()
    gap = features.copy()
    gap.loc["P00", "f1"] = np.nan
    out = ComBat(prior="none").fit(gap, batch).transform(gap, batch)
    whole = ComBat(prior="none").fit(features, batch).transform(features, batch)
    shorter = ComBat(prior="none").fit(features[["f1"]].iloc[1:], batch.iloc[1:]).transform(features[["f1"]].iloc[1:], batch.iloc[1:])
    assert np.isnan(out.loc["P00", "f1"])
    assert int(out.isna().to_numpy().sum()) == 1
    np.testing.assert_allclose(out.drop(columns="f1").to_numpy(), whole.drop(columns="f1").to_numpy(), rtol=1e-12)
    np.testing.assert_allclose(out["f1"].iloc[1:].to_numpy(), shorter["f1"].to_numpy(), rtol=1e-10)


def test_features_that_cannot_be_harmonised_come_back_as_they_are_and_are_named():
    features, batch = made()
    features["constant"] = 7.0
    features["flat_in_B"] = np.where(batch == "B", 1.0, features["f0"])
    features["absent_in_C"] = np.where(batch == "C", np.nan, features["f0"])
    fitted = ComBat().fit(features, batch)
    out = fitted.transform(features, batch)
    assert dict(fitted.untouched) == {
        "constant": "does not vary",
        "flat_in_B": "does not vary in batch 'B'",
        "absent_in_C": "has no value in batch 'C'",
    }
    assert out[list(fitted.untouched)].equals(features[list(fitted.untouched)])
    without = ComBat().fit(features.drop(columns=list(fitted.untouched)), batch)
    np.testing.assert_allclose(fitted.location[:, :6], without.location, rtol=1e-9)


def test_a_batch_of_one_sample_is_refused_unless_the_mean_alone_is_adjusted():
    features, batch = made()
    few, names = features.iloc[:21], batch.iloc[:21]
    with pytest.raises(BadCohort, match=r"The batch 'C' of 'centre' has one sample.*adjust the mean only"):
        ComBat().fit(few, names)
    out = ComBat(adjusts="mean").fit(few, names).transform(few, names)
    assert np.isfinite(out.to_numpy()).all()


def test_one_batch_only_is_refused():
    features, batch = made()
    with pytest.raises(BadCohort, match="nothing to harmonise"):
        ComBat().fit(features.iloc[:10], batch.iloc[:10])


def test_a_covariate_that_the_batch_decides_is_refused_by_name():
    features, batch = made()
    covariates = pd.DataFrame({"age": np.arange(30.0), "country": batch.map({"A": "fr", "B": "fr", "C": "nl"})}, index=batch.index)
    with pytest.raises(BadCohort, match="The covariate 'country' is decided by the batch 'centre'"):
        ComBat().fit(features, batch, covariates)


def test_a_missing_covariate_is_refused_by_sample():
    features, batch = made()
    covariates = pd.DataFrame({"age": [np.nan, *range(29)]}, index=batch.index)
    with pytest.raises(BadCase, match="1 samples have no 'age', the first P00"):
        ComBat().fit(features, batch, covariates)


def test_a_sample_without_batch_is_refused_by_name():
    features, batch = made()
    with pytest.raises(BadCohort, match="the first P03"):
        ComBat().fit(features, batch.where(batch.index != "P03"))


def test_rows_of_other_samples_are_refused():
    features, batch = made()
    with pytest.raises(BadCohort, match="align"):
        ComBat().fit(features, batch.iloc[::-1])


def test_an_unknown_reference_is_refused_with_the_nearest_name():
    features, batch = made()
    with pytest.raises(BadSetting, match="'D' is none of those in 'centre'; known: A, B, C"):
        ComBat(reference="D").fit(features, batch)


def test_unknown_settings_are_refused():
    with pytest.raises(BadSetting, match="did you mean 'parametric'"):
        ComBat(prior="parametrik")  # type: ignore[arg-type]


def test_a_text_feature_is_refused_by_name():
    features, batch = made()
    with pytest.raises(BadCase, match="'f2' holds text"):
        ComBat().fit(features.assign(f2="high"), batch)


def test_one_feature_cannot_teach_a_prior():
    features, batch = made()
    with pytest.raises(BadCohort, match="use the prior 'none'"):
        ComBat().fit(features[["f0"]], batch)


def test_whole_numbers_and_texts_that_spell_alike_are_one_batch():
    features, _ = made()
    numbers = pd.Series([1.0] * 15 + [2.0] * 15, index=features.index)
    fitted = ComBat().fit(features, numbers)
    assert fitted.names == ("1", "2")
    assert fitted.transform(features, numbers.astype(int).astype(str)).equals(fitted.transform(features, numbers))


def test_z_scores_have_mean_zero_and_deviation_one_in_every_batch():
    features, batch = made()
    groups = ZScore().fit(features, batch).transform(features, batch).groupby(batch)
    np.testing.assert_allclose(groups.mean().to_numpy(), 0, atol=1e-12)
    np.testing.assert_allclose(groups.std().to_numpy(), 1, rtol=1e-12)


def test_z_scores_refuse_a_covariate():
    features, batch = made()
    with pytest.raises(BadCohort, match="keep no covariate"):
        ZScore().fit(features, batch, pd.DataFrame({"age": range(30)}, index=batch.index))


def test_no_harmonisation_hands_features_back():
    features, batch = made()
    assert Unharmonised().fit(features, batch).transform(features, batch).equals(features)


def test_the_parametric_prior_solves_its_two_equations():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(8, 40)) * rng.uniform(0.5, 2, 40) + rng.normal(size=40)
    found = moments(z, np.zeros(8, dtype=np.int64), 1)
    one = Moments(found.n[0], found.mean[0], found.squares[0])
    spread = found.variance[0]
    g, d = parametric(one, spread)
    t2, m, s2 = one.mean.var(ddof=1), spread.mean(), spread.var(ddof=1)
    a, b = (2 * s2 + m**2) / s2, (m * s2 + m**3) / s2
    np.testing.assert_allclose(g, (t2 * 8 * one.mean + d * one.mean.mean()) / (t2 * 8 + d), rtol=1e-3)
    np.testing.assert_allclose(d, (((z - g) ** 2).sum(axis=0) / 2 + b) / (4 + a - 1), rtol=1e-3)


def test_the_nonparametric_prior_survives_batches_of_thousands():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3000, 5)) + np.arange(5)
    found = moments(z, np.zeros(3000, dtype=np.int64), 1)
    location, spread = nonparametric(Moments(found.n[0], found.mean[0], found.squares[0]), found.variance[0])
    assert np.isfinite(location).all()
    assert np.isfinite(spread).all()


def test_sums_of_two_sites_give_the_shrinkage_of_their_union():
    z = np.random.default_rng(0).normal(size=(12, 4))
    whole = moments(z, np.zeros(12, dtype=np.int64), 1)
    parts = [moments(z[rows], np.zeros(6, dtype=np.int64), 1) for rows in (slice(0, 6), slice(6, 12))]
    n = sum(p.n for p in parts)
    mean = sum(p.n * p.mean for p in parts) / n
    squares = sum(p.squares + p.n * (p.mean - mean) ** 2 for p in parts)
    ours, theirs = (
        shrunken(whole, "parametric", "mean-and-variance"),
        shrunken(Moments(n, mean, squares), "parametric", "mean-and-variance"),
    )
    np.testing.assert_allclose(np.array(ours), np.array(theirs), rtol=1e-12)


def test_a_batch_that_is_the_outcome_is_refused():
    batch = pd.DataFrame({"centre": ["A"] * 20 + ["B"] * 20})
    outcome = pd.Series([0] * 20 + [1] * 20, name="relapse")
    with pytest.raises(BadCohort, match=r"'centre' and the outcome 'relapse' are aliased \(Cramer's V 1.00"):
        refuse_aliased(batch, outcome)
    outcome.iloc[[0, 1, 38, 39]] = 1 - outcome.iloc[[0, 1, 38, 39]]
    assert refuse_aliased(batch, outcome)["centre"] == pytest.approx(0.8)


def test_a_continuous_outcome_is_aliased_by_its_variance_between_batches():
    batch = pd.Series(np.repeat(["A", "B"], 20))
    near = pd.Series(np.repeat([0.0, 100.0], 20) + np.arange(40))
    assert aliasing(batch, near) > 0.9
    assert aliasing(batch, pd.Series(np.tile(np.arange(20.0), 2))) == pytest.approx(0, abs=1e-12)


def test_the_outcome_is_never_a_covariate_by_name_or_by_value():
    outcome = pd.Series([0, 1, 1, 0], name="relapse")
    for covariates in (pd.DataFrame({"relapse": [0, 1, 1, 0]}), pd.DataFrame({"copy": ["no", "yes", "yes", "no"]})):
        with pytest.raises(BadCohort, match="the outcome is never kept"):
            refuse_outcome_among(covariates, outcome)
    refuse_outcome_among(pd.DataFrame({"age": [50, 60, 70, 80]}), outcome)
