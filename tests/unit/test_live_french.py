"""Whatever the screen says at the bedside has French words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from onclair.cli.spectra_live_words import line_of, told
from onclair.core.fragments import in_french
from onclair.io.spectra.calibration import Axis, Calibration, why_unfit
from onclair.learn.locked import REASONS as MODELS
from onclair.run.live_screen import REASONS
from onclair.studies.tasks.spectra_calibrated import ageing

AXIS = Axis(2048, 360.0, 590.0, 820.0)
KNOWN = Calibration(AXIS, (datetime.now(UTC) - timedelta(days=9)).isoformat(), serial="A 1", usual={"excitations_nm": [385.0, 405.0]})
UNFIT = [why_unfit(KNOWN, None, "B"), why_unfit(KNOWN, replace(AXIS, first_nm=361.0)), why_unfit(KNOWN, None, None, (405.0,))]
WARNED = [each["text"] for each in (*ageing(None, None), *ageing(KNOWN, None), *ageing(replace(KNOWN, serial=None, usual={}), "A"))]
AGAIN = ": check cable and power, then it is opened again."
SAID = [
    "634/AF lies between 0.061 and 0.082, above 0.055.",
    "634/AF lies between -0.001 and 0.032, below 0.055.",
    "634/AF lies between 0.041 and 0.082, on both sides of 0.055.",
    "The spectra do not tell how much PpIX there is beside the autofluorescence.",
    "The simulated instrument handed out no frame within 0.1 s.",
    "The recording holds no frame for 0.1 s; the next comes in 0.5 s.",
    "The publisher at 127.0.0.1 port 18944 says nothing, not even a heartbeat: it is paused, or the cable is out.",
    "The publisher at 127.0.0.1 port 18944 is not connected (no answer); the connection is tried again.",
    "The spectrometer HDX 7 at 10.0.0.1 port 57357 has sent no spectrum for 0.4 s.",
    f"The spectrometer HDX 7 on USB does not answer (no spectrum came); its driver was ended{AGAIN}",
    "The session's folder takes nothing more (no space left on device); free some room: what was written is intact, and the rest is kept.",
    "The model's file model.json has changed since the session began; end the session and restore the run.",
    "The session has ended.",
]


@pytest.mark.parametrize("text", [*REASONS.values(), *SAID, *map(str, UNFIT), *WARNED])
def test_what_the_screen_says_has_french_words(text: str) -> None:
    french = in_french(text)
    assert french is not None
    assert french != text
    assert french.endswith(".")


@pytest.mark.parametrize("code", list(MODELS))
def test_what_a_model_says_is_said_at_the_bedside_in_its_own_french(code: str) -> None:
    english, french = (MODELS[code].in_(language).format(feature="sto2") for language in ("en", "fr"))
    assert in_french(english) == french


def test_events_and_summary_are_told_in_either_language() -> None:
    decision = {"kind": "decision", "at_s": 1.0, "answer": "cannot_tell", "reason": SAID[2]}
    assert line_of(decision, "en").split("  ")[-1].strip() == f"cannot tell  {SAID[2]}".split("  ")[-1]
    assert "indécidable" in line_of(decision, "fr")
    assert line_of({"kind": "mark", "at_s": 2.0, "site": 1, "note": "rim", "by": "Ada"}, "fr").endswith("site 1       rim (Ada)")
    summary = {
        "frames": {"acquired": 9, "decided": 4, "discarded": {"ambient": 2}},
        "latency_ms": {"p50": 20.5, "p95": 31.0, "max": 40.0},
        "display_hz": 8.5,
        "answers": {"silent": 3},
        "blanked": [{"reason": "silent", "at_s": 1.5, "after_ms": 350.0, "for_s": 0.4}],
    }
    english, french = ("\n".join(told(summary, language)) for language in ("en", "fr"))
    assert "left out: ambient 2." in english
    assert "lumière de la salle 2" in french
    assert "scellé 3" in french
    assert "Blanc à 1,5 s pendant 0,4 s : instrument muet" in french
