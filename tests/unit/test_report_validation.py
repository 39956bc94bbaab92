"""The report of a validation run: centres before what is pooled, a verdict by stated rules, nothing left out that is missing."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_validation_records import RECORDS, bare, competing, external, few, followed, score
from test_report_html import Page

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import LANGUAGES, Language
from onclair.report import labels, phrases
from onclair.report.files import report_files
from onclair.report.html import render_html
from onclair.report.json import report_dict
from onclair.report.phrases import LABELS
from onclair.report.phrases_validation import READ, VALIDATION
from onclair.report.validation_checks import checks
from onclair.report.validation_figures import transport_plot
from onclair.report.validation_reading import Model, models
from onclair.report.validation_verdict import validation_verdict
from onclair.report.words import in_words

EVERY = [(name, language) for name in RECORDS for language in LANGUAGES]


def _claim(**figures: tuple[float, float, float]) -> Evidence:
    """A model whose figures are given, all else in order: 1,000 patients, 300 events, another hospital."""
    given = {"auc": (0.8, 0.77, 0.83), "o_e": (1.01, 0.92, 1.1), "slope": (0.98, 0.85, 1.1)} | figures
    estimates = [Estimate(f"{f}:a", v, low=low, high=high, n=1000, events=300) for f, (v, low, high) in given.items()]
    estimates += [Estimate("nb:a@0.2", 0.15, low=0.12, high=0.18), Estimate("nb:all@0.2", 0.1), Estimate("nb:none@0.2", 0.0)]
    facts = {"kind": "validation", "design": "external", "models": [{"name": "a"}], "thresholds": [0.2], "centres": ["A", "B"]}
    return Evidence("validate", estimates=tuple(estimates), facts=facts)


def _with(record: Evidence, *estimates: Estimate, **facts: Any) -> Evidence:
    return replace(record, estimates=(*record.estimates, *estimates), facts={**record.facts, **facts})


def test_a_model_against_which_nothing_is_found_holds() -> None:
    found = validation_verdict(_claim())
    assert (found.state, found.mark) == ("holds", "●")
    assert found.sentence.startswith("It separates 80 of 100 pairs (0.77 to 0.83)")


@pytest.mark.parametrize(
    ("figures", "state"),
    [
        ({"auc": (0.52, 0.47, 0.57)}, "chance"),
        ({"auc": (0.4, 0.36, 0.45)}, "inverted"),
        ({"o_e": (1.3, 1.15, 1.45)}, "risks-off"),
        ({"slope": (0.6, 0.5, 0.7)}, "risks-off"),
        ({"slope": (0.98, 0.7, 1.3)}, "unproven"),
        ({"o_e": (1.0, 0.7, 1.4)}, "unproven"),
        ({"auc": (0.8, 0.7, 0.9)}, "unproven"),
        ({"o_e": (1.03, 1.01, 1.05)}, "holds"),
        ({"o_e": (1.0, 0.9, 1.1), "slope": (1.0, 0.9, 1.1)}, "at-home"),
    ],
)
def test_one_weak_figure_decides_the_verdict(figures: dict[str, tuple[float, float, float]], state: str) -> None:
    assert validation_verdict(_claim(**figures)).state == state


def test_ninety_nine_events_say_nothing_however_good_the_figures() -> None:
    record = _claim()
    found = validation_verdict(replace(record, estimates=tuple(replace(e, events=99) for e in record.estimates)))
    assert found.state == "cannot-tell"
    assert "99 events" in found.sentence


def test_an_internal_validation_never_holds() -> None:
    found = validation_verdict(_with(_claim(), design="internal"))
    assert (found.state, found.mark) == ("at-home", "◇")


def test_a_prediction_interval_that_holds_chance_varies() -> None:
    found = validation_verdict(_with(_claim(), Estimate("auc:a:new-centre", 0.78, low=0.45, high=0.95)))
    assert found.state == "varies"
    assert "a coin" in found.sentence


def test_a_gap_between_groups_counts_only_where_it_stands_for_their_number() -> None:
    gap = Estimate("auc:a:sex=F-minus-M", 0.1, low=0.02, high=0.18, method="z test p = 0.02, adjusted over 9 gaps p = 0.14 (Holm 1979)")
    assert validation_verdict(_with(_claim(), gap)).state == "holds"
    assert validation_verdict(_with(_claim(), replace(gap, method="z test p = 0.02"))).state == "varies"


def test_a_threshold_at_which_everyone_is_flagged_gains_nothing() -> None:
    record = _claim()
    alike = tuple(replace(e, value=0.1) if e.name == "nb:a@0.2" else e for e in record.estimates)
    assert validation_verdict(replace(record, estimates=alike)).state == "no-gain"


def test_a_score_ranks_and_is_never_said_to_hold() -> None:
    found = validation_verdict(score())
    assert found.state == "ranks-only"
    assert found.word == "Ranks; it gives no risk"


def test_virtual_patients_are_said_in_the_verdict_and_every_plot() -> None:
    assert validation_verdict(score()).sentence.startswith("On virtual patients")
    page = render_html(score(), "fr")
    plots = [s for s in re.findall(r"<svg.*?</svg>", page, flags=re.S) if re.search(r"(-plot|cell-\S+-0)-title", s)]
    assert plots
    assert all("virtuel" in plot for plot in plots)


def test_a_group_whose_name_holds_minus_is_no_gap() -> None:
    record = _with(_claim(), Estimate("auc:a:site=A-minus-B", 0.9, low=0.8, high=0.95), subgroups={"site": ["A-minus-B"]})
    assert next(c for c in checks(record, Model("a"), "en") if c.key == "groups").told == "no gap could be estimated"


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_the_page_asks_for_nothing_from_anywhere(name: str, language: Language) -> None:
    page = render_html(RECORDS[name](), language)
    for tag, attributes in Page(page).tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base", "form")
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert re.findall(r"url\((?!#)", page) == []


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_every_estimate_stands_in_the_page_with_its_reason(name: str, language: Language) -> None:
    record = RECORDS[name]()
    page = render_html(record, language)
    for estimate in record.estimates:
        assert f">{estimate.name}</code>" in page
        if estimate.reason:
            assert estimate.reason in page or in_words(estimate.reason, language) in page


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_every_figure_is_well_formed_and_has_a_name_of_its_own(name: str, language: Language) -> None:
    ids = []
    for svg in re.findall(r"<svg.*?</svg>", render_html(RECORDS[name](), language), flags=re.S):
        root = ET.fromstring(svg)
        ids += [e.get("id") for e in root.iter() if e.get("id")]
        told = root.find("{http://www.w3.org/2000/svg}desc")
        assert told is not None
        assert told.text
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", RECORDS)
def test_a_french_page_has_no_english_label_left_and_thin_spaces(name: str) -> None:
    every = [*LABELS.values(), *READ.values(), *labels.FIGURES.values(), *labels.WHO.values(), *labels.WHERE.values()]
    english = {w.en.split("{")[0].strip(" :(").lower() for w in every if w.en.lower() != w.fr.lower()} - {""}
    french = {w.fr.strip().lower() for w in every}
    page = render_html(RECORDS[name](), "fr")
    for text, foreign in Page(page).texts:
        assert foreign or text.lower() in french or text.lower() not in english, text
        assert foreign or re.search(r"[ \u00a0][;:!?»]|«[ \u00a0]", text) is None, text


def test_no_label_of_a_validation_run_takes_the_place_of_a_study_s() -> None:
    own = re.findall(r'^ {4,8}"([\w-]+)": Words', Path(phrases.__file__).read_text(encoding="utf-8"), flags=re.M)
    assert len(own) > 100
    assert set(own) & set(VALIDATION) == set()


def test_the_centres_stand_before_any_figure_over_all_of_them() -> None:
    page = render_html(external())
    assert page.index('id="transport"') < page.index('id="figures"') < page.index('id="estimates"')
    heading = page[page.index('aria-labelledby="heading-plot-title') :].partition("</svg>")[0]
    assert heading.index("centre D (8\u00a0/\u00a030)") < heading.index("all centres, pooled") < heading.index("a new centre")


def test_a_centre_with_too_few_events_is_dashed_and_does_not_stretch_the_axis() -> None:
    page = render_html(external())
    heading = page[page.index('aria-labelledby="heading-plot-title') :].partition("</svg>")[0]
    assert heading.count("unsure") == 1


def test_the_first_screen_gives_the_five_answers_and_what_it_is_not_for() -> None:
    page = render_html(followed())
    first = page[: page.index('aria-label="In this report"')]
    for key in ("claimed", "in-whom", "how-wrong", "gains", "must-not-tell", "not-for"):
        assert f"<h2>{LABELS[key].en}</h2>" in first
    assert "Acting from a risk of 23%: 27.0 (23.0 to 31.0); treating everyone, 26.2." in first
    assert "off by 3.0 percentage points on average (1.5 to 5.0)" in first


def test_only_declared_thresholds_are_drawn() -> None:
    page = render_html(external())
    plot = page[page.index('aria-labelledby="decision-plot-title') :].partition("</svg>")[0]
    assert len(re.findall(r'<circle[^>]*class="mark s1"', plot)) == 3
    assert "decision-plot" not in render_html(followed())


def test_ratios_stand_on_a_logarithmic_axis() -> None:
    page = render_html(external())
    plot = page[
        page.index('aria-labelledby="transport-basic-o-5f-e-plot-title' if "o-5f-e" in page else "transport-basic-o_e-plot-title") :
    ]
    ticks = re.findall(
        r'<text x="([\d.]+)" y="[\d.]+" class="quiet small" text-anchor="middle">(0\.5|1|2)</text>', plot.partition("</svg>")[0]
    )
    places = [float(x) for x, _ in ticks]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.1)


def test_what_could_not_be_estimated_is_said_once_a_reason() -> None:
    page = render_html(few())
    section = page[page.index('id="absent"') :].partition("</section>")[0]
    assert section.count("Only one class is present: 0 of 12 rows are positive.") == 2  # as not available, and as too few
    assert "average precision" in section


def test_a_title_that_is_a_script_stays_a_text() -> None:
    page = render_html(few())
    assert "&lt;script&gt;alert" in page
    assert "<script" not in page


def test_what_the_plan_and_the_table_were_is_in_the_provenance() -> None:
    section = render_html(external()).partition('id="provenance"')[2]
    assert "ab" * 32 in section
    assert "cd" * 32 in section
    assert external().id in section


def test_only_what_the_record_uses_is_cited() -> None:
    cited = render_html(followed()).partition('id="references"')[2].partition("</section>")[0]
    assert "sim.4154" in cited
    assert "Obuchowski" not in cited


def test_the_files_and_the_json_report_are_those_of_the_validation_run() -> None:
    files = report_files(competing())
    assert sorted(files) == ["report.fr.html", "report.html", "report.json"]
    told = json.loads(files["report.json"])
    assert told["format"] == "onclair-report/1"
    assert told["question"]["en"] == "Recurrence with competing death: does it hold?"
    assert told["verdict"]["fr"]["state"] == "risks-off"
    assert sorted(told) == sorted(report_dict(bare()))


def test_the_same_record_gives_the_same_bytes() -> None:
    assert render_html(external(), "fr") == render_html(external(), "fr")


def test_a_hundred_scores_still_make_a_page_that_says_so() -> None:
    names = [f"score{i}" for i in range(100)]
    estimates = tuple(Estimate(f"auc:{n}", 0.7, low=0.66, high=0.74, n=600, events=200) for n in names)
    facts = {"kind": "validation", "models": [{"name": n, "kind": "score"} for n in names]}
    page = render_html(Evidence("validate", estimates=estimates, facts=facts))
    assert page.count("auc:score") == 100
    assert "95 more" in page
    assert len(models(Evidence("validate", facts=facts))) == 100


def _two_centres(*estimates: Estimate) -> Evidence:
    ranked = [Estimate(f"auc:a:centre={c}", 0.8, low=0.7, high=0.9, n=100, events=40) for c in "AB"]
    return _with(_claim(), *ranked, *estimates, centres=["A", "B", "C"])


def _forest_of(record: Evidence, measure: str, language: Language) -> tuple[list[str], str]:
    drawn = transport_plot(record, measure, "a", language)
    assert drawn is not None
    svg, caption = drawn.find("svg"), drawn.find("figcaption")
    assert svg is not None
    assert caption is not None
    return [t.text or "" for t in svg.iter("text")], "".join(caption.itertext()).replace("\u00a0", " ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_centre_without_a_figure_says_so_in_its_row_and_why_in_the_caption(language: Language) -> None:
    why = "only one class is present: 0 of 12 rows are positive"
    silent = Estimate("auc:a:centre=C", n=12, events=0, status="not_available", reason=why)
    written, caption = _forest_of(_two_centres(silent), "auc", language)
    assert LABELS["not_available"].in_(language) in written
    assert not any(in_words(why, language)[:20] in each for each in written)
    assert in_words(why, language).replace("\u00a0", " ") in caption


def test_a_point_without_an_interval_says_so_and_why() -> None:
    why = "every row has the event, so the variance cannot be estimated"
    alone = Estimate("o_e:a:centre=C", 2.2, n=12, events=12, status="too_few", reason=why)
    others = [Estimate(f"o_e:a:centre={c}", 1.0, low=0.8, high=1.2, n=100, events=40) for c in "AB"]
    written, caption = _forest_of(_two_centres(*others, alone), "o_e", "en")
    assert "no interval" in " ".join(written)
    assert why in caption


def test_a_caption_gives_the_first_reasons_and_counts_the_others() -> None:
    silent = [Estimate(f"auc:a:centre=Z{i}", n=9, events=0, status="not_available", reason="there is no event") for i in range(5)]
    _, caption = _forest_of(_two_centres(*silent), "auc", "en")
    assert caption.count("there is no event") == 3
    assert "For 2 more, the reasons stand below." in caption


def test_a_figure_has_its_article_in_french() -> None:
    told = " ".join(f"{c.rule} {c.told}" for c in checks(_claim(), Model("a", "risk"), "fr"))
    assert "intervalle de l’AUC" in told
    assert not re.search(r"\bde AUC\b|, AUC ", told)


def test_degrees_of_freedom_are_told_of_the_whole_and_not_of_each_centre_again() -> None:
    record = _two_centres()
    told = [replace(e, method=f"empirical AUC; t quantile on {90 + i} degrees of freedom") for i, e in enumerate(record.estimates)]
    _, caption = _forest_of(replace(record, estimates=tuple(told)), "auc", "en")
    assert re.findall(r"t quantile on \d+", caption) == ["t quantile on 90"]
