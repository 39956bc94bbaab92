"""`onclair spectra unmix` on tables: what it writes, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from onclair.cli.spectra import spectra as group
from onclair.core.errors import BadInput, NoRoom
from onclair.io.spectra.calibration import Calibration, axis_of
from spectra_made import Truth, measured, spectra

NM = np.linspace(400.0, 760.0, 700)
AMOUNTS = {"PpIX634": 1.0, "PpIX620": 0.3, "NADH": 1.0, "FAD": 0.6, "Lipofuscin": 0.25}


@dataclass(frozen=True)
class Files:
    table: Path
    about: Path
    out: Path

    def unmix(self, *flags: str, out: str = ""):
        """Run the command as a person would, into a folder beside the usual one where `out` names it."""
        said = ["unmix", str(self.table), "--about", str(self.about), "--out", str(self.out) + out, "--json", *flags]
        return CliRunner().invoke(group, said, catch_exceptions=True)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Write two points: A with two excitations and a shift, B at 405 nm alone."""
    rng = np.random.default_rng(1)
    two, _ = spectra(Truth(AMOUNTS, 0.8, excitations=(385.0, 405.0)), NM, 3000)
    one, _ = spectra(Truth(AMOUNTS, -0.4), NM, 3000)
    columns = {"wavelength_nm": NM, "A1": measured(two[:1], rng)[0], "A2": measured(two[1:], rng)[0], "B": measured(one, rng)[0]}
    pd.DataFrame(columns).to_csv(tmp_path / "counts.csv", index=False)
    rows = [("A1", "A", 385), ("A2", "A", 405), ("B", "B", 405)]
    about = pd.DataFrame([{"column": c, "point": p, "kind": "fluorescence", "excitation_nm": e} for c, p, e in rows])
    about = about.assign(integration_ms=20.0, averages=1, saturation_counts=65535, read_noise_counts=4.0, gain_counts_per_electron=1.0)
    about.assign(power_relative=1.0).to_csv(tmp_path / "about.csv", index=False)
    return Files(tmp_path / "counts.csv", tmp_path / "about.csv", tmp_path / "out")


def test_each_point_is_told_with_its_amounts_and_errors(files):
    said = files.unmix()
    assert said.exit_code == 0, said.output
    document = json.loads(said.output)
    first, second = document["points"]
    assert [first["point"], second["point"]] == ["A", "B"]
    assert first["status"] == second["status"] == "ok"
    assert first["shift_nm"]["value"] == pytest.approx(0.8, abs=0.2)
    assert first["ratios"]["NADH/FAD"]["value"] == pytest.approx(1.0 / 0.6, rel=0.05)
    nadh = second["abundances"]["NADH"]
    assert (nadh["status"], nadh["value"]) == ("not_identifiable", None)
    assert second["blood"] == {"fraction": None, "sto2": None}
    assert all(gate["passed"] for point in document["points"] for gate in point["quality"]["gates"])


def test_points_and_features_are_written_and_named(files):
    document = json.loads(files.unmix().output)
    assert sorted(Path(name).name for name in document["files"]) == ["features.csv", "points.json"]
    assert json.loads((files.out / "points.json").read_text())["points"] == document["points"]
    features = pd.read_csv(files.out / "features.csv")
    assert features["point"].tolist() == ["A", "B"]
    assert features["log_620_634"].notna().all()
    assert np.isnan(features["log_nadh_fad"][1])


def test_amounts_are_told_a_millisecond(files):
    about = pd.read_csv(files.about)
    short = json.loads(files.unmix("--transport", "none").output)["points"][1]["abundances"]["PpIX634"]["value"]
    about.assign(integration_ms=40.0).to_csv(files.about, index=False)
    long = json.loads(files.unmix("--transport", "none", out="2").output)["points"][1]["abundances"]["PpIX634"]["value"]
    assert short == pytest.approx(2.0 * long)


def test_named_fluorophores_alone_are_fitted(files):
    document = json.loads(files.unmix("--fluorophores", "PpIX634, FAD", "--transport", "none").output)
    assert list(document["points"][0]["abundances"]) == ["PpIX634", "FAD"]


def test_a_basis_of_ones_own_takes_the_place_of_the_tables(files, tmp_path):
    wide = np.exp(-(((NM - 460.0) / 40.0) ** 2))
    pd.DataFrame({"wavelength_nm": NM, "NADH": wide}).to_csv(tmp_path / "own.csv", index=False)
    document = json.loads(files.unmix("--bases", str(tmp_path / "own.csv")).output)
    plain = json.loads(files.unmix(out="2").output)
    assert list(document["points"][0]["abundances"]) == list(plain["points"][0]["abundances"])
    assert document["points"][0]["chi2"] > 1.5 > plain["points"][0]["chi2"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [(("--fluorophores", "PpIX634,Haem"), "'Haem' is unknown"), (("--transport", "reflectance"), "needs a white frame")],
)
def test_what_cannot_be_done_is_refused_and_nothing_written(files, flags, said):
    result = files.unmix(*flags)
    assert isinstance(result.exception, BadInput)
    assert said in str(result.exception)
    assert not files.out.exists()


def test_a_basis_that_does_not_cover_the_window_is_refused(files, tmp_path):
    pd.DataFrame({"wavelength_nm": NM[NM > 500], "FAD": NM[NM > 500] * 0 + 1.0}).to_csv(tmp_path / "own.csv", index=False)
    result = files.unmix("--bases", str(tmp_path / "own.csv"))
    assert "'FAD' covers 50" in str(result.exception)


def test_saturated_pixels_in_the_window_are_refused_with_the_point(files):
    about = pd.read_csv(files.about)
    about.assign(saturation_counts=2000).to_csv(files.about, index=False)
    result = files.unmix()
    assert isinstance(result.exception, BadInput)
    assert "counts.csv, point A:" in str(result.exception)
    assert "saturated" in str(result.exception)


def test_fewer_than_50_pixels_are_refused(files):
    table = pd.read_csv(files.table)
    table[table.index % 20 == 0].to_csv(files.table, index=False)
    result = files.unmix()
    assert isinstance(result.exception, BadInput)
    assert "50" in str(result.exception)


def test_words_are_told_without_json(files):
    said = CliRunner().invoke(group, ["unmix", str(files.table), "--about", str(files.about), "--out", str(files.out)])
    assert said.exit_code == 0
    assert "not identifiable: no excitation reaches NADH" in said.output


@pytest.mark.parametrize("wild", [{"integration_ms": 1e300}, {"read_noise_counts": 1e200}, {"power_relative": 1e-310}])
def test_figures_out_of_all_proportion_are_refused_and_nothing_written(files, wild):
    pd.read_csv(files.about).assign(**wild).to_csv(files.about, index=False)
    result = files.unmix()
    assert isinstance(result.exception, BadInput)
    assert f"row 1: {next(iter(wild))} is" in str(result.exception)
    assert "out of all proportion" in str(result.exception)
    assert not files.out.exists()


def test_no_fluorophore_at_all_is_refused_in_words(files):
    assert "The fluorophores are none; name at least one" in str(files.unmix("--fluorophores", "").exception)


def test_an_earlier_answer_of_other_input_is_never_written_over(files):
    first = files.unmix()
    before = (files.out / "points.json").read_bytes()
    assert files.unmix().output == first.output
    for words, said in [(("--transport", "none"), "transport = None"), (("--fluorophores", "FAD"), "fluorophores = None")]:
        other = files.unmix(*words)
        assert isinstance(other.exception, NoRoom)
        assert said in str(other.exception)
    pd.read_csv(files.about).assign(integration_ms=40.0).to_csv(files.about, index=False)
    other = files.unmix()
    assert isinstance(other.exception, NoRoom)
    assert "holds an answer with another about" in str(other.exception)
    assert (files.out / "points.json").read_bytes() == before


def test_files_of_something_else_are_left_alone(files):
    files.out.mkdir()
    (files.out / "features.csv").write_text("mine\n")
    result = files.unmix()
    assert isinstance(result.exception, NoRoom)
    assert (files.out / "features.csv").read_text() == "mine\n"


def test_a_window_that_the_spectrum_does_not_cover_is_warned_of(files):
    table = pd.read_csv(files.table)
    assert json.loads(files.unmix(out="whole").output)["warnings"] == []
    table[table["wavelength_nm"] < 680].to_csv(files.table, index=False)
    warnings = json.loads(files.unmix(out="cut").output)["warnings"]
    assert [each["code"] for each in warnings] == ["window_not_covered"] * 2
    assert warnings[0]["text"].startswith("A: the spectrum reaches from 400.0 to 679.")


def test_a_calibration_moves_the_wavelengths_and_one_of_other_pixels_is_refused(files, tmp_path):
    def calibration(name: str, axis) -> str:
        known = Calibration(axis, datetime.now(UTC).isoformat(), wavelength={"correction": [-0.8]})
        (tmp_path / name).write_bytes(known.as_bytes())
        return str(tmp_path / name)

    right = calibration("c.json", axis_of(NM))
    document = json.loads(files.unmix("--calibration", right).output)
    assert document["points"][0]["shift_nm"]["value"] == pytest.approx(0.0, abs=0.2)
    other = files.unmix("--calibration", calibration("d.json", axis_of(NM + 1.0)), out="2")
    assert isinstance(other.exception, BadInput)
    assert "counts.csv, point A: The calibration is of 700 pixels" in str(other.exception)
