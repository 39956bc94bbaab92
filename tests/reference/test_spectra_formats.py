"""Every family of instruments' files against the makers' own exports and the counts that are known of each file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from commandline import onclair_here
from onclair.core.errors import BadCase
from onclair.io.spectra.reading import InstrumentFile, read_instrument

LIGHTR = "spectra/instrument_formats/lightr"

#: File -> (pixels, first nm, last nm, integration ms, roles), as far as it is known.
KNOWN = {
    "compare/Avantes/30849.RFL8": (1612, 176.14, 1100.291, 30.0, "sample dark reference"),
    "compare/Avantes/NEW0601.TRM": (3648, 232.08, 797.21, 23.16, "sample dark reference"),
    "compare/CRAIC/CRAIC.spc": (3761, 280.11, 949.93, None, "processed"),
    "compare/OceanInsight/BB_PF21_4.ProcSpec": (3648, 176.36, 893.69, 10.0, "processed sample dark reference"),
    "procspec_files/OceanOptics_badencode.ProcSpec": (2048, 179.252, 882.690, 20.0, "processed dark reference"),
    "procspec_files/OceanOptics_Windows.ProcSpec": (2048, 190.939, 888.234, 60.0, "processed sample dark reference"),
    "1904090M1_0003.Raw8": (1019, 300.014, 899.875, 50.0, "sample dark reference"),
    "eg.IRR8": (1620, 144.942, 1100.441, 2085.606, "sample dark reference"),
    "avantes2.TRM": (1442, 275.272, 1100.133, 150.0, "sample dark reference"),
    "OOusb4000.txt": (3648, 178.65, 888.37, 20.0, "processed"),
    "UK5.txt": (1044, 199.52, 1008.76, 140.0, "processed"),
    "jazspec.jaz": (2048, 190.853, 886.439, 24.0, "processed sample dark reference"),
    "irrad.JazIrrad": (2048, 191.016, None, 495.0, "processed sample dark"),
    "OceanView.txt": (2389, 187.92, 2116.5, 20.0, "processed"),
    "non_english/OO_comma.txt": (2048, 178.23, 884.34, 70.0, "processed"),
    "non_english/OceanView_nonEN.txt": (2048, 190.74, 889.44, 3000.0, "processed"),
    "non_english/J_MUR_MARS_17_0001.ttt": (1453, 299.87, 700.0, 175.0, "processed sample dark reference"),
    "non_english/OceanOptics_comma.jdx": (3648, 176.36, 893.69, None, "processed dark reference"),
    "OceanOptics_period.jdx": (3648, 176.36, 893.69, None, "processed dark reference"),
    "OceanOptics.spc": (3648, 176.36, 893.69, None, "processed"),
    "../wrighttools/tsunami.scope": (2048, 339.95, 1013.55, 8.0, "sample"),
    "avasoft8.txt": (401, 300.0, 700.0, 6.0, "processed sample dark reference"),
    "avantes_export.ttt": (401, 300.0, 700.0, 100.0, "processed"),
    "avantes_export_long.ttt": (1442, 275.27, 1100.13, 150.0, "processed sample dark reference"),
    "spec.csv": (1994, 299.99, 700.03, None, "processed"),
    "RS-1.dpt": (3439, 800.445, 2500.135, None, "processed"),
}
AVERAGES = {
    "compare/Avantes/30849.RFL8": 20,
    "compare/Avantes/NEW0601.TRM": 5,
    "compare/OceanInsight/BB_PF21_4.ProcSpec": 40,
    "procspec_files/OceanOptics_Windows.ProcSpec": 15,
}
#: Half the last digit of a wavelength printed with two decimals, and what a float32 adds to it.
HALF_A_DIGIT = 0.005 + 1e-4


def half_last_digit(printed: str) -> float:
    """Return half of the last printed digit."""
    return 0.5 * 10.0 ** -len(printed.partition(".")[2])


def of(file: InstrumentFile, role: str) -> np.ndarray:
    return next(each.values for each in file.recordings if each.role == role)


@pytest.mark.parametrize("path", KNOWN)
def test_a_file_has_the_pixels_wavelengths_and_integration_time_that_are_known_of_it(path: str, reference_data: Path) -> None:
    pixels, first, last, integration, roles = KNOWN[path]
    file = read_instrument(reference_data / LIGHTR / path)
    assert {each.role for each in file.recordings} == set(roles.split())
    for each in file.recordings:
        assert each.values.shape == each.wavelength_nm.shape == (pixels,)
        assert each.wavelength_nm[0] == pytest.approx(first, abs=0.006)
        assert last is None or each.wavelength_nm[-1] == pytest.approx(last, abs=0.006)
        assert integration is None or each.integration_ms == pytest.approx(integration, abs=0.001)
        assert path not in AVERAGES or each.averages == AVERAGES[path]


def test_the_reflectance_of_an_rfl8_file_is_that_of_its_export(reference_data: Path) -> None:
    folder = reference_data / LIGHTR / "compare/Avantes"
    file = read_instrument(folder / "30849.RFL8")
    printed = np.loadtxt(folder / "30849.csv", delimiter=",")
    reflectance = 100 * (of(file, "sample") - of(file, "dark")) / (of(file, "reference") - of(file, "dark"))
    assert np.abs(file.recordings[0].wavelength_nm - printed[:, 0]).max() < 0.0006
    assert np.abs(reflectance - printed[:, 1]).max() < 1e-9


def test_the_counts_of_a_trm_file_are_those_of_its_export_to_half_a_printed_digit(reference_data: Path) -> None:
    folder = reference_data / LIGHTR / "compare/Avantes"
    file, export = read_instrument(folder / "NEW0601.TRM"), read_instrument(folder / "NEW0601.ttt")
    lines = (folder / "NEW0601.ttt").read_text("latin-1").splitlines()
    printed = [line.strip().split(";") for line in lines if line[:1].isdigit() and line.count(";") == 4]
    assert np.abs(file.recordings[0].wavelength_nm - export.recordings[0].wavelength_nm).max() < 0.006
    for column, role in enumerate(("dark", "reference", "sample"), start=1):
        error = np.abs(of(file, role) - np.array([float(row[column]) for row in printed]))
        tolerance = np.array([half_last_digit(row[column]) for row in printed])
        assert (error <= tolerance + np.finfo(np.float32).eps * np.abs(of(file, role))).all()


def test_an_spc_file_is_its_export(reference_data: Path) -> None:
    folder = reference_data / LIGHTR / "compare/CRAIC"
    file, export = read_instrument(folder / "CRAIC.spc").recordings[0], read_instrument(folder / "CRAIC.txt").recordings[0]
    assert file.values.size == 3761
    assert np.abs(file.wavelength_nm - export.wavelength_nm).max() < 0.0051
    assert np.abs(file.values - export.values).max() < 6e-5


def test_a_procspec_file_is_its_export(reference_data: Path) -> None:
    folder = reference_data / LIGHTR / "compare/OceanInsight"
    file, export = read_instrument(folder / "BB_PF21_4.ProcSpec").recordings[0], read_instrument(folder / "BB_PF21_4.txt").recordings[0]
    assert (file.role, file.unit) == ("processed", "%")
    assert np.abs(file.wavelength_nm - export.wavelength_nm).max() < 0.0051
    assert np.abs(file.values - export.values).max() < 6e-4


def test_the_procspec_file_with_bad_bytes_says_what_disagrees(reference_data: Path) -> None:
    file = read_instrument(reference_data / LIGHTR / "procspec_files/OceanOptics_badencode.ProcSpec")
    said = {warning["code"]: warning["text"] for warning in file.warnings}
    assert set(said) == {"saturated", "pixel_count"}
    assert "reference" in said["saturated"]
    assert "2049" in said["pixel_count"]
    assert {each.role: each.saturated for each in file.recordings} == {"processed": None, "dark": False, "reference": True}


def test_all_rows_of_the_oceanview_file_are_kept_and_its_header_is_contradicted(reference_data: Path) -> None:
    file = read_instrument(reference_data / LIGHTR / "OceanView.txt")
    assert [warning["code"] for warning in file.warnings] == ["pixel_count"]
    assert file.recordings[0].values[-1] == 4.6991


def test_the_two_jcamp_files_are_three_blocks_each_whatever_their_decimal_sign(reference_data: Path) -> None:
    comma, period = (
        read_instrument(reference_data / LIGHTR / path) for path in ("non_english/OceanOptics_comma.jdx", "OceanOptics_period.jdx")
    )
    assert [each.role for each in comma.recordings] == [each.role for each in period.recordings] == ["processed", "dark", "reference"]
    assert np.array_equal(comma.recordings[0].wavelength_nm, period.recordings[0].wavelength_nm)
    assert (of(comma, "processed")[3], of(period, "processed")[3]) == (1479.043, 1647.796)


def test_the_binary_and_the_text_of_one_avantes_instrument_have_the_same_wavelengths(reference_data: Path) -> None:
    binary, text = (read_instrument(reference_data / LIGHTR / path) for path in ("avantes2.TRM", "avantes_export_long.ttt"))
    assert binary.recordings[0].serial == text.recordings[0].serial == "1305084U1"
    assert np.abs(binary.recordings[0].wavelength_nm - text.recordings[0].wavelength_nm).max() < HALF_A_DIGIT


def test_the_two_exports_of_one_ocean_instrument_tell_the_same_integration_time(reference_data: Path) -> None:
    spc, jcamp = (read_instrument(reference_data / LIGHTR / path) for path in ("OceanOptics.spc", "non_english/OceanOptics_comma.jdx"))
    assert spc.recordings[0].integration_ms == jcamp.recordings[0].integration_ms == 200.0


def test_a_file_of_no_known_format_is_refused(reference_data: Path) -> None:
    with pytest.raises(BadCase, match=r"failfile\.fail cannot be used: its format is unknown; give text"):
        read_instrument(reference_data / LIGHTR / "failfile.fail")


def test_the_command_converts_every_file_and_loses_no_digit(reference_data: Path, tmp_path: Path) -> None:
    paths = [reference_data / LIGHTR / path for path in (*KNOWN, "compare/Avantes/NEW0601.ttt", "compare/Avantes/30849.csv")]
    said = onclair_here("spectra", "convert", *paths, "--out", tmp_path / "tables", "--json")
    assert said.code == 0, said.err
    files = said.json["files"]
    assert [Path(file["file"]).name for file in files] == [path.name for path in paths]
    assert len({file["table"] for file in files}) == len(paths)
    for file, path in zip(files, paths, strict=True):
        read = read_instrument(path)
        header = Path(file["table"]).read_text().partition("\n")[0]
        assert header.split(",") == ["wavelength_nm", *(each["role"] for each in file["spectra"])]
        table = np.loadtxt(file["table"], delimiter=",", skiprows=1, unpack=True)
        assert np.array_equal(table, np.array([read.recordings[0].wavelength_nm, *(each.values for each in read.recordings)]))
        assert file["sha256"] == read.sha256


def test_the_command_refuses_the_unknown_file_and_writes_nothing(reference_data: Path, tmp_path: Path) -> None:
    good, bad = reference_data / LIGHTR / "UK5.txt", reference_data / LIGHTR / "failfile.fail"
    said = onclair_here("spectra", "convert", good, bad, "--out", tmp_path / "tables")
    assert said.code == 2
    assert "failfile.fail cannot be used" in said.err
    assert not (tmp_path / "tables").exists()
