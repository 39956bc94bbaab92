"""JCAMP-DX files: one spectrum, or a LINK of several (processed, dark, reference); decimal points or commas."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from onclair.io.spectra.axis import Floats, checked_wavelengths
from onclair.io.spectra.recording import ROLES, Content, Note, Recording, Role, in_order, refused, truncated
from onclair.io.spectra.text import Line, lines_of, number

#: How a JCAMP-DX file is told from others.
SIGNATURE = re.compile(r"^\s*##\s*(TITLE|JCAMP-?DX)\s*=", re.IGNORECASE | re.MULTILINE)
_RECORD = re.compile(r"^\s*##([^=]*)=(.*)$")
_PAIR_LISTS = ("XYPOINTS", "XYDATA")
_POINT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?")
_SEPARATORS = re.compile(r"\s*[;,]\s*|\s+")
_UNITS = {"TRANSMISSION (%)": "%", "REFLECTION (%)": "%", "REFLECTANCE (%)": "%", "ABSORBANCE": "absorbance", "COUNTS": "counts"}


@dataclass(slots=True)
class _Block:
    """One block: its records by name, and the lines of its list of points."""

    line: int
    records: dict[str, str] = field(default_factory=dict)
    points: list[Line] = field(default_factory=list)
    form: str = ""


def read_jcamp(text: str, name: str) -> Content:
    r"""Return what a JCAMP-DX file holds.

    A file written with decimal commas, read naively, gives twice as many points; the commas are told from the header, and the number
    of points is held against NPOINTS.

    Raises
    ------
    BadCase
        For no list of points, packed (ASDF) data, points that disagree with NPOINTS, an axis that is no wavelength, or two blocks of
        one role.
    BadTable
        For wavelengths that do not rise strictly; the line is named.

    Examples
    --------
    >>> said = "##TITLE= a\n##JCAMP-DX= 5\n##XUNITS= NANOMETERS\n##FIRSTX= 400,5\n##NPOINTS= 2\n##XYPOINTS= (XY..XY)\n"
    >>> read_jcamp(said + "400,5, 7,25\n401,0, 8,5\n##END=\n", "a.jdx").recordings[0].values.tolist()
    [7.25, 8.5]
    """
    blocks, ended = _blocks(lines_of(text))
    held = [block for block in blocks if block.form]
    if not held:
        raise refused(name, "it holds no spectrum: no block has XYPOINTS or XYDATA", "export it again as (XY..XY)")
    notes: list[Note] = []
    recordings = [_recording(block, len(held) > 1, name, ended, notes) for block in held]
    roles = [each.role for each in recordings]
    twice = [role for role in ROLES if roles.count(role) > 1]
    if twice:
        raise refused(name, f"{roles.count(twice[0])} of its blocks are '{twice[0]}'", "export each on its own")
    return Content(in_order(recordings), tuple(notes))


def _blocks(lines: Sequence[Line]) -> tuple[list[_Block], bool]:
    """Return the blocks in order of their TITLE, and whether every one that was opened has its END."""
    blocks: list[_Block] = []
    open_blocks: list[_Block] = []
    reading = False
    for at, line in lines:
        record = _RECORD.match(line)
        if record is None:
            if reading and line.strip():
                open_blocks[-1].points.append((at, line))
            continue
        label, value = re.sub(r"[\s\-_/]", "", record[1]).upper(), record[2].partition("$$")[0].strip()
        reading = False
        if label == "TITLE" or not open_blocks:
            open_blocks.append(_Block(at))
            blocks.append(open_blocks[-1])
        if label == "END":
            open_blocks.pop()
        elif label in _PAIR_LISTS:
            open_blocks[-1].form, reading = value.replace(" ", "").upper(), True
        else:
            open_blocks[-1].records.setdefault(label, value)
    return blocks, not open_blocks


def _recording(block: _Block, linked: bool, name: str, ended: bool, notes: list[Note]) -> Recording:
    said = block.records
    if said.get("XUNITS", "NANOMETERS").upper() not in ("NANOMETERS", "NM"):
        raise refused(name, f"the block of line {block.line} is over {said['XUNITS']}, not NANOMETERS", "export it over wavelength in nm")
    commas = any("," in said.get(label, "") for label in ("FIRSTX", "LASTX", "FIRSTY", "MINY", "MAXY", "DELTAX"))
    x, y, lines = _points(block, commas, name)
    _check_count(block, x.size, name, ended)
    wavelength = checked_wavelengths(x * _factor(said, "XFACTOR"), name, lambda pixel: f"line {lines[pixel]}")
    for label, found in (("FIRSTX", wavelength[0]), ("LASTX", wavelength[-1])):
        promised = number(said.get(label, ""))
        if math.isfinite(promised) and abs(promised - found) > 0.005 + 1e-6 * abs(promised):
            code, sentence = label.lower(), f"{name} says {label} {promised:g} in the block of line {block.line}, and its data {found:g}"
            notes.append((code, f"{sentence}; the data were kept."))
    return Recording(
        _role(said, linked),
        y * _factor(said, "YFACTOR"),
        wavelength,
        _unit(said, _role(said, linked)),
        _integration_ms(said),
        int(said[".AVERAGES"]) if said.get(".AVERAGES", "").isdigit() else None,
    )


def _points(block: _Block, commas: bool, name: str) -> tuple[Floats, Floats, list[int]]:
    """Return x, y and the line of each point, for pairs and for rows of evenly spaced y behind their first x."""
    paired = block.form.startswith("(XY")
    if not paired and not block.form.startswith("(X++"):
        raise refused(name, f"the block of line {block.line} lists its points as {block.form}", "export it again as (XY..XY)")
    xs, ys, at = [], [], []
    for line, text in block.points:
        found = _numbers(text, commas)
        if found is None or len(found) < 2 or (paired and len(found) % 2):
            raise refused(
                name, f"line {line} holds '{text.strip()[:40]}' where pairs of numbers are expected", "export it again as (XY..XY)"
            )
        xs += found[0::2] if paired else [math.nan] * (len(found) - 1)
        ys += found[1::2] if paired else found[1:]
        at += [line] * (len(found) // 2 if paired else len(found) - 1)
    x = np.array(xs)
    if not paired:
        first, last = (number(block.records.get(label, "")) for label in ("FIRSTX", "LASTX"))
        x = np.linspace(first, last, len(ys)) / _factor(block.records, "XFACTOR")
    return x, np.array(ys, dtype=np.float64), at


def _numbers(text: str, commas: bool) -> list[float] | None:
    """Return the numbers of one line; None when it holds anything else, such as packed data."""
    shape = _COMMA if commas else _POINT
    numbers: list[float] = []
    rest = text.strip()
    while rest:
        found = shape.match(rest)
        if found is None:
            return None
        numbers.append(number(found[0]))
        rest = rest[found.end() :]
        gap = _SEPARATORS.match(rest)
        if rest and gap is None:
            return None
        rest = rest[gap.end() :] if gap else ""
    return numbers


def _check_count(block: _Block, found: int, name: str, ended: bool) -> None:
    promised = number(block.records.get("NPOINTS", ""))
    if math.isnan(promised) or promised == found:
        return
    if found < promised and not ended:
        raise truncated(name, found, int(promised), f"points in the block of line {block.line}")
    sentence = f"the block of line {block.line} holds {found} points where NPOINTS says {promised:g}"
    raise refused(name, sentence, "decimal commas or a lost line may be the cause: export it again")


def _role(said: Mapping[str, str], linked: bool) -> Role:
    """Return what a block is: by its own words in a LINK; a block alone is processed."""
    words = f"{said.get('SAMPLEDESCRIPTION', '')} {said.get('TITLE', '').rpartition(':')[2]}".lower()
    if linked:
        for word in ("dark", "reference", "processed", "sample", "scope"):
            if word in words:
                return "sample" if word == "scope" else word  # type: ignore[return-value]
    return "processed"


def _unit(said: Mapping[str, str], role: Role) -> str:
    """Return the unit: what is not processed is counts, whatever the program wrote over it."""
    return "counts" if role != "processed" else _UNITS.get(said.get("YUNITS", "").upper(), said.get("YUNITS", "").lower() or "a.u.")


def _integration_ms(said: Mapping[str, str]) -> float | None:
    """Return the acquisition time of Ocean Optics' export, which is in ms; elsewhere its unit is not said."""
    time = number(said.get(".ACQUISITIONTIME", ""))
    return time if "OCEAN" in said.get("ORIGIN", "").upper() and time > 0 else None


def _factor(said: Mapping[str, str], label: str) -> float:
    value = number(said.get(label, ""))
    return value if math.isfinite(value) and value != 0 else 1.0
