"""The page: self-contained, whole in both languages, escaped, accessible, the same bytes each time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from report_records import RECORDS, phantoms, sarcoma, silent, table_study

from onclair.core.estimate import Estimate
from onclair.core.words import LANGUAGES, Language, Words
from onclair.report import labels
from onclair.report.figures.canvas import Axis
from onclair.report.figures.forest import whisker
from onclair.report.html import render_html
from onclair.report.phrases import LABELS
from onclair.report.plots import render_figure
from onclair.report.reading import controls
from onclair.report.words import in_words

EVERY = [(name, language) for name in RECORDS for language in LANGUAGES]
VOID = {"meta", "br", "link", "img"}


class Page(HTMLParser):
    """Elements, their attributes, and each text with whether it is marked as another language's."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, bool]] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            foreign = tag in ("code", "style") or (tag != "html" and dict(attrs).get("lang") == "en")
            self._open.append((tag, foreign or bool(self._open and self._open[-1][1])))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((data.strip(), bool(self._open and self._open[-1][1])))


def _svgs(page: str) -> list[str]:
    return re.findall(r"<svg.*?</svg>", page, flags=re.S)


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_the_page_asks_for_nothing_from_anywhere(name: str, language: Language) -> None:
    page = render_html(RECORDS[name](), language)
    for tag, attributes in Page(page).tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base", "form")
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        assert not any(key.startswith("on") for key in attributes)
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []


def test_the_page_forbids_requests_by_its_own_policy() -> None:
    policies = [
        a["content"] for t, a in Page(render_html(sarcoma())).tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies[0] is not None
    assert policies[0].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_every_estimate_stands_in_the_page(name: str, language: Language) -> None:
    record = RECORDS[name]()
    page = render_html(record, language)
    for estimate in record.estimates:
        assert f">{estimate.name}</code>" in page
        if estimate.reason:
            assert estimate.reason in page or in_words(estimate.reason, language) in page


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_the_same_record_gives_the_same_bytes(name: str, language: Language) -> None:
    assert render_html(RECORDS[name](), language) == render_html(RECORDS[name](), language)


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_every_figure_is_well_formed_and_can_be_read_aloud(name: str, language: Language) -> None:
    svgs = _svgs(render_html(RECORDS[name](), language))
    assert svgs
    ids = []
    for svg in svgs:
        root = ET.fromstring(svg)
        space = "{http://www.w3.org/2000/svg}"
        title, told = root.find(f"{space}title"), root.find(f"{space}desc")
        assert root.get("role") == "img"
        assert title is not None
        assert title.text
        assert told is not None
        assert told.text
        ids += [title.get("id"), told.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", RECORDS)
def test_a_french_page_has_no_english_label_left(name: str) -> None:
    every = [*LABELS.values(), *labels.FIGURES.values(), *labels.WHO.values(), *labels.WHERE.values()]
    english = {w.en.split("{")[0].strip(" :(").lower() for w in every if _differ(w)} - {""}
    french = {w.fr.strip().lower() for w in every}
    for text, foreign in Page(render_html(RECORDS[name](), "fr")).texts:
        assert foreign or text.lower() in french or text.lower() not in english, text


def _differ(words: Words) -> bool:
    return words.en.lower() != words.fr.lower()


def test_a_title_that_is_a_script_stays_a_text() -> None:
    page = render_html(table_study())
    assert "&lt;script&gt;alert" in page
    assert "<script" not in page
    assert "Köln &lt;b&gt;" in page


def test_a_control_character_does_not_break_the_page() -> None:
    record = table_study()
    facts = dict(record.facts) | {"centres": ["A\x00\x08B"]}
    assert "AB" in render_html(type(record)("validate", estimates=record.estimates, facts=facts))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_names_its_language_headings_and_captions(language: Language) -> None:
    page = Page(render_html(sarcoma(), language))
    assert page.tags[0] == ("html", {"lang": language})
    assert [t for t, _ in page.tags].count("h1") == 1
    assert ("div", {"class": "bar", "role": "note"}) in page.tags
    anchors = {a["href"] for t, a in page.tags if t == "a"}
    assert anchors == {f"#{a['id']}" for t, a in page.tags if t == "section"}


def test_virtual_patients_are_said_inside_every_plot() -> None:
    svgs = _svgs(render_html(phantoms(), "fr"))
    plots = [s for s in svgs if re.search(r'aria-labelledby="(forest|centres|[a-z]+-plot|difference-axis)', s)]
    assert len(plots) == 6
    assert all(re.search(r'class="virtual"[^>]*>virtuel<', s) for s in plots)


def test_real_patients_are_never_called_virtual() -> None:
    assert 'class="virtual"' not in render_html(sarcoma())
    assert "virtual patients" not in render_html(sarcoma())


def test_a_rival_without_a_figure_keeps_its_row_and_its_reason() -> None:
    forest = next(s for s in _svgs(render_html(silent())) if "forest-title" in s)
    assert forest.count("not available") >= 4
    assert "the lesion" in forest


def test_who_was_left_out_and_what_is_missing_is_listed() -> None:
    page = render_html(sarcoma())
    assert "the outline of STS_044 is empty" in page
    assert "the outline holds one grey level" in page


def test_columns_that_a_control_cannot_change_are_counted_and_named() -> None:
    page = render_html(sarcoma())
    assert "120 of 180 columns can change; the 13 below cannot" in page
    assert "morph_sphericity" in page


def test_a_record_with_no_facts_at_all_still_gives_a_page() -> None:
    page = render_html(type(sarcoma())("validate"), "fr")
    assert "aucune grandeur du modèle" in page


def test_a_figure_by_itself_is_a_whole_svg_file_with_its_colours() -> None:
    text = render_figure(sarcoma(), "forest", "fr")
    assert text.startswith("<?xml")
    assert "--series-1: #0072B2" in text
    ET.fromstring(text.encode())


def test_the_interval_of_each_row_lies_where_its_numbers_say() -> None:
    forest = ET.fromstring(render_figure(sarcoma(), "forest").encode())
    space = "{http://www.w3.org/2000/svg}"
    ticks = {t.text: float(t.get("x", "0")) for t in forest.iter(f"{space}text") if t.get("class") == "quiet small"}
    scale = (ticks["1.0"] - ticks["0.2"]) / 0.8
    dot = next(c for c in forest.iter(f"{space}circle") if c.get("class") == "mark s1")
    assert (float(dot.get("cx", "0")) - ticks["0.2"]) / scale + 0.2 == pytest.approx(0.744, abs=0.002)


def test_a_feature_whose_weight_is_unknown_has_a_dash_and_no_bar() -> None:
    record = sarcoma()
    features, explained = [{"name": "stat_max"}, {"name": "stat_min"}], [{"name": "stat_min", "importance": 0.2}]
    model = {"candidates": ["forest"], "chosen": {"forest": 50}, "locked": "forest", "features": features, "explained": explained}
    page = render_html(replace(record, facts={**record.facts, "model": model}))
    rows = re.search(r"Features of the locked model.*?</table>", page, flags=re.S)
    assert rows is not None
    assert rows.group().count("<svg") == 1
    assert '<td class="number">–</td>' in rows.group()


def test_a_correlation_under_a_control_is_not_taken_for_a_control() -> None:
    record = sarcoma()
    more = Estimate("spearman:model:shuffled-voxels:volume", 0.6, low=0.4, high=0.8, n=51, method="Spearman")
    assert controls(replace(record, estimates=(*record.estimates, more)), "en") == controls(record, "en")


def test_a_curve_that_leaves_its_square_is_cut_there() -> None:
    svg = ET.fromstring(render_figure(sarcoma(), "calibration").encode())
    space = "{http://www.w3.org/2000/svg}"
    clipped = [g for g in svg.iter(f"{space}g") if g.get("clip-path") == "url(#calibration-plot-clip)"]
    assert svg.find(f"{space}clipPath") is not None
    assert len(clipped) == 1


def test_seven_series_get_a_key_that_fits_its_picture() -> None:
    record = phantoms()
    everyone = [{**c, "who": f"rival:r{i}"} for i in range(7) for c in record.facts["curves"][2:3]]
    svg = ET.fromstring(render_figure(replace(record, facts={**record.facts, "curves": everyone}), "decision").encode())
    places = [float(t.get("y", "0")) for t in svg.iter("{http://www.w3.org/2000/svg}text") if (t.text or "").startswith("r")]
    assert len([p for p in places if p > 400]) == 7
    assert max(places) < float(svg.get("viewBox", "").split()[3])


def test_the_line_under_the_question_names_the_outcome_and_the_model() -> None:
    told = re.search(r'class="asked">(.*?)</p>', render_html(sarcoma()))
    assert told is not None
    assert (
        told.group(1) == "Outcome: lung metastasis. Model: chosen among logistic regression and random forest; locked: logistic regression."
    )


def test_candidates_stand_in_the_order_of_how_often_they_were_chosen() -> None:
    page = render_html(sarcoma())
    table = page[page.index('id="model"') :]
    assert table.index("random forest") < table.index("logistic regression (locked)")


def test_what_times_chosen_counts_is_said_where_folds_and_repeats_are_known() -> None:
    page = render_html(sarcoma())
    assert "in how many of the 50 fits (5 outer folds × 10 repeats)" in page


def test_columns_that_a_control_cannot_change_are_folded_by_family_with_counts() -> None:
    families = re.findall(r"<dt>([^<]*) <strong>(\d+)</strong></dt>", render_html(sarcoma()))
    assert families == [("intensity statistics", "10"), ("morphology", "3")]


def _astray() -> Estimate:
    few = "19 events and 32 non-events; a smooth calibration curve needs 100 of each to mean much"
    return Estimate("ici:model", 0.04, low=0.05, high=0.18, n=51, events=19, status="too_few", reason=few)


def test_an_interval_that_does_not_hold_its_value_is_written_with_a_caution() -> None:
    record = sarcoma()
    page = render_html(replace(record, estimates=(*record.estimates, _astray())))
    row = page[page.index(">ici:model</code>") :].partition("</tr>")[0]
    assert "0.040" in row
    assert "0.050 to 0.180" in row
    assert "does not hold the value" in row
    assert "too few" in row


def test_an_interval_that_does_not_hold_its_value_is_not_drawn() -> None:
    axis = Axis(0.0, 1.0, 0.0, 100.0)
    assert [drawn.tag for drawn in whisker(_astray(), axis, 10.0)] == ["circle"]
    assert len(whisker(replace(_astray(), low=0.03), axis, 10.0)) == 4


def test_a_reason_inside_a_french_warning_is_french() -> None:
    gap = "every voxel has the same value (3.2)"
    fr = f"La caractéristique stat_skew manque chez 2 patients : {gap}."
    warning = {"code": "feature_missing", "text": f"The feature stat_skew is missing in 2 patients: {gap}.", "fr": fr}
    page = render_html(replace(sarcoma(), warnings=(warning,)), "fr")
    assert "tous les voxels ont la même valeur (3,2)." in page


def test_each_method_is_written_once_and_its_number_stands_in_the_rows() -> None:
    record = sarcoma()
    section = render_html(record).partition('<section id="estimates"')[2].partition("</section>")[0]
    table, _, listed = section.partition("</table>")
    methods = list(dict.fromkeys(e.method for e in record.estimates if e.method))
    told = re.findall(r'<li value="(\d+)">(.*?)</li>', listed)
    assert told == [(str(i), m) for i, m in enumerate(methods, start=1)]
    assert not any(m in table for m in methods)
    numbers = re.findall(r'<td [^>]*data-label="Method"[^>]*>(.*?)</td>', table)
    assert numbers == [str(methods.index(e.method) + 1) if e.method else "" for e in record.estimates]


def test_a_figure_whose_name_says_whose_it_is_says_it_once() -> None:
    assert "ensembles de prédiction · ensembles" not in render_html(sarcoma(), "fr")


@pytest.mark.parametrize("name", RECORDS)
def test_every_french_text_has_thin_spaces_before_high_punctuation(name: str) -> None:
    page = render_html(RECORDS[name](), "fr")
    texts = [*(t for t, foreign in Page(page).texts if not foreign), *re.findall(r"<(?:title|desc)[^>]*>(.*?)</", page)]
    assert [t for t in texts if re.search(r"[ \u00a0][;:!?»]|«[ \u00a0]", t)] == []
