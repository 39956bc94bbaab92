"""What harmonisation must do whatever the table: order, units and names of batches do not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.learn.harmonise import ComBat, CovBat, ZScore

WAYS = [ComBat(), ComBat("nonparametric"), ComBat("none"), ComBat(adjusts="mean"), ZScore(), CovBat()]
seeds = st.integers(0, 10_000)


def drawn(seed: int) -> tuple[pd.DataFrame, pd.Series, np.random.Generator]:
    """Return features of two or three batches of uneven sizes."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(4, 9, rng.integers(2, 4))
    batch = pd.Series(np.repeat(np.arange(len(sizes)), sizes).astype(str), name="b")
    values = rng.normal(size=(len(batch), 5)) * rng.uniform(0.5, 3, 5) + rng.normal(size=(len(sizes), 5))[batch.astype(int)]
    return pd.DataFrame(values, columns=list("abcde")), batch, rng


@pytest.mark.parametrize("way", WAYS, ids=str)
@given(seeds)
@settings(max_examples=6)
def test_the_order_of_samples_does_not_matter(way, seed):
    features, batch, rng = drawn(seed)
    order = rng.permutation(len(batch))
    plain = way.fit(features, batch).transform(features, batch)
    mixed = way.fit(features.iloc[order], batch.iloc[order]).transform(features.iloc[order], batch.iloc[order])
    np.testing.assert_allclose(mixed.loc[plain.index].to_numpy(), plain.to_numpy(), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("way", [ComBat(), ComBat("nonparametric"), ComBat(adjusts="mean"), CovBat()], ids=str)
@given(seeds)
@settings(max_examples=6)
def test_units_do_not_matter(way, seed):
    features, batch, rng = drawn(seed)
    scale, shift = rng.uniform(0.1, 100, 5), rng.normal(size=5) * 10
    plain = way.fit(features, batch).transform(features, batch)
    other = features * scale + shift
    ours = way.fit(other, batch).transform(other, batch)
    np.testing.assert_allclose(ours.to_numpy(), (plain * scale + shift).to_numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("way", [ComBat(), ZScore(), CovBat()], ids=str)
@given(seeds)
@settings(max_examples=6)
def test_a_sample_is_transformed_alike_alone_and_in_company(way, seed):
    features, batch, _ = drawn(seed)
    fitted = way.fit(features, batch)
    together = fitted.transform(features, batch)
    alone = pd.concat([fitted.transform(features.iloc[[i]], batch.iloc[[i]]) for i in range(len(batch))])
    np.testing.assert_allclose(alone.to_numpy(), together.to_numpy(), rtol=1e-12, atol=1e-12)


@given(seeds)
@settings(max_examples=6)
def test_renaming_batches_changes_nothing(seed):
    features, batch, _ = drawn(seed)
    renamed = batch.map({"0": "zürich", "1": "lyon", "2": "a b"})
    one, other = (ComBat().fit(features, b).transform(features, b) for b in (batch, renamed))
    np.testing.assert_allclose(one.to_numpy(), other.to_numpy(), rtol=1e-9, atol=1e-9)


@given(seeds)
@settings(max_examples=6)
def test_combat_without_prior_keeps_the_mean_of_every_feature(seed):
    features, batch, _ = drawn(seed)
    out = ComBat("none").fit(features, batch).transform(features, batch)
    np.testing.assert_allclose(out.mean().to_numpy(), features.mean().to_numpy(), rtol=1e-9, atol=1e-9)
