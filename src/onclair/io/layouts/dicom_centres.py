"""Where each person of an import was seen: one name for all, what the headers say, or a table of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from onclair.core.errors import BadCohort, BadInput
from onclair.core.names import did_you_mean
from onclair.io.cohorts.codes import checked_centre
from onclair.io.dicom.files import Item
from onclair.io.tables import read_table

#: The centre of people whose files do not say where they were seen.
UNKNOWN = "unknown"
#: Attributes that a centre can be read from.
ATTRIBUTES = ("InstitutionName", "StationName")
Group: TypeAlias = Sequence[Item]
Notes: TypeAlias = tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Centres:
    """How people get their centre.

    Attributes
    ----------
    name : str
        Of everybody; empty where it is found out.
    attribute : str
        ``"InstitutionName"`` or ``"StationName"``: what it is read from.
    numbered : bool
        True writes ``centre-1``, ``centre-2``, ... in order of name, and leaves the names behind.
    table : mapping of str to str
        PatientID or pseudonym to centre, in the place of the headers.
    notes : tuple of mapping
        ``code text``: what was unusual about the table.

    Examples
    --------
    >>> Centres("Caen").of({"ONC-A": ()})
    {'ONC-A': 'Caen'}
    """

    name: str = ""
    attribute: str = ATTRIBUTES[0]
    numbered: bool = True
    table: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: Notes = ()

    def of(self, groups: Mapping[str, Group]) -> dict[str, str]:
        """Return the centre of each person, by pseudonym; `UNKNOWN` where nothing tells."""
        if self.name:
            return dict.fromkeys(groups, self.name)
        if self.table:
            return {code: self._in_table(code, group) for code, group in groups.items()}
        told = {code: _first(group, self.attribute) for code, group in groups.items()}
        spelt: dict[str, str] = {}
        for name in sorted(name for name in told.values() if name):
            spelt.setdefault(name.casefold(), name)
        names = {key: f"centre-{number}" for number, key in enumerate(sorted(spelt), start=1)} if self.numbered else spelt
        return {code: names.get(name.casefold(), UNKNOWN) for code, name in told.items()}

    def remarks(self, found: Mapping[str, str], known: Iterable[str]) -> Notes:
        """Return what to say of people without a centre, and of rows of the table that are nobody's.

        Parameters
        ----------
        found : mapping of str to str
            As from :meth:`of`.
        known : iterable of str
            PatientIDs and pseudonyms of the import.
        """
        lost = sum(centre == UNKNOWN for centre in found.values())
        said = list(self.notes)
        if lost:
            why = (
                "are not in the table of centres" if self.table else f"have no {self.attribute} in their files, as after de-identification"
            )
            text = f"{lost} of {len(found)} patients {why}; their centre is '{UNKNOWN}'."
            said.append(
                {"code": "centre_unknown", "text": f"{text} Give --centre NAME, or a table patient,centre with --centre-from FILE.csv."}
            )
        nobody = len(set(self.table) - set(known))
        if nobody:
            said.append(
                {"code": "centre_unused", "text": f"{nobody} of the {len(self.table)} rows of the table of centres are nobody's here."}
            )
        return tuple(said)

    def _in_table(self, code: str, group: Group) -> str:
        own = group[0].patient_id if group else ""
        return self.table.get(own) or self.table.get(code) or UNKNOWN


def centres_from(name: str, source: str) -> Centres:
    """Return how centres are found, as a person asks for it.

    Parameters
    ----------
    name : str
        Of everybody; empty for none.
    source : str
        Empty numbers the institutions; one of `ATTRIBUTES` takes its words as they are; anything else is a table with the columns
        ``patient`` (PatientID or pseudonym) and ``centre``.

    Raises
    ------
    BadInput
        For both a name and a source, a source that is neither attribute nor file, or a patient with two centres.
    BadCohort
        For a centre that cannot be a name.
    BadTable
        For a table that cannot be read.

    Examples
    --------
    >>> centres_from("", "StationName").numbered
    False
    """
    if name and source:
        raise BadInput("All patients get one centre by --centre and their own by --centre-from; give one of them.", item="--centre-from")
    if name:
        return Centres(checked_centre(name, where="--centre"))
    if not source:
        return Centres()
    if source in ATTRIBUTES:
        return Centres(attribute=source, numbered=False)
    path = Path(source)
    if not path.is_file():
        near = did_you_mean(source, ATTRIBUTES)
        raise BadInput(f"--centre-from '{source}' is no file, nor an attribute that centres are read from; {near}", item="--centre-from")
    return _read(path)


def _read(path: Path) -> Centres:
    table = read_table(path, text=("patient", "centre"))
    for column in ("patient", "centre"):
        if column not in table.frame.columns:
            there = did_you_mean(column, [str(c) for c in table.frame.columns])
            raise BadInput(f"{path.name} lacks the column '{column}'; {there}", item=column)
    found: dict[str, str] = {}
    for row, (patient, centre) in enumerate(zip(table.frame["patient"], table.frame["centre"], strict=True), start=1):
        if not isinstance(patient, str) or not isinstance(centre, str):
            raise BadInput(f"Row {row} of {path.name} lacks its patient or its centre; fill it in or remove the row.", item=path.name)
        if found.setdefault(patient.strip(), checked_centre(centre.strip(), where=path.name)) != centre.strip():
            raise BadInput(f"Row {row} of {path.name} gives a patient a second centre; a patient has one.", item=path.name)
    return Centres(table=found, notes=table.notes)


def _first(group: Group, attribute: str) -> str:
    """Return what a person's earliest file says of an attribute, without signs that a centre cannot have; empty where none says it."""
    for item in sorted(group, key=lambda i: (i.date, i.time)):
        told = item.institution if attribute == ATTRIBUTES[0] else item.station
        plain = " ".join(re.sub(r"[:/\\\x00-\x1f\"<>|?*]", " ", told).split())[:64].strip()
        try:
            return checked_centre(plain, where=attribute)
        except BadCohort:
            continue
    return ""
