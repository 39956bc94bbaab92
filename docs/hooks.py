"""Pages that mkdocs builds from the code itself: commands, settings, glossary, errors, data sets and the API.

Nothing here is written by hand twice: what the code says is what the page says.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_origin

import click
from pydantic_core import PydanticUndefined

from onclair.cli.main import cli
from onclair.core import errors
from onclair.core.glossary import TERMS
from onclair.core.settings import SettingField, Settings, fields_of
from onclair.studies import BUILT_IN, load
from onclair.validate.leakage.plan import LeakagePlan
from onclair.validate.plan import Plan
from onclair.validate.protocol.plan import ProtocolPlan

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {
    "core": "the words of the house",
    "io": "files in and out",
    "science": "pure functions: arrays in, arrays out",
    "learn": "estimators and folds",
    "validate": "figures of merit with their intervals",
    "explain": "what moved an answer",
    "virtual": "patients with known truth",
    "run": "the engine",
    "report": "pages for people",
    "studies": "one record each",
}


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages to what mkdocs read from the folder (mkdocs calls this)."""
    from mkdocs.structure.files import File

    for address, write in PAGES.items():
        files.append(File.generated(config, address, content=write()))
    return files


def cell(text: str) -> str:
    """Return a text that may stand in a cell of a table: no line ends, and nothing that Markdown would take for its own."""
    return " ".join(re.sub(r"<(?!br>)", "&lt;", text.replace("|", "\\|")).split())


def prose(text: str) -> str:
    """Return words that Markdown must not take for links."""
    return text.replace("[", "\\[").replace("]", "\\]")


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(cell(c) for c in row) + " |" for row in rows)]) + "\n"


def commands(group: click.Command = cli, above: tuple[str, ...] = ("onclair",)) -> Iterator[tuple[str, click.Command]]:
    """Yield every command of the tree with its full name, groups before what they hold."""
    context = click.Context(group, info_name=above[-1])
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield " ".join((*above, name)), command
            yield from commands(command, (*above, name))


def cli_page() -> str:
    """Return the page of every command with its arguments and options."""
    intro = (
        "Every command takes `--json` where it answers something. Exit code 0: done; 1: a check failed; 2: the input cannot be used. "
        "Errors go to standard error, one sentence each.\n"
    )
    parts = ["# Command line\n", intro]
    for name, command in commands():
        context = click.Context(command, info_name=name)
        usage = " ".join([name, *command.collect_usage_pieces(context)])
        parts += [f"## `{name}`\n", f"    {usage}\n", _prose(command.help or ""), _parameters(command, context)]
    return "\n".join(parts)


def _prose(text: str) -> str:
    return prose("\n".join(line.strip() for line in text.replace("\b", "").splitlines())) + "\n"


def _parameters(command: click.Command, context: click.Context) -> str:
    rows = []
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and "--help" not in parameter.opts:
            taken = "" if parameter.is_flag else f" {parameter.make_metavar(context)}"
            needed = " Required." if parameter.required else ""
            rows.append((f"`{', '.join(parameter.opts)}{taken}`".replace("|", "/"), prose(parameter.help or "") + needed))
    return table(("option", "what it does"), rows) if rows else ""


def settings_page(name: str) -> str:
    """Return the page of one study: its question, settings, rivals, controls, limits, references and virtual patients."""
    study = load(name)
    rivals = [(f"`{r.name}`", r.words.en, ", ".join(f"`{c}`" for c in r.columns) or "none") for r in study.rivals]
    controls = [(f"`{c.name}`", c.words.en) for c in study.controls]
    order = (
        f"Flags of `onclair run {name}`, keys of its TOML file and fields of its form are this one list. "
        "Flags go before TOML, TOML before defaults; an unknown key is refused.\n"
    )
    return "\n".join(
        [
            f"# Study `{name}`\n",
            f"**{study.question.en}**\n",
            f"Outcome: {study.outcome}. Files a patient: {', '.join(f'`{k}`' for k in study.kinds)}.\n",
            "## Settings\n",
            order,
            settings_table(study.settings),
            "## Rivals\n",
            table(("rival", "what it is", "columns"), rivals),
            "## Negative controls\n",
            table(("control", "what is destroyed"), controls),
            "## Limits\n",
            *(f"- {limit.en}" for limit in study.limits),
            "",
            "## Virtual patients\n",
            f"Settings of `onclair virtual {name}`.\n",
            settings_table(study.virtual.settings),
            "## References\n",
            *(f"- {reference}" for reference in study.references),
            "",
        ]
    )


def settings_table(kind: type[Settings]) -> str:
    """Return one row a setting."""
    return table(("setting", "values", "default", "what it does"), [_setting_row(f) for f in fields_of(kind)])


def _setting_row(field: SettingField) -> tuple[str, ...]:
    type_name = " / ".join(field.choices) if field.choices else getattr(field.kind, "__name__", str(field.kind))
    values = [type_name + (", several" if field.many else ""), field.unit, field.limits]
    defaults = field.default if field.many else [] if field.default is None else [field.default]
    return (
        f"`{field.name}`<br>`{field.flag}`",
        ", ".join(part for part in values if part),
        ", ".join(f"`{value}`" for value in defaults) or "none",
        f"{field.en}<br>*{field.fr}*",
    )


#: The plans of the commands: format -> (its settings, the command that takes it, the page that tells how).
PLANS: Mapping[str, tuple[type[Settings], str, str]] = {
    "onclair-plan/1": (Plan, "onclair validate", "../how-to/validate.md"),
    "onclair-leakage/1": (LeakagePlan, "onclair leakage", "../how-to/leakage.md"),
    "onclair-protocol/1": (ProtocolPlan, "onclair protocol lock", "../how-to/prospective-protocol.md"),
}
_WORDS = {"str": "text", "int": "whole number", "float": "number"}


def plans_page() -> str:
    """Return the page of every plan: each key with its values, its default and what it does."""
    intro = (
        "# Plans\n\nA plan is a TOML file, written before the truth is looked at. An unknown key is refused, the nearest known one named; "
        "so is a value out of its range. This page is made from the code that reads the plans.\n"
    )
    parts = [intro]
    for name, (plan, command, page) in PLANS.items():
        parts.append(f"## `{name}`\n\nTaken by `{command}`: [how]({page}).\n")
        for place, keys in tables_of(plan):
            heading = f"`[{place}]`" if place else "Above the tables"
            parts.append(f"### {heading} {{: #{name.partition('/')[0]}-{place.partition('.')[0] or 'top'} }}\n")
            parts.append(table(("key", "values", "default", "what it is"), [_key_row(f) for f in keys_of(keys)]))
    return "\n".join(parts)


def tables_of(plan: type[Settings]) -> Iterator[tuple[str, type[Settings]]]:
    """Yield a plan under "", then each of its TOML tables by name; one for each of the user's own names stands as ``models.NAME``."""
    yield "", plan
    for name, info in plan.model_fields.items():
        for part in get_args(info.annotation) or (info.annotation,):
            if isinstance(part, type) and issubclass(part, Settings):
                yield (f"{name}.NAME" if get_origin(info.annotation) is dict else name), part


def keys_of(kind: type[Settings]) -> list[SettingField]:
    """Return the keys that hold a value, those that are tables left out."""
    tables = {place.partition(".")[0] for place, _ in tables_of(kind) if place}
    return [field for field in fields_of(kind) if field.name not in tables]


def _key_row(field: SettingField) -> tuple[str, ...]:
    pair = get_args(field.kind)
    kind = f"pairs of {_WORDS[pair[0].__name__]}s" if pair else _WORDS.get(field.kind.__name__, field.kind.__name__)
    kinds = " / ".join(f"`{choice}`" for choice in field.choices) or kind
    default = "none" if field.many or field.default in (None, "") else f"`{field.default}`"
    return (
        f"`{field.name}`",
        ", ".join(part for part in (kinds, "a list" if field.many else "", field.unit, field.limits) if part),
        "**needed**" if field.default is PydanticUndefined else default,
        f"{field.en}<br>*{field.fr}*",
    )


def glossary_page() -> str:
    """Return the page of every term in both languages."""
    intro = "# Glossary\n\nThe same thing has one name everywhere: in the code, on the screens and in the reports.\n\n"
    rows = [
        (f"**{t.en}**<br>*{t.fr}*", f"{t.definition_en}<br>*{t.definition_fr}*", ", ".join(part for part in (t.symbol, t.unit) if part))
        for t in TERMS
    ]
    return intro + table(("term, *terme*", "definition, *définition*", "symbol, unit"), rows)


def error_kinds() -> list[tuple[str, type[errors.OnclairError]]]:
    """Return every class of error with its name, in the order of the tree."""
    return [(name, kind) for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.OnclairError)]


def errors_page() -> str:
    """Return the page of the error tree."""
    kinds = error_kinds()
    rows = [(f"`{name}`", kind.__bases__[0].__name__, str(kind.exit_code), (kind.__doc__ or "").splitlines()[0]) for name, kind in kinds]
    return (
        "# Errors\n\nEvery error that a person can act on is an `OnclairError`, and its text is one sentence. In Python, catch the class; "
        "`error.item` names the patient, file, column or setting. What to do about each: [Bad input](../how-to/bad-input.md).\n\n"
        + table(("error", "is a", "exit code", "meaning"), rows)
    )


def data_page() -> str:
    """Return the page of the named public data sets."""
    from onclair.io.registry import listing

    rows = [(f"`{e.name}`", e.title, f"{e.size / 1e6:.1f} MB", e.licence, e.citation) for e in listing()]
    return (
        "# Public data by name\n\n`onclair data get NAME --out COHORT` downloads a set, checks every file's SHA-256 and lays out a cohort; "
        "`--mirror DIR` takes the same files from a folder. `onclair data where NAME` prints addresses and hashes. "
        "The data are not part of Onclair: their licences are their own, and their authors are to be cited.\n\n"
        + table(("name", "what", "size", "licence", "please cite"), rows)
    )


def modules_of(room: str) -> list[str]:
    """Return every public module of a room that holds more than its docstring."""
    source = ROOT / "src"
    found = []
    for path in sorted((source / "onclair" / room).rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        if path.name != "__init__.py" and not any(p.startswith("_") for p in parts):
            found.append(".".join(parts))
    return found


def api_page(room: str) -> str:
    """Return the page of one room: what its docstring says, then each module."""
    says = importlib.import_module(f"onclair.{room}").__doc__ or ""
    return "\n".join([f"# `{room}`: {ROOMS[room]}\n", says, *(f"::: {name}\n" for name in modules_of(room))])


def cards_page() -> str:
    """Return the page of model cards: what every key means, and the cards that ship."""
    from onclair.io.cards import card_names, keys_of_card, read_card

    intro = (
        "A card says in TOML what a paper says of its model. A key that is not listed here is refused; what the card does not say is "
        "reported under `missing` and never filled in. `[[filter]]` and `[[feature]]` may be repeated.\n"
    )
    parts = ["# Model cards\n", intro]
    for name, keys in keys_of_card().items():
        mark = f"[[{name}]]" if name in ("filter", "feature") else f"[{name}]"
        parts += [f"## `{mark}`\n", table(("key", "what it says"), [(f"`{key}`", prose(about)) for key, about in keys.items()])]
    cards = [read_card(name) for name in card_names()]
    rows = [(f"`{c.name}`", c.about.claim or "", prose(c.about.source or ""), ", ".join(f"`{m}`" for m in c.missing)) for c in cards]
    return "\n".join([*parts, "## Cards that ship\n", table(("card", "claim", "source", "not said"), rows)])


PAGES: Mapping[str, Callable[[], str]] = {
    "reference/cli.md": cli_page,
    "reference/glossary.md": glossary_page,
    "reference/errors.md": errors_page,
    "reference/data.md": data_page,
    "reference/plans.md": plans_page,
    "reference/cards.md": cards_page,
    **{f"reference/studies/{name}.md": partial(settings_page, name) for name in BUILT_IN},
    **{f"reference/api/{room}.md": partial(api_page, room) for room in ROOMS},
}
