"""What holds for every measurement: the chain is linear in light, blind to offsets, and does not mind the order of repeats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.core.values import Detector, Measurement, Spectrum
from onclair.science.spectra.chain import Preparing, prepare
from onclair.science.spectra.despike import modified_z, spikes_among
from onclair.science.spectra.drift import cusum
from onclair.science.spectra.preprocess import msc, snv
from onclair.science.spectra.wavelengths import with_correction

NM = np.linspace(410.0, 740.0, 400)
LIGHT = 2000.0 * np.exp(-0.5 * ((NM - 530.0) / 35.0) ** 2) + 50.0
DETECTOR = Detector(1e9, 4.0, 1.0)
seeds = st.integers(0, 10_000)


def measurement(seed: int, offset: float = 500.0, scale: float = 1.0, order: tuple[int, ...] = (0, 1, 2)) -> Measurement:
    rng = np.random.default_rng(seed)
    lit = [rng.poisson(LIGHT) + rng.normal(0.0, 4.0, NM.size) for _ in range(3)]
    off = [rng.normal(0.0, 4.0, NM.size) for _ in range(2)]
    frames = tuple(Spectrum(scale * lit[i] + offset, NM, 405.0, 20.0, detector=DETECTOR) for i in order)
    return Measurement(frames, tuple(Spectrum(scale * each + offset, NM, None, 20.0, detector=DETECTOR) for each in off))


@given(seeds, st.floats(0.0, 5000.0))
@settings(max_examples=15)
def test_an_electronic_offset_changes_nothing(seed: int, offset: float) -> None:
    one, other = prepare(measurement(seed)), prepare(measurement(seed, offset))
    assert other.counts == pytest.approx(one.counts, abs=1e-6, nan_ok=True)
    assert other.variance == pytest.approx(one.variance, rel=1e-6)


@given(seeds, st.permutations([0, 1, 2]))
@settings(max_examples=15)
def test_the_order_of_repeats_changes_no_count(seed: int, order: list[int]) -> None:
    one, other = prepare(measurement(seed)), prepare(measurement(seed, order=tuple(order)))
    assert other.counts == pytest.approx(one.counts, abs=1e-9, nan_ok=True)


@given(seeds)
@settings(max_examples=15)
def test_frames_are_never_changed(seed: int) -> None:
    point = measurement(seed)
    before = [frame.counts.copy() for frame in (*point.frames, *point.lamp_off)]
    prepare(point)
    assert all((a == b.counts).all() for a, b in zip(before, (*point.frames, *point.lamp_off), strict=True))


@given(seeds, st.floats(-2.0, 2.0))
@settings(max_examples=15)
def test_a_correction_and_its_opposite_cancel(seed: int, shift: float) -> None:
    moved = with_correction(NM, (shift, 1e-4))
    assert with_correction(moved, (-shift, -1e-4)) == pytest.approx(NM)
    assert prepare(measurement(seed), Preparing(wavelength_correction=(shift,))).wavelength_nm == pytest.approx(NM + shift)


@given(st.lists(st.floats(-1e3, 1e3), min_size=8, max_size=60), st.floats(-100.0, 100.0), st.floats(0.5, 20.0))
@settings(max_examples=30)
def test_the_modified_z_score_knows_neither_offset_nor_scale(values: list[float], offset: float, scale: float) -> None:
    whole = np.round(np.array(values))
    one, other = modified_z(whole), modified_z(np.round(scale) * whole + np.round(offset))
    assert other == pytest.approx(one if np.round(scale) > 0 else 0 * one, rel=1e-9, abs=1e-9)


@given(seeds, st.integers(30, 369), st.integers(0, 2))
@settings(max_examples=25)
def test_a_spike_of_fifteen_sigma_is_found_wherever_it_falls(seed: int, pixel: int, row: int) -> None:
    counts = np.random.default_rng(seed).poisson(LIGHT, (3, NM.size)).astype(float)
    noise = np.sqrt(LIGHT + 16.0) * np.ones((3, 1))
    counts[row, pixel] += 15.0 * noise[row, pixel]
    assert spikes_among(counts, noise)[row, pixel]


@given(st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=40))
def test_a_chart_turned_over_is_the_same_chart(values: list[float]) -> None:
    one, other = cusum(values), cusum([-value for value in values])
    assert (one.up, one.down, one.alarms) == (other.down, other.up, other.alarms)


@given(seeds, st.floats(0.2, 5.0), st.floats(-3.0, 3.0))
@settings(max_examples=25)
def test_scatter_is_removed_whatever_its_gain_and_offset(seed: int, gain: float, offset: float) -> None:
    row = np.random.default_rng(seed).normal(0.0, 1.0, 50)
    assert snv([gain * row + offset]) == pytest.approx(snv([row]), abs=1e-8)
    assert msc([gain * row + offset], row)[0] == pytest.approx(row, abs=1e-8)
