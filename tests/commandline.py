"""The command line as a user calls it: a process of its own, its answer, its exit code."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
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


def onclair_here(*words: str | Path) -> Said:
    """Run the command line in this process: the same door and answers, for what needs no process of its own."""
    from onclair.cli.main import main

    out, err, argv, code = io.StringIO(), io.StringIO(), sys.argv, 0
    sys.argv = ["onclair", *map(str, words)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    finally:
        sys.argv = argv
    return Said(code, out.getvalue(), err.getvalue())
