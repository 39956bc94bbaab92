"""Networks on spectra: which column is which bin, how spectra are disturbed, and that equal seeds give equal weights."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest

from onclair.core.errors import BadCase, BadCohort, BadModelFile, BadSetting
from onclair.learn.estimators import Logistic, estimator
from onclair.learn.nets1d import DEFAULT, Columns, NetworkModel, SpectralNetwork, architecture_of, architecture_record
from onclair.learn.nets1d_settings import Disturbance, Resnet1d, Transformer, disturbed, layout_of, spectrum_column
from onclair.learn.pipeline import Pipeline
from onclair.learn.selection import EVERYTHING, Selection
from onclair.learn.training_settings import Training
from onclair.science.statistics.ranks import auc
from spectral_rows import spectral_rows

SMALL = {"resnet1d": Resnet1d((6, 8), 3, 4), "transformer": Transformer(16, 4, 1, 8)}
QUICK = Training(steps=4, batch=16, learning_rate=3e-3)
SPECTRA = ("spectrum:*",)


def network(kind, training=QUICK):
    return Pipeline(kind, SpectralNetwork(SMALL[kind], training), EVERYTHING, columns=SPECTRA)


def fitted(pipeline, rows, truth, seed=3):
    return pipeline.fit(rows, truth.to_numpy(), np.random.default_rng(seed))


def weights_of(seed):
    _, rows, truth = spectral_rows(12)
    return dict(fitted(network("resnet1d"), rows, truth, seed).estimator.weights)


@pytest.mark.parametrize("kind", ["resnet1d", "transformer"])
def test_a_network_sees_the_spectrum_and_nothing_else(kind):
    _, rows, truth = spectral_rows()
    found = fitted(network(kind), rows, truth)
    assert found.columns == tuple(c for c in rows.columns if c.startswith("spectrum:"))
    moved = rows.assign(log634=99.0)
    assert (found.risk(moved) == found.risk(rows)).all()
    assert ((found.risk(rows) > 0) & (found.risk(rows) < 1)).all()


def test_a_pipeline_on_features_never_sees_the_spectrum():
    _, rows, truth = spectral_rows()
    found = fitted(Pipeline("features", Logistic(), EVERYTHING, without=SPECTRA), rows, truth)
    assert found.columns == ("log634", "other")


def test_a_star_that_stands_for_nothing_is_named():
    _, rows, truth = spectral_rows()
    with pytest.raises(BadCase, match=r"no column that 'spectrum:\*' stands for"):
        fitted(network("resnet1d"), rows[["log634"]], truth)


@pytest.mark.parametrize("kind", ["resnet1d", "transformer"])
def test_networks_learn_a_band_that_goes_with_the_outcome(kind):
    _, rows, truth = spectral_rows(60, signal=2.0)
    _, new, true = spectral_rows(60, seed=2, signal=2.0)
    found = fitted(network(kind, replace(DEFAULT, steps=60)), rows, truth)
    assert auc(true.to_numpy(), found.risk(new)[:, None])[0] > 0.85


def test_equal_seeds_give_equal_weights_in_whichever_process():
    here = [weights_of(seed) for seed in (3, 4)]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = list(pool.map(weights_of, (3, 4)))
    for ours, theirs in zip(here, there, strict=True):
        assert all((ours[name] == theirs[name]).all() for name in ours)
    assert any((here[0][name] != here[1][name]).any() for name in here[0])


def test_a_fit_leaves_the_random_numbers_of_torch_alone():
    import torch

    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    weights_of(3)
    assert (torch.random.get_rng_state() == before).all()


def test_the_order_of_columns_and_dropped_bins_do_not_move_a_bin():
    names = [spectrum_column(e, w) for e in (405, 385) for w in (500, 502, 504)]
    whole = layout_of(names)
    part = layout_of([names[5], names[0], names[1], names[3]])
    assert (part.bins, part.excitations_nm) == (whole.bins, whole.excitations_nm) == (3, (385.0, 405.0))
    assert part.laid([[6.0, 1.0, 2.0, 4.0]]).tolist() == [[[4.0, 0.0, 6.0], [1.0, 2.0, 0.0]]]


def test_a_constant_bin_in_training_is_left_empty():
    _, rows, truth = spectral_rows(12)
    rows["spectrum:405:620"] = 0.25
    found = fitted(network("transformer"), rows, truth)
    assert "spectrum:405:620" not in found.columns
    assert np.isfinite(found.risk(rows)).all()


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (["spectrum:405:500", "log634"], "'log634' is no bin of a spectrum"),
        (["spectrum:405:red"], "'spectrum:405:red' is no bin"),
        (["spectrum:405:500"], "hold 1 wavelengths; a network needs at least 2"),
        (["spectrum:405:500", "spectrum:405:502", "spectrum:405:505"], "'spectrum:405:505' lies between the bins"),
    ],
)
def test_columns_that_are_no_even_spectrum_are_refused(columns, sentence):
    with pytest.raises(BadSetting, match=sentence):
        layout_of(columns)


@pytest.mark.parametrize("options", [{"select": Selection(k=3)}, {"select": EVERYTHING, "transform": "signed_log"}])
def test_a_pipeline_that_would_take_a_spectrum_apart_is_refused(options):
    with pytest.raises(BadSetting, match="sees whole spectra"):
        Pipeline("net", estimator("resnet1d"), columns=SPECTRA, **options)


def test_a_network_that_was_not_told_its_columns_says_so():
    with pytest.raises(BadSetting, match="must know which column is which bin"):
        estimator("transformer").fit(np.zeros((2, 2)), np.array([0.0, 1.0]), np.random.default_rng(0))


def test_one_class_is_refused_in_words():
    placed = estimator("resnet1d").placed(Columns(("spectrum:405:500", "spectrum:405:502"), np.zeros(2), np.ones(2)))
    with pytest.raises(BadCohort, match="needs both classes"):
        placed.fit(np.zeros((4, 2)), np.ones(4), np.random.default_rng(0))


def test_patience_is_refused():
    with pytest.raises(BadSetting, match="no patients to spare"):
        SpectralNetwork(Resnet1d(), replace(QUICK, patience=3))


def test_a_shift_moves_a_peak_to_longer_wavelengths_and_keeps_its_height():
    grid = layout_of([spectrum_column(405, w) for w in np.arange(600.0, 700.0)])
    peak = np.exp(-0.5 * ((np.arange(600.0, 700.0) - 634) / 8) ** 2).astype(np.float32)[None, None]

    class Third(np.random.Generator):
        def normal(self, loc, scale, size=None):
            return np.full(size, scale)

    moved = disturbed(peak, grid, Disturbance(3.0, 0.0, 0.0), Third(np.random.PCG64(0)))
    assert int(moved[0, 0].argmax()) == 37
    assert float(moved.max()) == pytest.approx(1.0, abs=1e-6)


def test_tilt_and_gain_are_straight_and_one_factor_a_channel():
    grid = layout_of([spectrum_column(e, w) for e in (385, 405) for w in (600, 602, 604, 606)])
    found = disturbed(np.ones((1, 2, 4), dtype=np.float32), grid, Disturbance(0.0, 0.2, 0.3), np.random.default_rng(1))[0]
    assert np.diff(found, 2, axis=1) == pytest.approx(0.0, abs=1e-6)
    ratio = found[1] / found[0]
    assert ratio == pytest.approx(ratio[0], abs=1e-6)
    assert abs(float(ratio[0]) - 1) > 0.01


@pytest.mark.parametrize(("kind", "least", "most"), [("resnet1d", 40_000, 60_000), ("transformer", 20_000, 100_000)])
def test_the_networks_have_as_many_weights_as_the_study_allows(kind, least, most):
    from onclair.learn.nets1d_modules import built

    layout = layout_of([spectrum_column(e, w) for e in (385, 405) for w in np.arange(420, 731, 2.0)])
    count = sum(weight.numel() for weight in built(estimator(kind).architecture, layout).parameters())
    assert least <= count <= most


@pytest.mark.parametrize("architecture", [Resnet1d((4,), 3, 2), Transformer(8, 2, 1, 4)])
def test_an_architecture_comes_back_from_its_record(architecture):
    assert architecture_of(architecture_record(architecture)) == architecture


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ({"kind": "lstm"}, "of the kind 'lstm'; known are resnet1d, transformer"),
        ({"kind": "resnet1d", "depth": 3}, "cannot be built"),
        ({"kind": "transformer", "width": 10, "heads": 4}, "cannot be built"),
    ],
)
def test_an_architecture_that_is_none_is_refused(record, sentence):
    with pytest.raises(BadModelFile, match=sentence):
        architecture_of(record)


def test_weights_of_another_architecture_are_refused():
    _, rows, truth = spectral_rows(12)
    model = fitted(network("resnet1d"), rows, truth).estimator
    with pytest.raises(BadModelFile, match="do not fit its network"):
        NetworkModel(Resnet1d((6, 9), 3, 4), model.layout, model.weights).logit(np.zeros((1, 32)))
