"""From a card to what is measured on each patient: engine, settings, feature names; and what the card lacks for a score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.io.cards import NATIVE, NETWORKS, NONE, SUMS, Card, CardFeature, CardFilter, Discretise, input_name
from onclair.run.recipes import FILTERS
from onclair.science.radiomics.aggregate import AGGREGATIONS
from onclair.science.radiomics.controls import is_permutation_invariant
from onclair.science.radiomics.dialects import IMAGES, PyRadiomics, published
from onclair.science.radiomics.extract import FAMILIES, Extraction, feature_tags
from onclair.science.radiomics.extraction import FAMILY_NAMES
from onclair.science.radiomics.filtered import FilteredExtraction
from onclair.science.radiomics.filters.response import Setup
from onclair.science.radiomics.grid import Grid
from onclair.science.radiomics.uptake import UPTAKE_TAGS
from onclair.studies.tasks.radiomics_audit_scorer import SCORE, NetworkEngine

Engine = Extraction | FilteredExtraction | PyRadiomics | NetworkEngine
#: The kind of file, and the unit, of each modality.
KINDS = {"PET": ("pet", "SUV"), "CT": ("ct", "HU"), "MR": ("mr", "a.u.")}
#: Families that need no grey levels.
UNBINNED = ("morphology", "enclosing", "autocorrelation", "local_peak", "statistics", "volume_histogram")
#: First-order features of PyRadiomics that need grey levels.
BINNED = ("Entropy", "Uniformity")


@dataclass(frozen=True, slots=True)
class Reading:
    """What is measured on each patient for a card.

    Attributes
    ----------
    columns : tuple of str
        The card's features, as tables call them.
    asked : tuple of str
        The same, as the engine calls them.
    tags : tuple of (str or None)
        The IBSI's tag of each, the filter before a colon; None where there is none.
    engine : Extraction, FilteredExtraction, PyRadiomics, NetworkEngine or None
        None when the card does not say enough to measure anything.
    structure : str or None
        The label in the outline.
    kind, unit : str or None
        Of the image; None when the card does not say.
    lacking : tuple of str
        What the card does not say and the score needs.
    """

    columns: tuple[str, ...]
    asked: tuple[str, ...]
    tags: tuple[str | None, ...]
    engine: Engine | None
    structure: str | None
    kind: str | None
    unit: str | None
    lacking: tuple[str, ...] = ()

    @property
    def invariant(self) -> tuple[bool, ...]:
        """Of each feature, whether it stays the same when the voxels of the outline change places."""
        if isinstance(self.engine, NetworkEngine):
            return (self.engine.mask_alone,)
        return tuple(_invariant(name, tag) for name, tag in zip(self.asked, self.tags, strict=True))

    @property
    def shape_alone(self) -> bool:
        """Whether no feature reads an intensity."""
        if isinstance(self.engine, NetworkEngine):
            return self.engine.mask_alone
        return all(_is_shape(name, tag) for name, tag in zip(self.asked, self.tags, strict=True))

    @property
    def looks_outside(self) -> bool:
        """Whether voxels outside the outline have a say: by resampling, by a filter, by local peaks, or in a network's field."""
        if isinstance(self.engine, NetworkEngine):
            return not self.engine.mask_alone
        if isinstance(self.engine, FilteredExtraction):
            return True
        moved = self.engine.spacing_mm if isinstance(self.engine, PyRadiomics) else None if self.engine is None else self.engine.grid
        filtered = any(name.startswith("wavelet") for name in self.asked)
        return moved is not None or filtered or any(tag is not None and tag.startswith("loc_") for tag in self.tags)

    def as_record(self) -> dict[str, Any]:
        """Return the reading as plain values, for the evidence."""
        if isinstance(self.engine, NetworkEngine):
            return {"network": self.engine.as_record(), "features": list(self.asked), "structure": self.structure, "kind": self.kind}
        dialect = "pyradiomics" if isinstance(self.engine, PyRadiomics) else "ibsi"
        said = None if self.engine is None else _plain(asdict(self.engine), self.engine)
        return {"dialect": dialect, "engine": said, "features": list(self.asked), "structure": self.structure, "kind": self.kind}


def reading_of(card: Card) -> Reading:
    """Return what is measured for a card.

    Parameters
    ----------
    card : Card

    Returns
    -------
    Reading

    Raises
    ------
    BadSetting
        For a feature that the engine does not have (nearest names offered), a filter that it does not know, or impossible settings.

    Examples
    --------
    >>> from onclair.io.cards import read_card
    >>> reading_of(read_card("suvmax-only")).invariant, len(reading_of(read_card("survey-texture-3d")).columns)
    ((True,), 41)
    """
    if card.model.kind in NETWORKS:
        said = f"The card '{card.name}' is a network, which has no features to measure"
        raise BadSetting(f"{said}; audit the network itself with --model.", item=card.name)
    before, lacking = card.preprocessing, list(_lacking(card))
    place = _place(card)
    if before.dialect == "pyradiomics":
        names, asked = tuple(map(input_name, card.features)), tuple(_published(each) for each in card.features)
        found = [published(name) for name in asked]
        if before.discretise is None and any(f.kind not in ("shape", "firstorder") or f.name in BINNED for f in found):
            lacking.append("preprocessing.discretise")
        tags = tuple(f.tag for f in found)
        return Reading(names, asked, tags, None if _blocked(lacking) else _pyradiomics(card), *place, tuple(lacking))
    names = tuple(name for each in card.features for name in _tags(each, survey=card.model.kind == "survey"))
    plain, filtered = tuple(n for n in names if ":" not in n), tuple(n.partition(":")[2] for n in names if ":" in n)
    if before.discretise is None and any(family not in UNBINNED for family in _needed(plain)[0]):
        lacking.append("preprocessing.discretise")
    if any(family not in UNBINNED for family in _needed(filtered)[0]):
        lacking += [f"filter.{each.name}.discretise" for each in card.filters if each.discretise is None]
    engine = None if _blocked(lacking) else _engine(card, plain, filtered)
    return Reading(names, names, names, engine, *place, tuple(lacking))


def network_reading(card: Card, engine: NetworkEngine) -> Reading:
    """Return what is measured for a network: one score, of image and outline.

    Examples
    --------
    >>> from pathlib import Path
    >>> from onclair.io.cards import read_card
    >>> from onclair.learn.network_input import NetworkInput
    >>> engine = NetworkEngine(Path("m"), "", "onnx", NetworkInput((4.0, 4.0, 4.0), (8, 8, 8)))
    >>> network_reading(read_card("suvmax-only"), engine).columns
    ('network_score',)
    """
    return Reading((SCORE,), (SCORE,), (None,), engine, *_place(card))


def _place(card: Card) -> tuple[str | None, str | None, str | None]:
    """Return the label in the outline, and the kind and the unit of the image."""
    kind, unit = KINDS[card.about.modality] if card.about.modality is not None else (None, None)
    return card.roi.structure, kind, unit


def _lacking(card: Card) -> Iterable[str]:
    """Return what the score needs and the card does not say."""
    before = card.preprocessing
    if before.dialect is None:
        yield "preprocessing.dialect"
    if before.spacing not in (None, NATIVE) and before.interpolation is None and before.dialect != "pyradiomics":
        yield "preprocessing.interpolation"
    if before.normalise not in (None, NONE):
        yield f"a normalisation that can be applied ('{before.normalise}' is a description)"
    if card.model.kind in SUMS:
        yield from (item for item in card.missing if item.startswith("feature."))


def _blocked(lacking: Iterable[str]) -> bool:
    """Return whether not even the features can be measured."""
    return any(not item.startswith("feature.") for item in lacking)


def _published(feature: CardFeature) -> str:
    if feature.filter is not None and feature.filter not in IMAGES:
        raise BadSetting(f"PyRadiomics has no image '{feature.filter}' here; {did_you_mean(feature.filter, IMAGES)}", item=feature.filter)
    tag = feature.tag if feature.aggregation is None else f"{feature.tag}_{feature.aggregation}"
    if feature.filter is None:
        return str(published(tag))
    direct = tag.removeprefix("original_")
    return str(published(f"{feature.filter}_{direct}" if direct[:1].islower() and "_" in direct else f"{feature.filter}:{tag}"))


def _tags(feature: CardFeature, *, survey: bool) -> tuple[str, ...]:
    every = (*feature_tags(Extraction(families=FAMILY_NAMES, aggregations=AGGREGATIONS)), *UPTAKE_TAGS)
    name, before = input_name(replace(feature, filter=None)), "" if feature.filter is None else f"{feature.filter}:"
    if survey and "*" in name:
        found = tuple(tag for tag in every if fnmatchcase(tag, name))
        if not found:
            raise BadSetting(f"No feature has a tag like '{name}'; tags read cm_joint_entr_3D_comb, rlm_rlnu_3D_comb...", item=name)
        return tuple(f"{before}{tag}" for tag in found)
    if name not in every:
        raise BadSetting(f"There is no feature '{name}'; {_hint(name, every)}", item=name)
    return (f"{before}{name}",)


def _hint(name: str, every: tuple[str, ...]) -> str:
    import difflib

    near = difflib.get_close_matches(name, every, n=3, cutoff=0.6)
    return f"nearest: {', '.join(near)}." if near else "tags read as in the tables of the IBSI, cm_joint_entr_3D_comb for example."


def _needed(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the families and aggregations that hold these tags; at least one of each."""
    wide = Extraction(families=FAMILY_NAMES, aggregations=AGGREGATIONS)
    families = tuple(family for family, of in FAMILIES.items() if set(of.tags(wide)) & set(names)) or ("statistics",)
    aggregations: list[str] = []
    left = set(names)
    for each in reversed(AGGREGATIONS):
        here = left & set(feature_tags(Extraction(families=families, aggregations=(each,))))
        if any(each.split("_")[0] in tag for tag in here):
            aggregations.append(each)
            left -= here
    return families, tuple(a for a in AGGREGATIONS if a in aggregations) or ("3D_comb",)


def _engine(card: Card, plain: tuple[str, ...], filtered: tuple[str, ...]) -> Extraction | FilteredExtraction:
    """Return what measures these tags, of the image and of the filters' responses."""
    original = _ibsi(card, *_needed(plain))
    if not filtered:
        return original
    by = [each.discretise for each in card.filters]
    if any(each != by[0] for each in by):
        raise BadSetting("The filters of the card make their grey levels in different ways; give all of them the same.", item="discretise")
    families, aggregations = _needed(filtered)
    responses = Extraction(**_levels(by[0]), families=families, aggregations=aggregations)
    return FilteredExtraction(original, tuple((each.name, _setup(each)) for each in card.filters), responses)


def _setup(given: CardFilter) -> Setup:
    own = {name: tuple(value) if isinstance(value, list) else value for name, value in given.settings.items()}
    placed: dict[str, Any] = {name: own.pop(name) for name in ("dimensions", "boundary") if name in own}
    try:
        return Setup(FILTERS[given.kind](**own), **placed)
    except TypeError as error:
        raise BadSetting(f"The settings of the filter '{given.name}' do not fit it ({error}); correct them.", item=given.name) from None


def _levels(by: Discretise | None) -> dict[str, Any]:
    if by is None:
        return {}
    return {"discretisation": by.method, "width": by.width, "minimum": by.minimum, "bins": None if by.bins is None else int(by.bins)}


def _ibsi(card: Card, families: tuple[str, ...], aggregations: tuple[str, ...]) -> Extraction:
    before, levels, grid = card.preprocessing, _levels(card.preprocessing.discretise), None
    if isinstance(before.spacing, tuple):
        grid = Grid(before.spacing, image=before.interpolation, rounded=card.about.modality == "CT")  # type: ignore[arg-type]
    bounds = before.range if isinstance(before.range, tuple) else None
    return Extraction(**levels, families=families, aggregations=aggregations, range=bounds, outliers=before.outliers, grid=grid)


def _pyradiomics(card: Card) -> PyRadiomics:
    before, by = card.preprocessing, card.preprocessing.discretise
    width, bins = (by.width, by.bins) if by is not None else (25.0, None)
    spacing = before.spacing if isinstance(before.spacing, tuple) else None
    if spacing is not None and len(spacing) != 3:
        raise BadSetting(f"The spacing of the card is {spacing}; PyRadiomics takes three lengths.", item="spacing")
    bounds = before.range if isinstance(before.range, tuple) else None
    return PyRadiomics(width, None if bins is None else int(bins), spacing, bounds)


def _plain(value: Any, engine: Engine | None = None) -> Any:
    """Return settings as JSON values; filters say of which kind they are."""
    if isinstance(engine, FilteredExtraction):
        return {**_plain(value), "kinds": [type(setup.filter).__name__ for _, setup in engine.filters]}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _invariant(name: str, tag: str | None) -> bool:
    if tag in UPTAKE_TAGS:
        return True
    if tag is not None:
        return is_permutation_invariant(tag)
    image, kind, _ = name.split("_", 2)
    return image == "original" and kind in ("firstorder", "shape")


def _is_shape(name: str, tag: str | None) -> bool:
    if tag is None:
        return name.startswith("original_shape_")
    return tag.startswith("morph_") and tag not in ("morph_integ_int", "morph_com", "morph_moran_i", "morph_geary_c")
