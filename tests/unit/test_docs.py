"""The documentation says what the code does: every command, setting, term, error and data set is on a page, every link leads somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from onclair.core.finding import finding_schema
from onclair.core.glossary import TERMS
from onclair.core.settings import fields_of
from onclair.studies import BUILT_IN, load


@pytest.fixture(scope="module")
def hooks(repository: Path) -> ModuleType:
    """The module that writes the generated pages."""
    spec = importlib.util.spec_from_file_location("onclair_docs_hooks", repository / "docs" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_nav(repository: Path) -> set[str]:
    return set(re.findall(r":\s+(\S+\.md)\s*$", (repository / "mkdocs.yml").read_text(encoding="utf-8"), flags=re.MULTILINE))


def written_pages(repository: Path) -> set[str]:
    return {p.relative_to(repository / "docs").as_posix() for p in (repository / "docs").rglob("*.md")}


def prose_of(path: Path) -> str:
    """The text of a page without its code."""
    return re.sub(r"^(    .*|```[\s\S]*?```)$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_command_and_each_of_its_options_is_on_the_page(hooks: ModuleType) -> None:
    page = hooks.cli_page()
    missing = []
    for name, command in hooks.commands():
        own = page.partition(f"## `{name}`\n")[2].partition("\n## ")[0]
        options = [o.opts[0] for o in command.get_params(click.Context(command)) if isinstance(o, click.Option) and "--help" not in o.opts]
        missing += [f"{name} {option}" for option in ["", *options] if option not in own or not own]
    assert missing == []


def test_the_commands_of_the_design_are_all_there(hooks: ModuleType) -> None:
    names = {name.removeprefix("onclair ") for name, _ in hooks.commands()}
    assert {
        "demo",
        "run radiomics",
        "apply",
        "verify",
        "replay",
        "report",
        "virtual radiomics",
        "data list",
        "data get",
        "data where",
        "bench",
        "cohort check",
    } <= names


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_setting_of_a_study_is_on_its_page_in_both_languages(hooks: ModuleType, name: str) -> None:
    page, study = hooks.settings_page(name), load(name)
    fields = [*fields_of(study.settings), *fields_of(study.virtual.settings)]
    assert [f.name for f in fields if f"| `{f.name}`<br>`{f.flag}` |" not in page] == []
    assert [f.name for f in fields if hooks.cell(f.en) not in page or hooks.cell(f.fr) not in page or not f.fr] == []


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_rival_control_and_limit_of_a_study_is_on_its_page(hooks: ModuleType, name: str) -> None:
    page, study = hooks.settings_page(name), load(name)
    named = [f"`{item.name}`" for item in (*study.rivals, *study.controls)]
    expected = [*named, *(limit.en for limit in study.limits), *study.references]
    assert [text for text in expected if text not in page] == []


def test_every_term_is_in_the_glossary_page(hooks: ModuleType) -> None:
    page = hooks.glossary_page()
    assert [t.id for t in TERMS if not all(hooks.cell(text) in page for text in (t.en, t.fr, t.definition_en, t.definition_fr))] == []


def test_every_data_set_is_on_the_page_with_its_licence_and_citation(hooks: ModuleType) -> None:
    from onclair.io.registry import listing

    page = hooks.data_page()
    assert len(listing()) >= 3
    assert [d.name for d in listing() if not all(hooks.cell(text) in page for text in (d.name, d.licence, d.citation))] == []


def test_every_error_is_on_the_page(hooks: ModuleType) -> None:
    page = hooks.errors_page()
    assert [name for name, _ in hooks.error_kinds() if f"| `{name}` |" not in page] == []


def test_every_module_has_a_place_in_the_api(hooks: ModuleType, repository: Path) -> None:
    shown = {name for room in hooks.ROOMS for name in hooks.modules_of(room)}
    doors = {"cli", "web", "site", "federate"}
    source = repository / "src"
    every = {".".join(p.relative_to(source).with_suffix("").parts) for p in (source / "onclair").rglob("*.py") if p.name[:2] != "__"}
    assert {name for name in every - shown if name.split(".")[1] not in doors} == set()


def test_every_page_is_in_the_navigation_and_every_entry_is_a_page(hooks: ModuleType, repository: Path) -> None:
    assert in_nav(repository) == (written_pages(repository) - {"adr/0000-template.md"}) | set(hooks.PAGES)


def test_every_decision_is_listed_and_dated(repository: Path) -> None:
    decisions = sorted(p for p in (repository / "docs" / "adr").glob("*.md") if p.stem != "0000-template")
    assert decisions
    for path in decisions:
        assert f"adr/{path.name}" in in_nav(repository)
        text = path.read_text(encoding="utf-8")
        assert re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: (proposed|accepted|replaced by \d{4})\.$", text, re.MULTILINE)


def test_every_relative_link_leads_to_a_page_or_a_file(hooks: ModuleType, repository: Path) -> None:
    pages = [repository / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted((repository / "docs").rglob("*.md"))
    generated = {repository / "docs" / name for name in hooks.PAGES}
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)", prose_of(page)):
            place = (page.parent / target).resolve()
            if "://" not in target and place not in generated and not place.exists():
                broken.append(f"{page.relative_to(repository)} -> {target}")
    assert broken == []


def test_no_page_names_a_path_of_a_machine(repository: Path) -> None:
    files = [*repository.glob("*.md"), *(repository / "docs").rglob("*.md"), repository / "Makefile"]
    assert [str(p) for p in files if re.search(r"(?<![\w.])/(home|work|root|Users)/", p.read_text(encoding="utf-8"))] == []


def test_the_published_schema_of_a_finding_is_the_one_in_the_code(repository: Path) -> None:
    published = json.loads((repository / "docs" / "formats" / "finding.schema.json").read_text(encoding="utf-8"))
    assert published == finding_schema()


def test_every_field_of_a_finding_is_on_its_page(repository: Path) -> None:
    page = (repository / "docs" / "formats" / "finding.md").read_text(encoding="utf-8")
    assert [name for name in finding_schema()["properties"] if f"`{name}`" not in page] == []


def test_every_fragment_of_the_changelog_has_a_kind_that_is_known(repository: Path) -> None:
    fragments = [p.name for p in (repository / "changelog.d").glob("*.md")]
    assert [name for name in fragments if not re.fullmatch(r"\d+\.(feature|fix|change|removal)(\.\d+)?\.md", name)] == []


def test_the_version_is_the_same_wherever_it_is_written(repository: Path) -> None:
    from onclair import __version__

    assert f'version = "{__version__}"' in (repository / "pyproject.toml").read_text(encoding="utf-8")
    assert f"version: {__version__}\n" in (repository / "CITATION.cff").read_text(encoding="utf-8")


def test_locks_pin_every_package_and_say_nothing_of_where_it_comes_from(repository: Path) -> None:
    for path in sorted((repository / "requirements").glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines, path
        assert [line for line in lines if not re.fullmatch(r"[a-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


def test_what_runs_is_in_every_lock_at_the_same_version(repository: Path) -> None:
    folder = repository / "requirements"
    locks = {name: set((folder / f"{name}.txt").read_text(encoding="utf-8").split()) for name in ("run", "test", "dev")}
    assert locks["run"] <= locks["test"] <= locks["dev"]


@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(repository: Path, tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed; make setup installs it")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    answer = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (tmp_path / "site" / "index.html").exists()
