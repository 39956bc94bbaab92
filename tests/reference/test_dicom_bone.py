"""The public CT of bone, compressed and without UIDs: its figures, and SEG, SR and RTSTRUCT on it read back by other toolkits."""

from __future__ import annotations

import shutil
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest

from onclair.core.geometry import Affine
from onclair.core.values import Mask
from onclair.io.dicom.codes import METASTASIS, region_of
from onclair.io.dicom.ct import read_ct
from onclair.io.dicom.ct_facts import facts_of
from onclair.io.dicom.outline import read_outline
from onclair.io.dicom.read import Volume
from onclair.io.dicom.segmented import bone_segment, lesion_segment, write_segments
from onclair.io.dicom.sr import Measured, read_measurements, write_measurements
from onclair.io.dicom.write_outlines import write_rtstruct, write_seg


@pytest.fixture(scope="module")
def shuffled(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The series under names that say nothing, in another order."""
    home = tmp_path_factory.mktemp("series")
    files = sorted((reference_data / "bone/ct_dicom_series").glob("*.dcm"))
    for number, place in enumerate(np.random.default_rng(3).permutation(len(files))):
        shutil.copyfile(files[place], home / f"x{number:03d}")
    return home


@pytest.fixture(scope="module")
def volume(shuffled: Path) -> Volume:
    return read_ct(shuffled)


@pytest.fixture(scope="module")
def maps(volume: Volume) -> dict[str, np.ndarray]:
    """Dense bone on three slices, a sphere in T12 that overlaps it, and a box of soft tissue beside."""
    array = volume.image.array
    bone = np.zeros(array.shape, bool)
    bone[200:312, 250:420, 8:11] = array[200:312, 250:420, 8:11] > 250
    place = np.moveaxis(np.indices(array.shape), 0, -1) @ volume.image.affine[:3, :3].T + volume.image.affine[:3, 3]
    lesions = (np.linalg.norm(place - [0.488, -144.543, -784.5], axis=-1) <= 6.0).astype(np.int32)
    lesions[100:110, 200:210, 3:6] = 2
    return {"bone": bone, "lesions": lesions}


@pytest.fixture(scope="module")
def written(volume: Volume, maps: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("objects")
    made = ("threshold", "1")
    what = [
        bone_segment(),
        lesion_segment(1, "vertebra", "T12", made_by=made),
        lesion_segment(2, "rib", "9", "left", made_by=made),
    ]
    write_segments(home / "seg.dcm", what, maps, volume)
    write_measurements(
        home / "sr.dcm",
        [
            Measured("Bone", {"volume_mm3": 10.0}),
            Measured("Lesion 1", {"volume_mm3": 904.0}, METASTASIS, (region_of("vertebra", "T12"),)),
        ],
        home / "seg.dcm",
        volume,
    )
    write_rtstruct(home / "rs.dcm", layers(maps, volume.image.affine), volume)
    return home


def layers(maps: dict[str, np.ndarray], affine: Affine) -> Mask:
    return Mask(np.stack([maps["bone"], maps["lesions"] == 1, maps["lesions"] == 2]), affine, ("Bone", "T12", "rib"), "model")


def places(where: np.ndarray, affine: Affine) -> list[tuple[float, ...]]:
    return sorted(map(tuple, np.round(np.argwhere(where) @ affine[:3, :3].T + affine[:3, 3], 2).tolist()))


def test_shuffled_names_change_nothing_of_values_and_places(volume: Volume) -> None:
    array = volume.image.array
    assert (array.min(), array.max(), array.sum(dtype=np.int64)) == (-1024, 1839, -3_272_217_339)
    voxel = np.rint(np.linalg.inv(volume.image.affine) @ [0.488, -144.543, -784.5, 1]).astype(int)
    assert array[tuple(voxel[:3])] == 152
    ends = [float((volume.image.affine @ [0, 0, k, 1])[2]) for k in (0, 19)]
    assert ends == [-804.5, -766.5]


def test_the_acquisition_is_told_and_what_is_unusual_about_it(volume: Volume) -> None:
    facts = facts_of(volume).as_dict()
    assert facts["shape"] == [512, 512, 20]
    assert facts["spacing_mm"] == pytest.approx([0.9765625, 0.9765625, 2.0])
    assert (facts["slice_thickness_mm"], facts["overlapping"]) == (3.0, True)
    assert (facts["kernel"], facts["kvp"], facts["contrast"]) == ("Br38f", 120.0, "APPLIED")
    assert facts["uids_minted"] is True
    assert [note["code"] for note in facts["warnings"]] == ["minted_uid", "overlapping_slices"]


def test_instances_keep_the_uids_of_their_meta_headers_and_the_rest_is_minted(volume: Volume, shuffled: Path) -> None:
    metas = {str(pydicom.dcmread(p, stop_before_pixels=True).file_meta.MediaStorageSOPInstanceUID) for p in shuffled.iterdir()}
    assert set(volume.sop_uids) == metas
    assert volume.series.uid.startswith("2.25.")
    assert volume.series.exam_uid.startswith("2.25.")
    assert volume.series.exam_uid != volume.series.uid


def test_minted_uids_do_not_depend_on_names_or_order(volume: Volume, reference_data: Path) -> None:
    other = read_ct(reference_data / "bone/ct_dicom_series")
    assert (other.series.uid, other.series.exam_uid, other.sop_uids) == (volume.series.uid, volume.series.exam_uid, volume.sop_uids)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_seg_is_read_by_another_toolkit_at_its_place(written: Path, volume: Volume, maps: dict[str, np.ndarray], number: int) -> None:
    stored = hd.seg.segread(written / "seg.dcm").get_volume(segment_numbers=[number], combine_segments=True)
    expected = [maps["bone"], maps["lesions"] == 1, maps["lesions"] == 2][number - 1]
    assert places(np.asarray(stored.array) > 0, stored.affine) == places(expected, volume.image.affine)


def test_the_seg_cites_every_slice_under_the_minted_exam(written: Path, volume: Volume) -> None:
    data = pydicom.dcmread(written / "seg.dcm")
    (series,) = data.ReferencedSeriesSequence
    assert {one.ReferencedSOPInstanceUID for one in series.ReferencedInstanceSequence} == set(volume.sop_uids)
    assert {one.ReferencedSOPClassUID for one in series.ReferencedInstanceSequence} == {"1.2.840.10008.5.1.4.1.1.2"}
    assert (data.StudyInstanceUID, series.SeriesInstanceUID) == (volume.series.exam_uid, volume.series.uid)
    assert data.FrameOfReferenceUID == volume.series.frame_of_reference


def test_the_report_refers_to_the_segments_by_their_tracking(written: Path) -> None:
    segments = {one.TrackingID: one for one in pydicom.dcmread(written / "seg.dcm").SegmentSequence}
    groups = hd.sr.srread(written / "sr.dcm").content.get_volumetric_roi_measurement_groups()
    assert [str(group.tracking_uid) for group in groups] == [segments[name].TrackingUID for name in ("Bone", "Lesion 1")]
    lesion = read_measurements(written / "sr.dcm")[1]
    assert (lesion.segment, lesion.values, lesion.regions) == (2, {"Volume": 904.0}, ("23215003",))


@pytest.mark.parametrize("name", ["rs.dcm", "seg.dcm"])
def test_structures_come_back_voxel_for_voxel(written: Path, volume: Volume, maps: dict[str, np.ndarray], name: str) -> None:
    back = read_outline(written / name, volume.image, frame_of_reference=volume.series.frame_of_reference).mask
    np.testing.assert_array_equal(back.array, layers(maps, volume.image.affine).array)


def test_contours_lie_in_patient_coordinates_on_the_slices_that_they_cite(written: Path, volume: Volume) -> None:
    data = pydicom.dcmread(written / "rs.dcm")
    height = {uid: float((volume.image.affine @ [0, 0, k, 1])[2]) for k, uid in enumerate(volume.sop_uids)}
    contours = [contour for roi in data.ROIContourSequence for contour in roi.ContourSequence]
    assert len(contours) > 10
    for contour in contours:
        z = {float(v) for v in contour.ContourData[2::3]}
        assert z == {height[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]}
    assert data.StudyInstanceUID == volume.series.exam_uid


def test_the_older_writer_of_outlines_takes_the_series_too(volume: Volume, maps: dict[str, np.ndarray], tmp_path: Path) -> None:
    write_seg(tmp_path / "seg.dcm", layers(maps, volume.image.affine), volume)
    np.testing.assert_array_equal(read_outline(tmp_path / "seg.dcm", volume.image).mask.array, layers(maps, volume.image.affine).array)
