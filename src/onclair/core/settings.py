"""Settings: one schema for flags, form, TOML and docs. Order: defaults, TOML, flags. Unknown keys are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean


def setting(default: Any, en: str, fr: str, *, unit: str = "", **limits: Any) -> Any:
    """Return a settings field with its words in English and French.

    Parameters
    ----------
    default : any
    en, fr : str
        What it does, one phrase each; both reach the flags, the form and the docs.
    unit : str
        Of the value, empty for a pure number or a word.
    **limits
        Bounds as pydantic knows them: ``ge gt le lt min_length``...
    """
    return Field(default, description=en, json_schema_extra={"fr": fr, "unit": unit}, **limits)


class Settings(BaseModel):
    """The base of every study's settings: frozen, closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    @classmethod
    def read(cls, *layers: Mapping[str, Any], source: str = "the settings") -> Self:
        """Return settings from mappings laid over the defaults, the later over the earlier.

        Parameters
        ----------
        *layers : mapping
            For example a TOML table, then the flags; None values in a layer are left out.
        source : str
            Where they come from, for the error.

        Raises
        ------
        BadSetting
            For an unknown key (the nearest known one is quoted) or a value outside its range.
        """
        merged: dict[str, Any] = {}
        for layer in layers:
            merged.update({k: v for k, v in layer.items() if v is not None})
        try:
            return cls(**merged)
        except ValidationError as error:
            raise _in_words(cls, error, source) from None

    def as_record(self) -> dict[str, Any]:
        """Return every setting as plain JSON values, defaults included."""
        return self.model_dump(mode="json")


def _in_words(kind: type[Settings], error: ValidationError, source: str) -> BadSetting:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "?"
    if first["type"] == "extra_forbidden":
        return BadSetting(f"{_capital(source)} hold an unknown key '{name}'; {did_you_mean(name, kind.model_fields)}", item=name)
    return BadSetting(f"In {source}, '{name}' is {_shown(first['input'])}; it must be {_expected(first)}.", item=name)


#: What a value should have been, by the check that it failed.
_EXPECTED = {
    "greater_than_equal": "at least {ge:g}",
    "greater_than": "more than {gt:g}",
    "less_than_equal": "at most {le:g}",
    "less_than": "less than {lt:g}",
    "literal_error": "{expected}",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotes",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "tuple_type": "a list",
}


def _expected(first: ErrorDetails) -> str:
    if first["type"] in _EXPECTED:
        return _EXPECTED[first["type"]].format(**first.get("ctx", {}))
    message = first["msg"]
    return f"otherwise ({message[:1].lower()}{message[1:]})"


def _shown(value: Any) -> str:
    return "empty" if value is None or value == "" else f"'{value}'" if isinstance(value, str) else str(value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting as flags, forms and docs show it.

    Attributes
    ----------
    name, flag : str
        ``bin_width`` and ``--bin-width``.
    kind : type
        ``int``, ``float``, ``str`` or ``bool``; of one item when `many`.
    many, optional : bool
        Whether it takes several values; whether it may be left empty.
    choices : tuple of str
        Empty where any value of the kind goes.
    default : any
    en, fr, unit, limits : str
    """

    name: str
    flag: str
    kind: type
    many: bool
    optional: bool
    choices: tuple[str, ...]
    default: Any
    en: str
    fr: str
    unit: str
    limits: str


def fields_of(kind: type[Settings]) -> Iterator[SettingField]:
    """Yield the settings of a study in the order they are written.

    Examples
    --------
    >>> class Demo(Settings):
    ...     folds: int = setting(5, "outer folds", "plis externes", ge=2)
    >>> [(f.name, f.flag, f.default, f.limits) for f in fields_of(Demo)]
    [('folds', '--folds', 5, '>= 2')]
    """
    for name, info in kind.model_fields.items():
        item, many, optional, choices = _unwrapped(info.annotation)
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        yield SettingField(
            name,
            "--" + name.replace("_", "-"),
            item,
            many,
            optional,
            choices,
            info.default,
            info.description or "",
            str(extra.get("fr", "")),
            str(extra.get("unit", "")),
            _limits(info),
        )


def _unwrapped(annotation: Any) -> tuple[type, bool, bool, tuple[str, ...]]:
    """Return (item type, many, optional, choices) of a field's annotation."""
    many = optional = False
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        optional = True
        annotation = next(a for a in get_args(annotation) if a is not type(None))
    if get_origin(annotation) is tuple:
        many = True
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return str, many, optional, tuple(str(a) for a in get_args(annotation))
    return annotation, many, optional, ()


def _limits(info: FieldInfo) -> str:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    return ", ".join(
        f"{sign} {getattr(m, key):g}" for m in info.metadata for key, sign in signs.items() if getattr(m, key, None) is not None
    )


class RunSettings(Settings):
    """What every study's main job may be told; a study adds its own."""

    outcome: str | None = setting(
        None,
        "outcome column to predict; the cohort's only one when left out",
        "colonne du critère à prédire ; la seule de la cohorte par défaut",
    )
    seed: int = setting(1, "seed of every random choice", "graine de tous les tirages", ge=0)
    folds: int = setting(
        5,
        "outer folds of the nested cross-validation, by patient",
        "plis externes de la validation croisée imbriquée, par patient",
        ge=2,
        le=50,
    )
    inner_folds: int = setting(
        4, "inner folds that choose and calibrate the model", "plis internes qui choisissent et calibrent le modèle", ge=2, le=20
    )
    repeats: int = setting(3, "repetitions of the outer folds, averaged", "répétitions des plis externes, moyennées", ge=1, le=50)
    permutations: int = setting(
        20, "refits on shuffled outcomes for the null", "réajustements sur critères permutés, pour l'hypothèse nulle", ge=5, le=1000
    )
    shuffles: int = setting(
        3, "destroyed copies of the signal for the negative control", "copies détruites du signal pour le contrôle négatif", ge=1, le=50
    )
    thresholds: tuple[float, ...] = setting(
        (0.1, 0.2, 0.3, 0.4, 0.5), "risk thresholds of the decision curve", "seuils de risque de la courbe de décision"
    )
    alpha: float = setting(
        0.1,
        "share of patients whose true class may lie outside the prediction set",
        "part des patients dont la vraie classe peut sortir de l'ensemble prédit",
        gt=0,
        lt=0.5,
    )
    models: tuple[str, ...] = setting(
        (), "candidate models; the study's own choice when left out", "modèles candidats ; le choix de l'étude par défaut"
    )
