"""The command line as a user calls it: a process of its own, its answer, its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


def onclair(*words: str | Path, cwd: Path | None = None) -> Said:
    """Run the command line in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "onclair", *map(str, words)], capture_output=True, text=True, cwd=cwd, check=False, stdin=subprocess.DEVNULL
    )
    return Said(done.returncode, done.stdout, done.stderr)
