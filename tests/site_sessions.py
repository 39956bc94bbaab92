"""A small session with a linear step of its own: frames, events and marks, written as the live loop writes them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.values import Measurement, Spectrum
from onclair.io.chain_files import Head, write_head
from onclair.io.chain_records import GENESIS, written
from onclair.io.chainlog import ChainLog
from onclair.io.instruments import Frame, Pose
from onclair.run.journal import Marked, SiteMark, mark, result_of
from onclair.run.live_parts import Outcome
from onclair.run.session_folder import EVENTS_HEAD, Session, new_session
from onclair.run.session_frames import SessionFrames, measurement_of

MODEL = {"id": "linear", "version": "1", "sha256": "ab" * 32}
NM = np.linspace(500.0, 700.0, 64)
PLAN = 'format = "onclair-silent/1"\ntitle = "t"\npositive = ["margin", "core"]\n'


def step(measurement: Measurement) -> Outcome:
    """A linear step: the net mean of the counts about 634 nm, in units of 100 counts from 200."""
    lit, dark = measurement.frames[0], measurement.lamp_off[0]
    near = np.abs(lit.wavelength_nm - 634.0) < 10.0
    level = float((lit.counts - dark.counts)[near].mean())
    probability = 1.0 / (1.0 + math.exp(-(level - 200.0) / 100.0))
    labels = ["suspect"] if probability > 0.7 else ["not_suspect"] if probability < 0.3 else ["suspect", "not_suspect"]
    detail = {
        "probability": probability,
        "prediction_set": labels,
        "amounts": {"PpIX634": {"value": level, "se": 1.0, "low": level - 2, "high": level + 2, "status": "ok"}},
        "quality": [{"name": "snr", "value": 30.0, "threshold": 5.0, "passed": True, "reason": ""}],
        "inputs": {"level": level},
    }
    return Outcome(labels[0] if len(labels) == 1 else "cannot_tell", "" if len(labels) == 1 else "two labels", detail=detail)


def frames_of(number: int, level: float, place: Sequence[float] | None = (10.0, 20.0, 30.0)) -> tuple[Frame, Frame]:
    """The lamp-off and the excited frame of one measurement, the pose told by the tracker in RAS."""
    noise = np.random.default_rng(number).normal(0.0, 1.0, (2, NM.size))
    pose = None
    if place is not None:
        lps = np.eye(4)
        lps[:3, 3] = place
        pose = Pose(np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps, number - 0.05, "RAS", "navigation A", 1.4)
    off = Frame(f"F{number}a", "lamp_off", Spectrum(100.0 + noise[0], NM, None, 20.0), "set1", number - 0.02, pose=pose)
    lit = Frame(f"F{number}b", "fluorescence", Spectrum(100.0 + level + noise[1], NM, 405.0, 20.0), "set1", float(number), pose=pose)
    return off, lit


def session_at(folder: Path, **about: Any) -> Session:
    """A session that locked a model."""
    return new_session(folder, {"study": "spectra", "subject": "P-01", "data": "virtual", "model": MODEL, "calibration": "cal-1", **about})


def mark_site(session: Session, number: int, level: float, **given: Any) -> Marked:
    """Take, judge, tell and mark one measurement, as the live loop does."""
    frames = frames_of(number, level, given.pop("place", (10.0 + 4 * number, 20.0, 30.0)))
    outcome = step(measurement_of(frames))
    store = SessionFrames(session.folder)
    stored = tuple(store.store(frame) for frame in frames)
    detail = {} if session.silent else {"detail": dict(outcome.detail)}
    shown = {"answer": None if session.silent else outcome.answer, "reason": outcome.reason}
    tell(session, {"kind": "measurement", "frame": frames[1].frame, "frames": [frame.frame for frame in frames]})
    tell(session, {"kind": "decision", "frame": frames[1].frame, "pose": {"age_ms": 50.0}, **shown, **detail})
    made = mark(session, SiteMark(stored, result_of(outcome), "set1", frames[1].pose, 50.0, **{"author": "AB", **given}))
    tell(session, {"kind": "mark", "frame": frames[1].frame, "site": made.site, "row_hash": made.hash})
    return made


def tell(session: Session, event: dict[str, Any]) -> None:
    """Write an event after those before it, as the live loop does."""
    lines = session.events_path.read_bytes().splitlines() if session.events_path.exists() else []
    last = json.loads(lines[-1])["hash"] if lines else GENESIS
    _, line = written({"time": f"2026-01-01T00:00:{len(lines):02d}.000Z", **event}, len(lines) + 1, last)
    with session.events_path.open("ab") as stream:
        stream.write(line)


def finished(folder: Path, levels: Sequence[float] = (500.0, 20.0, 210.0), **about: Any) -> Session:
    """A session that ended after a mark for each level."""
    session = session_at(folder, **about)
    for number, level in enumerate(levels, start=1):
        mark_site(session, number, level, note=f"note {number}")
    tell(session, {"kind": "status", "state": "ended"})
    last = json.loads(session.events_path.read_bytes().splitlines()[-1])
    write_head(ChainLog(session.events_path, head_name=EVENTS_HEAD), Head(last["seq"], last["hash"], last["time"]))
    return session


def pathology_csv(path: Path, rows: Sequence[str], header: str = "site,diagnosis,infiltration,block") -> Path:
    """A table from the pathologist."""
    path.write_text("\n".join([header, *rows]) + "\n")
    return path
