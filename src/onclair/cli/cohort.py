"""`onclair cohort check` says what is wrong with a cohort; `import` makes one of other files, `export` gives them back, `split` cuts it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json, skip_bad, workers

if TYPE_CHECKING:
    from onclair.io.layouts.bring import Layout, Moved
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


@cohort.command()
@click.argument("directory", type=folder)
@click.option("--by", type=click.Choice(["centre"]), required=True, help="What makes a part: each centre gets a cohort folder of its own.")
@click.option("--out", type=folder, required=True, help="Where the centres' folders go; it must not hold anything yet.")
@as_json
def split(directory: Path, by: str, out: Path, as_json: bool) -> None:
    """Cut a cohort folder into one cohort folder a centre, as hospitals would hold them.

    Tables that centres share lose the rows of other centres' patients; what belongs to nobody in particular stays behind and is named.
    """
    from onclair.cli.terminal import listener
    from onclair.io.layouts.tables_split import split_by_centre

    del by  # there is one way, and the command says which
    with listener(quiet=as_json) as progress:
        done = split_by_centre(directory, out, progress=progress)
    if as_json:
        print_json(done.as_dict())
        return
    for note in done.notes:
        click.echo(f"! {note['text']}")
    for name, patients in done.sites.items():
        click.echo(f"{done.out / name}: {_count(patients, 'patient')}.")


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


_LAYOUTS: dict[Layout, tuple[str, str]] = {
    "nnunet": ("nnU-Net's raw data, version 2", "dataset.json, imagesTr/CASE_0000.nii.gz, labelsTr/CASE.nii.gz"),
    "msd": ("a task of the Medical Segmentation Decathlon", "dataset.json with its list of pairs, imagesTr, labelsTr"),
    "bids": ("BIDS with derivatives", "sub-X/[ses-Y/]ct/..._ct.nii.gz, derivatives/.../..._dseg.nii.gz or _mask.nii.gz"),
}


def _importer(layout: Layout) -> click.Command:
    """Return `onclair cohort import LAYOUT`."""

    @click.argument("directory", type=folder)
    @click.option("--out", type=folder, required=True, help="The cohort folder to write; it must not hold anything yet.")
    @click.option("--patients", type=folder, default=None, help="Table case,patient[,centre]; patients.csv in DIRECTORY where left out.")
    @click.option("--centre", default="", help="The centre of those whose centre no table names.")
    @click.option("--labels-as", default="lesions", show_default=True, help="The kind that label maps get in the cohort.")
    @skip_bad
    @workers
    @as_json
    def command(directory: Path, out: Path, **flags: Any) -> None:
        from onclair.cli.terminal import listener
        from onclair.io.layouts.bring import Whose, import_labelled
        from onclair.run.pool import cores, pool

        quiet, many = flags.pop("as_json"), flags.pop("workers")
        with listener(quiet=quiet) as progress, pool(many or cores()) as over:
            done = import_labelled(directory, out, layout, Whose(**flags), map=over, progress=progress)
        _tell_moved(done, quiet, f"Next: onclair cohort check {done.out}")

    what, files = _LAYOUTS[layout]
    command.__doc__ = f"""Import {what}: {files}.

    Files keep their bytes and their relative path; where the disk allows it, nothing is copied. Every label map is checked against
    its image: its grid, and that each value has a name. Exit code 0: all came, or the rest with --skip-bad; 2: something cannot be used.
    """
    return click.command(layout)(command)


def _exporter(layout: Layout) -> click.Command:
    """Return `onclair cohort export LAYOUT`."""

    @click.argument("directory", type=folder)
    @click.option("--out", type=folder, required=True, help="The folder to write; it must not hold anything yet.")
    @click.option("--image", "images", multiple=True, help="Kind of the images, such as ct; those with a unit where left out.")
    @click.option("--labels", multiple=True, help="Kind of the label maps; those that labels.csv names, or lesions, where left out.")
    @skip_bad
    @workers
    @as_json
    def command(directory: Path, out: Path, **flags: Any) -> None:
        from onclair.cli.terminal import listener
        from onclair.io.layouts.export import Taken, export_cohort
        from onclair.run.pool import cores, pool

        quiet, many = flags.pop("as_json"), flags.pop("workers")
        with listener(quiet=quiet) as progress, pool(many or cores()) as over:
            done = export_cohort(directory, out, layout, Taken(**flags), map=over, progress=progress)
        _tell_moved(done, quiet, "")

    what, files = _LAYOUTS[layout]
    command.__doc__ = f"""Export a cohort folder as {what}: {files}.

    Files keep their bytes; patients and centres go into patients.csv (BIDS: participants.tsv), from where an import takes them back.
    """
    return click.command(layout)(command)


@cohort.group()
def export() -> None:
    """Write a cohort folder in another layout; the cohort stays as it is."""


for _layout in _LAYOUTS:
    import_.add_command(_importer(_layout))
    export.add_command(_exporter(_layout))


def _tell_moved(done: Moved, quiet: bool, what_next: str) -> None:
    """Say what was moved, what was unusual and what was left out."""
    if quiet:
        print_json(done.as_dict())
        return
    kinds = ", ".join(f"{number} {kind}" for kind, number in done.acquisitions.items())
    click.echo(f"{done.out}: {_count(done.cases, 'case')} of {_count(done.patients, 'patient')}, {kinds}.")
    for note in done.notes:
        click.echo(f"! {note['text']}")
    for left in done.left_out:
        click.echo(f"x {left.item} was left out. {left.reason}", err=True)
    if what_next:
        click.echo(what_next)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
