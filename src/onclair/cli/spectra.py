"""`onclair spectra`: what only the study of spectra has."""

from __future__ import annotations

import click

from onclair.cli.lazy import Commands, LazyGroup

COMMANDS: Commands = {
    "calibrate": ("onclair.cli.spectra_calibrate:calibrate", "Calibrate a spectrometer: wavelengths, colour, dark level, contact."),
    "daily": ("onclair.cli.spectra_daily:daily", "Enter the daily standard and see whether the instrument drifts."),
    "convert": ("onclair.cli.spectra_convert:convert", "Convert spectrometers' files of any make into tables of spectra."),
    "unmix": ("onclair.cli.spectra_unmix:unmix", "Unmix spectra into amounts of fluorophores with standard errors."),
    "live": (
        "onclair.cli.spectra_live:live",
        "Run a session at the bedside: with an instrument, a publisher or a simulation.",
    ),
    "sitelog": ("onclair.cli.spectra_sitelog:sitelog", "List, verify and export a session's biopsy sites; enter pathology."),
    "replay": ("onclair.cli.spectra_replay:replay", "Recompute a session's sites from its stored frames."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def spectra() -> None:
    """Calibrate and read spectrometers, unmix fluorescence, run a session, and keep its log."""
