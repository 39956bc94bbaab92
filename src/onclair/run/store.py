"""The store: a run folder in which every stage has a folder with `evidence.json` and its outputs.

::

    RUN/evidence.json              the seal: ids of all records below
    RUN/data.json                  where the cohort lay, relative to RUN; part of no hash
    RUN/cohort/evidence.json
    RUN/describe/PATIENT/evidence.json + features.parquet ...
    RUN/table|learn|explain|validate|report/...
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onclair.core.errors import BadInput, CheckFailed, NoRoom
from onclair.core.evidence import Evidence, evidence_from_dict
from onclair.io.files import PARTIAL, clear_partials, make_folder, sealed_folder, sha256_file, write_atomically

EVIDENCE = "evidence.json"
POINTER = "data.json"
#: The folders of a run; `describe` holds one a patient.
STAGES = ("cohort", "describe", "table", "learn", "explain", "validate", "report")


@dataclass(frozen=True, slots=True)
class Store:
    """The folder of one run; reading never changes it, writing is atomic."""

    root: Path

    def find(self, folder: str, key: str) -> Evidence | None:
        """Return the record in `folder` when its key is `key` and every byte is as recorded, else None."""
        try:
            evidence = read_evidence(self.root / folder)
        except BadInput:
            return None
        return evidence if evidence.key == key and not list(problems_in(self.root / folder, evidence)) else None

    def write(self, folder: str, evidence: Evidence, fill: Callable[[Path], None] | None = None) -> Evidence:
        """Write a stage's folder at once: all of it or nothing.

        Parameters
        ----------
        folder : str
            Relative to the run.
        evidence : Evidence
            Without outputs; they are added here from what `fill` wrote.
        fill : callable, optional
            Writes the outputs into the folder that it is handed.

        Returns
        -------
        Evidence
            With its outputs.

        Raises
        ------
        NoRoom
            When the folder cannot be written.
        """
        self.unseal()
        final = self.root / folder
        stale = final.with_name(f".{final.name}.stale{PARTIAL}")
        if final.exists():
            shutil.rmtree(stale, ignore_errors=True)
            final.rename(stale)
        with sealed_folder(final) as partial:
            if fill is not None:
                fill(partial)
            whole = replace(evidence, outputs=_hashes(partial))
            write_atomically(partial / EVIDENCE, whole.to_json())
        shutil.rmtree(stale, ignore_errors=True)
        return whole

    def seal(self, evidence: Evidence) -> Evidence:
        """Write the run's own record at its root, and drop the descriptions of patients that it does not name."""
        described = self.root / "describe"
        for place in sorted(described.iterdir()) if described.is_dir() else ():
            if f"describe/{place.name}" not in evidence.inputs:
                shutil.rmtree(place)
        path, content = self.root / EVIDENCE, evidence.to_json()
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
        return evidence

    def unseal(self) -> None:
        """Take the seal off, so that a run in progress never looks finished; every write does."""
        (self.root / EVIDENCE).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what a killed run left half written, and nothing else."""
        for place in (self.root, self.root / "describe"):
            clear_partials(place)


@contextmanager
def opened(root: Path) -> Iterator[Store]:
    """Give the store of a run folder, made if need be, for this process alone.

    Raises
    ------
    NoRoom
        When it cannot be made or written, holds anything but a run, or another process is running in it.
    """
    refuse_foreign(root)
    make_folder(root)
    handle = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NoRoom(f"The run folder {root} is in use by another process; wait for it to end or choose another --out.") from None
        store = Store(root)
        store.sweep()
        yield store
    finally:
        os.close(handle)


def refuse_foreign(root: Path) -> None:
    """Refuse a folder that holds anything but a run: what a run replaces or removes must be its own.

    Raises
    ------
    NoRoom
        Naming the first thing that is no part of a run.
    """
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        partial = path.name.startswith(".") and path.name.endswith(PARTIAL) and _subject(path.name) in (*STAGES, EVIDENCE, POINTER, "probe")
        if not partial and path.name not in (EVIDENCE, POINTER) and not _is_stage(path):
            raise NoRoom(f"The folder {root} holds other things than a run ({path.name}); choose a new or empty folder.", item=str(root))


def _subject(name: str) -> str:
    """Return what a half-written file or folder would have become: ``.learn.0a1b.partial`` -> ``learn``.

    Examples
    --------
    >>> _subject(".learn.0a1b.partial"), _subject(".evidence.json.0a1b.partial")
    ('learn', 'evidence.json')
    """
    return name[1:].removesuffix(PARTIAL).rpartition(".")[0]


def _is_stage(path: Path) -> bool:
    """Return whether a path is a stage's folder: named as one and with its record, or `describe` with nothing but records."""
    if path.name not in STAGES or path.is_symlink() or not path.is_dir():
        return False
    if path.name != "describe":
        return (path / EVIDENCE).exists()
    return all((place / EVIDENCE).exists() or place.name.endswith(PARTIAL) for place in path.iterdir())


def read_evidence(folder: Path) -> Evidence:
    """Return the record of a stage's folder.

    Raises
    ------
    BadInput
        When there is none, or it is damaged or changed.
    """
    path = folder / EVIDENCE
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise BadInput(f"{path} is not a file any more but a link or something else; it was changed after it was written.", item=str(path))
    try:
        content = path.read_bytes()
        evidence = evidence_from_dict(json.loads(content))
    except FileNotFoundError:
        raise BadInput(f"There is no {EVIDENCE} in {folder}; it is not the folder of a finished stage or run.", item=str(folder)) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(
            f"{path} cannot be read as a record of evidence; it was damaged or changed after it was written.", item=str(path)
        ) from None
    if content != evidence.to_json():
        raise BadInput(f"{path} is not as it was written; bytes were changed.", item=str(path))
    return evidence


def read_seal(root: Path) -> Evidence:
    """Return the record at the root of a finished run.

    Raises
    ------
    BadInput
        When there is no folder, no run in it, a run that was not finished, or a record that was changed.
    """
    if (root / EVIDENCE).exists():
        return read_evidence(root)
    if not root.is_dir():
        found = "is a file" if root.exists() else "does not exist"
        raise BadInput(f"The run {root} {found}; name the folder that `onclair run` wrote (its --out).", item=str(root))
    if holds_run(root):
        sentence = f"The run in {root} was not finished, or its {EVIDENCE} was removed"
        raise BadInput(f"{sentence}; give the same `onclair run` command again: it goes on where it stopped.", item=str(root))
    raise BadInput(f"The folder {root} holds no run; name the folder that `onclair run` wrote (its --out).", item=str(root))


def study_of(root: Path) -> str:
    """Return the name of the study that a run holds.

    Raises
    ------
    BadInput
        When the folder holds no finished run.
    """
    facts = read_seal(root).facts
    if facts.get("kind") is not None:
        raise BadInput(f"{root} holds a run of the kind '{facts['kind']}', which has no model of its own; name the run of a study.")
    return str(facts["study"])


def claim_of(root: Path) -> Evidence:
    """Return the validate record of a finished run, the one that the seal names.

    Raises
    ------
    BadInput
        When the folder holds no finished run.
    CheckFailed
        When the record is not the one that was sealed.
    """
    seal = read_seal(root)
    claim = read_evidence(root / "validate")
    if claim.id != seal.inputs.get("validate"):
        raise CheckFailed(
            f"The validate record of {root} is not the one that was sealed; run `onclair verify` to see what was changed.", item=str(root)
        )
    return claim


def holds_run(root: Path) -> bool:
    """Return whether a folder holds a run, finished or not."""
    return (root / EVIDENCE).exists() or any((root / stage / EVIDENCE).exists() for stage in ("cohort", "table", "learn", "validate"))


def problems_in(folder: Path, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield (file, kind) for each output that was changed, removed or added in a stage's folder."""
    present = _files(folder) - {EVIDENCE}
    for name in sorted(set(evidence.outputs) - present):
        yield name, "removed"
    for name in sorted(present - set(evidence.outputs)):
        yield name, "added"
    for name in sorted(present & set(evidence.outputs)):
        path = folder / name
        if path.is_symlink() or not path.is_file() or sha256_file(path) != evidence.outputs[name]:
            yield name, "changed"


def _files(folder: Path) -> set[str]:
    """Return everything below a stage's folder but folders with something in them: files, links, pipes, empty folders."""
    below = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir() or not any(path.iterdir()))
    return {path.relative_to(folder).as_posix() for path in below}


def _hashes(folder: Path) -> Mapping[str, str]:
    return {name: sha256_file(folder / name) for name in sorted(_files(folder))}


def inputs_of(records: Mapping[str, Evidence]) -> dict[str, str]:
    """Return the ids of records by their folder, as another record's inputs."""
    return {name: record.id for name, record in sorted(records.items())}


def json_bytes(value: Any) -> bytes:
    """Return readable JSON for a person: two spaces, sorted keys, one line end."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
