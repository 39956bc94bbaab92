"""Replay a run: do it again from the data, and compare record by record."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onclair.core.errors import BadInput, CheckFailed
from onclair.core.evidence import Evidence
from onclair.core.study import Study
from onclair.run.engine import Job, run
from onclair.run.pointer import read_pointer
from onclair.run.store import read_evidence, read_seal
from onclair.run.verify import verify


@dataclass(frozen=True, slots=True)
class Replay:
    """What `onclair replay` answers.

    Attributes
    ----------
    records : int
        Records compared, the seal included.
    different : tuple of mapping
        ``record`` and ``what`` differs.
    seal, replayed_seal : str
    """

    records: int
    different: tuple[dict[str, str], ...]
    seal: str
    replayed_seal: str

    @property
    def equal(self) -> bool:
        """Whether every record came out with the same hash."""
        return not self.different

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain JSON values."""
        return {
            "equal": self.equal,
            "records": self.records,
            "different": list(self.different),
            "seal": self.seal,
            "replayed_seal": self.replayed_seal,
        }


def replay(root: Path, study: Study, job: Job) -> Replay:
    """Run again into a temporary folder what is sealed in `root`, and compare.

    Parameters
    ----------
    root : Path
    study : Study
        The one that the seal names.
    job : Job
        With the renderer, the workers and the listener; its data, settings and out are replaced.

    Returns
    -------
    Replay

    Raises
    ------
    CheckFailed
        When the run does not verify: what was changed cannot be replayed.
    BadInput
        When the cohort is not where the run left it.
    """
    refuse_changed(root)
    seal = read_evidence(root)
    with tempfile.TemporaryDirectory(prefix="onclair-replay-") as place:
        again = replace(
            job,
            study=study,
            settings=study.settings.read(dict(seal.settings)),
            out=Path(place, "run"),
            skip_bad=bool(seal.facts["skip_bad"]),
        )
        return compared(root, again.out, seal, run(again).seal)


def refuse_changed(root: Path) -> None:
    """Refuse to replay what does not verify.

    Raises
    ------
    CheckFailed
    """
    checked = verify(root)
    if not checked.valid:
        raise CheckFailed(
            f"{root} does not verify: {checked.problems[0].message} Restore it before replaying; `onclair verify` lists every change.",
            item=str(root),
        )


def compared(root: Path, again: Path, seal: Evidence, replayed: Evidence) -> Replay:
    """Return how two runs, in two folders under their seals, differ record by record."""
    different = tuple(_different(root, again, seal, replayed))
    return Replay(1 + len(set(seal.inputs) | set(replayed.inputs)), different, seal.id, replayed.id)


def data_of(root: Path, named: Path | None) -> Path:
    """Return the cohort to replay on: the one named, or the one that the run points to."""
    return named if named is not None else read_pointer(root)


def _different(root: Path, again: Path, seal: Evidence, replayed: Evidence) -> Iterator[dict[str, str]]:
    for name in sorted(set(seal.inputs) | set(replayed.inputs)):
        if seal.inputs.get(name) == replayed.inputs.get(name):
            continue
        if name not in seal.inputs or name not in replayed.inputs:
            yield {"record": name, "what": "present in one run only"}
            continue
        before, after = read_evidence(root / name).record(), read_evidence(again / name).record()
        fields = [field for field in before if before[field] != after[field] and field != "key"]
        yield {"record": name, "what": ", ".join(fields)}


def study_of(root: Path) -> str:
    """Return the name of the study that a run holds.

    Raises
    ------
    BadInput
        When the folder holds no finished run.
    """
    facts = read_seal(root).facts
    if facts.get("kind") == "validation":
        raise BadInput(f"{root} holds the validation of somebody's predictions, which has no model of its own; name the run of a study.")
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
