"""The simulated CT: a kernel is a transfer function and a noise spectrum; thickness and dose do what physics says."""

from dataclasses import replace

import numpy as np
import pytest

from onclair.core.errors import BadSetting
from onclair.virtual.ct import ct_expose, noise, noise_hu
from onclair.virtual.pet import Phantom
from onclair.virtual.radiomics import VirtualRadiomics, truth_record
from onclair.virtual.radiomics_files import rows_of
from onclair.virtual.radiomics_patient import patient_of
from onclair.virtual.scanner import SHARP, SMOOTH, STANDARD, CtScanner, Kernel, ct_scanners

SCANNER = CtScanner("C1", STANDARD, 3.0, 0.6, 10.0)
FINE = (128, 128, 12)


def edge() -> Phantom:
    half = np.full((96, 40, 12), 1000.0)
    half[48:] = 1100.0
    return Phantom(half, np.ones_like(half), 0.5)


def spectrum(scanner: CtScanner) -> tuple[np.ndarray, np.ndarray]:
    """Measured noise power in rings of frequency, as a phantom of water gives it."""
    drawn = noise(FINE, scanner, np.random.default_rng(1))
    power = np.abs(np.fft.fft2(drawn, axes=(0, 1))).mean(axis=2) ** 2 + np.abs(np.fft.fft2(drawn, axes=(0, 1))).var(axis=2)
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n, scanner.pixel_mm) for n in FINE[:2]), indexing="ij"))
    rings = np.arange(0.05, 0.80, 0.05)
    which = np.digitize(frequency, rings)
    return (rings[:-1] + rings[1:]) / 2, np.array([power[which == k].mean() for k in range(1, rings.size)])


@pytest.mark.parametrize("kernel", [SMOOTH, STANDARD, SHARP], ids=lambda k: k.name)
def test_an_edge_is_seen_through_the_transfer_function_of_the_kernel(kernel):
    scanner = CtScanner("C1", kernel, 3.0, 0.5, 10.0)
    line = np.diff(ct_expose(edge(), scanner).expected[:, 20, 0])
    seen = np.abs(np.fft.rfft(line, 4096))
    frequency = np.fft.rfftfreq(4096, 0.5)
    half = frequency[np.argmax(seen / seen[0] < 0.5)]
    assert half == pytest.approx(kernel.mtf50, rel=0.03)


@pytest.mark.parametrize("kernel", [SMOOTH, STANDARD, SHARP], ids=lambda k: k.name)
def test_noise_has_the_spectrum_of_the_kernel(kernel):
    frequency, measured = spectrum(replace(SCANNER, reconstruction=kernel))
    expected = kernel.noise_power(frequency)
    assert np.corrcoef(measured, expected)[0, 1] > 0.99


@pytest.mark.parametrize("kernel", [SMOOTH, STANDARD], ids=lambda k: k.name)
def test_noise_has_the_standard_deviation_that_is_stated(kernel):
    scanner = replace(SCANNER, reconstruction=kernel)
    assert noise(FINE, scanner, np.random.default_rng(2)).std() == pytest.approx(noise_hu(scanner), rel=0.03)


def test_a_sharper_kernel_is_noisier_and_its_noise_is_finer():
    peaks, levels = [], []
    for kernel in (SMOOTH, STANDARD, SHARP):
        frequency, measured = spectrum(replace(SCANNER, reconstruction=kernel))
        peaks.append(frequency[np.argmax(measured)])
        levels.append(noise_hu(replace(SCANNER, reconstruction=kernel)))
    assert peaks[0] < peaks[1] < peaks[2]
    assert levels[0] < levels[1] < levels[2]


@pytest.mark.parametrize("change", [{"dose_mgy": 40.0}, {"slice_thickness_mm": 12.0}])
def test_four_times_the_photons_halve_the_noise(change):
    drawn = [noise(FINE, scanner, np.random.default_rng(3)).std() for scanner in (SCANNER, replace(SCANNER, **change))]
    assert drawn[0] / drawn[1] == pytest.approx(2.0, rel=1e-9)


def test_slices_have_noise_of_their_own_and_neighbours_in_plane_share_it():
    drawn = noise(FINE, SCANNER, np.random.default_rng(4))
    assert abs(np.corrcoef(drawn[:, :, :-1].ravel(), drawn[:, :, 1:].ravel())[0, 1]) < 0.02
    assert np.corrcoef(drawn[:-1].ravel(), drawn[1:].ravel())[0, 1] > 0.2


def test_thick_slices_wash_out_what_is_thin():
    plate = np.full((30, 30, 65), 1000.0)
    plate[:, :, 31:34] = 1300.0
    phantom = Phantom(plate, np.ones_like(plate), 1.0)
    peaks = [ct_expose(phantom, CtScanner("C1", STANDARD, thick, 1.0, 10.0)).expected.max() for thick in (1.0, 3.0, 5.0)]
    assert peaks == pytest.approx([300.0, 300.0, 180.0])


def test_a_kernel_whose_transfer_does_not_fall_is_refused():
    with pytest.raises(BadSetting, match="odd"):
        Kernel("odd", 0.6, 0.5, 0.3, 0.6)


def test_a_scanner_without_dose_is_refused():
    with pytest.raises(BadSetting, match="C9"):
        CtScanner("C9", STANDARD, 3.0, 0.9, 0.0)


def test_no_centre_at_all_is_refused():
    with pytest.raises(BadSetting, match="0 centres"):
        ct_scanners(0)


def test_centres_differ_in_kernel_thickness_and_dose():
    scanners = ct_scanners(8)
    assert len({(s.kernel, s.slice_thickness_mm, s.dose_mgy) for s in scanners}) == 8
    assert all(1.0 <= s.slice_thickness_mm <= 5.0 for s in scanners)


def test_a_lesion_attenuates_as_its_knob_says():
    patient = patient_of(VirtualRadiomics(modality="ct", field_mm=96.0), 0)
    image, outline = patient.scanned()
    free = patient.exposure.image(None).array
    assert image.array.dtype == np.int16
    assert free[patient.true_mask.region()].mean() == pytest.approx(patient.knobs["hu_mean"], abs=12.0)
    assert (image.array - free)[outline.region()].std() == pytest.approx(noise_hu(patient.scanner), rel=0.15)


def test_the_tables_of_a_virtual_ct_cohort_say_what_it_is():
    settings = VirtualRadiomics(modality="ct")
    assert truth_record(settings)["knobs"]["hu_mean"] == {"mean": 40.0, "sd": 15.0}
    assert [row["kind"] for row in rows_of(settings, "VP001", ct_scanners(1)[0])] == ["ct", "mask"]
    assert rows_of(settings, "VP001", ct_scanners(1)[0])[0]["kernel"] == "standard"
