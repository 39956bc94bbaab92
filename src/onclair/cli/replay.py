"""`onclair replay RUN`: run it again and compare."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onclair.cli.options import as_json, folder, print_json, workers

if TYPE_CHECKING:
    from onclair.run.compared import Replay


@click.command()
@click.argument("run", type=folder)
@click.option("--data", type=folder, default=None, help="The cohort folder or table, where it is no longer where the run left it.")
@click.option("--external", type=folder, default=None, help="An audit's external cohort.")
@click.option("--allow-code", is_flag=True, help="Let an audit's torch module be imported: code that its author wrote.")
@workers
@as_json
def replay(run: Path, data: Path | None, external: Path | None, allow_code: bool, workers: int | None, as_json: bool) -> None:
    """Run a run again from its data and compare the hashes.

    Exit code 0 when every record comes out with the same hash, 1 when one differs.
    """
    from onclair.run.store import read_seal

    kind = read_seal(run).facts.get("kind")
    if kind == "validation":
        found = _validation(run, data, workers)
    elif kind == "audit":
        found = _audit(run, data, external, workers, allow_code=allow_code)
    else:
        found = _study(run, data, workers, quiet=as_json)
    if as_json:
        print_json(found.as_dict())
    elif found.equal:
        click.echo(f"Equal: {found.records} records came out with the same hashes. Seal {found.seal}")
    else:
        click.echo(f"Different: {len(found.different)} of {found.records} records.", err=True)
        for item in found.different:
            click.echo(f"  {item['record']}: {item['what']}", err=True)
    sys.exit(0 if found.equal else 1)


def _study(run: Path, data: Path | None, workers: int | None, *, quiet: bool) -> Replay:
    from onclair.cli.terminal import listener
    from onclair.report.files import report_files
    from onclair.run.engine import Job
    from onclair.run.pool import cores
    from onclair.run.replay import data_of
    from onclair.run.replay import replay as do_again
    from onclair.run.store import study_of
    from onclair.studies import load

    study = load(study_of(run))
    with listener(quiet=quiet) as progress:
        job = Job(study, study.settings(), data_of(run, data), run, report_files, workers or cores(), progress=progress)
        return do_again(run, study, job)


def _audit(run: Path, data: Path | None, external: Path | None, workers: int | None, *, allow_code: bool) -> Replay:
    from onclair.run.pool import cores
    from onclair.studies.tasks.radiomics_audit import replay_audit

    return replay_audit(run, data=data, external=external, workers=workers or cores(), allow_code=allow_code)


def _validation(run: Path, data: Path | None, workers: int | None) -> Replay:
    from onclair.report.files import report_files
    from onclair.run.pool import cores
    from onclair.run.validation import replay_validation

    return replay_validation(run, report_files, predictions=data, workers=workers or cores())
