"""Two runs compared record by record, and what may be replayed at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onclair.core.errors import CheckFailed
from onclair.core.evidence import Evidence
from onclair.run.store import read_evidence
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
