"""The white standard: the instrument's colour and what leaks past its filter, against a spectrometer made here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadCase
from onclair.core.values import Detector, Measurement, Spectrum
from onclair.io.cohorts import read_cohort
from onclair.io.spectra.cohort import measurements_of
from onclair.io.spectra.standards import standard_of, with_standard
from onclair.science.optics.scattering import reduced_scattering
from onclair.science.spectra.bases import basis, efficiency
from onclair.science.spectra.chain import prepare
from onclair.science.spectra.point import measured
from onclair.science.spectra.prepared import prepared_from
from onclair.science.spectra.transport import blood_transport
from onclair.science.spectra.unmix import Unmixing, unmix
from onclair.science.spectra.unmix_amounts import with_held
from onclair.virtual.spectra import VirtualSpectra, write
from onclair.virtual.spectra_patients import person_of
from onclair.virtual.spectrometer import seen, spectrometer_of

NM = np.linspace(380.0, 780.0, 801)
COLOUR = 1.0 + 0.4 * (NM - 580.0) / 200.0 + 0.2 * np.sin(NM / 40.0)
LAMP = 2.0 - (NM - 400.0) / 400.0
LEAK = np.exp(-(NM - 405.0) / 15.0) * (NM > 400.0)
DETECTOR = Detector(65535.0, 4.0, 1.0)


def frame(light: np.ndarray, excitation: float | None, rng: np.random.Generator, name: str = "", averages: int = 1) -> Spectrum:
    counts = (rng.poisson((200.0 + light) * averages) / averages) + rng.normal(0.0, 4.0 / np.sqrt(averages), NM.size)
    return Spectrum(counts, NM, excitation, 20.0, averages=averages, detector=DETECTOR, frame=name)


def point(rng: np.random.Generator, *, leak: float = 0.0, certificate: bool = True) -> Measurement:
    """Return a point under a coloured instrument, and its standard under a coloured lamp."""
    glow = 300_000.0 * basis("FAD", NM) + 60_000.0 * basis("PpIX634", NM) + 100_000.0 * basis("Lipofuscin", NM)
    off = tuple(frame(0.0 * NM, None, rng) for _ in range(4))
    lit = tuple(frame(COLOUR * (glow + leak * LEAK), 405.0, rng) for _ in range(3))
    standard = Measurement(
        (frame(COLOUR * 5.0 * leak * LEAK, 405.0, rng, averages=100),),
        tuple(frame(0.0 * NM, None, rng, averages=100) for _ in range(2)),
        (frame(20_000.0 * LAMP * COLOUR, None, rng, "white", averages=100),),
        certificate=3.0 * LAMP if certificate else None,
    )
    return Measurement(lit, off, (frame(6000.0 * LAMP * COLOUR, None, rng),), standard=standard)


def within(values: np.ndarray) -> np.ndarray:
    return values[(NM >= 420.0) & (NM <= 730.0)]


def test_the_instruments_colour_is_found_whatever_the_colour_of_the_lamp():
    made = point(np.random.default_rng(1))
    plain, known = prepare(replace(made, standard=None)).counts[0], prepare(made).counts[0]
    ratio = within(plain) / within(known)
    expected = within(COLOUR) / within(COLOUR).mean()
    assert ratio == pytest.approx(expected, rel=0.02)


def test_without_a_certificate_the_fluorescence_is_left_as_it_is_and_the_reflectance_is_told():
    made = point(np.random.default_rng(2), certificate=False)
    found = prepare(made)
    assert np.array_equal(found.counts, prepare(replace(made, standard=None)).counts)
    assert within(found.reflectance) == pytest.approx(0.3, abs=0.03)
    assert "no_white_standard" not in {each["code"] for each in found.warnings}


def test_the_noise_of_the_standard_is_in_the_variance():
    made = point(np.random.default_rng(3))
    dim = replace(made.standard, white=tuple(replace(each, averages=1) for each in made.standard.white))
    assert (within(prepare(replace(made, standard=dim)).variance[0]) > within(prepare(made).variance[0])).all()


def test_a_full_pixel_closes_its_gate_whether_or_not_the_colour_is_known():
    made = point(np.random.default_rng(8))
    full = tuple(replace(each, counts=np.where(np.abs(NM - 530.0) < 1.0, 65535.0, each.counts)) for each in made.frames)
    for each in (replace(made, frames=full), replace(made, frames=full, standard=None)):
        assert [gate.name for gate in prepare(each).gates if not gate.passed] == ["saturated"]


def test_amounts_and_shift_are_right_under_a_coloured_instrument_only_with_its_standard():
    found = {True: [], False: []}
    true = 0.2 * efficiency("FAD", 405.0) / efficiency("PpIX634", 405.0)  # the amounts above are those of light
    how = Unmixing(("PpIX634", "PpIX620", "FAD", "Lipofuscin"), "none")
    for seed in range(6):
        made = point(np.random.default_rng(seed))
        for known in found:
            told = unmix(prepare(made if known else replace(made, standard=None)), how)
            ratio = told.abundances["PpIX634"].value / told.abundances["FAD"].value
            found[known].append((abs(ratio / true - 1.0), told.chi2))
    assert np.median(found[True], axis=0)[0] < 0.01 < np.median(found[False], axis=0)[0]
    assert max(chi2 for _, chi2 in found[True]) < 1.3 < min(chi2 for _, chi2 in found[False])


def test_what_leaks_past_the_filter_is_fitted_and_not_taken_for_fluorescence():
    how = Unmixing(("PpIX634", "PpIX620", "FAD", "Lipofuscin"), "none", width="fixed")
    made = point(np.random.default_rng(4), leak=8000.0)
    silent = replace(made.standard, frames=point(np.random.default_rng(4)).standard.frames)
    told, blind = (unmix(prepare(each), how) for each in (made, replace(made, standard=silent)))
    assert "stray0" in told.names
    assert "stray0" not in blind.names
    assert told.chi2 < 1.3 < blind.chi2
    found = dict(zip(told.names, told.values, strict=True))
    assert found["stray0"] == pytest.approx(0.2, rel=0.05)  # the standard sends back five times what the point does


@pytest.mark.parametrize("what", ["pixels", "saturated", "certificate"])
def test_a_standard_that_cannot_be_used_is_refused_with_what_to_do(what):
    made = point(np.random.default_rng(5))
    standard = made.standard
    if what == "pixels":
        short = tuple(Spectrum(each.counts[1:], NM[1:], None, 20.0, frame="white") for each in standard.white)
        standard, said = replace(standard, white=short), "800 pixels .* measure the standard with the spectrometer"
    elif what == "saturated":
        full = tuple(replace(each, counts=np.full(NM.size, 65535.0)) for each in standard.white)
        standard, said = replace(standard, white=full), "'white' has 801 saturated pixels; shorten"
    else:
        standard, said = replace(standard, certificate=0.0 * NM), "certificate .* not positive; give the colour"
    with pytest.raises(BadCase, match=said):
        prepare(replace(made, standard=standard))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return read_cohort(write(VirtualSpectra(patients=6, centres=3, pixels=512, seed=4), tmp_path_factory.mktemp("standards") / "cohort"))


def test_a_virtual_session_begins_with_the_standard_and_points_are_what_they_were(cohort):
    for patient in cohort.patients:
        standard = standard_of(cohort, patient)
        assert standard is not None
        assert standard.certificate is not None
        assert {each.excitation_nm for each in standard.frames} == {385.0, 405.0}
        assert all(len(each.white) == 1 and each.standard is None for each in measurements_of(cohort, patient))


def test_chi_squared_of_clean_virtual_points_is_honest_with_the_standard_and_not_without(cohort):
    truth = pd.read_csv(cohort.root / "truth.csv").set_index("point")["shift_nm"]
    rows = []
    for patient in cohort.patients:
        plain = measurements_of(cohort, patient)
        for known, blind in zip(with_standard(plain, standard_of(cohort, patient)), plain, strict=True):
            found, other = measured(known).unmixed, measured(blind).unmixed
            shift = found.shift_nm
            rows.append((found.chi2, other.chi2, shift.low <= truth[known.point] <= shift.high))
    chi2, without, held = np.array(rows, dtype=float).T
    assert np.quantile(chi2, 0.9) < 1.4
    assert np.quantile(without, 0.9) > 2.0
    assert held.mean() >= 0.8  # 0.91 of 156 points (24 patients, seed 33); 0.35 before there was a standard


def test_a_probe_that_does_not_touch_is_refused_though_nobody_knows_the_usual_light(tmp_path):
    made = read_cohort(write(VirtualSpectra(patients=4, centres=4, pixels=512, seed=5, fault="no_contact"), tmp_path / "cohort"))
    for patient in made.patients:
        for each in with_standard(measurements_of(made, patient), standard_of(made, patient)):
            assert "no_contact" in [gate.name for gate in prepare(each).gates if not gate.passed]


def test_a_second_certificate_is_refused(cohort):
    rows = cohort.acquisitions
    twice = pd.concat([rows, rows[(rows["kind"] == "standard_certificate") & (rows["patient"] == "VP001")]])
    with pytest.raises(BadCase, match="VP001 has 2 certificates"):
        standard_of(replace(cohort, acquisitions=twice), "VP001")


def test_slopes_by_scattering_are_differences():
    nm, lamps = np.linspace(420.0, 730.0, 60), [385.0, 405.0]
    table = blood_transport(nm, lamps)
    step = 1e-5

    def moved(amplitude: float, power: float) -> np.ndarray:
        pixel, lamp = (reduced_scattering(at, 20.0 * np.exp(amplitude), 1.3 + power) for at in (nm, np.array(lamps)))
        return replace(table, scattering=pixel, scattering_x=lamp)._absolute(0.02, 0.7)[0]

    most = table._absolute(0.02, 0.7)[0].argmax(axis=1)[:, None]
    for slope, way in zip(table.by_scattering(0.02, 0.7), ((step, 0.0), (0.0, step)), strict=True):
        difference = (moved(*way) - moved(*(-each for each in way))) / (2 * step)
        assert slope == pytest.approx(difference - np.take_along_axis(difference, most, axis=1), abs=1e-7)


def test_what_is_held_widens_errors_along_its_own_direction():
    inverse = np.array([[2.0, 0.5], [0.5, 1.0]])
    held = np.array([[0.3, -0.2]])
    found = with_held(inverse, held, 1.5)
    moved = inverse @ held[0]
    assert found == pytest.approx(1.5 * inverse + np.outer(moved, moved))


def test_intervals_of_the_shift_hold_the_truth_whatever_the_scattering():
    """Tissue of its own scattering, an ideal instrument: errors that knew of noise alone held the truth in 60 of 100."""
    rng = np.random.default_rng(0)
    by = replace(spectrometer_of(0, 1, 1024), tilt=0.0, fwhm_nm=0.5, edge_nm=360.0, leakage=0.0)
    inside = (by.wavelength_nm >= 420.0) & (by.wavelength_nm <= 730.0)
    held = []
    for each in (p for index in range(8) for p in person_of(VirtualSpectra(seed=33), index).points):
        light = seen(each.tissue, by, 3000.0)
        counts = np.array([rng.poisson(80.0 * light.excited(at)) for at in by.power])[:, inside]
        found = unmix(prepared_from(by.wavelength_nm[inside], counts, list(by.power), integration_ms=80.0), Unmixing(transport="joint"))
        held.append(found.shift_nm.low <= each.tissue.shift_nm + by.shift_nm <= found.shift_nm.high)
    assert np.mean(held) > 0.88
