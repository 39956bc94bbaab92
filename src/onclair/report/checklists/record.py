"""The JSON report as the lists read it: what kind of run it tells of, and its figures by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from onclair.report.labels import PAIRS
from onclair.report.reading import read_name
from onclair.report.validation_names import claim_name

#: What tells how well predicted risks agree with what happened.
CALIBRATION = ("o_e", "citl", "slope", "ici", "poisson_o_e", "pseudo_intercept", "pseudo_slope")
OVERALL = ("brier", "ipa")
UTILITY = ("nb",)
OPERATING = ("sens", "spec", "ppv", "npv")
PERFORMANCE = (*PAIRS, *CALIBRATION, *OVERALL, *UTILITY, *OPERATING, "ap")
#: Signals that are images, and the one that is known to be none.
IMAGES, NO_IMAGES = ("volume", "photo"), ("table",)


@dataclass(frozen=True, slots=True)
class Figure:
    """One estimate of the report, where it stands and what its name says."""

    index: int
    record: Mapping[str, Any]
    figure: str
    who: str
    where: str

    @property
    def place(self) -> str:
        """The pointer to it."""
        return f"/estimates/{self.index}"

    @property
    def holds(self) -> bool:
        """Whether it has a value that nothing speaks against."""
        return bool(self.record["status"] == "ok")

    @property
    def has_interval(self) -> bool:
        """Whether it is ``ok`` and has both ends of an interval."""
        return self.holds and self.record["low"] is not None and self.record["high"] is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a cell says, and where the report says it.

    Attributes
    ----------
    value
        Exactly what stands at `source`.
    source : str
        JSON pointer to the one field that answers best.
    also : tuple of str
        Pointers to further fields that answer.
    """

    value: Any
    source: str
    also: tuple[str, ...] = ()

    def beside(self, *others: Answer | None) -> Answer:
        """Return this answer with the places of others as further ones.

        Examples
        --------
        >>> Answer(51, "/facts/patients").beside(Answer(5, "/facts/settings/folds")).also
        ('/facts/settings/folds',)
        """
        further = [place for other in others if other for place in (other.source, *other.also)]
        return Answer(self.value, self.source, (*self.also, *further))


@dataclass(frozen=True)
class Record:
    """The JSON report, asked by the lists.

    Attributes
    ----------
    report : mapping
        As :func:`onclair.report.json.report_dict` gives it.

    Examples
    --------
    >>> record = Record({"facts": {"kind": "validation", "design": "external", "centres": ["A", "B"]}, "estimates": []})
    >>> record.is_validation, record.develops, record.imaging, len(record.centres)
    (True, False, None, 2)
    """

    report: Mapping[str, Any]

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the report says besides figures."""
        found: Mapping[str, Any] = self.report["facts"]
        return found

    @property
    def is_validation(self) -> bool:
        """Whether predictions brought from elsewhere were judged."""
        return self.facts.get("kind") == "validation"

    @property
    def is_audit(self) -> bool:
        """Whether a published model was audited."""
        return self.facts.get("kind") == "audit"

    @property
    def develops(self) -> bool:
        """Whether a study trained the model that is judged."""
        return bool(self.facts.get("study")) and bool(self.model.get("candidates"))

    @property
    def design(self) -> str:
        """How the patients relate to those who taught the model; empty where the record does not say."""
        return str(self.facts.get("design") or "")

    @property
    def is_elsewhere(self) -> bool:
        """Whether the plan declares that the patients are others than those who taught the model."""
        return self.is_validation and self.design in ("external", "prospective")

    @property
    def is_virtual(self) -> bool:
        """Whether the patients are virtual."""
        return self.facts.get("data") == "virtual"

    @property
    def outcome_kind(self) -> str:
        """``binary``, ``survival``, ``competing``, ...; empty where the record does not say."""
        return str((self.facts.get("outcome") or {}).get("kind") or "")

    @property
    def imaging(self) -> bool | None:
        """Whether the model reads images; None where the record does not say."""
        signal = self.facts.get("signal")
        if signal in IMAGES or self.facts.get("volume") or self.is_audit:
            return True
        return False if signal in NO_IMAGES else None

    @property
    def centres(self) -> tuple[str, ...]:
        """The centres that the record names."""
        return tuple(str(c) for c in self.facts.get("centres") or ())

    @property
    def model(self) -> Mapping[str, Any]:
        """What a study says of the model that it trained; empty elsewhere."""
        return self.facts.get("model") or {}

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of a study; empty elsewhere."""
        return self.facts.get("settings") or {}

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """Every estimate, in the report's order."""
        return tuple(self._figure(index, record) for index, record in enumerate(self.report["estimates"]))

    def _figure(self, index: int, record: Mapping[str, Any]) -> Figure:
        name = claim_name(str(record["name"])) if self.is_validation else read_name(str(record["name"]))
        return Figure(index, record, name.figure, name.who, name.where)

    @property
    def models(self) -> tuple[str, ...]:
        """Whose claims are judged: the plan's models, or the study's one."""
        return tuple(str(m["name"]) for m in self.facts.get("models") or ()) if self.is_validation else ("model",)

    def own(self, names: Iterable[str], *, where: Callable[[str], bool] = lambda place: not place) -> tuple[Figure, ...]:
        """Return the judged models' figures of some names, over the whole cohort unless told otherwise."""
        wanted = set(names)
        return tuple(f for f in self.figures if f.figure in wanted and f.who in self.models and where(f.where))

    def found(self, *keys: str) -> Answer | None:
        """Return the first of some facts with pointers to the others, all of them or none; one that is empty is absent.

        Examples
        --------
        >>> Record({"facts": {"patients": 51, "events": 0, "title": ""}}).found("patients", "events")
        Answer(value=51, source='/facts/patients', also=('/facts/events',))
        >>> Record({"facts": {"title": ""}}).found("title") is None
        True
        """
        return part(self.facts, keys, "/facts")


def figures(told: Iterable[Figure]) -> Answer | None:
    """Return the first of some figures with pointers to the others; None without any.

    Examples
    --------
    >>> first = Figure(3, {"name": "auc:a", "n": 51}, "auc", "a", "")
    >>> second = Figure(9, {"name": "auc:b", "n": 51}, "auc", "b", "")
    >>> figures([first, second])
    Answer(value={'name': 'auc:a', 'n': 51}, source='/estimates/3', also=('/estimates/9',))
    """
    every = [*told]
    return Answer(dict(every[0].record), every[0].place, tuple(f.place for f in every[1:])) if every else None


def part(mapping: Mapping[str, Any], names: Iterable[str], source: str) -> Answer | None:
    """Return the first of some entries of an object that stands at `source`, with pointers to the others, all of them or none.

    Examples
    --------
    >>> part({"folds": 5, "seed": 1}, ("folds", "seed"), "/facts/settings")
    Answer(value=5, source='/facts/settings/folds', also=('/facts/settings/seed',))
    """
    first, *others = names
    if any(mapping.get(name) is None or mapping[name] in ("", [], {}) for name in (first, *others)):
        return None
    return Answer(mapping[first], f"{source}/{first}", tuple(f"{source}/{name}" for name in others))
