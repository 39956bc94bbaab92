"""An item of a checklist, and a checklist: official numbers, labels in our own words, and where an answer would come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from onclair.core.words import Language, Words
from onclair.report.checklists.record import Answer, Record
from onclair.report.words import typeset

Status = Literal["reported", "not_available", "not_applicable"]
#: Why a cell is empty, where nothing more precise is known.
NOTHING = Words("The record holds nothing that answers this.", "Rien dans l'enregistrement n'y répond.")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a checklist.

    Attributes
    ----------
    number : str
        The official one.
    label : Words
        What is asked, in our own words.
    answer : callable or None
        ``(record) -> Answer | None``; None where no record of this version can answer.
    lacks : Words
        What is missing where there is no answer.
    unless : callable or None
        ``(record) -> Words | None``: why the item does not apply to this kind of study.
    """

    number: str
    label: Words
    answer: Callable[[Record], Answer | None] | None = None
    lacks: Words = NOTHING
    unless: Callable[[Record], Words | None] | None = None

    def filled(self, record: Record, language: Language) -> dict[str, Any]:
        """Return the line for one report: ``number label status value source also reason``.

        Examples
        --------
        >>> item = Item("17", Words("Ethics approval", "Accord éthique"))
        >>> item.filled(Record({"facts": {}}), "en")["status"]
        'not_available'
        """
        outside = self.unless(record) if self.unless else None
        answer = self.answer(record) if self.answer and outside is None else None
        status: Status = "not_applicable" if outside else "reported" if answer else "not_available"
        reason = outside or (None if answer else self.lacks)
        return {
            "number": self.number,
            "label": typeset(self.label.in_(language), language),
            "status": status,
            "value": answer.value if answer else None,
            "source": answer.source if answer else None,
            "also": list(answer.also) if answer else [],
            "reason": typeset(reason.in_(language), language) if reason else None,
        }


@dataclass(frozen=True, slots=True)
class Checklist:
    """A published list.

    Attributes
    ----------
    name, reference, doi : str
    items : tuple of Item
    unless : callable or None
        Why the whole list does not apply; it stands for every item.
    score : Words or None
        Why no score is given, for lists that have one.
    """

    name: str
    reference: str
    doi: str
    items: tuple[Item, ...]
    unless: Callable[[Record], Words | None] | None = None
    score: Words | None = None

    def filled(self, record: Record, language: Language) -> dict[str, Any]:
        """Return the list for one report."""
        lines = [self._line(item, record, language) for item in self.items]
        told = {"name": self.name, "reference": self.reference, "doi": self.doi, "items": lines}
        if self.score is None:
            return told
        reason = typeset(self.score.in_(language), language)
        return {**told, "score": {"status": "not_available", "value": None, "source": None, "also": [], "reason": reason}}

    def _line(self, item: Item, record: Record, language: Language) -> dict[str, Any]:
        if self.unless is None or self.unless(record) is None:
            return item.filled(record, language)
        return Item(item.number, item.label, unless=self.unless).filled(record, language)
