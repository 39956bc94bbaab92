"""Density from Hounsfield units: by tissues, rods, two points, a table; and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.science.bone.attenuation import ENERGIES_KEV, attenuation
from onclair.science.bone.calibrate import Line, Rod, by_rods, by_scanner, by_tissues, from_dict
from onclair.science.bone.tissue_samples import sampled

LOG = {"adipose": -82.579, "air": -956.834, "blood": 39.249, "bone": 1226.214, "muscle": 24.561}


def made_scan(*, blood: float = 40.0) -> tuple[np.ndarray, np.ndarray]:
    """A body of fat with muscle, aorta, a femur and air around it, in voxels of 2 mm."""
    x, y = np.indices((120, 120)) - 60
    hu, labels = np.full((120, 120), -995.0), np.zeros((120, 120), int)
    body = x**2 + y**2 < 48**2
    hu[body] = -100.0
    for centre, radius, value, label in (((20, 0), 14, 50.0, 80), ((-20, 0), 8, blood, 52), ((0, 25), 10, 1300.0, 75)):
        region = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
        hu[region], labels[region] = value, label
    hu[0, 0] = -1024.0
    return np.repeat(hu[:, :, None], 20, axis=2), np.repeat(labels[:, :, None], 20, axis=2)


def test_attenuation_of_water_agrees_with_the_national_tables():
    at = {energy: float(attenuation("water")[ENERGIES_KEV.tolist().index(energy)]) for energy in (60.0, 80.0, 100.0)}
    assert at[60.0] == pytest.approx(0.2059, rel=0.01)  # NIST XCOM, cm2/g
    assert at[80.0] == pytest.approx(0.1837, rel=0.01)
    assert at[100.0] == pytest.approx(0.1707, rel=0.01)


def test_blood_with_contrast_is_refused_and_the_rest_used():
    found = by_tissues(LOG, contrast=True)
    assert found.refused == ("blood",)
    assert "blood" not in found.used
    assert float(found.density_mg_cc(300.0)) == pytest.approx(204.2, abs=7)


def test_enhanced_blood_is_refused_whatever_the_person_says():
    assert by_tissues({**LOG, "blood": 177.0}).refused == ("blood",)


def test_the_error_of_triglyceride_is_carried():
    assert float(by_tissues(LOG).error_mg_cc(300.0)) == pytest.approx(9.0, abs=1.0)


def test_tissues_exchanged_for_each_other_are_refused():
    with pytest.raises(BadInput, match=r"adipose is 1226\.21 HU"):
        by_tissues({**LOG, "adipose": LOG["bone"], "bone": LOG["adipose"]})


def test_too_few_tissues_are_refused_with_what_is_needed():
    with pytest.raises(BadInput, match="air and bone must be among them"):
        by_tissues({"muscle": 30.0, "blood": 40.0})


def test_an_unknown_tissue_is_refused():
    with pytest.raises(BadInput, match="no tissue 'liver'"):
        by_tissues({**LOG, "liver": 60.0})


def test_rods_are_fitted_and_their_scatter_is_the_error():
    rods = [Rod(0.0, 0.0), Rod(125.0, 102.0), Rod(250.0, 200.0), Rod(375.0, 298.0)]
    found = by_rods(rods)
    assert found.method == "phantom"
    assert found.hu_to_density.slope == pytest.approx(0.7936, abs=1e-4)  # least squares by hand: 49600/62500
    assert found.residual_mg_cc > 0
    assert float(found.error_mg_cc(100.0)) == found.residual_mg_cc


def test_two_points_make_the_line_exactly():
    found = by_rods([Rod(-10.0, 0.0), Rod(240.0, 200.0)])
    assert (found.method, found.r2) == ("two-point", None)
    assert float(found.density_mg_cc(115.0)) == pytest.approx(100.0)


def test_liquid_rods_are_corrected_for_their_water():
    """HU = water + sigma K2HPO4 + beta with sigma 1.4174 and beta -999.6 - 3: the corrected line is 1.2 K2HPO4 - 3."""
    rods = [
        Rod(w + 1.4174 * k - 1002.6, k, w) for k, w in ((-51.8, 1012.2), (-53.4, 1057.0), (58.9, 1103.6), (157.0, 1119.5), (375.8, 923.2))
    ]
    line = by_rods(rods).hu_to_density
    assert line.slope == pytest.approx(1 / 1.2)
    assert line.intercept == pytest.approx(3 / 1.2)


@pytest.mark.parametrize(
    ("rods", "said"),
    [
        ([Rod(1.0, 0.0)], "two of different HU"),
        ([Rod(0.0, 0.0), Rod(-100.0, 200.0)], "falls as HU rise"),
        ([Rod(0.0, 0.0, 1000.0), Rod(100.0, 100.0)], "for each rod or for none"),
    ],
    ids=["one rod", "exchanged", "water of some"],
)
def test_rods_that_make_no_line_are_refused(rods, said):
    with pytest.raises(BadInput, match=said):
        by_rods(rods)


def test_a_scanner_that_is_not_in_the_table_is_refused_with_those_that_are():
    table = [{"scanner": "A", "kvp": 120, "slope": 0.8, "intercept": -4.0}]
    assert by_scanner(table, scanner="A", kvp=120).hu_to_density == Line(0.8, -4.0)
    with pytest.raises(BadInput, match="it holds A at 120 kV"):
        by_scanner(table, scanner="A", kvp=100)


def test_a_calibration_survives_being_written_down():
    for found in (by_tissues(LOG), by_rods([Rod(0.0, 0.0), Rod(250.0, 200.0)])):
        assert from_dict(found.as_dict()) == found


def test_tissues_are_sampled_under_their_labels():
    found = sampled(*made_scan(), np.diag([2.0, 2.0, 2.0, 1.0]))
    assert found.hu == {"adipose": -100.0, "air": -995.0, "blood": 40.0, "bone": 1300.0, "muscle": 50.0}
    assert found.refused == {}


def test_an_enhanced_aorta_is_refused_though_the_header_says_nothing():
    found = sampled(*made_scan(blood=177.0), np.diag([2.0, 2.0, 2.0, 1.0]))
    assert "blood" not in found.hu
    assert "177 HU" in found.refused["blood"]


def test_a_header_that_names_an_agent_is_enough_to_refuse_blood():
    found = sampled(*made_scan(), np.diag([2.0, 2.0, 2.0, 1.0]), contrast="APPLIED")
    assert "APPLIED" in found.refused["blood"]
