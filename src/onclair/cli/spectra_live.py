"""`onclair spectra live`: a session at the bedside, or its rehearsal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, print_json

if TYPE_CHECKING:
    from onclair.run.live_stream import Bounded, Event, Stream


@click.command()
@click.option("--source", type=click.Choice(["simulated", "seabreeze", "igtl", "replay"]), required=True, help="Where frames come from.")
@click.option("--session", type=folder, required=True, help="The session's folder: new, and never used again.")
@click.option("--recording", type=folder, default=None, help="With --source replay: the session that is replayed; else --session itself.")
@click.option("--host", default=None, help="Of the publisher, or of a spectrometer on the network.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="Of the same; 18944 for OpenIGTLink.")
@click.option("--model", type=folder, default=None, help="A run whose locked model answers; a fixed rule answers without.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=None, help="How long; until it is stopped when left out.")
@click.option("--rate-hz", type=click.FloatRange(min=0, min_open=True), default=None, help="Measurements judged a second, at most.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the simulated instrument.")
@click.option("--script", type=folder, default=None, help="What happens when: a JSON list of {at_s, do, for_s|value|note|by}.")
@click.option("--publish", type=click.IntRange(0, 65535), default=None, help="Publish frames over OpenIGTLink on this port; 0 for any.")
@click.option("--silent", is_flag=True, help="Seal the answers until pathology is in.")
@click.option("--plan", type=folder, default=None, help="The plan of the silent phase.")
@as_json
def live(as_json: bool, **given: Any) -> None:
    """Answer, measurement by measurement, what the probe touches: suspect, not suspect, cannot tell, or nothing with the reason.

    Events go to SESSION/events.jsonl, frames below SESSION/frames, marked sites to SESSION/sites.jsonl. The answer goes within half a
    second when the instrument falls silent, its settings change, the detector is full, a quality gate shuts or the tracker loses the probe.
    """
    from onclair.studies.tasks.spectra_live import Asked, run_live

    summary = run_live(Asked(**given), None if as_json else _listen)
    print_json({"estimates": [], "warnings": [], **summary}) if as_json else _tell(summary)


def _listen(stream: Stream) -> None:
    """Print what happens from a thread of its own."""
    threading.Thread(target=_print, args=(stream.subscribe(),), name="live-words", daemon=True).start()


def _print(heard: Bounded[Event]) -> None:
    while True:
        event = heard.get(1.0)
        if event is not None and (event.kind in ("decision", "mark", "status") or (event.kind == "blank" and not event.record["again"])):
            click.echo(_line(event))


def _line(event: Event) -> str:
    said, at = event.record, f"{event.record['at_s']:8.2f} s"
    if event.kind == "decision":
        return f"{at}  {(said['answer'] or 'sealed').replace('_', ' '):<12} {said['reason']}"
    if event.kind == "blank":
        return f"{at}  {'-':<12} {said['text']}"
    if event.kind == "mark":
        return f"{at}  site {said['site']:<7} {said['note']} ({said['by']})"
    return f"{at}  {said['state']:<12} {said.get('text', '')}"


def _tell(summary: dict[str, Any]) -> None:
    frames, latency = summary["frames"], summary["latency_ms"]
    left = ", ".join(f"{reason} {count}" for reason, count in frames["discarded"].items()) or "none"
    click.echo(f"Frames: {frames['acquired']} acquired, {frames['decided']} behind a decision; left out: {left}.")
    if latency["p50"] is not None:
        said = f"{latency['p50']} ms median, {latency['p95']} ms in 95 of 100, {latency['max']} ms at most"
        click.echo(f"From frame to decision: {said}.")
    click.echo(f"Screen: {summary['display_hz']} decisions and blanks a second; answers: {_counted(summary['answers'])}.")
    for blank in summary["blanked"]:
        click.echo(f"Blank at {blank['at_s']} s for {blank['for_s']} s: {blank['reason']}, {blank['after_ms']} ms after its cause.")


def _counted(answers: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in answers.items()) or "none"
