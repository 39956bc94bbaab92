"""Virtual patients for the radiomics study: PET or CT of soft-tissue lesions of the limbs, several centres, an outcome from a known law.

The folder written is a cohort as any other (``cohort.toml``, ``acquisitions.csv``, ``outcomes.csv``, ``semantic.csv``, ``images/``)
and says ``virtual`` in every record. Beside it stands what no real cohort has: ``card.toml`` (a model fitted on an independent virtual
cohort), ``truth.json`` (law, best attainable AUC, risk of each patient, scanners), ``truth.csv`` (knobs) and ``truth/`` (noise-free image,
true values, true mask, a test-retest pair for every tenth patient).

Volume, texture and intensity are separate knobs *in the image*: without noise, what the patient's own scanner shows of a lesion has the
same histogram for every correlation length (`onclair.virtual.textures`). The true activity has not: fine textures are given the contrast
that the blur will take (``uptake_cv`` in ``truth.csv``), so a patient is made for one scanner. Sizes, spreads and slopes are plausible
choices that keep the knobs apart and legible; they are no estimates of what is found in patients, whose lesions are often larger.
"""

from __future__ import annotations

import json
from builtins import map as in_turn
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from onclair.core.cohort import About, Cohort
from onclair.core.outcome import Outcome
from onclair.core.progress import Listener, Progress, silent
from onclair.core.study import MapFunction
from onclair.io.cohorts import write_cohort
from onclair.io.files import sealed_folder
from onclair.virtual.laws import best_auc
from onclair.virtual.limb import FIELD_MM
from onclair.virtual.radiomics_card import card_document, card_features, card_outcomes
from onclair.virtual.radiomics_files import rows_of, truth_files, write_patient
from onclair.virtual.radiomics_knobs import (
    CORRELATION_MM,
    FINEST_MM,
    HU_MEAN,
    READER_ERROR,
    SCORES,
    SUV_MEAN,
    VOLUME_ML,
    VirtualRadiomics,
    correlation_of,
    draw_knobs,
    knob_atoms,
    law_of,
    name_of,
    scanners_of,
)
from onclair.virtual.radiomics_patient import texture_for

__all__ = [
    "VirtualRadiomics",
    "correlation_of",
    "draw_knobs",
    "knob_atoms",
    "law_of",
    "name_of",
    "texture_for",
    "truth_record",
    "write",
    "write_patient",
]
#: What a cohort says its images are in.
UNITS = {"pet": "SUV", "ct": "HU"}


def write(settings: VirtualRadiomics, out: Path, *, map: MapFunction = in_turn, progress: Listener = silent) -> Path:  # noqa: A002
    """Write a virtual cohort.

    Parameters
    ----------
    settings : VirtualRadiomics
    out : Path
        A folder that does not exist yet or is empty; it appears whole or not at all.
    map : callable
        ``map(function, items)``, the built-in one or a process pool's that keeps the order; each patient has a seed of its own,
        so that the files do not depend on it.
    progress : callable
        Hears one event a patient, and one a patient of the independent cohort.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    NoRoom
        When `out` holds something already or cannot be made.
    BadSetting
        For the law ``batch`` with a single centre, or a card fitted on too few patients to hold both outcomes.
    """
    knob_atoms(settings)  # refuses what no cohort can be made of, before anything is written
    if settings.card_size:
        card_outcomes(settings)
    rows, measured = [], []
    with sealed_folder(out) as place:
        for row in map(partial(write_patient, settings, place), range(settings.patients)):
            rows.append(row)
            progress(Progress("virtual", len(rows), settings.patients, str(row["patient"])))
        for features in map(partial(card_features, settings), range(settings.card_size)):
            measured.append(features)
            progress(Progress("card", len(measured), settings.card_size, name_of(len(measured) - 1)))
        if measured:
            (place / "card.toml").write_text(tomli_w.dumps(card_document(settings, measured)), encoding="utf-8")
        _write_tables(settings, pd.DataFrame(rows), place)
    return out


def _write_tables(settings: VirtualRadiomics, truth: pd.DataFrame, out: Path) -> None:
    scanners = {scanner.name: scanner for scanner in scanners_of(settings)}
    files = [line for row in truth.itertuples() for line in rows_of(settings, str(row.patient), scanners[str(row.centre)])]
    told = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in settings.as_record().items() if value is not None)
    shown = "FDG-PET" if settings.modality == "pet" else "CT"
    about = About(
        title=f"Virtual {shown} of soft-tissue lesions, law '{settings.truth}'",
        data="virtual",
        licence="CC0-1.0",
        citation="Onclair, virtual radiomics; no patient was involved.",
        outcomes=(Outcome("event", "binary"),),
        units={settings.modality: UNITS[settings.modality]},
        source=f"onclair virtual radiomics {told}",
    )
    write_cohort(Cohort(pd.DataFrame(files), truth[["patient", "event"]], about), out)
    truth[["patient", *SCORES]].to_csv(out / "semantic.csv", index=False, lineterminator="\n")
    truth.drop(columns=list(SCORES)).assign(data="virtual").to_csv(out / "truth.csv", index=False, lineterminator="\n")
    own = {"patients": truth[["patient", "centre", "linear_predictor", "risk", "event"]].to_dict("records")}
    record = json.dumps({**truth_record(settings), **own}, indent=2, sort_keys=True, ensure_ascii=False)
    (out / "truth.json").write_text(record + "\n", encoding="utf-8")


def truth_record(settings: VirtualRadiomics) -> Mapping[str, Any]:
    """Return what ``truth.json`` says of the whole: law, best AUC that it allows, laws of the knobs, scanners, where the truth lies.

    Examples
    --------
    >>> record = truth_record(VirtualRadiomics(truth="noise"))
    >>> record["data"], record["law"]["knob"], record["best_auc"]
    ('virtual', 'nothing', 0.5)
    """
    law = law_of(settings)
    return {
        "data": "virtual",
        "study": "radiomics",
        "settings": settings.as_record(),
        "law": {"kind": "logistic", "outcome": "event", "truth": settings.truth, **asdict(law)},
        "best_auc": best_auc(law, knob_atoms(settings)),
        "knobs": _knobs(settings),
        "histogram": "The same law for every correlation length as each patient's own scanner sees the lesion without noise; "
        "the true uptake of fine textures has more contrast (uptake_cv in truth.csv).",
        "reader_error_sd": READER_ERROR,
        "reader_scores": {
            score: f"rounded 3 + {knob} + an error of standard deviation reader_error_sd, within 1 to 5" for score, knob in SCORES.items()
        },
        "card_patients": settings.card_size,
        "files": dict(truth_files(settings)),
        "scanners": [asdict(scanner) for scanner in scanners_of(settings)],
    }


def _knobs(settings: VirtualRadiomics) -> dict[str, Any]:
    laws = [("volume_ml", 0.0, VOLUME_ML), ("correlation_mm", FINEST_MM, CORRELATION_MM), ("suv_mean", 0.0, SUV_MEAN)]
    if settings.modality == "ct":
        laws.pop()
    stretched = {
        name: {"least": least, "median": least + above, "log_sd_above_least": spread, "at_field_mm": FIELD_MM}
        for name, least, (above, spread) in laws
    }
    return stretched if settings.modality == "pet" else {**stretched, "hu_mean": {"mean": HU_MEAN[0], "sd": HU_MEAN[1]}}
