"""`onclair validate conformance`: every frozen figure holds, and a changed table shows in what was got."""

import shutil

import pytest

from commandline import onclair_here
from onclair.run.conformance import check_conformance

ALTERED = {
    "VanDyke.csv": ('"1","1","1",0,1,', '"1","1","1",0,5,', "vandyke_mrmc"),
    "aSAH.csv": ('"5","Good","Female",42,"1",0.13,3.01', '"5","Poor","Female",42,"1",0.13,3.01', "aSAH_delong"),
    "calibration_cases.csv": ("0,0.493029787292274", "0,0.893029787292274", "calibration_cases"),
    "rotterdam_gbsg_basic_val_pred.csv": ("132,5,0,", "132,5,1,", "rotterdam_to_gbsg.basic.val"),
}


@pytest.fixture(scope="module")
def whole(reference_data):
    return check_conformance(reference_data)


def test_every_frozen_figure_holds(whole):
    assert [check.as_dict() for check in whole.checks if not check.holds] == []
    assert (whole.total, dict(whole.failures)) == (273, {})


def test_the_converged_figures_and_the_wider_tolerances_are_those_of_the_specification(whole):
    found = {check.name: (check.expected, check.tolerance) for check in whole.checks}
    assert found["rotterdam_to_gbsg.basic.val.e90"] == (0.0745937191, 1e-6)
    assert found["rotterdam_to_gbsg.pgr.val.ici_rcs3_cloglog"] == (0.02479935667, 1e-6)
    assert found["euroscore_meta.reml_knha.mu"][1] == 5e-5
    assert found["competing_risks_focus.published.pseudo_slope[0]"] == (1.22, 0.005)
    assert found["sample_size.pmsampsize.bin C .8 p 24 prev .174 (simulated, tol 2%)[0]"] == (1175, pytest.approx(23.5))


@pytest.mark.parametrize("name", sorted(ALTERED))
def test_one_altered_cell_fails_and_the_figure_got_follows_it(name, whole, reference_data, tmp_path):
    before, after, block = ALTERED[name]
    shutil.copytree(reference_data / "evidence", tmp_path / "evidence")
    (tmp_path / "evidence" / name).chmod(0o644)
    text = (tmp_path / "evidence" / name).read_text()
    assert text.count(before) == 1
    (tmp_path / "evidence" / name).write_text(text.replace(before, after))
    said = onclair_here("validate", "conformance", "--reference-data", tmp_path, "--json")
    held = {check.name: check.got for check in whole.checks}
    moved = [c["name"] for c in said.json["checks"] if not c["holds"]]
    assert (said.code, said.json["held"] < said.json["total"]) == (1, True)
    assert moved
    assert all(name.startswith(block) for name in moved)
    assert all(c["got"] != held[c["name"]] for c in said.json["checks"] if not c["holds"])


def test_a_folder_without_reference_figures_is_refused(tmp_path):
    said = onclair_here("validate", "conformance", "--reference-data", tmp_path)
    assert (said.code, "EXPECTED.json" in said.err) == (2, True)
