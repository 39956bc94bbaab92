"""Where the cohort of a run lies: `data.json`, relative to the run, part of no hash and with a checksum of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

from onclair.core.canonical import canonical_json, sha256_of
from onclair.core.errors import BadInput
from onclair.io.files import write_atomically
from onclair.run.store import POINTER


def write_pointer(root: Path, cohort: Path) -> None:
    """Write where the cohort lies as seen from the run.

    A path says nothing about the result, so it is in no record; the checksum only tells a changed pointer from a true one.
    """
    path = Path(os.path.relpath(cohort.resolve(), root.resolve())).as_posix()
    write_atomically(root / POINTER, canonical_json({"cohort": path, "sha256": sha256_of(path)}) + b"\n")


def read_pointer(root: Path) -> Path:
    """Return the cohort folder that the pointer names.

    Raises
    ------
    BadInput
        When there is no pointer, it was changed, or nothing lies there any more.
    """
    if pointer_problem(root, expected=True) is not None:
        raise BadInput(f"{root / POINTER} is missing or changed, so the cohort cannot be found; name it with --data COHORT.", item=POINTER)
    where = root / str(json.loads((root / POINTER).read_bytes())["cohort"])
    if not where.is_dir():
        raise BadInput(
            f"The cohort of {root} is not where it was ({os.path.normpath(where)}); name its folder with --data COHORT.", item=POINTER
        )
    return Path(os.path.normpath(where))


def pointer_problem(root: Path, expected: bool) -> str | None:
    """Return "removed", "added" or "changed", or None when the pointer is as it was written."""
    path = root / POINTER
    if not path.is_file() or path.is_symlink():
        return "removed" if expected else None
    if not expected:
        return "added"
    content = path.read_bytes()
    try:
        document = json.loads(content)
        whole = set(document) == {"cohort", "sha256"} and sha256_of(document["cohort"]) == document["sha256"]
        return None if whole and content == canonical_json(document) + b"\n" else "changed"
    except (ValueError, TypeError):
        return "changed"
