"""Tables of spectra, what describes them, and the measurements of a patient: what is read, and what is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadCohort, BadTable
from onclair.core.values import Measurement
from onclair.io.spectra.about import read_measurements
from onclair.io.spectra.cohort import measurements_of
from onclair.io.spectra.table import read_spectra_table, write_spectra_table

TABLE = "wavelength_nm,a,b,off,lamp,black\n500.0,10,20,3,40,1\n500.5,11,21,3,41,2\n501.0,12,22,3,42,1\n"
HEADER = "column,point,kind,excitation_nm,integration_ms"
FULL = f"{HEADER}\na,P1,fluorescence,385,20\nb,P1,,405,20\noff,P1,lamp_off,,20\nlamp,P1,white,,20\nblack,,dark,,20\n"


def measured(folder: Path, about: str, table: str = TABLE) -> tuple[Measurement, ...]:
    (folder / "t.csv").write_text(table)
    (folder / "about.csv").write_text(about)
    return read_measurements(folder / "t.csv", folder / "about.csv")


def why(folder: Path, about: str, table: str = TABLE) -> str:
    """Return the sentence by which a table or its description is refused."""
    with pytest.raises(BadTable) as refusal:
        measured(folder, about, table)
    return str(refusal.value)


def test_rows_that_share_a_point_are_one_measurement_of_every_kind(tmp_path: Path) -> None:
    (found,) = measured(tmp_path, FULL)
    assert (found.point, found.excitations_nm) == ("P1", (385.0, 405.0))
    assert [spectrum.frame for spectrum in (*found.frames, *found.lamp_off, *found.white)] == ["a", "b", "off", "lamp"]
    assert [spectrum.excitation_nm for spectrum in (*found.lamp_off, *found.white)] == [None, None]
    assert found.frames[0].counts.tolist() == [10, 11, 12]


def test_a_dark_without_a_point_is_the_dark_of_every_spectrum(tmp_path: Path) -> None:
    (found,) = measured(tmp_path, FULL)
    assert [spectrum.dark.tolist() for spectrum in (*found.frames, *found.lamp_off, *found.white)] == [[1, 2, 1]] * 4


def test_without_a_point_each_column_is_a_point_of_its_own(tmp_path: Path) -> None:
    found = measured(tmp_path, "column,excitation_nm,integration_ms\na,405,20\nb,405,30\n")
    assert [(each.point, each.frames[0].integration_ms, each.frames[0].dark) for each in found] == [("a", 20.0, None), ("b", 30.0, None)]


def test_two_darks_of_one_integration_time_are_averaged_by_their_averages(tmp_path: Path) -> None:
    about = "column,point,kind,excitation_nm,integration_ms,averages\na,P,,405,20,1\nblack,P,dark,,20,3\noff,P,dark,,20,1\n"
    assert measured(tmp_path, about)[0].frames[0].dark.tolist() == [1.5, 2.25, 1.5]


def test_a_point_takes_its_own_dark_before_that_of_all_points(tmp_path: Path) -> None:
    about = f"{HEADER}\na,P1,,405,20\nb,P2,,405,20\nblack,,dark,,20\noff,P2,dark,,20\n"
    assert [each.frames[0].dark.tolist() for each in measured(tmp_path, about)] == [[1, 2, 1], [3, 3, 3]]


def test_the_detector_the_power_and_the_place_are_read(tmp_path: Path) -> None:
    names = "averages,saturation_counts,read_noise_counts,gain_counts_per_electron,power_relative,x_mm,y_mm,z_mm,frame"
    about = f"column,excitation_nm,integration_ms,{names},settings_id,registration_error_mm\n"
    (found,) = measured(tmp_path, f"{about}a,405,20,5,65535,4,0.5,0.8,1.5,-2,3,NAV-1,s7,1.25\n")
    spectrum = found.frames[0]
    assert (spectrum.averages, spectrum.power_relative, spectrum.detector.saturation_counts) == (5, 0.8, 65535.0)
    assert (spectrum.detector.read_noise_counts, spectrum.detector.gain_counts_per_electron) == (4.0, 0.5)
    assert found.pose[:3, 3].tolist() == [1.5, -2.0, 3.0]
    assert (found.frame_of_reference, found.settings_id, found.registration_error_mm) == ("NAV-1", "s7", 1.25)


def test_points_named_by_numbers_keep_their_names(tmp_path: Path) -> None:
    assert [each.point for each in measured(tmp_path, f"{HEADER}\na,01,,405,20\nb,2,,405,20\n")] == ["01", "2"]


@pytest.mark.parametrize(
    ("about", "found"),
    [
        (f"{HEADER}\na,P,,,20\n", "about.csv, row 1: the fluorescence spectrum 'a' has no excitation_nm"),
        (f"{HEADER}\na,P,,405,\n", "the fluorescence spectrum 'a' has no integration_ms"),
        (f"{HEADER}\na,P,,405,20\nblack,P,dark,,30\n", "the dark was taken at 30 ms and the spectrum 'a' of point 'P' at 20 ms"),
        (f"{HEADER}\na,P,,405,20\nblack,,dark,,30\n", "the dark was taken at 30 ms and the spectrum 'a' of point 'P' at 20 ms"),
        (f"{HEADER}\na,P,,405,20\nlamp,P,white,,10\nblack,P,dark,,20\n", "at 20 ms and the spectrum 'lamp' of point 'P' at 10 ms"),
        (f"{HEADER}\na,P,glow,405,20\n", "the kind 'glow' is unknown; known: dark, fluorescence, lamp_off, white."),
        (f"{HEADER}\na,P,,405,20\na,P,,385,20\n", "row 2: the column 'a' is described twice"),
        (f"{HEADER}\nA1,P,,405,20\n", "t.csv has no column 'A1'"),
        (f"{HEADER}\n,P,,405,20\n", "about.csv, row 1: no column is named"),
        (f"{HEADER}\noff,P,lamp_off,,20\n", "the point 'P' has no fluorescence spectrum, only lamp_off"),
        (f"{HEADER}\nblack,,dark,,20\n", "describes no spectrum but the dark"),
        (f"{HEADER}\na,P,,405,0\n", "integration_ms is 0; it must be positive"),
        (f"{HEADER}\na,P,,4050,20\n", "excitation_nm is 4050"),
        (f"{HEADER}\na,P,,blue,20\n", "excitation_nm is 'blue', which is no number"),
        (f"{HEADER},averages\na,P,,405,20,0.5\n", "averages is 0.5; give a whole number from 1"),
        (f"{HEADER},averagse\na,P,,405,20,5\n", "has a column 'averagse', which nothing reads; did you mean 'averages'?"),
        ("column,point\na,P\n", "about.csv has no column 'integration_ms'"),
        (f"{HEADER},x_mm,y_mm\na,P,,405,20,1,2\n", "the place of point 'P' lacks one of x_mm, y_mm, z_mm"),
        (f"{HEADER},settings_id\na,P,,405,20,s1\nb,P,,385,20,s2\n", "row 2: settings_id of the point 'P' is s2 here and s1 before"),
        (f"{HEADER},saturation_counts\na,P,,405,20,-1\n", "The saturation_counts of the detector is -1"),
        (f"{HEADER},power_relative\na,P,,405,20,0\n", "power 0.0: all must be positive"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused(about: str, found: str, tmp_path: Path) -> None:
    assert found in why(tmp_path, about)


def test_a_dark_of_another_pixel_count_is_refused(tmp_path: Path) -> None:
    table = TABLE.replace("501.0,12,22,3,42,1", "501.0,12,22,3,42,")
    assert "the dark 'black' has 2 pixels, and t.csv has 3" in why(tmp_path, FULL, table)


def test_a_spectrum_with_an_empty_cell_is_refused_with_its_line(tmp_path: Path) -> None:
    table = TABLE.replace("500.5,11", "500.5,")
    assert "t.csv, line 3: column 'a' holds no number (2 of 3 cells do)" in why(tmp_path, FULL, table)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("500.0,11,21,3,41,2", "t.csv, line 3: the wavelength is 500 nm twice"),
        ("499.0,11,21,3,41,2", "t.csv, line 3: the wavelength 499 nm does not lie above 500 nm before it"),
        ("-500.5,11,21,3,41,2", "t.csv, line 3: the wavelength is -500.5 nm, and must be positive"),
        (",11,21,3,41,2", "t.csv, line 3: the wavelength is no number"),
        ("NaN,11,21,3,41,2", "t.csv, line 3: the wavelength is no number"),
        ("\n499.0,11,21,3,41,2", "t.csv, line 4: the wavelength 499 nm does not lie above 500 nm before it"),
        ("500.5,11,21,3,41", "t.csv has 5 cells in line 3 where the header has 6"),
    ],
)
def test_wavelengths_that_do_not_rise_are_refused_with_their_line_and_never_sorted(row: str, found: str, tmp_path: Path) -> None:
    assert found in why(tmp_path, FULL, TABLE.replace("500.5,11,21,3,41,2", row))


def test_wavelengths_beyond_the_range_of_spectrometers_are_refused(tmp_path: Path) -> None:
    assert "must rise strictly within 150 to 2600 nm" in why(tmp_path, FULL, TABLE.replace("500.0,", "140.0,"))


def test_a_table_without_wavelengths_is_refused_and_the_slip_is_named(tmp_path: Path) -> None:
    assert "t.csv has no column 'wavelength_nm'; did you mean 'wavelenght_nm'?" in why(
        tmp_path, FULL, TABLE.replace("wavelength", "wavelenght")
    )


@pytest.mark.parametrize(
    "dialect",
    [
        TABLE,
        TABLE.replace("\n", "\r\n"),
        TABLE.replace(",", ";").replace(".", ","),
        TABLE.replace(",", "\t"),
        "\ufeff" + TABLE,
        TABLE.replace("\n", "\n\n"),
    ],
    ids=["plain", "crlf", "semicolons-and-decimal-commas", "tabs", "byte-order-mark", "empty-lines"],
)
def test_every_dialect_of_a_table_gives_the_same_numbers(dialect: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(dialect, encoding="utf-8", newline="")
    found = read_spectra_table(tmp_path / "t.csv")
    assert found.wavelength_nm.tolist() == [500.0, 500.5, 501.0]
    assert {name: found.counts(name).tolist() for name in ("a", "black")} == {"a": [10, 11, 12], "black": [1, 2, 1]}


def test_a_table_written_and_read_again_has_every_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    columns = {"a": rng.normal(1e3, 10, 500), "b": rng.random(500) * 10.0 ** rng.integers(-300, 300, 500)}
    write_spectra_table(tmp_path / "t.csv", np.sort(rng.uniform(300, 900, 500)), columns)
    found = read_spectra_table(tmp_path / "t.csv")
    assert all(np.array_equal(found.counts(name), values) for name, values in columns.items())


# --- a cohort -------------------------------------------------------------------------------------------------------------------------


def cohort(folder: Path, rows: list[dict[str, object]]) -> Cohort:
    (folder / "spectra").mkdir(exist_ok=True)
    (folder / "spectra" / "A.csv").write_text(TABLE)
    common = {"centre": "C1", "visit": "1", "kind": "fluorescence", "path": "spectra/A.csv", "integration_ms": 20.0, "excitation_nm": 405.0}
    table = pd.DataFrame([{"patient": "A", **common, **row} for row in rows])
    return Cohort(table, pd.DataFrame({"patient": ["A"]}), root=folder)


ROWS: list[dict[str, object]] = [
    {"point": 1, "column": "a"},
    {"point": 1, "column": "off", "kind": "lamp_off", "excitation_nm": np.nan},
    {"point": 2, "column": "b"},
    {"point": 2, "column": "lamp", "kind": "white", "excitation_nm": np.nan},
    {"point": np.nan, "column": "black", "kind": "dark", "excitation_nm": np.nan},
]


def test_a_patient_has_a_measurement_a_point(tmp_path: Path) -> None:
    found = measurements_of(cohort(tmp_path, ROWS), "A")
    assert [(each.point, len(each.frames), len(each.lamp_off), len(each.white)) for each in found] == [("1", 1, 1, 0), ("2", 1, 0, 1)]
    assert found[1].white[0].dark.tolist() == [1, 2, 1]


def test_files_of_other_kinds_are_left_alone(tmp_path: Path) -> None:
    found = measurements_of(cohort(tmp_path, [*ROWS, {"point": 1, "column": np.nan, "kind": "photo", "path": "a.jpg"}]), "A")
    assert [each.point for each in found] == ["1", "2"]


def test_a_row_without_a_column_means_the_only_one_of_its_table(tmp_path: Path) -> None:
    made = cohort(tmp_path, [{"point": "x", "column": np.nan}])
    (tmp_path / "spectra" / "A.csv").write_text("wavelength_nm,counts\n500,7\n501,8\n")
    assert measurements_of(made, "A")[0].frames[0].counts.tolist() == [7, 8]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([{"point": 1, "column": "zz"}], "Patient A: A.csv has no column 'zz'"),
        ([{"point": 1, "column": "a", "path": "spectra/B.csv"}], "Patient A: The table .*B.csv cannot be read: there is no such file"),
        ([{"point": 1, "column": "a", "excitation_nm": np.nan}], "acquisitions.csv, point '1': the fluorescence spectrum 'a' has no"),
        ([{"point": 1, "column": "a", "kind": "pet"}], "Patient A has no spectra in acquisitions.csv"),
    ],
)
def test_the_faults_of_one_patient_name_the_patient_so_that_others_may_go_on(
    rows: list[dict[str, object]], found: str, tmp_path: Path
) -> None:
    with pytest.raises(BadCase, match=found) as refusal:
        measurements_of(cohort(tmp_path, rows), "A")
    assert refusal.value.item == "A"


def test_a_cohort_without_the_columns_of_spectra_is_refused_as_a_whole(tmp_path: Path) -> None:
    made = cohort(tmp_path, ROWS)
    without = Cohort(made.acquisitions.drop(columns="integration_ms"), made.outcomes, root=tmp_path)
    with pytest.raises(BadCohort, match=r"acquisitions\.csv lacks the column 'integration_ms'"):
        measurements_of(without, "A")
