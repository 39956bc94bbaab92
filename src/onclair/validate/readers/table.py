"""The table of a reader study: one row a rating, every reader seeing every case by every modality; refused where it is not so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadTable
from onclair.core.names import did_you_mean

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: What each column of the table may be called.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "reader": ("reader",),
    "modality": ("treatment", "modality", "test"),
    "case": ("case",),
    "truth": ("truth",),
    "rating": ("rating",),
}
#: Columns that are names, whatever their figures.
CODES: tuple[str, ...] = tuple(
    form(name) for part in ("reader", "modality", "case") for name in COLUMNS[part] for form in (str, str.capitalize, str.upper)
)


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """A fully crossed reader study.

    Attributes
    ----------
    readers, modalities, cases : tuple of str
        In natural order (2 before 10).
    truth : ndarray, bool, shape (cases,)
    ratings : ndarray, float64, shape (cases, modalities, readers)
    """

    readers: tuple[str, ...]
    modalities: tuple[str, ...]
    cases: tuple[str, ...]
    truth: Bools
    ratings: Floats


def ratings_of(frame: pd.DataFrame, source: str = "the table") -> Ratings:
    """Return the reader study of a long table: columns reader, treatment (or modality, or test), case, truth and rating.

    Parameters
    ----------
    frame : DataFrame
        One row a reader, modality and case; other columns are left alone. Truth 0 or 1 (or false and true); ratings numbers,
        higher meaning more suspicious.
    source : str
        The file, for the errors.

    Returns
    -------
    Ratings

    Raises
    ------
    BadTable
        For a missing column (the nearest name is offered), an empty code, a truth or rating that is missing or no such number, a case
        whose truth varies, one class only, a rating given twice, or one that is missing from the factorial design.

    Examples
    --------
    >>> rows = [("A", "CT", 1, 0, 2), ("A", "CT", 2, 1, 4), ("A", "PET", 1, 0, 1), ("A", "PET", 2, 1, 5)]
    >>> study = ratings_of(pd.DataFrame(rows, columns=["reader", "treatment", "case", "truth", "rating"]))
    >>> study.modalities, study.truth.tolist(), study.ratings[:, 1, 0].tolist()
    (('CT', 'PET'), [False, True], [1.0, 5.0])
    """
    names = {part: _column(frame, part, source) for part in COLUMNS}
    codes = {part: _codes(frame[names[part]], names[part], source) for part in ("reader", "modality", "case")}
    truth = _truth(frame[names["truth"]], names["truth"], source)
    rating = _ratings(frame[names["rating"]], codes, names["rating"], source)
    levels = {part: _levels(values) for part, values in codes.items()}
    by_case = _truth_by_case(truth, codes["case"], levels["case"], source)
    grid = _grid(rating, codes, levels, source)
    return Ratings(levels["reader"], levels["modality"], levels["case"], by_case, grid)


def _column(frame: pd.DataFrame, part: str, source: str) -> str:
    found = [column for column in frame.columns if str(column).strip().casefold() in COLUMNS[part]]
    if len(found) > 1:
        raise BadTable(f"In {source} the columns {' and '.join(map(str, found))} both tell the {part}; keep one.", item=str(found[1]))
    if not found:
        wanted = " or ".join(f"'{name}'" for name in COLUMNS[part])
        known = [str(column) for column in frame.columns]
        near = next(
            (hint for name in COLUMNS[part] if (hint := did_you_mean(name, known)).startswith("did")), did_you_mean(COLUMNS[part][0], known)
        )
        raise BadTable(f"{_capital(source)} has no column {wanted}; {near}", item=part)
    return str(found[0])


def _codes(column: pd.Series, name: str, source: str) -> npt.NDArray[np.str_]:
    missing = np.flatnonzero(column.isna())
    if missing.size:
        raise BadTable(f"In {source} the {name} is empty in {missing.size} rows, first in row {missing[0] + 2}; name it.", item=name)
    codes = np.array([_code(value) for value in column], dtype=np.str_)
    for bad in codes:
        if ":" in bad or not bad:
            raise BadTable(
                f"In {source} a {name} is called '{bad}'; a colon or an empty name cannot stand in an estimate's name.", item=name
            )
    return codes


def _code(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _truth(column: pd.Series, name: str, source: str) -> Bools:
    missing = np.flatnonzero(column.isna())
    if missing.size:
        raise BadTable(f"In {source} the {name} is missing in {missing.size} rows, first in row {missing[0] + 2}; fill it in.", item=name)
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    foreign = np.flatnonzero(~np.isin(values, (0.0, 1.0)))
    if foreign.size:
        found = column.iloc[foreign[0]]
        raise BadTable(
            f"In {source} the {name} of row {foreign[0] + 2} is '{found}'; write 0 without the disease and 1 with it.", item=name
        )
    return np.asarray(values == 1)


def _ratings(column: pd.Series, codes: Mapping[str, npt.NDArray[np.str_]], name: str, source: str) -> Floats:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        where = " ".join(f"{part} {codes[part][bad[0]]}" for part in ("reader", "modality", "case"))
        found = "missing" if pd.isna(column.iloc[bad[0]]) else f"'{column.iloc[bad[0]]}'"
        more = f" ({bad.size} such rows)" if bad.size > 1 else ""
        raise BadTable(
            f"In {source} the {name} of {where} is {found}{more}; every reader must rate every case by every modality, so fill it in "
            "or leave the case out altogether.",
            item=name,
        )
    return values


def _levels(codes: npt.NDArray[np.str_]) -> tuple[str, ...]:
    """Return the codes once each, figures by their size, before words."""
    return tuple(sorted(map(str, np.unique(codes)), key=lambda code: (not code.isdecimal(), int(code) if code.isdecimal() else 0, code)))


def _truth_by_case(truth: Bools, codes: npt.NDArray[np.str_], cases: tuple[str, ...], source: str) -> Bools:
    at = pd.Index(cases).get_indexer(pd.Index(codes))
    positives, rows = np.bincount(at, weights=truth, minlength=len(cases)), np.bincount(at, minlength=len(cases))
    varying = np.flatnonzero((positives > 0) & (positives < rows))
    if varying.size:
        case = cases[varying[0]]
        raise BadTable(
            f"In {source} the truth of case {case} is 0 in some rows and 1 in others ({varying.size} such cases); settle it.", item=case
        )
    if positives.sum() in (0, rows.sum()):
        only = "with" if positives.sum() else "without"
        raise BadTable(f"In {source} all {len(cases)} cases are {only} the disease; an AUC needs cases of both kinds.", item="truth")
    return np.asarray(positives > 0)


def _grid(rating: Floats, codes: Mapping[str, npt.NDArray[np.str_]], levels: Mapping[str, tuple[str, ...]], source: str) -> Floats:
    """Return the ratings (cases, modalities, readers), each given exactly once."""
    parts = ("case", "modality", "reader")
    shape = tuple(len(levels[part]) for part in parts)
    at = np.ravel_multi_index(tuple(pd.Index(levels[part]).get_indexer(pd.Index(codes[part])) for part in parts), shape)
    given = np.bincount(at, minlength=int(np.prod(shape)))
    for wrong, said in ((given > 1, "has {} ratings of reader {}, modality {}, case {}; keep one"), (given < 1, "")):
        cells = np.flatnonzero(wrong)
        if cells.size:
            case, modality, reader = (levels[part][i] for part, i in zip(parts, np.unravel_index(cells[0], shape), strict=True))
            said = said or (
                "has no rating of reader {1}, modality {2}, case {3} ({4} such gaps); every reader must rate every case by every "
                "modality, so add it or leave the case out altogether"
            )
            raise BadTable(f"{_capital(source)} {said.format(given[cells[0]], reader, modality, case, cells.size)}.", item=case)
    grid = np.empty(int(np.prod(shape)))
    grid[at] = rating
    return grid.reshape(shape)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith("the ") else text
