"""The daily standard: entered once, charted against its first days, and an alarm that stands until its cause was put right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration_made import device, phantom, session_of
from commandline import Said, onclair_here
from onclair.core.errors import BadCase, BadInput, CheckFailed
from onclair.io.files import sha256_file
from onclair.io.spectra.calibration import Calibration, axis_of
from onclair.science.spectra.drift import cusum, standardised
from onclair.studies.tasks.spectra_daily import Asked, Daily, daily

NM = np.linspace(560.0, 700.0, 400)
HEADER = "column,point,kind,excitation_nm,integration_ms,saturation_counts,read_noise_counts,gain_counts_per_electron\n"


def standard(
    folder: Path, day: int, peak_nm: float = 634.0, gain: float = 1.0, dark: float = 200.0, time_ms: float = 20.0
) -> tuple[Path, Path]:
    """Today's standard as a table and its ABOUT."""
    rng = np.random.default_rng(day)
    light = 4000.0 * gain * np.exp(-0.5 * ((NM - peak_nm - rng.normal(0.0, 0.02)) / 9.0) ** 2)
    lit, off = rng.poisson(light + dark), rng.poisson(np.full(NM.size, dark + rng.normal(0.0, 0.5)))
    rows = "".join(f"{nm},{a},{b}\n" for nm, a, b in zip(NM.tolist(), lit, off, strict=True))
    table = folder / f"day{day}.csv"
    table.write_text("wavelength_nm,lit,off\n" + rows)
    about = folder / f"about{time_ms:g}.csv"
    about.write_text(f"{HEADER}lit,S,fluorescence,405,{time_ms},65535,4,1\noff,S,lamp_off,,{time_ms},65535,4,1\n")
    return table, about


def entered(folder: Path, day: int, **what: float) -> Daily:
    table, about = standard(folder, day, **what)
    return daily(Asked(folder / "log.jsonl", table, about, reference_days=12 if day == 1 else None))


@pytest.fixture
def twelve(tmp_path: Path) -> Path:
    """A log with a whole reference."""
    for day in range(1, 13):
        found = entered(tmp_path, day)
        assert found.status == ("reference" if day < 12 else "in_control")
    return tmp_path


def test_a_day_tells_peak_gain_and_dark(tmp_path: Path) -> None:
    day = entered(tmp_path, 1, peak_nm=634.4).entered
    assert day is not None
    assert day["peak_nm"] == pytest.approx(634.4, abs=0.15)
    assert day["dark"] == pytest.approx(200.0, abs=2.0)
    assert day["gain"] == pytest.approx(4000.0 * np.exp(-0.5 * (np.linspace(-10, 10, 99) / 9.0) ** 2).mean() / 20.0, rel=0.03)


@pytest.mark.parametrize(("figure", "drift"), [("peak_nm", {"peak_nm": 634.25}), ("gain", {"gain": 0.85}), ("dark", {"dark": 215.0})])
def test_the_figure_that_drifts_alarms_within_days(twelve: Path, figure: str, drift: dict[str, float]) -> None:
    for day in range(13, 19):
        found = entered(twelve, day, **drift)
        if found.status == "alarm":
            break
    assert set(found.alarms) == {figure}
    values = [each[figure] for each in found.days]
    assert found.charted[figure] == cusum(standardised(values, values[:12]))


def test_good_days_stay_in_control(twelve: Path) -> None:
    assert [entered(twelve, day).status for day in range(13, 17)] == ["in_control"] * 4


def test_an_alarm_stands_until_somebody_says_what_was_put_right(twelve: Path) -> None:
    log = twelve / "log.jsonl"
    for day in range(13, 16):
        entered(twelve, day, peak_nm=635.0)
    assert daily(Asked(log)).status == "alarm"
    assert entered(twelve, 16).status == "alarm"
    with pytest.raises(BadInput, match="give --by and --note"):
        daily(Asked(log, restart=True, by="Dr P"))
    found = daily(Asked(log, restart=True, by="Dr P", note="grating set right"))
    assert (found.status, found.since, len(found.days)) == ("in_control", 16, 16)
    assert entered(twelve, 17).alarms == {}


def test_a_log_that_was_touched_takes_nothing_more(twelve: Path) -> None:
    log = twelve / "log.jsonl"
    before = log.read_bytes()
    lines = before.splitlines(keepends=True)
    for damage in (before.replace(b'"frames":1', b'"frames":2', 1), b"".join(lines[:5] + lines[6:]), b"".join(lines[:-1])):
        log.write_bytes(damage)
        with pytest.raises(CheckFailed):
            daily(Asked(log))
        with pytest.raises(CheckFailed):
            entered(twelve, 13)
        assert log.read_bytes() == damage


def test_one_measurement_is_entered_once_and_settings_are_kept(twelve: Path) -> None:
    before = (twelve / "log.jsonl").read_bytes()
    with pytest.raises(BadInput, match="was entered before, as day 3"):
        entered(twelve, 3)
    with pytest.raises(BadInput, match="measured in 40 ms, and the first day's in 20 ms"):
        entered(twelve, 13, time_ms=40.0)
    table, about = standard(twelve, 14)
    with pytest.raises(BadInput, match="begun with reference_days = 12, not 15"):
        daily(Asked(twelve / "log.jsonl", table, about, reference_days=15))
    with pytest.raises(BadCase, match="no peak within"):
        entered(twelve, 15, peak_nm=650.0)
    assert (twelve / "log.jsonl").read_bytes() == before


def test_a_figure_without_any_spread_has_no_chart_and_the_day_is_kept(tmp_path: Path) -> None:
    for day in range(1, 11):
        table, _ = standard(tmp_path, day)
        about = tmp_path / "about.csv"
        about.write_text(f"{HEADER}lit,S,fluorescence,405,20,65535,4,1\n")
        found = daily(Asked(tmp_path / "log.jsonl", table, about, reference_days=10 if day == 1 else None))
    assert sorted(found.charted) == ["gain", "peak_nm"]
    assert [each["text"][:21] for each in found.warnings] == ["dark has no chart: Al"]
    assert found.status == "in_control"


def test_a_session_may_be_the_standard_and_its_spectrometer_has_one_log(tmp_path: Path) -> None:
    session_of(tmp_path / "one", phantom(device(3)), 3)
    session_of(tmp_path / "two", phantom(device(4)), 3, serial="OTHER")
    found = daily(Asked(tmp_path / "log.jsonl", tmp_path / "one"))
    assert found.entered is not None
    assert (found.entered["serial"], found.entered["frames"]) == ("virtual C1", 3)
    assert found.entered["peak_nm"] == pytest.approx(634.0, abs=1.0)
    with pytest.raises(BadInput, match="of the spectrometer 'virtual C1', and two of 'OTHER'"):
        daily(Asked(tmp_path / "log.jsonl", tmp_path / "two"))


def test_a_saturated_standard_is_refused_and_not_logged(tmp_path: Path) -> None:
    session_of(tmp_path / "glare", phantom(device(3), light=6.0), 2)
    with pytest.raises(BadCase, match=r"glare: \d+ pixels near 634 nm are saturated; nothing was logged"):
        daily(Asked(tmp_path / "log.jsonl", tmp_path / "glare"))
    assert not (tmp_path / "log.jsonl").exists()


def test_a_calibration_moves_the_peak(tmp_path: Path) -> None:
    known = Calibration(axis_of(NM), "2026-01-01T00:00:00+00:00", wavelength={"correction": [-0.5]})
    (tmp_path / "c.json").write_bytes(known.as_bytes())
    table, about = standard(tmp_path, 1)
    plain = daily(Asked(tmp_path / "a.jsonl", table, about)).entered
    moved = daily(Asked(tmp_path / "b.jsonl", table, about, tmp_path / "c.json")).entered
    assert plain is not None
    assert moved is not None
    assert moved["peak_nm"] == pytest.approx(plain["peak_nm"] - 0.5, abs=1e-6)
    assert moved["calibration"] == sha256_file(tmp_path / "c.json")


def test_the_command_exits_1_from_an_alarm_on(twelve: Path) -> None:
    def said(day: int, peak_nm: float) -> Said:
        table, about = standard(twelve, day, peak_nm=peak_nm)
        return onclair_here("spectra", "daily", twelve / "log.jsonl", table, "--about", about)

    good = said(13, 634.0)
    assert (good.code, "In control." in good.out, "Day 13: peak 63" in good.out) == (0, True, True)
    bad = [said(day, 635.0) for day in (14, 15)][-1]
    assert bad.code == 1
    assert "Alarm: peak_nm drifted, day 1" in bad.err
    assert "calibrate the wavelengths by a lamp" in bad.err
    looked = onclair_here("spectra", "daily", twelve / "log.jsonl", "--json")
    assert (looked.code, looked.json["status"], list(looked.json["alarms"])) == (1, "alarm", ["peak_nm"])
    again = onclair_here("spectra", "daily", twelve / "log.jsonl", "--restart", "--by", "Dr P", "--note", "lamp")
    assert again.code == 0
    missing = onclair_here("spectra", "daily", twelve / "none.jsonl")
    assert (missing.code, "was not begun" in missing.err) == (2, True)
