"""The files of a report: the page in both languages, and the same facts as JSON."""

from __future__ import annotations

from onclair.core.errors import BadSetting
from onclair.core.evidence import Evidence
from onclair.core.names import did_you_mean
from onclair.core.words import LANGUAGES, Language
from onclair.report.html import render_html
from onclair.report.json import render_json

FORMATS = ("html", "json")


def rendered(evidence: Evidence, kind: str, language: Language = "en") -> bytes:
    """Return one file of the report.

    Parameters
    ----------
    evidence : Evidence
        The validate record of a run.
    kind : {"html", "json"}
    language : {"en", "fr"}

    Raises
    ------
    BadSetting
        For a format that is not known.
    """
    if kind not in FORMATS:
        raise BadSetting(f"There is no report format '{kind}'; {did_you_mean(kind, FORMATS)}", item=kind)
    return (render_html(evidence, language) if kind == "html" else render_json(evidence)).encode()


def report_files(evidence: Evidence) -> dict[str, bytes]:
    """Return every file of the stage `report`, by name: ``report.html``, ``report.fr.html``, ``report.json``."""
    pages = {"report.html" if lang == "en" else f"report.{lang}.html": rendered(evidence, "html", lang) for lang in LANGUAGES}
    return {**pages, "report.json": rendered(evidence, "json")}
