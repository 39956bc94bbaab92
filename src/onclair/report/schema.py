"""The JSON Schema (2020-12) of the JSON report, of every kind of run; records with a dataclass are described by it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from onclair.core.estimate import Estimate
from onclair.core.words import LANGUAGES
from onclair.report.json import FORMAT
from onclair.report.verdict import Verdict
from onclair.validate.curves import Curve

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}

TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
NUMBER_OR_NULL = {"type": ["number", "null"]}
SHARE = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
ANY_OBJECT = {"type": "object"}
#: ``[GROUP:]FIGURE[@AT][:WHO[:WHERE]]``, as :class:`onclair.core.estimate.Estimate` refuses others.
ESTIMATE_NAME = r"^[a-z][\w.@%+-]*(:[^:\s][^:]*)*$"


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``onclair report --format json``.

    Returns
    -------
    dict
        ``facts`` is one of three kinds, told apart by ``kind``: ``validation``, ``audit``, or none for a study; further facts are
        allowed, anything else that is not described is not. An estimate that is ``ok`` has a value, and one that is not its reason.

    Examples
    --------
    >>> schema = report_schema()
    >>> schema["$schema"], schema["properties"]["format"]
    ('https://json-schema.org/draft/2020-12/schema', {'const': 'onclair-report/1'})
    >>> schema["$defs"]["estimate"]["properties"]["status"]
    {'enum': ['ok', 'too_few', 'not_available']}
    """
    top = {
        "format": {"const": FORMAT},
        "evidence_id": SHA256,
        "question": _ref("words"),
        "verdict": _closed({language: _ref("verdict") for language in LANGUAGES}),
        "estimates": _list(_ref("estimate")),
        "facts": {
            "if": {"properties": {"kind": {"const": "validation"}}, "required": ["kind"]},
            "then": _ref("validation"),
            "else": {
                "if": {"properties": {"kind": {"const": "audit"}}, "required": ["kind"]},
                "then": _ref("audit"),
                "else": _ref("study"),
            },
        },
        "warnings": _list(_ref("warning")),
        "provenance": _ref("provenance"),
    }
    about = {"$schema": DIALECT, "$id": f"urn:{FORMAT.replace('/', ':')}", "title": "Onclair report"}
    return {**about, **_closed(top), "$defs": _definitions()}


def render_schema() -> str:
    """Return the schema as JSON text with one line end.

    Examples
    --------
    >>> render_schema().splitlines()[1]
    '  "$schema": "https://json-schema.org/draft/2020-12/schema",'
    """
    return json.dumps(report_schema(), indent=2, ensure_ascii=False) + "\n"


def described(record: type, **narrower: Any) -> dict[str, Any]:
    """Return the schema of a dataclass as plain JSON values: every field is there, and no other.

    Parameters
    ----------
    record : type
        A dataclass of plain values, literals, tuples of them, and unions with None.
    **narrower
        Schemas that say more of a field than its type does.

    Examples
    --------
    >>> described(Estimate)["properties"]["low"]
    {'type': ['number', 'null']}
    """
    hints = get_type_hints(record)
    return _closed({field.name: narrower.get(field.name) or _of(hints[field.name]) for field in fields(record)})


def _of(hint: Any) -> dict[str, Any]:
    """Return the schema of a type."""
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return _list(_of(arguments[0]))
    if origin not in (Union, UnionType):
        raise TypeError(f"no JSON Schema is known for {hint}")
    parts = [_of(each) for each in arguments]
    if all(set(each) == {"enum"} for each in parts):
        return {"enum": [value for each in parts for value in each["enum"]]}
    if all(set(each) == {"type"} for each in parts):
        return {"type": [each["type"] for each in parts]}
    return {"anyOf": parts}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _open(properties: dict[str, Any], required: Iterable[str] | None = None) -> dict[str, Any]:
    """Return an object that may hold more than is described."""
    return {"type": "object", "properties": properties, "required": list(properties if required is None else required)}


def _closed(properties: dict[str, Any], required: Iterable[str] | None = None) -> dict[str, Any]:
    """Return an object that holds nothing else."""
    return {**_open(properties, required), "additionalProperties": False}


@cache
def _definitions() -> dict[str, Any]:
    return {
        "words": _closed(dict.fromkeys(LANGUAGES, TEXT)),
        "estimate": _estimate(),
        "verdict": described(Verdict),
        "curve": described(Curve, level=SHARE, n=_or_null(COUNT), events=_or_null(COUNT)),
        "warning": _closed({"code": TEXT, "text": TEXT, "fr": TEXT}, ("code", "text")),
        "provenance": _provenance(),
        "outcome": _open({"name": TEXT, "kind": TEXT, "unit": TEXT, "horizon": NUMBER_OR_NULL}),
        "validation": _validation(),
        "audit": _audit(),
        "study": _study(),
    }


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _estimate() -> dict[str, Any]:
    """Return an estimate: what is ``ok`` has a value, what is not has a reason, and nothing is ever a bare 0."""
    told = described(
        Estimate,
        name={"type": "string", "pattern": ESTIMATE_NAME},
        level=SHARE,
        se={"type": ["number", "null"], "minimum": 0},
        n=_or_null(COUNT),
        events=_or_null(COUNT),
    )
    ok = {"properties": {"status": {"const": "ok"}}}
    reason = {"properties": {"reason": {"type": "string", "minLength": 1}}}
    return {**told, "if": ok, "then": {"properties": {"value": {"type": "number"}}}, "else": reason}


def _provenance() -> dict[str, Any]:
    hashes = {"type": "object", "additionalProperties": SHA256}
    environment = _open({"onclair": TEXT, "python": TEXT, "threads": {"type": "integer", "minimum": 1}})
    return _closed(
        {
            "stage": {"const": "validate"},
            "key": SHA256,
            "code": SHA256,
            "inputs": hashes,
            "settings": ANY_OBJECT,
            "environment": environment,
            "outputs": hashes,
        }
    )


def _validation() -> dict[str, Any]:
    """Return the facts of ``onclair validate``."""
    columns = {name: {"type": ["string", "null"]} for name in ("patient", "truth", "time", "event", "centre", "lesion")}
    kinds = {"enum": ["binary", "survival", "competing"]}
    return _open(
        {
            "kind": {"const": "validation"},
            "title": TEXT,
            "design": {"enum": ["internal", "external", "internal-external", "case-control", "prospective"]},
            "data": {"enum": ["patients", "virtual"]},
            "outcome": _open({"name": TEXT, "kind": kinds, "unit": TEXT, "horizon": NUMBER_OR_NULL, "weights_at": NUMBER_OR_NULL}),
            "rows": COUNT,
            "patients": COUNT,
            "events": COUNT,
            "centres": _list(TEXT),
            "excluded": COUNT,
            "models": {**_list(_closed({"name": TEXT, "kind": {"enum": ["risk", "score"]}, "column": TEXT})), "minItems": 1},
            "compare": _list({**_list(TEXT), "minItems": 2, "maxItems": 2}),
            "thresholds": _list(SHARE),
            "prevalence": _or_null(SHARE),
            "smoother": {"enum": ["loess", "lowess", "rcs3", "rcs4", "rcs5"]},
            "level": SHARE,
            "bootstrap": COUNT,
            "seed": COUNT,
            "subgroups": {"type": "object", "additionalProperties": _list(TEXT)},
            "columns": _open({**columns, "subgroups": _list(TEXT)}),
            "data_sha256": SHA256,
            "plan_sha256": SHA256,
            "curves": _list(_ref("curve")),
        }
    )


def _audit() -> dict[str, Any]:
    """Return the facts of ``onclair radiomics audit``."""
    gate = _closed({"name": TEXT, "status": {"enum": ["passed", "failed", "not_available"]}, "reason": {"type": "string", "minLength": 1}})
    replication = {"enum": ["replicated", "not_replicated", "insufficient", "not_replicable"]}
    verdict = _closed({"replication": replication, "explained_by": _list({"enum": ["volume", "intensity", "batch"]}), "sentence": TEXT})
    feature = _open({"name": TEXT, "permutation_invariant": {"type": "boolean"}, "coefficient": NUMBER_OR_NULL})
    return _open(
        {
            "kind": {"const": "audit"},
            "title": TEXT,
            "data": {"enum": ["real", "virtual"]},
            "licence": TEXT,
            "citation": TEXT,
            "card": _closed({"name": TEXT, "missing": _list(TEXT)}),
            "card_document": ANY_OBJECT,
            "outcome": _ref("outcome"),
            "patients": COUNT,
            "events": COUNT,
            "centres": _list(TEXT),
            "gates": {**_list(gate), "minItems": 10, "maxItems": 10},
            "verdict": verdict,
            "rules": _list(TEXT),
            "permutation_invariant": {"type": "boolean"},
            "features": _list(feature),
            "survey": _or_null(ANY_OBJECT),
            "left_out": _list(_open({"patient": TEXT, "reason": TEXT})),
            "nearest": _or_null(ANY_OBJECT),
        }
    )


def _study() -> dict[str, Any]:
    """Return the facts of a study's run."""
    words = _ref("words")
    gap = _closed({"column": TEXT, "patients": COUNT, "reason": TEXT})
    control = _closed({"name": TEXT, "words": words, "invariant": _list(TEXT), "changed": COUNT})
    feature = _open({"name": TEXT, "coefficient": {"type": "number"}}, ("name",))
    model = {
        "candidates": {**_list(TEXT), "minItems": 1},
        "chosen": {"type": "object", "additionalProperties": COUNT},
        "locked": TEXT,
        "features": _list(feature),
        "explained": _list(_open({"name": TEXT, "importance": {"type": "number"}})),
    }
    return _open(
        {
            "study": TEXT,
            "question": words,
            "data": {"enum": ["real", "virtual"]},
            "outcome": _ref("outcome"),
            "cohort": _open(dict.fromkeys(("title", "licence", "citation", "source"), TEXT)),
            "patients": COUNT,
            "events": COUNT,
            "centres": _list(TEXT),
            "rows": COUNT,
            "rivals": {**_list(_closed({"name": TEXT, "words": words})), "minItems": 1},
            "controls": _list(control),
            "volume": {"type": ["string", "null"]},
            "missing": _list(gap),
            "left_out": _list(_open({"patient": TEXT, "reason": TEXT})),
            "columns": COUNT,
            "model": _open(model),
            "limits": _list(words),
            "references": _list(TEXT),
            "settings": _open({"seed": {"type": "integer"}, "thresholds": _list(SHARE)}),
            "curves": _list(_ref("curve")),
        }
    )
