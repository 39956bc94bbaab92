"""`onclair virtual STUDY`: a cohort of virtual patients; `onclair virtual claims`: predictions whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from onclair.cli.options import StudyGroup, as_json, folder, given, print_json, settings_options, workers
from onclair.cli.terminal import listener
from onclair.core.settings import Settings, fields_of
from onclair.run.pool import cores, pool
from onclair.studies import load


def _command(name: str) -> click.Command:
    if name == CLAIMS:
        return _claims()
    maker = load(name).virtual

    @click.command(name, help=f"Make virtual patients for the study {name}, with known truth. Every record says virtual.")
    @click.option("--out", type=folder, required=True, help="The cohort folder to write; it must not hold anything yet.")
    @settings_options(maker.settings)
    @click.option("--n", "n", type=int, default=None, help="The same as --patients.")
    @_written_as(maker.settings)
    @workers
    @as_json
    def command(**flags: Any) -> None:
        """Read the flags, make the patients, say where they are."""
        out, many, quiet = flags.pop("out"), flags.pop("workers"), flags.pop("as_json")
        also = {setting: flags.pop(flag, None) for flag, setting in SHORT.items()}
        for flag, setting in SHORT.items():
            if also[setting] is not None and flags.get(setting) not in (None, also[setting]):
                said = f"--{flag} {also[setting]} and --{setting} {flags[setting]} say the same thing twice"
                raise click.UsageError(f"{said}; give one of them.")
        settings = maker.settings.read(also, given(flags), source=f"the settings of virtual {name}")
        with listener(quiet=quiet) as progress, pool(many or cores()) as over:
            path = maker.write(settings, out, map=over, progress=progress)
        record = {"out": str(path), "data": "virtual", "settings": settings.as_record(), "warnings": []}
        print_json(record) if quiet else click.echo(f"{path}: a virtual cohort. Next: onclair run {name} --data {path} --out RUN")

    return command


def _written_as(kind: type[Settings]) -> Callable[[Any], Any]:
    """Return the short flag of the setting `form`, for studies whose virtual patients have it."""
    forms = next((field.choices for field in fields_of(kind) if field.name == "form"), ())
    if not forms:
        return lambda command: command
    return click.option("--as", "as", type=click.Choice(forms), default=None, help="The same as --form.")


#: Short flags, and the settings that they stand for.
SHORT = {"n": "patients", "as": "form"}
#: The subcommand beside the studies.
CLAIMS = "claims"


def _claims() -> click.Command:
    from onclair.virtual.claims import VirtualClaims, write

    @click.command(CLAIMS, help="Make predictions, a plan and their whole truth, to try a validation on. Every record says virtual.")
    @click.option("--out", type=folder, required=True, help="The folder to write; it must not hold anything yet.")
    @settings_options(VirtualClaims)
    @as_json
    def command(**flags: Any) -> None:
        """Read the flags, make the claim, say what to do with it."""
        out, quiet = flags.pop("out"), flags.pop("as_json")
        settings = VirtualClaims.read(given(flags), source="the settings of virtual claims")
        path = write(settings, out)
        record = {"out": str(path), "data": "virtual", "settings": settings.as_record(), "warnings": []}
        print_json(record) if quiet else click.echo(f"{path}: a virtual claim. Next: {_next(settings.kind, str(path))}")

    return command


def _next(kind: str, path: str) -> str:
    if kind == "readers":
        return f"onclair readers --ratings {path}/predictions.csv"
    if kind == "leaky":
        return f"onclair leakage --table {path}/predictions.csv --plan {path}/plan.toml"
    return f"onclair validate --predictions {path}/predictions.csv --plan {path}/plan.toml"


class _Makers(StudyGroup):
    """The studies, and the claims beside them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the studies and the claims."""
        return [*super().list_commands(ctx), CLAIMS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the subcommand of a study, or the one of the claims."""
        return self._make(cmd_name) if cmd_name == CLAIMS else super().get_command(ctx, cmd_name)


virtual = _Makers(
    "virtual",
    make=_command,
    help="Make a cohort of virtual patients with known truth, or virtual claims.\n\nonclair virtual STUDY --help shows what may be chosen.",
)
