"""`onclair protocol lock|predict|outcome|look|verify|sign|keygen|boundaries`: a prospective trial of a locked model."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onclair.cli.options import as_json, folder, print_json

if TYPE_CHECKING:
    from onclair.io.chainlog import Head

_SPENDING = ["obrien-fleming", "pocock", "lan-demets-obf", "lan-demets-pocock"]


@click.group()
def protocol() -> None:
    """Lock a model, predict silently, enter outcomes, look when planned, prove the order."""


@protocol.command()
@click.option("--model", type=folder, required=True, help="A logistic formula as one JSON file (onclair-model/1).")
@click.option("--plan", type=folder, required=True, help="The plan, TOML (onclair-protocol/1).")
@click.option("--out", type=folder, required=True, help="The protocol folder to write; must not exist, or be empty.")
@click.option("--reference", type=folder, default=None, help="Table of the model's own patients; drift is told against their quantiles.")
@as_json
def lock(model: Path, plan: Path, out: Path, reference: Path | None, as_json: bool) -> None:
    """Lock a model and a plan into a new protocol; nothing of it may change afterwards."""
    from onclair.validate.protocol.record import lock as make

    found = make(model, plan, out, reference=reference)
    if as_json:
        print_json(
            {"head": found.head, "protocol": str(out), "model": found.model, "manifest": found.manifest, "warnings": list(found.notes)}
        )
        return
    click.echo(f"{out}: the model '{found.model}' is locked.")
    _tell(found.notes, found.head)


@protocol.command()
@click.argument("protocol_folder", metavar="PROTOCOL", type=folder)
@click.option("--input", "table", type=folder, required=True, help="Table of cases: pseudonym and inputs (CSV, TSV or XLSX).")
@click.option("--skip-bad", is_flag=True, help="Leave out cases whose inputs are missing or out of range; the log says which.")
@as_json
def predict(protocol_folder: Path, table: Path, skip_bad: bool, as_json: bool) -> None:
    """Log one prediction a case, before its outcome is known."""
    from onclair.validate.protocol.record import predict as log_predictions

    found = log_predictions(protocol_folder, table, skip_bad=skip_bad)
    if as_json:
        rows = [{"case": case, "risk": risk} for case, risk in found.predictions]
        skipped = [{"case": case, "reason": reason} for case, reason in found.skipped]
        print_json({"head": found.head, "predictions": rows, "skipped": skipped, "warnings": list(found.notes)})
        return
    for case, risk in found.predictions:
        click.echo(f"{case}  {risk:.4f}")
    for case, reason in found.skipped:
        click.echo(f"{case}  left out: {reason}")
    _tell(found.notes, found.head)


@protocol.command()
@click.argument("protocol_folder", metavar="PROTOCOL", type=folder)
@click.option("--input", "table", type=folder, required=True, help="Table of outcomes: pseudonym and 0 or 1.")
@as_json
def outcome(protocol_folder: Path, table: Path, as_json: bool) -> None:
    """Log the outcomes of predicted cases, each once."""
    from onclair.validate.protocol.record import enter_outcomes

    found = enter_outcomes(protocol_folder, table)
    if as_json:
        standing = {name: getattr(found, name) for name in ("head", "entered", "events", "awaited", "next_look")}
        print_json({**standing, "warnings": list(found.notes)})
        return
    due = f"; the next look is due at {found.next_look}" if found.next_look else "; no look is left"
    click.echo(f"{found.entered} outcomes entered, {found.awaited} awaited. {found.events} events{due}.")
    _tell(found.notes, found.head)


@protocol.command()
@click.argument("protocol_folder", metavar="PROTOCOL", type=folder)
@as_json
def look(protocol_folder: Path, as_json: bool) -> None:
    """Take the look that is due, log it, and tell what has drifted. Refused when it is early, repeated or not planned."""
    from onclair.validate.protocol.record import look as take

    found = take(protocol_folder)
    if as_json:
        print_json({"head": found.head, "look": found.look.as_dict(), "drift": found.drift.as_dict(), "warnings": list(found.notes)})
        return
    click.echo(f"Look {found.look.index} at {found.look.information} events: {found.look.text}")
    click.echo(found.drift.text())
    _tell(found.notes, found.head)


@protocol.command()
@click.argument("protocol_folder", metavar="PROTOCOL", type=folder)
@click.option("--head", default=None, help="A head that was printed before and kept; it catches a tail that was cut off.")
@click.option("--public-key", type=folder, default=None, help="Public key (PEM) that the head must be signed with.")
@click.option("--signed", type=folder, default=None, help="The signed head that was kept elsewhere; the protocol's own when left out.")
@as_json
def verify(protocol_folder: Path, head: str | None, public_key: Path | None, signed: Path | None, as_json: bool) -> None:
    """Recompute the chain, the bundle, every prediction, the order and the looks. Exit code 0 when all holds, 1 when not."""
    from onclair.io.signatures import read_key
    from onclair.validate.protocol.verify import verify_protocol

    key = read_key(public_key) if public_key else None
    found = verify_protocol(protocol_folder, head, public_key=key, signed=_signed_head(signed) if signed else None)
    if as_json:
        print_json(found.as_dict())
    elif found.valid:
        counts = ", ".join(f"{count} {kind}" for kind, count in found.counts.items() if count)
        click.echo(f"Valid: {found.records} records ({counts}), each recomputed.")
        _tell(({"text": note.message} for note in found.notes), found.head)
    else:
        click.echo(f"Not valid: {len(found.problems)} problems in {protocol_folder}.", err=True)
        for problem in found.problems:
            click.echo(f"  {problem.message}", err=True)
    sys.exit(0 if found.valid else 1)


@protocol.command()
@click.argument("protocol_folder", metavar="PROTOCOL", type=folder)
@click.option("--key", type=folder, required=True, help="Ed25519 private key (PEM), readable by its owner alone.")
@click.option("--out", type=folder, default=None, help="Also write the signed head to this file; keep it elsewhere.")
@as_json
def sign(protocol_folder: Path, key: Path, out: Path | None, as_json: bool) -> None:
    """Sign the end of the log. Keep the signed head elsewhere: it shows a log that was rewritten whole."""
    from onclair.core.canonical import canonical_json
    from onclair.core.errors import NoRoom
    from onclair.io.files import write_atomically
    from onclair.validate.protocol.record import sign as sign_end

    if out is not None and out.exists():
        raise NoRoom(f"The file {out} exists and was not replaced; choose another name after --out.", item=str(out))
    signed = sign_end(protocol_folder, key)
    if out is not None:
        write_atomically(out, canonical_json(signed.as_dict()) + b"\n")
    if as_json:
        print_json({"head": signed.hash, "signed": signed.as_dict(), "warnings": []})
        return
    click.echo(f"Record {signed.seq} is signed: {signed.signature}")
    _tell((), signed.hash)


@protocol.command()
@click.argument("key", type=folder)
@as_json
def keygen(key: Path, as_json: bool) -> None:
    """Make an Ed25519 key pair: KEY, readable by you alone, and KEY.pub, to be given away."""
    from onclair.io.signatures import make_keys

    private, public = make_keys(key)
    if as_json:
        print_json({"private": str(private), "public": str(public), "warnings": []})
        return
    click.echo(f"{private} (keep it to yourself, away from the protocol) and {public} (give it to whoever verifies).")


@protocol.command()
@click.option("--looks", type=int, required=True, help="Equally spaced looks.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Two-sided error of all looks together.")
@click.option("--spending", type=click.Choice(_SPENDING), required=True, help="How alpha is spent.")
@as_json
def boundaries(looks: int, alpha: float, spending: str, as_json: bool) -> None:
    """Print the boundary of |z| at each of K equally spaced looks."""
    from onclair.science.statistics.sequential import boundaries as found_at
    from onclair.science.statistics.sequential import planned_looks

    information = planned_looks(looks)
    found = found_at(information, alpha, spending).tolist()
    if as_json:
        print_json({"boundaries": found, "information": information.tolist(), "alpha": alpha, "spending": spending, "warnings": []})
        return
    for index, (share, bound) in enumerate(zip(information.tolist(), found, strict=True), start=1):
        click.echo(f"Look {index} at {share:.0%} of the information: |z| >= {bound:.3f}")


def _tell(notes: Iterable[Mapping[str, str]], head: str) -> None:
    for note in notes:
        click.echo(f"Note: {note['text']}")
    click.echo(f"Head {head}")


def _signed_head(path: Path) -> Head:
    from onclair.core.errors import BadInput
    from onclair.io.chainlog import head_from_dict

    try:
        return head_from_dict(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise BadInput(
            f"The signed head {path} cannot be read; give the file that `onclair protocol sign --out` wrote.", item=str(path)
        ) from error
