"""`onclair spectra convert`: instruments' files into tables of spectra."""

from __future__ import annotations

from pathlib import Path

import click

from onclair.cli.options import as_json, folder, print_json, skip_bad


@click.command()
@click.argument("files", type=folder, nargs=-1, required=True, metavar="FILE...")
@click.option("--out", type=folder, required=True, help="The folder of the tables, one a file; nothing that lies there is replaced.")
@click.option("--calibration", type=folder, default=None, help="Of the spectrometer: the tables then hold corrected wavelengths.")
@skip_bad
@as_json
def convert(files: tuple[Path, ...], out: Path, calibration: Path | None, skip_bad: bool, as_json: bool) -> None:
    """Convert files of spectrometers into tables: wavelength_nm and a column for processed, sample, dark and reference.

    Reads text, ProcSpec and Jaz of Ocean Optics, text, TRM and Raw8 of Avantes, JCAMP-DX, SPC and plain tables; what a file holds decides,
    then its name. Nothing is written unless every file is good, or --skip-bad is given.
    """
    from onclair.io.spectra.calibration import read_calibration
    from onclair.studies.tasks.spectra_convert import convert_files

    known = None if calibration is None else read_calibration(calibration)
    done = convert_files(files, out, skip_bad=skip_bad, calibration=known)
    if as_json:
        print_json({"estimates": [], "warnings": [], **done.as_dict()})
        return
    for given, table, file in done.files:
        first = file.recordings[0]
        said = f"{len(first.values)} pixels, {first.wavelength_nm[0]:.2f} to {first.wavelength_nm[-1]:.2f} nm"
        said += f", {first.integration_ms:g} ms" if first.integration_ms is not None else ""
        click.echo(f"{given} ({file.reader}): {', '.join(each.role for each in file.recordings)}; {said}. Written: {table}")
        for warning in file.warnings:
            click.echo(f"note: {warning['text']}", err=True)
    for given, reason in done.skipped:
        click.echo(f"left out: {given}: {reason}", err=True)
