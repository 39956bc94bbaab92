"""The stage `explain`: what moved the locked model's answer for each patient that it learnt from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from onclair.core.evidence import Evidence
from onclair.core.progress import Progress
from onclair.io.models import load_model
from onclair.io.source import source_sha256
from onclair.io.tables import write_parquet
from onclair.learn.locked import Locked
from onclair.learn.saved import from_record
from onclair.run.environment import environment
from onclair.run.learning import STAGE as LEARN
from onclair.run.learning import Lesson
from onclair.run.store import Store

STAGE = "explain"


def locked_model(root: Path) -> Locked:
    """Return the locked model of a run.

    Raises
    ------
    BadModelFile
        When its files are not as they were written.
    """
    return from_record(load_model(root / LEARN / "model"))


def explain(store: Store, lesson: Lesson, inputs: dict[str, str]) -> Evidence:
    """Write the signed reasons of each row, and how large they are on average.

    The rows are those the locked model learnt from: they say what the model looks at, not how well it does.
    """
    code = source_sha256(lesson.study.explain)
    evidence = Evidence(STAGE, "", inputs, {}, code, environment())
    found = store.find(STAGE, evidence.key)
    if found is not None:
        return found
    locked, frames = locked_model(store.root), []
    for number in range(len(lesson.table.rows)):
        row = lesson.table.rows.iloc[[number]]
        patient, item = row.index[0]
        reasons = pd.DataFrame(
            [dict(r) for r in lesson.study.explain(locked, row)], columns=["feature", "value", "reference", "contribution"]
        )
        frames.append(reasons.assign(patient=str(patient), item=str(item)))
    table = pd.concat(frames, ignore_index=True).astype({"contribution": float})
    weight = table.assign(size=table["contribution"].abs()).groupby("feature")["size"].sum() / len(frames)
    ranked = weight.sort_values(ascending=False, kind="stable")
    facts = {"features": [{"name": str(name), "importance": float(value)} for name, value in ranked.items()]}
    lesson.progress(Progress(STAGE, 1, 1, unit="steps"))

    def fill(partial: Path) -> None:
        write_parquet(partial / "reasons.parquet", table)

    return store.write(STAGE, Evidence(STAGE, "", inputs, {}, code, environment(), facts=facts), fill)
