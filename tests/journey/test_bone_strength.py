"""`onclair bone strength`, `calibrate`, `mirels` and `sins` as a person calls them: answers, files, and every refusal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from bone_made import Made, femurs, sphere, vertebra, write_region
from commandline import Said, onclair, onclair_here
from onclair.io.nifti import write_map

LOG = {"adipose": -82.579, "air": -956.834, "blood": 39.249, "bone": 1226.214, "muscle": 24.561, "contrast": False}


@dataclass(frozen=True)
class Files:
    """A made bone on disk."""

    made: Made
    folder: Path
    density: Path
    labels: Path

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def image(self, hu: np.ndarray | None = None) -> Path:
        path = self.folder / "ct.nii.gz"
        write_map(path, (self.made.hu() if hu is None else hu).astype(np.float32), self.made.affine)
        return path

    def calibration(self) -> Path:
        phantom, path = self.folder / "phantom.toml", self.folder / "cal.json"
        phantom.write_text('material = "K2HPO4"\n[[rods]]\nhu = 5\nmg_cc = 0\n[[rods]]\nhu = 255\nmg_cc = 200\n')
        if not path.exists():
            assert onclair_here("bone", "calibrate", "--phantom", phantom, "--out", path).code == 0
        return path

    def region(self, name: str, region: np.ndarray) -> Path:
        return write_region(self.folder / name, region, self.made.affine)

    def strength(self, *words: str | Path, case: str = "spine-compression") -> Said:
        return onclair_here("bone", "strength", "--case", case, "--out", self.out, "--threads", "1", "--json", *words)

    def by_density(self, *words: str | Path, case: str = "spine-compression") -> Said:
        labels = ("--label", "20,48") if case == "spine-compression" else ()
        return self.strength("--density", self.density, "--bone-mask", self.labels, *labels, *words, case=case)


def written(made: Made, folder: Path) -> Files:
    return Files(made, folder, *made.write(folder))


@pytest.fixture
def spine(tmp_path) -> Files:
    """A vertebra at 2 mm."""
    return written(vertebra(), tmp_path)


@pytest.fixture
def hips(tmp_path) -> Files:
    """Two femurs at 2 mm."""
    return written(femurs(), tmp_path)


def refused(said: Said, files: Files, *words: str) -> None:
    """One sentence, exit code 2, and nothing left behind."""
    assert said.code == 2, said.out
    assert len(said.err.strip().splitlines()) == 1
    for word in words:
        assert word in said.err
    assert not files.out.exists()
    assert not list(files.folder.glob(".*"))


def test_a_vertebra_with_a_lesion_from_density_to_a_band(spine):
    lesion = spine.region("lesions.nii.gz", sphere(spine.made, (26.0, 22.0, 22.0), 7.0))
    said = spine.by_density("--lesions", lesion, "--samples", "3", "--body-mass-kg", "70")
    assert said.code == 0, said.err
    found = said.json
    assert set(found["model"]) == {"elements", "nodes", "spacing_mm", "removed_elements", "caps_nodes"}
    assert found["model"]["spacing_mm"] == [2.0, 2.0, 2.0]
    assert {"iterations", "relative_residual", "reaction_N", "imbalance_N", "energy_error", "cpu_s", "peak_gb"} <= set(found["solve"])
    assert found["solve"]["reaction_N"] < 0
    assert found["solve"]["relative_residual"] <= 1e-6
    assert found["height_mm"] == 24.0
    assert found["strength"]["crawford_N"] == pytest.approx(0.0068 * found["stiffness_N_per_mm"] * 24.0)
    assert found["strength"]["pistoia_N"] == pytest.approx(-found["solve"]["reaction_N"] * found["strength"]["pistoia_factor"])
    band = {step["assumption"]: step["stiffness_N_per_mm"] for step in found["band"]}
    assert list(band) == ["density", "half", "tenth", "void"]
    assert band["void"] < band["tenth"] < band["half"] <= band["density"]
    estimates = {each["name"]: each for each in found["estimates"]}
    assert set(estimates) == {"fe:stiffness", "fe:strength", "fe:load-ratio"}
    assert estimates["fe:strength"]["low"] <= min(step["strength_N"] for step in found["band"])
    assert estimates["fe:strength"]["high"] >= max(step["strength_N"] for step in found["band"])
    assert estimates["fe:load-ratio"]["value"] == pytest.approx(found["load"]["tasks"][0]["load_N"] / found["strength"]["crawford_N"])
    assert found["ctra"]["against"] == "intact neighbours"


def test_fields_lie_on_the_grid_of_the_input_and_are_zero_outside(spine):
    found = spine.by_density("--samples", "0").json
    sed, moved, bone = (nib.load(path) for path in (found["outputs"]["sed"], found["outputs"]["displacement"], spine.labels))
    inside = np.asarray(bone.dataobj) > 0
    assert sed.shape == bone.shape
    assert np.allclose(sed.affine, bone.affine)
    assert moved.shape == (*bone.shape, 3)
    assert (np.asarray(sed.dataobj)[inside] > 0).all()
    assert not np.asarray(sed.dataobj)[~inside].any()
    low, high = (np.asarray(moved.dataobj)[20 // 2 + 3, 11, k, 2] for k in (6, 15))
    assert high < low < 0  # pressed down, more so above
    assert json.loads(Path(found["outputs"]["result"]).read_text())["stiffness_N_per_mm"] == found["stiffness_N_per_mm"]


def test_a_calibrated_scan_is_as_strong_as_its_density(spine):
    by_density = spine.by_density("--samples", "0").json
    spine.out.rename(spine.folder / "first")
    words = ("--image", spine.image(), "--calibration", spine.calibration(), "--bone-mask", spine.labels, "--label", "20", "--label", "48")
    by_image = spine.strength(*words, "--samples", "0").json
    assert by_image["stiffness_N_per_mm"] == pytest.approx(by_density["stiffness_N_per_mm"], rel=1e-3)


def test_the_error_of_tissues_widens_the_interval(spine):
    tissues, path = spine.folder / "t.json", spine.folder / "tissues-cal.json"
    tissues.write_text(json.dumps(LOG))
    assert onclair_here("bone", "calibrate", "--tissues", tissues, "--out", path).code == 0
    words = ("--image", spine.image(), "--calibration", path, "--bone-mask", spine.labels, "--label", "20,48", "--samples", "0")
    found = spine.strength(*words).json
    assert found["interval"]["widths"]["calibration"] > 0.05
    assert found["interval"]["low_N"] < found["strength"]["crawford_N"] < found["interval"]["high_N"]


def test_a_femur_is_set_against_its_other_side(hips):
    hole = hips.region("lesions.nii.gz", sphere(hips.made, (88.0, 32.0, 60.0), 10.0) & (hips.made.labels == 75))
    words = ("--side", "left", "--lesions", hole, "--voxel-mm", "4", "--samples", "2", "--body-mass-kg", "70")
    found = hips.by_density(*words, case="femur-stance").json
    assert found["ctra"]["against"] == "other side"
    assert found["ctra"]["registered_mm"] < 1.0
    assert found["strength"]["failure"]["load_N"] == found["strength"]["principal_strain_N"]
    assert [row["task"] for row in found["load"]["tasks"]] == ["walking", "stumbling"]
    assert found["load"]["tasks"][0]["load_N"] == pytest.approx(2.38 * 70 * 9.80665)


def test_a_femur_alone_is_set_against_its_own_slices(tmp_path):
    hips = written(femurs(both=False), tmp_path)
    hole = hips.region("lesions.nii.gz", sphere(hips.made, (88.0, 32.0, 60.0), 10.0))
    found = hips.by_density("--lesions", hole, "--voxel-mm", "4", "--samples", "0", case="femur-sideways-fall").json
    assert found["ctra"]["against"] == "intact neighbours"
    assert found["load"]["reason"].startswith("The body mass was not given")
    assert next(e for e in found["estimates"] if e["name"] == "fe:load-ratio")["status"] == "not_available"


def test_a_bar_of_unequal_edges_has_the_stiffness_of_the_textbook(tmp_path):
    bar, path = np.zeros((7, 6, 12)), tmp_path / "bar.nii.gz"
    bar[1:6, 1:5, 1:11] = 1000.0
    write_map(path, bar, np.diag([0.5, 0.8, 1.1, 1.0]))
    said = onclair_here(
        "bone", "strength", "--material", path, "--case", "uniaxial", "--strain", "-0.01", "--out", tmp_path / "o", "--json"
    )
    found = said.json
    assert found["stiffness_N_per_mm"] == pytest.approx(1000.0 * 2.5 * 3.2 / 11.0, rel=1e-5)
    assert found["solve"]["reaction_N"] == pytest.approx(-1000.0 * 2.5 * 3.2 * 0.01, rel=1e-5)
    assert found["height_mm"] == pytest.approx(11.0)
    assert found["band"] == []
    assert found["model"]["caps_nodes"] == [30, 30]


def test_lesions_of_a_material_map_get_a_band_and_an_interval(tmp_path):
    x, y, z = np.indices((12, 12, 16)) - 6
    path = tmp_path / "block.nii.gz"
    write_map(path, np.full(x.shape, 500.0), np.eye(4))
    lesion = write_region(tmp_path / "l.nii.gz", x**2 + y**2 + z**2 <= 9, np.eye(4))
    words = ("--material", path, "--lesions", lesion, "--case", "constrained-axial", "--samples", "2", "--out", tmp_path / "o", "--json")
    found = onclair_here("bone", "strength", *words).json
    assert [step["assumption"] for step in found["band"]] == ["density", "half", "tenth", "void"]
    assert found["interval"]["low_N"] <= found["band"][3]["strength_N"]


def test_two_runs_give_the_same_figures(spine):
    lesion = spine.region("lesions.nii.gz", sphere(spine.made, (26.0, 22.0, 22.0), 7.0))
    first = spine.by_density("--lesions", lesion, "--samples", "2", "--seed", "5").json
    spine.out.rename(spine.folder / "first")
    again = spine.by_density("--lesions", lesion, "--samples", "2", "--seed", "5").json
    assert again["estimates"] == first["estimates"]
    sed = "sed.nii.gz"
    assert (spine.out / sed).read_bytes() == (spine.folder / "first" / sed).read_bytes()


def test_a_lesion_elsewhere_is_said(spine):
    nowhere = spine.region("lesions.nii.gz", sphere(spine.made, (2.0, 2.0, 2.0), 3.0))
    found = spine.by_density("--lesions", nowhere, "--samples", "0").json
    assert found["band"] == []
    assert "no_lesion_in_bone" in {note["code"] for note in found["warnings"]}


def test_words_for_a_person(spine):
    words = ("--density", spine.density, "--bone-mask", spine.labels, "--label", "20,48", "--case", "spine-compression")
    said = onclair("bone", "strength", *words, "--out", spine.out, "--samples", "0")
    assert said.code == 0, said.err
    assert "fe:strength" in said.out
    assert "solving: calibrated density" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--label", "20,99"), "no label 99; it holds 20, 48"),
        (("--label", "20,x"), "whole numbers above 0"),
        ((), "name those of one bone with --label"),
        (("--label", "20,48", "--poisson", "0.5"), "Poisson"),
        (("--label", "20,48", "--displacement", "0"), "is not moved"),
        (("--label", "20,48", "--strain", "-0.01", "--displacement", "-1"), "give --strain or --displacement"),
        (("--label", "20,48", "--body-mass-kg", "0.5"), "2 to 400 kg"),
        (("--label", "20,48", "--series", "1.2.3"), "--series"),
    ],
    ids=["absent label", "a word", "several labels", "poisson", "nothing moved", "two loads", "mass", "series of a density"],
)
def test_a_flag_that_cannot_be_is_refused(spine, words, said):
    refused(spine.strength("--density", spine.density, "--bone-mask", spine.labels, *words), spine, said)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (lambda block: np.where(block > 0, np.nan, 0.0), "NaN or infinite; write 0"),
        (lambda block: -block, "negative moduli"),
        (lambda block: 0.0 * block, "0 MPa everywhere"),
        (lambda block: np.where(np.indices(block.shape)[2] == 4, 0.0, block), "not connected"),
    ],
    ids=["NaN", "negative", "all zero", "ends not connected"],
)
def test_a_material_that_is_none_is_refused(spine, values, said):
    path = spine.folder / "material.nii.gz"
    write_map(path, values(np.full((6, 6, 10), 100.0)), np.eye(4))
    refused(spine.strength("--material", path, case="uniaxial"), spine, said)


def test_a_bone_that_the_scan_cuts_is_refused(tmp_path):
    made = vertebra()
    files = written(Made(made.density[:, :, :15], made.labels[:, :, :15], made.affine), tmp_path)
    refused(files.by_density(), files, "upper border of the scan along z", "scan the whole bone")


def test_a_femur_may_be_cut_below_and_not_above(tmp_path):
    made = femurs(both=False)
    below = written(Made(made.density[:, :, 5:], made.labels[:, :, 5:], made.affine), tmp_path)
    assert below.by_density("--voxel-mm", "4", case="femur-stance").code == 0
    (tmp_path / "above").mkdir()
    above = written(Made(made.density[:, :, :72], made.labels[:, :, :72], made.affine), tmp_path / "above")
    refused(above.by_density("--voxel-mm", "4", case="femur-stance"), above, "upper border")


def test_metal_in_the_bone_is_refused(spine):
    hu = spine.made.hu()
    hu[sphere(spine.made, (26.0, 22.0, 22.0), 3.0)] = 3000.0
    words = ("--image", spine.image(hu), "--calibration", spine.calibration(), "--bone-mask", spine.labels, "--label", "20,48")
    refused(spine.strength(*words), spine, "Metal", "ct.nii.gz")


def test_a_mask_of_another_grid_is_refused(spine):
    other = spine.made.affine.copy()
    other[0, 3] += 1.0
    mask = write_region(spine.folder / "other.nii.gz", spine.made.labels, other)
    refused(spine.strength("--density", spine.density, "--bone-mask", mask, "--label", "20,48"), spine, "another grid")


def test_an_empty_mask_is_refused(spine):
    mask = spine.region("empty.nii.gz", 0 * spine.made.labels)
    refused(spine.strength("--density", spine.density, "--bone-mask", mask), spine, "empty")


def test_a_scan_without_calibration_is_refused(spine):
    refused(spine.strength("--image", spine.image()), spine, "--calibration")


def test_a_calibration_that_was_changed_is_refused(spine):
    path = spine.calibration()
    path.write_text(path.read_text().replace('"slope": 0.8', '"slope": 0.9'))
    refused(
        spine.strength("--image", spine.image(), "--calibration", path, "--bone-mask", spine.labels, "--label", "20"), spine, "was changed"
    )


def test_nothing_is_replaced(spine):
    spine.out.mkdir()
    (spine.out / "mine.txt").write_text("mine")
    said = spine.by_density()
    assert said.code == 2
    assert "not empty" in said.err
    assert [path.name for path in spine.out.iterdir()] == ["mine.txt"]


def test_calibrate_answers_with_the_keys_of_its_contract(tmp_path):
    tissues, out = tmp_path / "t.json", tmp_path / "cal.json"
    tissues.write_text(json.dumps({**LOG, "contrast": True}))
    found = onclair_here("bone", "calibrate", "--tissues", tissues, "--out", out, "--json").json
    assert {"effective_energy_kev", "r2", "hu_to_density", "density_mg_cc", "refused"} <= set(found)
    assert set(found["density_mg_cc"]) == {"0", "100", "300", "1000"}
    assert found["refused"] == ["blood"]
    document = json.loads(out.read_text())
    assert document["schema"] == "onclair-bone-calibration/1"
    assert list(document["made_from"]["files"]) == ["t.json"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('{"air": -990, "bone": 1200, "muscl": 40}', "did you mean 'muscle'"),
        ('{"air": -990, "bone": "dense"}', "a number is needed"),
        ('{"air": -990, "bone": 1200', "not JSON"),
        ('{"air": -990, "bone": 1200}', "three are needed"),
        ('{"air": 40, "bone": 1200, "muscle": 40}', "air is 40 HU"),
    ],
    ids=["a slip", "a word", "cut short", "two tissues", "no air"],
)
def test_tissues_that_cannot_be_used_leave_no_calibration(tmp_path, document, said):
    tissues, out = tmp_path / "t.json", tmp_path / "cal.json"
    tissues.write_text(document)
    answer = onclair_here("bone", "calibrate", "--tissues", tissues, "--out", out)
    assert answer.code == 2
    assert said in answer.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('material = "CHA"\n[[rods]]\nhu = 0\nmg_cc = 0\n', "[to_k2hpo4]"),
        ('material = "K2HPO4"\n', "neither [[rods]] nor [[scanners]]"),
        ('[[scanners]]\nscanner = "A"\nkvp = 120\nslope = 0.8\nintercept = -4\n', "--scanner and --kvp"),
    ],
    ids=["another salt", "no rods", "a table without a choice"],
)
def test_a_phantom_that_cannot_be_used_is_refused(tmp_path, text, said):
    phantom = tmp_path / "p.toml"
    phantom.write_text(text)
    answer = onclair_here("bone", "calibrate", "--phantom", phantom, "--out", tmp_path / "cal.json")
    assert answer.code == 2
    assert said in answer.err


def test_a_table_of_scanners_and_another_salt_calibrate(tmp_path):
    phantom, out = tmp_path / "p.toml", tmp_path / "cal.json"
    phantom.write_text('[[scanners]]\nscanner = "A"\nkvp = 120\nslope = 0.8\nintercept = -4\nerror_mg_cc = 3\n')
    words = ("--phantom", phantom, "--scanner", "A", "--kvp", "120", "--out", out, "--json")
    found = onclair_here("bone", "calibrate", *words).json
    assert (found["density_mg_cc"]["100"], found["error_mg_cc"]["100"]) == (76.0, 3.0)
    rods = "[[rods]]\nhu = 0\nmg_cc = 0\n[[rods]]\nhu = 200\nmg_cc = 100\n"
    phantom.write_text(f'material = "CHA"\nto_k2hpo4 = {{slope = 1.2, intercept = 5}}\n{rods}')
    assert onclair_here("bone", "calibrate", "--phantom", phantom, "--out", out, "--json").json["density_mg_cc"]["100"] == pytest.approx(
        65.0
    )


def test_two_sources_of_a_calibration_are_refused(tmp_path):
    answer = onclair_here("bone", "calibrate", "--tissues", "a.json", "--phantom", "b.toml", "--out", tmp_path / "c.json")
    assert answer.code == 2
    assert "one source" in answer.err


def test_scores_answer_with_a_range_where_an_item_is_open():
    found = onclair_here("bone", "mirels", "--site", "lower", "--type", "lytic", "--size-fraction", "0.5", "--json").json
    assert (found["score"], found["low"], found["high"], found["parts"]["pain"]) == (None, 8, 10, None)
    words = ("--location", "L1", "--pain", "mechanical", "--type", "lytic", "--alignment", "normal", "--collapse", "none-involved")
    found = onclair_here("bone", "sins", *words, "--posterolateral", "unilateral", "--json").json
    assert (found["score"], found["low"], found["high"]) == (10, 10, 10)
    assert found["advice"].startswith("7 to 12")
    assert onclair_here("bone", "sins", "--collapse", "half").code == 2
