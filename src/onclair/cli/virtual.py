"""`onclair virtual STUDY`: a cohort of virtual patients."""

from __future__ import annotations

from typing import Any

import click

from onclair.cli.options import StudyGroup, as_json, folder, given, print_json, settings_options, workers
from onclair.cli.terminal import listener
from onclair.run.pool import cores, pool
from onclair.studies import load


def _command(name: str) -> click.Command:
    maker = load(name).virtual

    @click.command(name, help=f"Make virtual patients for the study {name}, with known truth. Every record says virtual.")
    @click.option("--out", type=folder, required=True, help="The cohort folder to write; it must not hold anything yet.")
    @settings_options(maker.settings)
    @click.option("--n", "n", type=int, default=None, help="The same as --patients.")
    @workers
    @as_json
    def command(**flags: Any) -> None:
        """Read the flags, make the patients, say where they are."""
        out, many, quiet, number = flags.pop("out"), flags.pop("workers"), flags.pop("as_json"), flags.pop("n")
        if number is not None and flags.get("patients") not in (None, number):
            raise click.UsageError(f"--n {number} and --patients {flags['patients']} say the same thing twice; give one of them.")
        settings = maker.settings.read({"patients": number}, given(flags), source=f"the settings of virtual {name}")
        with listener(quiet=quiet) as progress, pool(many or cores()) as over:
            path = maker.write(settings, out, map=over, progress=progress)
        record = {"out": str(path), "data": "virtual", "settings": settings.as_record(), "warnings": []}
        print_json(record) if quiet else click.echo(f"{path}: a virtual cohort. Next: onclair run {name} --data {path} --out RUN")

    return command


virtual = StudyGroup(
    "virtual",
    make=_command,
    help="Make a cohort of virtual patients with known truth.\n\nonclair virtual STUDY --help shows what may be chosen.",
)
