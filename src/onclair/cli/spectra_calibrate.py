"""`onclair spectra calibrate`: what is known of one spectrometer, in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json

if TYPE_CHECKING:
    from onclair.io.spectra.calibration import Calibration


@click.command()
@click.option("--lamp", type=folder, default=None, help="A lamp of lines: its instrument's file, or a session's folder.")
@click.option("--lines", default="hg-ar", show_default=True, help="Of that lamp: hg-ar, hg, ar, kr, ne, or nm in air; commas between.")
@click.option("--bright", type=folder, default=None, help="A lamp of known colour, or the white target under it.")
@click.option("--certificate", type=folder, default=None, help="Its colour: wavelength_nm, photons or energy a nm, relative_error.")
@click.option("--white", type=folder, default=None, help="The white standard under the probe's own white light: a file or a session.")
@click.option("--dark", type=folder, default=None, help="Frames without light; the lamp-off frames of the others when left out.")
@click.option("--contact", type=folder, default=None, help="The probe on tissue or a phantom: a session, or a table with --about.")
@click.option("--about", type=folder, default=None, help="What describes --contact where it is a table.")
@click.option("--serial", default=None, help="Of the spectrometer, where what was measured does not say.")
@click.option("--settings-id", default=None, help="Of the settings, where what was measured does not say.")
@click.option("--integration-ms", type=click.FloatRange(min=0, min_open=True), default=None, help="Of --white, where it does not say.")
@click.option("--nonlinearity", default=None, help="Of the detector, c0,c1,...: counts are divided by c0 + c1 counts + ...")
@click.option("--out", type=folder, required=True, help="The file to write; one that is there is never written over.")
@as_json
def calibrate(as_json: bool, nonlinearity: str | None, **given: Any) -> None:
    """Calibrate a spectrometer: wavelengths by a lamp's lines, colour by a certified source, the dark level, the usual light in contact.

    Give instruments' files or sessions, any part alone. `live`, `unmix` and `convert` take the file after --calibration and refuse it for
    another spectrometer. With --contact, a probe that does not touch is told from one that does.
    """
    from onclair.studies.tasks.spectra_calibrate import Asked
    from onclair.studies.tasks.spectra_calibrate import calibrate as made

    done = made(Asked(**given, nonlinearity=_numbers(nonlinearity)))
    if as_json:
        print_json(done.as_dict())
        return
    for line in _lines(done.calibration):
        click.echo(line)
    for warning in done.warnings:
        click.echo(f"note: {warning['text']}", err=True)
    click.echo(f"Written: {done.file}  SHA-256 {done.calibration.sha256}")


def _numbers(text: str | None) -> tuple[float, ...]:
    try:
        return () if text is None else tuple(float(part) for part in text.split(","))
    except ValueError:
        raise click.UsageError(f"--nonlinearity is '{text}'; give numbers with commas between, such as 1.0,-2e-6.") from None


def _lines(made: Calibration) -> list[str]:
    """Return what was found, a line a part."""
    wave, dark, usual = made.wavelength, made.dark, made.usual
    settings = f", settings {made.settings_id}" if made.settings_id else ""
    told = [f"Spectrometer {made.serial or 'without a serial number'}: {made.axis}{settings}."]
    if wave:
        left = f"; left out: {', '.join(f'{each:g}' for each in wave['left_out_nm'])} nm" if wave["left_out_nm"] else ""
        said = f"{len(wave['lines'])} lines, residual {wave['residual_rms_nm']:.3f} nm RMS"
        told.append(f"Wavelengths: {said}, were off by {wave['mean_shift_nm']:+.3f} nm on average{left}.")
    if made.response is not None:
        told.append(f"Colour: known at {int((made.response[0] > 0).sum())} of {made.axis.pixels} pixels.")
    if made.white_standard is not None:
        told.append(f"White standard: {float(made.white_standard.max()):.4g} counts a ms at its brightest.")
    if dark:
        time = f" in {dark['integration_ms']:g} ms" if dark["integration_ms"] else ""
        counted = "1 frame" if dark["frames"] == 1 else f"{dark['frames']} frames"
        told.append(f"Dark: {dark['level_counts']:.1f} counts{time}, from {counted} ({dark['of']}).")
    if usual:
        levels = [f"{name} {usual[name]:.4g}" for name in ("white", "fluorescence") if usual[name] is not None]
        told.append(f"In contact: {', '.join(levels)} counts a ms, from {usual['measurements']} of {usual['of']} measurements.")
    return told
