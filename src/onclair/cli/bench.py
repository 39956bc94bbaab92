"""`onclair bench NAME`: CPU seconds and memory in fresh processes."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from onclair.cli.options import as_json, folder, print_json

#: Shows the help, then says how many commands there are.
_HELP = """
import json
from onclair.cli.main import COMMANDS, cli
try:
    cli.main(["--help"])
except SystemExit:
    print(json.dumps({"commands": len(COMMANDS)}))
"""


@click.group()
def bench() -> None:
    """Measure CPU seconds and memory in fresh processes, beside installed peers."""


@bench.command()
@click.option("--reference-data", type=folder, default=None, help="The folder with ibsi1/ and sts_pet/; virtual PET when left out.")
@click.option("--peer-home", type=folder, default=None, help="Environments of peers: HOME/pyradiomics/bin/python.")
@as_json
def radiomics(reference_data: Path | None, peer_home: Path | None, as_json: bool) -> None:
    """Features from file to table: Onclair beside PyRadiomics, each in a process of its own, one thread."""
    from onclair.studies.tasks.radiomics_bench import bench as measure

    rows = measure(reference_data, peer_home)
    if as_json:
        print_json({"runs": [row.as_dict() for row in rows], "warnings": []})
        return
    table = Table(
        "tool", "case", "scope", "outputs", "import s", "first s", "warm s", "process s", "MB", title="CPU seconds and peak memory"
    )
    for row in rows:
        figures = [row.outputs, row.import_cpu_s, row.first_cpu_s, row.warm_cpu_s, row.process_cpu_s, row.rss_mb]
        table.add_row(
            f"{row.tool} {row.version}",
            row.case,
            row.scope,
            *([row.reason or row.status] if row.status != "ok" else [_figure(f) for f in figures]),
        )
    Console().print(table)


@bench.command()
@as_json
def start(as_json: bool) -> None:
    """Measure what it costs to start: `onclair --help` in a process of its own."""
    import sys

    from onclair import __version__
    from onclair.run.bench import Timing, measured

    said, cpu_s, rss_mb = measured([sys.executable, "-c", _HELP])
    row = Timing("onclair", "help", __version__, "all", int(said["commands"]), process_cpu_s=round(cpu_s, 3), rss_mb=round(rss_mb, 1))
    if as_json:
        print_json({"runs": [row.as_dict()], "warnings": []})
    else:
        click.echo(f"onclair --help: {row.process_cpu_s:.2f} CPU seconds, {row.rss_mb:.0f} MB")


def _figure(value: float | int | None) -> str:
    return "" if value is None else f"{value}" if isinstance(value, int) else f"{value:.2f}"
