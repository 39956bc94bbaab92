"""`onclair bench NAME`: CPU seconds and memory in fresh processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from onclair.cli.options import as_json, folder, print_json, workers
from onclair.core.errors import BadSetting

if TYPE_CHECKING:
    from onclair.run.bench_validate import TaskTiming
    from onclair.studies.tasks.radiomics_bench import Benchmark
    from onclair.studies.tasks.spectra_bench import SpectraBenchmark

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
@click.option("--peers", default=None, metavar="LIST", help="Of pyradiomics,mirp,flash-radiomics,pictologics; all when left out.")
@click.option("--peer-home", type=folder, default=None, help="Environments of peers: HOME/mirp/bin/python.")
@click.option("--install-peers", is_flag=True, help="Make those environments first, where they are not there.")
@click.option("--cases", default=None, metavar="LIST", help="Of ct,pet,filters,cube; all when left out.")
@as_json
def radiomics(
    reference_data: Path | None, peers: str | None, peer_home: Path | None, install_peers: bool, cases: str | None, as_json: bool
) -> None:
    """Features from file to table: Onclair beside its peers, each in processes of its own, one thread."""
    from onclair.studies.tasks.radiomics_bench import CASES, chosen, installed
    from onclair.studies.tasks.radiomics_bench import bench as measure
    from onclair.studies.tasks.radiomics_bench_programs import PEERS

    names, wanted = chosen(peers, PEERS, "peer"), chosen(cases, CASES, "case")
    absent = installed(names, _home(peer_home)) if install_peers else {}
    found = measure(reference_data, peer_home, peers=names, cases=wanted, absent=absent)
    if as_json:
        print_json({**found.as_dict(), "warnings": []})
        return
    _show_runs(found)


@bench.command()
@click.option("--peers", default=None, metavar="LIST", help="Of pyradiomics,mirp,flash-radiomics,pictologics; all when left out.")
@click.option("--peer-home", type=folder, default=None, help="Where to make them: HOME/mirp/bin/python.")
@as_json
def peers(peers: str | None, peer_home: Path | None, as_json: bool) -> None:
    """Make the environments of the peers of `bench radiomics`, each its own, and say which could not be made."""
    from onclair.studies.tasks.radiomics_bench import chosen, installed
    from onclair.studies.tasks.radiomics_bench_programs import PEERS

    home = _home(peer_home)
    found = {name: installed([name], home)[name] for name in chosen(peers, PEERS, "peer")}
    if as_json:
        print_json({"peers": [{"tool": name, "installed": why is None, "reason": why} for name, why in found.items()], "warnings": []})
        return
    for name, why in found.items():
        click.echo(f"{name}: {home / name}" if why is None else f"{name}: not installed ({why})")


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
@click.option("--parts", default=None, metavar="LIST", help="Of chain,classifiers,accuracy,gates,preprocessing,live; all when left out.")
@click.option("--measurements", type=click.IntRange(min=1), default=200, show_default=True, help="Measurements that are timed.")
@click.option("--patients", type=click.IntRange(min=2), default=100, show_default=True, help="Whose amounts are compared with the truth.")
@click.option("--faulty", type=click.IntRange(min=1), default=102, show_default=True, help="Points that each fault is judged on.")
@click.option("--seed", type=click.IntRange(min=0), default=20_261, show_default=True, help="Seed of every virtual point.")
@as_json
def spectra(parts: str | None, measurements: int, patients: int, faulty: int, seed: int, as_json: bool) -> None:
    """Spectra: CPU time of the chain, amounts beside other solvers, abstention under faults, all on virtual points, one thread."""
    from onclair.cli.terminal import listener
    from onclair.studies.tasks.radiomics_bench import chosen
    from onclair.studies.tasks.spectra_bench import PARTS, Size
    from onclair.studies.tasks.spectra_bench import bench as measure

    wanted = chosen(parts, PARTS, "part")
    with listener(quiet=as_json) as progress:
        size = Size(measurements=measurements, patients=patients, faulty=faulty, seed=seed)
        found = measure(wanted, size, progress)
    if as_json:
        print_json(found.as_dict())
        return
    _show_spectra(found)


@bench.command()
@click.option("--data", type=folder, required=True, help="The folder with torso_ct/example_ct.nii.gz.")
@click.option("--model", type=folder, default=None, help="A network folder of bone train; the demonstration's when left out.")
@as_json
def bone(data: Path, model: Path | None, as_json: bool) -> None:
    """Bone: the network over a real scan beside torch over every tile, and the memory of a whole body, one thread."""
    from onclair.studies.tasks.bone_bench import bench as measure

    found = measure(data, model)
    if as_json:
        print_json(found.as_dict())
        return
    for each in found.estimates:
        said = each.reason if each.value is None else f"{each.value:.4g}{'' if each.unit == '1' else ' ' + each.unit}"
        verdict = {None: "not measured", True: "holds", False: "does not hold"}[found.holds(each.name)]
        click.echo(f"{each.name}: {said}; the bound {verdict}")


@bench.command()
@click.option("--data", type=folder, required=True, help="The folder with fe_reference/.")
@click.option("--peer", default="parosol-py", show_default=True, metavar="NAME", help="parosol-py, in a process of its own, or none.")
@click.option("--peer-home", type=folder, default=None, help="Environments of peers: HOME/parosol/bin/python; .venv-peers when left out.")
@as_json
def fe(data: Path, peer: str, peer_home: Path | None, as_json: bool) -> None:
    """Finite elements: CPU seconds, memory and iterations on a cube, a tibia and a vertebra, beside a peer, one thread."""
    from onclair.cli.terminal import listener
    from onclair.studies.tasks.bone_fe_bench import bench as measure

    with listener(quiet=as_json) as progress:
        found = measure(data, peer, peer_home or Path(".venv-peers"), progress=progress)
    if as_json:
        print_json(found.as_dict())
        return
    table = Table("case", "engine", "CPU s", "wall s", "GB", "iterations", "reaction N", title="Finite elements to a residual of 1e-6")
    for row in found.cases:
        for engine, said in (("onclair", row["ours"]), (row["peer"]["name"], row["peer"])):
            keys = ("cpu_s", "wall_s", "peak_gb", "iterations", "reaction_N")
            table.add_row(row["name"], engine, *([said["reason"]] if "reason" in said else [f"{said[key]:.5g}" for key in keys]))
    Console().print(table)
    for each in found.estimates:
        verdict = {None: "", True: "; the bound holds", False: "; the bound does not hold"}[found.holds(each.name)]
        click.echo(f"{each.name}: {each.reason if each.value is None else f'{each.value:.4g}'}{verdict}")


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


def _show_spectra(found: SpectraBenchmark) -> None:
    """Print every figure, then the bounds, the preprocessing and what the figures are of."""
    table = Table("figure", "value", "95 %", "n", title="The spectra chain, on virtual points")
    for each in found.estimates:
        ends = "" if each.low is None or each.high is None else f"{each.low:.3g} to {each.high:.3g}"
        unit = "" if each.unit == "1" else f" {each.unit}"
        value = each.reason if each.value is None else f"{each.value:.4g}{unit}"
        table.add_row(each.name, value, ends, "" if each.n is None else str(each.n))
    Console().print(table)
    for row in found.peers:
        said = row["reason"] if row["cpu_ms"] is None else f"{row['cpu_ms']:.3g} CPU ms a spectrum"
        click.echo(f"{row['task']}, {row['tool']} {row['version']}".rstrip() + f": {said}")
    for bound in found.bounds:
        limit = f"at most {bound.at_most:g}" if bound.at_least is None else f"at least {bound.at_least:g}"
        of = f" of {bound.share_of}" if bound.share_of else ""
        verdict = {None: "not measured", True: "holds", False: "does not hold"}[bound.holds]
        click.echo(f"{bound.figure}, {limit}{of}: {verdict}")
    for text in found.as_dict()["conditions"]["unmix"], found.as_dict()["conditions"]["abstain"]:
        click.echo(text)


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


def _home(given: Path | None) -> Path:
    """Return the folder that peers are installed in, or ask for one."""
    if given is None:
        raise BadSetting(
            "Peers are installed in a folder of environments, and none was given; name one after --peer-home.", item="peer_home"
        )
    return given


def _show_runs(found: Benchmark) -> None:
    """Print a row for each run, then how far the peers agree."""
    titles = ("tool", "case", "scope", "outputs", "import s", "first s", "warm s", "process s", "MB")
    table = Table(*titles, title="CPU seconds and peak memory")
    for row in found.runs:
        figures = [row.outputs, row.import_cpu_s, row.first_cpu_s, row.warm_cpu_s, row.process_cpu_s, row.rss_mb]
        said = [row.reason or row.status] if row.status != "ok" else [_figure(f) for f in figures]
        table.add_row(f"{row.tool} {row.version}", row.case, row.scope, *said)
    Console().print(table)
    for each in found.agreements:
        worst = "" if each.largest is None else f", at most {each.largest:.2g} apart ({each.tag})"
        click.echo(f"{each.tool}, {each.case}: {each.alike} of {each.shared} shared features alike{worst}")
    if found.first_ever_cpu_s is not None:
        click.echo(f"first call ever, kernels compiled: {found.first_ever_cpu_s:.1f} CPU seconds")


def _figure(value: float | int | None) -> str:
    return "" if value is None else f"{value}" if isinstance(value, int) else f"{value:.2f}"


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
