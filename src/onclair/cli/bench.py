"""`onclair bench NAME`: CPU seconds and memory in fresh processes."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from onclair.cli.options import as_json, folder, print_json


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


def _figure(value: float | int | None) -> str:
    return "" if value is None else f"{value}" if isinstance(value, int) else f"{value:.2f}"
