"""What unmixing may not depend on, and what it must."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.science.spectra.prepared import Prepared, prepared_from
from onclair.science.spectra.unmix import Unmixing, unmix
from spectra_made import Truth, measured, spectra

NM = np.arange(420.0, 731.0)
TWO = (385.0, 405.0)
NAMES = ("PpIX634", "PpIX620", "NADH", "FAD", "Lipofuscin")
FEW = settings(max_examples=12)
SHARES = st.tuples(*[st.floats(0.05, 2.0) for _ in NAMES])


def point(shares: tuple[float, ...], shift: float, *, seed: int | None = None) -> tuple[Prepared, float]:
    """Return two excitations of a tissue without blood; without a seed there is no noise."""
    expected, scale = spectra(Truth(dict(zip(NAMES, shares, strict=True)), shift, excitations=TWO), NM, 3000)
    counts = expected if seed is None else measured(expected, np.random.default_rng(seed))
    return prepared_from(NM, counts, TWO, read_noise_counts=4.0), scale


@FEW
@given(SHARES, st.floats(-2.0, 2.0))
def test_without_noise_amounts_and_shift_are_the_truth(shares, shift):
    prepared, scale = point(shares, shift)
    found = unmix(prepared, Unmixing(NAMES, "none", shift_sd_nm=np.inf))
    assert found.shift_nm.value == pytest.approx(shift, abs=0.01)
    for name, share in zip(NAMES, shares, strict=True):
        amount = found.abundances[name]
        assert abs(amount.value - share * scale) < 0.1 * amount.se + 1e-3 * share * scale


@FEW
@given(SHARES, st.integers(0, 2**20), st.permutations(NAMES))
def test_the_order_of_fluorophores_changes_nothing(shares, seed, order):
    prepared, _ = point(shares, 0.4, seed=seed)
    first, second = (unmix(prepared, Unmixing(tuple(names), "none")).abundances for names in (NAMES, order))
    for name in NAMES:
        assert first[name].value == pytest.approx(second[name].value, abs=0.02 * first[name].se)


@FEW
@given(SHARES, st.integers(0, 2**20))
def test_the_order_of_excitations_changes_nothing(shares, seed):
    prepared, _ = point(shares, -0.7, seed=seed)
    turned = Prepared(*(getattr(prepared, n)[::-1] if n != "wavelength_nm" else prepared.wavelength_nm for n in PLACES))
    how = Unmixing(NAMES, "none")
    first, second = unmix(prepared, how), unmix(replace(turned, count_variance=prepared.count_variance[::-1]), how)
    for name in NAMES:
        assert first.abundances[name].value == pytest.approx(second.abundances[name].value, abs=0.02 * first.abundances[name].se)


PLACES = ("wavelength_nm", "counts", "variance", "excitation_nm", "integration_ms", "power_relative")


@FEW
@given(SHARES, st.integers(0, 2**20), st.floats(0.5, 200.0))
def test_amounts_are_counts_a_millisecond(shares, seed, integration_ms):
    prepared, _ = point(shares, 0.2, seed=seed)
    how = Unmixing(NAMES, "none")
    longer = replace(prepared, integration_ms=prepared.integration_ms * integration_ms)
    first, second = unmix(prepared, how).abundances, unmix(longer, how).abundances
    for name in NAMES:
        assert first[name].value == pytest.approx(second[name].value * integration_ms, rel=1e-6, abs=1e-6)


@FEW
@given(SHARES, st.integers(0, 2**20))
def test_every_interval_holds_its_value_and_nothing_is_negative(shares, seed):
    prepared, _ = point(shares, 1.0, seed=seed)
    for amount in unmix(prepared, Unmixing(NAMES, "joint")).abundances.values():
        assert 0 <= amount.low <= amount.value <= amount.high
