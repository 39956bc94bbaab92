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
@workers
@as_json
def replay(run: Path, data: Path | None, workers: int | None, as_json: bool) -> None:
    """Run a run again from its data and compare the hashes.

    Exit code 0 when every record comes out with the same hash, 1 when one differs.
    """
    from onclair.run.validation import is_validation

    found = _validation(run, data, workers) if is_validation(run) else _study(run, data, workers, quiet=as_json)
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


def _validation(run: Path, data: Path | None, workers: int | None) -> Replay:
    from onclair.report.files import report_files
    from onclair.run.pool import cores
    from onclair.run.validation import replay_validation

    return replay_validation(run, report_files, predictions=data, workers=workers or cores())
