"""`onclair radiomics extract --maps`: voxel-wise maps as NIfTI, verified, kept, on the right grid."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from commandline import Said, onclair_here
from extraction_made import AFFINE, write_cohort_of
from onclair.io.nifti import read_image, read_mask
from onclair.science.radiomics.extraction import Extraction
from onclair.science.radiomics.voxel_maps import MapSettings, voxel_maps


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    home = write_cohort_of(tmp_path / "c", 1)
    (home / "eight.toml").write_text("bins = 8\n")
    return home


def maps(folder: Path, names: str, *more: str | Path) -> Said:
    files = ("--image", folder / "P1_pet.nii.gz", "--mask", folder / "P1_mask.nii.gz", "--settings", folder / "eight.toml")
    return onclair_here("radiomics", "extract", *files, "--maps", names, *more, "--json")


def test_each_map_lies_on_the_grid_of_the_image_and_is_what_science_gives(pair: Path) -> None:
    said = maps(pair, "stat_mean,cm_contrast_3D_comb", "--out", pair / "maps")
    assert said.code == 0, said.err
    image = read_image(pair / "P1_pet.nii.gz", "SUV")
    region = read_mask(pair / "P1_mask.nii.gz").on(image).region()
    settings = MapSettings(("stat_mean", "cm_contrast_3D_comb"), Extraction("fixed-number", bins=8))
    expected = voxel_maps(image.array, region, image.spacing_mm, settings)
    assert [one["tag"] for one in said.json["maps"]] == list(settings.tags)
    for one in said.json["maps"]:
        written = nib.load(one["file"])
        np.testing.assert_array_equal(np.asanyarray(written.dataobj), expected.volume(one["tag"]))
        np.testing.assert_allclose(written.affine, nib.load(pair / "P1_pet.nii.gz").affine)
        assert one["voxels"] == region.sum()


def test_maps_verify_and_are_not_made_twice(pair: Path) -> None:
    first, second = (maps(pair, "ngtdm", "--out", pair / "maps").json for _ in range(2))
    assert (first["reused"], second["reused"]) == (False, True)
    assert first["evidence_id"] == second["evidence_id"]
    assert onclair_here("verify", pair / "maps").code == 0
    Path(first["maps"][0]["file"]).write_bytes(b"changed")
    assert onclair_here("verify", pair / "maps").code == 1


def test_a_map_of_a_resampled_image_lies_where_the_image_lay(pair: Path) -> None:
    ramp = nib.load(pair / "P1_pet.nii.gz")
    x = np.arange(12.0)[:, None, None] * np.ones((12, 12, 8))
    nib.save(nib.Nifti1Image((x * AFFINE[0, 0]).astype(np.float32), ramp.affine), pair / "P1_pet.nii.gz")
    (pair / "eight.toml").write_text("bins = 8\n[grid]\nspacing_mm = [1.0, 1.0, 1.0]\n")
    said = maps(pair, "stat_median", "--out", pair / "maps")
    assert said.code == 0, said.err
    written = nib.load(said.json["maps"][0]["file"])
    array, affine = np.asanyarray(written.dataobj), written.affine
    where = np.argwhere(np.isfinite(array))
    inner = where[(where[:, 0] > where[:, 0].min() + 1) & (where[:, 0] < where[:, 0].max() - 1)]
    left = -(inner @ affine[:3, :3].T + affine[:3, 3])[:, 0]  # RAS to LPS
    assert np.median(np.abs(array[tuple(inner.T)] - left)) < 1e-4


def test_maps_in_slices_and_in_millimetres_say_their_kernel(pair: Path) -> None:
    said = maps(pair, "cm_contrast_2D_comb", "--map-slices", "--map-radius-mm", "4", "--out", pair / "maps").json
    assert said["kernel"] == {"radius": 4.0, "unit": "mm", "dimensions": 2}


@pytest.mark.parametrize(
    ("names", "more", "told"),
    [
        ("cm_contrst_3D_comb", ("--out", "m"), "did you mean 'cm_contrast_3D_comb'?"),
        ("morphology", ("--out", "m"), "describes a region as a whole and has no map"),
        ("stat_mean", (), "give --image, --mask and --out"),
        ("stat_mean", ("--out", "m", "--map-radius", "1.5"), "a whole number in voxels"),
        ("stat_mean", ("--out", "m", "--map-radius", "1", "--map-radius-mm", "3"), "give --map-radius or --map-radius-mm"),
        ("stat_mean", ("--out", "m", "--settings", "pyradiomics-bw25"), "of which there are no voxel maps"),
        ("stat_mean", ("--out", "c"), "holds other things than a run"),
    ],
)
def test_maps_that_cannot_be_made_are_one_sentence_and_nothing_is_written(
    pair: Path, monkeypatch: pytest.MonkeyPatch, names: str, more: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(pair.parent)
    said = maps(pair, names, *more)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not (pair.parent / "m" / "evidence.json").exists()


def test_a_flag_for_maps_without_maps_is_told(pair: Path) -> None:
    said = onclair_here("radiomics", "extract", "--image", pair / "i", "--mask", pair / "m", "--map-radius", "2")
    assert (said.code, "name them with --maps" in said.err) == (2, True)
