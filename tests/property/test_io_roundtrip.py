"""What is written comes back, whatever it is."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onclair.core.errors import BadCase, OnclairError
from onclair.core.values import Image
from onclair.io.executable import executable_kind
from onclair.io.models import load_formula
from onclair.io.nifti import read_image, write_image
from onclair.io.tables import read_parquet, read_table, write_parquet, write_table

FLOATS = st.floats(allow_nan=True, allow_infinity=False, width=64)
CODES = st.text("ABCXYZ0123456789_.-", min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(CODES, FLOATS, st.integers(-(2**40), 2**40)), min_size=1, max_size=8))
def test_a_written_table_is_read_back_exactly(rows: list[tuple[str, float, int]]):
    frame = pd.DataFrame(rows, columns=["patient", "x", "n"])
    with tempfile.TemporaryDirectory() as home:
        write_table(Path(home, "t.csv"), frame)
        write_parquet(Path(home, "t.parquet"), frame)
        for again in (read_table(Path(home, "t.csv"), text=("patient",)).frame, read_parquet(Path(home, "t.parquet"))):
            assert again["patient"].tolist() == frame["patient"].tolist()
            assert np.array_equal(again["x"].to_numpy(float), frame["x"].to_numpy(float), equal_nan=True)
            assert again["n"].tolist() == frame["n"].tolist()


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 999), st.decimals(-99, 99, places=2)), min_size=2, max_size=6))
def test_every_dialect_of_one_table_is_the_same_table(rows: list[tuple[int, object]]):
    point = "n,x\n" + "".join(f"{n},{x}\n" for n, x in rows)
    comma = "n;x\r\n" + "".join(f"{n};{str(x).replace('.', ',')}\r\n" for n, x in rows)
    quoted = "n,x\n" + "".join(f'{n},"{str(x).replace(".", ",")}"\n' for n, x in rows)
    tabbed = point.replace(",", "\t")
    with tempfile.TemporaryDirectory() as home:
        frames = []
        for name, text in (("a.csv", point), ("b.csv", "\ufeff" + comma), ("c.csv", quoted), ("d.tsv", tabbed)):
            Path(home, name).write_bytes(text.encode())
            frames.append(read_table(Path(home, name)).frame)
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])


@settings(max_examples=25, deadline=None)
@given(
    array=hnp.arrays(np.float32, hnp.array_shapes(min_dims=3, max_dims=3, max_side=4), elements=st.floats(-1e6, 1e6, width=32)),
    spacing=st.tuples(*[st.floats(0.5, 6)] * 3),
    flips=st.tuples(*[st.sampled_from([-1, 1])] * 3),
    order=st.permutations(range(3)),
)
def test_a_volume_keeps_its_voxels_and_its_place(array: np.ndarray, spacing: tuple, flips: tuple, order: list):
    affine = np.eye(4)
    affine[:3, :3] = (np.diag(spacing) * np.array(flips))[:, order]
    affine[:3, 3] = (-123.4, 56.7, 890.1)
    with tempfile.TemporaryDirectory() as home:
        write_image(Path(home, "a.nii.gz"), Image(array, affine, "SUV"))
        again = read_image(Path(home, "a.nii.gz"), "SUV")
    assert np.array_equal(again.array, array)
    assert np.allclose(again.affine, affine, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=600), name=st.sampled_from(["a.nii", "a.nii.gz"]))
def test_foreign_bytes_never_break_the_volume_reader(data: bytes, name: str):
    with tempfile.TemporaryDirectory() as home:
        Path(home, name).write_bytes(data)
        try:
            read_image(Path(home, name), "SUV")
        except BadCase:
            return
    raise AssertionError("random bytes were taken for a volume")


@settings(max_examples=100, deadline=None)
@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_foreign_bytes_never_break_the_readers_of_tables_and_models(data: bytes):
    executable_kind(data)
    with tempfile.TemporaryDirectory() as home:
        path = Path(home, "a.csv")
        path.write_bytes(data)
        for read in (read_table, load_formula):
            with contextlib.suppress(OnclairError):
                read(path)
