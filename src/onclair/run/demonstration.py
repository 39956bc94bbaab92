"""A study's demonstration: its virtual cohort, made once, and the main job on it, verified."""

from __future__ import annotations

import json
from pathlib import Path

from onclair.core.errors import CheckFailed, NoRoom
from onclair.core.progress import Listener, silent
from onclair.core.study import Study
from onclair.io.files import make_folder, write_atomically
from onclair.run.engine import Job, Result, run
from onclair.run.pool import pool
from onclair.run.report import Renderer
from onclair.run.store import json_bytes
from onclair.run.verify import verify

#: What the virtual cohort beside it was made with.
SETTINGS = "demonstration.json"


def demonstrate(
    study: Study, place: Path, render: Renderer, *, tiny: bool = False, workers: int = 1, progress: Listener = silent
) -> Result:
    """Make the study's virtual cohort where it is not there yet, run the study on it, and verify the run.

    Parameters
    ----------
    study : Study
    place : Path
        Gets ``cohort/``, ``run/`` and ``demonstration.json``.
    render : callable
        As in :class:`onclair.run.engine.Job`.
    tiny : bool
        The conformance suite's small cohort and quick settings.
    workers : int
    progress : Listener

    Returns
    -------
    Result

    Raises
    ------
    NoRoom
        When `place` holds the demonstration of other settings.
    CheckFailed
        When the run that lies there was changed.
    """
    virtual = study.virtual.settings.read(study.virtual.tiny if tiny else study.virtual.demo, source=f"the demonstration of {study.name}")
    settings = study.settings.read(study.virtual.quick if tiny else study.virtual.shown, source=f"the demonstration of {study.name}")
    cohort = place / "cohort"
    _refuse_other(place, virtual.as_record())
    if not (cohort / "cohort.toml").exists():
        make_folder(place)
        with pool(workers) as over:
            study.virtual.write(virtual, cohort, map=over, progress=progress)
        write_atomically(place / SETTINGS, json_bytes(virtual.as_record()))
    result = run(Job(study, settings, cohort, place / "run", render, workers, progress=progress))
    found = verify(place / "run")
    if not found.valid:
        raise CheckFailed(
            f"The demonstration in {place / 'run'} was changed: {found.problems[0].message} Remove that folder and run it again."
        )
    return result


def _refuse_other(place: Path, asked: dict[str, object]) -> None:
    """Refuse a folder whose virtual cohort was made with other settings."""
    try:
        held = json.loads((place / SETTINGS).read_bytes())
    except (OSError, ValueError):
        held = None if (place / "cohort").exists() else asked
    if held != asked:
        raise NoRoom(f"{place} holds another demonstration (other virtual patients); remove it, or choose another --out.", item=str(place))
