"""Where the data of a run lie, a cohort folder or a table: `data.json`, relative, part of no hash, with a checksum of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

from onclair.core.canonical import canonical_json, sha256_of
from onclair.core.errors import BadInput
from onclair.io.files import write_atomically
from onclair.run.store import POINTER


def write_pointer(root: Path, data: Path) -> None:
    """Write where the data lie as seen from the run.

    A path says nothing about the result, so it is in no record; the checksum only tells a changed pointer from a true one.
    """
    path = Path(os.path.relpath(data.resolve(), root.resolve())).as_posix()
    write_atomically(root / POINTER, canonical_json({"data": path, "sha256": sha256_of(path)}) + b"\n")


def read_pointer(root: Path) -> Path:
    """Return the cohort folder or the table that the pointer names.

    Raises
    ------
    BadInput
        When there is no pointer, it was changed, or nothing lies there any more.
    """
    if pointer_problem(root, expected=True) is not None:
        raise BadInput(f"{root / POINTER} is missing or changed, so the data cannot be found; name them with --data.", item=POINTER)
    where = root / str(json.loads((root / POINTER).read_bytes())["data"])
    if not where.exists():
        raise BadInput(f"The data of {root} are not where they were ({os.path.normpath(where)}); name them with --data.", item=POINTER)
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
        whole = set(document) == {"data", "sha256"} and sha256_of(document["data"]) == document["sha256"]
        return None if whole and content == canonical_json(document) + b"\n" else "changed"
    except (ValueError, TypeError):
        return "changed"
