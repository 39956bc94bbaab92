"""Who is in a tree of DICOM files: people by pseudonym, their centre, and their visits in order of date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from onclair.io.dicom.files import Item
from onclair.io.dicom.pseudonyms import is_code, pseudonym, secret_of
from onclair.io.layouts.dicom_centres import Centres
from onclair.io.layouts.dicom_visit import Visit


@dataclass(frozen=True, slots=True)
class Person:
    """One person of an import.

    Attributes
    ----------
    code : str
        The pseudonym that stands in the cohort.
    issuer, patient_id : str
        Never written but into a key file.
    visits : tuple of Visit

    Examples
    --------
    >>> "4711" in repr(Person("ONC-AAAAAAAAAAAA", "", "4711", ()))
    False
    """

    code: str
    issuer: str = field(repr=False)
    patient_id: str = field(repr=False)
    visits: tuple[Visit, ...]


def people(items: Iterable[Item], *, centres: Centres | None = None, secret: bytes | None = None) -> tuple[Person, ...]:
    """Return the people that some files show, in order of pseudonym.

    Parameters
    ----------
    items : iterable of Item
        Those that are neither images nor outlines count for nobody.
    centres : Centres, optional
        How people get their centre; the institutions are numbered, without naming them, where left out.
    secret : bytes, optional
        What pseudonyms are made with; without it each is made with the person's own object UIDs, and holds for these files only.

    Notes
    -----
    Files without a PatientID belong together by exam, or else by series.

    Examples
    --------
    >>> people(())
    ()
    """
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        groups.setdefault(_key(item), []).append(item)
    taken = _kept_codes(groups.values())
    coded = {_code(issuer, patient_id, group, taken, secret): (issuer, patient_id) for (issuer, patient_id), group in groups.items()}
    where = (centres or Centres()).of({code: groups[key] for code, key in coded.items()})
    found = [Person(code, *key, _visits(code, where[code], groups[key])) for code, key in coded.items()]
    return tuple(sorted(found, key=lambda person: person.code))


def _key(item: Item) -> tuple[str, str]:
    if item.patient_id:
        return item.issuer, item.patient_id
    return item.issuer, f"exam {item.exam_uid or item.series_uid}"


def _kept_codes(groups: Iterable[Sequence[Item]]) -> set[str]:
    """Return the PatientIDs that stay: said to be de-identified, plain codes, and borne by one person only."""
    kept: list[str] = []
    for group in groups:
        if all(item.deidentified for item in group) and is_code(group[0].patient_id):
            kept.append(group[0].patient_id)
    return {code for code in kept if kept.count(code) == 1}


def _code(issuer: str, patient_id: str, group: Sequence[Item], kept: set[str], secret: bytes | None) -> str:
    """Return a person's PatientID where it may stay, else a pseudonym."""
    own = group[0].patient_id
    return own if own in kept else pseudonym(secret or secret_of(i.sop_uid for i in group), issuer, patient_id)


def _visits(code: str, centre: str, group: Sequence[Item]) -> tuple[Visit, ...]:
    """Return a person's visits: exams of one date together, then those without a date, one an exam.

    Outlines go with the series that they were drawn on, whatever date they bear themselves.
    """
    home = {item.series_uid: _when(item) for item in group if item.kind == "image"}
    by_visit: dict[tuple[str, str], list[Item]] = {}
    for item in group:
        drawn_on = next((home[uid] for uid in item.references if uid in home), None)
        by_visit.setdefault(drawn_on or _when(item), []).append(item)
    ordered = sorted(by_visit)
    first = next((day for moment in ordered if (day := _day(moment[0]))), None)
    return tuple(
        Visit(
            patient=code,
            centre=centre,
            name=f"visit-{number}",
            day=None if first is None or (day := _day(moment[0])) is None else (day - first).days,
            items=tuple(by_visit[moment]),
            virtual=any(item.virtual for item in by_visit[moment]),
        )
        for number, moment in enumerate(ordered, start=1)
    )


def _when(item: Item) -> tuple[str, str]:
    """Return the key of a visit: its date, or, sorted after all dates, its exam."""
    return (item.date, "") if _day(item.date) else ("~", item.exam_uid or item.series_uid)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.replace(".", "").replace("-", ""))
    except ValueError:
        return None
