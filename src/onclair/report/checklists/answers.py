"""What a record can answer, shared by the lists. Each returns what the report holds and where, or None; nothing is made up."""

from __future__ import annotations

from onclair.report.checklists.record import (
    CALIBRATION,
    OPERATING,
    PERFORMANCE,
    UTILITY,
    Answer,
    Figure,
    Record,
    figures,
    part,
)
from onclair.report.labels import PAIRS

#: Places that tell how performance varies between centres.
BETWEEN = ("centres", "new-centre", "tau2")
#: Settings of a study that say how its data were divided.
DIVISION = ("folds", "inner_folds", "repeats", "seed")
#: Learners on a table of features: none of them reads pixels.
TABULAR = frozenset({"logistic", "ridge", "lasso", "elasticnet", "forest", "boosting", "svm", "cox"})


def aims(record: Record) -> Answer | None:
    """Return what was asked, and that a model was developed or judged."""
    if record.is_validation:
        return record.found("kind", "design", "outcome", "models")
    asked = question(record)
    return asked and asked.beside(part(record.model, ("candidates",), "/facts/model"))


def question(record: Record) -> Answer | None:
    """Return what a study asks, which names what the model must beat."""
    return record.found("question") if record.develops else None


def prospective(record: Record) -> Answer | None:
    """Return the design where the plan declares a prospective one; no other design says which way it looks.

    Examples
    --------
    >>> prospective(Record({"facts": {"design": "prospective"}})).source
    '/facts/design'
    >>> prospective(Record({"facts": {"design": "external"}})) is None
    True
    """
    return record.found("design") if record.design == "prospective" else None


def performance(record: Record) -> Answer | None:
    """Return the judged models' figures over the whole cohort with their intervals, if one that ranks is among them."""
    shown = [f for f in record.own(PERFORMANCE) if f.record["value"] is not None and f.record["low"] is not None]
    ranks = [f for f in shown if f.figure in PAIRS and f.has_interval]
    return figures([*ranks, *(f for f in shown if f not in ranks)]) if ranks else None


def measures(record: Record) -> Answer | None:
    """Return every measure and how it was obtained, comparisons included."""
    told = [f for f in record.figures if f.record["method"] and not f.where]
    return figures(told)


def uncertainty(record: Record) -> Answer | None:
    """Return the intervals of the figures that rank, their level and how they were obtained."""
    told = [f for f in record.own(PAIRS) if f.has_interval and f.record["method"]]
    return figures(told)


def discrimination(record: Record) -> Answer | None:
    """Return the figures that rank, with their intervals.

    Examples
    --------
    >>> estimate = {"name": "auc:model", "value": 0.8, "low": 0.7, "high": 0.9, "level": 0.95, "status": "ok"}
    >>> discrimination(Record({"facts": {}, "estimates": [estimate]})).source
    '/estimates/0'
    >>> discrimination(Record({"facts": {}, "estimates": [{**estimate, "status": "too_few"}]})) is None
    True
    """
    return figures([f for f in record.own(PAIRS) if f.has_interval])


def task_measures(record: Record) -> Answer | None:
    """Return figures that rank and, for a binary outcome, those of the confusion matrix at declared thresholds."""
    names = (PAIRS, OPERATING) if record.outcome_kind == "binary" else (PAIRS,)
    groups = [[f for f in record.own(each) if f.has_interval] for each in names]
    return figures([f for group in groups for f in group]) if all(groups) else None


def calibration(record: Record) -> Answer | None:
    """Return how risks agree with what happened, with intervals."""
    return figures([f for f in record.own(CALIBRATION) if f.has_interval])


def whole_performance(record: Record) -> Answer | None:
    """Return discrimination, calibration and net benefit, if every one of the three is there."""
    groups = [[f for f in record.own(names) if f.has_interval] for names in (PAIRS, CALIBRATION, UTILITY)]
    return figures([f for group in groups for f in group]) if all(groups) else None


def diagnostic(record: Record) -> Answer | None:
    """Return sensitivity and specificity at declared thresholds, or the AUC, of a binary outcome."""
    if record.outcome_kind != "binary":
        return None
    return figures([f for f in record.own((*OPERATING, "auc")) if f.has_interval])


def between_centres(record: Record) -> Answer | None:
    """Return how performance varies between centres: pooled over them, for a new one, and in each where there are two or more."""
    return figures(_between(record))


def handled_centres(record: Record) -> Answer | None:
    """Return how differences between centres were measured."""
    return figures([f for f in _between(record) if f.record["method"]])


def _between(record: Record) -> list[Figure]:
    pooled = [f for f in record.own(PERFORMANCE, where=lambda place: place in BETWEEN) if f.holds]
    single = [
        f for f in record.own(PAIRS, where=lambda place: place.startswith(("centre=", "centre:")) and "-minus-" not in place) if f.holds
    ]
    return sorted([*pooled, *(single if len(single) > 1 else [])], key=lambda f: f.index)


def sizes(record: Record) -> Answer | None:
    """Return patients or rows and events behind each figure that ranks, in every group."""
    told = [f for f in record.own(PAIRS, where=lambda _: True) if f.record["n"] is not None and f.record["events"] is not None]
    return figures(told)


def size(record: Record) -> Answer | None:
    """Return patients and events, and how many columns a model could look at where one was trained."""
    return record.found("patients", "events", "columns") if record.develops else record.found("patients", "events")


def flow(record: Record) -> Answer | None:
    """Return who was judged, with and without the event, and who was left out."""
    if record.is_validation:
        return record.found("patients", "rows", "events", "excluded")
    told = record.found("patients", "events")
    left_out = "/facts/left_out" if record.facts.get("left_out") is not None else None
    return Answer(told.value, told.source, (*told.also, left_out)) if told and left_out else None


def binary_flow(record: Record) -> Answer | None:
    """Return the flow of an outcome that needs no follow-up time."""
    return flow(record) if record.outcome_kind == "binary" else None


def missing(record: Record) -> Answer | None:
    """Return how gaps were met: rows left out and counted, or that there were none.

    Examples
    --------
    >>> missing(Record({"facts": {"kind": "validation", "excluded": 3}}))
    Answer(value=3, source='/facts/excluded', also=())
    >>> missing(Record({"facts": {"missing": [{"column": "a"}], "left_out": []}})) is None
    True
    """
    if record.is_validation:
        return record.found("excluded")
    if record.facts.get("missing") != []:
        return None
    return Answer([], "/facts/missing", ("/facts/left_out",)) if record.facts.get("left_out") is not None else None


def missing_and_censored(record: Record) -> Answer | None:
    """Return how gaps were met, and for outcomes in time how censoring was weighted."""
    answer = missing(record)
    if answer is None or record.outcome_kind not in ("survival", "competing"):
        return answer
    return figures([f for f in record.own(("brier", "auc_t", "o_e", "uno")) if f.record["method"]])


def division(record: Record) -> Answer | None:
    """Return how a study divided its data into folds."""
    return part(record.settings, DIVISION, "/facts/settings") if record.develops else None


def division_by_patient(record: Record) -> Answer | None:
    """Return the sentence that says that folds were cut by patient."""
    told = [f for f in record.own(PAIRS) if record.develops and "by patient" in str(f.record["method"])]
    return figures(told)


def whole_pipeline_resampled(record: Record) -> Answer | None:
    """Return that every choice was made again inside each fold: the folds, and how often each learner was chosen."""
    how, chosen = division(record), part(record.model, ("chosen",), "/facts/model")
    return chosen.beside(how) if how and chosen else None


def selection(record: Record) -> Answer | None:
    """Return among which learners the final model was chosen, how often each was, and which it is."""
    return part(record.model, ("chosen", "candidates", "locked"), "/facts/model") if record.develops and division(record) else None


def against_overfitting(record: Record) -> Answer | None:
    """Return what keeps a study's model small: learners chosen in inner folds, and at most so many features."""
    kept = part(record.settings, ("inner_folds", "features_kept"), "/facts/settings")
    candidates = part(record.model, ("candidates",), "/facts/model")
    return kept.beside(candidates) if kept and candidates else None


def beyond_apparent(record: Record) -> Answer | None:
    """Return that the model was judged on patients who did not teach it."""
    if record.is_elsewhere:
        return record.found("design")
    return division(record)


def internal(record: Record) -> Answer | None:
    """Return performance on held-out patients of the cohort that taught the model."""
    if record.develops:
        told = [f for f in record.own(PAIRS) if f.has_interval and "out of fold" in str(f.record["method"])]
        return figures(told)
    return discrimination(record) if record.design in ("internal", "internal-external") else None


def external(record: Record) -> Answer | None:
    """Return performance on patients whom the plan declares to be others than those who taught the model."""
    return discrimination(record) if record.is_elsewhere else None


def other_centres(record: Record) -> Answer | None:
    """Return performance at centres that taught the model nothing."""
    told = [f for f in record.own(PAIRS, where=lambda place: place == "leave-one-centre-out") if record.develops and f.has_interval]
    return figures(told)


def source(record: Record) -> Answer | None:
    """Return where a study's cohort comes from and how to cite it."""
    return part(record.facts.get("cohort") or {}, ("source", "title", "citation"), "/facts/cohort")


def availability(record: Record) -> Answer | None:
    """Return where a study's data are and under which licence.

    Examples
    --------
    >>> availability(Record({"facts": {"cohort": {"source": "TCIA", "licence": "CC BY 3.0"}}}))
    Answer(value='TCIA', source='/facts/cohort/source', also=('/facts/cohort/licence',))
    >>> availability(Record({"facts": {"cohort": {"source": "TCIA", "licence": ""}}})) is None
    True
    """
    return part(record.facts.get("cohort") or {}, ("source", "licence"), "/facts/cohort")


def software(record: Record) -> Answer | None:
    """Return the versions of what trained and judged a study's model."""
    environment = record.report.get("provenance", {}).get("environment")
    return Answer(environment, "/provenance/environment") if record.develops and environment else None


def beside_dull(record: Record) -> Answer | None:
    """Return what the model gains over rivals that look at something else than its features."""
    names = [str(r["name"]) for r in record.facts.get("rivals") or () if r["name"] != "prevalence"]
    return _beside(record, names)


def beside_prevalence(record: Record) -> Answer | None:
    """Return what the model gains over giving everybody the same risk."""
    return _beside(record, ["prevalence"])


def _beside(record: Record, rivals: list[str]) -> Answer | None:
    whos = {f"model-minus-{name}" for name in rivals}
    return figures([f for f in record.figures if f.who in whos and f.figure in PAIRS and not f.where and f.has_interval])


def volume_confound(record: Record) -> Answer | None:
    """Return how far the model's risk goes with the outlined volume alone."""
    if not record.facts.get("volume"):
        return None
    return figures([f for f in record.figures if f.figure == "spearman" and f.where == "volume" and f.has_interval])


def several_centres(record: Record) -> Answer | None:
    """Return the centres whose images were read, where there are two or more.

    Examples
    --------
    >>> several_centres(Record({"facts": {"volume": "morph_volume", "centres": ["A", "B"]}})).value
    ['A', 'B']
    """
    return record.found("centres") if record.imaging and len(record.centres) > 1 else None


def outlined(record: Record) -> Answer | None:
    """Return the column that holds the outlined volume."""
    return record.found("volume") if record.imaging else None


def extraction(record: Record) -> Answer | None:
    """Return every setting of a study that measures hand-made features on images."""
    handmade = record.imaging and {"bin_width", "textures"} <= set(record.settings)
    return Answer(dict(record.settings), "/facts/settings") if handmade else None


def tabular(record: Record) -> Answer | None:
    """Return the number of columns of the table that the learners saw."""
    return record.found("columns") if record.develops else None


def learners(record: Record) -> Answer | None:
    """Return the learners, where every one of them is known to work on a table of features.

    Examples
    --------
    >>> learners(Record({"facts": {"model": {"candidates": ["lasso", "unet"]}}})) is None
    True
    """
    candidates = record.model.get("candidates") or []
    return Answer(candidates, "/facts/model/candidates") if candidates and set(candidates) <= TABULAR else None


def dimensionality(record: Record) -> Answer | None:
    """Return columns, features kept, patients and events."""
    counts = record.found("columns", "patients", "events") if record.develops else None
    kept = part(record.settings, ("features_kept",), "/facts/settings")
    return counts.beside(kept) if counts and kept else None
