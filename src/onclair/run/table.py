"""The stage `table`: the descriptions of all patients in one table, with who was left out and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadCase
from onclair.core.evidence import Evidence
from onclair.core.study import Study
from onclair.io.source import source_sha256
from onclair.io.tables import read_parquet, write_parquet
from onclair.run.environment import environment
from onclair.run.gaps import gap_warnings
from onclair.run.store import Store, inputs_of

STAGE = "table"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The rows that a model learns from.

    Attributes
    ----------
    rows : DataFrame, indexed by (patient, item)
    controls : mapping of str to DataFrame, indexed by (copy, patient, item)
    reasons : tuple of mapping
        ``column patients reason`` for what is missing.
    """

    rows: pd.DataFrame
    controls: dict[str, pd.DataFrame]
    reasons: tuple[dict[str, Any], ...]

    def copy_of(self, control: str, copy: int) -> pd.DataFrame:
        """Return one destroyed copy, row for row like `rows`."""
        rows = self.controls[control]
        return rows[rows.index.get_level_values("copy") == copy].droplevel("copy").reindex(self.rows.index)

    def only(self, index: pd.Index) -> Table:
        """Return the table of these (patient, item) alone."""
        if index.equals(self.rows.index):
            return self
        kept = {name: rows[rows.droplevel("copy").index.isin(index)] for name, rows in self.controls.items()}
        return Table(self.rows.loc[index], kept, self.reasons)


def gathered(store: Store, study: Study, records: dict[str, Evidence]) -> Table:
    """Return the table of every described patient.

    Raises
    ------
    BadCase
        When a patient's columns are not those of the others.
    """
    frames = {folder: read_parquet(store.root / folder / "features.parquet") for folder in sorted(records)}
    first = next(iter(frames.values()))
    for folder, frame in frames.items():
        if list(frame.columns) != list(first.columns):
            raise BadCase(
                f"The features of {records[folder].subject} are not those of the other patients; describe all with one version.",
                item=records[folder].subject,
            )
    rows = pd.concat(list(frames.values())).set_index(["patient", "item"])
    controls = {}
    for control in study.controls:
        parts = [read_parquet(store.root / folder / f"control-{control.name}.parquet") for folder in sorted(records)]
        controls[control.name] = pd.concat(parts).set_index(["copy", "patient", "item"])
    return Table(rows, controls, tuple(_missing(rows, records)))


def write_table(store: Store, study: Study, records: dict[str, Evidence], table: Table) -> Evidence:
    """Write the stage's folder and return its record, reusing it where the key is the same."""
    evidence = Evidence(
        STAGE,
        "",
        inputs_of(records),
        {},
        source_sha256(gathered),
        environment(),
        facts={
            "patients": int(table.rows.index.get_level_values(0).nunique()),
            "columns": table.rows.shape[1],
            "missing": list(table.reasons),
            "controls": [_control_facts(table, c.name, c.keeps) for c in study.controls],
        },
        warnings=gap_warnings({str(r.subject): r.facts["reasons"] for r in records.values()}, table.rows.shape[1]),
    )
    found = store.find(STAGE, evidence.key)

    def fill(partial: Path) -> None:
        write_parquet(partial / "features.parquet", table.rows.reset_index())
        for name, rows in table.controls.items():
            write_parquet(partial / f"control-{name}.parquet", rows.reset_index())

    return found or store.write(STAGE, evidence, fill)


def _missing(rows: pd.DataFrame, records: dict[str, Evidence]) -> list[dict[str, Any]]:
    """Return, for each column with gaps, how many patients lack it and the commonest reason."""
    lacking = rows.isna().groupby(level=0).any()
    reasons = {record.subject: record.facts["reasons"] for record in records.values()}
    found = []
    for column in lacking.columns[lacking.any()]:
        who = [str(p) for p in lacking.index[lacking[column]]]
        said = sorted(str(reasons[p].get(column, "")) for p in who)
        found.append({"column": str(column), "patients": who, "reason": Counter(said).most_common(1)[0][0]})
    return found


def _control_facts(table: Table, name: str, keeps: Any) -> dict[str, Any]:
    """Return which columns the control cannot change, checked against what it did change."""
    untouched = [str(c) for c in table.rows.columns if keeps(str(c))]
    changed = 0
    for copy in sorted(set(table.controls[name].index.get_level_values("copy"))):
        other = table.copy_of(name, int(copy))
        differs = np.atleast_1d(~_close(table.rows.to_numpy(float), other.to_numpy(float)).all(axis=0))
        broken = [str(c) for c, d in zip(table.rows.columns, differs, strict=True) if d and str(c) in set(untouched)]
        if broken:
            raise BadCase(
                f"The control '{name}' changed '{broken[0]}', which the study declares it cannot change; correct the study's `keeps`.",
                item=broken[0],
            )
        changed = max(changed, int(differs.sum()))
    return {"name": name, "invariant": untouched, "changed": changed}


def _close(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    return np.isclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True)


def patients_of(index: pd.Index) -> Sequence[str]:
    """Return the patient of each row."""
    return [str(p) for p in index.get_level_values(0)]
