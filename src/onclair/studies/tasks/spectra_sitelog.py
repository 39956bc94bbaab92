"""`onclair spectra sitelog`: the log of a session's sites listed, verified, added to, opened and exported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from onclair.core.errors import BadInput, BadTable
from onclair.core.names import did_you_mean, nearest
from onclair.core.words import Language
from onclair.io.chainlog import Chain, read
from onclair.io.files import make_folder, sha256_file, write_atomically
from onclair.io.tables import read_table
from onclair.run.journal import Pathology, enter_pathology, mark, review
from onclair.run.journal_replay import mark_of
from onclair.run.live_parts import Step
from onclair.run.sealed import open_answers, why_closed
from onclair.run.sealed_protocol import hand_over
from onclair.run.session_folder import Session, read_session
from onclair.run.sites import Site, log_of, record_of, sites_of

Notes = tuple[Mapping[str, str], ...]
EXPORTS = ("csv", "slicer", "fhir", "map")
#: What stands for an answer on the map of a session in which no model gave a probability.
_STANDS_FOR = {"suspect": 0.9, "not_suspect": 0.1, "cannot_tell": 0.5}
#: Columns of a pathology table that have a meaning of their own.
_SITE, _DIAGNOSIS, _INFILTRATION = "site", "diagnosis", "infiltration"


@dataclass(frozen=True, slots=True, eq=False)
class Deeds:
    """What is to be done with a log, in this order.

    Attributes
    ----------
    mark : str or None
        Frame of the measurement to be marked.
    review : int or None
        Site that is reviewed.
    action : str
        ``accept``, ``modify`` or ``reject``.
    pathology : Path or None
        Table of what pathology said.
    open_answers : bool
        Open the sealed answers of a silent session.
    trial : Path or None
        Folder of the evidence protocol that opened answers are given to.
    export : sequence of str
        Of :data:`EXPORTS`.
    out : Path or None
        Folder of the exports.
    note, by : str
        Of the mark or the review; who does it.
    """

    mark: str | None = None
    review: int | None = None
    action: str = "accept"
    pathology: Path | None = None
    open_answers: bool = False
    trial: Path | None = None
    export: Sequence[str] = ()
    out: Path | None = None
    note: str = ""
    by: str = ""


@dataclass(slots=True, eq=False)
class Told:
    """What came of the deeds, and the log as it stands.

    Attributes
    ----------
    did : dict
        ``marked reviewed pathology opened trial exports``, those that were asked for.
    rows : list of dict
        The sites (:func:`onclair.run.sites.record_of`).
    notes : list of mapping
        ``code text``.
    """

    session: Session
    did: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Mapping[str, str]] = field(default_factory=list)
    head: str = ""
    monitor: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return {
            "session": str(self.session.folder),
            "data": self.session.about.get("data"),
            "silent": self.session.silent,
            "sites": len(self.rows),
            "head": self.head,
            **self.did,
            "rows": self.rows,
            "monitor": self.monitor,
            "warnings": [dict(note) for note in self.notes],
        }


def keep_log(folder: Path, deeds: Deeds, *, step: Step | None = None, language: Language = "en") -> Told:
    """Do what is asked with the log of a session, and return how it stands.

    Parameters
    ----------
    folder : Path
        Of the session.
    deeds : Deeds
    step : callable, optional
        ``(Measurement) -> Outcome`` of the session's model; marking a frame of a silent session needs it.
    language : {"en", "fr"}
        Of the exports.

    Raises
    ------
    BadInput
        For a frame, site, table or export that cannot be used; what was not logged is said.
    CheckFailed
        When the chain of the log does not hold: nothing is added to it nor exported from it.
    """
    session = read_session(folder)
    if deeds.export and deeds.out is None:
        raise BadInput("An export needs a folder to be written to; give it after --out. Nothing was logged.", item="out")
    told = Told(session)
    try:
        _add(session, deeds, told, step)
        _close(session, deeds, told)
    except BadInput as error:
        if not told.did:
            raise
        raise type(error)(f"{error} What was asked before it stands in the log: {', '.join(told.did)}.", item=error.item) from error
    chain = _chain(session)
    sites = sites_of(chain.entries)
    told.rows = [{**record_of(site), "data": session.about.get("data")} for site in sites]
    told.head = chain.head
    told.notes += [{"code": note.code, "text": note.message} for note in chain.notes]
    told.monitor = monitor_of(session, sites)
    if deeds.export and deeds.out is not None:
        told.did["exports"] = [_exported(kind, told, deeds.out, language) for kind in dict.fromkeys(deeds.export)]
    return told


def needs_step(folder: Path, deeds: Deeds) -> bool:
    """Return whether the deeds need the session's model: only a mark in a silent session does, whose events tell no answer."""
    return deeds.mark is not None and read_session(folder).silent


def monitor_of(session: Session, sites: Sequence[Site]) -> list[dict[str, Any]]:
    """Return how far the session's inputs lie from those that the model knew; empty where the session locked no reference.

    The reference stands in ``session.json`` under ``monitor``: ``{figure: {mean, between, within}}``.
    """
    from onclair.science.spectra.drift import SessionReference, monitored

    references = {name: SessionReference(**known) for name, known in (session.about.get("monitor") or {}).items()}
    rows = [{name: float(v) for name, v in (site.mark.get("inputs") or {}).items() if isinstance(v, int | float)} for site in sites]
    return [asdict(each) for each in monitored(rows, references)] if references else []


def read_pathology(path: Path) -> tuple[tuple[Pathology, ...], Notes]:
    """Return what a table says of sites: ``site``, ``diagnosis``, optionally ``infiltration`` (0 to 1), and any other columns.

    Parameters
    ----------
    path : Path
        CSV, TSV or XLSX, in any dialect.

    Raises
    ------
    BadTable
        For a column that is missing or nearly named so, a site that is no number or stands twice, a row that says nothing, or an
        infiltration outside 0 to 1.
    """
    names = [str(name) for name in read_table(path).frame.columns]
    table = read_table(path, text=[name for name in names if name not in (_SITE, _INFILTRATION)])
    for needed in (_SITE, _DIAGNOSIS):
        if needed not in names:
            raise BadTable(f"{path.name} has no column '{needed}'; {did_you_mean(needed, names)}", item=needed)
    if _INFILTRATION not in names and (near := nearest(_INFILTRATION, [n for n in names if n not in (_SITE, _DIAGNOSIS)])):
        raise BadTable(f"{path.name} has a column '{near}'; name it '{_INFILTRATION}', or otherwise, so that it is clear.", item=near)
    found = tuple(
        _pathology({str(name): cell for name, cell in row.items()}, number, path.name)
        for number, row in enumerate(table.frame.to_dict("records"), start=1)
    )
    twice = [site for site, count in Counter(each.site for each in found).items() if count > 1]
    if twice:
        raise BadTable(f"Site {twice[0]} stands twice in {path.name}; nothing was logged: keep one row a site.", item=str(twice[0]))
    return found, table.notes


def _add(session: Session, deeds: Deeds, told: Told, step: Step | None) -> None:
    """Mark, review and enter pathology, those that are asked for; the table is read before anything is logged."""
    rows, notes = read_pathology(deeds.pathology) if deeds.pathology is not None else ((), ())
    if deeds.mark is not None:
        made = mark(session, mark_of(session, deeds.mark, deeds.note, deeds.by, step))
        told.did["marked"] = {"site": made.site, "frame": deeds.mark, "hash": made.hash}
    if deeds.review is not None:
        done = review(session, deeds.review, deeds.action, deeds.by, reason=deeds.note)
        told.did["reviewed"] = {"site": deeds.review, "action": deeds.action, "hash": done.head}
    if deeds.pathology is not None:
        before = {site.number: site for site in sites_of(_chain(session).entries)}
        source = {"file": deeds.pathology.name, "sha256": sha256_file(deeds.pathology)}
        done = enter_pathology(session, rows, source=source, by=deeds.by)
        again = [row.site for row in rows if before[row.site].pathology is not None]
        told.did["pathology"] = {"entered": len(rows), "sites": [row.site for row in rows], "again": again, "hash": done.head}
        told.notes += notes


def _close(session: Session, deeds: Deeds, told: Told) -> None:
    """Open sealed answers where that is asked for, or where the session has ended and pathology is in; give them to the trial."""
    if not session.silent and not (deeds.open_answers or deeds.trial):
        return
    sites = sites_of(_chain(session).entries)
    sealed = [site for site in sites if site.sealed]
    whole = deeds.pathology is not None and ended(session) and all(site.pathology for site in sites)
    if deeds.open_answers or (sealed and whole and why_closed(session, sites) is None):
        done = open_answers(session, deeds.by)
        told.did["opened"] = {"sites": [site.number for site in sealed], "hash": done.head}
    if deeds.trial is not None:
        told.did["trial"] = hand_over(session, deeds.trial).as_dict()


def ended(session: Session) -> bool:
    """Return whether the events say that the session came to its end, so that no site can follow."""
    return any(event["kind"] == "status" and event.get("state") == "ended" for event in session.events())


def _chain(session: Session) -> Chain:
    log = log_of(session)
    return read(log) if log.path.exists() or log.head_path.exists() else Chain(())


def _exported(kind: str, told: Told, out: Path, language: Language) -> dict[str, Any]:
    """Write one export, and return its files with their hashes."""
    if kind not in EXPORTS:
        raise BadInput(f"There is no export '{kind}'; {did_you_mean(kind, EXPORTS)}", item=kind)
    make_folder(out)
    written = {"csv": _csv, "slicer": _slicer, "fhir": _fhir, "map": _map}[kind](told, out, language)
    return {"kind": kind, "files": [{"file": str(path), "sha256": sha256_file(path)} for path in written]}


def _csv(told: Told, out: Path, language: Language) -> list[Path]:
    from onclair.report.sites_csv import sites_csv

    del language
    write_atomically(out / "sites.csv", sites_csv(told.rows).encode())
    return [out / "sites.csv"]


def _slicer(told: Told, out: Path, language: Language) -> list[Path]:
    from onclair.report.sites_slicer import render_markups, without_pose

    del language
    write_atomically(out / "sites.mrk.json", render_markups(told.rows).encode())
    if lost := without_pose(told.rows):
        said = f"Sites without a pose have no place in a scene and are not among the markups: {', '.join(map(str, lost))}."
        told.notes.append({"code": "no_pose", "text": said})
    return [out / "sites.mrk.json"]


def _fhir(told: Told, out: Path, language: Language) -> list[Path]:
    from onclair.report.sites_fhir import render_sites

    about = {**told.session.about, "session": told.session.sha256}
    write_atomically(out / "sites.fhir.json", render_sites(told.rows, about, language).encode())
    return [out / "sites.fhir.json"]


def _map(told: Told, out: Path, language: Language) -> list[Path]:
    from onclair.io.nifti import write_map
    from onclair.report.sites_map import Drawn, sites_svg
    from onclair.science.spectra.decision_map import REACH_MM, decision_map

    used, of_answers = _mapped(told)
    error = max((float(row["registration_error_mm"]) for row in used if row["registration_error_mm"] is not None), default=0.0)
    points = [[row["x_lps_mm"], row["y_lps_mm"], row["z_lps_mm"]] for row in used]
    made = decision_map(points, [_weight(row) for row in used], error_mm=error)
    both = np.stack([made.probability, made.uncertainty], axis=3).astype(np.float32)
    virtual = told.session.about.get("data") == "virtual"
    said = f"Onclair: probability, its standard deviation; {'virtual' if virtual else 'research use only'}"
    write_map(out / "map.nii.gz", both, made.affine, description=said)
    drawn = Drawn(made.probability, made.uncertainty, made.affine, told.rows, [row["site"] for row in used], REACH_MM, virtual, of_answers)
    write_atomically(out / "map.svg", sites_svg(drawn, language).encode())
    return [out / "map.nii.gz", out / "map.svg"]


def _weight(row: Mapping[str, Any]) -> float:
    return float(_STANDS_FOR[str(row["answer"])] if row["probability"] is None else row["probability"])


def _mapped(told: Told) -> tuple[list[dict[str, Any]], bool]:
    """Return the sites of a map, of the navigation frame that most share, and whether answers had to stand for probabilities."""
    placed = [row for row in told.rows if row["x_lps_mm"] is not None]
    usable = [row for row in placed if row["probability"] is not None]
    of_answers = not usable
    if of_answers:
        usable = [row for row in placed if row["answer"] in _STANDS_FOR]
    if not usable:
        raise BadInput("No site of this session has both a place and an answer, so there is nothing to map.", item="map")
    if of_answers:
        said = "No model gave a probability in this session; on the map suspect stands for 0.9, not suspect for 0.1, cannot tell for 0.5."
        told.notes.append({"code": "no_probability", "text": said})
    frame = Counter(row["frame_of_reference"] for row in usable).most_common(1)[0][0]
    other = [str(row["site"]) for row in usable if row["frame_of_reference"] != frame]
    if other:
        said = f"The map is of the navigation frame '{frame}'; sites told in another one are not on it: {', '.join(other)}."
        told.notes.append({"code": "other_frame", "text": said})
    return [row for row in usable if row["frame_of_reference"] == frame], of_answers


def _pathology(row: Mapping[str, Any], number: int, file: str) -> Pathology:
    site = row[_SITE]
    if isinstance(site, str) or pd.isna(site) or float(site) != int(site) or int(site) < 1:
        shown = "missing" if not isinstance(site, str) and pd.isna(site) else f"'{site}'"
        raise BadTable(f"The site in row {number} of {file} is {shown}; give its number, as the log has it. Nothing was logged.", item=file)
    diagnosis = _text(row[_DIAGNOSIS])
    infiltration = _infiltration(row.get(_INFILTRATION), int(site), file)
    further = {str(name): _text(value) for name, value in row.items() if name not in (_SITE, _DIAGNOSIS, _INFILTRATION)}
    if not diagnosis and infiltration is None:
        raise BadTable(f"{file} says nothing of site {int(site)}; leave the row out until pathology is in. Nothing was logged.", item=file)
    return Pathology(int(site), diagnosis, infiltration, {name: value for name, value in further.items() if value})


def _infiltration(value: Any, site: int, file: str) -> float | None:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, str) or not 0 <= float(value) <= 1:
        said = f"The infiltration of site {site} in {file} is '{value}'; give the share of tumour cells, 0 to 1"
        raise BadTable(f"{said} (30 % is 0.3). Nothing was logged.", item=str(site))
    return float(value)


def _text(value: Any) -> str:
    return "" if value is None or (not isinstance(value, str) and pd.isna(value)) else str(value).strip()


__all__ = ["EXPORTS", "Deeds", "Told", "ended", "keep_log", "monitor_of", "needs_step", "read_pathology"]
