"""Haemoglobin against the two tables of the reference data: Prahl's compilation, and SIMPA's per whole blood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from onclair.core.errors import BadInput
from onclair.science.optics.haemoglobin import BLOOD_MOLAR, absorption, extinction
from onclair.science.optics.scattering import reduced_scattering


@pytest.fixture(scope="module")
def optics(reference_data: Path) -> Path:
    return reference_data / "spectra" / "optics"


def test_every_node_is_prahls(optics):
    table = loadmat(optics / "mne_extinction_coef.mat")["extinct_coef"]
    table = table[table[:, 0] >= 350.0]
    oxy, deoxy = extinction(table[:, 0])
    assert len(table) == 326
    assert np.array_equal(oxy, table[:, 1])
    assert np.array_equal(deoxy, table[:, 2])


@pytest.mark.parametrize(
    ("nm", "oxy", "deoxy"), [(404.0, 308716, 253368), (542.0, 53292, 48148), (576.0, 55540, 40092), (634.0, 512.4, 4730.8)]
)
def test_the_values_of_the_specification(nm, oxy, deoxy):
    assert [float(each) for each in extinction(nm)] == pytest.approx([oxy, deoxy])


@pytest.mark.parametrize(("name", "saturation"), [("Oxyhemoglobin", 1.0), ("Deoxyhemoglobin", 0.0)])
def test_whole_blood_agrees_with_a_second_source(optics, name, saturation):
    with np.load(optics / f"simpa_absorption_{name}.npz") as stored:
        nm, theirs = stored["wavelengths"].astype(float), stored["values"]
    inside = (nm >= 450.0) & (nm <= 700.0)
    ours = absorption(nm[inside], 1.0, saturation) - 0.1
    assert np.median(np.abs(ours / theirs[inside] - 1.0)) < 0.02
    assert pytest.approx(2.303 * 150 / 64500) == BLOOD_MOLAR


def test_a_power_law_fits_the_second_sources_scattering(optics):
    with np.load(optics / "simpa_background_scattering.npz") as stored:
        nm, theirs = stored["wavelengths"].astype(float), stored["values"]
    power = -np.polyfit(np.log(nm), np.log(theirs), 1)[0]
    at_500 = float(np.interp(500.0, nm, theirs))
    assert reduced_scattering(nm, at_500, power) == pytest.approx(theirs, rel=0.05)


def test_wavelengths_outside_the_table_are_refused():
    with pytest.raises(BadInput, match="350 to 1000 nm; 340 nm was asked for"):
        extinction(340.0)
