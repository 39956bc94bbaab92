"""`onclair spectra sitelog`: the log of a session's biopsy sites."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, language, print_json

if TYPE_CHECKING:
    from onclair.core.words import Language
    from onclair.run.journal_verify import SiteLogVerification
    from onclair.studies.tasks.spectra_sitelog import Deeds, Told


@click.command()
@click.argument("session", type=folder)
@click.option("--verify", is_flag=True, help="Check every row, frame and sealed answer; exit code 1 when one does not hold.")
@click.option("--head", default=None, help="With --verify: the hash of a mark that was kept elsewhere; it catches a log rewritten whole.")
@click.option("--mark", default=None, metavar="FRAME", help="Mark the measurement that used this frame (a name in events.jsonl) as a site.")
@click.option("--review", type=click.IntRange(min=1), default=None, metavar="SITE", help="Say what you make of the answer at a site.")
@click.option("--action", type=click.Choice(["accept", "modify", "reject"]), default="accept", show_default=True, help="Of the review.")
@click.option("--note", default="", help="Of the mark, or why the answer is modified or rejected.")
@click.option("--by", default="", help="Who marks, reviews, enters or opens.")
@click.option("--pathology", type=folder, default=None, help="Enter what pathology said: a table with site, diagnosis, infiltration, ...")
@click.option("--open", "open_answers", is_flag=True, help="Open the sealed answers of a silent session.")
@click.option("--protocol", "trial", type=folder, default=None, help="Give the opened answers to this trial (onclair protocol).")
@click.option("--export", type=click.Choice(["csv", "slicer", "fhir", "map"]), multiple=True, help="May be given several times.")
@click.option("--out", type=folder, default=None, help="The folder for the exports.")
@click.option("--model", type=folder, default=None, help="The run of the locked model; only --mark in a silent session needs it.")
@language
@as_json
def sitelog(session: Path, verify: bool, head: str | None, as_json: bool, **given: Any) -> None:
    """List the biopsy sites of SESSION; verify, mark, review, enter pathology, open sealed answers, export. Nothing is ever edited."""
    _fitting(verify, head, given)
    if verify:
        from onclair.run.journal_verify import verify_session

        found = verify_session(session, head)
        print_json({"estimates": [], **found.as_dict()}) if as_json else _tell_verified(found)
        sys.exit(0 if found.valid else 1)
    from onclair.studies.tasks.spectra_sitelog import Deeds

    model, lang = given.pop("model"), given.pop("lang")
    done = _done(session, Deeds(**given), model, lang)
    print_json({"estimates": [], **done.as_dict()}) if as_json else _tell(done)


def _fitting(verify: bool, head: str | None, given: dict[str, Any]) -> None:
    """Refuse words that would be passed over in silence: whoever gave them would believe that they were heeded."""
    deeds = ("mark", "review", "pathology", "open_answers", "trial", "export")
    asked = [name.removesuffix("_answers").replace("trial", "protocol") for name in deeds if given[name]]
    if verify and asked:
        raise click.UsageError(f"--verify only looks; give --{asked[0]} in a call of its own. Nothing was logged.")
    if head is not None and not verify:
        raise click.UsageError("--head is checked by --verify alone; give both.")
    if given["note"] and given["mark"] is None and given["review"] is None:
        raise click.UsageError("--note belongs to --mark or --review; give one of them. Nothing was logged.")
    if given["action"] != "accept" and given["review"] is None:
        raise click.UsageError("--action belongs to --review SITE; give the site. Nothing was logged.")


def _done(session: Path, deeds: Deeds, model: Path | None, lang: Language) -> Told:
    from onclair.studies.tasks.spectra_sitelog import keep_log, needs_step

    if not needs_step(session, deeds):
        return keep_log(session, deeds, language=lang)
    from onclair.run.session_folder import read_session
    from onclair.studies.tasks.spectra_session_replay import step_of

    return keep_log(session, deeds, step=step_of(read_session(session), model), language=lang)


def _tell_verified(found: SiteLogVerification) -> None:
    for note in found.notes:
        click.echo(f"Note: {note['text']}")
    if found.valid:
        click.echo(f"Valid: {found.sites} sites in {found.rows} rows, every row, frame, event and link holds.\nHead {found.head}")
        return
    click.echo(f"Not valid: {len(found.problems)} problems.", err=True)
    for problem in found.problems:
        click.echo(f"  {problem.message}", err=True)


def _tell(done: Told) -> None:
    for row in done.rows:
        click.echo(_line(row))
    if not done.rows:
        click.echo("No site is marked in this session.")
    for each in done.monitor:
        if each["departs"]:
            click.echo(f"! {each['name']} of this session is unlike what the model knew (z = {each['z']:.1f}, n = {each['n']}).")
    for export in done.did.get("exports", ()):
        for file in export["files"]:
            click.echo(f"Written: {file['file']}  SHA-256 {file['sha256']}")
    if trial := done.did.get("trial"):
        click.echo(f"{trial['trial']}: {len(trial['cases'])} cases entered, {len(trial['left_out'])} left out, {trial['events']} events.")
    for note in done.notes:
        click.echo(f"Note: {note['text']}", err=True)
    click.echo(f"Head {done.head}")


def _line(row: dict[str, Any]) -> str:
    answer = "sealed" if row["sealed"] else str(row["answer"] or row["blank"] or "no answer").replace("_", " ")
    place = "no place" if row["x_lps_mm"] is None else f"({row['x_lps_mm']:.1f}, {row['y_lps_mm']:.1f}, {row['z_lps_mm']:.1f}) mm LPS"
    said = (row["pathology"] or {}).get("diagnosis") or "pathology awaited"
    note = f"  {row['note']}" if row["note"] else ""
    return f"Site {row['site']:>3}  {answer:<12} {place:<28} {said}{note}"
