"""The PDF of a report: whole, tagged, the same bytes each time, and a plain sentence where it cannot be made."""

from __future__ import annotations

import re
import sys
import zlib

import pytest
from report_records import table_study
from report_validation_records import bare, followed

from onclair.core.errors import BadSetting
from onclair.report.files import rendered
from onclair.report.html import page_tree
from onclair.report.pdf import on_paper, render_pdf

try:
    import weasyprint  # noqa: F401
except (ImportError, OSError) as missing:
    REASON: str | None = f"There is no WeasyPrint to make a PDF with ({missing}); `pip install 'onclair[pdf]'`."
else:
    REASON = None
needs_weasyprint = pytest.mark.skipif(REASON is not None, reason=REASON or "")


@pytest.fixture(scope="module")
def validation() -> bytes:
    return render_pdf(followed(), "fr")


def _parts(pdf: bytes) -> bytes:
    """Return every stream of a PDF, unpacked where it is packed."""
    parts = []
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.S):
        try:
            parts.append(zlib.decompress(found.group(1)))
        except zlib.error:
            parts.append(found.group(1))
    return b"\n".join(parts)


@needs_weasyprint
def test_a_validation_run_becomes_a_pdf_for_the_archive_in_its_language(validation: bytes) -> None:
    assert validation.startswith(b"%PDF-1.7")
    assert b"/Lang (fr)" in validation + _parts(validation)
    metadata = _parts(validation)
    assert b"pdfaid" in metadata
    assert b"Rotterdam model in GBSG" in metadata


@needs_weasyprint
def test_a_pdf_has_bookmarks_tags_and_vectors_and_no_picture_of_a_page(validation: bytes) -> None:
    every = validation + _parts(validation)
    assert b"/Outlines" in every
    assert b"/StructTreeRoot" in every
    assert b"/Subtype /Image" not in every


@needs_weasyprint
def test_a_pdf_holds_no_date_and_the_same_record_gives_the_same_bytes(validation: bytes) -> None:
    assert b"CreationDate" not in validation + _parts(validation)
    assert render_pdf(followed(), "fr") == validation


@needs_weasyprint
def test_a_study_s_run_becomes_a_pdf_too() -> None:
    assert rendered(table_study(), "pdf").startswith(b"%PDF")


def test_figures_on_paper_have_their_colours_written_out() -> None:
    sheet = on_paper(page_tree(followed()), followed(), "en")
    styles = [style.text or "" for svg in sheet.iter("svg") for style in svg.iter("style")]
    assert len(styles) == len(list(sheet.iter("svg")))
    assert not any("var(" in style for style in styles)
    assert any("#0072B2" in style for style in styles)


def test_every_sheet_says_research_only_and_its_number() -> None:
    style = [s.text or "" for s in on_paper(page_tree(bare(), "fr"), bare(), "fr").iter("style")][-1]
    assert "Réservé à la recherche" in style
    assert "counter(page)" in style


def test_a_title_cannot_leave_the_string_of_a_running_foot() -> None:
    record = bare()
    record = type(record)("validate", facts={**record.facts, "title": 'a"; } @import "x" </style>'})
    style = next(s.text or "" for s in on_paper(page_tree(record), record, "en").iter("style") if "counter(page)" in (s.text or ""))
    foot = style.partition("@bottom-left { content: ")[2].partition("\n")[0]
    assert foot.count('"') == 2
    assert "@import \\22 x\\22 " in foot
    assert "<" not in foot


def test_without_weasyprint_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(BadSetting, match=r"pip install 'onclair\[pdf\]'"):
        render_pdf(bare())


def test_without_the_system_s_libraries_the_sentence_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0': not found")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(BadSetting, match=r"libpango-1\.0-0"):
        render_pdf(bare())


def test_a_format_that_is_not_known_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadSetting, match="pdf"):
        rendered(bare(), "pfd")
