"""The step of a live session: prepare, gates, unmix, and the answer of a locked model or of a fixed rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from onclair.core.canonical import plain_float
from onclair.core.errors import BadSetting
from onclair.core.values import Detector, Measurement, Spectrum
from onclair.io.files import sha256_file
from onclair.run.applying import opened_run
from onclair.run.findings import LockedRun
from onclair.run.learning import STAGE as LEARN
from onclair.run.live_parts import Outcome, Step
from onclair.run.store import read_seal
from onclair.science.spectra.point import Measured, Steps, measured
from onclair.studies.spectra import SpectraSettings, row_of, steps_of, study

#: Without a model: the ratio of PpIX634 to autofluorescence at which tissue is called suspect, half-way on the logarithm between the
#: medians of healthy tissue and margin in virtual patients. A rule to see the loop work by, not a claim.
RULE = 0.055
RULE_NAME = f"rule 634/AF > {RULE:g}"


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """What answers in a live session.

    Attributes
    ----------
    step : callable
        ``(Measurement) -> Outcome``.
    name : str
        In every decision.
    about : mapping
        ``id version sha256``, locked in ``session.json``.
    intact : callable
        Returns what is wrong with the model's files, None when nothing is.
    """

    step: Step
    name: str
    about: Mapping[str, Any]
    intact: Callable[[], str | None] = lambda: None


def judge_of(run: Path | None) -> Judge:
    """Return what answers: the locked model of a run, or the rule where none is given; warmed up, for the first answer to be quick.

    Raises
    ------
    CheckFailed
        When the run does not verify.
    BadSetting
        For the run of another study.
    """
    judge = Judge(rule, RULE_NAME, {"id": RULE_NAME, "version": "1", "sha256": None}) if run is None else _locked(run)
    warm(judge.step)
    return judge


def _locked(run: Path) -> Judge:
    """Return the locked model of a run of the study of spectra, and a way to see that its files are as they were."""
    if read_seal(run).facts.get("study") != "spectra":
        raise BadSetting(f"The run {run} is not one of the study spectra, so it has no model for a session; name another.", item=str(run))
    locked = opened_run(run, study)
    about = {
        "id": f"spectra:{locked.model.about['learner']}",
        "version": str(locked.claim.environment["onclair"]),
        "sha256": locked.model_sha256,
        "evidence": locked.claim.id,
    }
    files = sorted(path for path in (run / LEARN / "model").iterdir() if path.is_file())
    first = {path: sha256_file(path) for path in files}

    def intact() -> str | None:
        for path, known in first.items():
            if not path.is_file() or sha256_file(path) != known:
                return f"The model's file {path.name} has changed since the session began; end the session and restore the run."
        return None

    return Judge(partial(answer_of, locked), about["id"], about, intact)


def answer_of(locked: LockedRun, measurement: Measurement) -> Outcome:
    """Return the answer of a locked model on one point: nothing where a gate failed, and what stays possible where it cannot tell."""
    settings = cast(SpectraSettings, locked.settings)
    found = measured(measurement, steps_of(settings))
    told = detail_of(found)
    if found.failed:
        return Outcome(None, found.failed[0].reason, found.failed[0].name, told)
    judged = locked.model.judge(pd.DataFrame([row_of(found)[0]], index=["point"]))
    said = {**told, "probability": judged.risk, "low": judged.low, "high": judged.high}
    said["prediction_set"] = [name for name, stays in zip(("not_suspect", "suspect"), judged.possible, strict=True) if stays]
    if judged.code is not None:
        return Outcome("cannot_tell", str(judged.reason()), detail=said)
    return Outcome("suspect" if judged.possible[1] else "not_suspect", "", detail=said)


def rule(measurement: Measurement) -> Outcome:
    """Return the answer of the fixed rule: suspect where the interval of 634/AF lies above the threshold, not suspect below it."""
    found = measured(measurement, Steps())
    told = detail_of(found)
    if found.failed:
        return Outcome(None, found.failed[0].reason, found.failed[0].name, told)
    ratio = None if found.unmixed is None else found.unmixed.ratios.get("634/AF")
    if ratio is None or ratio.low is None or ratio.high is None:
        return Outcome("cannot_tell", "The spectra do not tell how much PpIX there is beside the autofluorescence.", detail=told)
    said = f"634/AF lies between {ratio.low:.3f} and {ratio.high:.3f}"
    if ratio.low > RULE:
        return Outcome("suspect", f"{said}, above {RULE:g}.", detail={**told, "prediction_set": ["suspect"]})
    if ratio.high < RULE:
        return Outcome("not_suspect", f"{said}, below {RULE:g}.", detail={**told, "prediction_set": ["not_suspect"]})
    return Outcome("cannot_tell", f"{said}, on both sides of {RULE:g}.", detail={**told, "prediction_set": ["suspect", "not_suspect"]})


def detail_of(found: Measured) -> dict[str, Any]:
    """Return what goes with every answer: amounts with errors, gates, and the features that a model looks at."""
    told = {} if found.unmixed is None else found.unmixed.as_dict()
    return {
        "probability": None,
        "amounts": {**told.get("abundances", {}), **told.get("ratios", {})},
        "quality": [gate.as_dict() for gate in found.gates],
        "inputs": {name: plain_float(value) for name, value in found.row.items() if not name.startswith("spectrum:")},
    }


def warm(step: Step) -> None:
    """Run a step twice on a plain measurement: what is imported and compiled on first use is, before anybody waits."""
    nm = np.linspace(350.0, 950.0, 1024)
    counts = 200.0 + 2000.0 * np.exp(-0.5 * ((nm - 520.0) / 40.0) ** 2)
    detector = Detector(65535.0, 4.0, 1.0)
    lit = tuple(Spectrum(counts, nm, at, 20.0, detector=detector) for at in (385.0, 405.0))
    dark, white = (Spectrum(np.full(nm.size, level), nm, None, 20.0, detector=detector) for level in (100.0, 5000.0))
    for _ in range(2):
        step(Measurement(lit, (dark,), (white,)))
