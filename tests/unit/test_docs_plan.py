"""Plans and figures are documented: every key that a plan may hold and every figure that can come out is on its page."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import Field

from onclair.core.settings import Settings
from onclair.validate.checked import checked
from onclair.validate.leakage.plan import leakage_plan
from onclair.validate.plan import Plan, read_plan
from onclair.validate.planned import judge_planned

HOW_TO = "docs/how-to/validate.md"


@pytest.fixture(scope="module")
def hooks(repository: Path) -> ModuleType:
    """The module that writes the generated pages."""
    spec = importlib.util.spec_from_file_location("onclair_docs_hooks_of_plans", repository / "docs" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def schema_keys(schema: Mapping[str, Any]) -> dict[str, set[str]]:
    """The keys of a plan and of every table in it, by the name of its class, as pydantic tells them."""
    tables = {schema["title"]: schema, **schema.get("$defs", {})}
    return {name: set(table["properties"]) for name, table in tables.items()}


def test_the_page_of_plans_has_every_key_of_every_table(hooks: ModuleType) -> None:
    page = hooks.plans_page()
    for name, (plan, _, _) in hooks.PLANS.items():
        own = page.partition(f"## `{name}`\n")[2].partition("\n## ")[0]
        shown = re.findall(r"^\| `(\w+)` \|", own, flags=re.MULTILINE) + re.findall(r"^### `\[(\w+)", own, flags=re.MULTILINE)
        assert sorted(shown) == sorted(key for keys in schema_keys(plan.model_json_schema()).values() for key in keys), name


def test_every_key_of_a_plan_is_told_in_both_languages(hooks: ModuleType) -> None:
    page = hooks.plans_page()
    fields = [f for plan, _, _ in hooks.PLANS.values() for _, table in hooks.tables_of(plan) for f in hooks.keys_of(table)]
    assert len(fields) > 30
    assert [f.name for f in fields if not (f.en and f.fr and hooks.cell(f.en) in page and hooks.cell(f.fr) in page)] == []


def test_the_page_of_plans_says_what_is_needed_and_what_may_be_chosen(hooks: ModuleType) -> None:
    page = hooks.plans_page()
    assert "| `outcome` | `binary` / `survival` / `competing` | **needed** |" in page
    assert "| `level` | number, > 0.5, &lt; 1 | `0.95` |" in page
    assert "| `compare` | pairs of texts, a list | none |" in page


def test_a_key_that_the_hooks_have_not_seen_would_be_on_the_page(hooks: ModuleType) -> None:
    class Nested(Settings):
        depth: int = 3

    class Odd(Settings):
        first: str
        inner: dict[str, Nested] = Field(default_factory=dict)

    assert [(place, [f.name for f in hooks.keys_of(kind)]) for place, kind in hooks.tables_of(Odd)] == [
        ("", ["first"]),
        ("inner.NAME", ["depth"]),
    ]


def test_every_plan_on_the_page_can_be_read(repository: Path) -> None:
    blocks = re.findall(r'^```toml(?: title="[^"]+")?\n(.*?)^```$', (repository / HOW_TO).read_text("utf-8"), flags=re.M | re.S)
    plans = [read_plan(tomllib.loads(block)) for block in blocks]
    assert [plan.outcome for plan in plans] == ["binary", "survival", "competing", "binary"]
    assert plans[-1].design == "case-control"


def test_the_leakage_plan_on_its_page_can_be_read(repository: Path) -> None:
    page = (repository / "docs/how-to/leakage.md").read_text("utf-8")
    lines = re.findall(r'^    ((?:format = "onclair-leakage/1"|\[|\w+ = ).*)$', page, flags=re.MULTILINE)
    assert leakage_plan(tomllib.loads("\n".join(lines))).features.prefix == "f_"


def judged(outcome: str) -> set[str]:
    """The figures that come out of a small table with two models, a threshold and a comparison."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"p": rng.uniform(0.05, 0.95, 60), "q": rng.uniform(0.05, 0.95, 60), "t": rng.uniform(0.5, 9.0, 60)})
    table["y"] = (rng.random(60) < table["p"]).astype(int)
    table["e"] = np.where(outcome == "competing", rng.integers(0, 3, 60), table["y"])
    columns = {"truth": "y"} if outcome == "binary" else {"time": "t", "event": "e"}
    figures: dict[str, Any] = {"thresholds": [0.4], "compare": [["a", "b"]], "bootstrap": 0} | (
        {} if outcome == "binary" else {"horizon": 5.0}
    )
    models = {"a": {"column": "p"}, "b": {"column": "q"}}
    plan: Plan = read_plan({"outcome": outcome, "columns": columns, "models": models, "figures": figures})
    return {e.name.partition(":")[0] for e in judge_planned(checked(table, plan), plan).estimates}


@pytest.mark.parametrize("outcome", ["binary", "survival", "competing"])
def test_every_figure_that_can_come_out_is_on_the_page_under_its_outcome(repository: Path, outcome: str) -> None:
    page = (repository / HOW_TO).read_text("utf-8")
    rows = [row for row in page.splitlines() if row.startswith((f"| {outcome} |", "| all, at each threshold |"))]
    named = {word.partition(":")[0] for row in rows for word in re.findall(r"`([^`]+)`", row)}
    assert len(rows) == 2
    assert named == judged(outcome)


@pytest.mark.parametrize("outcome", ["binary", "survival", "competing"])
def test_every_figure_is_explained(repository: Path, outcome: str) -> None:
    page = (repository / "docs/explanation/figures.md").read_text("utf-8")
    named = {word for text in re.findall(r"`([^`]+)`", page) for word in text.split()}
    beside = {"e50", "e90", "emax", "p_u", "p_spiegelhalter", "nb"}  # stand with ici, u, spiegelhalter and net benefit
    assert judged(outcome) - beside - named == set()
