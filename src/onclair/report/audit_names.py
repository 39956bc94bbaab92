"""What the figures of an audit are called: the score, its rivals, each way of destroying the signal, features and batches."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onclair.core.words import Language
from onclair.report.labels import FIGURES
from onclair.report.phrases_audit import MEASURES, PLACES
from onclair.report.words import say, typeset

_AT = re.compile(r"@([^:@]+)")
#: Parts of a name whose next part is a name of the user's own.
_OWN = ("feature", "semantic", "batch")


def audit_label(name: str, language: Language) -> str:
    """Return the name of an audit's estimate in words.

    Examples
    --------
    >>> audit_label("auc:model-minus-suv_max", "en"), audit_label("auc:model:shuffled-voxels", "fr")
    ('AUC · score minus SUVmax', 'AUC · score · voxels mélangés')
    >>> audit_label("auc:batch:kernel:before", "en"), audit_label("vif:feature:stat_max", "en")
    ('AUC · batch kernel · before ComBat', 'variance inflation · stat_max')
    """
    at = _AT.search(name)
    figure, *rest = _AT.sub("", name).split(":")
    known = MEASURES.get(figure) or FIGURES.get(figure)
    words = typeset(known.in_(language), language) if known else figure.replace("_", " ")
    if at:
        words = say("at", language, figure=words, at=at.group(1).replace(".", "," if language == "fr" else "."))
    return " · ".join([words, *_told(rest, language)])


def place(part: str, language: Language) -> str:
    """Return one part of a name in words: who or where.

    Examples
    --------
    >>> place("model-minus-volume", "fr"), place("within-kernel", "en"), place("reader=R1", "en")
    ('score moins volume', 'within one batch (kernel)', 'reader R1')
    """
    if part.startswith("model-minus-"):
        return say("minus", language, one=say("audit-score", language), other=place(part.removeprefix("model-minus-"), language))
    if part.startswith("reader="):
        return f"{say('audit-reader', language)} {part.removeprefix('reader=')}"
    if part not in PLACES and part.startswith("within-"):
        return f"{place('within-batch', language)} ({part.removeprefix('within-').replace('_', ' ')})"
    return typeset(PLACES[part].in_(language), language) if part in PLACES else part.replace("_", " ")


def _told(parts: list[str], language: Language) -> Iterator[str]:
    """Yield the parts of a name in words; a feature and a reader's column by their own names."""
    left = list(parts)
    while left:
        part = left.pop(0)
        if part == "rival":
            continue
        if part in _OWN and left:
            own = _filtered(left) if part == "feature" else left.pop(0)
            yield f"{place(part, language)} {place(own, language)}" if part == "batch" else own
        else:
            yield place(part, language)


def _filtered(left: list[str]) -> str:
    """Return a feature's name, which may hold a filter before a colon."""
    own = left.pop(0)
    while left and left[0] not in PLACES:
        own = f"{own}:{left.pop(0)}"
    return own
