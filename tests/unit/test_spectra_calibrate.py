"""A calibration is made from what was measured, refuses what it cannot be made from, and says what it was made of."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from calibration_made import PIXELS, SERIAL, device, lamp, measurements, phantom, session_of, table
from onclair.core.errors import BadCase, BadInput, BadSetting, NoRoom
from onclair.io.files import sha256_file
from onclair.io.spectra.calibration import Axis, Calibration, axis_of, calibration_from, read_calibration, why_unfit
from onclair.io.spectra.lamp_lines import lamp_lines
from onclair.science.spectra.chain import prepare
from onclair.studies.tasks.spectra_calibrate import Asked, calibrate
from onclair.studies.tasks.spectra_calibrated import ageing, preparing_of
from onclair.virtual.spectrometer import spectrometer_of

NM = spectrometer_of(0, 1, PIXELS).wavelength_nm


def test_the_wavelengths_come_back_from_the_lines_of_a_lamp(tmp_path: Path) -> None:
    made = calibrate(Asked(tmp_path / "c.json", lamp=lamp(tmp_path / "lamp.csv", 0.8))).calibration
    right = preparing_of(made).wavelength_correction
    inside = (NM > 405) & (NM < 763)
    found = NM + np.polynomial.polynomial.polyval(np.arange(PIXELS), right)
    assert np.abs(found - (NM - 0.8))[inside].max() < 0.05
    assert made.wavelength["residual_rms_nm"] < 0.1
    assert made.wavelength["mean_shift_nm"] == pytest.approx(0.8, abs=0.03)
    assert len(made.wavelength["lines"]) >= 8
    assert max(abs(line["residual_nm"]) for line in made.wavelength["lines"]) < 0.1


@pytest.mark.parametrize(("lines", "said"), [((546.074, 435.833), "2 of 8 lines of the lamp were found"), ((), "lines of the lamp")])
def test_too_few_lines_are_refused_and_nothing_is_written(tmp_path: Path, lines: tuple[float, ...], said: str) -> None:
    with pytest.raises(BadCase, match=said) as error:
        calibrate(Asked(tmp_path / "c.json", lamp=lamp(tmp_path / "lamp.csv", lines=lines)))
    assert str(error.value).startswith("lamp.csv: ")
    assert not (tmp_path / "c.json").exists()


def test_lines_that_do_not_fit_one_polynomial_are_refused(tmp_path: Path) -> None:
    apart = tuple(line + 0.75 * (-1) ** place for place, line in enumerate((404.656, 435.833, 546.074, 696.543, 738.398, 763.511)))
    with pytest.raises(BadCase, match=r"residual of|lines of the lamp"):
        calibrate(Asked(tmp_path / "c.json", lamp=lamp(tmp_path / "lamp.csv", lines=apart)))


def test_lines_are_named_by_lamp_by_element_or_in_nanometres() -> None:
    assert lamp_lines("hg-ar") == lamp_lines(", ".join(f"{line}" for line in lamp_lines("hg-ar")))
    assert set(lamp_lines("kr,546.074")) > {546.074, 587.091}
    with pytest.raises(BadSetting, match="are given as 'xe'"):
        lamp_lines("hg,xe")


def test_the_file_is_canonical_says_what_it_was_made_of_and_comes_back(tmp_path: Path) -> None:
    source = lamp(tmp_path / "lamp.csv")
    when = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    done = calibrate(Asked(tmp_path / "c.json", lamp=source, serial="S7", settings_id="abc"), when)
    told = json.loads((tmp_path / "c.json").read_bytes())
    assert (tmp_path / "c.json").read_bytes() == done.calibration.as_bytes()
    assert (told["format"], told["serial"], told["settings_id"], told["made"]) == (
        "onclair-calibration/1",
        "S7",
        "abc",
        "2026-03-01T08:00:00+00:00",
    )
    assert told["inputs"] == [{"role": "lamp", "file": "lamp.csv", "sha256": sha256_file(source)}]
    assert read_calibration(tmp_path / "c.json").sha256 == sha256_file(tmp_path / "c.json") == done.as_dict()["sha256"]
    assert told["dark"]["level_counts"] == pytest.approx(200.0, abs=2.0)


def test_a_calibration_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("mine")
    with pytest.raises(NoRoom, match="is there already"):
        calibrate(Asked(tmp_path / "c.json", lamp=lamp(tmp_path / "lamp.csv")))
    assert (tmp_path / "c.json").read_text() == "mine"


def test_the_colour_comes_from_a_source_and_its_certificate_in_photons_or_energy(tmp_path: Path) -> None:
    sensitive = 1.0 + (NM - 590.0) / 600.0
    shone = table(tmp_path / "bright.csv", sample=2e4 * sensitive * (NM / 600.0), dark=np.zeros(PIXELS))
    at = np.array([340.0, 840.0])
    for name, light in (("photons", at / 600.0), ("energy", np.ones(2))):
        certificate = tmp_path / f"{name}.csv"
        rows = "".join(f"{nm},{value},0.02\n" for nm, value in zip(at, light, strict=True))
        certificate.write_text(f"wavelength_nm,{name},relative_error\n{rows}")
        made = calibrate(Asked(tmp_path / f"{name}.json", bright=shone, certificate=certificate)).calibration
        assert made.response is not None
        assert np.allclose(made.response[0] / made.response[0].mean(), sensitive / sensitive.mean(), rtol=1e-6)
        assert np.all(made.response[1] >= 0.02)
    with pytest.raises(BadInput, match="give both or neither"):
        calibrate(Asked(tmp_path / "x.json", bright=shone))


def test_the_white_standard_is_told_a_millisecond(tmp_path: Path) -> None:
    shone = table(tmp_path / "white.csv", sample=np.full(PIXELS, 5300.0), dark=np.full(PIXELS, 300.0))
    with pytest.raises(BadSetting, match="how long the white standard was exposed"):
        calibrate(Asked(tmp_path / "c.json", white=shone))
    made = calibrate(Asked(tmp_path / "c.json", white=shone, integration_ms=20.0)).calibration
    assert made.white_standard is not None
    assert made.white_standard.tolist() == [250.0] * PIXELS


def test_the_usual_light_is_that_of_the_good_measurements_of_a_session(tmp_path: Path) -> None:
    session_of(tmp_path / "phantom", device())
    made = calibrate(Asked(tmp_path / "c.json", contact=tmp_path / "phantom")).calibration
    seen = [prepare(each) for each in measurements(device(), 8)]
    assert all(each.passed for each in seen)
    assert made.usual["measurements"] == made.usual["of"] == 8
    assert made.usual["white"] > 0
    assert made.usual["excitations_nm"] == [385.0, 405.0]
    assert (made.serial, made.data, made.settings_id is None) == (SERIAL, "virtual", False)
    assert made.dark["of"] == "contact"


def test_too_few_good_measurements_in_contact_are_refused_with_the_gate(tmp_path: Path) -> None:
    session_of(tmp_path / "air", device(touch=0.0))
    with pytest.raises(BadCase, match=r"0 of 8 measurements of air pass every gate and 5 are needed; '\w+' closed on 8"):
        calibrate(Asked(tmp_path / "c.json", contact=tmp_path / "air"))


def test_a_saturated_white_standard_is_refused(tmp_path: Path) -> None:
    session_of(tmp_path / "glare", phantom(device(3), light=40.0), 2)
    with pytest.raises(BadCase, match="White frames of glare are saturated"):
        calibrate(Asked(tmp_path / "c.json", white=tmp_path / "glare"))


def test_what_two_spectrometers_measured_is_refused(tmp_path: Path) -> None:
    session_of(tmp_path / "phantom", device())
    with pytest.raises(BadInput, match="is of the spectrometer"):
        calibrate(Asked(tmp_path / "c.json", contact=tmp_path / "phantom", serial="OTHER"))
    short = tmp_path / "lamp.csv"
    short.write_text("wavelength_nm,sample\n" + "".join(f"{nm},{nm}\n" for nm in range(400, 700)))
    with pytest.raises(BadInput, match="give what one spectrometer measured"):
        calibrate(Asked(tmp_path / "c.json", contact=tmp_path / "phantom", lamp=short))
    with pytest.raises(BadInput, match="Nothing was given"):
        calibrate(Asked(tmp_path / "c.json"))


def test_another_serial_number_other_pixels_and_other_excitations_do_not_fit() -> None:
    known = Calibration(axis_of(NM), "2026-01-01T00:00:00+00:00", serial="A", usual={"white": 1.0, "excitations_nm": [385.0, 405.0]})
    assert why_unfit(known, axis_of(NM), "A", (405.0, 385.0)) is None
    assert "'A' and this is 'B'" in str(why_unfit(known, axis_of(NM), "B"))
    assert "were not corrected yet" in str(why_unfit(known, axis_of(NM + 0.8), "A"))
    assert "under 385 and 405 nm, and the settings ask for 405 nm" in str(why_unfit(known, axis_of(NM), "A", (405.0,)))


def test_an_old_calibration_and_an_unknown_serial_number_are_warned_of() -> None:
    def codes(days: float, serial: str | None) -> list[str]:
        made = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        return [each["code"] for each in ageing(Calibration(axis_of(NM), made, serial="A", usual={"white": 1.0}), serial)]

    assert codes(1, "A") == []
    assert codes(9, "A") == ["calibration_old"]
    assert codes(1, None) == ["serial_unknown"]
    assert [each["code"] for each in ageing(None, "A")] == ["not_calibrated"]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("axis", {"pixels": "2", "nm": [1, 2, 3]}),
        ("made", "yesterday"),
        ("wavelength", {"correction": ["x"]}),
        ("response", {"value": [1.0], "relative_error": [0.1]}),
        ("white_standard", [1.0]),
        ("usual", {"white": -1.0}),
        ("nonlinearity", [None]),
        ("data", "mine"),
    ],
)
def test_a_damaged_part_of_the_file_is_named(part: str, value: object) -> None:
    good = Calibration(Axis(2, 1.0, 2.0, 2.0), "2026-01-01T00:00:00+00:00").as_dict()
    assert calibration_from(json.dumps(good).encode(), "c.json").axis.pixels == 2
    with pytest.raises(BadInput, match=f"The part '{part}' of the calibration c.json"):
        calibration_from(json.dumps({**good, part: value}).encode(), "c.json")


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"format": "other"}')
    with pytest.raises(BadInput, match="is no calibration"):
        read_calibration(tmp_path / "c.json")
    with pytest.raises(BadInput, match="cannot be read"):
        read_calibration(tmp_path / "none.json")
