"""Drift: the daily standard on CUSUM charts, and the inputs of a session against those of the reference."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadInput, BadSetting
from onclair.core.values import Detector, Spectrum
from onclair.science.spectra.drift import (
    Standard,
    charts,
    cusum,
    daily_standard,
    monitored,
    run_length,
    session_reference,
    standardised,
)


def _run_lengths(shift: float, runs: int, seed: int) -> np.ndarray:
    """Return days until the first alarm of so many charts, side by side."""
    rng = np.random.default_rng(seed)
    up, down, alarmed = np.zeros(runs), np.zeros(runs), np.zeros(runs, dtype=int)
    day = 0
    while (alarmed == 0).any():
        day += 1
        z = rng.normal(shift, 1.0, runs)
        up, down = np.maximum(0.0, up + z - 0.5), np.maximum(0.0, down - z - 0.5)
        alarmed[(alarmed == 0) & (np.maximum(up, down) > 5.0)] = day
    return alarmed


def test_in_control_an_alarm_comes_every_465_days() -> None:
    simulated = _run_lengths(0.0, 1500, 1)
    assert run_length() == pytest.approx(465.0, abs=2.0)
    assert simulated.mean() == pytest.approx(run_length(), abs=4.0 * simulated.std() / np.sqrt(1500))


def test_a_shift_of_one_standard_deviation_is_found_in_ten_days() -> None:
    simulated = _run_lengths(1.0, 4000, 2)
    assert simulated.mean() == pytest.approx(run_length(1.0), abs=0.4)


def test_the_chart_alarms_on_the_day_that_the_simulation_says() -> None:
    z = np.random.default_rng(3).normal(0.8, 1.0, 400)
    far = np.concatenate([[0.0], np.cumsum(z - 0.5)])
    risen = far - np.minimum.accumulate(far)  # the sum over the best stretch that ends here: another way to the same chart
    assert cusum(z).alarms[0] == int(np.flatnonzero(risen > 5.0)[0]) - 1


def test_a_day_without_a_measurement_changes_nothing() -> None:
    with_gap = cusum([1.0, float("nan"), 2.0])
    assert with_gap.up == (0.5, 0.5, 2.0)


def test_only_the_figure_that_drifts_alarms() -> None:
    rng = np.random.default_rng(5)
    reference = [Standard(634.0 + rng.normal(0, 0.05), 80.0 + rng.normal(), 100.0 + rng.normal()) for _ in range(30)]
    days = [Standard(634.0 + rng.normal(0, 0.05), 80.0 - 0.4 * day + rng.normal(), 100.0) for day in range(20)]
    assert [name for name, chart in charts(days, reference).items() if not chart.in_control] == ["gain"]


def test_a_short_or_constant_reference_is_refused() -> None:
    with pytest.raises(BadInput, match="at least 10"):
        standardised([1.0], [1.0, 2.0])
    with pytest.raises(BadInput, match="the same"):
        standardised([1.0], [2.0] * 12)


def test_an_impossible_limit_is_refused() -> None:
    with pytest.raises(BadSetting, match="CUSUM"):
        cusum([0.0], limit=0.0)


def test_the_standard_tells_peak_gain_and_dark_through_noise() -> None:
    rng, nm = np.random.default_rng(6), np.linspace(560.0, 720.0, 700)
    light = 4000.0 * np.exp(-0.5 * ((nm - 634.3) / 9.0) ** 2)
    lit = Spectrum(rng.poisson(light + 120.0).astype(float), nm, 405.0, 20.0, detector=Detector(65535.0, 4.0, 1.0))
    off = Spectrum(rng.poisson(np.full(700, 120.0)).astype(float), nm, None, 20.0)
    found = daily_standard(lit, (off,))
    assert found.peak_nm == pytest.approx(634.3, abs=0.25)
    assert found.dark == pytest.approx(120.0, abs=5.0)


def test_a_patient_may_differ_but_not_by_more_than_patients_do() -> None:
    rng = np.random.default_rng(7)
    whose = np.repeat([f"P{i}" for i in range(40)], 6)
    values = np.repeat(rng.normal(0.0, 1.0, 40), 6) + rng.normal(0.0, 0.5, 240)
    known = {"log_af": session_reference(values, list(whose))}
    assert known["log_af"].between == pytest.approx(1.0, abs=0.3)
    assert known["log_af"].within == pytest.approx(0.5, abs=0.06)
    usual, strange = ([{"log_af": level + rng.normal(0.0, 0.5)} for _ in range(6)] for level in (1.2, 6.0))
    assert [found.departs for rows in (usual, strange) for found in monitored(rows, known)] == [False, True]


def test_a_session_that_has_just_begun_is_not_judged() -> None:
    known = {"x": session_reference([0.0, 0.1, 1.0, 1.1, 2.0, 2.1], ["a", "a", "b", "b", "c", "c"])}
    (found,) = monitored([{"x": 99.0}, {"x": float("nan")}, {}], known)
    assert (found.departs, found.n) == (False, 1)


def test_two_sessions_are_no_reference() -> None:
    with pytest.raises(BadInput, match="at least 3"):
        session_reference([1.0, 2.0], ["a", "b"])
