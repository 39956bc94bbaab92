"""Virtual patients for the spectra study: points of brain tumours under a fibre probe, several centres, the truth of each point kept.

The folder written is a cohort as any other (``cohort.toml``, ``acquisitions.csv``, ``outcomes.csv`` with a row a point, ``spectra/`` with a
table a patient) and says ``virtual`` in every record. Beside it stands what no real cohort has: ``truth.csv``, one row a point, and
``truth.json``, the spectrometers and what was assumed.

Truth comes first, then the instrument: tissue sends out ``T(f, S) sum_k A_k E_k(excitation) B_k(l - d; w)``; the centre's spectrometer
colours, blurs and shifts it, adds stray excitation, the light of the room and its own dark current, and counts photons.
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

from onclair.core.cohort import About, Cohort
from onclair.core.outcome import Outcome
from onclair.core.progress import Listener, Progress, silent
from onclair.core.study import MapFunction
from onclair.io.cohorts import write_cohort
from onclair.io.files import sealed_folder
from onclair.io.tables import write_table
from onclair.virtual.spectra_files import PatientRows, write_patient
from onclair.virtual.spectra_pathology import practice_of
from onclair.virtual.spectra_patients import FLUOROPHORES, MEDIANS, VISIBLE
from onclair.virtual.spectra_settings import FAULTS, VirtualSpectra
from onclair.virtual.spectrometer import Spectrometer, spectrometer_of

__all__ = ["FAULTS", "VirtualSpectra", "truth_record", "write"]

#: What ``cohort.toml`` declares: of each point by histology, and of each patient.
OUTCOMES = ("margin", "core", "grade", "idh")


def write(settings: VirtualSpectra, out: Path, *, map: MapFunction = in_turn, progress: Listener = silent) -> Path:  # noqa: A002
    """Write a virtual cohort.

    Parameters
    ----------
    settings : VirtualSpectra
    out : Path
        A folder that does not exist yet or is empty; it appears whole or not at all.
    map : callable
        ``map(function, items)``, the built-in one or a process pool's that keeps the order; each point has seeds of its own, so that
        the files do not depend on it.
    progress : callable
        Hears one event a patient.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    NoRoom
        When `out` holds something already or cannot be made.
    """
    people: list[PatientRows] = []
    with sealed_folder(out) as place:
        (place / "spectra").mkdir()
        for rows in map(partial(write_patient, settings, place), range(settings.patients)):
            people.append(rows)
            progress(Progress("virtual", len(people), settings.patients, str(rows.outcomes[0]["patient"])))
        _write_tables(settings, people, place)
    return out


def truth_record(settings: VirtualSpectra) -> Mapping[str, Any]:
    """Return what ``truth.json`` says of the whole: settings, medians by class, spectrometers, labelling practice of each centre.

    Examples
    --------
    >>> record = truth_record(VirtualSpectra())
    >>> record["data"], record["medians"]["core"]["PpIX634"], [each["shift_nm"] for each in record["spectrometers"]]
    ('virtual', 1.6, [0.0, 0.6, -0.8])
    """
    centres = range(settings.centres)
    return {
        "data": "virtual",
        "study": "spectra",
        "settings": settings.as_record(),
        "medians": {name: dict(zip(FLUOROPHORES, values, strict=True)) for name, values in MEDIANS.items()},
        "visible_from": VISIBLE,
        "spectrometers": [_told(spectrometer_of(centre, settings.seed, settings.pixels)) for centre in centres],
        "practices": [asdict(practice_of(centre)) for centre in centres],
    }


def _told(by: Spectrometer) -> dict[str, Any]:
    found = {name: getattr(by, name) for name in by.__dataclass_fields__}
    return found | {"detector": asdict(by.detector), "power": {f"{at:g}": power for at, power in by.power.items()}}


def _write_tables(settings: VirtualSpectra, people: list[PatientRows], out: Path) -> None:
    told = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in settings.as_record().items())
    about = About(
        title="Virtual fluorescence spectra of brain tumours and their margins",
        data="virtual",
        licence="CC0-1.0",
        citation="Onclair, virtual spectra; no patient was involved.",
        outcomes=tuple(Outcome(name, "binary") for name in OUTCOMES),
        source=f"onclair virtual spectra {told}",
    )
    frames = [pd.DataFrame([row for each in people for row in getattr(each, name)]) for name in ("acquisitions", "outcomes", "truth")]
    outcomes = frames[1].astype(dict.fromkeys(OUTCOMES, "Int64"))
    write_cohort(Cohort(frames[0], outcomes, about), out)
    write_table(out / "truth.csv", frames[2])
    record = json.dumps(truth_record(settings), indent=1, sort_keys=True, ensure_ascii=False)
    (out / "truth.json").write_text(record + "\n", encoding="utf-8")
