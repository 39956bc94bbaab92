"""The log replayed: every mark recomputed from its stored frames, and what differs named."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from onclair.core.errors import BadInput, OnclairError
from onclair.io.chainlog import read
from onclair.io.instruments import Frame
from onclair.run.journal import SiteMark, result_of
from onclair.run.live_parts import Outcome, Step, overfull
from onclair.run.live_screen import REASONS
from onclair.run.sealed import unsealed
from onclair.run.session_folder import Session
from onclair.run.session_frames import Stored, measurement_of, read_frame, stored_frames
from onclair.run.sites import RESULT, Site, log_of, sites_of

#: Relative difference up to which a number counts as the same: another machine adds in another order.
TOLERANCE = 1e-9
#: Gates that the clock shut and not the frames: what was computed is compared, not that nothing was shown.
_BY_THE_CLOCK = frozenset(REASONS) - {"saturated", "ambient", "unusable"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that was not reproduced.

    Attributes
    ----------
    row, site : int
    fields : tuple of str
        What differs, by its path: ``amounts.PpIX634.value``. Of a sealed answer only the name is told.
    reason : str
        One sentence.
    """

    row: int
    site: int
    fields: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What replaying a session found.

    Attributes
    ----------
    rows, reproduced : int
        Marks, and those that came out the same.
    differences : tuple of Difference
    """

    rows: int
    reproduced: int
    differences: tuple[Difference, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the replay as plain JSON values."""
        told = [{**asdict(each), "fields": list(each.fields)} for each in self.differences]
        return {"rows": self.rows, "reproduced": self.reproduced, "different": len(told), "differences": told}


def replay_session(session: Session, step: Step, *, progress: Callable[[int, int], None] | None = None) -> Replayed:
    """Recompute every mark of a session from its stored frames.

    Parameters
    ----------
    session : Session
    step : callable
        ``(Measurement) -> Outcome``, that of the session's locked model.
    progress : callable, optional
        ``(done, of)``.

    Raises
    ------
    CheckFailed
        When the chain of the log does not hold: what is not trusted is not replayed.
    """
    log = log_of(session)
    sites = sites_of(read(log).entries) if log.path.exists() or log.head_path.exists() else ()
    found = []
    for done, site in enumerate(sites, start=1):
        found.append(_replayed(session, site, step))
        if progress is not None:
            progress(done, len(sites))
    different = tuple(each for each in found if each is not None)
    return Replayed(len(sites), len(sites) - len(different), different)


def recomputed(frames: Sequence[Frame], step: Step) -> Outcome:
    """Return what the live loop makes of a measurement's frames, its clock apart.

    Parameters
    ----------
    frames : sequence of Frame
        In the order of their arrival.
    step : callable
    """
    try:
        measurement = measurement_of(frames)
        return overfull(frames) or step(measurement)
    except OnclairError as error:
        return Outcome(None, str(error), "unusable")


def mark_of(session: Session, frame: str, note: str, by: str, step: Step | None) -> SiteMark:
    """Return the mark of a measurement that a session judged, told by the name of any of its frames.

    In a session that is not silent the mark holds what the events say was shown. In a silent one it is computed again.

    Parameters
    ----------
    session : Session
    frame : str
        As in ``events.jsonl``.
    note, by : str
    step : callable or None

    Raises
    ------
    BadInput
        For a frame of no measurement, or a silent session without a step.
    CheckFailed
        When a frame is not what was stored.
    """
    events = session.events()
    measured = next((e for e in events if e["kind"] == "measurement" and frame in (e.get("frame"), *e.get("frames", ()))), None)
    if measured is None:
        many = sum(e["kind"] == "measurement" for e in events)
        said = f"No measurement of this session used a frame '{frame}' ({many} measurements are in events.jsonl)"
        raise BadInput(f"{said}; name a frame as the events do.", item=frame)
    entries = _entries_of(session, [str(name) for name in measured["frames"]])
    frames = [read_frame(session.folder, entry) for entry in entries]
    last = next((each for each in reversed(frames) if each.pose is not None), None)
    shown = next((e for e in events if e["kind"] in ("decision", "blank") and e.get("frame") == measured["frame"]), None)
    pose = None if last is None else last.pose
    age = None if last is None or pose is None else 1000.0 * (frames[-1].time_s - pose.time_s)
    if shown is not None and (shown.get("pose") or {}).get("age_ms") is not None:
        age = float(shown["pose"]["age_ms"])
    outcome = _shown(shown) if not session.silent else None
    if outcome is None:
        if step is None:
            raise BadInput("What was shown at this frame is not in the events, and no model is at hand to compute it again.", item=frame)
        outcome = recomputed(frames, step)
    return SiteMark(tuple(entries), result_of(outcome), frames[-1].settings_id, pose, age, note, by)


def _entries_of(session: Session, names: Sequence[str]) -> list[Stored]:
    known = {each.frame: each for each in stored_frames(session.folder)}
    absent = [name for name in names if name not in known]
    if absent:
        raise BadInput(f"The frame '{absent[0]}' of that measurement was not stored; mark another measurement.", item=absent[0])
    return [known[name] for name in names]


def _shown(event: Mapping[str, Any] | None) -> Outcome | None:
    """Return what an event says was shown; None where it does not tell the whole."""
    if event is None or (event["kind"] == "decision" and "detail" not in event):
        return None
    if event["kind"] == "blank":
        return Outcome(None, str(event.get("text") or ""), str(event["reason"]))
    return Outcome(event["answer"], str(event.get("reason") or ""), "", dict(event["detail"]))


def _replayed(session: Session, site: Site, step: Step) -> Difference | None:
    try:
        logged = _logged(session, site)
        entries = [Stored(each["frame"], each["file"], each["sha256"], "", "") for each in site.mark["frames"]]
        again = result_of(recomputed([read_frame(session.folder, entry) for entry in entries], step))
    except OnclairError as error:
        return Difference(site.row, site.number, (), f"Row {site.row} (site {site.number}) cannot be recomputed: {error}")
    fields = _compared(logged)
    different = tuple(path for name in fields for path in differing(logged.get(name), again.get(name), name))
    if not different:
        return None
    said = f"Row {site.row} (site {site.number}) comes out otherwise: {', '.join(different[:4])}{' ...' if len(different) > 4 else ''}."
    return Difference(site.row, site.number, different, said)


def _logged(session: Session, site: Site) -> dict[str, Any]:
    held = {name: site.mark.get(name) for name in RESULT}
    return {**held, **unsealed(session, site.mark)["answer"]} if site.sealed else held


def _compared(logged: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that the frames alone decide."""
    if logged.get("blank") not in _BY_THE_CLOCK:
        return RESULT
    computed = [name for name in RESULT if name not in ("answer", "reason", "blank")]
    return tuple(name for name in computed if logged.get(name) not in (None, [], {}))


def differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Return the paths at which two plain values differ; numbers may differ by a relative 1e-9.

    Examples
    --------
    >>> differing({"a": [1.0, 2.0], "b": "x"}, {"a": [1.0, 2.5], "b": "x"}, "top")
    ['top.a.1']
    >>> differing(1.0, 1.0 + 1e-12), differing(None, 0.0, "p")
    ([], ['p'])
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        names = sorted({*one, *other})
        return [found for name in names for found in differing(one.get(name), other.get(name), f"{path}.{name}".lstrip("."))]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [found for at, (a, b) in enumerate(zip(one, other, strict=True)) for found in differing(a, b, f"{path}.{at}".lstrip("."))]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
    same = math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-12) if numbers else one == other
    return [] if same else [path]
