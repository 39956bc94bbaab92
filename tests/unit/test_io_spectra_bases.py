"""A user's own emission bases, good and bad."""

from __future__ import annotations

import pytest

from onclair.core.errors import BadTable
from onclair.io.spectra.bases import read_bases


def test_each_column_is_a_basis(tmp_path):
    (tmp_path / "own.csv").write_text("wavelength_nm;NADH;Dye\n420,5;0,5;1\n421,5;0,75;0\n")
    own = read_bases(tmp_path / "own.csv")
    assert list(own) == ["NADH", "Dye"]
    assert own["NADH"][0].tolist() == [420.5, 421.5]
    assert own["NADH"][1].tolist() == [0.5, 0.75]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nm,NADH\n420,1\n", "bases need 'wavelength_nm'"),
        ("wavelength_nm\n420\n", "a column named after each fluorophore"),
        ("wavelength_nm,NADH\n421,1\n420,1\n", r"420 nm in row 2 .*never sorted"),
        ("wavelength_nm,NADH\n420,1\n420,1\n", "420 nm in row 2"),
        ("wavelength_nm,NADH\n420,1\n421,x\n", "'NADH' holds no number in row 2"),
        ("wavelength_nm,NADH\n420,1\n421,\n", "'NADH' holds no number in row 2"),
        ("wavelength_nm,NADH\n420,1\n421,-1\n", "'NADH' holds values below 0"),
        ("wavelength_nm,NADH\n420,0\n421,0\n", "only zeros"),
    ],
)
def test_bases_that_cannot_be_used_are_refused_in_one_sentence(tmp_path, text, said):
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(BadTable, match=said):
        read_bases(tmp_path / "own.csv")
