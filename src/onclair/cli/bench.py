"""`onclair bench NAME`: CPU seconds and memory in fresh processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from onclair.cli.options import as_json, folder, print_json, workers

if TYPE_CHECKING:
    from onclair.run.bench_validate import TaskTiming

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
@click.option("--task", "tasks", multiple=True, help="Time this task alone; may be given again. All when left out.")
@click.option("--peer-home", type=folder, default=None, help="Environments of peers: HOME/statistics/bin/python.")
@as_json
def validate(tasks: tuple[str, ...], peer_home: Path | None, as_json: bool) -> None:
    """Time the statistics core: bootstraps, concordance, decision curve, a million rows; Onclair beside its peers, one thread."""
    from onclair.run.bench_validate import bench_validate

    found = []
    for task in bench_validate(peer_home, tasks):
        found.append(task)
        if not as_json:
            click.echo(f"{task.name}: done", err=True)
    if as_json:
        print_json({"tasks": [task.as_dict() for task in found], "warnings": []})
        return
    _show_tasks(found)


@bench.command()
@click.option("--cohorts", type=click.IntRange(min=2), default=500, show_default=True, help="Virtual cohorts of each setting.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of every random choice.")
@click.option("--setting", "settings", multiple=True, help="Draw this kind of cohort alone; may be given again. All when left out.")
@workers
@as_json
def coverage(cohorts: int, seed: int, settings: tuple[str, ...], workers: int | None, as_json: bool) -> None:
    """Ask virtual cohorts with known truth how often each interval holds it, clustered and naive; audit pure noise."""
    from onclair.cli.terminal import listener
    from onclair.run.coverage import coverage as measure
    from onclair.run.pool import cores, pool

    with listener(quiet=as_json) as progress, pool(workers or cores()) as over:
        found = measure(cohorts, seed, only=settings, map=over, progress=progress)
    if as_json:
        print_json({"estimates": [estimate.as_dict() for estimate in found], "cohorts": cohorts, "seed": seed, "warnings": []})
        return
    table = Table("figure", "value", "Monte Carlo, 95 %", "cohorts", title="How often intervals hold the truth; virtual cohorts")
    for estimate in found:
        ends = "-" if estimate.low is None or estimate.high is None else f"{estimate.low:.3f} to {estimate.high:.3f}"
        table.add_row(estimate.name, estimate.reason if estimate.value is None else f"{estimate.value:.3f}", ends, str(estimate.n))
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


def _show_tasks(tasks: list[TaskTiming]) -> None:
    """Print each task, its peers below it."""
    table = Table("task", "tool", "CPU s", "at most", "compile s", "MB", "bounds", title="CPU seconds of the call alone, and peak memory")
    for task in tasks:
        held = {None: task.reason or "", True: "hold", False: "do not hold"}[task.holds]
        table.add_row(task.name, "onclair", *(_short(f) for f in (task.cpu_s, task.bound_s, task.compile_s, task.peak_mb)), held)
        for peer in task.peers:
            said = peer.reason or peer.status if peer.status != "ok" else peer.what + (", extrapolated" if peer.extrapolated else "")
            table.add_row("", f"{peer.name} {peer.version}".strip(), _short(peer.cpu_s), "", "", _short(peer.peak_mb), said)
    Console().print(table)


def _figure(value: float | int | None) -> str:
    return "" if value is None else f"{value}" if isinstance(value, int) else f"{value:.2f}"


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
