"""Verify a run: recompute every hash and name what was changed, added or removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onclair.core.errors import BadInput
from onclair.core.evidence import Evidence
from onclair.run.pointer import pointer_problem
from onclair.run.store import EVIDENCE, POINTER, holds_run, problems_in, read_evidence, read_seal


@dataclass(frozen=True, slots=True)
class Problem:
    """One file that is not as it was written.

    Attributes
    ----------
    file : str
        Relative to the run.
    kind : {"changed", "removed", "added"}
    message : str
        One sentence.
    """

    file: str
    kind: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """Return the problem as plain JSON values."""
        return {"file": self.file, "kind": self.kind, "message": self.message}


@dataclass(frozen=True, slots=True)
class Verification:
    """What `onclair verify` answers."""

    records: int
    problems: tuple[Problem, ...]
    seal: str | None

    @property
    def valid(self) -> bool:
        """Whether every byte is as it was written."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain JSON values."""
        return {"valid": self.valid, "records": self.records, "seal": self.seal, "problems": [p.as_dict() for p in self.problems]}


def verify(root: Path) -> Verification:
    """Recompute every hash of a run.

    Parameters
    ----------
    root : Path
        The run folder; it may have been moved or copied.

    Returns
    -------
    Verification
        With every file that was changed, added or removed.

    Raises
    ------
    BadInput
        When the folder holds no run at all.
    """
    if not holds_run(root):
        read_seal(root)  # says what the folder is instead
    try:
        seal = read_evidence(root)
    except BadInput:
        return Verification(0, (_without_seal(root),), None)
    problems = [*_stages(root, seal), *_strays(root, seal), *pointer_problems(root, seal)]
    return Verification(1 + len(seal.inputs), tuple(sorted(problems, key=lambda p: p.file)), seal.id)


def _without_seal(root: Path) -> Problem:
    if not (root / EVIDENCE).exists():
        message = f"{EVIDENCE} is not at the root of the run: the run was not finished, or the file was removed; run it again to finish it."
        return Problem(EVIDENCE, "removed", message)
    return Problem(EVIDENCE, "changed", f"{EVIDENCE}, the run's seal, does not match its own hash.")


def _stages(root: Path, seal: Evidence) -> Iterator[Problem]:
    """Yield the problems of each stage that the seal names."""
    if seal.facts.get("claim") != seal.inputs.get("validate"):
        yield Problem(EVIDENCE, "changed", f"{EVIDENCE}, the run's seal, names another claim than the one in validate.")
    for folder, identity in seal.inputs.items():
        name = f"{folder}/{EVIDENCE}"
        if not (root / name).exists() and not (root / name).is_symlink():
            yield Problem(name, "removed", f"{name} was removed; the other files of {folder} cannot be checked without it.")
            continue
        try:
            record = read_evidence(root / folder)
        except BadInput:
            yield Problem(name, "changed", f"{name} does not match its own hash; the other files of {folder} cannot be checked against it.")
            continue
        if record.id != identity or not _agrees(record, seal):
            yield Problem(name, "changed", f"{name} is not the record that the seal and the other records name.")
        for file, kind in problems_in(root / folder, record):
            yield Problem(f"{folder}/{file}", kind, f"{folder}/{file} was {kind}.")


def _agrees(record: Evidence, seal: Evidence) -> bool:
    """Return whether what a record says of other records and of the settings is what the seal says."""
    same_inputs = all(seal.inputs.get(name, identity) == identity for name, identity in record.inputs.items())
    told = record.facts.get("settings")
    return same_inputs and (told is None or told == seal.settings)


def _strays(root: Path, seal: Evidence) -> Iterator[Problem]:
    """Yield what lies in no stage's folder."""
    for path in sorted(root.rglob("*")):
        if path.is_dir() and not path.is_symlink() and any(path.iterdir()):
            continue
        name = path.relative_to(root).as_posix()
        stage = next((f for f in seal.inputs if name.startswith(f"{f}/")), None)
        if name not in (EVIDENCE, POINTER) and stage is None:
            yield Problem(name, "added", f"{name} was added.")


def pointer_problems(root: Path, seal: Evidence) -> Iterator[Problem]:
    """Yield what is wrong with the pointer to the cohort."""
    kind = pointer_problem(root, seal.facts.get("pointer", True))
    if kind is not None:
        yield Problem(POINTER, kind, f"{POINTER}, which says where the cohort lies, was {kind}.")
