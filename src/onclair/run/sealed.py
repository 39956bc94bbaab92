"""The silent phase: answers kept back until pathology is in, with a salted commitment of each in the log from the start.

What this proves is that no answer was changed after its site was marked. It hides answers from whoever looks at the session, not
from whoever would take the frames and the model and compute them again.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from onclair.core.canonical import canonical_json, sha256_of
from onclair.core.errors import BadInput, BadSetting, CheckFailed
from onclair.core.settings import Settings, setting
from onclair.io.chainlog import Entry, Receipt, transact
from onclair.io.files import gunzipped, gzipped, toml_fault, write_atomically
from onclair.run.session_events import bound
from onclair.run.session_folder import Session
from onclair.run.sites import SEALED, Site, log_of, sites_of
from onclair.validate.protocol.plan import FORMAT as PROTOCOL_FORMAT
from onclair.validate.protocol.plan import read_protocol_plan

FOLDER, FORMAT = "sealed", "onclair-silent/1"
_SALT_BYTES = 32


class SilentPlan(Settings):
    """What a silent phase was told before its first site (``onclair-silent/1``); :func:`read_silent_plan` makes one."""

    format: str = setting(FORMAT, "the layout's version", "version du format")
    title: str = setting("", "of the trial", "de l'essai")
    truth: str = setting("diagnosis", "column of the pathology that is the outcome", "colonne de l'anatomopathologie servant de critère")
    positive: tuple[str, ...] = setting((), "values of that column that count as 1", "valeurs de cette colonne comptées 1")
    negative: tuple[str, ...] = setting(
        (), "values that count as 0; all others when left out", "valeurs comptées 0 ; toutes les autres sinon"
    )
    open_after: int | None = setting(
        None,
        "sites with pathology after which answers may be opened; every site when left out",
        "sites avec résultat avant ouverture",
        ge=1,
    )
    model: str = setting("", "SHA-256 of the locked model, where the plan names it", "SHA-256 du modèle figé, si le plan le nomme")


@dataclass(frozen=True, slots=True)
class Planned:
    """A silent plan, and the bytes that were locked.

    Attributes
    ----------
    plan : SilentPlan
    text : str
        As written; it stands in ``session.json``.
    protocol : str
        The same trial as a plan of the evidence protocol (``onclair-protocol/1``), cases in ``site`` and outcomes in ``truth``.
    """

    plan: SilentPlan
    text: str
    protocol: str

    def as_dict(self) -> dict[str, str]:
        """Return what ``session.json`` holds under ``plan``."""
        return {"text": self.text, "sha256": hashlib.sha256(self.text.encode()).hexdigest()}


def read_silent_plan(data: bytes, *, source: str = "the plan") -> Planned:
    r"""Return the plan of a silent phase.

    Parameters
    ----------
    data : bytes
        TOML: ``format = "onclair-silent/1"``, ``title truth positive negative open_after model`` and the tables ``[looks]`` and
        ``[drift]`` of the evidence protocol; or a plan of the evidence protocol itself, whose ``truth`` column is then 0 or 1.
    source : str
        What sentences call it.

    Raises
    ------
    BadSetting
        For text that is no TOML, another format, an unknown key, or no value that counts as 1.

    Examples
    --------
    >>> planned = read_silent_plan(b'format = "onclair-silent/1"\npositive = ["margin", "core"]')
    >>> planned.plan.positive, planned.plan.open_after is None
    (('margin', 'core'), True)
    """
    try:
        text = data.decode("utf-8-sig")
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        said = f"The silent phase's {source} is not TOML ({toml_fault(error)}); write lines such as open_after = 5."
        raise BadSetting(said, item=source) from None
    shared: dict[str, Any] = {name: document.pop(name) for name in ("looks", "drift") if name in document}
    if document.get("format") == PROTOCOL_FORMAT:
        truth = read_protocol_plan(data, source=source).columns.truth
        plan = SilentPlan(title=str(document.get("title", "")), truth=truth, positive=("1",), negative=("0",))
    else:
        plan = _silent(document, source)
    return Planned(plan, text, _as_protocol(plan, shared, source))


def silent_about(plan: str | Path | None, model: Any) -> dict[str, Any]:
    """Return what ``session.json`` holds of a silent phase: ``silent`` and ``plan``.

    Parameters
    ----------
    plan : path or None
        TOML (:func:`read_silent_plan`); None is silent until every site has pathology, and belongs to no trial.
    model : mapping or None
        As the session names it, with its ``sha256``.

    Raises
    ------
    BadSetting
        When the plan cannot be read or used.
    BadInput
        When the plan names another model: what was planned is not refitted.
    """
    if plan is None:
        return {"silent": True, "plan": None}
    try:
        planned = read_silent_plan(Path(plan).read_bytes(), source=str(plan))
    except OSError as error:
        why = (error.strerror or "it does not open").lower()
        raise BadSetting(f"The plan {plan} cannot be read ({why}); correct its name after --plan.", item=str(plan)) from error
    found = str(model.get("sha256")) if isinstance(model, Mapping) else str(model)
    if planned.plan.model and planned.plan.model != found:
        said = f"The plan {plan} locks the model {planned.plan.model[:12]}, and the one given is {found[:12]}"
        raise BadInput(f"{said}; a refitted model needs a plan of its own: give the locked one.", item="model")
    return {"silent": True, "plan": planned.as_dict()}


def locked_plan(session: Session) -> Planned | None:
    """Return the plan that a silent session locked; None where it was silent without one.

    Raises
    ------
    CheckFailed
        When the plan is not what was locked.
    """
    held = session.about.get("plan")
    if held is None or "text" not in held:
        return None
    text = str(held.get("text", ""))
    if hashlib.sha256(text.encode()).hexdigest() != held.get("sha256"):
        raise CheckFailed("The plan in session.json is not the one that was locked; restore the session from a copy.", item="plan")
    return read_silent_plan(text.encode())


def sealed_row(session: Session, row: Mapping[str, Any], entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the row of a mark with its answer sealed: a commitment in the row, the answer in a file that is written now.

    Raises
    ------
    BadInput
        After the answers of the session were opened.
    """
    if any(entry.fields.get("kind") == "opening" for entry in entries):
        raise BadInput("The answers of this silent session were opened; no site can be added to it. Begin another session.")
    answer = {name: row[name] for name in SEALED}
    envelope = {"answer": answer, "salt": secrets.token_hex(_SALT_BYTES)}
    data = gzipped(canonical_json({**envelope, "site": row["site"], "session": session.sha256}))
    name = f"{FOLDER}/{row['site']:04d}.json.gz"
    write_atomically(session.folder / name, data)
    sealed = {"commitment": sha256_of(envelope), "file": name, "sha256": hashlib.sha256(data).hexdigest()}
    return {**row, **dict.fromkeys(SEALED), "sealed": sealed}


def unsealed(session: Session, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``answer`` and ``salt`` of a sealed mark, both hashes compared. For opening and replay alone.

    Raises
    ------
    CheckFailed
        When the file is missing or holds another answer than the log committed to.
    """
    sealed, site = fields["sealed"], fields["site"]
    again = "recompute it with `onclair spectra replay`, or restore the file from a copy"
    try:
        data = (session.folder / FOLDER / Path(str(sealed["file"])).name).read_bytes()
        record = json.loads(gunzipped(data))
        envelope = {"answer": record["answer"], "salt": record["salt"]}
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise CheckFailed(f"The sealed answer of site {site} is missing or damaged; {again}.", item=str(site)) from error
    if hashlib.sha256(data).hexdigest() != sealed["sha256"] or sha256_of(envelope) != sealed["commitment"]:
        raise CheckFailed(f"The sealed answer of site {site} is not the one that the log committed to; {again}.", item=str(site))
    return envelope


def why_closed(session: Session, sites: Sequence[Site]) -> str | None:
    """Return why the answers may not be opened yet, in one sentence; None when they may."""
    without = [site.number for site in sites if site.pathology is None]
    planned = locked_plan(session)
    enough = planned.plan.open_after if planned else None
    known = len(sites) - len(without)
    if not sites:
        return "No site was marked, so there is no answer to open."
    if not without or (enough is not None and known >= enough):
        return None
    named = ", ".join(map(str, without[:5])) + (" ..." if len(without) > 5 else "")
    needed = "every site has" if enough is None else f"{enough} sites have"
    return f"The answers stay sealed until {needed} pathology; {len(without)} of {len(sites)} sites have none yet ({named})."


def open_answers(session: Session, by: str = "", *, now: datetime | None = None) -> Receipt:
    """Open the sealed answers of a silent session: one row with every answer and salt, against which the commitments are checked.

    Parameters
    ----------
    session : Session
    by : str
    now : datetime, optional

    Raises
    ------
    BadInput
        When the session is not silent, was opened before, or pathology is not in (see :func:`why_closed`).
    CheckFailed
        When a sealed answer is not the one committed to.
    """
    if not session.silent:
        raise BadInput("The session was not silent; its answers were never sealed.", item=str(session.folder))

    def _records(entries: Sequence[Entry]) -> list[Mapping[str, Any]]:
        if any(entry.fields.get("kind") == "opening" for entry in entries):
            raise BadInput("The answers of this session were opened before; nothing was logged.", item=str(session.folder))
        sites = sites_of(entries)
        if reason := why_closed(session, sites):
            raise BadInput(reason, item=str(session.folder))
        answers = {str(site.number): unsealed(session, site.mark) for site in sites}
        return [{"kind": "opening", "answers": answers, "by": by.strip(), **bound(session)}]

    return transact(log_of(session), _records, now=now)


def _silent(document: Mapping[str, Any], source: str) -> SilentPlan:
    if document.get("format") != FORMAT:
        found = f"the format '{document['format']}'" if "format" in document else "no format"
        said = f'The silent phase\'s {source} has {found}; write format = "{FORMAT}" in its first line.'
        raise BadSetting(said, item="format")
    plan = SilentPlan.read(document, source=source)
    if not plan.positive:
        said = f"The silent phase's {source} does not say which values of '{plan.truth}' count as 1"
        raise BadSetting(f'{said}; add a line such as positive = ["margin", "core"].', item="positive")
    return plan


def _as_protocol(plan: SilentPlan, shared: Mapping[str, Any], source: str) -> str:
    import tomli_w

    document = {"format": PROTOCOL_FORMAT, "title": plan.title, "columns": {"case": "site", "truth": "truth"}, **shared}
    text = tomli_w.dumps(document)
    read_protocol_plan(text.encode(), source=source)
    return text
