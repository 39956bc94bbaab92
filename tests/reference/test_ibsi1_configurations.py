"""Published numbers: every value of the IBSI's first part, for the digital phantom and configurations A to E of the CT phantom."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from onclair.core.errors import BadInput
from onclair.io.nifti import read_image, read_mask
from onclair.run.ibsi import DIAGNOSTICS, SETS, Reference, Score, agrees, check_ibsi, check_set, read_references, reference_home
from onclair.science.radiomics.diagnostics import diagnostics
from onclair.science.radiomics.extract import Extraction, extract, feature_tags
from onclair.science.radiomics.presets import preset

CT = ("a", "b", "c", "d", "e")
NO_CONSENSUS = {"morph_vol_dens_ombb", "morph_area_dens_ombb", "morph_vol_dens_mvee", "morph_area_dens_mvee", "ivh_auc"}


@pytest.fixture(scope="module")
def home(reference_data: Path) -> Path:
    return reference_home(reference_data)


@pytest.fixture(scope="module")
def ct_phantom(home: Path):
    image = read_image(home / "ibsi1" / "ct_phantom_image.nii.gz", "HU")
    return image.array, read_mask(home / "ibsi1" / "ct_phantom_mask.nii.gz").on(image).region(), image.spacing_mm


@pytest.fixture(scope="module")
def sets(reference_data: Path):
    return check_ibsi(reference_data, {"maps": lambda folder: Score(int((folder / "ibsi2").is_dir()), 33)})["sets"]


@pytest.mark.parametrize(("name", "count"), [("digital", 482), ("a", 346), ("b", 346), ("c", 210), ("d", 210), ("e", 210)])
def test_every_value_of_the_first_ibsi_is_within_its_tolerance(sets, name, count):
    assert sets[name] == {"passed": count, "total": count, "failed": []}


def test_the_settings_of_a_set_give_the_columns_of_its_table_and_no_others(home):
    for chosen in SETS.values():
        with (home / "ibsi1" / chosen.table).open(encoding="utf-8", newline="") as file:
            tags = [row["tag"] for row in csv.DictReader(file, delimiter=";")]
        columns = feature_tags(preset(chosen.settings))
        assert set(columns) == {tag for tag in tags if not tag.startswith(DIAGNOSTICS)}
        assert set(columns) - set(read_references(home / "ibsi1" / chosen.table)) == NO_CONSENSUS


@pytest.mark.parametrize("name", CT)
def test_the_diagnostic_figures_of_the_ct_phantom_are_within_their_tolerance(home, ct_phantom, name):
    found = diagnostics(*ct_phantom, preset(f"ibsi-{name}"))
    with (home / "ibsi1" / SETS[name].table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))[:60]
    assert list(found) == [row["tag"] for row in rows]
    references = {row["tag"]: Reference(float(row["reference value"]), float(row["tolerance"])) for row in rows}
    assert {tag: found[tag] for tag, reference in references.items() if not agrees(found[tag], reference)} == {}


def test_intensities_doubled_double_the_mean_and_leave_moran(ct_phantom):
    array, region, spacing = ct_phantom
    how = Extraction(families=("autocorrelation", "statistics"))
    before, after = (extract(array * factor, region, spacing, how).values for factor in (1, 2))
    assert after["stat_mean"] == 2 * before["stat_mean"]
    assert after["morph_moran_i"] == pytest.approx(before["morph_moran_i"], rel=1e-12)
    assert after["morph_geary_c"] == pytest.approx(before["morph_geary_c"], rel=1e-12)


def test_a_value_outside_its_tolerance_fails_with_what_was_expected(home, tmp_path):
    folder = tmp_path / "ibsi1"
    folder.mkdir()
    for name in ("digital_phantom_image.nii.gz", "digital_phantom_mask.nii.gz"):
        (folder / name).write_bytes((home / "ibsi1" / name).read_bytes())
    (folder / SETS["digital"].table).write_text(
        "reference value;tolerance;tag\n2.15;0;stat_mean\n9.99;0;stat_var\n;;ivh_auc\n1;0;cm_nosuch\n"
    )
    found = check_set(tmp_path, "digital")
    assert (found.passed, found.total) == (1, 3)
    assert found.failed[0] == {"tag": "stat_var", "value": pytest.approx(3.05, abs=0.01), "reference": 9.99, "tolerance": 0.0}
    assert found.failed[1] == {"tag": "cm_nosuch", "value": None, "reference": 1.0, "tolerance": 0.0}


def test_sets_of_others_are_scored_beside_our_own(sets):
    assert list(sets) == ["digital", *CT, "maps"]
    assert sets["maps"] == {"passed": 1, "total": 33, "failed": []}


def test_a_folder_without_phantoms_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match="neither ibsi1/ nor radiomics/ibsi1/"):
        check_ibsi(tmp_path)


def test_a_table_of_other_columns_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("tag;value\nstat_mean;2\nstat_var;3\n")
    with pytest.raises(BadInput, match="must have tag, reference value, tolerance"):
        read_references(tmp_path / "t.csv")
