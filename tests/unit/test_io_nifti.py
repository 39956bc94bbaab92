"""NIfTI: LPS inside, RAS on disk; damaged files refused in a sentence that names the item."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from onclair.core.errors import BadCase, BadGeometry, BadInput
from onclair.core.values import Image, Mask
from onclair.io.nifti import read_image, read_mask, write_image, write_mask

AFFINE = np.array([[0.0, -4.0, 0.0, 10.0], [3.9, 0.0, 0.0, -20.0], [0.0, 0.0, 3.27, 5.0], [0.0, 0.0, 0.0, 1.0]])
OF = "the PET of P012"


def pet(dtype=np.float32) -> Image:
    return Image(np.arange(24).reshape(2, 3, 4).astype(dtype) * dtype(1), AFFINE, "SUV", "PET")


def saved(path: Path, array: np.ndarray, affine=None, header=None) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4) if affine is None else affine, header), path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8])
def test_what_is_written_comes_back_bit_for_bit(tmp_path: Path, name: str, dtype: type):
    write_image(tmp_path / name, pet(dtype))
    again = read_image(tmp_path / name, "SUV", "PET")
    assert again.array.dtype == dtype
    assert np.array_equal(again.array, pet(dtype).array)
    assert np.allclose(again.affine, AFFINE, atol=1e-5)


def test_equal_volumes_give_equal_bytes(tmp_path: Path):
    write_image(tmp_path / "a.nii.gz", pet())
    write_image(tmp_path / "b.nii.gz", pet())
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_other_readers_see_the_same_place_in_ras(tmp_path: Path):
    write_image(tmp_path / "a.nii", pet())
    seen = nibabel.load(tmp_path / "a.nii")
    assert np.allclose(np.diag([-1, -1, 1, 1]) @ seen.affine, AFFINE, atol=1e-5)
    assert np.allclose(seen.get_qform(), seen.get_sform(), atol=1e-4)


def test_a_file_with_qform_alone_is_placed_by_it(tmp_path: Path):
    image = nibabel.Nifti1Image(np.ones((2, 2, 2), np.int16), None)
    image.set_sform(None, code=0)
    image.set_qform(np.diag([2.0, 2.0, 3.0, 1.0]), code=1)
    nibabel.save(image, tmp_path / "q.nii")
    assert np.allclose(read_image(tmp_path / "q.nii", "a.u.").affine, np.diag([-2.0, -2.0, 3.0, 1.0]))


def test_slope_and_intercept_are_applied(tmp_path: Path):
    image = nibabel.Nifti1Image(np.array([[[0, 100]]], np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, -10)
    nibabel.save(image, tmp_path / "s.nii")
    raw = bytearray((tmp_path / "s.nii").read_bytes())
    assert read_image(tmp_path / "s.nii", "a.u.").array.dtype == np.float64
    raw[112:120] = np.array([2.0, 1.0], "<f4").tobytes()  # scl_slope and scl_inter, by the standard's offsets
    (tmp_path / "t.nii").write_bytes(raw)
    stored = np.frombuffer(raw[352:356], "<i2")
    assert read_image(tmp_path / "t.nii", "a.u.").array.ravel().tolist() == (stored * 2.0 + 1.0).tolist()


def test_metres_on_disk_become_millimetres(tmp_path: Path):
    image = nibabel.Nifti1Image(np.ones((2, 2, 2), np.int16), np.diag([0.002, 0.002, 0.003, 1]))
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "m.nii")
    assert np.allclose(read_image(tmp_path / "m.nii", "a.u.").spacing_mm, (2, 2, 3))


def test_big_endian_and_nifti_2_are_read(tmp_path: Path):
    values = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    big = nibabel.Nifti1Image(values, np.eye(4), nibabel.Nifti1Header(endianness=">"))
    nibabel.save(big, tmp_path / "big.nii")
    nibabel.save(nibabel.Nifti2Image(values, np.eye(4)), tmp_path / "two.nii.gz")
    for name in ("big.nii", "two.nii.gz"):
        assert np.array_equal(read_image(tmp_path / name, "SUV").array, values)


def test_nothing_identifying_in_the_header_survives(tmp_path: Path):
    image = nibabel.Nifti1Image(np.ones((2, 2, 2), np.float32), np.eye(4))
    for key in ("descrip", "db_name", "aux_file", "intent_name"):
        image.header[key] = b"DUPONT"
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"DUPONT 1961"))
    nibabel.save(image, tmp_path / "in.nii")
    assert b"DUPONT" in (tmp_path / "in.nii").read_bytes()
    write_image(tmp_path / "out.nii", read_image(tmp_path / "in.nii", "SUV", "PET"))
    assert b"DUPONT" not in (tmp_path / "out.nii").read_bytes()


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(BadCase, match=r"The PET of P012 is missing: .*p.nii.gz does not exist"):
        read_image(tmp_path / "p.nii.gz", "SUV", of=OF)


@pytest.mark.parametrize("kept", [-1, -4, -8, 60, 12])
def test_a_gzip_cut_anywhere_is_refused(tmp_path: Path, kept: int):
    write_image(tmp_path / "a.nii.gz", pet())
    (tmp_path / "b.nii.gz").write_bytes((tmp_path / "a.nii.gz").read_bytes()[:kept])
    with pytest.raises(BadCase, match=r"The PET of P012 \(b.nii.gz\) is cut short or damaged"):
        read_image(tmp_path / "b.nii.gz", "SUV", of=OF)


def test_a_plain_file_cut_short_says_how_many_bytes_it_lacks(tmp_path: Path):
    write_image(tmp_path / "a.nii", pet())
    (tmp_path / "b.nii").write_bytes((tmp_path / "a.nii").read_bytes()[:-10])
    with pytest.raises(BadCase, match="86 bytes of voxels where its header promises 96"):
        read_image(tmp_path / "b.nii", "SUV", of=OF)


@pytest.mark.parametrize("data", [b"", b"hello", b"\0" * 400, gzip.compress(b"a,b\n1,2\n", mtime=0)])
def test_what_is_no_nifti_is_refused(tmp_path: Path, data: bytes):
    (tmp_path / "a.nii.gz").write_bytes(data)
    with pytest.raises(BadCase, match=r"The PET of P012 \(a.nii.gz\) is not a one-file NIfTI"):
        read_image(tmp_path / "a.nii.gz", "SUV", of=OF)


def test_a_damaged_header_is_refused(tmp_path: Path):
    write_image(tmp_path / "a.nii", pet())
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[70:72] = (9999).to_bytes(2, "little")  # datatype
    (tmp_path / "b.nii").write_bytes(raw)
    with pytest.raises(BadCase, match=r"The header of the PET of P012 \(b.nii\) is damaged"):
        read_image(tmp_path / "b.nii", "SUV", of=OF)


def test_one_volume_in_four_axes_is_squeezed(tmp_path: Path):
    assert read_image(saved(tmp_path / "a.nii", np.ones((2, 3, 4, 1), np.float32)), "SUV").array.shape == (2, 3, 4)


def test_several_volumes_are_refused(tmp_path: Path):
    with pytest.raises(BadCase, match="The PET of P012 holds 5 volumes"):
        read_image(saved(tmp_path / "a.nii", np.ones((2, 3, 4, 5), np.float32)), "SUV", of=OF)


def test_nan_is_refused_with_count_and_place(tmp_path: Path):
    values = np.ones((2, 2, 2), np.float32)
    values[0, 1, 1] = np.nan
    with pytest.raises(BadCase, match=r"The PET of P012 holds 1 voxel that is NaN or infinite, the first at \(0, 1, 1\)"):
        read_image(saved(tmp_path / "a.nii", values), "SUV", of=OF)


def test_a_degenerate_affine_is_refused(tmp_path: Path):
    write_image(tmp_path / "a.nii", pet())
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[280:328] = bytes(48)  # srow_x, srow_y, srow_z
    (tmp_path / "b.nii").write_bytes(raw)
    with pytest.raises(BadGeometry, match="affine of the PET of P012"):
        read_image(tmp_path / "b.nii", "SUV", of=OF)


def test_an_outline_stored_as_float_is_accepted_when_whole(tmp_path: Path):
    values = np.zeros((2, 2, 2), np.float64)
    values[0] = 255
    mask = read_mask(saved(tmp_path / "a.nii", values))
    assert mask.labels == ("outline",)
    assert int((mask.array == 1).sum()) == 4


@pytest.mark.parametrize("value", [0.5, -1.0, np.nan])
def test_a_value_that_is_no_label_is_refused(tmp_path: Path, value: float):
    values = np.zeros((2, 2, 2), np.float32)
    values[1, 1, 1] = value
    with pytest.raises(BadCase, match=r"The outline of P012 holds the value .*, which is no label"):
        read_mask(saved(tmp_path / "a.nii", values), of="the outline of P012")


def test_several_values_keep_their_numbers_as_names(tmp_path: Path):
    values = np.array([[[0, 3, 7]]], np.uint8)
    mask = read_mask(saved(tmp_path / "a.nii", values))
    assert mask.labels == ("3", "7")
    assert mask.array.ravel().tolist() == [0, 1, 2]


def test_a_label_that_is_absent_is_refused_and_those_present_listed(tmp_path: Path):
    values = np.array([[[0, 3, 7]]], np.uint8)
    saved(tmp_path / "a.nii", values)
    with pytest.raises(BadCase, match=r"has no label 2 \(liver\); it holds 3, 7"):
        read_mask(tmp_path / "a.nii", labels={2: "liver"})
    assert read_mask(tmp_path / "a.nii", labels={7: "GTV"}).array.ravel().tolist() == [0, 0, 1]


def test_overlapping_outlines_survive_the_disk(tmp_path: Path):
    layers = np.zeros((2, 3, 3, 3), bool)
    layers[0, :2] = layers[1, 1:] = True
    write_mask(tmp_path / "m.nii.gz", Mask(layers, AFFINE, ("GTV", "PTV"), "expert"))
    again = read_mask(tmp_path / "m.nii.gz", labels=["GTV", "PTV"])
    assert np.array_equal(again.array, layers)
    with pytest.raises(BadCase, match="holds 2 volumes"):
        read_mask(tmp_path / "m.nii.gz")


def test_outlines_that_do_not_overlap_become_a_label_map(tmp_path: Path):
    layers = np.zeros((2, 1, 1, 3), bool)
    layers[0, ..., 0] = layers[1, ..., 2] = True
    write_mask(tmp_path / "m.nii", Mask(layers, np.eye(4), ("a", "b"), "model"))
    assert read_mask(tmp_path / "m.nii", labels=["a", "b"], origin="model").array.ravel().tolist() == [1, 0, 2]


def test_an_ending_that_holds_no_volume_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match=r"name it \.nii or \.nii\.gz"):
        write_image(tmp_path / "a.png", pet())
