"""The report of a replication audit: the verdict, the ten gates, the figures behind them and the rules, read off the evidence."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence, evidence_from_dict
from onclair.report.markup import Child, node, to_html
from onclair.report.page import banner, contents, document, facts_list, section, table, verdict_card
from onclair.report.verdict import Verdict

#: The version of the layout of ``report.json``.
FORMAT = "onclair-audit/1"
#: What stands for each answer: the state that colours the card, its mark and its word.
_ANSWERS: Mapping[str, tuple[Any, str, str]] = {
    "replicated": ("holds", "●", "Replicated"),
    "not_replicated": ("chance", "▼", "Not replicated"),
    "insufficient": ("cannot-tell", "◆", "Insufficient"),
    "not_replicable": ("cannot-tell", "◆", "Not replicable"),
}
_GATES = {"passed": "● passed", "failed": "▼ failed", "not_available": "○ not available"}
_SECTIONS = (("gates", "The ten gates"), ("figures", "Figures"), ("card", "The card"), ("rules", "Rules"), ("provenance", "Evidence"))


def audit_files(evidence: Evidence) -> dict[str, bytes]:
    """Return the files of an audit's report, by name.

    Parameters
    ----------
    evidence : Evidence
        The validate record of an audit.

    Examples
    --------
    >>> sorted(audit_files(Evidence("validate")))
    ['report.html', 'report.json']
    """
    read = evidence_from_dict(json.loads(evidence.to_json()))  # as a reader of the folder has it: keys in one order
    return {"report.html": render_audit(read).encode(), "report.json": _json(read)}


def render_audit(evidence: Evidence) -> str:
    """Return the report as one HTML file: no script, no request of any kind; the same record gives the same bytes.

    Parameters
    ----------
    evidence : Evidence
        Any of its facts may be absent.

    Examples
    --------
    >>> page = render_audit(Evidence("validate"))
    >>> page[:15], "<script" in page
    ('<!doctype html>', False)
    """
    facts = evidence.facts
    name = str(facts.get("card", {}).get("name", "?"))
    body = node(
        "main",
        node("h1", f"Does '{name}' hold on these patients, and what does it really measure?"),
        node("p", _glance(facts), class_="glance"),
        verdict_card(_verdict(facts), "en"),
        contents(_SECTIONS, "en"),
        section("gates", "The ten gates", table(None, ("gate", "status", "why"), _gate_rows(facts))),
        section(
            "figures",
            "Figures",
            *_survey(facts),
            table(None, ("figure", "value", "interval", "how"), _figures(evidence), numbers=(1, 2), wide=True),
        ),
        section("card", "The card", facts_list(_card(facts)), *_features(facts)),
        section("rules", "Rules", node("ul", [node("li", str(rule)) for rule in facts.get("rules", ())])),
        section("provenance", "Evidence", *_provenance(evidence)),
    )
    return to_html(document(f"Audit of {name}", "en", (banner("en"), body)))


def _verdict(facts: Mapping[str, Any]) -> Verdict:
    said = facts.get("verdict", {})
    state, mark, word = _ANSWERS.get(str(said.get("replication")), ("cannot-tell", "◆", "No verdict"))
    by = said.get("explained_by") or ()
    support = (f"Explained by {', '.join(by)}.",) if by else ()
    return Verdict(state, mark, word, str(said.get("sentence", "No verdict was recorded.")), (*support, *_told(facts)))


def _told(facts: Mapping[str, Any]) -> tuple[str, ...]:
    if facts.get("permutation_invariant"):
        return ("Every feature is the same whatever the voxels' places: surviving shuffles proves nothing here.",)
    return ()


def _glance(facts: Mapping[str, Any]) -> str:
    virtual = " Virtual patients: no figure here says anything about a person." if facts.get("data") == "virtual" else ""
    outcome, title = facts.get("outcome", {}).get("name", "?"), f"{facts['title']}." if facts.get("title") else ""
    return f"{facts.get('patients', '?')} patients, {facts.get('events', '?')} events of '{outcome}'. {title}{virtual}"


def _gate_rows(facts: Mapping[str, Any]) -> list[Sequence[Child]]:
    return [
        (str(gate["name"]), _GATES.get(str(gate["status"]), str(gate["status"])), str(gate["reason"])) for gate in facts.get("gates", ())
    ]


def _survey(facts: Mapping[str, Any]) -> Iterable[ET.Element]:
    said = facts.get("survey")
    if said:
        yield facts_list([(str(key).replace("_", " "), _short(value)) for key, value in said.items()])


def _figures(evidence: Evidence) -> list[Sequence[Child]]:
    return [_figure(estimate) for estimate in evidence.estimates]


def _figure(estimate: Estimate) -> Sequence[Child]:
    if estimate.value is None:
        return node("code", estimate.name), "–", "–", estimate.reason or ""
    ends = "–" if estimate.low is None or estimate.high is None else f"{estimate.low:.3f} to {estimate.high:.3f}"
    return node("code", estimate.name), f"{estimate.value:.3f}", ends, estimate.method


def _card(facts: Mapping[str, Any]) -> list[tuple[str, Child]]:
    said = facts.get("card_document", {})
    about = said.get("card", {})
    missing = facts.get("card", {}).get("missing") or ()
    pairs: list[tuple[str, Child]] = [(str(key), _short(value)) for key, value in about.items()]
    pairs += [(f"preprocessing: {key}", _short(value)) for key, value in said.get("preprocessing", {}).items()]
    return [*pairs, ("model", _short(said.get("model", {}))), ("not said", ", ".join(missing) or "nothing")]


def _features(facts: Mapping[str, Any]) -> Iterable[ET.Element]:
    rows = [
        (node("code", str(each["name"])), _short(each["coefficient"]), "yes" if each["permutation_invariant"] else "no")
        for each in facts.get("features", ())
    ]
    if rows:
        yield table("Features", ("feature", "coefficient", "the same whatever the voxels' places"), rows, numbers=(1,))


def _provenance(evidence: Evidence) -> Iterable[ET.Element]:
    pairs: list[tuple[str, Child]] = [("evidence", node("code", evidence.id)), ("code", node("code", evidence.code or "–"))]
    pairs += [(str(key), _short(value)) for key, value in evidence.settings.items()]
    pairs += [(key, str(evidence.facts.get(key) or "")) for key in ("citation", "licence")]
    yield facts_list(pairs)
    for warning in evidence.warnings:
        yield node("p", f"! {warning.get('text', '')}")


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_short(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_short(each) for each in value)
    return f"{value:.4g}" if isinstance(value, float) else "–" if value is None else str(value)


def _json(evidence: Evidence) -> bytes:
    document_ = {
        "format": FORMAT,
        "evidence_id": evidence.id,
        "facts": dict(evidence.facts),
        "estimates": [each.as_dict() for each in evidence.estimates],
        "warnings": [dict(warning) for warning in evidence.warnings],
        "settings": dict(evidence.settings),
        "environment": dict(evidence.environment),
    }
    return (json.dumps(document_, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
