"""`onclair spectra live`: a session at the bedside, or its rehearsal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import click

from onclair.cli.options import as_json, folder, language, print_json
from onclair.cli.spectra_live_words import line_of, told

if TYPE_CHECKING:
    from onclair.core.words import Language
    from onclair.run.live_stream import Bounded, Event, Stream


@click.command()
@click.option("--source", type=click.Choice(["simulated", "seabreeze", "igtl", "replay"]), required=True, help="Where frames come from.")
@click.option("--session", type=folder, required=True, help="The session's folder: new, and never used again.")
@click.option("--recording", type=folder, default=None, help="With --source replay: the session that is replayed; else --session itself.")
@click.option("--host", default=None, help="Of the publisher, or of a spectrometer on the network.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="Of the same; 18944 for OpenIGTLink.")
@click.option("--model", type=folder, default=None, help="A run whose locked model answers; a fixed rule answers without.")
@click.option("--calibration", type=folder, default=None, help="Of the spectrometer, from `spectra calibrate`; locked with the session.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=None, help="How long; until it is stopped when left out.")
@click.option("--rate-hz", type=click.FloatRange(min=0, min_open=True), default=None, help="Measurements judged a second, at most.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the simulated instrument.")
@click.option("--script", type=folder, default=None, help="What happens when: a JSON list of {at_s, do, for_s|value|note|by}.")
@click.option("--publish", type=click.IntRange(0, 65535), default=None, help="Publish frames over OpenIGTLink on this port; 0 for any.")
@click.option("--silent", is_flag=True, help="Seal the answers until pathology is in.")
@click.option("--plan", type=folder, default=None, help="The plan of the silent phase.")
@language
@as_json
def live(as_json: bool, lang: Language, **given: Any) -> None:
    """Answer, measurement by measurement, what the probe touches: suspect, not suspect, cannot tell, or nothing with the reason.

    Events go to SESSION/events.jsonl, frames below SESSION/frames, marked sites to SESSION/sites.jsonl. The answer goes within half a
    second when the instrument falls silent, its settings change, the detector is full, a quality gate shuts or the tracker loses the probe.
    """
    from onclair.studies.tasks.spectra_live import Asked, run_live

    summary = run_live(Asked(**given), None if as_json else lambda stream: _listen(stream, lang))
    if as_json:
        print_json({"estimates": [], **summary})
        return
    for line in told(summary, lang):
        click.echo(line)


def _listen(stream: Stream, lang: Language) -> None:
    """Print what happens from a thread of its own."""
    threading.Thread(target=_print, args=(stream.subscribe(), lang), name="live-words", daemon=True).start()


def _print(heard: Bounded[Event], lang: Language) -> None:
    while True:
        event = heard.get(1.0)
        if event is not None and (event.kind in ("decision", "mark", "status") or (event.kind == "blank" and not event.record["again"])):
            click.echo(line_of(event.record, lang))
