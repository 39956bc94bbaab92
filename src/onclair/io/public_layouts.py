"""How the files of each public data set become a cohort: one function a layout, given the folder that holds the files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from onclair.core.cohort import ACQUISITION_COLUMNS, About, Cohort
from onclair.core.outcome import Outcome
from onclair.io.cohorts.folder import write_tables
from onclair.io.layouts.tables_public import lay_out_brca, lay_out_glioma, lay_out_heart
from onclair.io.public_data import Dataset
from onclair.io.tables import read_table, write_table


def lay_out_images(entry: Dataset, folder: Path) -> None:
    """Write the tables of a set of volumes named ``PATIENT_KIND.nii.gz``, of one centre.

    Facts used: ``centre``, ``unit`` and ``measured`` (the kind whose unit it is), ``data``; with outcomes, ``outcome`` and
    ``events``, the patients who had it.
    """
    facts = entry.facts
    rows = []
    for file in entry.files:
        patient, kind = Path(file.path).name.removesuffix(".nii.gz").rsplit("_", 1)
        rows.append((patient, facts["centre"], "", kind, file.path))
    acquisitions = pd.DataFrame(sorted(rows), columns=list(ACQUISITION_COLUMNS))
    outcomes = pd.DataFrame({"patient": sorted(acquisitions["patient"].unique())})
    declared: tuple[Outcome, ...] = ()
    if "outcome" in facts:
        declared = (Outcome(facts["outcome"], "binary"),)
        outcomes[facts["outcome"]] = outcomes["patient"].isin(facts["events"]).astype(int)
    units = {facts["measured"]: facts["unit"]}
    write_tables(Cohort(acquisitions, outcomes, _about(entry, declared, units)), folder)


def lay_out_nsclc_table(entry: Dataset, folder: Path) -> None:
    """Write the tables of the two-centre lung cancer radiogenomics features.

    Three tables name their patients differently: 206 have features, 207 follow-up, 207 CT parameters, of which 37 carry a lesion
    suffix ``L``. 167 match all three as spelled (``match`` = ``exact``), 37 more once the suffix is removed
    (``lesion_suffix``), 204 in all. ``kernel`` (1 sharp) and ``contrast`` (1 given) are the scan's; in ``manufacturer`` a "0" is missing.
    """
    features = read_table(folder / "source" / "features.csv", text=("SubjectID",)).frame.rename(columns={"SubjectID": "patient"})
    clinical = read_table(folder / "source" / "clinical.csv", text=("column_1",)).frame.rename(columns={"column_1": "patient"})
    scans = read_table(folder / "source" / "ct_parameters.xlsx", text=("clc",)).frame
    scans = scans.assign(patient=scans["clc"].str.removesuffix("L"))
    both = features[["patient"]].merge(scans, on="patient").merge(clinical[["patient", "event", "days"]], on="patient")
    both = both.sort_values("patient", ignore_index=True)
    acquisitions = pd.DataFrame(
        {
            "patient": both["patient"],
            "centre": both["patient"].str.slice(0, 3),
            "visit": "",
            "kind": "features",
            "path": "features.csv",
            "kernel": both["KernelResolution"],
            "contrast": both["CE"],
            "slice_thickness_mm": both["ST"],
            "manufacturer": both["Manufacturer"].replace("0", None),
            "match": ["exact" if a == b else "lesion_suffix" for a, b in zip(both["clc"], both["patient"], strict=True)],
        }
    )
    kept = features[features["patient"].isin(both["patient"])].sort_values("patient")
    write_table(folder / "features.csv", kept)
    outcome = Outcome("event", "survival", unit="day", time="days")
    write_tables(Cohort(acquisitions, both[["patient", "event", "days"]], _about(entry, (outcome,), {})), folder)


def _about(entry: Dataset, outcomes: tuple[Outcome, ...], units: dict[str, str]) -> About:
    data = "virtual" if entry.facts.get("data") == "virtual" else "real"
    return About(entry.title, data, entry.licence, entry.citation, outcomes, units, entry.source)  # type: ignore[arg-type]


#: The layouts by the name that the registry gives them.
LAYOUTS: Mapping[str, Callable[[Dataset, Path], None]] = {
    "images": lay_out_images,
    "nsclc-table": lay_out_nsclc_table,
    "heart-table": lay_out_heart,
    "brca-table": lay_out_brca,
    "glioma-table": lay_out_glioma,
}
