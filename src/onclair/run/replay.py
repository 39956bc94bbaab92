"""Replay a run: do it again from the data, and compare record by record."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from onclair.core.study import Study
from onclair.run.compared import Replay, compared, refuse_changed
from onclair.run.engine import Job, run
from onclair.run.pointer import read_pointer
from onclair.run.store import read_evidence


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


def data_of(root: Path, named: Path | None) -> Path:
    """Return the cohort to replay on: the one named, or the one that the run points to."""
    return named if named is not None else read_pointer(root)
