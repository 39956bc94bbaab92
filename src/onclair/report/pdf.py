"""The report as a PDF for the archive: the same page, set on A4 by WeasyPrint, tagged, with bookmarks, the same bytes each time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from types import ModuleType
from typing import Any, NoReturn

from onclair.core.errors import BadSetting
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.html import page_tree
from onclair.report.markup import node, to_html
from onclair.report.tokens import FIGURE_CSS, LIGHT, SANS, SERIES, numbered
from onclair.report.words import say

#: For the archive, with its structure tagged for screen readers (ISO 19005-2, level A).
VARIANT = "pdf/a-2a"
#: What WeasyPrint stands on, as Debian names it.
SYSTEM = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"

PAPER_CSS = """\
@page { size: A4; margin: 17mm 13mm 16mm; font-family: %(sans)s; font-size: 7.5pt; color: %(quiet)s;
  @top-left { content: %(research)s; white-space: nowrap; }
  @bottom-left { content: %(running)s; white-space: nowrap; }
  @bottom-right { content: %(page)s " " counter(page) " / " counter(pages); white-space: nowrap; } }
@page :first { margin-top: 12mm; @top-left { content: none; } }
body { line-height: 1.4; } main { padding-bottom: 0; }
.answers, .first.pair, .second.pair { margin-bottom: 8pt; }
section { break-before: auto; } h2, h3, caption { break-after: avoid; } .wide tr, .figures tr { break-inside: avoid; }
.figures tbody tr:not(:last-child) { break-after: avoid; }
.verdict .sentence { line-height: 1.25; } a { color: inherit; text-decoration: none; }
table { break-inside: auto; } .wide thead, .figures thead { display: table-header-group; }
.figures td.axis { width: 36%%; }
.pair .card { break-inside: avoid; } section > .card { break-inside: auto; }
/* A validation run has hundreds of estimates: a line each; names stand in the HTML and JSON reports, reasons in their own section. */
.claims #estimates table { table-layout: fixed; } .claims #estimates tbody th code, .claims #estimates .reason { display: none; }
.claims #estimates thead th:nth-child(1) { width: 41%%; } .claims #estimates thead th:nth-child(2) { width: 10%%; }
.claims #estimates thead th:nth-child(3) { width: 16%%; } .claims #estimates thead th:nth-child(4) { width: 6%%; }
.claims #estimates thead th:nth-child(7) { width: 11%%; }
.claims #estimates thead th { font-size: 6.5pt; } .claims #estimates td.number { white-space: normal; }
.claims #estimates th, .claims #estimates td { width: auto; padding: .0625rem .25rem .0625rem 0; }
"""


def render_pdf(evidence: Evidence, language: Language = "en") -> bytes:
    """Return the report on one record as a PDF.

    Parameters
    ----------
    evidence : Evidence
        Of the `validate` stage, of a study's run or of a validation run.
    language : {"en", "fr"}

    Returns
    -------
    bytes
        PDF/A-2a on A4: text as text, figures as vectors, a bookmark a heading, "research use only" on every page. It holds no
        date; its identifier is the evidence's. The same record, WeasyPrint and fonts give the same bytes.

    Raises
    ------
    BadSetting
        When the extra ``pdf`` or one of the system libraries that it stands on is missing.
    """
    weasyprint = _weasyprint()
    page = on_paper(page_tree(evidence, language), evidence, language)
    document = weasyprint.HTML(string=to_html(page), url_fetcher=_refuse)
    made: bytes = document.write_pdf(pdf_variant=VARIANT, pdf_identifier=bytes.fromhex(evidence.id[:32]))
    return made


def on_paper(page: ET.Element, evidence: Evidence, language: Language) -> ET.Element:
    """Return a page made ready for paper: its sheet's style, and each figure's own, since figures do not see the page's.

    Examples
    --------
    >>> sheet = on_paper(page_tree(Evidence("validate"), "fr"), Evidence("validate"), "fr")
    >>> "counter(pages)" in [style.text for style in sheet.iter("style")][-1]
    True
    """
    head = next(page.iter("head"))
    head.append(node("meta", name="author", content="Onclair"))
    head.append(node("meta", name="description", content=say("research", language)))
    head.append(node("style", _paper_css(evidence, language)))
    style = _figure_css()
    for svg in page.iter("svg"):
        svg.insert(2, node("style", style))
        left, top, width, height = (float(v) for v in (svg.get("viewBox") or "0 0 560 400").split())
        del left, top
        svg.set("width", f"{width:g}")
        svg.set("height", f"{height:g}")
    return page


def _paper_css(evidence: Evidence, language: Language) -> str:
    facts = evidence.facts
    named = str(facts.get("title") or facts.get("study") or evidence.stage)
    shown = named if len(named) <= 60 else f"{named[:58]} …"
    values = {
        "sans": SANS,
        "quiet": LIGHT["quiet"],
        "research": _string(say("research", language)),
        "running": _string(f"{say('title', language)} · {shown} · {evidence.id[:12]}"),
        "page": _string(say("page", language)),
    }
    return PAPER_CSS % values


def _figure_css() -> str:
    """Return the style of figures with its colours written out, and no outline around letters, which would be set over them."""
    colours = LIGHT | numbered(SERIES) | {"sans": "Liberation Sans, Noto Sans, Arial, sans-serif"}
    plain = re.sub(r"var\(--([\w-]+)\)", lambda found: colours[found.group(1)], FIGURE_CSS)
    return plain + "svg.figure .halo { stroke: none; }\n"


def _string(text: str) -> str:
    """Return a text as a string of CSS."""
    return '"' + "".join(c if c not in '"\\<\n\r\f' else f"\\{ord(c):x} " for c in text) + '"'


def _refuse(url: str, **_: Any) -> NoReturn:
    """Fetch nothing: a report holds all that it needs."""
    raise BadSetting(f"The report asked for {url[:80]}; a report fetches nothing.", item="pdf")


def _weasyprint() -> ModuleType:
    try:
        import weasyprint
    except ImportError:
        raise BadSetting(
            "A PDF needs WeasyPrint, which is not installed; install the extra with `pip install 'onclair[pdf]'`, or take --format html.",
            item="pdf",
        ) from None
    except OSError as error:
        missing = str(error).partition(":")[0]
        raise BadSetting(
            f"A PDF needs the system libraries of WeasyPrint ({missing}); install them, on Debian with `apt-get install {SYSTEM}`, "
            "or take --format html.",
            item="pdf",
        ) from None
    module: ModuleType = weasyprint
    return module
