"""What a person sees in the terminal: one bar a stage, then the table of estimates, the report and the next command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from onclair.core.progress import Listener, Progress, silent
from onclair.core.words import Language
from onclair.report.terminal import show_estimates
from onclair.report.words import in_words, say, warning_text

if TYPE_CHECKING:
    from onclair.run.engine import Result


#: What the terminal shows; the report shows all.
HEADLINE = ("auc:", "p:", "spearman:", "brier:", "o_e:model", "slope:model", "coverage:", "share:")


@contextmanager
def listener(*, quiet: bool = False) -> Iterator[Listener]:
    """Give a listener: bars on a terminal, one plain line a stage when piped, nothing when `quiet`."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with _bars() as show:
            yield show
    else:
        yield _Lines()


@contextmanager
def _bars() -> Iterator[Listener]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[item]}"),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=Console(stderr=True), transient=False) as bars:

        def show(event: Progress) -> None:
            if event.stage not in tasks:
                tasks[event.stage] = bars.add_task(event.stage, total=event.total, item="")
            bars.update(tasks[event.stage], completed=event.done, total=event.total, item=event.item)

        yield show


class _Lines:
    """One plain line when a stage ends."""

    def __call__(self, event: Progress) -> None:
        if event.done == event.total:
            click.echo(f"{event.stage}: {event.done} {event.unit}", err=True)


def show_result(result: Result, lang: str) -> None:
    """Print the table of estimates, the warnings, the report's path and the next command, in the reader's language."""
    from onclair.cli.run import report_path

    claim, language = result.claim, _language(lang)
    shown = [e for e in claim.estimates if e.name.startswith(HEADLINE)]
    show_estimates(Console(), shown, language, facts=claim.facts)
    more = len(claim.estimates) - len(shown)
    if more:
        click.echo(say("more-in-report-one" if more == 1 else "more-in-report", language, count=more))
    for warning in claim.warnings:
        click.echo(f"! {warning_text(warning, language)}")
    for left in claim.facts["left_out"]:
        click.echo(f"! {say('was-left-out', language, patient=left['patient'], reason=in_words(str(left['reason']), language))}")
    click.echo(say("described", language, computed=result.computed, reused=result.reused))
    ends = {"evidence": claim.id, "report": report_path(result, lang), "next": f"onclair verify {result.report.parent.parent}"}
    wide = max(len(say(key, language)) for key in ends)
    for key, what in ends.items():
        click.echo(f"{say(key, language).ljust(wide)} {what}")


def _language(lang: str) -> Language:
    return "fr" if lang == "fr" else "en"
