"""`onclair spectra replay`: every mark of a session recomputed from its stored frames, by the model that it locked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from onclair.core.errors import BadInput
from onclair.run.journal_replay import Replayed, replay_session
from onclair.run.live_parts import Step
from onclair.run.session_folder import Session, read_session
from onclair.studies.tasks.spectra_calibrated import locked_calibration


def replay(
    folder: Path, *, model: Path | None = None, step: Step | None = None, progress: Callable[[int, int], None] | None = None
) -> Replayed:
    """Recompute each row of a session's log from the stored frames.

    Parameters
    ----------
    folder : Path
        Of the session.
    model : Path, optional
        The run whose model the session locked; not needed where a fixed rule answered.
    step : callable, optional
        ``(Measurement) -> Outcome``, in place of the model's own.
    progress : callable, optional
        ``(done, of)``.

    Raises
    ------
    BadInput
        When the model is not the one that the session locked.
    CheckFailed
        When the chain of the log does not hold.
    """
    session = read_session(folder)
    return replay_session(session, step or step_of(session, model), progress=progress)


def step_of(session: Session, model: Path | None = None) -> Step:
    """Return the step of the model and the calibration that a session locked.

    Raises
    ------
    BadInput
        When the model is another one, or is needed and was not given.
    CheckFailed
        When the session's calibration is not the one that was locked.
    """
    from onclair.studies.tasks.spectra_live_step import judge_of  # here, because it brings the whole chain with it

    judge = judge_of(model, locked_calibration(session))
    locked = session.about.get("model")
    if locked is not None and dict(judge.about) != dict(locked):
        said = f"The session locked the model {_named(locked)}, and the one at hand is {_named(judge.about)}"
        raise BadInput(f"{said}; give the run of the locked one after --model.", item=str(session.folder))
    return judge.step


def _named(model: Mapping[str, Any]) -> str:
    return " ".join(str(model[key])[:24] for key in ("id", "version", "sha256") if model.get(key)) or "without a name"
