"""Which file a row of an ABOUT names: one of those given, or one beside it, never one outside of its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from onclair.core.errors import BadInput
from onclair.io.spectra.cases import cases_from_about

HEADER = "column,point,excitation_nm,integration_ms,file\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two tables of one name in two folders beside an ABOUT, and one outside."""
    for folder in ("home/a", "home/b", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "s.csv").write_text("wavelength_nm,lit\n500,7\n501,9\n")
    return tmp_path / "home"


def places(home: Path, rows: list[str], *files: Path) -> list[str]:
    about = home / "about.csv"
    about.write_text(HEADER + "".join(f"lit,P{n},405,20,{row}\n" for n, row in enumerate(rows)))
    return list(cases_from_about(files, about).acquisitions["path"])


def test_a_path_from_the_folder_of_the_about_names_its_file(home: Path) -> None:
    found = places(home, ["a/s.csv", "b/s.csv"], home / "a" / "s.csv", home / "b" / "s.csv")
    assert found == [str(home / "a" / "s.csv"), str(home / "b" / "s.csv")]


def test_a_file_beside_the_about_need_not_be_given(home: Path) -> None:
    assert places(home, ["a/s.csv", "b/s.csv"], home / "a" / "s.csv")[1] == str(home / "b" / "s.csv")


def test_the_name_of_a_given_file_is_enough_wherever_it_lies(home: Path) -> None:
    outside = home.parent / "elsewhere" / "s.csv"
    assert places(home, ["s.csv"], outside) == [str(outside)]
    assert places(home, ["../elsewhere/s.csv"], outside) == [str(outside)]


@pytest.mark.parametrize("row", ["../elsewhere/s.csv", "a/../../elsewhere/s.csv", "link/s.csv", "/elsewhere/s.csv"])
def test_no_row_leads_out_of_the_folder(home: Path, row: str) -> None:
    (home / "link").symlink_to(home.parent / "elsewhere")
    with pytest.raises(BadInput, match="lies outside of its folder"):
        places(home, [row], home / "a" / "s.csv")


def test_one_name_for_two_files_is_refused(home: Path) -> None:
    with pytest.raises(BadInput, match=r"2 files of that name were given; write its path from the folder of about\.csv"):
        places(home, ["s.csv"], home / "a" / "s.csv", home / "b" / "s.csv")


def test_a_file_that_is_nowhere_is_refused_with_the_nearest_name(home: Path) -> None:
    with pytest.raises(BadInput, match=r"was not given and does not lie beside it; did you mean 's\.csv'"):
        places(home, ["x.csv"], home / "a" / "s.csv")
