"""The page around a report: its style, its head, and small pieces that several sections use."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence

from onclair.core.words import Language
from onclair.report.markup import Child, append, node
from onclair.report.tokens import FIGURE_CSS, tokens_css
from onclair.report.verdict import Verdict
from onclair.report.words import fragments, in_words, say, sentence

#: A number and the space before the word that it counts: they stay on one line.
_COUNT = re.compile(r"(\d) (?=[^\W\d])")
#: Nothing is fetched: a report is one file.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

PAGE_CSS = """\
* { box-sizing: border-box; }
html { font-size: 100%; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font-family: var(--sans); font-size: 1rem; line-height: 1.5;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
main, .bar-inner { max-width: 76rem; margin: 0 auto; padding: 0 1.5rem; }
main { padding-bottom: 4rem; }
.bar { border-bottom: 2px solid var(--suspect); background: var(--raised); font-size: .875rem; }
.bar-inner { padding-top: .5rem; padding-bottom: .5rem; }
a { color: var(--accent); } a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
h1 { font-size: 1.25rem; line-height: 1.35; font-weight: 600; margin: .25rem 0 1rem; max-width: 72ch; text-wrap: balance; }
h2 { font-size: 1.25rem; line-height: 1.3; font-weight: 600; margin: 0 0 .75rem; }
h3 { font-size: 1rem; font-weight: 600; margin: 1.25rem 0 .5rem; }
p { margin: 0 0 .75rem; max-width: 72ch; }
ul { margin: 0; padding-left: 1.25rem; max-width: 72ch; } li { margin: .25rem 0; }
code { font-family: var(--mono); font-size: .875em; overflow-wrap: anywhere; }
.glance { color: var(--quiet); margin: 1.25rem 0 0; font-size: .875rem; max-width: none; }
.tag { border: 2px dotted var(--quiet); border-radius: 4px; padding: 0 .375rem; color: var(--ink); font-weight: 600;
  white-space: nowrap; }
.verdict { background: var(--raised); border: 1px solid var(--line); border-left: 6px solid var(--tone); padding: 1rem 1.25rem .5rem;
  min-width: 0; }
.verdict .word { font-size: 1.25rem; font-weight: 600; margin: 0; } .verdict .mark { color: var(--tone); margin-right: .5rem; }
.verdict .sentence { font-size: 1.75rem; line-height: 1.25; font-weight: 600; margin: .25rem 0 .75rem; max-width: 44rem;
  text-wrap: balance; }
.verdict ul { list-style: none; padding: 0; margin: 0 0 .5rem; } .verdict li { margin: .5rem 0; }
.holds { --tone: var(--not-suspect); } .no-better, .worse, .artefact { --tone: var(--suspect); }
  .risks-off, .varies, .no-gain, .chance, .inverted { --tone: var(--suspect); }
  .cannot-tell, .ranks-only, .unproven, .at-home { --tone: var(--cannot-tell); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1.5rem; align-items: start; }
.first.pair { margin-bottom: 1.5rem; align-items: stretch; }
.nowrap, .whole { white-space: nowrap; }
.asked { color: var(--quiet); margin: -.625rem 0 1rem; max-width: none; }
@media (min-width: 64rem) { .second.pair { grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); } }
.card { background: var(--raised); border: 1px solid var(--line); padding: 1rem 1.25rem; min-width: 0; }
.card > :last-child { margin-bottom: 0; } .card > h3:first-child { margin-top: 0; }
section { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
nav { margin-top: 2rem; font-size: .875rem; }
  nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; max-width: none; }
nav a { display: inline-block; padding: .25rem 0; }
figure { margin: 0; min-width: 0; } figure > svg { max-width: 40rem; }
figcaption, caption { color: var(--quiet); font-size: .875rem; text-align: left; margin: .75rem 0 0; max-width: 72ch; }
caption { margin: 0; padding: 0 0 .75rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .375rem .75rem .375rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { font-weight: 600; } thead th { color: var(--quiet); } td.number, th.number { text-align: right; white-space: nowrap; }
tbody th { font-weight: 400; } tr.model th, tr.model td { font-weight: 600; }
.differences td, .differences th { vertical-align: middle; overflow-wrap: break-word; }
.differences tbody th { width: 25%; } .differences td.axis { width: 34%; padding-right: 0; } .differences td.axis svg { max-width: none; }
.differences tfoot td { border: 0; padding-top: 0; }
td > svg.figure { max-width: 14rem; }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1rem; margin-bottom: 1.5rem; }
.answers h2 { font-size: 1rem; margin-bottom: .375rem; } .answers p { font-size: .875rem; margin-bottom: .375rem; }
.others { list-style: none; padding: 0; } .others .mark { color: var(--tone); }
.first .card + .card, .first .verdict + .card { margin-top: 1rem; }
.first.pair > .verdict + .card { margin-top: 0; } .others { font-size: .875rem; }
.figures { table-layout: fixed; } .figures tbody th, .figures tbody td { border: 0; padding-top: .3125rem; }
.figures tbody th { width: 24%; } .figures td.axis { padding-top: 0; padding-bottom: 0; }
.figures tbody .title td { border-top: 1px solid var(--line); padding-top: .625rem; }
.figures .title th { width: auto; border-top: 1px solid var(--line); padding-top: .625rem; }
.figures thead th:nth-child(1) { width: 24%; } .figures thead th:nth-child(2) { width: 36%; }
.figures td.axis svg { max-width: 18rem; }
.gloss { display: block; font-weight: 400; }
details { border-top: 1px solid var(--line); padding: .5rem 0; } section > details:last-of-type { border-bottom: 1px solid var(--line); }
summary { cursor: pointer; font-weight: 600; min-height: 2.75rem; display: flex; align-items: center; gap: .5rem; }
summary::before { content: "▸"; color: var(--accent); } details[open] > summary::before { content: "▾"; }
summary::-webkit-details-marker { display: none; } summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
details + details { border-top: 0; } .pair + details { margin-top: 1.5rem; }
.gates { list-style: none; padding: 0; margin: 0; max-width: none; display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1rem; }
.gates li { background: var(--raised); border: 1px solid var(--line); border-left: 4px solid var(--tone); padding: .75rem 1rem; margin: 0; }
.gates li:last-child { grid-column: 1 / -1; }
.gates .mark { color: var(--tone); } .gates p { margin: 0; } .gates .asks { font-size: .875rem; }
.gates .why { margin-top: .5rem; font-size: .875rem; } .gates .status { color: var(--quiet); }
.audit section .wide td.number, .audit section .wide th.number { width: auto; }
.lacks { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
.pair + .card { margin-top: 1.5rem; } section > .card { margin-bottom: 1.5rem; } section > .wide { margin-bottom: 1.5rem; }
.answer { white-space: nowrap; } .not-met { font-weight: 600; } .wide .answer.met, .wide .answer.unsure { color: var(--quiet); }
dl { display: grid; grid-template-columns: minmax(7rem, 12rem) minmax(0, 1fr); gap: .375rem 1.25rem; margin: 0; font-size: .875rem; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; max-width: 72ch; }
.flag { color: var(--ink); font-weight: 600; white-space: nowrap; } .quiet { color: var(--quiet); }
.methods { margin: 0; padding-left: 2rem; font-size: .875rem; max-width: 72ch; }
.names { display: block; font-size: .75rem; } .names dt { margin-top: .5rem; } .names dd { max-width: none; }
.names code { display: inline-block; font-size: 1em; margin-right: .75em; } .note { margin: .75rem 0 0; font-size: .875rem; }
@media print, (min-width: 46.01rem) {
  .wide tbody th { width: 36%; overflow-wrap: break-word; } .wide td:last-child { width: 26%; }
  .wide td:last-child, .wide th:last-child { padding-left: .75rem; }
  .told .wide tbody th { width: 42%; } .told .wide td:last-child { width: 42%; }
}
@media screen and (max-width: 46rem) {
  main, .bar-inner { padding-left: 1rem; padding-right: 1rem; }
  h1 { font-size: 1rem; } .verdict .sentence { font-size: 1.25rem; } .verdict .word { font-size: 1rem; }
  .wide, .wide tbody, .wide tr, .wide th, .wide td, .wide caption { display: block; } .wide thead { position: absolute; left: -99rem; }
  .wide tr { border-bottom: 1px solid var(--line); padding: .5rem 0; } .wide th, .wide td { border: 0; padding: 0; }
  .differences thead { position: absolute; left: -99rem; }
    .differences, .differences tbody, .differences tfoot, .differences caption { display: block; }
  .differences tr { display: grid; grid-template-columns: 1fr 1fr; border-bottom: 1px solid var(--line); padding: .5rem 0; }
  .differences tbody th, .differences td, .differences td.axis { border: 0; width: auto; padding: 0; }
    .differences tbody th { grid-column: 1 / 3; }
  .differences td.axis { order: 3; grid-column: 1 / 3; } .differences td.axis svg { max-width: 18rem; }
  .differences td:empty { display: none; }
  .figures thead { position: absolute; left: -99rem; } .figures, .figures tbody, .figures caption { display: block; }
  .figures tbody tr { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.5fr); padding-bottom: .375rem; }
  .figures tbody th, .figures tbody td, .figures tbody .title td { border-top: 1px solid var(--line); padding-top: .625rem; }
.figures .title th { width: auto; padding: 0 .5rem .125rem 0; }
  .figures .title th { padding-top: .625rem; grid-column: 1 / 3; } .figures td.axis { order: 3; grid-column: 1 / 3; }
  .figures tbody th:empty, .figures td:empty { display: none; } .card { padding: .75rem; }
  .wide td.number { text-align: left; white-space: normal; } .nowrap { white-space: normal; }
  .wide td::before { content: attr(data-label) "\\00a0\\00a0"; color: var(--quiet); } .wide td:empty { display: none; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: .5rem; }
}
@media print {
  details::details-content { content-visibility: visible; block-size: auto; } summary::before { content: none; }
  @page { size: A4; margin: 14mm 13mm; }
  body { font-size: 10pt; background: #fff; } main, .bar-inner { max-width: none; padding: 0; } nav { display: none; }
  h1 { font-size: 11pt; } h2 { font-size: 12pt; break-after: avoid; } h3 { break-after: avoid; }
  .card, figure, tr, li, .verdict { break-inside: avoid; } section { margin-top: 1.25rem; padding-top: 1rem; }
  .bar { font-size: 8.5pt; } .bar-inner { padding: 0 0 .25rem; } .glance { font-size: 8.5pt; margin-top: .5rem; }
  h1 { margin-bottom: .375rem; } .asked { font-size: 9pt; margin: 0 0 .5rem; } .verdict { padding: .5rem .75rem .25rem; }
  .verdict .word { font-size: 11pt; } .verdict .sentence { margin: 0 0 .25rem; font-size: 14pt; max-width: none; }
  .verdict ul, .verdict li { margin: .125rem 0; font-size: 9pt; max-width: none; }
  .first.pair, .second.pair { gap: .625rem; margin-bottom: .625rem; }
  .first figure { display: grid; grid-template-columns: 26rem minmax(0, 1fr); gap: 1rem; align-items: center; }
  .first h2 { margin-bottom: .25rem; } .differences caption { max-width: none; padding-bottom: .25rem; }
  .differences br { display: none; } .differences th, .differences td { padding-top: .125rem; padding-bottom: .125rem; }
  .differences tbody th { width: 34%; } .differences td.axis { width: 26%; }
  h3 { font-size: 10pt; margin: .5rem 0 .25rem; } .told .wide tbody th, .told .wide td:last-child { width: 42%; }
  .answers { grid-template-columns: 1fr 1fr 1fr; gap: .5rem; margin-bottom: .5rem; } .answers h2 { font-size: 9pt; }
  .answers p { font-size: 8pt; margin-bottom: .1875rem; } .others { font-size: 8.5pt; max-width: none; }
  .answers .card { break-inside: avoid; } .figures tbody { break-inside: avoid; } .figures td.axis svg { max-width: 13rem; }
  .pair { grid-template-columns: 1fr 1fr; gap: 1rem; }
    .first.pair, .second.pair, #model .pair, #controls .pair, .plots.pair { grid-template-columns: 1fr; gap: .5rem; }
  .plots figure { display: grid; grid-template-columns: 26rem minmax(0, 1fr); gap: 1rem; align-items: center; }
  .plots figure + figure { margin-top: .5rem; }
  figure > svg { max-width: 28rem; } .pair .pair figure > svg { max-width: none; } .card { padding: .625rem .75rem; }
  .wide, .methods { font-size: 7.5pt; } .wide th, .wide td { padding: .125rem .375rem .125rem 0; }
  .wide tbody th { width: 38%; } .wide td:last-child { width: 29%; }
  .wide tbody th br { display: none; } .wide tbody th code { margin-left: .5rem; } .methods { max-width: none; }
  thead { display: table-header-group; }
  table, dl, figcaption, caption, .note { font-size: 8.5pt; } .names { font-size: 7.5pt; }
}
"""


def document(title: str, language: Language, body: Iterable[Child]) -> ET.Element:
    """Return a whole page: no script, no link that loads, its style inside it."""
    head = node(
        "head",
        node("meta", charset="utf-8"),
        node("meta", http_equiv="Content-Security-Policy", content=POLICY),
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("meta", name="referrer", content="no-referrer"),
        node("title", title),
        node("style", tokens_css() + PAGE_CSS + FIGURE_CSS),
    )
    return node("html", head, node("body", body), lang=language)


def table(
    caption: Child, heads: Sequence[str], rows: Iterable[Sequence[Child]], *, numbers: Sequence[int] = (), wide: bool = False
) -> ET.Element:
    """Return a table with a caption; the first cell of a row is its heading.

    Parameters
    ----------
    caption : Element, str or None
    heads : sequence of str
    rows : iterable of sequence of cells
    numbers : sequence of int
        Columns set to the right.
    wide : bool
        Whether rows become blocks on a narrow screen, each cell with its heading before it.

    Examples
    --------
    >>> from onclair.report.markup import to_xml
    >>> to_xml(table("Who", ["a"], [["x"]]))[:34]
    '<table><caption>Who</caption><thea'
    """
    role = {"role": "table"} if wide else {}
    made = node("table", node("caption", caption) if caption is not None else None, class_="wide" if wide else None, **role)
    across = {"role": "columnheader"} if wide else {}
    made.append(
        node(
            "thead",
            node("tr", [node("th", h, scope="col", class_="number" if i in numbers else None, **across) for i, h in enumerate(heads)]),
        )
    )
    body = node("tbody")
    for row in rows:
        line = node("tr", node("th", row[0], scope="row", **({"role": "rowheader"} if wide else {})), **({"role": "row"} if wide else {}))
        for i, cell in enumerate(row[1:], start=1):
            attributes = {"data_label": heads[i], "role": "cell"} if wide else {}
            append(line, node("td", cell, class_="number" if i in numbers else None, **attributes))
        body.append(line)
    made.append(body)
    return made


def facts_list(pairs: Iterable[tuple[str, Child]]) -> ET.Element:
    """Return pairs of what and its value; a value of None is left out."""
    made = node("dl")
    for what, value in pairs:
        if value is not None and not (isinstance(value, str) and not value):
            append(made, node("dt", what), node("dd", value))
    return made


def as_written(text: str, language: Language) -> Child:
    """Return a method or reason of the record, which is English; on a French page each fragment in French, or marked as English.

    Examples
    --------
    >>> as_written("Wald interval; sealed", "en")
    'Wald interval; sealed'
    >>> as_written("Wald interval", "fr"), as_written("sealed", "fr").get("lang")
    ('intervalle de Wald', 'en')
    """
    if language == "en" or not text:
        return text
    told = fragments(text, language)
    if all(foreign for _, foreign in told):
        return node("span", text, lang="en")
    if not any(foreign for _, foreign in told):
        return in_words(text, language)
    made = node("span")
    for place, (words, foreign) in enumerate(told):
        append(made, say("semicolon", language) if place else None, node("span", words, lang="en") if foreign else words)
    return made


def section(key: str, title: str, *content: Child | Iterable[Child]) -> ET.Element:
    """Return a section with its heading and anchor."""
    return node("section", node("h2", title, id=f"{key}-heading"), *content, id=key, aria_labelledby=f"{key}-heading")


def figure(svg: ET.Element, *caption: Child | Iterable[Child]) -> ET.Element:
    """Return a figure with its caption."""
    return node("figure", svg, node("figcaption", *caption))


def banner(language: Language) -> ET.Element:
    """Return the line that stands above every report."""
    told = node("div", node("strong", "▲ ", aria_hidden="true"), say("research", language), class_="bar-inner")
    return node("div", told, class_="bar", role="note")


def verdict_card(found: Verdict, language: Language) -> ET.Element:
    """Return the verdict as a card: shape and word, the sentence, what supports it."""
    told: list[Child] = [*found.support, as_written(sentence(found.reason), language) if found.reason else None]
    return node(
        "div",
        node("p", node("span", found.mark, class_="mark", aria_hidden="true"), found.word, class_="word"),
        node("p", _COUNT.sub("\\1\u00a0", found.sentence), class_="sentence"),
        node("ul", [node("li", s) for s in told if s is not None]),
        class_=f"verdict {found.state}",
    )


def contents(entries: Iterable[tuple[str, str]], language: Language) -> ET.Element:
    """Return links to the sections."""
    links = [node("li", node("a", title, href=f"#{key}")) for key, title in entries]
    return node("nav", node("ul", links), aria_label=say("contents", language))
