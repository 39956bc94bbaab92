"""`onclair bone lesions compare`: predicted lesions and readers against the truth, case by case and with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from onclair.core.errors import BadCase, BadInput
from onclair.core.estimate import Estimate
from onclair.core.progress import Listener, Progress, silent
from onclair.studies.tasks.bone_compare_case import Opened, opened, types_beside
from onclair.studies.tasks.bone_compare_inputs import Described, Side, case_of, paired, read_described, read_scores, side_of
from onclair.validate.lesion_ratios import Drawing
from onclair.validate.lesion_readers import ReadCase, reader_agreement
from onclair.validate.lesions import BOX, FROC_RULE, LesionCase, lesion_agreement, rules_of

MODEL = "model"
Warnings = list[Mapping[str, str]]
Scores = Mapping[str, Mapping[int, float]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was asked for.

    Attributes
    ----------
    truth, predicted : Path
        A map, a SEG, a table of boxes, or a folder of them.
    scores : Path or None
        ``case, instance, score`` of predicted lesions.
    readers : tuple of str
        Folders or files, or what a reader's maps are called after the case in the truth's folder (``CASE_NAME.nii.gz``).
    tables : tuple of Path
        Types and bones of lesions.
    drawing : Drawing
    skip_bad : bool
        Go on without cases that cannot be used.
    progress : callable
    """

    truth: Path
    predicted: Path
    scores: Path | None = None
    readers: tuple[str, ...] = ()
    tables: tuple[Path, ...] = ()
    drawing: Drawing = field(default_factory=Drawing)
    skip_bad: bool = False
    progress: Listener = silent


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What was found.

    Attributes
    ----------
    cases : tuple of LesionCase
    estimates : tuple of Estimate
    warnings : tuple of mapping
    """

    cases: tuple[LesionCase, ...]
    estimates: tuple[Estimate, ...]
    warnings: tuple[Mapping[str, str], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints; ``pairs``, ``missed`` and ``false`` of a case are those under ``iou0.1``, or of boxes."""
        rules = rules_of(self.cases)
        return {
            "estimates": [estimate.as_dict() for estimate in self.estimates],
            "cases": [_case_as_dict(case, rules) for case in self.cases],
            "warnings": [dict(warning) for warning in self.warnings],
        }


def compare(asked: Asked) -> Done:
    """Compare predicted lesions with the truth, and readers with each other and with the model.

    Raises
    ------
    BadInput
        For a path that holds nothing, a case without its counterpart, a score of an instance that is not there, an instance without one.
    BadCase, BadGeometry
        For a file that cannot be read or lies on another grid, unless bad cases may be skipped.
    """
    truth, predicted = side_of(asked.truth, "the truth"), side_of(asked.predicted, "the prediction")
    described = read_described(asked.tables)
    scores: Scores | None = read_scores(asked.scores) if asked.scores is not None else predicted.scores or None
    found, warnings = _each((truth, predicted), described, asked)
    if scores is not None:
        scores = _by_case(scores, found, predicted)
        _refuse_unknown(scores, found, asked)
    cases = tuple(_told(one, described, scores) for one in found)
    read, more = _readers(predicted, described, asked)
    return Done(cases, (*lesion_agreement(cases, asked.drawing), *read), (*warnings, *more))


def _each(sides: tuple[Side, Side], described: Described, asked: Asked) -> tuple[list[Opened], Warnings]:
    """Return every case that both sides have, opened and counted."""
    names, warnings = paired(*sides)
    found: list[Opened] = []
    for i, case in enumerate(names):
        try:
            found.append(opened(case, described.patients.get(case[0], case[0]), sides))
        except BadCase as error:
            if not asked.skip_bad:
                raise
            warnings.append({"code": "bad_case", "text": f"{case[0]}: {error}"})
        asked.progress(Progress("compare", i + 1, len(names), case[0]))
    if not found:
        raise BadInput(
            f"No case of {asked.truth.name} can be compared; the first reason: {warnings[0]['text']}" if warnings else "No case."
        )
    return found, warnings


def _by_case(scores: Scores, found: Sequence[Opened], predicted: Side) -> Scores:
    """Return scores by the names of the cases; where two single files are compared, the predicted one's own name will do too."""
    own = predicted.cases
    if len(found) == 1 and len(own) == 1 and own[0] in scores and found[0].case.case not in scores:
        return {found[0].case.case if case == own[0] else case: rows for case, rows in scores.items()}
    return scores


def _refuse_unknown(scores: Scores, found: Sequence[Opened], asked: Asked) -> None:
    """Refuse scores of cases and instances that are not there."""
    where = asked.scores.name if asked.scores is not None else asked.predicted.name
    named = {one.case.case: one for one in found}
    for case, rows in scores.items():
        unknown = named[case].second.unknown(rows) if case in named else sorted(rows)
        if unknown:
            said = f"{where} gives a score to instance {unknown[0]} of {case}, but the prediction holds no such instance"
            raise BadInput(f"{said}; number them as the maps do.", item=case)


def _told(one: Opened, described: Described, scores: Scores | None) -> LesionCase:
    """Return a case with its scores, and its lesions' strata."""
    name = one.case.case
    groups: dict[str, set[int]] = {}
    for key, told in (("type", described.types.get(("", name), {})), ("bone", described.bones.get(name, {}))):
        for number, word in one.first.said(told).items():
            groups.setdefault(f"{key}={word}", set()).add(number)
    strata = {key: frozenset(numbers) for key, numbers in groups.items()}
    if scores is None:
        return replace(one.case, groups=strata)
    given = one.second.said(scores.get(name, {}))
    without = sorted(set(one.second.diameters_mm) - set(given))
    if without:
        raise BadInput(f"The predicted lesion {without[0]} of {name} has no score; give one for every instance.", item=name)
    return replace(one.case, groups=strata, scores=given)


def _readers(predicted: Side, described: Described, asked: Asked) -> tuple[list[Estimate], Warnings]:
    """Return how readers agree with each other, and the model with each."""
    sides = [(name, _reader(name, asked)) for name in asked.readers]
    labels = [case_of(Path(name)) for name, _ in sides]
    if len({*labels, MODEL}) != len(labels) + 1:
        raise BadInput(
            f"The readers are called {', '.join(labels)}; give each a name of its own, none of them '{MODEL}'.", item="--readers"
        )
    every = [*zip(labels, (side for _, side in sides), strict=True), *([(MODEL, predicted)] if sides else [])]
    estimates: list[Estimate] = []
    warnings: Warnings = []
    for (first, one), (second, other) in combinations(every, 2):
        found, notes = _each((one, other), described, asked)
        cases = [_read(each, (first, one), (second, other), described) for each in found]
        estimates += reader_agreement(first, second, cases, asked.drawing)
        warnings += [note for note in notes if note not in warnings]
    return estimates, warnings


def _reader(name: str, asked: Asked) -> Side:
    """Return a reader's maps: a path of their own, or the maps beside the truth that bear the reader's name."""
    if Path(name).exists():
        return side_of(Path(name), f"the reader {case_of(Path(name))}")
    if asked.truth.is_dir():
        side = side_of(asked.truth, f"the reader {name}", suffix=name)
        own = {case: path for case, path in side.maps.items() if case_of(path, name) != case_of(path, "")}
        if own:
            return replace(side, maps=own)
    raise BadInput(
        f"There is no reader '{name}': no such path, and no maps CASE_{name}.nii.gz in {asked.truth}; correct --readers.", item=name
    )


def _read(one: Opened, first: tuple[str, Side], second: tuple[str, Side], described: Described) -> ReadCase:
    types = tuple(
        own.said(_types(name, side, one.case.case, described)) for own, (name, side) in ((one.first, first), (one.second, second))
    )
    return ReadCase(one.case, one.second.diameters_mm, (types[0], types[1]))


def _types(name: str, side: Side, case: str, described: Described) -> Mapping[int, str]:
    """Return what a reader calls each lesion: by a table that names the reader, or the table beside the map."""
    for called in (name, name.removeprefix("reader")):
        if (called, case) in described.types:
            return described.types[called, case]
    return types_beside(side.maps.get(case))


def _case_as_dict(case: LesionCase, rules: Sequence[str]) -> dict[str, Any]:
    matched = {rule: case.matched(rule).as_dict() for rule in rules}
    told = FROC_RULE if FROC_RULE in matched else BOX
    whole = {} if case.masks is None else {"voxel": case.masks.as_dict()}
    return {"case": case.case, "patient": case.patient, "rule": told, **matched[told], "rules": matched, **whole}
