"""The chain: what is taken away, what noise is carried, what is left out, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onclair.core.errors import BadCase, BadSetting
from onclair.core.values import Detector, Measurement, Spectrum
from onclair.science.spectra.calibrate import flicker
from onclair.science.spectra.chain import Preparing, prepare, usual_of
from onclair.science.spectra.record import refuse_saturated
from onclair.science.spectra.response import Response, response_from

NM = np.linspace(380.0, 780.0, 1200)
DETECTOR = Detector(65535.0, 4.0, 1.0)
LIGHT = 3000.0 * np.exp(-0.5 * ((NM - 520.0) / 30.0) ** 2) + 1500.0 * np.exp(-0.5 * ((NM - 634.0) / 9.0) ** 2)
LINES = 400.0 * np.exp(-0.5 * ((NM - 546.0) / 1.0) ** 2) + 60.0 * np.exp(-0.5 * ((NM - 560.0) / 60.0) ** 2)
BIAS = 900.0


def frame(light: np.ndarray, rng: np.random.Generator, excitation: float | None = 405.0, ms: float = 20.0, **more: object) -> Spectrum:
    """Return one readout: shot noise of the light, read noise, an electronic offset."""
    counts = rng.poisson(light) + BIAS + rng.normal(0.0, 4.0, NM.size)
    return Spectrum(counts, NM, excitation, ms, detector=DETECTOR, **more)


def point(seed: int = 0, repeats: int = 3, light: np.ndarray = LIGHT, room: np.ndarray = LINES) -> Measurement:
    rng = np.random.default_rng(seed)
    lit = tuple(frame(light + room, rng) for _ in range(repeats))
    return Measurement(lit, lamp_off=tuple(frame(room, rng, None) for _ in range(2)))


def test_dark_and_room_light_are_taken_away_by_the_lamp_off_frames() -> None:
    found = prepare(point())
    z = (found.counts[0] - LIGHT) / np.sqrt(found.variance[0])
    assert abs(z.mean()) < 0.15
    assert 0.9 < z.std() < 1.1


def test_the_variance_says_how_far_counts_are_from_the_truth_at_every_level() -> None:
    z = np.concatenate([(lambda p: (p.counts[0] - LIGHT) / np.sqrt(p.variance[0]))(prepare(point(seed))) for seed in range(8)])
    level = np.tile(LIGHT, 8)
    for low, high in ((0.0, 20.0), (20.0, 500.0), (500.0, 4000.0)):
        assert z[(level >= low) & (level < high)].std() == pytest.approx(1.0, abs=0.08)


def test_an_electronic_offset_makes_no_shot_noise() -> None:
    found = prepare(point(repeats=1, light=np.zeros_like(NM), room=np.zeros_like(NM)))
    assert float(np.median(found.variance)) == pytest.approx(16.0 + 16.0 / 2, rel=0.15)


def test_repeats_are_averaged_and_counted() -> None:
    one, three = prepare(point(repeats=1)), prepare(point(repeats=3))
    assert [np.asarray(each.averages).tolist() for each in (one, three)] == [[1.0], [3.0]]
    assert float(np.median(one.variance / three.variance)) > 1.8


def test_two_excitations_give_two_rows_in_the_order_of_the_frames() -> None:
    rng = np.random.default_rng(3)
    frames = tuple(frame(LIGHT, rng, excitation) for excitation in (405.0, 385.0, 405.0, 385.0))
    found = prepare(Measurement(frames))
    assert found.excitation_nm.tolist() == [405.0, 385.0]
    assert found.counts.shape == (2, NM.size)


@pytest.mark.parametrize("repeats", [1, 2, 3])
def test_a_cosmic_ray_is_left_out(repeats: int) -> None:
    clean = point(seed=5, repeats=repeats)
    hit = np.array(clean.frames[0].counts)
    hit[700:702] += (4000.0, 1500.0)
    found = prepare(replace(clean, frames=(replace(clean.frames[0], counts=hit), *clean.frames[1:])))
    away = (found.counts[0, 695:707] - LIGHT[695:707]) / np.sqrt(found.variance[0, 695:707])
    assert np.nanmax(np.abs(away)) < 5.0
    assert bool(np.isnan(found.counts[0, 700])) == (repeats == 1)


def test_hardly_a_pixel_of_a_clean_spectrum_is_taken_for_a_spike() -> None:
    lost = [int(np.isnan(prepare(point(seed, repeats=1)).counts).sum()) for seed in range(10)]
    assert sum(lost) <= 6  # of 12000


def test_a_spike_in_a_lamp_off_frame_does_no_harm() -> None:
    clean = point(seed=6)
    hit = np.array(clean.lamp_off[0].counts)
    hit[500] += 6000.0
    found = prepare(replace(clean, lamp_off=(replace(clean.lamp_off[0], counts=hit), clean.lamp_off[1])))
    assert abs(found.counts[0, 500] - LIGHT[500]) < 6.0 * np.sqrt(found.variance[0, 500])
    assert next(gate for gate in found.gates if gate.name == "flicker").value == 0.0


def test_bleaching_between_repeats_is_no_spike_and_is_measured() -> None:
    rng = np.random.default_rng(8)
    frames = tuple(frame(LIGHT * 0.9**turn, rng) for turn in range(4))
    found = prepare(Measurement(frames, lamp_off=(frame(LIGHT * 0, rng, None),)))
    gate = next(gate for gate in found.gates if gate.name == "bleaching")
    assert gate.value == pytest.approx(0.1, abs=0.01)
    assert np.isfinite(found.counts).all()


def test_nonlinearity_is_divided_out_before_the_subtraction() -> None:
    bent = Spectrum(np.full(1200, 10900.0), NM, 405.0, 20.0, dark=np.full(1200, 900.0), detector=DETECTOR)
    found = prepare(Measurement((bent,)), Preparing(nonlinearity=(1.0, -1e-6)))
    assert found.counts[0, 0] == pytest.approx(10000.0 / (1.0 - 1e-6 * 10000.0))


def test_a_nonlinearity_of_another_detector_is_refused() -> None:
    with pytest.raises(BadSetting, match="nonlinearity"):
        prepare(point(), Preparing(nonlinearity=(0.0, 1.0)))


def test_the_response_and_its_error_reach_counts_and_variance() -> None:
    plain = prepare(point())
    told = prepare(point(), Preparing(response=Response(np.full(1200, 0.5), np.full(1200, 0.03))))
    assert told.counts[0] == pytest.approx(plain.counts[0] / 0.5)
    assert told.variance[0] == pytest.approx(plain.variance[0] / 0.25 + (told.counts[0] * 0.03) ** 2)


def test_a_response_is_had_from_a_lamp_to_within_its_error() -> None:
    rng, truth = np.random.default_rng(2), 1.0 + 0.2 * (NM - 580.0) / 200.0
    expected = np.linspace(1000.0, 3000.0, NM.size)
    counts = rng.poisson(expected * truth).astype(float)
    found = response_from(counts, counts, expected, 0.01)
    z = (found.value - truth / truth.mean()) / (found.value * found.relative_error)
    assert np.abs(z).max() < 5.0
    assert float(found.relative_error.min()) > 0.01


def test_wavelengths_are_corrected_where_a_calibration_is_given() -> None:
    found = prepare(point(), Preparing(wavelength_correction=(0.7,)))
    assert found.wavelength_nm == pytest.approx(NM + 0.7)


def test_reflectance_is_told_against_the_white_standard() -> None:
    rng = np.random.default_rng(4)
    white = frame(np.full(1200, 8000.0), rng, None)
    how = Preparing(white_standard=np.full(1200, 1000.0))
    found = prepare(replace(point(), white=(white,)), how)
    assert found.reflectance is not None
    assert float(np.median(found.reflectance)) == pytest.approx(0.4, abs=0.01)
    assert "no_white_standard" not in {warning["code"] for warning in found.warnings}


def test_without_a_standard_white_is_taken_for_colourless_and_said_so() -> None:
    found = prepare(replace(point(), white=(frame(np.full(1200, 8000.0), np.random.default_rng(4), None),)))
    assert "no_white_standard" in {warning["code"] for warning in found.warnings}


def test_table_counts_without_dark_or_lamp_off_stay_as_they_are() -> None:
    found = prepare(Measurement((Spectrum(LIGHT, NM, 405.0, 20.0, detector=DETECTOR),)))
    assert found.counts[0] == pytest.approx(LIGHT, abs=1e-9)
    assert found.warnings == ()


def test_noise_that_nobody_told_is_assumed_and_said_so() -> None:
    found = prepare(Measurement((Spectrum(LIGHT, NM, 405.0, 20.0),)))
    assert [warning["code"] for warning in found.warnings] == ["noise_assumed"]


def test_lamp_off_of_another_integration_time_is_refused_by_name() -> None:
    other = replace(point(), lamp_off=(frame(LINES, np.random.default_rng(1), None, ms=40.0),))
    with pytest.raises(BadCase, match=r"20 ms .* 40 ms"):
        prepare(other)


def test_an_excited_frame_without_excitation_is_refused() -> None:
    with pytest.raises(BadCase, match="'P1_a' has no excitation"):
        prepare(Measurement((Spectrum(LIGHT, NM, None, 20.0, frame="P1_a"),)))


def test_frames_on_other_pixels_are_refused() -> None:
    one = Spectrum(LIGHT, NM, 405.0, 20.0)
    with pytest.raises(BadCase, match="lies on other wavelengths"):
        prepare(Measurement((one, Spectrum(LIGHT, NM + 0.1, 405.0, 20.0))))
    with pytest.raises(BadCase, match="1199 pixels"):
        prepare(Measurement((one, Spectrum(LIGHT[1:], NM[1:], 405.0, 20.0))))


def test_fewer_than_fifty_pixels_in_the_window_are_refused() -> None:
    few = np.linspace(300.0, 800.0, 60)
    with pytest.raises(BadCase, match="at least 50"):
        prepare(Measurement((Spectrum(np.ones(60), few, 405.0, 20.0),)))


def test_saturation_is_a_gate_live_and_a_refusal_for_files() -> None:
    counts = np.where(np.abs(NM - 520.0) < 2.0, 65535.0, LIGHT)
    full = Measurement((Spectrum(counts, NM, 405.0, 20.0, detector=DETECTOR, frame="P2"),))
    found = prepare(full)
    assert [gate.name for gate in found.gates if not gate.passed] == ["saturated"]
    assert np.isnan(found.counts).sum() == (counts == 65535.0).sum()
    with pytest.raises(BadCase, match=r"'P2' has 12 saturated pixels"):
        refuse_saturated(full, (420.0, 730.0))


def test_saturation_outside_the_window_is_no_matter() -> None:
    counts = np.where(NM < 410.0, 65535.0, LIGHT)
    assert prepare(Measurement((Spectrum(counts, NM, 405.0, 20.0, detector=DETECTOR),))).passed


def test_steady_lamp_off_frames_agree_and_flickering_ones_do_not() -> None:
    rng = np.random.default_rng(9)
    steady = flicker([frame(LINES, rng, None) for _ in range(2)])
    moving = flicker([frame(LINES, rng, None), frame(1.5 * LINES, rng, None)])
    assert [found.agree for found in (steady, moving) if found is not None] == [True, False]
    assert flicker([frame(LINES, rng, None)]) is None


def test_flicker_widens_the_variance_and_is_warned_of() -> None:
    rng = np.random.default_rng(10)
    offs = (frame(LINES, rng, None), frame(1.6 * LINES, rng, None))
    found = prepare(Measurement((frame(LIGHT + LINES, rng),), lamp_off=offs))
    assert "flicker" in {warning["code"] for warning in found.warnings}
    line = int(np.argmin(np.abs(NM - 546.0)))
    assert found.variance[0, line] > 2.0 * LIGHT[line]


def test_what_is_usual_is_the_median_of_good_points() -> None:
    points = [point(seed, light=LIGHT * level) for seed, level in enumerate((0.5, 1.0, 4.0))]
    inside = (NM >= 420.0) & (NM <= 730.0)
    assert usual_of(points).fluorescence == pytest.approx(LIGHT[inside].mean() / 20.0, rel=0.02)
