"""Bone and lesions written as SEG and SR: overlaps, bits across bytes, gaps, tracking; whatever does not fit is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest

from dicom_made import AFFINE, SHAPE, change, ct_series
from onclair.core.errors import BadCase, BadGeometry, BadInput
from onclair.core.values import Image
from onclair.io.dicom.codes import METASTASIS, QUANTITIES, region_of
from onclair.io.dicom.ct import read_ct
from onclair.io.dicom.read import Volume, read_volume
from onclair.io.dicom.seg import read_seg
from onclair.io.dicom.segmented import Segmented, bone_segment, lesion_segment, tracking_uid, write_segments
from onclair.io.dicom.sr import Measured, read_measurements, write_measurements
from onclair.io.dicom.write import Exam, write_volume

MADE = ("threshold", "2")


def drawn() -> dict[str, np.ndarray]:
    bone, lesions = np.zeros(SHAPE, bool), np.zeros(SHAPE, np.int32)
    bone[1:6, 0:4] = True
    lesions[2:4, 1:3, 1:3] = 3
    lesions[5:7, 3:5, 3:6] = 8  # reaches out of the bone
    return {"bone": bone, "lesions": lesions}


def segments() -> list[Segmented]:
    return [
        bone_segment(),
        lesion_segment(3, "vertebra", "T12", made_by=MADE),
        lesion_segment(8, "rib", "9", "left", made_by=MADE),
    ]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Volume]:
    home = tmp_path_factory.mktemp("seg")
    volume = ct_series(home / "ct")
    write_segments(home / "seg.dcm", segments(), drawn(), volume)
    return home, volume


def test_overlapping_segments_whose_frames_do_not_end_on_bytes_come_back_voxel_for_voxel(written: tuple[Path, Volume]) -> None:
    home, volume = written
    assert SHAPE[0] * SHAPE[1] % 8 != 0
    back = read_seg(home / "seg.dcm", volume.image).mask
    maps = drawn()
    np.testing.assert_array_equal(back.array, np.stack([maps["bone"], maps["lesions"] == 3, maps["lesions"] == 8]))
    assert hd.seg.segread(home / "seg.dcm").SegmentsOverlap == "YES"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_another_toolkit_finds_the_voxels_at_their_place(written: tuple[Path, Volume], number: int) -> None:
    home, _ = written
    maps = drawn()
    expected = [maps["bone"], maps["lesions"] == 3, maps["lesions"] == 8][number - 1]
    volume = hd.seg.segread(home / "seg.dcm").get_volume(segment_numbers=[number], combine_segments=True)
    found = np.argwhere(np.asarray(volume.array) > 0) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    placed = np.argwhere(expected) @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    assert sorted(map(tuple, np.round(found, 3).tolist())) == sorted(map(tuple, np.round(placed, 3).tolist()))


def test_every_segment_names_code_bone_side_tracking_and_algorithm(written: tuple[Path, Volume]) -> None:
    home, volume = written
    bone, spine, rib = pydicom.dcmread(home / "seg.dcm").SegmentSequence
    assert bone.SegmentedPropertyTypeCodeSequence[0].CodeValue == "272673000"
    for one in (spine, rib):
        assert one.SegmentedPropertyTypeCodeSequence[0].CodeValue == "14799000"
        assert one.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
        assert (one.SegmentAlgorithmType, one.SegmentAlgorithmName) == ("AUTOMATIC", "threshold")
    assert spine.AnatomicRegionSequence[0].CodeValue == pydicom.sr.codedict.codes.SCT.T12Vertebra.value
    assert rib.AnatomicRegionSequence[0].AnatomicRegionModifierSequence[0].CodeMeaning == "Left"
    assert [one.TrackingID for one in (bone, spine, rib)] == ["Bone", "Lesion 3", "Lesion 8"]
    assert rib.TrackingUID == tracking_uid(segments()[2], volume)


def test_every_slice_of_the_series_is_referenced(written: tuple[Path, Volume]) -> None:
    home, volume = written
    (series,) = pydicom.dcmread(home / "seg.dcm").ReferencedSeriesSequence
    assert series.SeriesInstanceUID == volume.series.uid
    assert {one.ReferencedSOPInstanceUID for one in series.ReferencedInstanceSequence} == set(volume.sop_uids)


def test_frames_are_numbered_by_segment_and_place(written: tuple[Path, Volume]) -> None:
    home, _ = written
    data = pydicom.dcmread(home / "seg.dcm")
    index: dict[float, set[int]] = {}
    for frame in data.PerFrameFunctionalGroupsSequence:
        number, place = frame.FrameContentSequence[0].DimensionIndexValues
        assert number == frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        index.setdefault(float(frame.PlanePositionSequence[0].ImagePositionPatient[2]), set()).add(place)
    assert all(len(places) == 1 for places in index.values())
    assert sorted(place for places in index.values() for place in places) == list(range(1, SHAPE[2] + 1))


def test_equal_input_gives_equal_bytes_and_other_voxels_another_uid(written: tuple[Path, Volume], tmp_path: Path) -> None:
    home, volume = written
    write_segments(tmp_path / "again.dcm", segments(), drawn(), volume)
    assert (tmp_path / "again.dcm").read_bytes() == (home / "seg.dcm").read_bytes()
    other = drawn()
    other["bone"][0, 0, 0] = True
    write_segments(tmp_path / "other.dcm", segments(), other, volume)
    first, second = (pydicom.dcmread(path) for path in (home / "seg.dcm", tmp_path / "other.dcm"))
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert [one.TrackingUID for one in first.SegmentSequence] == [one.TrackingUID for one in second.SegmentSequence]


def test_a_segment_without_a_voxel_is_described_and_has_no_frame(tmp_path: Path) -> None:
    volume = ct_series(tmp_path / "ct")
    maps = drawn() | {"lesions": np.zeros(SHAPE, np.int32)}
    write_segments(tmp_path / "seg.dcm", segments(), maps, volume)
    assert read_seg(tmp_path / "seg.dcm", volume.image).mask.array.any(axis=(1, 2, 3)).tolist() == [True, False, False]


def test_what_a_person_drew_names_no_algorithm(tmp_path: Path) -> None:
    volume = ct_series(tmp_path / "ct")
    write_segments(tmp_path / "seg.dcm", [bone_segment(algorithm="")], drawn(), volume)
    (one,) = pydicom.dcmread(tmp_path / "seg.dcm").SegmentSequence
    assert one.SegmentAlgorithmType == "MANUAL"
    assert "SegmentAlgorithmName" not in one


def test_objects_about_nobody_say_so(tmp_path: Path) -> None:
    volume = ct_series(tmp_path / "ct", virtual=True)
    write_segments(tmp_path / "seg.dcm", segments(), drawn(), volume)
    write_measurements(tmp_path / "sr.dcm", [Measured("Bone", {"volume_mm3": 1.0})], tmp_path / "seg.dcm", volume)
    for name in ("seg.dcm", "sr.dcm"):
        data = pydicom.dcmread(tmp_path / name)
        assert data.Manufacturer.startswith("VIRTUAL")
        assert data.SeriesDescription.startswith("VIRTUAL")


def test_a_series_with_a_gap_cites_the_slices_that_exist(tmp_path: Path) -> None:
    ct_series(tmp_path / "ct")
    (tmp_path / "ct/0003.dcm").unlink()
    volume = read_ct(tmp_path / "ct", allow=("gaps",))
    maps = drawn()
    with pytest.raises(BadCase, match="marks voxels on a missing slice"):
        write_segments(tmp_path / "seg.dcm", segments(), maps, volume)
    for values in maps.values():
        values[:, :, 2] = 0
    write_segments(tmp_path / "seg.dcm", segments(), maps, volume)
    back = read_seg(tmp_path / "seg.dcm", volume.image).mask
    np.testing.assert_array_equal(back.array[0], maps["bone"])
    np.testing.assert_array_equal(back.array[1], maps["lesions"] == 3)


def test_tilted_slices_that_were_shifted_back_get_no_seg(tmp_path: Path) -> None:
    ct_series(tmp_path / "ct")
    change(tmp_path / "ct", lambda data, k: setattr(data, "ImagePositionPatient", [-30.5, 12 + 0.5 * k, 100 + 3 * k]))
    volume = read_ct(tmp_path / "ct")
    with pytest.raises(BadCase, match="tilted and shifted back"):
        write_segments(tmp_path / "seg.dcm", [bone_segment()], {"bone": volume.image.array > 0}, volume)


def test_oblique_slices_keep_their_place(tmp_path: Path) -> None:
    turn = np.eye(4)
    turn[:3, :3] = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]]) * [1.5, 1.5, 2.0]
    turn[:3, 3] = (10, -20, 30)
    volume = write_volume(tmp_path / "ct", Image(np.zeros(SHAPE, int), turn, "HU", "CT"), Exam("P1", seed=1))
    write_segments(tmp_path / "seg.dcm", segments(), drawn(), volume)
    found = hd.seg.segread(tmp_path / "seg.dcm").get_volume(segment_numbers=[3], combine_segments=True)
    places = np.argwhere(np.asarray(found.array) > 0) @ found.affine[:3, :3].T + found.affine[:3, 3]
    expected = np.argwhere(drawn()["lesions"] == 8) @ turn[:3, :3].T + turn[:3, 3]
    np.testing.assert_allclose(places[np.lexsort(places.round(3).T)], expected[np.lexsort(expected.round(3).T)], atol=1e-3)


@pytest.mark.parametrize(
    ("what", "maps", "error", "sentence"),
    [
        ([Segmented("a", "tumour")], drawn(), BadInput, "lies in the map 'tumour', and there are bone, lesions"),
        ([Segmented("a", "bone", side="up")], drawn(), BadInput, "is on the side 'up'"),
        ([Segmented("a", "bone"), Segmented("b", "bone")], drawn(), BadInput, "Two segments have the value 1 of the map 'bone'"),
        ([Segmented("a", "bone")], {"bone": np.ones((2, 2, 2), bool)}, BadGeometry, r"has the shape \(2, 2, 2\), the image \(7, 5, 6\)"),
        ([Segmented("a", "bone", 5)], drawn(), BadCase, "hold no voxel"),
    ],
)
def test_segments_that_do_not_fit_are_refused(tmp_path: Path, what: Any, maps: Any, error: type[Exception], sentence: str) -> None:
    volume = ct_series(tmp_path / "ct")
    with pytest.raises(error, match=sentence):
        write_segments(tmp_path / "seg.dcm", what, maps, volume)
    assert not (tmp_path / "seg.dcm").exists()


def measured() -> list[Measured]:
    lesion = {
        "volume_mm3": 120.5,
        "equivalent_diameter_mm": 6.1,
        "axial_diameter_mm": 7.0,
        "hu_mean": -20.5,
        "hu_sd": None,
        "score": float("nan"),
    }
    return [
        Measured("Bone", {"volume_mm3": 1500.0, "hu_mean": 310.25}),
        Measured("Lesion 8", lesion, METASTASIS, (region_of("rib", "9"),), "left", "lytic", "threshold", "2"),
    ]


def test_a_report_gives_back_what_was_measured_under_the_tracking_of_its_segment(written: tuple[Path, Volume], tmp_path: Path) -> None:
    home, volume = written
    write_measurements(tmp_path / "sr.dcm", measured(), home / "seg.dcm", volume)
    bone, rib = read_measurements(tmp_path / "sr.dcm")
    assert bone.values == {"Volume": 1500.0, "Attenuation Coefficient, Mean": 310.25}
    assert rib.values == {
        "Volume": 120.5,
        "Diameter of a sphere of equal volume": 6.1,
        "Long axis": 7.0,
        "Attenuation Coefficient, Mean": -20.5,
    }
    assert (rib.units["Volume"], rib.units["Attenuation Coefficient, Mean"]) == ("mm3", "[hnsf'U]")
    assert (rib.segment, rib.finding, rib.regions) == (3, "14799000", ("113197003",))
    assert rib.tracking_uid == pydicom.dcmread(home / "seg.dcm").SegmentSequence[2].TrackingUID


def test_another_toolkit_reads_the_report_as_tid_1500(written: tuple[Path, Volume], tmp_path: Path) -> None:
    home, volume = written
    write_measurements(tmp_path / "sr.dcm", measured(), home / "seg.dcm", volume)
    report = hd.sr.srread(tmp_path / "sr.dcm")
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    _, rib = report.content.get_volumetric_roi_measurement_groups()
    (kind,) = rib.get_qualitative_evaluations()
    (volume_mm3,) = rib.get_measurements(name=pydicom.sr.coding.Code("118565006", "SCT", "Volume"))
    assert (kind.value.meaning, volume_mm3.value, rib.finding_sites[0].laterality.meaning) == ("Lytic", 120.5, "Left")
    assert rib.referenced_segment.referenced_sop_instance_uid == pydicom.dcmread(home / "seg.dcm").SOPInstanceUID
    assert report.VerificationFlag == "UNVERIFIED"


def test_equal_measurements_give_equal_bytes(written: tuple[Path, Volume], tmp_path: Path) -> None:
    home, volume = written
    for name in ("a.dcm", "b.dcm"):
        write_measurements(tmp_path / name, measured(), home / "seg.dcm", volume)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()


@pytest.mark.parametrize(
    ("group", "sentence"),
    [
        (Measured("Lesion 9"), "has no segment tracked as 'Lesion 9'; did you mean 'Lesion 8'"),
        (Measured("Bone", {"volume_ml": 1.0}), "There is no code for the quantity 'volume_ml'; did you mean 'volume_mm3'"),
        (Measured("Bone", side="top"), "is on the side 'top'"),
        (Measured("Bone", type="soft"), "There is no code for the lesion type 'soft'"),
    ],
)
def test_measurements_that_have_no_place_are_refused(written: tuple[Path, Volume], tmp_path: Path, group: Measured, sentence: str) -> None:
    home, volume = written
    with pytest.raises(BadInput, match=sentence):
        write_measurements(tmp_path / "sr.dcm", [group], home / "seg.dcm", volume)


def test_a_file_that_is_no_report_is_refused(written: tuple[Path, Volume]) -> None:
    with pytest.raises(BadCase, match=r"seg\.dcm is no comprehensive 3-D structured report"):
        read_measurements(written[0] / "seg.dcm")


def test_every_code_fits_where_dicom_keeps_codes_and_meanings() -> None:
    every = [code for codes in QUANTITIES.values() for code in codes if code]
    assert all(len(value) <= 16 and len(scheme) <= 16 and len(meaning) <= 64 for value, scheme, meaning in every)


def test_levels_of_the_spine_have_the_codes_of_the_published_dictionary() -> None:
    from pydicom.sr.codedict import codes

    levels = [*(f"C{i}" for i in range(1, 8)), *(f"T{i}" for i in range(1, 13)), *(f"L{i}" for i in range(1, 6))]
    assert [region_of("vertebra", level)[0] for level in levels] == [getattr(codes.SCT, f"{level}Vertebra").value for level in levels]
    for bone in ("femur", "rib", "sacrum", "sternum", "scapula", "clavicle", "humerus", "skull", "hip"):
        assert region_of(bone)[0] == getattr(codes.SCT, bone.capitalize()).value
    assert region_of("unnamed")[2] == "Bone"


def test_a_multi_frame_series_is_refused(tmp_path: Path) -> None:
    volume = ct_series(tmp_path / "ct")
    same = Volume(volume.image, volume.series, (volume.sop_uids[0],) * SHAPE[2])
    with pytest.raises(BadCase, match="multi-frame"):
        write_segments(tmp_path / "seg.dcm", segments(), drawn(), same)


def test_slices_too_small_to_be_packed_are_refused(tmp_path: Path) -> None:
    volume = ct_series(tmp_path / "ct", shape=(2, 3, 4))
    with pytest.raises(BadCase, match="Slices of 2 x 3 pixels cannot be written as a SEG"):
        write_segments(tmp_path / "seg.dcm", [bone_segment()], {"bone": np.ones((2, 3, 4), bool)}, volume)


def test_what_was_read_again_is_what_was_written_on(written: tuple[Path, Volume]) -> None:
    home, volume = written
    assert read_volume(home / "ct").series.exam_uid == volume.series.exam_uid
