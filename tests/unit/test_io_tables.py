"""Any user's table is read, and what was unusual is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from onclair.core.errors import BadTable
from onclair.io.tables import Table, read_parquet, read_table, write_parquet, write_table


def table(tmp_path: Path, data: bytes | str, name: str = "t.csv", **options: object) -> Table:
    (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return read_table(tmp_path / name, **options)


def codes(read: Table) -> list[str]:
    assert all(note["text"].endswith(".") and "t." in note["text"] for note in read.notes)
    return [note["code"] for note in read.notes]


def test_a_plain_table_needs_no_note(tmp_path: Path):
    read = table(tmp_path, "patient,age,suv\nA,61,2.5\nB,,NA\n")
    assert read.notes == ()
    assert read.frame["age"].tolist()[0] == 61
    assert read.frame["suv"].isna().tolist() == [False, True]


def test_semicolons_with_decimal_commas_are_read_and_said(tmp_path: Path):
    read = table(tmp_path, "patient;suv;vol\nA;2,5;1.234,5\nB;3;7\n")
    assert read.frame["suv"].tolist() == [2.5, 3.0]
    assert read.frame["vol"].tolist() == [1234.5, 7.0]
    assert codes(read) == ["delimiter", "decimal_comma"]


def test_quoted_decimal_commas_between_commas_are_read_and_said(tmp_path: Path):
    read = table(tmp_path, 'patient,suv,n\nA,"2,5",1\nB,"0,75",2\n')
    assert read.frame["suv"].tolist() == [2.5, 0.75]
    assert codes(read) == ["decimal_comma"]


def test_a_comma_that_may_mean_two_things_is_refused(tmp_path: Path):
    with pytest.raises(BadTable, match=r"t.csv holds '1,234', which may mean 1.234 or 1234"):
        table(tmp_path, 'patient,vol\nA,"1,234"\n')


def test_thousands_between_commas_are_read_when_they_can_mean_nothing_else(tmp_path: Path):
    assert table(tmp_path, 'patient,vol\nA,"1,234.5"\nB,"1,234"\n').frame["vol"].tolist() == [1234.5, 1234.0]


def test_tabs_in_a_csv_are_read_and_said_and_in_a_tsv_expected(tmp_path: Path):
    assert codes(table(tmp_path, "a\tb\n1\t2\n")) == ["delimiter"]
    assert codes(table(tmp_path, "a\tb\n1\t2\n", "t.tsv")) == []


def test_a_byte_order_mark_does_not_become_part_of_a_name(tmp_path: Path):
    read = table(tmp_path, b"\xef\xbb\xbfpatient,x\nA,1\n")
    assert list(read.frame.columns) == ["patient", "x"]
    assert codes(read) == ["byte_order_mark"]


def test_latin_1_is_read_and_said(tmp_path: Path):
    read = table(tmp_path, "patient,centre\nA,Besançon – Nord\n".encode("cp1252"))
    assert read.frame["centre"].tolist() == ["Besançon – Nord"]
    assert codes(read) == ["encoding"]


def test_utf_16_is_read_and_said(tmp_path: Path):
    assert codes(table(tmp_path, "a\tb\n1\té\n".encode("utf-16"), "t.tsv")) == ["encoding"]


def test_mixed_line_ends_are_read_and_said(tmp_path: Path):
    read = table(tmp_path, b"a,b\r\n1,2\n3,4\r\n")
    assert read.frame["b"].tolist() == [2, 4]
    assert codes(read) == ["line_ends"]
    assert table(tmp_path, b"a,b\r1,2\r").frame["b"].tolist() == [2]


@pytest.mark.parametrize("word", ["#NAME?", "#N/A", "no data", "N/A"])
def test_words_that_mean_missing_are_read_as_missing_and_said(tmp_path: Path, word: str):
    read = table(tmp_path, f"a,b\n1,{word}\n2,5\n")
    assert read.frame["b"].isna().tolist() == [True, False]
    assert codes(read) == ["missing_words"]
    assert f"1 of '{word}'" in read.notes[0]["text"]


def test_codes_keep_their_leading_zeros(tmp_path: Path):
    read = table(tmp_path, "patient,mrn\n007,0012\n010,0013\n", text=("patient",))
    assert read.frame["patient"].tolist() == ["007", "010"]
    assert read.frame["mrn"].tolist() == ["0012", "0013"]


def test_a_text_column_keeps_numbers_and_words_as_they_are(tmp_path: Path):
    assert table(tmp_path, "patient,x\n1,1\nNA,2\n", text=("patient",)).frame["patient"].tolist() == ["1", "NA"]


def test_numbers_too_long_for_a_float_stay_text(tmp_path: Path):
    assert table(tmp_path, "a,b\n12345678901234567,1\n").frame["a"].tolist() == ["12345678901234567"]


def test_true_and_false_are_read(tmp_path: Path):
    assert table(tmp_path, "a,b\n1,TRUE\n2,False\n").frame["b"].tolist() == [True, False]


def test_quotes_commas_and_line_ends_within_a_cell_survive(tmp_path: Path):
    assert table(tmp_path, 'a,b\n"x, ""y""\nz",1\n').frame["a"].tolist() == ['x, "y"\nz']


def test_a_column_without_a_name_is_given_one_and_said(tmp_path: Path):
    read = table(tmp_path, ",event\nA,1\n")
    assert list(read.frame.columns) == ["column_1", "event"]
    assert codes(read) == ["unnamed_column"]


def test_empty_columns_at_the_end_and_empty_rows_are_left_out(tmp_path: Path):
    assert table(tmp_path, "a,b,,\n1,2,,\n,,,\n").frame.shape == (1, 2)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "t.csv is empty"),
        (b"\xef\xbb\xbf\n\n", "t.csv is empty"),
        (b"a,b\n", "t.csv holds a header and no row"),
        (b"a,b,a\n1,2,3\n", "t.csv has 2 columns named 'a'"),
        (b"a,b\n1,2\n3\n", "1 cells in line 3 where the header has 2"),
        (b"a,b\n1,2,5\n3,4\n5,6\n7,8\n9,1\n", "3 cells in line 2 where the header has 2"),
        (b"a,b\n1,\x002\n", "t.csv holds a NUL byte in line 2"),
        (b'a,b\n1,"2\n', "t.csv cannot be read in line 2"),
        (b"\xd0\xcf\x11\xe0rest", "old .xls kind"),
        (b"PK\x03\x04rest", "t.csv is no readable workbook"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, data: bytes, sentence: str):
    with pytest.raises(BadTable, match=sentence):
        table(tmp_path, data)


def test_a_missing_table_is_named(tmp_path: Path):
    with pytest.raises(BadTable, match=r"t.csv cannot be read: there is no such file"):
        read_table(tmp_path / "t.csv")


def workbook(path: Path, rows: list[list[object]]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return book


def test_a_workbook_is_read_with_its_first_sheet_and_the_others_said(tmp_path: Path):
    book = workbook(tmp_path / "t.xlsx", [["patient", "suv", "when"], [7, 2.5, pd.Timestamp("2020-01-02")], [8, "#N/A", None]])
    book.create_sheet("notes")
    book.active.cell(2, 1).number_format = "000"
    book.save(tmp_path / "t.xlsx")
    read = read_table(tmp_path / "t.xlsx", text=("patient",))
    assert read.frame["patient"].tolist() == ["007", "8"]
    assert read.frame["suv"].isna().tolist() == [False, True]
    assert read.frame["when"].tolist()[0] == "2020-01-02"
    assert codes(read) == ["sheets", "missing_words"]


def test_a_frame_is_written_exactly_and_equally(tmp_path: Path):
    frame = pd.DataFrame({"patient": ["01", "b,c"], "x": [0.1 + 0.2, np.nan], "n": [1, 2], "ok": [True, False]})
    write_table(tmp_path / "t.csv", frame)
    assert (tmp_path / "t.csv").read_bytes() == b'patient,x,n,ok\n01,0.30000000000000004,1,True\n"b,c",,2,False\n'
    again = read_table(tmp_path / "t.csv", text=("patient",)).frame
    pd.testing.assert_frame_equal(again, frame, check_dtype=False)


def test_parquet_is_equal_for_equal_frames_and_holds_no_pandas_metadata(tmp_path: Path):
    frame = pd.DataFrame({"patient": ["01", None], "x": [0.1, np.nan], "n": [1, 2]})
    write_parquet(tmp_path / "a.parquet", frame)
    write_parquet(tmp_path / "b.parquet", frame.copy().set_index(pd.Index([5, 6])))
    data = (tmp_path / "a.parquet").read_bytes()
    assert data == (tmp_path / "b.parquet").read_bytes()
    assert b"pandas" not in data
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "a.parquet"), frame, check_dtype=False)


def test_a_damaged_parquet_is_refused(tmp_path: Path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadTable, match=r"a.parquet is no readable Parquet table"):
        read_parquet(tmp_path / "a.parquet")
