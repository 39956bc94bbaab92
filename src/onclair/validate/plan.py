"""What is asked of a table of predictions, declared before the truth is looked at: `onclair-plan/1`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.core.settings import Settings, setting

FORMAT = "onclair-plan/1"
_SECTIONS = ("columns", "models", "figures")
_MODEL_NAME = re.compile(r"^[A-Za-z0-9][\w.+-]*$")
_TAKEN = ("all", "none")
#: A number written as one: neither a text nor true or false.
Number = Annotated[float, Field(strict=True)]
Smoother = Literal["loess", "lowess", "rcs3", "rcs4", "rcs5"]


class Columns(Settings):
    """Which column holds what."""

    patient: str | None = setting(
        None, "whose row it is; rows that share it are one cluster", "à qui est la ligne ; celles d'un même patient forment une grappe"
    )
    truth: str | None = setting(None, "binary outcome", "critère binaire")
    positive: str | int | float | bool | None = setting(
        None, "value of the truth that is the event; 1 when left out", "valeur du critère qui est l'événement ; 1 par défaut"
    )
    time: str | None = setting(
        None, "follow-up, positive, in the unit of the horizon", "durée de suivi, positive, dans l'unité de l'horizon"
    )
    time_unit: Literal["day", "month", "year"] | None = setting(
        None, "unit of the follow-up and the horizon", "unité du suivi et de l'horizon"
    )
    event: str | None = setting(None, "0 censored, 1 of interest, 2 and more competing", "0 censuré, 1 d'intérêt, 2 et plus concurrents")
    centre: str | None = setting(None, "where the patient was treated", "où le patient a été traité")
    lesion: str | None = setting(
        None, "what the outcome belongs to when one patient has several", "à quoi se rapporte le critère quand un patient en a plusieurs"
    )
    subgroups: tuple[str, ...] = setting(
        (), "columns by whose values every figure is repeated", "colonnes selon lesquelles tout est répété"
    )


class ModelColumns(Settings):
    """The columns of one model."""

    column: str = setting(..., "its predictions", "ses prédictions")
    kind: Literal["risk", "score"] = setting("risk", "a probability, or what only ranks", "une probabilité, ou ce qui ne fait que classer")
    linear_predictor: str | None = setting(None, "log hazard relative to the baseline", "log-risque relatif au risque de base")
    cumulative_hazard: str | None = setting(
        None, "cumulative hazard at the row's own follow-up", "risque cumulé à la durée de suivi de la ligne"
    )


class Figures(Settings):
    """Which figures, and how."""

    horizon: float | None = setting(None, "by when the event counts", "échéance de l'événement", gt=0, strict=True)
    weights_at: float | None = setting(
        None,
        "time at which censoring-weighted figures are taken; the horizon when left out",
        "instant des figures pondérées par la censure ; l'horizon par défaut",
        gt=0,
        strict=True,
    )
    thresholds: tuple[Number, ...] = setting((), "risk thresholds, declared beforehand", "seuils de risque, déclarés à l'avance")
    prevalence: float | None = setting(
        None,
        "share of events in the population; case-control only",
        "part d'événements en population ; cas-témoins seulement",
        gt=0,
        lt=1,
        strict=True,
    )
    compare: tuple[tuple[str, str], ...] = setting((), "pairs of models to subtract", "paires de modèles à soustraire")
    smoother: Smoother = setting("loess", "of the flexible calibration curve", "de la courbe de calibration souple")
    level: float = setting(0.95, "confidence level of every interval", "niveau de confiance des intervalles", gt=0.5, lt=1, strict=True)
    bootstrap: int = setting(
        200,
        "replicates for figures without a closed-form interval; 0 for none",
        "rééchantillonnages ; 0 pour aucun",
        ge=0,
        le=100_000,
        strict=True,
    )
    seed: int = setting(1, "seed of the bootstrap", "graine du bootstrap", ge=0, strict=True)


class Plan(Settings):
    """A whole plan; :func:`read_plan` makes one from what a TOML file holds."""

    format: Literal["onclair-plan/1"] = setting(FORMAT, "the layout's version", "version du format")
    title: str = setting("", "of the report", "du rapport")
    outcome: Literal["binary", "survival", "competing"] = setting(..., "kind of outcome", "type de critère")
    design: Literal["internal", "external", "internal-external", "case-control", "prospective"] = setting(
        "external", "how the patients relate to those who taught the model", "lien des patients avec ceux qui ont appris au modèle"
    )
    data: Literal["patients", "virtual"] = setting("patients", "who the rows are", "qui sont les lignes")
    columns: Columns = Columns()
    models: dict[str, ModelColumns] = Field(default_factory=dict)
    figures: Figures = Figures()

    @property
    def risks(self) -> tuple[str, ...]:
        """The models that predict a probability."""
        return tuple(name for name, model in self.models.items() if model.kind == "risk")

    @property
    def weights_at(self) -> float | None:
        """When censoring-weighted figures are taken."""
        return self.figures.weights_at if self.figures.weights_at is not None else self.figures.horizon

    @property
    def used(self) -> tuple[str, ...]:
        """Every column that the plan names, once, in the plan's order."""
        own = self.columns
        named = [own.patient, own.truth, own.time, own.event, own.centre, own.lesion, *own.subgroups]
        named += [c for m in self.models.values() for c in (m.column, m.linear_predictor, m.cumulative_hazard)]
        return tuple(dict.fromkeys(c for c in named if c is not None))


def read_plan(document: Mapping[str, Any]) -> Plan:
    """Return the plan that a TOML document holds.

    Parameters
    ----------
    document : mapping
        ``format title outcome design data``, tables ``columns``, ``models.NAME`` and ``figures``.

    Returns
    -------
    Plan

    Raises
    ------
    BadSetting
        For an unknown key (the nearest is named), a value out of range, a column or horizon that the outcome needs and is not
        there, a threshold outside (0, 1), an unknown model in ``compare``, or a case-control design without prevalence.

    Examples
    --------
    >>> plan = read_plan({"outcome": "binary", "columns": {"truth": "y"}, "models": {"m": {"column": "p"}}})
    >>> plan.used, plan.risks, plan.figures.smoother
    (('y', 'p'), ('m',), 'loess')
    """
    if document.get("format", FORMAT) != FORMAT:
        raise BadSetting(f"The plan's format is '{document['format']}'; this version reads '{FORMAT}'.", item="format")
    tables = {name: _table(document, name) for name in _SECTIONS}
    parts: dict[str, Any] = {
        "columns": Columns.read(tables["columns"], source="[columns] of the plan"),
        "figures": Figures.read(tables["figures"], source="[figures] of the plan"),
        "models": {name: _model(name, tables["models"]) for name in tables["models"]},
    }
    _refuse_unknown(document)
    if "outcome" not in document:
        raise BadSetting('The plan names no outcome; write outcome = "binary", "survival" or "competing".', item="outcome")
    plan = Plan.read({k: v for k, v in document.items() if k not in _SECTIONS}, parts, source="the plan")
    for check in (_check_models, _check_outcome, _check_design, _check_figures):
        check(plan)
    return plan


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, Mapping):
        raise BadSetting(f"In the plan, '{name}' is {table!r}; it must be a table: write [{name}] on a line of its own.", item=name)
    return table


def _refuse_unknown(document: Mapping[str, Any]) -> None:
    for key in document:
        if key not in Plan.model_fields:
            raise BadSetting(f"The plan holds an unknown key '{key}'; {did_you_mean(key, Plan.model_fields)}", item=key)


def _model(name: str, models: Mapping[str, Any]) -> ModelColumns:
    if not _MODEL_NAME.match(name) or name in _TAKEN or "-minus-" in name:
        found = f"The model name '{name}' cannot be used in the name of a figure"
        rule = "take letters, digits, '.', '_', '+' and '-'"
        raise BadSetting(f"{found}; {rule}, none of {', '.join(_TAKEN)}, and no '-minus-', which names a difference.", item=name)
    table = _table(models, name)
    if "column" not in table:
        raise BadSetting(f'[models.{name}] of the plan names no column; write column = "NAME" of its predictions.', item=name)
    return ModelColumns.read(table, source=f"[models.{name}] of the plan")


def _check_models(plan: Plan) -> None:
    if not plan.models:
        raise BadSetting('The plan names no model; add a table [models.NAME] with column = "...".', item="models")
    for pair in plan.figures.compare:
        for name in pair:
            if name not in plan.models:
                raise BadSetting(f"The plan compares '{name}', which is no model of it; {did_you_mean(name, plan.models)}", item="compare")
        if pair[0] == pair[1]:
            raise BadSetting(f"The plan compares '{pair[0]}' with itself; name two different models.", item="compare")


def _check_outcome(plan: Plan) -> None:
    needed = ("truth",) if plan.outcome == "binary" else ("time", "event")
    foreign = ("time", "event") if plan.outcome == "binary" else ("truth", "positive")
    for name in needed:
        if getattr(plan.columns, name) is None:
            raise BadSetting(f"A {plan.outcome} outcome needs the column '{name}'; add {name} = \"...\" to [columns].", item=name)
    for name in foreign:
        if getattr(plan.columns, name) is not None:
            raise BadSetting(f"[columns] names '{name}', which a {plan.outcome} outcome does not have; remove it.", item=name)
    if plan.outcome != "binary" and plan.figures.horizon is None and plan.risks:
        why = f"'{plan.risks[0]}' is a risk by some time"
        raise BadSetting(f"The plan has no horizon, yet {why}; add horizon = ... to [figures], in the unit of the time.", item="horizon")
    for name in ("horizon", "weights_at"):
        if plan.outcome == "binary" and getattr(plan.figures, name) is not None:
            raise BadSetting(f"[figures] names '{name}', which a binary outcome does not have; remove it.", item=name)


def _check_design(plan: Plan) -> None:
    if plan.design == "case-control" and plan.outcome != "binary":
        raise BadSetting(f"A case-control design is judged on a binary outcome; the plan says '{plan.outcome}'.", item="design")
    if plan.design == "case-control" and plan.figures.prevalence is None:
        sentence = "A case-control design needs the share of events in the population; add prevalence = ... to [figures]"
        raise BadSetting(f"{sentence}, because the share in the table was chosen.", item="prevalence")
    if plan.design == "internal-external" and plan.columns.centre is None:
        raise BadSetting('An internal-external design goes from centre to centre; add centre = "..." to [columns].', item="centre")


def _check_figures(plan: Plan) -> None:
    figures = plan.figures
    for t in figures.thresholds:
        if not 0 < t < 1:
            raise BadSetting(f"The plan's threshold {t:g} lies outside (0, 1); thresholds are risks, such as 0.1.", item="thresholds")
    if len(set(plan.columns.subgroups)) != len(plan.columns.subgroups):
        raise BadSetting("The plan names a subgroup column twice; name each once.", item="subgroups")
    if len(set(figures.thresholds)) != len(figures.thresholds):
        raise BadSetting("The plan declares a threshold twice; name each once.", item="thresholds")
    if figures.weights_at is not None and figures.horizon is not None and figures.weights_at > figures.horizon:
        found = f"weights_at is {figures.weights_at:g} and the horizon {figures.horizon:g}"
        raise BadSetting(f"{found}; censoring weights are taken at the horizon or shortly before it.", item="weights_at")
