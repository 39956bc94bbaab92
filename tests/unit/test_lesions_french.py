"""Every method and reason of the agreement of lesions is known in French."""

from __future__ import annotations

import numpy as np

from onclair.core.fragments import each_once, in_french
from onclair.validate.lesion_matching import Overlaps
from onclair.validate.lesion_ratios import Drawing
from onclair.validate.lesion_readers import ReadCase, reader_agreement
from onclair.validate.lesions import LesionCase, lesion_agreement


def every_estimate():
    none = Overlaps((), (), (), np.zeros(0), np.zeros(0))
    over = Overlaps((1, 2), (1, 2), ((1, 1), (2, 2)), np.array([0.6, 0.2]), np.array([0.75, 0.3]))
    once = Drawing(replicates=20)
    for kind in ("maps", "boxes"):
        yield from lesion_agreement([LesionCase("a", "a", none, kind)], once)
        scored = {"scores": {1: 0.9, 2: 0.3}, "diameters_mm": {1: 9.0, 2: 11.0}}
        for cases in (1, 3, 12):
            yield from lesion_agreement([LesionCase(f"{i}", f"{i}", over if i % 2 else none, kind, **scored) for i in range(cases)], once)
    sizes = {1: 9.0, 2: 11.0}
    for types in (({}, {}), ({1: "lytic", 2: "lytic"},) * 2, ({1: "lytic", 2: "mixed"},) * 2):
        read = ReadCase(LesionCase("a", "a", over, diameters_mm=sizes), sizes, types)
        yield from reader_agreement("A", "B", [read], once)
    yield from reader_agreement("A", "B", [ReadCase(LesionCase("a", "a", none))], once)


def test_methods_and_reasons_are_known_in_french():
    texts = each_once(text for e in every_estimate() for text in (e.method, e.reason or ""))
    assert len(texts) > 30
    assert [text for text in texts if in_french(text) is None] == []
