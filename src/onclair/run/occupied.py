"""A run folder that already holds finished evidence: gone on with only when it is the same run, never written over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadInput, NoRoom
from onclair.core.evidence import Evidence
from onclair.io.files import sha256_file
from onclair.run.describe import STAGE as DESCRIBE
from onclair.run.describe import input_hashes
from onclair.run.store import EVIDENCE, read_evidence

#: The tables of a cohort folder that a run depends on.
COHORT_TABLES = ("cohort.toml", "acquisitions.csv", "outcomes.csv")


def table_hashes(data: Path) -> dict[str, str]:
    """Return the SHA-256 of a cohort's tables, by name."""
    return {name: sha256_file(data / name) for name in COHORT_TABLES}


def refuse_around(out: Path, data: Path) -> None:
    """Refuse a run folder that is the cohort's folder or holds it.

    Raises
    ------
    NoRoom
    """
    here, there = out.resolve(), data.resolve()
    if here == there or here in there.parents:
        raise NoRoom(f"The cohort {data} lies in the run folder {out}; choose an --out beside the cohort, not around it.", item=str(out))


def refuse_other(out: Path, study: str, asked: Mapping[str, Any], data: Path, cohort: Cohort) -> None:
    """Refuse a folder that holds the finished run of another study, other settings or other data.

    The same run again is welcome: its records are reused, or made anew where the code is newer.

    Parameters
    ----------
    out : Path
        The run folder.
    study : str
    asked : mapping
        The settings now, ``skip_bad`` among them.
    data : Path
        The cohort's folder.
    cohort : Cohort
        As read from it.

    Raises
    ------
    NoRoom
        Naming what differs: the study, the setting, the table or the patient's file.
    """
    if not (out / EVIDENCE).exists():
        return
    sealed = read_evidence(out)
    found = str(sealed.facts.get("study"))
    if found != study:
        raise NoRoom(f"{out} holds a finished run of the study '{found}'; choose another --out.", item=str(out))
    for name, value in {**sealed.settings, "skip_bad": sealed.facts.get("skip_bad")}.items():
        if asked.get(name) != value:
            sentence = f"{out} holds a finished run with {name} = {value!r}, not {asked.get(name)!r}; choose another --out to keep both."
            raise NoRoom(sentence, item=name)
    changed = _changed_data(out, sealed, data, cohort)
    if changed is not None:
        raise NoRoom(
            f"{out} holds a finished run on other data: {changed} has changed since; choose another --out to keep both.", item=changed
        )


def _changed_data(out: Path, sealed: Evidence, data: Path, cohort: Cohort) -> str | None:
    """Return the first table or file that is not the one the run was made from, or None."""
    tables = _inputs(out / "cohort")
    now = table_hashes(data)
    for name in tables:
        if now.get(name) != tables[name]:
            return name
    for folder in sealed.inputs:
        stage, _, patient = folder.partition("/")
        if stage != DESCRIBE:
            continue
        before = _inputs(out / folder)
        try:
            hashes = input_hashes(cohort, patient)
        except BadCase:
            return f"a file of {patient}"
        for name, sha256 in before.items():
            if hashes.get(name) != sha256:
                return f"the {name.split('/')[-1]} of {patient}"
    return None


def _inputs(folder: Path) -> Mapping[str, str]:
    """Return the inputs of a record; none where it is damaged and will be made again."""
    try:
        return read_evidence(folder).inputs
    except BadInput:
        return {}
