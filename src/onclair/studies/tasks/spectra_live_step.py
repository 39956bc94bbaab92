"""The step of a live session: prepare, gates, unmix, and the answer of a locked model or of a fixed rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from onclair.core.canonical import plain_float
from onclair.core.errors import BadInput, BadSetting
from onclair.core.values import Detector, Measurement, Spectrum
from onclair.io.files import sha256_file
from onclair.io.spectra.calibration import Calibration
from onclair.io.tables import read_parquet
from onclair.run.applying import opened_run
from onclair.run.findings import LockedRun
from onclair.run.learning import STAGE as LEARN
from onclair.run.live_parts import Outcome, Step
from onclair.run.store import read_seal
from onclair.run.table import STAGE as TABLE
from onclair.science.spectra.drift import session_reference
from onclair.science.spectra.point import Measured, Steps, measured
from onclair.science.spectra.prepared import Gate
from onclair.science.spectra.preparing import Preparing
from onclair.science.spectra.quality import Thresholds
from onclair.studies.spectra import FEATURES, SpectraSettings, row_of, steps_of, study
from onclair.studies.tasks.spectra_calibrated import calibrated_step, preparing_of

#: Without a model: the ratio of PpIX634 to autofluorescence at which tissue is called suspect, half-way on the logarithm between the
#: medians of healthy tissue and margin in virtual patients. A rule to see the loop work by, not a claim.
RULE = 0.055
RULE_NAME = f"rule 634/AF > {RULE:g}"
#: The inputs that a session is monitored by.
MONITORED = (*FEATURES, "peak_nm", "shift_nm", "chi2")


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
    monitor : mapping
        What the model knew of its inputs, ``{figure: {mean, between, within}}``; empty for the rule, which learnt from nobody.
    """

    step: Step
    name: str
    about: Mapping[str, Any]
    intact: Callable[[], str | None] = lambda: None
    monitor: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def judge_of(run: Path | None, calibration: Calibration | None = None) -> Judge:
    """Return what answers: the locked model of a run, or the rule where none is given; warmed up, for the first answer to be quick.

    Parameters
    ----------
    run : Path or None
    calibration : Calibration, optional
        Of the spectrometer; measurements with other pixels or excitations are not judged.

    Raises
    ------
    CheckFailed
        When the run does not verify.
    BadSetting
        For the run of another study.
    """
    how = preparing_of(calibration)
    judge = _ruling(how) if run is None else _locked(run, how)
    return replace(judge, step=calibrated_step(judge.step, calibration))


def _ruling(how: Preparing) -> Judge:
    warm(rule)
    return Judge(partial(rule, how=Steps(how)), RULE_NAME, {"id": RULE_NAME, "version": "1", "sha256": None})


def _locked(run: Path, how: Preparing) -> Judge:
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

    steps = steps_of(cast(SpectraSettings, locked.settings))
    warm(partial(answer_of, locked, steps))  # as it comes: a calibration may refuse what is made up
    return Judge(partial(answer_of, locked, replace(steps, preparing=how)), about["id"], about, intact, known_inputs(run))


def known_inputs(run: Path) -> dict[str, dict[str, float]]:
    """Return how the inputs of a run's model varied between patients and within them, by figure: what a session is held against.

    A figure that fewer than three patients have is left out.
    """
    rows = read_parquet(run / TABLE / "features.parquet")
    found: dict[str, dict[str, float]] = {}
    for name in MONITORED:
        if name in rows.columns:
            with suppress(BadInput):
                found[name] = asdict(session_reference(rows[name].to_numpy(float), [str(each) for each in rows["patient"]]))
    return {name: known for name, known in found.items() if all(math.isfinite(value) for value in known.values())}


def answer_of(locked: LockedRun, how: Steps, measurement: Measurement) -> Outcome:
    """Return the answer of a locked model on one point: nothing where a gate failed, and what stays possible where it cannot tell."""
    found = measured(measurement, how)
    told = detail_of(found)
    if found.failed:
        return _shut(found.failed, told)
    judged = locked.model.judge(pd.DataFrame([row_of(found)[0]], index=["point"]))
    said = {**told, "probability": judged.risk, "low": judged.low, "high": judged.high}
    said["prediction_set"] = [name for name, stays in zip(("not_suspect", "suspect"), judged.possible, strict=True) if stays]
    if judged.code is not None:
        return Outcome("cannot_tell", str(judged.reason()), detail=said)
    return Outcome("suspect" if judged.possible[1] else "not_suspect", "", detail=said)


def rule(measurement: Measurement, how: Steps | None = None) -> Outcome:
    """Return the answer of the fixed rule: suspect where the interval of 634/AF lies above the threshold, not suspect below it."""
    found = measured(measurement, how)
    told = detail_of(found)
    if found.failed:
        return _shut(found.failed, told)
    ratio = None if found.unmixed is None else found.unmixed.ratios.get("634/AF")
    if ratio is None or ratio.low is None or ratio.high is None:
        return Outcome("cannot_tell", "The spectra do not tell how much PpIX there is beside the autofluorescence.", detail=told)
    said = f"634/AF lies between {ratio.low:.3f} and {ratio.high:.3f}"
    if ratio.low > RULE:
        return Outcome("suspect", f"{said}, above {RULE:g}.", detail={**told, "prediction_set": ["suspect"]})
    if ratio.high < RULE:
        return Outcome("not_suspect", f"{said}, below {RULE:g}.", detail={**told, "prediction_set": ["not_suspect"]})
    return Outcome("cannot_tell", f"{said}, on both sides of {RULE:g}.", detail={**told, "prediction_set": ["suspect", "not_suspect"]})


def telling(failed: Sequence[Gate]) -> Gate:
    """Return the gate to name where several are shut: the cause, before what it brings about.

    A probe in the air sends back neither white light nor fluorescence, and a lamp that is off no fluorescence; blood swallows both. Of what
    light is left the room's is then a large share. Where none of these holds, the light of the room is why the others are shut.

    Examples
    --------
    >>> least = Thresholds().fluorescence_share
    >>> shut = {name: Gate(name, 0.0, least, False, name) for name in ("saturated", "lamp_off", "no_contact", "ambient", "snr")}
    >>> telling([shut["saturated"], shut["ambient"]]).name, telling([shut["lamp_off"], shut["no_contact"], shut["ambient"]]).name
    ('ambient', 'lamp_off')
    >>> telling([shut["lamp_off"], Gate("no_contact", 0.01, Thresholds().contact_share, False, "")]).name
    'no_contact'
    """
    by_name = {gate.name: gate for gate in failed}
    touch = by_name.get("no_contact")
    if touch is not None and touch.threshold != Thresholds().fluorescence_share:  # the white light says so: the lamp is not the cause
        return touch
    return next((by_name[name] for name in ("lamp_off", "no_contact", "blood_flood", "ambient") if name in by_name), failed[0])


def _shut(failed: Sequence[Gate], told: Mapping[str, Any]) -> Outcome:
    gate = telling(failed)
    return Outcome(None, gate.reason, gate.name, told)


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
