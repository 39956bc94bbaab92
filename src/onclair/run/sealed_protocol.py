"""Opened answers handed to the evidence protocol: one trial over many silent sessions, one locked model, no refit.

The trial's locked formula is the identity: it takes the log-odds that the sealed model gave, and its risk is the sealed probability.
That the answers came before pathology is proved by each session's own log; the trial judges them, and its looks are planned.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from onclair.core.canonical import canonical_json, sha256_of
from onclair.core.errors import BadInput
from onclair.io.chainlog import read
from onclair.io.files import write_atomically
from onclair.io.tables import write_table
from onclair.run.sealed import Planned, locked_plan
from onclair.run.session_folder import Session
from onclair.run.sites import Site, log_of, sites_of
from onclair.validate.protocol.bundle import PLAN
from onclair.validate.protocol.plan import read_protocol_plan
from onclair.validate.protocol.record import State, chain_of, enter_outcomes, lock, look, predict, state_of

#: Probabilities nearer to 0 or 1 are told as this near: their log-odds would not be finite.
NEAREST = 1e-9


@dataclass(frozen=True, slots=True)
class Handed:
    """What a session gave to the trial.

    Attributes
    ----------
    trial : Path
    cases : tuple of str
        Entered now.
    left_out : tuple of mapping
        ``site reason``.
    events, next_look : int, int or None
    look : mapping or None
        The look that fell due, as it was logged.
    """

    trial: Path
    cases: tuple[str, ...]
    left_out: tuple[Mapping[str, Any], ...]
    events: int
    next_look: int | None
    look: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "trial": str(self.trial),
            "cases": list(self.cases),
            "left_out": [dict(each) for each in self.left_out],
            "events": self.events,
            "next_look": self.next_look,
            "look": None if self.look is None else dict(self.look),
        }


def lock_trial(session: Session, trial: Path) -> None:
    """Lock a trial for the model and the plan of a silent session; best done before its first patient.

    Raises
    ------
    BadInput
        When the session has no plan or no model.
    NoRoom
        When the folder is taken.
    """
    planned = _plan_of(session)
    with tempfile.TemporaryDirectory() as home:
        formula, plan = Path(home, "model.json"), Path(home, "plan.toml")
        write_atomically(formula, canonical_json(_identity(session)))
        write_atomically(plan, planned.protocol.encode())
        lock(formula, plan, trial)


def hand_over(session: Session, trial: str | Path) -> Handed:
    """Give the opened answers of a session, and what pathology said, to a trial; the look that falls due is taken.

    What a stopped run had already given is not given twice.

    Parameters
    ----------
    session : Session
        Silent, its answers opened.
    trial : path
        A folder of the evidence protocol; locked now where there is none.

    Raises
    ------
    BadInput
        When answers are still sealed, or the trial locked another plan or another model: a refitted model needs a trial of its own.
    CheckFailed
        When a chain does not hold.
    """
    trial, planned = Path(trial), _plan_of(session)
    sites = sites_of(read(log_of(session)).entries)
    if not sites or any(site.sealed for site in sites):
        raise BadInput("The answers of the session are still sealed; open them once pathology is in.", item=str(session.folder))
    if not trial.exists():
        lock_trial(session, trial)
    _refuse_other(session, planned, trial)
    told, left_out = _told(session, planned, sites)
    state = state_of(read(chain_of(trial)).entries)
    _enter(trial, told, state)
    new = tuple(case for case in told if case not in state.outcomes)
    return _standing(trial, planned, new, left_out)


def outcome_of(planned: Planned, pathology: Mapping[str, Any] | None) -> int | None:
    r"""Return 1 or 0 as the plan counts what pathology said; None where it counts neither.

    Examples
    --------
    >>> from onclair.run.sealed import read_silent_plan
    >>> planned = read_silent_plan(b'format = "onclair-silent/1"\npositive = ["core"]')
    >>> [outcome_of(planned, {"diagnosis": said}) for said in ("Core", "healthy", "")]
    [1, 0, None]
    """
    said = pathology or {}
    column = planned.plan.truth
    value = said.get(column) if column in ("diagnosis", "infiltration") else (said.get("further") or {}).get(column)
    text = "" if value is None else str(value).strip().casefold().removesuffix(".0")
    if not text:
        return None
    if text in {each.casefold() for each in planned.plan.positive}:
        return 1
    negative = {each.casefold() for each in planned.plan.negative}
    return 0 if not negative or text in negative else None


def _plan_of(session: Session) -> Planned:
    planned = locked_plan(session)
    if planned is None or not session.about.get("model"):
        lacking = "no plan" if planned is None else "no model"
        raise BadInput(f"The session locked {lacking}, so there is no trial that it belongs to.", item=str(session.folder))
    return planned


def _model_name(session: Session) -> str:
    model = session.about["model"]
    digest = model["sha256"] if isinstance(model, Mapping) and model.get("sha256") else sha256_of(model)
    return f"sealed-{str(digest)[:16]}"


def _identity(session: Session) -> dict[str, Any]:
    term = {"input": "log_odds", "coefficient": 1}
    name = _model_name(session)
    return {"format": "onclair-model/1", "name": name, "family": "logistic", "outcome": "truth", "intercept": 0, "terms": [term]}


def _refuse_other(session: Session, planned: Planned, trial: Path) -> None:
    entries = read(chain_of(trial)).entries
    locked = entries[0].fields["body"]["model"]
    if locked != _model_name(session):
        said = f"The trial {trial} locked the model {locked}, and this session used {_model_name(session)}"
        raise BadInput(f"{said}: a refitted model needs a trial of its own; nothing was entered.", item="model")
    if (trial / PLAN).read_bytes() != planned.protocol.encode():
        raise BadInput(f"The trial {trial} locked another plan than this session; nothing was entered: give its own trial.", item="plan")


def _told(session: Session, planned: Planned, sites: Sequence[Site]) -> tuple[dict[str, tuple[float, int]], tuple[Mapping[str, Any], ...]]:
    """Return risk (as log-odds) and outcome of each case, and the sites that give none with the reason."""
    told: dict[str, tuple[float, int]] = {}
    lost: list[Mapping[str, Any]] = []
    for site in sites:
        risk, truth = site.mark.get("probability"), outcome_of(planned, site.pathology)
        if risk is None or truth is None:
            why = (
                "the model gave no probability" if risk is None else f"pathology says nothing that the plan counts as {planned.plan.truth}"
            )
            lost.append({"site": site.number, "reason": why})
            continue
        p = min(max(float(risk), NEAREST), 1.0 - NEAREST)
        told[f"{session.sha256[:12]}-{site.number}"] = (math.log(p / (1.0 - p)), truth)
    return told, tuple(lost)


def _enter(trial: Path, told: Mapping[str, tuple[float, int]], state: State) -> None:
    unpredicted = {case: each for case, each in told.items() if case not in state.predictions}
    untold = {case: each for case, each in told.items() if case not in state.outcomes}
    with tempfile.TemporaryDirectory() as home:
        if unpredicted:
            frame = pd.DataFrame({"site": list(unpredicted), "log_odds": [each[0] for each in unpredicted.values()]})
            write_table(Path(home, "cases.csv"), frame)
            predict(trial, Path(home, "cases.csv"))
        if untold:
            frame = pd.DataFrame({"site": list(untold), "truth": [each[1] for each in untold.values()]})
            write_table(Path(home, "outcomes.csv"), frame)
            enter_outcomes(trial, Path(home, "outcomes.csv"))


def _standing(trial: Path, planned: Planned, new: tuple[str, ...], left_out: tuple[Mapping[str, Any], ...]) -> Handed:
    looks = read_protocol_plan(planned.protocol.encode()).looks
    state = state_of(read(chain_of(trial)).entries)
    due = looks.next_due(state.looks) if looks else None
    taken = look(trial).look.as_dict() if due is not None and state.events >= due else None
    after = looks.next_due([*state.looks, state.events]) if looks and taken else due
    return Handed(trial, new, left_out, state.events, after, taken)
