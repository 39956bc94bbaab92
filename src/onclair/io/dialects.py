"""The dialects of users' tables: encodings, delimiters, decimal commas and words that mean "missing".

Whatever departs from plain UTF-8 CSV is read and said: each function returns its notes as ``(code, sentence)``.
"""

from __future__ import annotations

import _csv
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from onclair.core.errors import BadTable

#: Cells that mean "missing", in lower case; empty cells do too.
MISSING_WORDS = frozenset({"na", "n/a", "nan", "null", "no data", "#name?", "#n/a", "#value!", "#div/0!", "#ref!", "#num!", "#null!"})
#: What may separate the cells of a row, the likelier first.
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_POINTED_THOUSANDS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
_COMMA_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_LEADING_ZERO = re.compile(r"[+-]?0\d+")
_LONGEST_INTEGER = 15  # digits that a float64 column still tells apart

Note = tuple[str, str]


class Sheet(NamedTuple):
    """The cells of a table as text, with the line that each row ended on."""

    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str


def decoded(data: bytes, name: str) -> tuple[str, list[Note]]:
    """Return the text of a table and what was unusual in its encoding.

    Parameters
    ----------
    data : bytes
        UTF-8 with or without byte-order mark, UTF-16 with one, or Windows-1252 (of which Latin-1's letters are a part).
    name : str
        Of the file, for sentences.

    Raises
    ------
    BadTable
        For NUL bytes (a binary file), naming the line.

    Examples
    --------
    >>> decoded("café".encode("latin-1"), "a.csv")
    ('café', [('encoding', 'a.csv is not UTF-8; read as Windows-1252 (Latin-1).')])
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace"), [("encoding", f"{name} is UTF-16; read as such.")]
    if (at := data.find(b"\0")) >= 0:
        line = data[:at].count(b"\n") + 1
        raise BadTable(f"{name} holds a NUL byte in line {line}: it is no text table; save it as CSV or XLSX again.", item=name)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        encoding = "cp1252" if not set(data) & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "latin-1"
        return data.decode(encoding), [("encoding", f"{name} is not UTF-8; read as Windows-1252 (Latin-1).")]
    if text.startswith("\ufeff"):
        return text[1:], [("byte_order_mark", f"{name} starts with a byte-order mark; it was left out.")]
    return text, []


def separated(text: str, name: str) -> tuple[Sheet, list[Note]]:
    r"""Return the cells of a delimited text, its delimiter found by what makes the rows even.

    Raises
    ------
    BadTable
        For an empty table, a header alone, or a row with another number of cells than the header (its line is named).

    Examples
    --------
    >>> sheet, notes = separated("id;suv\n1;2,5\n", "a.csv")
    >>> sheet.header, sheet.rows, notes
    (('id', 'suv'), [['1', '2,5']], [('delimiter', 'a.csv is separated by semicolons; read as such.')])
    """
    delimiter = _delimiter(text)
    notes: list[Note] = []
    if delimiter != ("\t" if name.lower().endswith((".tsv", ".tab")) else ","):
        notes.append(("delimiter", f"{name} is separated by {DELIMITERS[delimiter]}; read as such."))
    if "\r" in text and "\n" not in text:
        notes.append(("line_ends", f"{name} ends its lines by a carriage return alone, as old Macs did; each was read as a line end."))
    if ("\n" in text and re.search(r"\r(?!\n)", text)) or 0 < text.count("\r\n") < text.count("\n"):
        notes.append(("line_ends", f"{name} mixes line ends of several systems; each was read as a line end."))
    lines: list[int] = []
    rows: list[list[str]] = []
    reader = _reader(text, delimiter)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        where = f"line {reader.line_num} ({error})"
        raise BadTable(f"{name} cannot be read in {where}; close its quotes or save it again.", item=name) from error
    return even(rows, lines, delimiter, name), notes


def even(rows: list[list[str]], lines: list[int], delimiter: str, name: str) -> Sheet:
    """Return rows as a sheet: the first is the header, the others have as many cells.

    Empty cells beyond the header are left out, as are columns without a name and without a value.

    Raises
    ------
    BadTable
        For no rows, a header alone, a column named twice, or uneven rows.

    Examples
    --------
    >>> even([["a", ""], ["1", ""]], [1, 2], ",", "t.csv").header
    ('a',)
    """
    if not rows:
        raise BadTable(f"{name} is empty; a table needs a header and at least one row.", item=name)
    header = rows[0]
    while header and not header[-1] and not any(len(row) >= len(header) and row[len(header) - 1] for row in rows[1:]):
        header = header[:-1]
    if len(rows) == 1:
        raise BadTable(f"{name} holds a header and no row; add the rows or leave the file out.", item=name)
    twice = [column for column, count in Counter(h for h in header if h).items() if count > 1]
    if twice:
        raise BadTable(f"{name} has {header.count(twice[0])} columns named '{twice[0]}'; give each its own name.", item=twice[0])
    width = len(header)
    for row, line in zip(rows[1:], lines[1:], strict=True):
        if len(row) < width or any(row[width:]):
            found = f"{len(row)} cells in line {line} where the header has {width}"
            hint = " (a decimal comma needs quotes or another separator)" if delimiter == "," and len(row) > width else ""
            raise BadTable(f"{name} has {found}{hint}; correct that line.", item=name)
    return Sheet(tuple(header), [row[:width] for row in rows[1:]], lines[1:], delimiter)


def is_missing(cell: str) -> bool:
    """Return whether a cell means "missing".

    Examples
    --------
    >>> [is_missing(c) for c in ("", "#NAME?", "No data", "none", "0")]
    [True, True, True, False, False]
    """
    return not cell or cell.lower() in MISSING_WORDS


def numbers(cells: Sequence[str], *, commas: bool) -> list[float | int | None] | None:
    """Return a column as numbers, None where missing; None altogether when it is text.

    Codes with leading zeros and digits too long for a float stay text.

    Parameters
    ----------
    cells : sequence of str
    commas : bool
        Whether a single comma is a decimal comma in this table.

    Examples
    --------
    >>> numbers(["1,5", "", "2"], commas=True)
    [1.5, None, 2]
    >>> numbers(["007", "8"], commas=False) is None
    True
    """
    present = [cell for cell in cells if not is_missing(cell)]
    if not present or any(_LEADING_ZERO.fullmatch(c) or (c.isdigit() and len(c) > _LONGEST_INTEGER) for c in present):
        return None
    plain = {cell: _plain(cell, commas) for cell in present}
    if any(value is None for value in plain.values()):
        return None
    return [None if is_missing(cell) else _number(plain[cell] or "") for cell in cells]


def decimal_commas(columns: Iterable[Sequence[str]], delimiter: str, name: str) -> bool:
    """Return whether the commas in a table's numbers are decimal commas.

    Parameters
    ----------
    columns : iterable of sequence of str
        The columns that hold nothing but numbers, with points or commas.
    delimiter, name : str

    Raises
    ------
    BadTable
        When every comma stands before three digits in a table separated by commas: 1,234 could be either.

    Examples
    --------
    >>> decimal_commas([["1,5", "2"]], ",", "a.csv"), decimal_commas([["1.5"]], ",", "a.csv")
    (True, False)
    """
    cells = [cell for column in columns if _could_be_numbers(column) for cell in column if "," in cell]
    if any((_DECIMAL_COMMA.fullmatch(c) and not _AMBIGUOUS.fullmatch(c)) or _POINTED_THOUSANDS.fullmatch(c) for c in cells):
        return True
    doubtful = [cell for cell in cells if _AMBIGUOUS.fullmatch(cell)]
    if not doubtful or any(_COMMA_THOUSANDS.fullmatch(c) and not _AMBIGUOUS.fullmatch(c) for c in cells):
        return False
    if delimiter != ",":
        return True
    raise BadTable(
        f"{name} holds '{doubtful[0]}', which may mean {doubtful[0].replace(',', '.')} or "
        f"{doubtful[0].replace(',', '')}; write numbers with a decimal point and no separator.",
        item=name,
    )


def _could_be_numbers(column: Sequence[str]) -> bool:
    shapes = (_NUMBER, _DECIMAL_COMMA, _POINTED_THOUSANDS, _COMMA_THOUSANDS)
    return all(is_missing(cell) or any(shape.fullmatch(cell) for shape in shapes) for cell in column)


def _plain(cell: str, commas: bool) -> str | None:
    """Return a number as Python reads it, or None when the cell is none."""
    if _NUMBER.fullmatch(cell):
        return cell
    if commas and _DECIMAL_COMMA.fullmatch(cell):
        return cell.replace(",", ".")
    if commas and _POINTED_THOUSANDS.fullmatch(cell):
        return cell.replace(".", "").replace(",", ".")
    if not commas and _COMMA_THOUSANDS.fullmatch(cell):
        return cell.replace(",", "")
    return None


def _number(text: str) -> float | int:
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def _delimiter(text: str) -> str:
    """Return the delimiter under which most rows are as wide as the header; the wider table wins a tie."""
    best, best_score = ",", (0.0, 1)
    for delimiter in DELIMITERS:
        widths: list[int] = []
        try:
            for row in _reader(text, delimiter):
                if any(row):
                    widths.append(len(row))
                if len(widths) == 200:
                    break
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            score = (round(widths.count(widths[0]) / len(widths), 1), widths[0])
            if score > best_score:
                best, best_score = delimiter, score
    return best


def _reader(text: str, delimiter: str) -> _csv.Reader:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
