"""`onclair cohort check DIR` says what is wrong with a cohort; `onclair cohort import LAYOUT DIR` makes one from other people's files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json, workers

if TYPE_CHECKING:
    from onclair.io.layouts.dicom import Imported


@click.group()
def cohort() -> None:
    """Check cohort folders before anything is computed, and make them from other layouts."""


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


@cohort.group("import")
def import_() -> None:
    """Make a cohort folder from files in another layout; the files themselves stay as they are."""


@import_.command()
@click.argument("directory", type=folder)
@click.option("--out", type=folder, required=True, help="The cohort folder to write; it must not hold anything yet.")
@click.option("--centre", default="", help="The centre of all patients; institutions are numbered when left out.")
@click.option("--centre-from", default="", help="InstitutionName or StationName, written as in the files, or a table patient,centre.")
@click.option("--structure", "structures", multiple=True, help="The outlined structure, * for any letters; repeat for other spellings.")
@click.option("--series", multiple=True, help="SeriesInstanceUID to take where a visit has several of a kind; may be repeated.")
@click.option("--description", default="", help="Text in the description of the series to take, for the same.")
@click.option("--onto", type=click.Choice(["pet", "ct", "mr"]), default=None, help="Lay outlines on this image, not on the one drawn on.")
@click.option("--suv", type=click.Choice(["bw", "lbm", "bsa"]), default="bw", show_default=True, help="What SUV is normalised by.")
@click.option("--secret", type=folder, default=None, help="File whose bytes make the pseudonyms: the same in every import.")
@click.option("--key", type=folder, default=None, help="Write who is who here, outside of the cohort, readable by you alone.")
@workers
@as_json
def dicom(directory: Path, out: Path, **flags: Any) -> None:
    """Import a tree of DICOM studies: PET (in SUV), CT and MR series as NIfTI, RTSTRUCT and SEG as masks.

    No name, number, date or UID of a patient enters the cohort. What cannot be used is left out and listed with its reason.
    Exit code 0 when at least one image was imported, 2 when nothing could be.
    """
    from onclair.cli.terminal import listener
    from onclair.io.layouts.dicom import Choice, import_dicom, key_place, write_key
    from onclair.run.pool import cores, pool

    quiet, many, key = flags.pop("as_json"), flags.pop("workers"), flags.pop("key")
    if key is not None:
        key_place(key, out)  # before hours of work
    choice = Choice(pet=flags.pop("suv"), onto=flags.pop("onto") or "", **flags)
    with listener(quiet=quiet) as progress, pool(many or cores()) as over:
        done = import_dicom(directory, out, choice, map=over, progress=progress)
    if key is not None:
        write_key(done, key)
    print_json(done.as_dict()) if quiet else _tell_import(done)


def _tell_import(done: Imported) -> None:
    """Say what was imported, what was unusual and what was left out."""
    kinds = ", ".join(f"{number} {kind}" for kind, number in done.acquisitions.items())
    click.echo(f"{done.out}: {_count(done.patients, 'patient')}, {_count(done.visits, 'visit')}, {kinds}.")
    for note in done.notes:
        click.echo(f"! {note['patient'] + ': ' if note['patient'] else ''}{note['text']}")
    for left in done.left_out:
        click.echo(f"x {left.patient + ': ' if left.patient else ''}{left.item} was left out. {left.reason}", err=True)
    click.echo(f"Next: enter outcomes in {done.out / 'outcomes.csv'}, declare them in cohort.toml, then onclair cohort check {done.out}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
