"""Tables in and out: any user's CSV, TSV or XLSX; our own CSV and Parquet, equal bytes for equal frames."""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from onclair.core.errors import BadTable
from onclair.io.dialects import Note, Sheet, decimal_commas, decoded, even, is_missing, numbers, separated
from onclair.io.files import write_atomically

#: The most bytes that a packed table may unpack to.
LARGEST = 2 * 10**9
_QUIET_WORDS = {"", "na", "nan"}


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A user's table and what was unusual about it.

    Attributes
    ----------
    frame : DataFrame
        Numbers as int64 or float64 (NaN where missing), true/false as bool, the rest as text (missing where empty).
    notes : tuple of mapping
        ``code`` and ``text``, one sentence each, naming the file.
    """

    frame: pd.DataFrame
    notes: tuple[Mapping[str, str], ...] = ()


def read_table(path: str | Path, *, text: Sequence[str] = ()) -> Table:
    r"""Return a user's table, its dialect found by content; every departure from plain CSV is read and said.

    Parameters
    ----------
    path : path
        CSV, TSV (either may be packed by gzip) or XLSX (the first sheet).
    text : sequence of str
        Columns that stay text, such as patient codes: leading zeros survive, and words like ``NA`` are kept as they are.

    Returns
    -------
    Table

    Raises
    ------
    BadTable
        For a missing or empty file, a header alone, a column named twice, a row of another length (its line is named), NUL
        bytes, an old ``.xls``, or a comma that may be a decimal or a thousands separator.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder, "t.csv"), "patient;suv\n007;2,5\n008;#NAME?\n".encode())
    ...     table = read_table(Path(folder, "t.csv"), text=["patient"])
    >>> table.frame["patient"].tolist(), table.frame["suv"].tolist()
    (['007', '008'], [2.5, nan])
    >>> [note["code"] for note in table.notes]
    ['delimiter', 'decimal_comma', 'missing_words']
    """
    path = Path(path)
    data = _bytes(path)
    sheet, notes = _sheet(path.name, data)
    header, unnamed = _named(sheet, path.name)
    columns = {name: [row[i] for row in sheet.rows] for i, name in enumerate(header)}
    free = {name: cells for name, cells in columns.items() if name not in text}
    commas = decimal_commas(free.values(), sheet.delimiter, path.name)
    if commas:
        notes.append(("decimal_comma", f"{path.name} writes numbers with a decimal comma; they were read as decimals."))
    frame = pd.DataFrame({name: _text(cells) if name in text else _typed(cells, commas) for name, cells in columns.items()})
    every = [*notes, *unnamed, *_missing_words(free, path.name)]
    return Table(frame, tuple({"code": code, "text": sentence} for code, sentence in every))


def write_table(path: str | Path, frame: pd.DataFrame) -> None:
    r"""Write a frame as CSV, atomically: UTF-8, ``\n``, floats by their shortest exact form, missing as an empty cell.

    Parameters
    ----------
    path : path
    frame : DataFrame
        Its index is not written.

    Raises
    ------
    NoRoom
        When the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_table(Path(folder, "t.csv"), pd.DataFrame({"patient": ["01"], "suv": [0.1]}))
    ...     Path(folder, "t.csv").read_text()
    'patient,suv\n01,0.1\n'
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([str(column) for column in frame.columns])
    for row in frame.itertuples(index=False, name=None):
        writer.writerow([_cell(value) for value in row])
    write_atomically(path, buffer.getvalue().encode())


def write_parquet(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a frame as Parquet, atomically; equal frames give equal bytes with one version of pyarrow.

    No pandas metadata goes with it. The index is not written; column names become text.

    Parameters
    ----------
    path : path
    frame : DataFrame

    Raises
    ------
    NoRoom
        When the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_parquet(Path(folder, "t.parquet"), pd.DataFrame({"suv": [0.1, float("nan")]}))
    ...     read_parquet(Path(folder, "t.parquet"))["suv"].tolist()
    [0.1, nan]
    """
    import pyarrow  # here, because the command line must start without it
    import pyarrow.parquet

    table = pyarrow.Table.from_pandas(frame.rename(columns=str), preserve_index=False).replace_schema_metadata(None)
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer, compression="zstd", store_schema=False)
    write_atomically(path, buffer.getvalue())


def read_parquet(path: str | Path) -> pd.DataFrame:
    """Return the frame in a Parquet file.

    Raises
    ------
    BadTable
        When the file is missing, damaged or no Parquet.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        frame: pd.DataFrame = pyarrow.parquet.read_table(io.BytesIO(_bytes(Path(path)))).to_pandas()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BadTable(f"{Path(path).name} is no readable Parquet table; write it again.", item=Path(path).name) from error
    return frame


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        found = "it is a folder" if path.is_dir() else "there is no such file"
        raise BadTable(f"The table {path} cannot be read: {found}; correct its path.", item=path.name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadTable(f"The table {path} cannot be read ({(error.strerror or '').lower()}); check its rights.", item=path.name) from error
    if data[:2] == b"\x1f\x8b":
        data = _unzipped(path.name, data)
    if not data.strip():
        raise BadTable(f"{path.name} is empty; a table needs a header and at least one row.", item=path.name)
    return data


def _unzipped(name: str, data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            content = stream.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadTable(f"{name} is a damaged gzip file ({error}); fetch or pack it again.", item=name) from error
    if len(content) > LARGEST:
        raise BadTable(f"{name} holds more than {LARGEST // 10**9} GB once unpacked; unpack it and split it.", item=name)
    return content


def _sheet(name: str, data: bytes) -> tuple[Sheet, list[Note]]:
    if data[:4] == b"PK\x03\x04":
        return _workbook(name, data)
    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise BadTable(f"{name} is a workbook of the old .xls kind (or one with a password); save it as .xlsx or CSV.", item=name)
    text, notes = decoded(data, name)
    sheet, more = separated(text, name)
    return sheet, notes + more


def _workbook(name: str, data: bytes) -> tuple[Sheet, list[Note]]:
    import openpyxl  # here, because the command line must start without it

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        first = book.worksheets[0]
        rows = [[_sheet_cell(cell) for cell in row] for row in first.iter_rows()]
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, OSError, SyntaxError) as error:
        raise BadTable(f"{name} is no readable workbook ({error}); save it as .xlsx or CSV again.", item=name) from error
    notes: list[Note] = []
    if len(book.worksheets) > 1:
        others = ", ".join(sheet.title for sheet in book.worksheets[1:])
        notes.append(("sheets", f"{name} has {len(book.worksheets)} sheets; the first, '{first.title}', was read and not {others}."))
    width = max((len(row) for row in rows), default=0)
    kept = [(row + [""] * (width - len(row)), line) for line, row in enumerate(rows, start=1) if any(row)]
    return even([row for row, _ in kept], [line for _, line in kept], "\t", name), notes


def _sheet_cell(cell: Any) -> str:
    """Return a workbook's cell as the text that a person sees: whole floats without ".0", zeros kept by a 0000 format."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and re.fullmatch("0+", cell.number_format or ""):
        return str(value).zfill(len(cell.number_format))
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    return str(value).strip()


def _named(sheet: Sheet, name: str) -> tuple[list[str], list[Note]]:
    """Return the header with a name for each column that had none."""
    header = [column or f"column_{place}" for place, column in enumerate(sheet.header, start=1)]
    unnamed = [h for h, column in zip(header, sheet.header, strict=True) if not column]
    notes: list[Note] = []
    if unnamed:
        notes.append(("unnamed_column", f"{name} has {len(unnamed)} column(s) without a name, read as {', '.join(unnamed)}."))
    return header, notes


def _missing_words(columns: Mapping[str, Sequence[str]], name: str) -> list[Note]:
    words = Counter(cell for cells in columns.values() for cell in cells if is_missing(cell) and cell.lower() not in _QUIET_WORDS)
    if not words:
        return []
    found = ", ".join(f"{count} of '{word}'" for word, count in sorted(words.items()))
    return [("missing_words", f"{name} holds cells that are no value ({found}); they were read as missing.")]


def _text(cells: Sequence[str]) -> pd.Series:
    return pd.Series([cell or None for cell in cells], dtype="str" if all(cells) else None)


def _typed(cells: Sequence[str], commas: bool) -> pd.Series:
    """Return a column as numbers, as true/false, or as text."""
    if all(is_missing(cell) for cell in cells):
        return pd.Series([math.nan] * len(cells), dtype="float64")
    values = numbers(cells, commas=commas)
    if values is not None:
        whole = all(isinstance(value, int) for value in values)
        return pd.Series([math.nan if v is None else v for v in values], dtype="int64" if whole else "float64")
    if all(cell.lower() in ("true", "false") for cell in cells):
        return pd.Series([cell.lower() == "true" for cell in cells])
    return pd.Series([None if is_missing(cell) else cell for cell in cells])


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return repr(float(value))
    return str(value)
