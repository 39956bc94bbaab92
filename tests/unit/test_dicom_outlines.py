"""Outlines from RTSTRUCT and SEG: holes and overlaps survive; another grid, frame or name is refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from dicom_made import AFFINE, SHAPE, ct_series, ring_mask
from onclair.core.errors import BadCase, BadGeometry, BadInput, OnclairError
from onclair.core.values import Image, Mask
from onclair.io.dicom.outline import read_outline
from onclair.io.dicom.polygons import filled
from onclair.io.dicom.read import read_volume
from onclair.io.dicom.seg import read_seg, read_segments
from onclair.io.dicom.write_outlines import write_rtstruct, write_seg


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CT with the same outlines as RTSTRUCT and as SEG."""
    home = tmp_path_factory.mktemp("drawn")
    volume = ct_series(home / "ct")
    write_rtstruct(home / "rs.dcm", ring_mask(), volume)
    write_seg(home / "seg.dcm", ring_mask(), volume)
    return home


def image(affine: np.ndarray = AFFINE, shape: tuple[int, int, int] = SHAPE) -> Image:
    return Image(np.zeros(shape), affine, "HU", "CT")


@pytest.mark.parametrize("name", ["rs.dcm", "seg.dcm"])
def test_a_hole_and_an_overlap_come_back_voxel_for_voxel(drawn: Path, name: str) -> None:
    outline = read_outline(drawn / name, image())
    assert outline.mask.labels == ("GTV", "node")
    np.testing.assert_array_equal(outline.mask.array, ring_mask().array)


@pytest.mark.parametrize("name", ["rs.dcm", "seg.dcm"])
def test_one_structure_is_taken_by_name_whatever_its_capitals(drawn: Path, name: str) -> None:
    outline = read_outline(drawn / name, image(), structure="gtv")
    assert outline.mask.labels == ("GTV",)


@pytest.mark.parametrize("name", ["rs.dcm", "seg.dcm"])
def test_a_structure_that_is_not_there_is_refused_with_the_nearest_name(drawn: Path, name: str) -> None:
    with pytest.raises(BadCase, match="has no structure 'nodes'; did you mean 'node'"):
        read_outline(drawn / name, image(), structure="nodes")


@pytest.mark.parametrize("name", ["rs.dcm", "seg.dcm"])
def test_another_frame_of_reference_is_refused(drawn: Path, name: str) -> None:
    with pytest.raises(BadGeometry, match=r"frame of reference 2\.25\.\d+, the image (is )?in 1\.2\.3"):
        read_outline(drawn / name, image(), frame_of_reference="1.2.3")


def test_segments_are_reindexed_onto_a_flipped_and_permuted_grid(drawn: Path) -> None:
    turned = np.zeros((4, 4))
    turned[:, 3] = AFFINE @ [SHAPE[0] - 1, 0, 0, 1]
    turned[:3, 0], turned[:3, 1], turned[:3, 2] = AFFINE[:3, 2], -AFFINE[:3, 0], AFFINE[:3, 1]
    outline = read_outline(drawn / "seg.dcm", image(turned, (SHAPE[2], SHAPE[0], SHAPE[1])))
    np.testing.assert_array_equal(outline.mask.array, ring_mask().array[:, ::-1].transpose(0, 3, 1, 2))


def test_segments_on_another_grid_are_refused_with_both_affines(drawn: Path) -> None:
    moved = AFFINE.copy()
    moved[0, 3] += 0.7
    with pytest.raises(BadGeometry, match=r"another grid than the image: .*-30\.5.*does not fall on its voxels .*-29\.8"):
        read_outline(drawn / "seg.dcm", image(moved))


def test_segments_that_reach_beyond_the_image_are_refused(drawn: Path) -> None:
    with pytest.raises(BadGeometry, match="reaches beyond it"):
        read_outline(drawn / "seg.dcm", image(AFFINE, (7, 5, 4)))


def test_a_segmentation_without_its_image_spans_its_own_grid(drawn: Path) -> None:
    own = read_seg(drawn / "seg.dcm").mask
    assert own.array.sum(axis=(1, 2, 3)).tolist() == ring_mask().array.sum(axis=(1, 2, 3)).tolist()
    np.testing.assert_allclose(own.affine[:3, 3], (AFFINE @ [0, 0, 1, 1])[:3])


def test_fractional_segments_are_cut_at_half_and_say_so(drawn: Path, tmp_path: Path) -> None:
    data = pydicom.dcmread(drawn / "seg.dcm")
    bits = data.pixel_array.astype(np.uint8)
    data.SegmentationType, data.SegmentationFractionalType, data.MaximumFractionalValue = "FRACTIONAL", "PROBABILITY", 200
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit = 7
    bits[bits > 0] = np.resize([100, 99], int(bits.sum()))
    data.PixelData = bits.tobytes() + b"\0" * (bits.size % 2)
    data["PixelData"].VR = "OB"
    data.save_as(tmp_path / "f.dcm")
    outline = read_outline(tmp_path / "f.dcm", image())
    assert [note["code"] for note in outline.notes] == ["fractional"]
    assert outline.mask.array.sum() == np.ceil(ring_mask().array.sum() / 2)
    assert read_segments(tmp_path / "f.dcm").maximum == 200


def test_a_label_map_segmentation_is_read(drawn: Path, tmp_path: Path) -> None:
    data = pydicom.dcmread(drawn / "seg.dcm")
    frames = data.pixel_array
    first = [
        i for i, f in enumerate(data.PerFrameFunctionalGroupsSequence) if f.SegmentIdentificationSequence[0].ReferencedSegmentNumber == 1
    ]
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.7"
    data.SegmentationType, data.NumberOfFrames = "LABELMAP", len(first)
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit = 7
    data.PerFrameFunctionalGroupsSequence = [data.PerFrameFunctionalGroupsSequence[i] for i in first]
    pixels = (frames[first] * 2).astype(np.uint8)
    data.PixelData = pixels.tobytes() + b"\0" * (pixels.size % 2)
    data["PixelData"].VR = "OB"
    data.save_as(tmp_path / "l.dcm")
    found = read_outline(tmp_path / "l.dcm", image()).mask
    np.testing.assert_array_equal(found.region("node"), ring_mask().array[0])
    assert not found.region("GTV").any()


def contours(path: Path, out: Path, how: Any) -> Path:
    data = pydicom.dcmread(path)
    for roi in data.ROIContourSequence:
        for contour in roi.ContourSequence:
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            contour.ContourData = [f"{v:.4f}" for v in how(points).ravel()]
    data.save_as(out)
    return out


def test_a_contour_off_every_slice_is_refused(drawn: Path, tmp_path: Path) -> None:
    path = contours(drawn / "rs.dcm", tmp_path / "off.dcm", lambda p: p + np.array([0, 0, 11.0]))
    with pytest.raises(BadGeometry, match=r"lies 0\.67 spacings off the nearest of the 6 slices, and half a spacing is the most"):
        read_outline(path, image())


def test_a_contour_less_than_half_a_spacing_off_belongs_to_its_slice(drawn: Path, tmp_path: Path) -> None:
    path = contours(drawn / "rs.dcm", tmp_path / "near.dcm", lambda p: p + np.array([0, 0, 1.4]))
    np.testing.assert_array_equal(read_outline(path, image()).mask.array, ring_mask().array)


def test_a_contour_across_slices_is_refused(drawn: Path, tmp_path: Path) -> None:
    path = contours(drawn / "rs.dcm", tmp_path / "across.dcm", lambda p: p + np.c_[p[:, :2] * 0, np.linspace(0, 4, len(p))])
    with pytest.raises(BadGeometry, match=r"spans 1\.33 slices instead of lying on one"):
        read_outline(path, image())


def test_contours_of_finer_slices_never_cancel_out_on_a_coarse_image(drawn: Path) -> None:
    coarse = AFFINE.copy()
    coarse[2, 2] = 6.0
    with pytest.raises(BadGeometry, match="was drawn on finer slices"):
        read_outline(drawn / "rs.dcm", image(coarse, (7, 5, 3)))


def test_a_structure_without_contours_is_empty_and_says_so(drawn: Path, tmp_path: Path) -> None:
    data = pydicom.dcmread(drawn / "rs.dcm")
    del data.ROIContourSequence[1].ContourSequence
    data.save_as(tmp_path / "empty.dcm")
    outline = read_outline(tmp_path / "empty.dcm", image())
    assert not outline.mask.region("node").any()
    assert [note["code"] for note in outline.notes] == ["no_contour"]


def test_slices_without_a_contour_are_not_filled_and_said(drawn: Path, tmp_path: Path) -> None:
    data = pydicom.dcmread(drawn / "rs.dcm")
    data.ROIContourSequence[0].ContourSequence = [
        c for c in data.ROIContourSequence[0].ContourSequence if abs(float(c.ContourData[2]) - 106) > 0.1
    ]
    data.save_as(tmp_path / "gap.dcm")
    outline = read_outline(tmp_path / "gap.dcm", image())
    assert not outline.mask.region("GTV")[:, :, 2].any()
    assert [note["code"] for note in outline.notes] == ["slices_skipped"]


def test_two_structures_of_one_name_are_told_apart(drawn: Path, tmp_path: Path) -> None:
    data = pydicom.dcmread(drawn / "rs.dcm")
    data.StructureSetROISequence[1].ROIName = "GTV"
    data.save_as(tmp_path / "twice.dcm")
    assert read_outline(tmp_path / "twice.dcm", image()).mask.labels == ("GTV", "GTV (2)")


def test_an_image_is_no_outline(drawn: Path) -> None:
    with pytest.raises(BadInput, match=r"is of modality CT, which holds no outline"):
        read_outline(drawn / "ct" / "0001.dcm", image())


def test_a_folder_with_two_outlines_needs_a_choice(drawn: Path) -> None:
    with pytest.raises(BadInput, match=r"holds 2 outlines \(rs\.dcm, seg\.dcm\)"):
        read_outline(drawn, image())


def test_centres_on_an_edge_go_to_one_of_two_polygons_that_share_it() -> None:
    left, right = [(0, 0), (2, 0), (2, 4), (0, 4)], [(2, 0), (4, 0), (4, 4), (2, 4)]
    one, other = filled([left], (6, 6)), filled([right], (6, 6))
    assert not (one & other).any()
    assert (one.sum(), other.sum()) == (8, 8)


def test_decimals_that_a_writer_cut_do_not_decide_about_centres_on_an_edge() -> None:
    exact = [(0.5, 1.0), (3.5, 1.0), (3.5, 3.0), (0.5, 3.0)]
    cut = [(x + 1e-6, y - 1e-6) for x, y in exact]
    np.testing.assert_array_equal(filled([exact], (5, 5)), filled([cut], (5, 5)))


def test_a_polygon_beyond_the_slice_fills_what_lies_in_it() -> None:
    assert filled([[(-9.5, -9.5), (9.5, -9.5), (9.5, 1.5), (-9.5, 1.5)]], (3, 4)).sum() == 6


def test_an_empty_mask_is_no_segmentation(drawn: Path, tmp_path: Path) -> None:
    volume = ct_series(tmp_path / "ct")
    with pytest.raises(BadCase, match="holds no voxel"):
        write_seg(tmp_path / "s.dcm", Mask(np.zeros((1, *SHAPE), bool), AFFINE, ("GTV",)), volume)


def test_mutated_files_are_read_or_refused_and_never_crash(drawn: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    outcomes = set()
    for turn in range(60):
        source = (drawn / "ct" / "0003.dcm", drawn / "rs.dcm", drawn / "seg.dcm")[turn % 3]
        content = bytearray(source.read_bytes())
        for place in rng.integers(132, min(len(content), 6000), 6):
            content[place] = rng.integers(256)
        (tmp_path / source.name).write_bytes(content)
        try:
            read_volume(tmp_path / source.name) if turn % 3 == 0 else read_outline(tmp_path / source.name, image())
            outcomes.add("read")
        except OnclairError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
