"""What several commands share: `--json`, settings turned into flags, and the study by its name."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from onclair.core.errors import BadSetting
from onclair.core.settings import SettingField, Settings, fields_of
from onclair.io.files import toml_fault
from onclair.studies import load, names

Command = TypeVar("Command", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words.")
language = click.option("--lang", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Language of words and report.")
workers = click.option(
    "--workers", type=click.IntRange(min=1), default=None, help="Processes; as many as cores when left out. No result depends on it."
)
skip_bad = click.option("--skip-bad", is_flag=True, help="Go on without what cannot be used; the report lists it.")
folder = click.Path(path_type=Path)


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def settings_options(kind: type[Settings], *, without: Iterable[str] = ()) -> Callable[[Command], Command]:
    """Return a decorator that adds one flag for each setting.

    Parameters
    ----------
    kind : type of Settings
    without : iterable of str
        Settings that the command takes otherwise.
    """
    left_out = set(without)

    def add(command: Command) -> Command:
        for field in reversed([f for f in fields_of(kind) if f.name not in left_out]):
            command = _option(field)(command)
        return command

    return add


def _option(field: SettingField) -> Callable[[Command], Command]:
    """Return the flag of one setting; values are left to the settings' own check, so that one place refuses."""
    kind: Any = click.Choice(list(field.choices)) if field.choices else {int: int, float: float, bool: bool}.get(field.kind, str)
    default = ", ".join(map(str, field.default)) if field.many else field.default
    shown = "" if default in (None, "") else f"  [default: {default}]"
    unit = f" ({field.unit})" if field.unit else ""
    limits = f"  [{field.limits}]" if field.limits else ""
    return click.option(
        field.flag,
        field.name,
        type=kind,
        multiple=field.many,
        default=None,
        help=f"{field.en[:1].upper()}{field.en[1:]}{unit}.{shown}{limits}",
    )


def given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags that were written on the command line."""
    return {name: value for name, value in flags.items() if value is not None and value != ()}


def toml_layer(path: Path | None) -> dict[str, Any]:
    """Return the settings of a TOML file, or none.

    Raises
    ------
    BadSetting
        When the file cannot be read as TOML.
    """
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadSetting(
            f"The settings file {path} cannot be read ({(error.strerror or '').lower()}); correct its name after --settings.",
            item=str(path),
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(
            f"The settings file {path} is not TOML ({toml_fault(error)}); write lines such as folds = 5.", item=str(path)
        ) from None


class StudyGroup(click.Group):
    """A group with one subcommand a study, made from the study's own record when it is called.

    Parameters
    ----------
    make : callable
        ``(study name) -> Command``.
    """

    def __init__(self, *args: Any, make: Callable[[str], click.Command], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._make = make

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the studies."""
        del ctx
        return list(names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the subcommand of a study, or refuse a name that is none."""
        del ctx
        load(cmd_name)
        return self._make(cmd_name)
