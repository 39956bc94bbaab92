"""Wavelengths: by the lines of a lamp, some missing, some false, and by the peaks of a standard."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadCase
from onclair.science.spectra.peaks import peaks
from onclair.science.spectra.wavelengths import HG_AR_NM, calibrated, checked_peaks, with_correction

PIXEL = np.arange(2048.0)
TRUE_NM = 345.0 + 0.325 * PIXEL - 1.2e-5 * PIXEL**2 + 5e-10 * PIXEL**3
WINDOW = (TRUE_NM > 420.0) & (TRUE_NM < 730.0)


def lamp(lines: tuple[float, ...], fwhm: float = 1.5, seed: int = 0) -> np.ndarray:
    """Return the net counts of a lamp with shot and read noise."""
    rng = np.random.default_rng(seed)
    light = sum(rng.uniform(1000.0, 8000.0) * np.exp(-0.5 * ((TRUE_NM - line) / (fwhm / 2.355)) ** 2) for line in lines)
    return rng.poisson(light + 20.0) - 20.0 + rng.normal(0.0, 4.0, PIXEL.size)


def test_all_lines_bring_the_residual_below_the_target() -> None:
    found = calibrated(lamp(HG_AR_NM), TRUE_NM + 2.0 - 1e-3 * (TRUE_NM - 550.0))
    assert found.residual_rms_nm < 0.1
    assert np.abs(found.wavelength_nm - TRUE_NM)[WINDOW].max() < 0.1


@pytest.mark.parametrize("seed", range(6))
def test_missing_and_false_lines_do_little_harm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kept = tuple(line for line in HG_AR_NM if line not in rng.choice(HG_AR_NM, 2, replace=False))
    false = (407.783, 772.376, 794.8, 492.0, float(rng.uniform(600.0, 680.0)))
    found = calibrated(lamp((*kept, *false), seed=seed), TRUE_NM + float(rng.uniform(-4.0, 4.0)))
    assert found.residual_rms_nm < 0.3
    assert np.abs(found.wavelength_nm - TRUE_NM)[WINDOW].max() < 0.3


def test_a_blended_doublet_is_not_used() -> None:
    found = calibrated(lamp(HG_AR_NM, fwhm=4.0), TRUE_NM)
    assert {576.960, 579.066} <= set(found.left_out_nm)
    assert np.abs(found.wavelength_nm - TRUE_NM)[WINDOW].max() < 0.2


def test_the_correction_of_a_calibration_can_be_used_on_other_days() -> None:
    at_hand = TRUE_NM + 1.0
    found = calibrated(lamp(HG_AR_NM), at_hand)
    assert with_correction(at_hand, found.correction) == pytest.approx(found.wavelength_nm, abs=1e-6)


def test_too_few_lines_are_refused() -> None:
    with pytest.raises(BadCase, match="4 are needed"):
        calibrated(lamp((435.833, 546.074, 696.543)), TRUE_NM)


def test_lines_of_another_lamp_are_refused() -> None:
    rng = np.random.default_rng(1)
    moved = tuple(line + float(rng.uniform(-3.0, 3.0)) for line in (435.833, 546.074, 696.543, 706.722, 763.511))
    with pytest.raises(BadCase, match=r"residual of|are needed"):
        calibrated(lamp(moved), TRUE_NM, degree=1)


def test_wavelengths_that_would_fall_are_refused() -> None:
    with pytest.raises(BadCase, match="do not rise"):
        with_correction(TRUE_NM, (0.0, -1.0))


def test_a_peak_is_found_to_a_hundredth_of_a_pixel_and_a_spike_is_none() -> None:
    light = 5000.0 * np.exp(-0.5 * ((PIXEL - 1000.37) / 4.0) ** 2)
    light[300] += 9000.0
    found = peaks(np.random.default_rng(0).poisson(light + 10.0) - 10.0)
    near = np.abs(found.pixel - 1000.37)
    assert near.min() < 0.03
    assert not (np.abs(found.pixel - 300.0) < 2.0).any()


def test_the_excitation_line_and_a_standard_tell_the_shift_and_its_spread() -> None:
    light = sum(2000.0 * np.exp(-0.5 * ((TRUE_NM - line) / 3.0) ** 2) for line in (405.5, 634.7))
    found = checked_peaks(light, TRUE_NM, (405.0, 634.0))
    assert found.shift_nm == pytest.approx(0.6, abs=0.02)
    assert found.residual_rms_nm == pytest.approx(0.1, abs=0.02)


def test_a_standard_without_its_peak_is_refused() -> None:
    with pytest.raises(BadCase, match="634"):
        checked_peaks(lamp((546.074,)), TRUE_NM, (634.0,))
