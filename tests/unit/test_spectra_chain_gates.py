"""The gates: each fault closes its own, a good point closes none, and what they say can be acted on in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from onclair.core.errors import BadSetting
from onclair.core.fragments import in_french
from onclair.core.values import Detector, Measurement, Spectrum
from onclair.science.optics.haemoglobin import absorption
from onclair.science.spectra import quality
from onclair.science.spectra.calibrate import Flicker
from onclair.science.spectra.chain import Preparing, Usual, fit_gates, prepare
from onclair.science.spectra.prepared import Gate, Prepared
from onclair.science.spectra.quality import Thresholds
from onclair.science.spectra.signals import Change, Misfit, blood_absorbance, misfit, nadh_order
from onclair.science.spectra.unmix import unmix
from spectra_made import Truth, measured, spectra

NM = np.linspace(400.0, 760.0, 1100)
DETECTOR = Detector(65535.0, 4.0, 1.0)
ROOM = 40.0 * np.exp(-0.5 * ((NM - 560.0) / 45.0) ** 2) + 200.0 * np.exp(-0.5 * ((NM - 546.0) / 1.0) ** 2)
AMOUNTS = {"PpIX634": 0.1, "PpIX620": 0.07, "NADH": 0.9, "FAD": 0.55, "Lipofuscin": 0.25}
EXCITATIONS = (385.0, 405.0)
USUAL = Preparing(usual=Usual(white=200.0, fluorescence=50.0))


def point(
    light: np.ndarray | None = None, *, room: float = 1.0, blood: float = 0.015, white: float = 10000.0, turns: int = 2
) -> Measurement:
    """Return a good point, or one whose light, room, blood or contact is not."""
    rng = np.random.default_rng(11)
    rows = spectra(Truth(AMOUNTS, excitations=EXCITATIONS), NM, 3000.0)[0] if light is None else light
    lit = tuple(
        Spectrum(measured(row + room * ROOM, rng), NM, at, 20.0, detector=DETECTOR)
        for _ in range(turns)
        for at, row in zip(EXCITATIONS, rows, strict=True)
    )
    off = tuple(Spectrum(measured(ROOM, rng), NM, None, 20.0, detector=DETECTOR) for _ in range(2))
    tissue = white * np.exp(-1.2 * np.sqrt(absorption(NM, blood, 0.7) / 5.0))
    return Measurement(lit, off, (Spectrum(measured(tissue + ROOM, rng), NM, None, 20.0, detector=DETECTOR),))


def closed(found: Prepared) -> set[str]:
    return {gate.name for gate in found.gates if not gate.passed}


def test_a_good_point_passes_every_gate_and_every_gate_looked() -> None:
    found = prepare(point(), USUAL)
    assert found.passed
    assert [gate.name for gate in found.gates if gate.value is None] == []
    assert all(gate.passed for gate in fit_gates(found, unmix(found)))


def test_a_lamp_that_gives_no_light_closes_its_gate() -> None:
    assert "lamp_off" in closed(prepare(point(np.zeros((2, NM.size))), USUAL))


def test_one_dark_lamp_of_two_is_enough() -> None:
    rows = spectra(Truth(AMOUNTS, excitations=EXCITATIONS), NM, 3000.0)[0] * np.array([[0.0], [1.0]])
    assert "lamp_off" in closed(prepare(point(rows), USUAL))


def test_a_lifted_probe_closes_the_gate_of_contact() -> None:
    assert "no_contact" in closed(prepare(point(white=300.0), USUAL))


def test_a_flood_of_blood_closes_its_gate() -> None:
    assert "blood_flood" in closed(prepare(point(blood=0.4), USUAL))


def test_room_light_that_is_switched_on_meanwhile_closes_the_gate_of_ambient() -> None:
    assert "ambient" in closed(prepare(point(room=25.0), USUAL))


def test_bright_room_light_closes_it_too_though_it_was_taken_away() -> None:
    good = point()
    rng = np.random.default_rng(3)
    lit = tuple(replace(frame, counts=frame.counts + rng.poisson(3000.0, NM.size)) for frame in good.frames)
    off = tuple(replace(frame, counts=frame.counts + rng.poisson(3000.0 + 0 * NM) * (NM > 420.0)) for frame in good.lamp_off)
    assert "ambient" in closed(prepare(replace(good, frames=lit, lamp_off=off), USUAL))


def test_swapped_excitations_close_their_gate() -> None:
    good = point()
    other = {385.0: 405.0, 405.0: 385.0}
    swapped = tuple(replace(frame, excitation_nm=other[frame.excitation_nm or 0.0]) for frame in good.frames)
    assert closed(prepare(replace(good, frames=swapped), USUAL)) == {"swapped_excitation"}


def test_noise_alone_closes_the_gate_of_the_signal() -> None:
    faint = spectra(Truth(AMOUNTS, excitations=EXCITATIONS), NM, 2.0)[0]
    assert "snr" in closed(prepare(point(faint), USUAL))


def test_a_dye_that_nobody_knows_closes_the_gate_of_the_fit() -> None:
    rows = spectra(Truth(AMOUNTS, excitations=EXCITATIONS), NM, 3000.0)[0] + 1500.0 * np.exp(-0.5 * ((NM - 574.0) / 11.0) ** 2)
    found = prepare(point(rows), USUAL)
    assert found.passed
    assert "unexplained" in {gate.name for gate in fit_gates(found, unmix(found)) if not gate.passed}


def test_a_shift_of_three_nanometres_closes_its_gate() -> None:
    rows = spectra(Truth(AMOUNTS, shift_nm=3.0, excitations=EXCITATIONS), NM, 3000.0)[0]
    found = prepare(point(rows), USUAL)
    assert "shift" in {gate.name for gate in fit_gates(found, unmix(found)) if not gate.passed}


def test_an_instrument_known_to_be_shifted_is_judged_from_there() -> None:
    assert not quality.shift_gate(2.2, "ok", 1.9).passed
    assert quality.shift_gate(2.2, "ok", 1.9, usual_nm=0.8).passed


def test_gates_that_cannot_look_let_pass_and_say_so() -> None:
    bare = prepare(Measurement((Spectrum(np.full(1100, 900.0), NM, 405.0, 20.0),)))
    blind = [gate for gate in bare.gates if gate.value is None]
    assert {gate.name for gate in blind} >= {"saturated", "no_contact", "blood_flood", "ambient", "bleaching", "flicker"}
    assert all(gate.passed and "not" in gate.reason for gate in blind)


def test_a_fit_that_explains_all_leaves_nothing() -> None:
    found = prepare(point())
    assert misfit(found, np.zeros_like(found.counts)).share == 0.0


def test_the_order_of_excitations_is_not_judged_without_light_or_with_one() -> None:
    dark = np.zeros((2, NM.size))
    assert nadh_order(NM, dark, dark + 16.0, np.array(EXCITATIONS)) is None
    assert nadh_order(NM, dark[:1], dark[:1] + 16.0, np.array([405.0])) is None


def test_more_blood_makes_a_larger_absorbance() -> None:
    found = [blood_absorbance(NM, np.exp(-np.sqrt(absorption(NM, f, 0.7)))) for f in (0.005, 0.02, 0.1)]
    assert found == sorted(found)


@pytest.mark.parametrize("name", ["snr", "chi2"])
def test_a_threshold_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadSetting, match=name):
        Thresholds(**{name: float("nan")})


SAID: list[Callable[[], Gate]] = [
    *(lambda n=n: quality.saturation_gate(n, 0.0) for n in (None, 0, 12)),
    *(lambda z=z: quality.lamp_gate(z, 4.0) for z in (0.3, 90.0)),
    *(lambda w=w: quality.contact_gate(w, None, None, (0.25, 0.08, 0.02)) for w in (None, 0.04, 1.1)),
    lambda: quality.contact_gate(None, 0.03, 1.0, (0.25, 0.08, 0.02)),
    *(lambda a=a: quality.blood_gate(a, 1.95) for a in (None, 1.0, 2.6)),
    *(lambda f=f: quality.fitted_blood_gate(f, 0.12) for f in (None, 0.01, 0.2)),
    *(lambda s=s: quality.ambient_gate(s, (0.0, 0.01), (0.3, 0.1)) for s in (None, 0.1, 0.655)),
    lambda: quality.ambient_gate(0.1, (0.4, 0.01), (0.3, 0.1)),
    *(lambda s=s: quality.snr_gate(s, 5.0) for s in (2.34, 50.0)),
    *(lambda c=c: quality.bleaching_gate(c, 0.25) for c in ([], [Change(0.1, 0.01)], [Change(0.4, 0.01)])),
    *(lambda f=f: quality.flicker_gate(f, 100.0, 0.2) for f in (None, Flicker(1.0, 1.2, 0.0, True), Flicker(9.0, 1.2, 90.0, False))),
    *(lambda o=o: quality.excitation_gate(o, 1.0) for o in (None, (5.0, 0.1), (0.2, 0.1))),
    *(lambda s=s: quality.shift_gate(s, "ok", 1.9) for s in (None, 0.4, 2.41)),
    *(lambda m=m: quality.fit_gate(Misfit(m, 9.0, 574.0), 2.0, (0.06, 60.0)) for m in (0.01, 0.3)),
    lambda: quality.fit_gate(Misfit(0.0, 0.0, 574.0), 90.0, (0.06, 60.0)),
]


def test_every_reason_is_one_sentence_with_french_words() -> None:
    reasons = {made().reason for made in SAID}
    assert len(reasons) >= 33
    assert [reason for reason in reasons if in_french(reason) in (None, reason)] == []
    assert all(reason.endswith(".") and not reason[0].islower() and "; " not in reason for reason in reasons)


def test_what_a_surgeon_must_act_on_says_what_to_do() -> None:
    told = [gate.reason for gate in (made() for made in SAID) if not gate.passed]
    assert len(told) >= 12
    assert all(any(word in reason for word in ("again", "calibrate", "longer", "measure over")) for reason in told)
