"""Published numbers: the IBSI-1 reference values of zones and neighbourhoods (Radiology 2020;295:328-338)."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from onclair.science.radiomics.levels import grey_levels
from onclair.science.radiomics.neighbours import dependences, tone_differences
from onclair.science.radiomics.zones import UNDIRECTED, distance_zones, size_zones


def _loaded(folder: Path, phantom: str):
    volume, outline = nib.load(folder / f"{phantom}_phantom_image.nii.gz"), nib.load(folder / f"{phantom}_phantom_mask.nii.gz")
    return np.asarray(volume.dataobj), np.asarray(outline.dataobj) > 0


def _references(table: Path, family: str) -> dict[str, tuple[float, float]]:
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter=";") if row["tag"].split("_")[0] == family]
    return {row["tag"]: (float(row["reference value"]), float(row["tolerance"])) for row in rows}


def _off(values: dict[str, float], references: dict[str, tuple[float, float]]) -> dict[str, float]:
    """Return the values that, as they are or rounded to three significant digits, lie outside tolerance."""
    return {
        tag: values[tag]
        for tag, (reference, tolerance) in references.items()
        if min(abs(values[tag] - reference), abs(float(f"{values[tag]:.3g}") - reference)) > tolerance + 1e-9 * abs(reference)
    }


def _measured(levels, kept, region):
    grey = grey_levels(levels, kept)
    return {
        "szm": size_zones(grey, UNDIRECTED),
        "dzm": distance_zones(grey, region, UNDIRECTED),
        "ngt": tone_differences(grey, UNDIRECTED),
        "ngl": dependences(grey, UNDIRECTED),
    }


@pytest.fixture(scope="module")
def digital(reference_data: Path):
    folder = reference_data / "radiomics" / "ibsi1"
    array, region = _loaded(folder, "digital")
    return _measured(array[region], region, region), folder / "ibsi_1_dig_phantom.csv"


@pytest.fixture(scope="module")
def configuration_a(reference_data: Path):
    folder = reference_data / "radiomics" / "ibsi1"
    array, region = _loaded(folder, "ct")
    array = np.rint(array)
    kept = region & (array >= -500) & (array <= 400)
    levels = (np.floor((array[kept] + 500) / 25) + 1).astype(np.uint16)
    return _measured(levels, kept, region), folder / "ibsi_1_chest_config_a.csv"


@pytest.mark.parametrize(("family", "count"), [("szm", 48), ("dzm", 48), ("ngt", 15), ("ngl", 51)])
def test_every_zone_and_neighbourhood_value_of_the_digital_phantom_is_within_the_tolerance_of_ibsi(digital, family, count):
    measured, table = digital
    references = _references(table, family)
    assert len(references) == count
    assert tuple(measured[family].values) == tuple(references)
    assert _off(measured[family].values, references) == {}


def test_the_digital_phantom_leaves_no_zone_or_neighbourhood_value_undefined(digital):
    measured, _ = digital
    assert all(features.reasons == {} and np.isfinite(list(features.values.values())).all() for features in measured.values())


@pytest.mark.parametrize(("family", "count"), [("szm", 32), ("dzm", 32), ("ngt", 10), ("ngl", 34)])
def test_every_zone_and_neighbourhood_value_of_configuration_a_is_within_the_tolerance_of_ibsi(configuration_a, family, count):
    measured, table = configuration_a
    references = _references(table, family)
    assert len(references) == count
    assert _off(measured[family].values, references) == {}
