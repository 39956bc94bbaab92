"""`onclair spectra daily`: the daily standard, its log and its charts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json

if TYPE_CHECKING:
    from onclair.studies.tasks.spectra_daily import Daily

#: What to do about each figure that drifts.
_DO = {
    "peak_nm": "calibrate the wavelengths by a lamp",
    "gain": "clean the probe, look at lamp and fibre, and measure the standard again",
    "dark": "look for stray light and at the detector's temperature",
}


@click.command()
@click.argument("log", type=folder)
@click.argument("measured", type=folder, required=False, default=None)
@click.option("--about", type=folder, default=None, help="What describes MEASURED where it is a table.")
@click.option("--calibration", type=folder, default=None, help="Of the spectrometer; its wavelengths are corrected first.")
@click.option("--by", default="", help="Who measured, or who put right what the alarm found.")
@click.option("--note", default="", help="Any words; with --restart what was put right.")
@click.option("--restart", is_flag=True, help="Begin the sums anew, once the cause of an alarm was put right.")
@click.option("--reference-days", type=click.IntRange(min=10), default=None, help="First days to chart against; 20. Locked with the first.")
@click.option("--peak-nm", type=click.FloatRange(150, 2600), default=None, help="Where the standard peaks; 634. Locked with the first day.")
@as_json
def daily(log: Path, measured: Path | None, as_json: bool, **given: Any) -> None:
    """Enter today's standard, MEASURED, into LOG and say whether the instrument drifts; without MEASURED only look.

    MEASURED is a session's folder, a table with --about, or an instrument's file. A CUSUM (k 0.5, h 5; one false alarm in about 465 good
    days) watches peak, gain and dark level. Exit code 1 from an alarm on, until --restart says that its cause was put right.
    """
    from onclair.studies.tasks.spectra_daily import Asked
    from onclair.studies.tasks.spectra_daily import daily as entered

    done = entered(Asked(log, measured, **given))
    print_json(done.as_dict()) if as_json else _tell(done)
    sys.exit(1 if done.status == "alarm" else 0)


def _tell(done: Daily) -> None:
    if done.entered is not None:
        day = done.entered
        counted = "1 frame" if day["frames"] == 1 else f"{day['frames']} frames"
        said = f"peak {day['peak_nm']:.3f} nm, gain {day['gain']:.4g} counts a ms, dark {day['dark']:.2f} counts"
        click.echo(f"Day {len(done.days)}: {said} ({day['file']}, {counted}).")
    if done.status == "reference":
        click.echo(f"Reference: {len(done.days)} of {done.reference} days. The charts begin when it is whole.")
    for name, chart in done.charted.items():
        up, down = (f"{sums[-1]:.2f}" if sums else "0.00" for sums in (chart.up, chart.down))
        click.echo(f"{name:<8} up {up}, down {down} of {chart.limit:g}")
    for name, days in done.alarms.items():
        told = ", ".join(map(str, days))
        click.echo(f"Alarm: {name} drifted, day {told}: {_DO[name]}, then log it with --restart --by WHO --note WHAT.", err=True)
    for warning in done.warnings:
        click.echo(f"note: {warning['text']}", err=True)
    if done.status == "in_control":
        click.echo("In control.")
    click.echo(f"Head {done.head}")
