"""The figures of a validation run: centres, groups, comparisons, calibration and decision, each with its caption."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.figures.calibration import calibration_plot
from onclair.report.figures.decision import decision_plot
from onclair.report.figures.forest import PLOT_END, PLOT_START, Look, forest, standing_axis
from onclair.report.markup import Child
from onclair.report.page import as_written, figure
from onclair.report.plots import behind, behind_curve, dashed, net_benefit_curves, without_interval
from onclair.report.reading import Row, curves, is_virtual
from onclair.report.validation_names import NEW, POOLED, claim_figure, claim_name, claim_where, claim_who, the_figure
from onclair.report.validation_reading import (
    between_centres,
    centre_rows,
    comparisons,
    counted,
    gaps,
    heading_figure,
    models,
    one,
    outcome_text,
    strata,
)
from onclair.report.words import number, say, sentence

#: More models than this are left to the tables and to the JSON report.
MOST_DRAWN = 6
#: Centres on the first screen.
MOST_CENTRES = 8


def heading_plot(evidence: Evidence, language: Language) -> tuple[str, ET.Element | None]:
    """Return the picture of the first screen under the key of its title: the first model's centres, else the models on one axis."""
    known = models(evidence)
    if not known:
        return "group-ranking", None
    transport = transport_plot(evidence, heading_figure(evidence), known[0].name, language, on_first_screen=MOST_CENTRES)
    return ("transport", transport) if transport is not None else ("group-ranking", models_plot(evidence, language))


def models_plot(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return every model's heading figure on one axis; None without any in the record."""
    measure = heading_figure(evidence)
    found = [(m.name, one(evidence, measure, m.name, language)) for m in models(evidence)[: 2 * MOST_DRAWN]]
    rows = [Row(name, "model" if i == 0 else "rival", e) for i, (name, e) in enumerate(found)]
    return _forest(rows, evidence, ("heading-plot", measure), [], language) if rows else None


def transport_plot(
    evidence: Evidence, measure: str, who: str, language: Language, *, on_first_screen: int | None = None
) -> ET.Element | None:
    """Return one figure of one model centre by centre, with the pooled one and the range of a new centre; None without centres.

    Parameters
    ----------
    evidence : Evidence
    measure, who : str
    language : {"en", "fr"}
    on_first_screen : int, optional
        How many centres, the largest, are drawn there; all of them elsewhere.
    """
    every = centre_rows(evidence, measure, who, language)
    if not every:
        return None
    rows = every if on_first_screen is None else _largest(every, on_first_screen)
    pooled = any(claim_name(r.estimate.name).where in (POOLED, NEW) for r in rows)
    caption = "transport-caption" if pooled else "transport-plain-caption"
    words: list[Child] = [say(caption, language, figure=_capital(claim_figure(measure, language)), model=who), " "]
    if len(rows) < len(every):
        centres = sum(r.role == "other" for r in every)
        shown = sum(r.role == "other" for r in rows)
        words += [say("largest-centres", language, shown=number(shown, language, digits=0), all=number(centres, language, digits=0)), " "]
    spread = between_centres(evidence, measure, who)
    if spread is not None and spread.value is not None and on_first_screen is None:
        words += [
            say(
                "tau2-is",
                language,
                **the_figure(measure, language),
                value=number(spread.value, language, digits=3 if spread.value else 0),
            ),
            " ",
        ]
    key = f"transport-{_plain(who)}-{measure}-plot" if on_first_screen is None else "heading-plot"
    return _forest(rows, evidence, (key, measure), words, language)


def _largest(rows: Sequence[Row], most: int) -> tuple[Row, ...]:
    """Return the largest centres in their order, and what is pooled over all of them."""
    centres = sorted((r for r in rows if r.role == "other"), key=lambda r: -(r.estimate.n or 0))[:most]
    return tuple(r for r in rows if r.role != "other" or r in centres)


def groups_plot(evidence: Evidence, column: str, measure: str, who: str, language: Language) -> ET.Element | None:
    """Return one figure of one model by group; None where the record has none."""
    found = strata(evidence, column, measure, who)
    rows = [Row(counted(claim_where(claim_name(e.name).where, language), e, language), "other", e) for e in found]
    if not rows:
        return None
    rows.append(Row(say("whole", language), "pooled", one(evidence, measure, who, language)))
    words = [say("groups-caption", language, figure=_capital(claim_figure(measure, language)), model=who, key=column), " "]
    return _forest(rows, evidence, (f"group-{_plain(column)}-{_plain(who)}-{measure}-plot", measure), words, language)


def gaps_plot(evidence: Evidence, column: str, measure: str, who: str, language: Language) -> ET.Element | None:
    """Return the gaps of one figure between groups around 0; None where the record has none."""
    found = gaps(evidence, column, measure, who)
    rows = [Row(claim_where(claim_name(e.name).where, language), "rival", e) for e in found]
    words = [say("gaps-caption", language), " "]
    return _forest(rows, evidence, (f"gap-{_plain(column)}-{_plain(who)}-{measure}-plot", measure), words, language) if rows else None


def comparison_plot(evidence: Evidence, measure: str, language: Language) -> ET.Element | None:
    """Return the differences between models in one figure, around 0; None where the record has none."""
    found = [e for e in comparisons(evidence) if claim_name(e.name).figure == measure]
    rows = [Row(claim_who(claim_name(e.name).who, language), "rival", e) for e in found]
    words = [say("comparison-caption", language), " "]
    return _forest(rows, evidence, (f"comparison-{measure}-plot", measure), words, language) if rows else None


def calibration_of(evidence: Evidence, who: str, language: Language) -> ET.Element | None:
    """Return the calibration curve of one model with its band, and the distribution of its risks; None without one."""
    drawn = [c for c in curves(evidence, "calibration") if c.get("who") == who]
    if not drawn:
        return None
    look = Look(f"calibration-{_plain(who)}-plot", say("calibration-of", language, model=who), _predicted(evidence, language), language)
    look = Look(look.key, look.title, look.axis_title, language, is_virtual(evidence))
    spreads = [c for c in curves(evidence, "distribution") if c.get("who") == who]
    svg = calibration_plot(drawn[:1], spreads, look, lambda name: claim_who(name, language))
    words: list[Child] = [say("calibration-caption", language), f" {say('spread-below', language)} " if spreads else " "]
    return figure(svg, words, behind_curve(drawn[:1], evidence, language))


def decision_of(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return the decision curve over the declared thresholds; None under two of them."""
    known = [m.name for m in models(evidence)][: MOST_DRAWN - 2]
    drawn = [c for c in curves(evidence, "decision") or net_benefit_curves(evidence) if c.get("who") in (*known, "all", "none")]
    if not any(c.get("who") in known for c in drawn):
        return None
    look = Look("decision-plot", say("decision", language), say("threshold", language), language, is_virtual(evidence))
    svg = decision_plot(drawn, look, lambda who: claim_who(who, language))
    return figure(svg, say("decision-caption", language), " ", behind_curve(drawn, evidence, language))


def why_no_calibration(evidence: Evidence, who: str, language: Language) -> Child:
    """Return why a model has no calibration curve: the record's own reason, or that it holds none."""
    every = evidence.facts.get("curves") or ()
    told = [str(c["reason"]) for c in every if c.get("name") == "calibration" and c.get("who") == who and c.get("reason")]
    return as_written(sentence(told[0]), language) if told else say("no-curve", language)


def _forest(rows: Sequence[Row], evidence: Evidence, named: tuple[str, str], words: Sequence[Child], language: Language) -> ET.Element:
    key, measure = named
    title = _capital(claim_figure(measure, language))
    look = Look(key, title, claim_figure(measure, language), language, is_virtual(evidence))
    found: list[Estimate] = [r.estimate for r in rows]
    axis = standing_axis(found, PLOT_START, PLOT_END)
    told = _whole(found, evidence, measure)
    told = told[:1] if key == "heading-plot" else told  # short on the first screen; the same figure stands below with all of it
    return figure(
        forest(rows, look, axis), list(words), dashed(rows, language), without_interval(rows, language), behind(told, evidence, language)
    )


def _whole(found: Sequence[Estimate], evidence: Evidence, measure: str) -> list[Estimate]:
    """Return estimates for a caption, one over all patients first, so that its n is theirs."""
    known = models(evidence)
    whole = [one(evidence, measure, known[0].name, "en")] if known else []
    return [*(e for e in whole if e.n is not None), *found]


def _predicted(evidence: Evidence, language: Language) -> str:
    horizon = (evidence.facts.get("outcome") or {}).get("horizon")
    return say("predicted", language) if horizon is None else f"{say('predicted', language)} · {outcome_text(evidence, language)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plain(name: str) -> str:
    """Return a name as part of an anchor."""
    return "".join(c if c.isascii() and c.isalnum() else f"-{ord(c):x}-" for c in name)
