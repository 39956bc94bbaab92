"""`onclair spectra convert` as a user calls it: tables, names, warnings, and files that are no good."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import onclair, onclair_here

OCEAN = "SpectraSuite Data File\nIntegration Time (usec): 20000 (USB1)\nSpectra Averaged: 5 (USB1)\n>>>>>Begin<<<<<\n400\t1.5\n401\t2.25\n"


@pytest.fixture
def spectrum(tmp_path: Path) -> Path:
    """Return a good file."""
    path = tmp_path / "P1.txt"
    path.write_text(OCEAN)
    return path


def test_a_file_becomes_a_table_and_an_answer_in_json(spectrum: Path, tmp_path: Path) -> None:
    said = onclair("spectra", "convert", spectrum, "--out", tmp_path / "out", "--json")
    assert said.code == 0, said.err
    (file,) = said.json["files"]
    assert (file["file"], file["reader"], file["warnings"]) == (str(spectrum), "ocean-text", [])
    assert file["spectra"] == [
        {
            "role": "processed",
            "pixels": 2,
            "first_nm": 400.0,
            "last_nm": 401.0,
            "unit": "a.u.",
            "integration_ms": 20.0,
            "averages": 5,
            "serial": "USB1",
            "saturated": None,
        }
    ]
    assert Path(file["table"]).read_text() == "wavelength_nm,processed\n400.0,1.5\n401.0,2.25\n"
    assert said.json["skipped"] == []


def test_without_json_it_is_said_in_words(spectrum: Path, tmp_path: Path) -> None:
    said = onclair_here("spectra", "convert", spectrum, "--out", tmp_path / "out")
    assert "(ocean-text): processed; 2 pixels, 400.00 to 401.00 nm, 20 ms. Written:" in said.out


def test_two_files_of_one_stem_and_two_of_one_name_are_all_kept(tmp_path: Path) -> None:
    paths = [tmp_path / place for place in ("a/P1.txt", "a/P1.dat", "b/P1.txt")]
    for value, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"400 {value}\n401 {value}\n")
    said = onclair_here("spectra", "convert", *paths, "--out", tmp_path / "out", "--json")
    tables = [Path(file["table"]) for file in said.json["files"]]
    assert [table.name for table in tables] == ["P1.txt.csv", "P1.dat.csv", "P1.txt-2.csv"]
    assert [table.read_text().split("\n")[1] for table in tables] == ["400.0,0.0", "400.0,1.0", "400.0,2.0"]


def test_a_file_that_lies_in_the_folder_is_never_replaced(spectrum: Path, tmp_path: Path) -> None:
    (tmp_path / "P1.csv").write_text("400,7\n401,8\n")
    said = onclair_here("spectra", "convert", spectrum, "--out", tmp_path, "--json")
    assert Path(said.json["files"][0]["table"]).name == "P1.txt.csv"
    assert (tmp_path / "P1.csv").read_text() == "400,7\n401,8\n"


def test_the_same_conversion_twice_is_one_table(spectrum: Path, tmp_path: Path) -> None:
    for _ in range(2):
        onclair_here("spectra", "convert", spectrum, "--out", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["P1.csv"]


def test_a_bad_file_among_good_ones_stops_all_before_anything_is_written(spectrum: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("prose\n")
    said = onclair_here("spectra", "convert", spectrum, tmp_path / "bad.txt", "--out", tmp_path / "out")
    assert said.code == 2
    assert "bad.txt cannot be used: its format is unknown" in said.err
    assert "Nothing was written; --skip-bad goes on without it." in said.err
    assert not (tmp_path / "out").exists()


def test_with_skip_bad_the_good_are_written_and_the_bad_are_listed(spectrum: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("400 2\n400 3\n")
    said = onclair_here("spectra", "convert", spectrum, tmp_path / "bad.txt", "--skip-bad", "--out", tmp_path / "out", "--json")
    assert said.code == 0
    assert [Path(file["table"]).name for file in said.json["files"]] == ["P1.csv"]
    (left,) = said.json["skipped"]
    assert left["file"] == str(tmp_path / "bad.txt")
    assert "line 2: the wavelength is 400 nm twice" in left["reason"]


def test_nothing_but_bad_files_is_refused_even_with_skip_bad(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("prose\n")
    said = onclair_here("spectra", "convert", tmp_path / "bad.txt", "--skip-bad", "--out", tmp_path / "out")
    assert said.code == 2
    assert "None of the 1 files could be read. The first: bad.txt" in said.err


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    said = onclair_here("spectra", "convert", tmp_path / "none.txt", "--out", tmp_path / "out")
    assert said.code == 2
    assert "none.txt cannot be used: there is no such file" in said.err


def test_a_warning_is_said_and_in_the_answer(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(OCEAN.replace(">>>>>", "Number of Pixels in Spectrum: 1\n>>>>>"))
    said = onclair_here("spectra", "convert", tmp_path / "a.txt", "--out", tmp_path / "out", "--json")
    assert [warning["code"] for warning in said.json["files"][0]["warnings"]] == ["pixel_count"]


@pytest.mark.parametrize("rows", ["", "420,\n421,\n"])
def test_a_table_without_a_spectrum_is_said_to_hold_none(tmp_path: Path, rows: str) -> None:
    (tmp_path / "a.csv").write_text("wavelength_nm,sample\n" + rows)
    said = onclair_here("spectra", "convert", tmp_path / "a.csv", "--out", tmp_path / "out")
    assert (said.code, "and no spectrum" in said.err, (tmp_path / "out").exists()) == (2, True, False)


def test_pixels_without_a_number_are_named_in_words_and_in_json(tmp_path: Path) -> None:
    (tmp_path / "P1.txt").write_text("400 1\n401 nan\n402 3\n")
    said = onclair_here("spectra", "convert", tmp_path / "P1.txt", "--out", tmp_path / "out")
    assert (said.code, "P1.txt: 1 pixel holds no number in 'processed' (the first is pixel 2 at 401.00 nm)" in said.err) == (0, True)
    told = onclair_here("spectra", "convert", tmp_path / "P1.txt", "--out", tmp_path / "out", "--json").json
    assert [each["code"] for each in told["files"][0]["warnings"]] == ["nan_pixels"]
    assert (tmp_path / "out" / "P1.csv").read_text() == "wavelength_nm,processed\n400.0,1.0\n401.0,\n402.0,3.0\n"


def test_a_calibration_corrects_the_wavelengths_once_and_refuses_another_spectrometer(spectrum: Path, tmp_path: Path) -> None:
    import numpy as np

    from onclair.io.spectra.calibration import Calibration, axis_of

    axis = axis_of(np.array([400.0, 401.0]))
    for name, serial in (("c.json", "USB1"), ("other.json", "USB2")):
        known = Calibration(axis, "2026-01-01T00:00:00+00:00", serial=serial, wavelength={"correction": [-0.5, 0.25]})
        (tmp_path / name).write_bytes(known.as_bytes())
    convert = ("spectra", "convert")
    said = onclair_here(*convert, spectrum, "--calibration", tmp_path / "c.json", "--out", tmp_path / "out", "--json")
    assert (said.json["files"][0]["spectra"][0]["first_nm"], said.json["files"][0]["spectra"][0]["last_nm"]) == (399.5, 400.75)
    other = onclair_here(*convert, spectrum, "--calibration", tmp_path / "other.json", "--out", tmp_path / "out2")
    assert (other.code, "'USB2' and this is 'USB1'" in other.err) == (2, True)
    again = onclair_here(*convert, tmp_path / "out" / "P1.csv", "--calibration", tmp_path / "c.json", "--out", tmp_path / "out3")
    assert (again.code, "were not corrected yet" in again.err) == (2, True)
