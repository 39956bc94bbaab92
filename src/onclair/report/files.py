"""The files of a report: the page in both languages, and the same facts in the formats that other programs read."""

from __future__ import annotations

from collections.abc import Callable

from onclair.core.errors import BadSetting
from onclair.core.evidence import Evidence
from onclair.core.names import did_you_mean
from onclair.core.words import LANGUAGES, Language

Writer = Callable[[Evidence, Language], bytes]


def _html(evidence: Evidence, language: Language) -> bytes:
    from onclair.report.html import render_html

    return render_html(evidence, language).encode()


def _pdf(evidence: Evidence, language: Language) -> bytes:
    from onclair.report.pdf import render_pdf

    return render_pdf(evidence, language)


def _json(evidence: Evidence, language: Language) -> bytes:
    from onclair.report.json import render_json

    del language
    return render_json(evidence).encode()


def _schema(evidence: Evidence, language: Language) -> bytes:
    from onclair.report.schema import render_schema

    del evidence, language
    return render_schema().encode()


def _fhir(evidence: Evidence, language: Language) -> bytes:
    from onclair.report.fhir import render_fhir

    return render_fhir(evidence, language).encode()


def _checklists(evidence: Evidence, language: Language) -> bytes:
    from onclair.report.checklists.fill import render_checklists

    return render_checklists(evidence, language).encode()


#: Who writes each format; nothing is imported before it is asked for.
WRITERS: dict[str, Writer] = {
    "html": _html,
    "pdf": _pdf,
    "json": _json,
    "schema": _schema,
    "fhir": _fhir,
    "checklists": _checklists,
}
FORMATS = tuple(WRITERS)
#: Formats that are no text, so that a terminal cannot show them.
BINARY = frozenset({"pdf"})


def rendered(evidence: Evidence, kind: str, language: Language = "en") -> bytes:
    """Return one file of the report, on a study's run or on a validation run.

    Parameters
    ----------
    evidence : Evidence
        The validate record of a run.
    kind : str
        One of ``FORMATS``.
    language : {"en", "fr"}

    Raises
    ------
    BadSetting
        For a format that is not known.

    Examples
    --------
    >>> rendered(Evidence("validate"), "html", "fr")[:15]
    b'<!doctype html>'
    """
    if kind not in WRITERS:
        raise BadSetting(f"There is no report format '{kind}'; {did_you_mean(kind, FORMATS)}", item=kind)
    return WRITERS[kind](evidence, language)


def report_files(evidence: Evidence) -> dict[str, bytes]:
    """Return every file of the stage `report`, by name: ``report.html``, ``report.fr.html``, ``report.json``."""
    pages = {"report.html" if lang == "en" else f"report.{lang}.html": rendered(evidence, "html", lang) for lang in LANGUAGES}
    return {**pages, "report.json": rendered(evidence, "json")}
