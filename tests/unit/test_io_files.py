"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import zlib
from pathlib import Path

import pytest

from onclair.core.errors import NoRoom
from onclair.io.files import clear_partials, gunzipped, gzipped, sealed_folder, sha256_file, write_atomically, writing_to


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_sha256_of_a_file_is_that_of_its_bytes(tmp_path: Path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_file(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_an_atomic_write_replaces_and_leaves_nothing_else_behind(tmp_path: Path):
    write_atomically(tmp_path / "a.txt", b"old")
    write_atomically(tmp_path / "a.txt", b"new")
    assert (tmp_path / "a.txt").read_bytes() == b"new"
    assert names(tmp_path) == ["a.txt"]


def test_a_sealed_folder_appears_only_when_its_block_ended_well(tmp_path: Path):
    with sealed_folder(tmp_path / "run") as folder:
        (folder / "a").write_text("a")
        assert folder.name.startswith(".")
        assert folder.name.endswith(".partial")
        assert not (tmp_path / "run").exists()
    assert (tmp_path / "run" / "a").read_text() == "a"
    assert names(tmp_path) == ["run"]


def test_a_sealed_folder_vanishes_when_its_block_fails(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), sealed_folder(tmp_path / "run") as folder:  # noqa: PT012
        (folder / "a").write_text("a")
        _ = 1 / 0
    assert names(tmp_path) == []


def test_a_sealed_folder_replaces_no_other(tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine").touch()
    with pytest.raises(NoRoom, match=r"run exists and is not empty; nothing was replaced"), sealed_folder(tmp_path / "run"):
        pass
    assert names(tmp_path / "run") == ["mine"]


def test_a_sealed_folder_may_take_the_place_of_an_empty_one(tmp_path: Path):
    (tmp_path / "run").mkdir()
    with sealed_folder(tmp_path / "run") as folder:
        (folder / "a").touch()
    assert names(tmp_path / "run") == ["a"]


def test_a_file_in_the_way_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(NoRoom, match=r"A file lies in the way of the folder .*file.sub"):
        write_atomically(tmp_path / "file" / "sub" / "a.txt", b"")
    with pytest.raises(NoRoom, match="A file lies where the folder"), sealed_folder(tmp_path / "file"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_named(tmp_path: Path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(NoRoom, match=r"is not writable \(permission denied\)"):
            write_atomically(tmp_path / "a.txt", b"")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_to_be_full(tmp_path: Path):
    full = pytest.raises(NoRoom, match="has no space left; free some")
    with full, writing_to(tmp_path), Path("/dev/full").open("wb", buffering=0) as stream:
        stream.write(b"a")


def test_a_disk_that_fills_while_a_folder_is_being_sealed_leaves_nothing(tmp_path: Path):
    with pytest.raises(NoRoom, match="no space left"), sealed_folder(tmp_path / "run") as folder:  # noqa: PT012
        (folder / "a").touch()
        raise OSError(errno.ENOSPC, "No space left on device")
    assert names(tmp_path) == []


def test_an_error_about_an_input_file_is_not_blamed_on_the_output_folder(tmp_path: Path):
    with pytest.raises(NotADirectoryError), sealed_folder(tmp_path / "run"):  # noqa: PT012
        (tmp_path / "input").touch()
        (tmp_path / "input" / "x").read_bytes()


def test_partials_of_killed_writers_are_cleared_and_nothing_else(tmp_path: Path):
    (tmp_path / ".a.1.partial").mkdir()
    (tmp_path / ".a.1.partial" / "x").touch()
    (tmp_path / ".b.partial").touch()
    (tmp_path / "kept.partial").touch()
    assert clear_partials(tmp_path) == (".a.1.partial", ".b.partial")
    assert names(tmp_path) == ["kept.partial"]


def test_gzip_carries_no_time_and_every_cut_is_noticed():
    packed = gzipped(b"tumour" * 100)
    assert packed[4:8] == b"\0\0\0\0"
    for cut in range(1, len(packed)):
        with pytest.raises((EOFError, zlib.error)):
            gunzipped(packed[:cut])


def test_a_damaged_gzip_checksum_is_noticed():
    packed = bytearray(gzipped(b"tumour" * 100))
    packed[-6] ^= 1
    with pytest.raises(zlib.error):
        gunzipped(bytes(packed))


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_every_refusal_of_the_system_to_write_is_one_sentence(tmp_path: Path, code: int):
    with pytest.raises(NoRoom, match=r"The folder .* is not writable \(.*\); give yourself the right"), writing_to(tmp_path, tmp_path):
        raise OSError(code, os.strerror(code), str(tmp_path / "a"))
