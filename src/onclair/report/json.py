"""The report as JSON: the same facts as the page, for machines."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from onclair.core.evidence import Evidence
from onclair.core.words import LANGUAGES
from onclair.report.html import conclusion, question

#: The version of the layout.
FORMAT = "onclair-report/1"


def report_dict(evidence: Evidence) -> dict[str, Any]:
    """Return the report as plain JSON values.

    Parameters
    ----------
    evidence : Evidence
        Of the `validate` stage.

    Returns
    -------
    dict
        ``format``, ``evidence_id``, ``question`` and ``verdict`` in both languages, ``estimates``, ``facts``,
        ``warnings`` and ``provenance``; keys are always present.

    Examples
    --------
    >>> sorted(report_dict(Evidence("validate")))
    ['estimates', 'evidence_id', 'facts', 'format', 'provenance', 'question', 'verdict', 'warnings']
    """
    return {
        "format": FORMAT,
        "evidence_id": evidence.id,
        "question": {language: question(evidence, language) for language in LANGUAGES},
        "verdict": {language: asdict(conclusion(evidence, language)) for language in LANGUAGES},
        "estimates": [e.as_dict() for e in evidence.estimates],
        "facts": dict(evidence.facts),
        "warnings": [dict(w) for w in evidence.warnings],
        "provenance": {
            "stage": evidence.stage,
            "key": evidence.key,
            "code": evidence.code,
            "inputs": dict(evidence.inputs),
            "settings": dict(evidence.settings),
            "environment": dict(evidence.environment),
            "outputs": dict(evidence.outputs),
        },
    }


def render_json(evidence: Evidence) -> str:
    """Return the report as JSON text, keys sorted, with one line end; the same record gives the same bytes.

    Examples
    --------
    >>> render_json(Evidence("validate")).splitlines()[1]
    '  "estimates": [],'
    """
    return json.dumps(report_dict(evidence), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
