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
    def holds(self) -> bool:
        """Whether it has a value that nothing speaks against."""
        return bool(self.record["status"] == "ok")

    @property
    def has_interval(self) -> bool:
        """Whether it is ``ok`` and has both ends of an interval."""
        return self.holds and self.record["low"] is not None and self.record["high"] is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a cell says, and the pointer to where the report says it."""

    value: Any
    source: str


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
        if signal in IMAGES or self.facts.get("volume"):
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
        """Return the facts of some names, all of them or none; one that is empty is absent.

        Examples
        --------
        >>> Record({"facts": {"patients": 51, "events": 0, "title": ""}}).found("patients", "events")
        Answer(value={'/patients': 51, '/events': 0}, source='/facts')
        >>> Record({"facts": {"design": "external"}}).found("design")
        Answer(value='external', source='/facts/design')
        >>> Record({"facts": {"title": ""}}).found("title") is None
        True
        """
        values = {f"/{key}": self.facts.get(key) for key in keys}
        if any(value is None or value in ("", [], {}) for value in values.values()):
            return None
        if len(values) == 1:
            return Answer(self.facts[keys[0]], f"/facts/{keys[0]}")
        return Answer(values, "/facts")


def fields(figures: Iterable[Figure], *names: str) -> Answer | None:
    """Return some fields of some figures, by their place in the report; None without any.

    Examples
    --------
    >>> first = Figure(3, {"name": "auc:a", "n": 51}, "auc", "a", "")
    >>> second = Figure(9, {"name": "auc:b", "n": 51}, "auc", "b", "")
    >>> fields([first], "name", "n")
    Answer(value={'name': 'auc:a', 'n': 51}, source='/estimates/3')
    >>> fields([first, second], "n")
    Answer(value={'/3': {'n': 51}, '/9': {'n': 51}}, source='/estimates')
    """
    told = {figure.index: {name: figure.record[name] for name in names} for figure in figures}
    if len(told) == 1:
        index, value = next(iter(told.items()))
        return Answer(value, f"/estimates/{index}")
    return Answer({f"/{index}": value for index, value in told.items()}, "/estimates") if told else None


def part(mapping: Mapping[str, Any], names: Iterable[str], source: str) -> Answer | None:
    """Return some entries of an object that stands at `source`, all of them or none.

    Examples
    --------
    >>> part({"folds": 5, "seed": 1}, ("folds",), "/facts/settings")
    Answer(value={'folds': 5}, source='/facts/settings')
    """
    told = {name: mapping.get(name) for name in names}
    return None if any(value is None or value == "" for value in told.values()) else Answer(told, source)
