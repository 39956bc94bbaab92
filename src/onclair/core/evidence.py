"""Evidence: the canonical record of one stage, its content key and its id.

Neither the key nor the id holds a path, a time or a host, so a moved or copied run stays valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onclair.core.canonical import canonical_json, sha256_of
from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, estimate_from_dict

#: The version of the record's layout.
FORMAT = "onclair-evidence/1"


def content_key(
    stage: str, inputs: Mapping[str, str], settings: Mapping[str, Any], code: str, environment: Mapping[str, Any], *, subject: str = ""
) -> str:
    """Return the key that decides whether a stage may be reused.

    Parameters
    ----------
    stage : str
    inputs : mapping of str to str
        Name to SHA-256.
    settings : mapping
        Plain JSON values, defaults included, the seed among them.
    code : str
        SHA-256 of the source that the stage runs.
    environment : mapping
        Versions and threads a worker: what else the numbers depend on.
    subject : str
        The patient concerned; empty for the whole cohort.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> a = content_key("describe", {"pet": "00"}, {"seed": 1}, "c0", {})
    >>> a == content_key("describe", {"pet": "00"}, {"seed": 2}, "c0", {})
    False
    """
    said = {"stage": stage, "subject": subject, "settings": dict(settings), "code": code, "environment": dict(environment)}
    return sha256_of({**said, "inputs": dict(inputs)})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one stage did: with what, on what, by which code, and what came out.

    Attributes
    ----------
    stage, subject : str
        The stage, and the patient it concerns (empty for the whole cohort).
    inputs : mapping of str to str
        Name to SHA-256 of a file, or id of another record.
    settings, environment : mapping
    code : str
        SHA-256 of the source that ran.
    outputs : mapping of str to str
        File name within the stage's folder to SHA-256.
    estimates : tuple of Estimate
    facts : mapping
        Plain JSON values that reports need: counts, citations, what was left out.
    warnings : tuple of mapping
        ``code`` and ``text``.

    Examples
    --------
    >>> e = Evidence("cohort", inputs={"cohort.toml": "0" * 64})
    >>> e.id == evidence_from_dict(e.as_dict()).id
    True
    """

    stage: str
    subject: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    estimates: tuple[Estimate, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[Mapping[str, str], ...] = ()

    @property
    def key(self) -> str:
        """The content key: equal keys promise equal outputs."""
        return content_key(self.stage, self.inputs, self.settings, self.code, self.environment, subject=self.subject)

    def record(self) -> dict[str, Any]:
        """Return the canonical record as plain JSON values."""
        return {
            "format": FORMAT,
            "key": self.key,
            "stage": self.stage,
            "subject": self.subject,
            "inputs": dict(self.inputs),
            "settings": dict(self.settings),
            "code": self.code,
            "environment": dict(self.environment),
            "outputs": dict(self.outputs),
            "estimates": [e.as_dict() for e in self.estimates],
            "facts": dict(self.facts),
            "warnings": [dict(w) for w in self.warnings],
        }

    @property
    def id(self) -> str:
        """SHA-256 of the canonical record: the evidence's name."""
        return sha256_of(self.record())

    def as_dict(self) -> dict[str, Any]:
        """Return what `evidence.json` holds: the id and the record."""
        return {"id": self.id, "record": self.record()}

    def to_json(self) -> bytes:
        """Return the bytes of `evidence.json`: canonical, with one line end."""
        return canonical_json(self.as_dict()) + b"\n"


def evidence_from_dict(document: Mapping[str, Any]) -> Evidence:
    """Return the evidence that :meth:`Evidence.as_dict` wrote.

    Raises
    ------
    BadInput
        When the layout is another, or the id or key does not belong to the record: somebody changed it.
    """
    record = document.get("record")
    if not isinstance(record, Mapping) or record.get("format") != FORMAT:
        raise BadInput(f"The evidence record is not of the format '{FORMAT}'; it was made by another program or damaged.")
    names = ("stage", "subject", "inputs", "settings", "code", "environment", "outputs", "facts")
    evidence = Evidence(
        **{name: record[name] for name in names},
        estimates=tuple(estimate_from_dict(e) for e in record["estimates"]),
        warnings=tuple(record["warnings"]),
    )
    if record.get("key") != evidence.key or document.get("id") != evidence.id:
        raise BadInput(
            f"The record of stage '{evidence.stage}' does not match its own hash; it was changed after it was written.", item=evidence.stage
        )
    return evidence
