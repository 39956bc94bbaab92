"""`onclair cohort check DIR`: what is wrong with a cohort, before anything is computed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from onclair.cli.options import as_json, folder, print_json


@click.group()
def cohort() -> None:
    """Check cohort folders before anything is computed."""


@cohort.command()
@click.argument("directory", type=folder)
@click.option("--study", default=None, help="Check what this study needs: its files are opened, its outcome looked at.")
@click.option("--outcome", default=None, help="The outcome column, where the cohort has several.")
@as_json
def check(directory: Path, study: str | None, outcome: str | None, as_json: bool) -> None:
    """Say what is wrong with a cohort folder: tables, files, and with --study every patient's files.

    Exit code 0 when all patients can be used, 1 when some cannot (they are listed), 2 when the folder as a whole cannot.
    """
    from onclair.run.checking import check_for
    from onclair.studies import load

    found = check_for(directory, load(study) if study else None, outcome)
    if as_json:
        print_json(found.as_dict())
    else:
        events = "" if found.events is None else f", {_count(found.events, 'event')}"
        click.echo(f"{directory}: {_count(found.patients, 'patient')} in {_count(len(found.centres), 'centre')}{events}.")
        for note in found.warnings:
            click.echo(f"! {note['text']}")
        for problem in found.problems:
            click.echo(f"x {problem['message']}", err=True)
        if found.valid:
            click.echo("Every patient can be used.")
    sys.exit(0 if found.valid else 1)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
