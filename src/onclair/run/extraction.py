"""Features of a whole cohort, or of one image: a patient a task, rows kept as they finish, one table at the end.

::

    OUT/evidence.json                                       the seal
    OUT/describe/SUBJECT/evidence.json + features.parquet   one row, by the content of image, outline, settings and code
    OUT/table/evidence.json + features.parquet + features.csv
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from onclair.core.canonical import plain_float, sha256_of
from onclair.core.errors import BadCase, BadCohort, BadInput, NoRoom
from onclair.core.evidence import Evidence
from onclair.core.progress import Listener, Progress, silent
from onclair.io.cohorts.codes import checked_code
from onclair.io.cohorts.folder import read_with_notes
from onclair.io.source import source_sha256
from onclair.io.tables import read_parquet, write_parquet, write_table
from onclair.run.environment import environment
from onclair.run.extraction_rows import STAGE, Row, Subject, Task, absolute, extract_subject, extraction_code, subjects_of
from onclair.run.gaps import empty_cells
from onclair.run.occupied import refuse_around
from onclair.run.outlined import read_outlined, series_at
from onclair.run.pool import MapFunction
from onclair.run.recipes import Recipe, diagnosed
from onclair.run.store import EVIDENCE, Store, inputs_of, opened, read_evidence

TABLE, KIND = "table", "extraction"
#: What says whose row it is, before the features.
WHO = ("patient", "centre", "visit")

Notes = tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Extracted:
    """What an extraction leaves.

    Attributes
    ----------
    frame : DataFrame
        `WHO`, then the features.
    table : Path or None
        The Parquet file; a CSV of the same lies beside it. None where no folder was asked for.
    table_sha256 : str
    extracted, reused : int
        Rows computed now, and rows taken as they stood.
    left_out : tuple of mapping
        ``patient reason`` of what could not be used.
    reasons : mapping of str to mapping
        For each subject, why features of it are undefined, by tag.
    notes : tuple of mapping
        ``code text``.
    evidence_id : str
    """

    frame: pd.DataFrame
    table: Path | None
    table_sha256: str
    extracted: int
    reused: int
    left_out: Notes
    reasons: Mapping[str, Mapping[str, str]]
    notes: Notes
    evidence_id: str

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and where the table lies, as plain JSON values."""
        return {
            "rows": self.frame.shape[0],
            "columns": self.frame.shape[1],
            "extracted": self.extracted,
            "reused": self.reused,
            "failed": len(self.left_out),
            "left_out": [dict(one) for one in self.left_out],
            "table": None if self.table is None else str(self.table),
            "table_sha256": self.table_sha256,
            "evidence_id": self.evidence_id,
            "warnings": [dict(note) for note in self.notes],
        }


@dataclass(frozen=True, slots=True)
class Order:
    """What to extract, with which settings, into which folder.

    Attributes
    ----------
    recipe : Recipe
    out : Path or None
        A folder to keep rows and table in, gone on with when it holds some; None keeps nothing.
    structure : str or None
        The structure of every outline; needed where they hold several.
    progress : Listener
    """

    recipe: Recipe
    out: Path | None = None
    structure: str | None = None
    progress: Listener = silent


def extract_cohort(data: Path, order: Order, over: MapFunction, *, kind: str | None = None) -> Extracted:
    """Extract the features of every patient of a cohort, resuming whatever is already there.

    Parameters
    ----------
    data : Path
        The cohort's folder; ``outcomes.csv`` may be absent.
    order : Order
    over : callable
        The `map` of :func:`onclair.run.pool.pool` or :func:`onclair.run.dask.scheduled`; no result depends on it.
    kind : str or None
        The kind of acquisition that is the image, where the cohort has several.

    Returns
    -------
    Extracted
        A patient whose files cannot be used is left out, and told; the others' rows are kept.

    Raises
    ------
    BadCohort
        For a cohort that is inconsistent as a whole, without outlines, of which no patient can be used, or with images of several kinds and
        no choice.
    NoRoom
        When the folder cannot be written, is in use, or holds something else.
    """
    cohort, notes = read_with_notes(data, outcomes_needed=False)
    if order.out is not None:
        refuse_around(order.out, data)
    return _carried_out(order, subjects_of(cohort, kind, order.structure), over, notes)


@dataclass(frozen=True, slots=True, eq=False)
class OneImage:
    """What came of one image.

    Attributes
    ----------
    extracted : Extracted
    features : dict of str to float
        By tag; NaN where undefined.
    diagnostics : dict of str to float
    """

    extracted: Extracted
    features: dict[str, float]
    diagnostics: dict[str, float]

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why features are undefined, by tag."""
        return next(iter(self.extracted.reasons.values()))

    def as_dict(self) -> dict[str, Any]:
        """Return counts, features, reasons and diagnostics as plain JSON values."""
        features = {tag: plain_float(value) for tag, value in self.features.items()}
        return {**self.extracted.as_dict(), "features": features, "reasons": dict(self.reasons), "diagnostics": self.diagnostics}


def extract_image(image: Path, mask: Path, order: Order, *, series: str | None = None) -> OneImage:
    """Extract the features of one image.

    Parameters
    ----------
    image, mask : Path
        As :func:`onclair.run.outlined.read_outlined`.
    order : Order
    series : str, optional
        SeriesInstanceUID, where `image` is a DICOM folder with several.

    Returns
    -------
    OneImage

    Raises
    ------
    BadInput, BadCase, BadGeometry, BadSetting
        When the files cannot be used.
    NoRoom
        As :func:`extract_cohort`.
    """
    subject = Subject(name_of(image), "", "", absolute(series_at(image, series)), absolute(mask))
    found = _carried_out(order, (subject,), map)
    outlined = read_outlined(subject.image, subject.mask, structure=order.structure)
    figures = diagnosed(outlined.image.array, outlined.region, outlined.image.spacing_mm, order.recipe.how)
    row = {str(tag): float(value) for tag, value in found.frame.iloc[0].items() if tag not in WHO}
    return OneImage(found, row, figures)


def _carried_out(order: Order, subjects: Sequence[Subject], over: MapFunction, notes: Notes = ()) -> Extracted:
    """Extract every subject that is not there yet, then write the table and the seal."""
    with _store(order) as store:
        settings = {**order.recipe.as_record(), "structure": order.structure}
        _refuse_other(store.root, settings)
        code = extraction_code()
        tasks = [Task(subject, order.recipe, store.root, order.structure, code) for subject in subjects]
        rows = list(_listened(over(extract_subject, tasks), len(tasks), order.progress))
        left_out = tuple({"patient": row.subject.patient, "reason": str(row.reason)} for row in rows if row.evidence is None)
        if len(left_out) == len(rows):
            more = f" None of the {len(rows)} can be used." if len(rows) > 1 else ""
            raise BadCase(f"{left_out[0]['reason']}{more}", item=left_out[0]["patient"])
        records = {f"{STAGE}/{row.subject.name}": row.evidence for row in rows if row.evidence is not None}
        frame = _frame(store, rows)
        table = _table(store, records, frame)
        facts = {"kind": KIND, "pointer": False, "left_out": [dict(one) for one in left_out], "table": table.id}
        seal = store.seal(Evidence("run", "", inputs_of({**records, TABLE: table}), settings, "", environment(), facts=facts))
        reused = sum(row.reused for row in rows)
        reasons = {row.subject.name: dict(row.evidence.facts["reasons"]) for row in rows if row.evidence is not None}
        told = (*notes, *_notes(rows), *empty_cells(reasons, frame.shape[1] - len(WHO)))
        path = None if order.out is None else order.out / TABLE / "features.parquet"
        return Extracted(frame, path, table.outputs["features.parquet"], len(records) - reused, reused, left_out, reasons, told, seal.id)


@contextmanager
def _store(order: Order) -> Iterator[Store]:
    """Give the folder that rows are kept in; one that vanishes where none was asked for."""
    if order.out is not None:
        with opened(absolute(order.out)) as store:
            yield store
    else:
        with tempfile.TemporaryDirectory(prefix="onclair-extraction-") as place, opened(Path(place)) as store:
            yield store


def _refuse_other(root: Path, settings: Mapping[str, Any]) -> None:
    """Refuse a folder that holds a finished run of something else, or features of other settings."""
    if not (root / EVIDENCE).exists():
        return
    try:
        sealed = read_evidence(root)
    except BadInput:
        return  # damaged: it is made again
    if sealed.facts.get("kind") != KIND:
        raise NoRoom(f"{root} holds a finished run, not an extraction; choose another --out.", item=str(root))
    for name in sorted({*settings, *sealed.settings}):
        if sealed.settings.get(name) != settings.get(name):
            told = f"with {name} = {sealed.settings.get(name)!r}, not {settings.get(name)!r}"
            raise NoRoom(f"{root} holds features extracted {told}; choose another --out to keep both.", item=name)


def _listened(rows: Iterator[Row], total: int, progress: Listener) -> Iterator[Row]:
    for done, row in enumerate(rows, start=1):
        kind: Literal["left_out", "reused", "done"] = "left_out" if row.evidence is None else "reused" if row.reused else "done"
        progress(Progress("extract", done, total, row.subject.name, kind))
        yield row


def _frame(store: Store, rows: Sequence[Row]) -> pd.DataFrame:
    """Return the table of all rows, in the order of the subjects."""
    usable = [row.subject for row in rows if row.evidence is not None]
    features = pd.concat([read_parquet(store.root / STAGE / one.name / "features.parquet") for one in usable], ignore_index=True)
    who = pd.DataFrame([(one.patient, one.centre, one.visit) for one in usable], columns=list(WHO), dtype=object)
    return pd.concat([who, features], axis=1)


def _table(store: Store, records: Mapping[str, Evidence], frame: pd.DataFrame) -> Evidence:
    """Write the stage's folder, or take it as it stands where nothing changed."""
    who = {"who": sha256_of(frame[list(WHO)].to_numpy().tolist())}
    evidence = Evidence(
        TABLE, "", {**inputs_of(dict(records)), **who}, {}, source_sha256(_frame), environment(), facts={"shape": list(frame.shape)}
    )

    def fill(partial: Path) -> None:
        write_parquet(partial / "features.parquet", frame)
        write_table(partial / "features.csv", frame)

    return store.find(TABLE, evidence.key) or store.write(TABLE, evidence, fill)


def _notes(rows: Sequence[Row]) -> Iterator[Mapping[str, str]]:
    for row in rows:
        for note in row.evidence.facts["notes"] if row.evidence is not None else ():
            yield {"code": str(note["code"]), "text": f"{row.subject.name}: {note['text']}"}


def name_of(image: Path) -> str:
    """Return the name of an image's file where it may stand as a patient's code, else a plain word.

    Examples
    --------
    >>> name_of(Path("a/P1_pet.nii.gz")), name_of(Path("DUPONT Anne.nii"))
    ('P1_pet', 'image')
    """
    try:
        return checked_code(image.name.removesuffix(".gz").removesuffix(".nii") or "image", where="the file's name")
    except BadCohort:
        return "image"
