"""One case of a run as a picture and, where a strength was computed, its bar: what the study looks at, before any figure of merit."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from onclair.core.evidence import Evidence
from onclair.core.words import Language, Words
from onclair.report.bone_sheet import strength_card
from onclair.report.markup import node
from onclair.report.pictures import picture_from, slice_figure
from onclair.report.reading import is_virtual
from onclair.report.words import typeset

CAPTION = Words(
    "{patient}: what the model outlined, in the patient of the highest risk (predicted out of fold).",
    "{patient} : ce que le modèle a délimité, chez le patient au risque le plus haut (prédit hors pli).",
)
TITLE = Words("A case of this run", "Un cas de cette analyse")


def shown_case(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return the case that a run shows; None where it shows none.

    Parameters
    ----------
    evidence : Evidence
        Of the `validate` stage; ``further.shown`` holds ``patient pictures strength``.
    language : {"en", "fr"}

    Examples
    --------
    >>> shown_case(Evidence("validate"), "en") is None
    True
    """
    shown: Mapping[str, Any] | None = (evidence.facts.get("further") or {}).get("shown")
    if not shown or not shown.get("pictures"):
        return None
    caption = typeset(CAPTION.in_(language).format(patient=shown["patient"]), language)
    title = TITLE.in_(language)
    drawn = [
        node("figure", slice_figure(picture_from(one), f"case-{at}", title, language, width=460.0), node("figcaption", caption))
        for at, one in enumerate(shown["pictures"])
    ]
    strength = shown.get("strength")
    bar = strength_card(strength, language, virtual=is_virtual(evidence)) if strength else None
    return node("div", node("div", drawn, class_="card"), bar, class_="second pair")
