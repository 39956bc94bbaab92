"""Whatever a figure of `validate` says of how it was had, or why it was not, has French words: on cohorts good and bad."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from fragment_sweep import COHORTS, Told, without_french
from fragment_sweep_more import ROOMS, dialects

from onclair.core.fragments import FRAGMENTS, TABLES, in_french
from onclair.core.glossary import VALIDATION
from onclair.report.labels import FIGURES

SWEEPS = {**COHORTS, **ROOMS}
#: What a gap of a text written in code may hold: a number, another fragment, or words of the code.
FILLINGS = ("7", "there is no event", "the risk is the same for everyone", "the reference", "had no smooth curve")
#: Written as a reason and replaced before it leaves.
NEVER_SAID = {"not yet"}


@cache
def _said(name: str) -> Told:
    """Return what a sweep says; once, for it may take a second."""
    return SWEEPS[name]()


@pytest.mark.parametrize("name", SWEEPS)
def test_whatever_is_said_has_french_words(name: str) -> None:
    fragments = _said(name)
    assert len(fragments) >= 3
    assert without_french(fragments) == []


def test_whatever_the_reading_of_a_table_says_has_french_words(tmp_path: Path) -> None:
    fragments = dialects(tmp_path)
    assert len(fragments) >= 15
    assert without_french(fragments) == []


def test_the_sweeps_reach_the_figures_of_every_outcome() -> None:
    said = {fragment for name in SWEEPS for fragment in _said(name)}
    assert len(said) >= 600


@pytest.mark.parametrize("subject", [name for name in TABLES if name != "outlines"])
def test_no_pattern_has_lost_its_english(subject: str, repository: Path, tmp_path: Path) -> None:
    """A pattern is met by a sweep, or what it says stands in the code; else its wording was changed there and it is dead."""
    met, source = _met([*(f for name in SWEEPS for f in _said(name)), *dialects(tmp_path)]), _source(repository)
    dead = [p for p, _ in TABLES[subject] if not any(re.fullmatch(p, f) for f in met) and _plainest(p) not in source]
    assert dead == []


def test_every_reason_written_in_the_code_has_french_words(repository: Path) -> None:
    """A reason that no sweep reaches is found where it is written."""
    found = [(f"{path.name}:{line}", texts) for path, line, texts in _reasons(repository / "src")]
    assert len(found) >= 60
    assert [f"{where}: {texts[0]}" for where, texts in found if not NEVER_SAID.issuperset(texts) and not any(map(_has_french, texts))] == []


def test_the_glossary_and_the_reports_call_a_figure_by_one_name() -> None:
    named = {t.symbol: (t.en, t.fr) for t in VALIDATION if t.symbol in FIGURES}
    assert len(named) >= 10
    assert named == {symbol: (FIGURES[symbol].en, FIGURES[symbol].fr) for symbol in named}


def test_a_new_reason_would_be_missed() -> None:
    (written,) = _written("def f(rows, name):\n    return rows.missing(name, f'the moon was {rows} days old')\n")
    assert not any(map(_has_french, _readings(written, ast)))


def _met(fragments: Iterable[str]) -> set[str]:
    """Return the fragments, and those that they hold, without full stops, with and without their capital."""
    met: set[str] = set()
    waiting = list(dict.fromkeys(fragments))
    while waiting:
        plain = waiting.pop().removesuffix(".")
        for fragment in {plain, plain[:1].lower() + plain[1:]} - met:
            met.add(fragment)
            waiting += [part for found in _nested(fragment) for name, part in found.groupdict().items() if not name.startswith("name")]
    return met


def _nested(fragment: str) -> Iterator[re.Match[str]]:
    return (found for pattern, _ in FRAGMENTS if "(?P<" in pattern and (found := re.fullmatch(pattern, fragment)))


@cache
def _source(repository: Path) -> str:
    """Return the code that writes fragments, adjoining literals joined."""
    paths = [p for p in sorted((repository / "src" / "onclair").rglob("*.py")) if p.parent.name != "french"]
    return re.sub(r'"\s*\n\s*f?"', "", "\n".join(p.read_text(encoding="utf-8") for p in paths))


def _plainest(pattern: str) -> str:
    """Return the longest run of a pattern that stands for itself."""
    return max((run.replace("\\", "") for run in re.split(r"\(\?.*?\)|\((?!\?).*?[^\\]\)|\[.*?\][*+]?", pattern)), key=len)


def _reasons(source: Path) -> Iterator[tuple[Path, int, tuple[str, ...]]]:
    """Yield every reason written where figures are made, in each way in which its gaps may be filled."""
    for path in sorted(path for room in ("validate", "learn") for path in (source / "onclair" / room).rglob("[!_]*.py")):
        module = importlib.import_module(".".join(path.relative_to(source).with_suffix("").parts))
        for text in _written(path.read_text(encoding="utf-8")):
            yield path, text.lineno, _readings(text, module)


def _written(code: str) -> Iterator[ast.expr]:
    """Yield the texts given as a reason: to ``missing``, ``not_available`` and ``bare``, or as ``reason=``."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = [k.value for k in node.keywords if k.arg == "reason"]
            given += node.args[1:2] if called in ("missing", "not_available") else []
            given += node.args[3:4] if called == "bare" else []
            yield from itertools.chain.from_iterable(map(_literals, given))


def _literals(given: ast.expr) -> Iterator[ast.expr]:
    """Yield the text, or the texts between which an expression chooses."""
    if isinstance(given, ast.JoinedStr) or (isinstance(given, ast.Constant) and isinstance(given.value, str)):
        yield given
    elif isinstance(given, ast.IfExp):
        yield from itertools.chain(_literals(given.body), _literals(given.orelse))
    elif isinstance(given, ast.BoolOp):
        yield from itertools.chain.from_iterable(map(_literals, given.values))
    elif isinstance(given, ast.Name):
        yield given


def _readings(text: ast.expr, module: ModuleType) -> tuple[str, ...]:
    """Return a text in each way in which its gaps may be filled; a name that is no constant of the module fills any of them."""
    if isinstance(text, ast.Constant):
        return (str(text.value),)
    parts = text.values if isinstance(text, ast.JoinedStr) else [ast.FormattedValue(text, -1)]
    choices = [(str(part.value),) if isinstance(part, ast.Constant) else _filling(part, module) for part in parts]
    return tuple("".join(chosen) for chosen in itertools.islice(itertools.product(*choices), 128))


def _filling(gap: ast.expr, module: ModuleType) -> tuple[str, ...]:
    named = gap.value if isinstance(gap, ast.FormattedValue) else gap
    constant = getattr(module, named.id, None) if isinstance(named, ast.Name) else None
    return (constant,) if isinstance(constant, str) else FILLINGS


def _has_french(text: str) -> bool:
    return all(in_french(fragment) is not None for fragment in text.split("; "))
