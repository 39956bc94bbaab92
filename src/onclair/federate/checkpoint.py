"""What a killed federation goes on from: after every round the state, the round's number, and hashes of all that led there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onclair.core.canonical import canonical_json, sha256_of
from onclair.core.errors import BadInput
from onclair.federate.rounds import Round
from onclair.federate.values import State, state_from
from onclair.io.files import make_folder, write_atomically

STATE, ABOUT, ROUNDS = "state.npz", "checkpoint.json", "rounds.jsonl"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder that keeps the last finished round of one federation.

    Attributes
    ----------
    folder : Path
    task : mapping
        What the federation is: study, settings, sites, hashes of the programs. Plain JSON values; a checkpoint of another task is refused.
    """

    folder: Path
    task: Mapping[str, Any]

    def keep(self, state: State, finished: Round) -> None:
        """Write the state and the line of a finished round; a kill at any moment leaves the round before, or this one, whole.

        Raises
        ------
        NoRoom
            When the folder cannot be written.
        """
        make_folder(self.folder)
        data, lines = state.to_bytes(), [*self.lines()[: state.round - 1], line_of(finished)]
        write_atomically(self.folder / f"{state.round:05d}-{STATE}", data)
        write_atomically(self.folder / ROUNDS, b"".join(canonical_json(line) + b"\n" for line in lines))
        about = {
            "task": sha256_of(dict(self.task)),
            "round": state.round,
            "state": state.sha256,
            "rounds": sha256_of([stripped(line) for line in lines]),
        }
        write_atomically(self.folder / ABOUT, canonical_json(about))
        for old in self.folder.glob(f"*-{STATE}"):
            if old.name != f"{state.round:05d}-{STATE}":
                old.unlink()

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the finished rounds."""
        place = self.folder / ROUNDS
        return [json.loads(line) for line in place.read_text().splitlines()] if place.exists() else []

    def load(self) -> State | None:
        """Return the state of the last finished round; None where nothing was finished yet.

        Raises
        ------
        BadInput
            For a checkpoint of another task, cut short, or altered.
        """
        place = self.folder / ABOUT
        if not place.exists():
            return None
        try:
            about = json.loads(place.read_text())
            kept, number = about["task"], int(about["round"])
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"The checkpoint {place} is cut short or altered; delete its folder to start again.", item=str(place)) from error
        if kept != sha256_of(dict(self.task)):
            raise BadInput(
                f"The checkpoint {self.folder} is of another study, other settings or sites; resume with those, or choose another --out.",
                item=str(self.folder),
            )
        file = self.folder / f"{number:05d}-{STATE}"
        state = state_from(file.read_bytes()) if file.exists() else None
        whole = [stripped(line) for line in self.lines()[:number]]
        if state is None or state.sha256 != about["state"] or sha256_of(whole) != about["rounds"]:
            raise BadInput(f"The checkpoint {self.folder} does not fit its hashes; delete it to start again.", item=str(self.folder))
        return state


def line_of(finished: Round) -> dict[str, Any]:
    """Return a finished round as the line of ``rounds.jsonl``."""
    return {**asdict(finished), "sites": list(finished.sites), "lost": list(finished.lost)}


def stripped(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line without its clock, which no record may depend on."""
    return {name: value for name, value in line.items() if name != "seconds"}
