"""The five checklists of one record, as plain values and as JSON text."""

from __future__ import annotations

import json
from typing import Any

from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.checklists.claim import CLAIM
from onclair.report.checklists.clear import CLEAR
from onclair.report.checklists.metrics import METRICS
from onclair.report.checklists.probast_ai import PROBAST_AI
from onclair.report.checklists.record import Record
from onclair.report.checklists.tripod_ai import TRIPOD_AI
from onclair.report.json import report_dict

#: The version of the layout.
FORMAT = "onclair-checklists/1"
LISTS = (TRIPOD_AI, PROBAST_AI, CLAIM, CLEAR, METRICS)


def checklists(evidence: Evidence, language: Language = "en") -> dict[str, Any]:
    """Return TRIPOD+AI, PROBAST+AI, CLAIM 2024, CLEAR and METRICS, filled from the JSON report and from nothing else.

    Parameters
    ----------
    evidence : Evidence
        Of the `validate` stage, of a study, of a validation or of an audit.
    language : {"en", "fr"}
        Of labels and reasons.

    Returns
    -------
    dict
        ``format``, ``evidence_id``, ``language`` and ``checklists``: each with ``name reference doi items``, each item with
        ``number label status value source also reason``. `source` is a JSON pointer into the JSON report, to the field that
        answers best; `value` is exactly what stands there; `also` lists pointers to further fields. A cell that is not
        ``reported`` has none of them, and a reason.

    Examples
    --------
    >>> found = checklists(Evidence("validate"))
    >>> [one["name"] for one in found["checklists"]]
    ['TRIPOD+AI', 'PROBAST+AI', 'CLAIM 2024', 'CLEAR', 'METRICS']
    >>> {item["status"] for one in found["checklists"] for item in one["items"]}
    {'not_available'}
    """
    record = Record(report_dict(evidence))
    filled = [each.filled(record, language) for each in LISTS]
    return {"format": FORMAT, "evidence_id": evidence.id, "language": language, "checklists": filled}


def render_checklists(evidence: Evidence, language: Language = "en") -> str:
    """Return the checklists as JSON text with one line end; the same record gives the same bytes.

    Examples
    --------
    >>> render_checklists(Evidence("validate"), "fr").splitlines()[-1]
    '}'
    """
    return json.dumps(checklists(evidence, language), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
