"""Groups of commands that are found by name and imported only when called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

#: Command -> (module that holds it, first line of its help). The help stands there so that `--help` imports nothing else.
Commands = Mapping[str, tuple[str, str]]


class LazyGroup(click.Group):
    """A group that imports a command only when it is called.

    Parameters
    ----------
    table : mapping
        Command -> (``"module:function"``, first line of its help), in the order of the journey.
    """

    def __init__(self, *args: Any, table: Commands, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the journey."""
        del ctx
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, imported now."""
        del ctx
        if cmd_name not in self.table:
            return None
        module, _, name = self.table[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or say which known one is nearest."""
        if args and args[0] not in self.table and not args[0].startswith("-"):
            from onclair.core.names import did_you_mean

            ctx.fail(f"There is no command '{args[0]}'; {did_you_mean(args[0], self.table)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with the help that stands in the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])
