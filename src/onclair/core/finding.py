"""`finding.json`: a model's answer on one case, the one contract between a model and every output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from onclair.core.errors import BadInput
from onclair.core.names import did_you_mean

Status = Literal["preliminary", "accepted", "modified", "rejected"]
STATUSES = ("preliminary", "accepted", "modified", "rejected")
_SHA = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True)
class Finding:
    """A model's answer on one case; SEG, SR, FHIR, screens and dossier are pure functions of it.

    Attributes
    ----------
    study, subject : str
        The study's name and the patient's pseudonym.
    created : str
        UTC, ISO 8601, ending in ``Z``.
    data : {"real", "virtual"}
    model : mapping
        ``id``, ``version``, ``sha256`` of the locked model.
    evidence : str
        SHA-256 of the evidence that the model rests on.
    exam : mapping or None
        ``study_uid`` and ``series_uid``; None where no DICOM came in.
    masks, estimates, warnings : tuple of mappings
    risk : mapping or None
        ``outcome probability low high horizon_months``; probabilities in [0, 1].
    answer : mapping or None
        ``value`` and ``reason``; ``cannot_tell`` is a full answer and has its reason.
    detail : mapping
        What only that study shows.
    status, review
        ``preliminary`` until a named person accepts, modifies or rejects.

    Raises
    ------
    BadInput
        For a status without a review, a probability outside [0, 1], a hash that is none, or "cannot tell" without reason.

    Examples
    --------
    >>> f = Finding("radiomics", "P1", "2026-01-01T00:00:00Z", "virtual", {"id": "m", "version": "1", "sha256": "0" * 64}, "0" * 64)
    >>> f.as_dict()["finding"], f.status
    (1, 'preliminary')
    """

    study: str
    subject: str
    created: str
    data: Literal["real", "virtual"]
    model: Mapping[str, Any]
    evidence: str
    exam: Mapping[str, Any] | None = None
    masks: tuple[Mapping[str, Any], ...] = ()
    estimates: tuple[Mapping[str, Any], ...] = ()
    risk: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[Mapping[str, str], ...] = ()
    status: Status = "preliminary"
    review: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        who = f"the finding of {self.subject}"
        if self.status not in STATUSES:
            raise BadInput(f"The status of {who} is '{self.status}'; {did_you_mean(self.status, STATUSES)}", item=self.subject)
        if (self.status == "preliminary") != (self.review is None):
            raise BadInput(
                f"The status of {who} is '{self.status}'; only a review by a named person makes it other than preliminary.",
                item=self.subject,
            )
        if not _SHA.match(self.evidence) or not _SHA.match(str(self.model.get("sha256", ""))):
            raise BadInput(
                f"{who[:1].upper()}{who[1:]} must name its evidence and model by SHA-256 (64 hexadecimal digits).", item=self.subject
            )
        if self.answer is not None and self.answer.get("value") == "cannot_tell" and not self.answer.get("reason"):
            raise BadInput(f"{who[:1].upper()}{who[1:]} answers 'cannot tell' without a reason; give one sentence.", item=self.subject)
        for name in ("probability", "low", "high"):
            value = None if self.risk is None else self.risk.get(name)
            if value is not None and not 0 <= value <= 1:
                raise BadInput(f"The risk of {who} holds {name} {value}; probabilities lie between 0 and 1.", item=self.subject)

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain JSON values, in the order of the contract."""
        return {"finding": 1, **asdict(self)}


def _record(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


_TEXT, _NUMBER, _COUNT = {"type": "string"}, {"type": ["number", "null"]}, {"type": ["integer", "null"]}
_SHA256 = {"type": "string", "pattern": _SHA.pattern}


def finding_schema(detail: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of `finding.json`.

    Parameters
    ----------
    detail : mapping, optional
        Schema of what only one study shows.

    Examples
    --------
    >>> finding_schema()["properties"]["finding"]
    {'const': 1}
    """
    code = {"type": "array", "items": _TEXT, "minItems": 3, "maxItems": 3}
    segment = _record(
        ("value", "label"),
        value={"type": "integer"},
        label=_TEXT,
        category=code,
        type=code,
        algorithm={"enum": ["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"]},
    )
    properties = {
        "finding": {"const": 1},
        "study": _TEXT,
        "subject": {"type": "string", "minLength": 1},
        "exam": {"anyOf": [{"type": "null"}, _record(("study_uid", "series_uid"), study_uid=_TEXT, series_uid=_TEXT)]},
        "created": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
        "data": {"enum": ["virtual", "real"]},
        "model": _record(("id", "version", "sha256"), id=_TEXT, version=_TEXT, sha256=_SHA256),
        "evidence": _SHA256,
        "masks": {"type": "array", "items": _record(("file", "segments"), file=_TEXT, segments={"type": "array", "items": segment})},
        "estimates": {
            "type": "array",
            "items": _record(
                ("name", "value", "unit"), name=_TEXT, value=_NUMBER, low=_NUMBER, high=_NUMBER, level=_NUMBER, unit=_TEXT, segment=_COUNT
            ),
        },
        "risk": {
            "anyOf": [
                {"type": "null"},
                _record(("outcome", "probability"), outcome=_TEXT, probability=_NUMBER, low=_NUMBER, high=_NUMBER, horizon_months=_NUMBER),
            ]
        },
        "answer": {"anyOf": [{"type": "null"}, _record(("value", "reason"), value=_TEXT, reason={"type": ["string", "null"]})]},
        "detail": dict(detail) if detail else {"type": "object"},
        "warnings": {"type": "array", "items": _record(("code", "text"), code=_TEXT, text=_TEXT)},
        "status": {"enum": list(STATUSES)},
        "review": {
            "anyOf": [
                {"type": "null"},
                _record(("by", "role", "at", "action", "reason"), by=_TEXT, role=_TEXT, at=_TEXT, action=_TEXT, reason=_TEXT),
            ]
        },
    }
    required = [name for name in properties if name not in ("answer", "detail", "warnings")]
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Onclair finding",
        **_record(tuple(required), **properties),
    }
    return {**schema, "additionalProperties": False}
