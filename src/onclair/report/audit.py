"""The files of an audit's report: the page in both languages, and the same facts for other programs, read off the evidence."""

from __future__ import annotations

import json

from onclair.core.evidence import Evidence, evidence_from_dict
from onclair.report.files import report_files


def audit_files(evidence: Evidence) -> dict[str, bytes]:
    """Return the files of an audit's report, by name.

    Parameters
    ----------
    evidence : Evidence
        The validate record of an audit.

    Examples
    --------
    >>> sorted(audit_files(Evidence("validate", facts={"kind": "audit"})))
    ['report.fr.html', 'report.html', 'report.json']
    """
    return report_files(evidence_from_dict(json.loads(evidence.to_json())))  # as a reader of the folder has it: keys in one order
