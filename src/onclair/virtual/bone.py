"""Virtual patients for the bone study: CT of spine and hips with metastases, with what is mistaken for them, and the whole truth.

The folder written is a cohort as any other (``cohort.toml``, ``acquisitions.csv`` with the kinds ``ct``, ``bones`` and ``lesions``,
``outcomes.csv`` with ``metastasis`` by patient, ``images/``) and says ``virtual`` in every record. Beside it stands what no real
cohort has: ``truth.csv`` (a line a metastasis or mimic), ``readers.csv`` (what two readers marked), ``strength.csv`` (the load that one
bone a patient bears, by finite elements), ``scanners.csv`` (what each hospital's phantom says of HU and density), ``truth.json`` and, in
``truth/``, the image without noise, instances, bones and Young's modulus.

Shapes are signed distances with random modes, made of cells of 0.5 mm and averaged to the voxels of the centre's scanner. Every size,
density and frequency is a plausible choice of the bone specification; figures on these patients say how a method is built, not how it does.
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
from onclair.virtual.bone_files import FILES, PatientRows, write_patient
from onclair.virtual.bone_lesions import DIAMETER_MM, LARGEST_MM, SMALLEST_MM, SPREAD, TYPES
from onclair.virtual.bone_mimics import CHOICES
from onclair.virtual.bone_settings import VirtualBone, density_line, name_of, region_of, scanner_of, scanner_table
from onclair.virtual.bone_strength import SHARES

__all__ = ["VirtualBone", "truth_record", "write"]

#: Columns of the tables beside the cohort, in order, so that one without a line still says what it would hold.
_PLACE = ("x_mm", "y_mm", "z_mm", "diameter_mm", "volume_ml")
TRUTH = ("patient", "lesion", "kind", "type", "bone", "level", "is_metastasis", *_PLACE, "box_median_hu", "cortical_breach", "side", "data")
READINGS = ("patient", "reader", "instance", "lesion", "type", "score", "data")
_LOADS = ("stiffness_N_per_mm", "strength_N", "intact_stiffness_N_per_mm", "intact_strength_N")
_DRAWN = ("tumour_modulus_share", "modulus_factor", "lesions")
STRENGTH = ("patient", "bone", "level", "side", "label", "case", *_LOADS, *_DRAWN, "reason", "data")


def write(settings: VirtualBone, out: Path, *, map: MapFunction = in_turn, progress: Listener = silent) -> Path:  # noqa: A002
    """Write a virtual cohort.

    Parameters
    ----------
    settings : VirtualBone
    out : Path
        A folder that does not exist yet or is empty; it appears whole or not at all.
    map : callable
        ``map(function, items)``, the built-in one or a process pool's that keeps the order; each patient has seeds of its own, so
        that the files do not depend on it.
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
        for rows in map(partial(write_patient, settings, place), range(settings.patients)):
            people.append(rows)
            progress(Progress("virtual", len(people), settings.patients, str(rows.outcome["patient"])))
        _write_tables(settings, people, place)
    return out


def truth_record(settings: VirtualBone) -> Mapping[str, Any]:
    """Return what ``truth.json`` says of the whole: settings, priors, and each patient's scanner and calibration.

    Examples
    --------
    >>> record = truth_record(VirtualBone(patients=2))
    >>> record["data"], record["diameter_mm"]["median"], [each["region"] for each in record["patients"]]
    ('virtual', 13.0, ['spine', 'femur'])
    """
    mix = "class" if settings.shift == "class" else "usual"
    return {
        "data": "virtual",
        "study": "bone",
        "settings": settings.as_record(),
        "types": dict(TYPES[mix]),
        "mimics": dict(CHOICES[mix]),
        "diameter_mm": {"median": DIAMETER_MM, "log_sd": SPREAD, "least": SMALLEST_MM, "most": LARGEST_MM},
        "clean": "the image without noise and artefacts, lesions included",
        "material": "Young's modulus in MPa on the grid of the image; metastases at their true share of the bone around",
        "tumour_modulus_share": {kind: dict(zip(("median", "log_sd", "least", "most"), law, strict=True)) for kind, law in SHARES.items()},
        "files": dict(FILES),
        "patients": [_told(settings, index) for index in range(settings.patients)],
    }


def _told(settings: VirtualBone, index: int) -> dict[str, Any]:
    slope, intercept = density_line(settings, index)
    told = {"patient": name_of(index), "region": region_of(settings, index), "scanner": asdict(scanner_of(settings, index))}
    return told | {"density_mg_cc_per_hu": slope, "density_mg_cc_at_0_hu": intercept}


def _write_tables(settings: VirtualBone, people: list[PatientRows], out: Path) -> None:
    told = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in settings.as_record().items() if value is not None)
    about = About(
        title="Virtual CT of spine and hips with bone metastases and their mimics",
        data="virtual",
        licence="CC0-1.0",
        citation="Onclair, virtual bone; no patient was involved.",
        outcomes=(Outcome("metastasis", "binary"),),
        units={"ct": "HU"},
        source=f"onclair virtual bone {told}",
    )
    acquisitions = pd.DataFrame([row for each in people for row in each.acquisitions])
    write_cohort(Cohort(acquisitions, pd.DataFrame([each.outcome for each in people]), about), out)
    for name, columns in (("truth", TRUTH), ("readings", READINGS), ("strength", STRENGTH)):
        rows = [row for each in people for row in getattr(each, name)]
        if rows or name != "strength" or settings.strength == "fe":
            file = "readers.csv" if name == "readings" else f"{name}.csv"
            write_table(out / file, pd.DataFrame(rows, columns=list(columns)).astype(object))
    write_table(out / "scanners.csv", pd.DataFrame(scanner_table(settings)))
    record = json.dumps(truth_record(settings), indent=1, sort_keys=True, ensure_ascii=False)
    (out / "truth.json").write_text(record + "\n", encoding="utf-8")
