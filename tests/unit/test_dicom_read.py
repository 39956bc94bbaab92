"""Series are sorted by where their slices lie, placed in LPS, and refused in one sentence when no volume can be made of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_made import AFFINE, SHAPE, change, ct_series, pet_series
from onclair.core.errors import BadCase, BadGeometry, BadInput
from onclair.io.dicom.files import index
from onclair.io.dicom.read import find_series, list_series, read_volume
from onclair.io.dicom.write import save


def enhanced(folder: Path, out: Path) -> None:
    """Write the slices of a series as frames of one enhanced CT, in falling order."""
    slices = [pydicom.dcmread(p) for p in sorted(folder.glob("*.dcm"), reverse=True)]
    whole = slices[0]
    whole.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    whole.NumberOfFrames = len(slices)
    frames = []
    for one in slices:
        place, values, frame = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = one.ImagePositionPatient
        values.RescaleSlope, values.RescaleIntercept, values.RescaleType = one.RescaleSlope, one.RescaleIntercept, "HU"
        frame.PlanePositionSequence, frame.PixelValueTransformationSequence = Sequence([place]), Sequence([values])
        frames.append(frame)
    shared, turned, measures = Dataset(), Dataset(), Dataset()
    turned.ImageOrientationPatient = whole.ImageOrientationPatient
    measures.PixelSpacing, measures.SliceThickness = whole.PixelSpacing, whole.SliceThickness
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([turned]), Sequence([measures])
    whole.PixelData = b"".join(one.PixelData for one in slices)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept", "RescaleType"):
        del whole[keyword]
    whole.SharedFunctionalGroupsSequence, whole.PerFrameFunctionalGroupsSequence = Sequence([shared]), Sequence(frames)
    save(out, whole)


def test_slices_are_sorted_by_place_whatever_their_names_and_numbers_say(tmp_path: Path) -> None:
    written = ct_series(tmp_path)
    change(tmp_path, lambda data, k: setattr(data, "InstanceNumber", 99 - 7 * k % 5))
    for k, path in enumerate(sorted(tmp_path.glob("*.dcm"))):
        path.rename(tmp_path / f"{(k * 5) % 6}.x")
    read = read_volume(tmp_path)
    np.testing.assert_array_equal(read.image.array, written.image.array)
    np.testing.assert_allclose(read.image.affine, AFFINE)
    assert (read.image.unit, read.image.modality, read.sop_uids) == ("HU", "CT", written.sop_uids)


def test_every_slice_has_its_own_rescale(tmp_path: Path) -> None:
    ct_series(tmp_path)

    def scale(data: Any, k: int) -> None:
        data.RescaleSlope, data.RescaleIntercept = str(k + 1), str(10 * k)

    change(tmp_path, scale)
    stored = np.arange(np.prod(SHAPE)).reshape(SHAPE) - 100
    np.testing.assert_array_equal(read_volume(tmp_path).image.array, stored * np.arange(1, 7) + 10 * np.arange(6))


def test_an_enhanced_object_gives_the_same_volume_as_its_slices(tmp_path: Path) -> None:
    written = ct_series(tmp_path / "slices")
    enhanced(tmp_path / "slices", tmp_path / "one" / "enhanced.dcm")
    read = read_volume(tmp_path / "one")
    np.testing.assert_array_equal(read.image.array, written.image.array)
    np.testing.assert_allclose(read.image.affine, AFFINE)
    assert read.image.unit == "HU"


def test_one_file_of_a_series_stands_for_the_series(tmp_path: Path) -> None:
    ct_series(tmp_path, seed=1)
    ct_series(tmp_path / "other", seed=2)
    for path in (tmp_path / "other").glob("*.dcm"):
        shutil.move(path, tmp_path / f"b{path.name}")
    assert read_volume(tmp_path / "0002.dcm").image.array.shape == SHAPE


def test_two_series_are_listed_and_one_can_be_chosen_by_its_uid(tmp_path: Path) -> None:
    first, second = ct_series(tmp_path / "a", seed=1), ct_series(tmp_path / "b", seed=2)
    with pytest.raises(BadInput, match=r"holds 2 series: .*; choose one with --series UID") as refused:
        read_volume(tmp_path)
    assert first.series.uid in str(refused.value)
    assert second.series.uid in str(refused.value)
    assert read_volume(tmp_path, series=second.series.uid).series.uid == second.series.uid
    with pytest.raises(BadInput, match=f"did you mean {second.series.uid}"):
        find_series(tmp_path, second.series.uid[:-1])


def test_a_missing_slice_is_refused_with_its_place(tmp_path: Path) -> None:
    ct_series(tmp_path)
    (tmp_path / "0003.dcm").unlink()
    with pytest.raises(BadGeometry, match=r"has 1 missing slice, the first between 103\.00 and 109\.00 mm"):
        read_volume(tmp_path)


def test_a_duplicate_slice_is_refused_and_what_tells_the_two_apart_is_named(tmp_path: Path) -> None:
    ct_series(tmp_path)
    data = pydicom.dcmread(tmp_path / "0003.dcm")
    data.ConvolutionKernel, data.SOPInstanceUID = "B70f", "2.25.7"
    data.save_as(tmp_path / "again.dcm")
    with pytest.raises(BadGeometry, match=r"has 1 duplicate slice.*0003\.dcm.*kernel None and B70f"):
        read_volume(tmp_path)


def shift(data: Any, k: int, mm: float) -> None:
    if k == 2:
        x, y, z = data.ImagePositionPatient
        data.ImagePositionPatient = [x, y, float(z) + mm]


def test_slices_irregular_by_more_than_five_percent_are_refused(tmp_path: Path) -> None:
    ct_series(tmp_path)
    change(tmp_path, lambda data, k: shift(data, k, 0.16))
    with pytest.raises(BadGeometry, match=r"irregular slice spacing: .* 5\.3 % off, and 5 % is the most"):
        read_volume(tmp_path)


def test_slices_irregular_by_less_are_read_and_named(tmp_path: Path) -> None:
    ct_series(tmp_path)
    change(tmp_path, lambda data, k: shift(data, k, 0.14))
    assert [note["code"] for note in read_volume(tmp_path).notes] == ["irregular_spacing"]


def test_mixed_orientations_are_refused_and_counted(tmp_path: Path) -> None:
    ct_series(tmp_path)
    change(tmp_path, lambda data, k: setattr(data, "ImageOrientationPatient", [1, 0, 0, 0, 0, -1] if k == 5 else [1, 0, 0, 0, 1, 0]))
    with pytest.raises(BadGeometry, match=r"mixes slices of several orientations: 5 of \[1.0, 0.0, 0.0, 0.0, 1.0, 0.0\], 1 of"):
        read_volume(tmp_path)


def test_a_tilted_gantry_is_refused_unless_it_is_allowed_and_then_named(tmp_path: Path) -> None:
    ct_series(tmp_path)

    def tilt(data: Any, k: int) -> None:
        data.ImagePositionPatient = [-30.5, 12 + 0.5 * k, 100 + 3 * k]

    change(tmp_path, tilt)
    with pytest.raises(BadGeometry, match=r"is tilted: its slices lie 9\.5 degrees off"):
        read_volume(tmp_path)
    sheared = read_volume(tmp_path, allow=("tilt",))
    assert sheared.image.affine[1, 2] == pytest.approx(0.5)
    assert [note["code"] for note in sheared.notes] == ["tilted"]


def test_localisers_are_passed_over(tmp_path: Path) -> None:
    written = ct_series(tmp_path)
    data = pydicom.dcmread(tmp_path / "0001.dcm")
    data.ImageType, data.SOPInstanceUID = ["ORIGINAL", "PRIMARY", "LOCALIZER"], "2.25.9"
    data.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    data.save_as(tmp_path / "scout.dcm")
    assert read_volume(tmp_path).image.array.shape == written.image.array.shape


@pytest.mark.parametrize(
    ("change_it", "sentence"),
    [
        (lambda d: d.__delitem__("PixelData"), "has no pixel data"),
        (lambda d: setattr(d, "PixelData", d.PixelData[:20]), "cut short or damaged"),
        (lambda d: d.__delitem__("ImagePositionPatient"), "has no position in space"),
        (lambda d: d.__delitem__("RescaleSlope"), "does not say what its numbers mean"),
        (lambda d: setattr(d, "Rows", 30000) or setattr(d, "Columns", 30000), "mixes slices of several sizes"),
        (lambda d: setattr(d, "SamplesPerPixel", 3), "is a colour picture"),
    ],
)
def test_a_slice_that_cannot_be_trusted_is_refused_by_name(tmp_path: Path, change_it: Any, sentence: str) -> None:
    ct_series(tmp_path)
    change(tmp_path, lambda data, k: change_it(data) if k == 3 else None)
    with pytest.raises(BadCase, match=sentence):
        read_volume(tmp_path)


def test_a_series_that_promises_too_many_voxels_is_refused_before_decoding(tmp_path: Path) -> None:
    ct_series(tmp_path)
    change(tmp_path, lambda data, _: (setattr(data, "Rows", 60000), setattr(data, "Columns", 60000)))
    with pytest.raises(BadCase, match="promises 60000 x 60000 x 6 voxels"):
        read_volume(tmp_path)


def test_a_syntax_without_decoder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    ct_series(tmp_path)
    data = pydicom.dcmread(tmp_path / "0001.dcm")
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"  # MPEG2
    data.PixelData = pydicom.encaps.encapsulate([b"\0" * 10])
    data["PixelData"].VR = "OB"
    data.save_as(tmp_path / "0001.dcm")
    with pytest.raises(BadCase, match=r"compressed as MPEG2 .*, for which no decoder is here; have the sender convert it"):
        read_volume(tmp_path)


def test_a_losslessly_compressed_series_reads_like_the_plain_one(tmp_path: Path) -> None:
    written = ct_series(tmp_path)

    def compress(data: Any, k: int) -> None:
        data.compress(pydicom.uid.RLELossless if k % 2 else pydicom.uid.JPEGLSLossless, generate_instance_uid=False)

    change(tmp_path, compress)
    np.testing.assert_array_equal(read_volume(tmp_path).image.array, written.image.array)


def test_a_file_that_is_no_dicom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see")
    with pytest.raises(BadCase, match=r"The file notes\.txt is not DICOM"):
        read_volume(tmp_path / "notes.txt")
    with pytest.raises(BadInput, match="holds no DICOM file"):
        read_volume(tmp_path)


def test_a_file_cut_within_its_header_is_left_out_and_the_others_go_on(tmp_path: Path) -> None:
    ct_series(tmp_path)
    whole = (tmp_path / "0006.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(whole[:200])
    found = index(tmp_path)
    assert [path.name for path, _ in found.left_out] == ["cut.dcm"]
    assert len(list_series(found.items)) == 1


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    written = ct_series(tmp_path)
    for path in tmp_path.glob("*.dcm"):
        data = pydicom.dcmread(path)
        del data.file_meta
        data.save_as(path, enforce_file_format=False, little_endian=True, implicit_vr=True)
    np.testing.assert_array_equal(read_volume(tmp_path).image.array, written.image.array)


def test_identifiers_do_not_show_in_what_is_printed(tmp_path: Path) -> None:
    ct_series(tmp_path, patient="SECRET-77")
    assert "SECRET-77" not in repr(index(tmp_path))
    assert "SECRET-77" not in repr(read_volume(tmp_path))


def test_a_pet_that_announces_more_slices_than_there_are_is_named(tmp_path: Path) -> None:
    pet_series(tmp_path)
    (tmp_path / "0006.dcm").unlink()
    assert [note["code"] for note in read_volume(tmp_path).notes] == ["fewer_slices"]
