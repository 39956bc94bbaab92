"""Preprocessing beside chemotools, on its own demonstration spectra."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chemotools.baseline import AsLs
from chemotools.derivative import SavitzkyGolay
from chemotools.scatter import MultiplicativeScatterCorrection, StandardNormalVariate

from onclair.core.errors import BadInput, BadSetting
from onclair.science.spectra.preprocess import less_baseline, msc, savitzky_golay, snv


@pytest.fixture(scope="module")
def spectra(reference_data: Path) -> np.ndarray:
    return pd.read_csv(reference_data / "spectra" / "nir_demo" / "train_spectra.csv").to_numpy(dtype=float)


def test_the_standard_normal_variate_agrees(spectra: np.ndarray) -> None:
    assert snv(spectra) == pytest.approx(StandardNormalVariate().fit_transform(spectra), abs=1e-8)


def test_multiplicative_scatter_correction_agrees(spectra: np.ndarray) -> None:
    oracle = MultiplicativeScatterCorrection().fit(spectra[:15])
    assert msc(spectra[15:], spectra[:15].mean(axis=0)) == pytest.approx(oracle.transform(spectra[15:]), abs=1e-8)


@pytest.mark.parametrize(("pixels", "degree", "derivative"), [(15, 2, 1), (21, 2, 2), (11, 3, 0)])
def test_the_derivative_agrees(spectra: np.ndarray, pixels: int, degree: int, derivative: int) -> None:
    oracle = SavitzkyGolay(window_length=pixels, polyorder=degree, deriv=derivative, mode="interp").fit_transform(spectra)
    assert savitzky_golay(spectra, pixels, degree, derivative) == pytest.approx(oracle, abs=1e-8)


def test_the_baseline_agrees(spectra: np.ndarray) -> None:
    oracle = AsLs(lam=1e4, penalty=0.01, nr_iterations=100, max_iter_after_warmstart=100).fit_transform(spectra)
    assert less_baseline(spectra, "asls", 1e4, 0.01) == pytest.approx(oracle, abs=1e-8)


def test_asymmetric_weights_leave_a_peak_and_take_a_slope() -> None:
    pixel = np.arange(300.0)
    peak = 10.0 * np.exp(-0.5 * ((pixel - 150.0) / 5.0) ** 2)
    left = less_baseline([peak + 2.0 + 0.02 * pixel + np.random.default_rng(0).normal(0.0, 0.02, 300)], "arpls")
    assert left[0] == pytest.approx(peak, abs=0.4)


def test_what_cannot_be_preprocessed_is_refused() -> None:
    with pytest.raises(BadInput, match="flat"):
        snv([[1.0, 1.0, 1.0]])
    with pytest.raises(BadInput, match="same wavelengths"):
        msc([[1.0, 2.0, 3.0]], [1.0, 2.0])
    with pytest.raises(BadSetting, match="odd window"):
        savitzky_golay([[1.0, 2.0, 3.0, 4.0]], 4)
    with pytest.raises(BadSetting, match="asls or arpls"):
        less_baseline([[1.0, 2.0, 3.0]], "rubber")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="finite"):
        snv([[1.0, np.nan, 3.0]])
