"""Model cards: what a paper says of its radiomic model, in TOML; what it does not say is a finding, never a default.

A card has ``[card]``, ``[roi]``, ``[preprocessing]``, any number of ``[[filter]]`` and ``[[feature]]``, ``[model]`` and ``[reported]``;
that of a network has ``[network]`` in place of features.
Cards of published models ship in ``io/reference/cards``, each with its source.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadInput, BadSetting
from onclair.core.names import did_you_mean
from onclair.io.card_keys import Table, known, read_part
from onclair.io.card_tables import (
    NATIVE,
    NETWORK_SCORE,
    NETWORKS,
    NONE,
    SUMS,
    About,
    CardFeature,
    CardFilter,
    CardModel,
    Discretise,
    Network,
    Outlining,
    Preprocessing,
    Reported,
)
from onclair.io.executable import refuse_executable_file
from onclair.io.model_document import FORMAT
from onclair.io.models import ModelRecord
from onclair.io.predictions import read_toml

__all__ = [
    "NATIVE",
    "NETWORKS",
    "NETWORK_SCORE",
    "NONE",
    "SUMS",
    "Card",
    "CardFeature",
    "CardFilter",
    "Discretise",
    "Network",
    "card_from",
    "card_names",
    "input_name",
    "keys_of_card",
    "model_record",
    "read_card",
]


@dataclass(frozen=True, slots=True)
class Card:
    """A model card.

    Attributes
    ----------
    about, roi, preprocessing, filters, features, model, network, reported
        The card's tables. A network has one feature, ``network_score``, of weight 1.
    document : mapping
        The card as it was written, plain values.
    home : Path or None
        The folder that it was read from, in which the files lie that it names; part of no hash.

    Examples
    --------
    >>> read_card("suvmax-only").features[0].tag
    'stat_max'
    """

    about: About
    roi: Outlining
    preprocessing: Preprocessing
    filters: tuple[CardFilter, ...]
    features: tuple[CardFeature, ...]
    model: CardModel
    network: Network
    reported: Reported
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    home: Path | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The card's name."""
        return self.about.name

    @property
    def sha256(self) -> str:
        """SHA-256 of the card as plain values: comments and the order of keys do not count."""
        return sha256_of(self.document)

    @property
    def missing(self) -> tuple[str, ...]:
        """What the card does not say, as ``table.key``, in the card's order; for features ``feature.TAG.key``.

        Examples
        --------
        >>> read_card("suvmax-only").missing  # doctest: +ELLIPSIS
        ('card.population', 'card.outcome', 'model.intercept', 'reported.n', ..., 'reported.interval')
        """
        return tuple(_missing(self))


def card_names() -> tuple[str, ...]:
    """Return the names of the cards that ship with the program.

    Examples
    --------
    >>> "aerts-2014" in card_names()
    True
    """
    home = importlib.resources.files("onclair.io") / "reference" / "cards"
    return tuple(sorted(each.name.removesuffix(".toml") for each in home.iterdir() if each.name.endswith(".toml")))


def read_card(given: str | Path) -> Card:
    """Return a card by the name of one that ships, or by its file.

    Parameters
    ----------
    given : str or Path
        ``aerts-2014``, or a path to a TOML file.

    Returns
    -------
    Card

    Raises
    ------
    BadSetting
        For a name that neither ships nor is a file (nearest name offered), text that is not TOML, an unknown key or word (nearest
        offered), a value of the wrong kind, or a feature on a filter that the card does not define.
    BadModelFile
        For a file that is no card but a model that would run code, told by its content and never opened.

    Examples
    --------
    >>> read_card("volume-cox").model.kind
    'cox'
    """
    names = card_names()
    path = Path(given)
    if str(given) in names and not path.is_file():
        with importlib.resources.as_file(importlib.resources.files("onclair.io") / "reference" / "cards" / f"{given}.toml") as shipped:
            return card_from(read_toml(shipped, "card"), f"the card '{given}'")
    if path.suffix != ".toml" and not path.exists():
        raise BadSetting(f"There is no card named '{given}', and no file of that name; {did_you_mean(str(given), names)}", item=str(given))
    return replace(card_from(_read(path), f"the card {path.name}"), home=path.resolve().parent)


def _read(path: Path) -> dict[str, Any]:
    """Return what a card file holds; where it is no TOML, say so, unless it is a pickle in some dress: that is the news then."""
    try:
        return read_toml(path, "card")
    except BadSetting:
        if path.is_file():
            refuse_executable_file(path)
        raise


def card_from(document: Mapping[str, Any], where: str = "the card") -> Card:
    """Return the card that a TOML document holds; `where` names it in errors.

    Raises
    ------
    BadSetting
        As :func:`read_card`.

    Examples
    --------
    >>> card = card_from({"card": {"name": "m"}, "feature": [{"tag": "stat_max"}], "model": {"kind": "logistic"}})
    >>> "feature.stat_max.coefficient" in card.missing
    True
    """
    known(document, _TABLES, where)
    part = {name: document.get(name, {}) for name in _TABLES}
    filters = tuple(read_part(CardFilter, each, f"[[filter]] of {where}") for each in _rows(part["filter"], "filter", where))
    model = read_part(CardModel, part["model"], f"[model] of {where}")
    alone = [{"tag": NETWORK_SCORE, "coefficient": 1.0}] if model.kind in NETWORKS else []
    features = tuple(read_part(CardFeature, each, f"[[feature]] of {where}") for each in _rows(part["feature"], "feature", where) or alone)
    card = Card(
        read_part(About, part["card"], f"[card] of {where}"),
        read_part(Outlining, part["roi"], f"[roi] of {where}"),
        read_part(Preprocessing, part["preprocessing"], f"[preprocessing] of {where}"),
        filters,
        features,
        model,
        read_part(Network, part["network"], f"[network] of {where}"),
        read_part(Reported, part["reported"], f"[reported] of {where}"),
        _plain(document),
    )
    _check_features(card, where)
    return card


def model_record(card: Card) -> ModelRecord:
    """Return the card's sum as a record of ``onclair-model/1``; what is missing stays missing in it.

    Parameters
    ----------
    card : Card
        Linear, logistic or Cox, with a coefficient for every feature.

    Raises
    ------
    BadInput
        When it is no sum, or a coefficient or a constant of a feature is not known.

    Examples
    --------
    >>> model_record(read_card("volume-cox")).document["terms"]
    [{'input': 'original_shape_MeshVolume', 'transform': 'identity', 'coefficient': 7.2686125e-06}]
    """
    if card.model.kind not in SUMS:
        raise BadInput(f"The card '{card.name}' is a {card.model.kind}, which is no sum of features; only {', '.join(SUMS)} are.")
    unknown = [item for item in card.missing if item.startswith("feature.")]
    if unknown:
        raise BadInput(f"The card '{card.name}' does not give {unknown[0]}; without it there is no score: add it.", item=unknown[0])
    shift, terms = 0.0, []
    for each in card.features:
        weight = float(each.coefficient or 0.0)
        if each.transform == "z-score":
            weight = weight / float(each.sd or 1.0)
            shift -= weight * float(each.mean or 0.0)
        transform = "identity" if each.transform in (None, "z-score") else each.transform
        terms.append({"input": input_name(each), "transform": transform, "coefficient": weight})
    document: dict[str, Any] = {"format": FORMAT, "name": card.name, "family": card.model.kind, "outcome": card.about.outcome or "unknown"}
    document |= {"inputs": [{"name": input_name(each)} for each in card.features], "terms": terms}
    if card.model.intercept is not None:
        document["intercept"] = card.model.intercept + shift
    if card.model.baseline is not None:
        document["baseline"] = {**card.model.baseline, "centre": float(card.model.baseline.get("centre", 0.0)) - shift}
    if card.model.cutoff is not None:
        document["thresholds"] = [card.model.cutoff - shift if card.model.intercept is None else card.model.cutoff]
    return ModelRecord(document)


def input_name(feature: CardFeature) -> str:
    """Return what a feature is called in tables: its tag, with its aggregation, the filter before a colon.

    Examples
    --------
    >>> input_name(CardFeature("cm_corr", filter="log", aggregation="3D_comb"))
    'log:cm_corr_3D_comb'
    """
    tag = feature.tag if feature.aggregation is None else f"{feature.tag}_{feature.aggregation}"
    return tag if feature.filter is None else f"{feature.filter}:{tag}"


def keys_of_card() -> dict[str, dict[str, str]]:
    """Return what every key of a card means, by table: the card's reference.

    Examples
    --------
    >>> keys_of_card()["feature"]["coefficient"]
    'the weight'
    """
    return {name: {each.name: str(each.metadata["about"]) for each in fields(kind)} for name, kind in _TABLES.items()}


_TABLES: Mapping[str, Table] = {
    "card": About,
    "roi": Outlining,
    "preprocessing": Preprocessing,
    "filter": CardFilter,
    "feature": CardFeature,
    "model": CardModel,
    "network": Network,
    "reported": Reported,
}


def _missing(card: Card) -> Iterator[str]:
    said = card.about
    for name in ("claim", "modality", "population", "outcome"):
        if getattr(said, name) is None:
            yield f"card.{name}"
    if said.source is None and said.doi is None:
        yield "card.source"
    if card.roi.description is None and card.roi.structure is None:
        yield "roi.description"
    before = card.preprocessing
    if card.model.kind in NETWORKS:
        yield from ("preprocessing.spacing",) if before.spacing is None else ()
        yield from (f"network.{name}" for name in ("size", "channels", "normalise") if getattr(card.network, name) is None)
        yield from _unreported(card)
        return
    resampled = before.spacing not in (None, NATIVE)
    for name in ("dialect", "spacing", *(("interpolation",) if resampled else ()), "range", "discretise", "normalise"):
        if getattr(before, name) is None:
            yield f"preprocessing.{name}"
    if card.model.kind not in SUMS:
        return
    for each in card.features:
        scaled = ("mean", "sd") if each.transform == "z-score" else ()
        yield from (f"feature.{input_name(each)}.{name}" for name in (*scaled, "coefficient") if getattr(each, name) is None)
    constant = "baseline" if card.model.kind == "cox" else "intercept"
    if getattr(card.model, constant) is None:
        yield f"model.{constant}"
    yield from _unreported(card)


def _unreported(card: Card) -> Iterator[str]:
    for name in ("n", "events", "measure", "figure", "interval"):
        if getattr(card.reported, name) is None:
            yield f"reported.{name}"


def _check_features(card: Card, where: str) -> None:
    if card.model.kind in (*SUMS, "survey") and not card.features:
        raise BadSetting(f"{where[:1].upper()}{where[1:]} names no feature; add a [[feature]] with its tag.", item="feature")
    _check_network(card, where)
    names = [each.name for each in card.filters]
    seen: set[str] = set()
    for each in card.features:
        if each.filter is not None and each.filter not in names:
            hint = did_you_mean(each.filter, names) if names else "it defines none: add a [[filter]]."
            said = f"The feature '{each.tag}' of {where} is on the filter '{each.filter}', which is not there"
            raise BadSetting(f"{said}; {hint}", item=each.filter)
        if input_name(each) in seen:
            raise BadSetting(f"The feature '{input_name(each)}' of {where} is listed twice; keep one.", item=each.tag)
        seen.add(input_name(each))


def _check_network(card: Card, where: str) -> None:
    said = where[:1].upper() + where[1:]
    if card.model.kind not in NETWORKS:
        if card.document.get("network"):
            sentence = f"{said} is a {card.model.kind} and yet has a table [network]"
            raise BadSetting(f"{sentence}; take the table away, or name the kind onnx or torch.", item="network")
        return
    if card.model.file is None:
        raise BadSetting(f"{said} is a network without a file; add file under [model].", item="file")
    if [(each.tag, each.coefficient, each.filter) for each in card.features] != [(NETWORK_SCORE, 1.0, None)]:
        raise BadSetting(f"{said} is a network, which has no features; take every [[feature]] away.", item="feature")
    if card.model.kind == "torch" and card.network.module is None:
        raise BadSetting(
            f'{said} is a torch module without its code; add module = "package.module:function" under [network].', item="module"
        )
    if card.network.members is not None and card.network.column is not None:
        raise BadSetting(
            f"{said} gives both members and column under [network]; an answer holds members or classes: keep one.", item="column"
        )


def _rows(given: Any, name: str, where: str) -> list[Any]:
    if given in ({}, None):
        return []
    if not isinstance(given, list):
        raise BadSetting(f"[{name}] of {where} is one table; write [[{name}]], in double brackets, once for each.", item=name)
    return given


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
