"""``cohort.toml`` in and out, strict: an unknown key is refused with the nearest known one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from onclair.core.cohort import About
from onclair.core.errors import BadCohort, BadInput
from onclair.core.names import did_you_mean
from onclair.core.outcome import Outcome
from onclair.core.units import checked_unit
from onclair.io.files import toml_fault

#: The version of the folder's layout.
FORMAT = "onclair-cohort/1"

_TEXTS = ("title", "data", "licence", "citation", "source")
_KEYS = ("format", *_TEXTS, "outcomes", "units")
_OUTCOME_KEYS = ("kind", "unit", "horizon", "time", "column")
_DATA = ("real", "virtual")


def read_description(path: Path) -> tuple[About, dict[str, str]]:
    """Return what ``cohort.toml`` says, and the column of each outcome whose column bears another name.

    Raises
    ------
    BadCohort
        For a missing or damaged file, another format, an unknown key, outcome kind or unit.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        sentence = f"The folder {path.parent} holds no cohort.toml; name the cohort's own folder, or write the file with the two lines"
        sentence += f' format = "{FORMAT}" and outcomes.NAME.kind = "binary" (NAME is a column of outcomes.csv).'
        raise BadCohort(sentence, item="cohort.toml") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadCohort(f"cohort.toml cannot be read ({toml_fault(error)}); correct that line.", item="cohort.toml") from error
    return description_from(document)


def description_from(document: Mapping[str, Any]) -> tuple[About, dict[str, str]]:
    """Return the description in a parsed ``cohort.toml``, and the columns of outcomes that bear another name.

    Raises
    ------
    BadCohort
        As :func:`read_description`.

    Examples
    --------
    >>> about, columns = description_from({"format": FORMAT, "outcomes": {"relapse": {"kind": "binary", "column": "Rez"}}})
    >>> about.outcomes[0].name, columns
    ('relapse', {'relapse': 'Rez'})
    """
    _known(document, _KEYS, "cohort.toml")
    if document.get("format") != FORMAT:
        found = f"says format = '{document['format']}'" if "format" in document else "names no format"
        raise BadCohort(f'cohort.toml {found}; this version reads "{FORMAT}": write format = "{FORMAT}" in its first line.', item="format")
    for key in _TEXTS:
        if not isinstance(document.get(key, ""), str):
            raise BadCohort(f"cohort.toml says {key} = {document[key]!r}; it must be text in quotes.", item=key)
    data = document.get("data", "real")
    if data not in _DATA:
        raise BadCohort(f'cohort.toml says data = \'{data}\'; it must be "real" or "virtual".', item="data")
    outcomes, units = _table(document, "outcomes"), _table(document, "units")
    texts = {key: document[key] for key in ("title", "licence", "citation", "source") if key in document}
    about = About(data=data, outcomes=tuple(_outcome(n, o) for n, o in outcomes.items()), units=_units(units), **texts)
    columns = {name: str(o["column"]) for name, o in outcomes.items() if o.get("column", name) != name}
    return about, columns


def description_of(about: About) -> dict[str, Any]:
    """Return the document that ``cohort.toml`` holds for a description; empty texts are left out.

    Examples
    --------
    >>> description_of(About(title="T"))
    {'format': 'onclair-cohort/1', 'title': 'T', 'data': 'real'}
    """
    document: dict[str, Any] = {"format": FORMAT}
    document |= {key: getattr(about, key) for key in _TEXTS if getattr(about, key)}
    if about.outcomes:
        document["outcomes"] = {o.name: _outcome_table(o) for o in about.outcomes}
    if about.units:
        document["units"] = dict(about.units)
    return document


def _outcome_table(outcome: Outcome) -> dict[str, Any]:
    table: dict[str, Any] = {"kind": outcome.kind}
    if outcome.unit != "1":
        table["unit"] = outcome.unit
    return table | {key: getattr(outcome, key) for key in ("horizon", "time") if getattr(outcome, key) is not None}


def _outcome(name: str, table: Any) -> Outcome:
    if not isinstance(table, Mapping):
        raise BadCohort(f"cohort.toml says {name} = {table!r} among the outcomes; write a table [outcomes.{name}] with a kind.", item=name)
    _known(table, _OUTCOME_KEYS, f"The table [outcomes.{name}] of cohort.toml")
    if "kind" not in table:
        raise BadCohort(f'The table [outcomes.{name}] of cohort.toml names no kind; add kind = "binary" or another.', item=name)
    horizon = table.get("horizon")
    if horizon is not None and (not isinstance(horizon, int | float) or not horizon > 0):
        raise BadCohort(f"The horizon of the outcome '{name}' is {horizon!r}; it must be a positive number.", item=name)
    try:
        return Outcome(name, table["kind"], table.get("unit", "1"), None if horizon is None else float(horizon), table.get("time"))
    except BadInput as error:
        raise BadCohort(f"cohort.toml: {error}", item=error.item) from error


def _units(table: Mapping[str, Any]) -> dict[str, str]:
    try:
        return {kind: checked_unit(unit, of=f"the kind '{kind}' in cohort.toml") for kind, unit in table.items()}
    except BadInput as error:
        raise BadCohort(str(error), item=error.item) from error


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = document.get(key, {})
    if not isinstance(table, Mapping):
        raise BadCohort(f"cohort.toml says {key} = {table!r}; it must be a table [{key}].", item=key)
    return table


def _known(document: Mapping[str, Any], keys: Iterable[str], where: str) -> None:
    for key in document:
        if key not in keys:
            raise BadCohort(f"{where} has an unknown key '{key}'; {did_you_mean(key, keys)}", item=key)
