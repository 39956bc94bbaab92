"""Instruments' text: encodings, line ends and rows of numbers with points or commas."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onclair.io.spectra.axis import Floats
from onclair.io.spectra.recording import refused

_LINE_END = re.compile(r"\r\n|\n|\r")
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1f\x7f]")
_HEAD = 4096

#: A line with the number that a person's editor shows.
Line = tuple[int, str]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of numbers and the line that each stood on.

    Attributes
    ----------
    values : ndarray, float64, shape (n, k)
    lines : tuple of int
    """

    values: Floats
    lines: tuple[int, ...]

    def place(self, row: int) -> str:
        """Return where a row stands, for sentences."""
        return f"line {self.lines[row]}"


def text_of(data: bytes) -> str | None:
    r"""Return a file as text; None when it is binary.

    UTF-8 (with or without byte-order mark), UTF-16 with one, else Latin-1. Every line end becomes a line feed. NUL bytes are left out:
    Avantes pads names with them.

    Examples
    --------
    >>> text_of("integración\r".encode("latin-1")), text_of(b"\x01\x02\x03")
    ('integración\n', None)
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _LINE_END.sub("\n", data.decode("utf-16", errors="replace"))
    head = data[:_HEAD]
    if _CONTROL.search(head) or head.count(b"\0") > _HEAD // 8:
        return None
    data = data.replace(b"\0", b"")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return _LINE_END.sub("\n", text)


def lines_of(text: str) -> list[Line]:
    r"""Return the lines of a text, numbered from 1, whatever mixture of line ends it has.

    Examples
    --------
    >>> lines_of("a\r\nb\rc\nd")
    [(1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')]
    """
    return list(enumerate(_LINE_END.split(text), start=1))


def number(cell: str) -> float:
    """Return a cell as a number with a decimal point or comma; NaN when it is none.

    Examples
    --------
    >>> number(" 1,5E2 "), number("1.115E-12"), number("-∞"), number("counts"), number("1_0")
    (150.0, 1.115e-12, -inf, nan, nan)
    """
    plain = cell.strip().replace("∞", "inf")
    if "," in plain and "." not in plain:
        plain = plain.replace(",", ".", 1)
    try:
        return math.nan if "_" in plain else float(plain)
    except ValueError:
        return math.nan


def cells_of(line: str) -> list[str]:
    """Return the cells of a row without quotes: tabs, semicolons, blanks or commas, whichever the row itself uses.

    Examples
    --------
    >>> cells_of("190,74 133,333"), cells_of("176,36, 32822,795"), cells_of("299.990,10.013"), cells_of(" 300.00;  -6.893")
    (['190,74', '133,333'], ['176,36', '32822,795'], ['299.990', '10.013'], ['300.00', '-6.893'])
    """
    line = line.replace('"', "")
    for separator in ("\t", ";"):
        if separator in line:
            return [cell.strip() for cell in line.strip().rstrip(separator).split(separator)]
    blanks = line.split()
    if len(blanks) == 1:
        return [cell.strip() for cell in line.strip().rstrip(",").split(",")]
    if any(cell.endswith(",") for cell in blanks[:-1]):
        return [cell.strip() for cell in re.split(r",\s+", line.strip())]
    return blanks


def is_row(line: str) -> bool:
    """Return whether a line holds two numbers or more and nothing else; NaN among them is one that will be refused.

    Examples
    --------
    >>> is_row("300.16;-18,870"), is_row("NaN 7"), is_row("Wave ;Dark")
    (True, True, False)
    """
    cells = cells_of(line)
    found = [not math.isnan(number(cell)) for cell in cells]
    return len(cells) > 1 and any(found) and all(told or cell.lower() == "nan" for told, cell in zip(found, cells, strict=True))


def rows_of(lines: Sequence[Line], name: str) -> Rows:
    r"""Return lines as rows of numbers; empty lines are passed over.

    Parameters
    ----------
    lines : sequence of (int, str)
    name : str
        Of the file, for sentences.

    Raises
    ------
    BadCase
        For no row, a cell that is no number, or a row of another length; the line is named.

    Examples
    --------
    >>> rows_of([(7, "400,5\t12,25"), (8, ""), (9, "401\t13")], "a.txt").values.tolist()
    [[400.5, 12.25], [401.0, 13.0]]
    """
    kept = [(at, cells_of(line)) for at, line in lines if line.strip()]
    if not kept:
        raise refused(name, "it holds no spectrum: no row of numbers was found", "export it again")
    width = len(kept[0][1])
    values = np.empty((len(kept), width))
    for row, (at, cells) in enumerate(kept):
        if len(cells) != width:
            raise refused(name, f"line {at} holds {len(cells)} number(s) where {width} are expected", "correct the line or export it again")
        values[row] = [number(cell) for cell in cells]
        bad = [cell for cell, value in zip(cells, values[row], strict=True) if math.isnan(value) and cell.lower() != "nan"]
        if bad:
            raise refused(name, f"line {at} holds '{bad[0][:40]}' where a number is expected", "correct the line or export it again")
    return Rows(values, tuple(at for at, _ in kept))
