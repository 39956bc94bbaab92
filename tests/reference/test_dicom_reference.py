"""Real and public DICOM: counts, values and world coordinates that its providers state."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

import highdicom as hd
import numpy as np
import pytest

from onclair.core.errors import BadGeometry
from onclair.core.geometry import Affine
from onclair.core.values import Mask
from onclair.io.dicom.outline import read_outline
from onclair.io.dicom.read import read_volume
from onclair.io.dicom.seg import own_grid, read_seg, read_segments, stored_values
from onclair.io.dicom.write_outlines import write_seg


def world(where: np.ndarray, affine: Affine) -> set[tuple[float, ...]]:
    """The places of voxels, LPS mm to 0.1."""
    places = np.argwhere(where) @ affine[:3, :3].T + affine[:3, 3]
    return set(map(tuple, (np.round(places, 1) + 0.0).tolist()))


def nrrd(path: Path) -> tuple[np.ndarray, Affine]:
    """A label map in NRRD, LPS or RAS, by its own header."""
    head, _, body = path.read_bytes().partition(b"\n\n")
    fields = dict(re.findall(r"^([\w ]+): (.*)$", head.decode(), flags=re.MULTILINE))
    raw = gzip.decompress(body) if fields["encoding"] == "gzip" else zlib.decompress(body, 31) if fields["encoding"] == "gz" else body
    kind = {"short": "<i2", "unsigned char": "u1", "uchar": "u1", "int": "<i4", "unsigned short": "<u2"}[fields["type"]]
    array = np.frombuffer(raw, kind).reshape([int(n) for n in fields["sizes"].split()], order="F")
    affine = np.eye(4)
    affine[:3, :3] = np.array([[float(v) for v in one.split(",")] for one in re.findall(r"\(([^)]*)\)", fields["space directions"])]).T
    affine[:3, 3] = [float(v) for v in fields["space origin"].strip("()").split(",")]
    return array, (affine if fields["space"].startswith("left-posterior") else np.diag([-1, -1, 1, 1]) @ affine)


def test_a_compressed_ct_with_empty_uids_is_read_at_its_place(reference_data: Path) -> None:
    read = read_volume(reference_data / "bone" / "ct_dicom_series")
    array, voxel = read.image.array, np.linalg.inv(read.image.affine) @ [0.488, -144.543, -784.5, 1]
    assert array.shape == (512, 512, 20)
    assert (array.min(), array.max(), array.sum(dtype=np.int64)) == (-1024, 1839, -3_272_217_339)
    assert array[tuple(np.rint(voxel[:3]).astype(int))] == 152
    assert [note["code"] for note in read.notes] == ["minted_uid"]


def test_a_liver_segmented_by_another_tool_lies_where_its_mask_lies(reference_data: Path) -> None:
    home = reference_data / "clinic" / "dicom_seg"
    volume = read_volume(home / "ct-3slice")
    liver = read_outline(home / "liver.dcm", volume.image, frame_of_reference=volume.series.frame_of_reference).mask
    array, affine = nrrd(home / "liver_seg.nrrd")
    assert int(liver.array.sum()) == 107_098
    assert world(liver.region(), liver.affine) == world(array > 0, affine)
    voxel = np.rint(np.linalg.inv(volume.image.affine) @ [-154.145, 32.575, -127.690, 1]).astype(int)[:3]
    assert volume.image.array[tuple(voxel)] == 65
    assert liver.region()[tuple(voxel)]


def test_a_segmentation_stored_against_its_slices_and_across_bytes_is_read(reference_data: Path) -> None:
    home = reference_data / "clinic" / "dicom_seg" / "23x38x3"
    volume = read_volume(home / "image")
    label = read_outline(home / "seg" / "label.seg", volume.image).mask
    array, affine = nrrd(home / "nrrd" / "label.nrrd")
    assert int(label.array.sum()) == 322
    assert world(label.region(), label.affine) == world(array > 0, affine)


def test_a_written_segmentation_is_read_at_its_place_by_another_toolkit(reference_data: Path, tmp_path: Path) -> None:
    home = reference_data / "clinic" / "dicom_seg"
    array, affine = nrrd(home / "liver_spine_seg.nrrd")
    mask = Mask(np.stack([array == 1, array == 2]), affine, ("Liver", "Spine"))
    write_seg(tmp_path / "seg.dcm", mask, read_volume(home / "ct-3slice"))
    stored = hd.seg.segread(tmp_path / "seg.dcm")
    for number, label, voxels in ((1, "Liver", 107_098), (2, "Spine", 12_439)):
        volume = stored.get_volume(segment_numbers=[number])
        found = np.asarray(volume.array)[..., 0] > 0
        assert int(found.sum()) == voxels
        assert world(found, volume.affine) == world(mask.region(label), affine)


def test_the_segmentation_of_one_exam_is_refused_on_another(reference_data: Path) -> None:
    home = reference_data / "clinic" / "dicom_seg"
    with pytest.raises(BadGeometry, match="another grid"):
        read_outline(home / "liver.dcm", read_volume(home / "23x38x3").image)


@pytest.mark.parametrize(
    ("name", "voxels", "total"),
    [("binary", [638], 638), ("binary_overlap", [64, 16], 80), ("binary_fractional", [638], 638 * 255), ("true_fractional", [661], 83_136)],
)
def test_public_segmentations_hold_what_their_makers_state(reference_data: Path, name: str, voxels: list[int], total: int) -> None:
    path = reference_data / "dicom_samples" / f"seg_image_ct_{name}.dcm"
    found = read_segments(path)
    affine, shape = own_grid(found)
    stored = [stored_values(found, number, affine, shape) for number in found.numbers]
    assert [int((layer > 0).sum()) for layer in stored] == voxels
    assert sum(int(layer.sum()) for layer in stored) == total
    assert [note["code"] for note in read_seg(path).notes] == (["fractional"] if "fractional" in name else [])


def test_a_single_public_slice_has_its_spacing_and_position(reference_data: Path) -> None:
    read = read_volume(reference_data / "dicom_samples" / "ct_image.dcm")
    np.testing.assert_allclose(read.image.spacing_mm, (0.661468, 0.661468, 5.0))
    np.testing.assert_allclose(read.image.affine[:3, 3], (-158.135803, -179.035797, -75.699997))
