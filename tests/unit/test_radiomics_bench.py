"""The benchmark of features: every tool in processes of its own, what is not there named with its reason, and how far peers agree."""

from __future__ import annotations

import re
import stat
import sys

import numpy as np
import pytest

from commandline import onclair_here
from onclair.core.errors import BadSetting
from onclair.core.values import Image, Mask
from onclair.io.nifti import write_image, write_mask
from onclair.run.bench import measured, peer_python
from onclair.run.benches.environments import STAMP, PeerEnvironment, install, interpreter, pinned
from onclair.science.radiomics.extract import Extraction, feature_tags
from onclair.studies.tasks import radiomics_bench as bench
from onclair.studies.tasks.radiomics_bench_names import BY_IDENTIFIER, TAG_OF
from onclair.studies.tasks.radiomics_bench_programs import CODE, ENVIRONMENTS, PEERS, program

#: A tool that is no peer, told by its files' names: what the loop around every program asks of one.
PLAIN = "version = '1.0'\ndef table(image, mask):\n    return {'original_firstorder_Mean': 13.0, 'invented': 1.0}\n"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> bench.BenchCase:
    """A cube of 27 voxels that hold 0 to 26."""
    place = tmp_path_factory.mktemp("case")
    write_image(place / "image.nii", Image(np.arange(27, dtype=np.float32).reshape(3, 3, 3), np.eye(4), "a.u."))
    write_mask(place / "mask.nii", Mask(np.ones((3, 3, 3), np.int32), np.eye(4)))
    return bench.BenchCase("ct", [(place / "image.nii", place / "mask.nii")], scopes={"matched": ("statistics", "glcm")})


def test_onclair_is_measured_in_fresh_processes(case):
    row = bench._timed("onclair", sys.executable, case, "matched")
    assert (row.status, row.outputs) == ("ok", 18 + 25)
    assert min(row.import_cpu_s, row.first_cpu_s, row.warm_cpu_s, row.process_cpu_s, row.rss_mb) > 0
    assert row.values[0]["stat_mean"] == 13.0
    assert "values" not in row.as_dict()


def test_the_row_has_the_keys_of_the_issue(case):
    row = bench.Timing("onclair", "ct").as_dict()
    wanted = "tool version case scope outputs import_cpu_s first_cpu_s warm_cpu_s process_cpu_s rss_mb status reason"
    assert sorted(row) == sorted(wanted.split())


def test_a_peer_that_is_not_there_is_a_row_with_the_reason_that_its_installation_gave(case, tmp_path):
    rows = bench._peer("mirp", case, tmp_path, "no wheel for this machine")
    assert [(row.status, row.reason, row.warm_cpu_s) for row in rows] == [("missing", "no wheel for this machine", None)]


def test_a_peer_whose_program_fails_is_a_row_with_the_last_that_it_said(case, tmp_path):
    python = tmp_path / "mirp" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho 'ImportError: it broke' >&2\nexit 1\n", encoding="ascii")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    assert peer_python("mirp", tmp_path) == str(python)
    assert [(row.status, row.reason) for row in bench._peer("mirp", case, tmp_path, None)] == [("failed", "ImportError: it broke")]


def test_a_process_that_is_ended_says_so():
    document, _, _ = measured([sys.executable, "-c", "import time; time.sleep(60)"], timeout_s=0.2)
    assert "ended" in document["error"][0]


def test_the_loop_around_a_program_gives_numbers_by_name(case, monkeypatch):
    monkeypatch.setitem(bench.program.__globals__, "CODE", {**CODE, "plain": PLAIN})
    document, _, _ = measured([sys.executable, "-c", program("plain"), "2", *case.arguments("matched")])
    assert (document["version"], document["outputs"]) == ("1.0", 2)
    assert document["values"] == [{"original_firstorder_Mean": 13.0, "invented": 1.0}]


@pytest.mark.parametrize("tool", sorted(CODE))
def test_every_program_compiles_and_only_onclair_s_imports_onclair(tool):
    compile(program(tool), tool, "exec")
    assert ("onclair" in CODE[tool]) == (tool == "onclair")


def test_every_identifier_of_the_ibsi_stands_for_one_tag():
    known = set(feature_tags(Extraction(families=bench.ALL)))
    assert len(set(BY_IDENTIFIER.values())) == len(BY_IDENTIFIER) == 167
    assert set(BY_IDENTIFIER.values()) <= known


@pytest.mark.parametrize(
    ("tool", "name", "tag"),
    [
        ("pyradiomics", "original_glrlm_RunEntropy", "rlm_rl_entr_3D_avg"),
        ("pyradiomics", "wavelet-LLH_glrlm_RunEntropy", None),
        ("flash-radiomics", "original_ih_MaximumHistogramGradientIntensity", "ih_max_grad_g"),
        ("flash-radiomics", "original_firstorder_Kurtosis", "stat_kurt"),
        ("mirp", "rlm_sre_3d_v_mrg_fbn_n32", "rlm_sre_3D_comb"),
        ("mirp", "ngl_lde_d1_a0.0_3d_fbn_n32", "ngl_lde_3D"),
        ("mirp", "ih_max_grad_g_fbn_n32", "ih_max_grad_g"),
        ("pictologics", "original__10th_discretised_intensity_percentile_1PR", "ih_p10"),
    ],
)
def test_a_peer_s_name_leads_to_the_tag(tool, name, tag):
    assert TAG_OF[tool](name) == tag


def test_agreement_counts_the_shared_features_and_names_the_one_furthest_apart():
    found = bench.agreement("pyradiomics", "ct", {"stat_mean": 13.0, "stat_max": 4.0}, {"original_firstorder_Mean": 13.0,
                                                                                       "original_firstorder_Maximum": 5.0})  # fmt: skip
    assert (found.shared, found.alike, found.tag, found.largest) == (2, 1, "stat_max", 0.2)


def test_a_peer_that_needs_a_newer_python_than_there_is_says_so(tmp_path):
    assert "needs Python 3.99" in install(PeerEnvironment("tool", "tool", (3, 99)), tmp_path)
    assert interpreter((3, 99)) is None


def test_an_environment_that_cannot_be_made_leaves_nothing_behind(tmp_path):
    peer = PeerEnvironment("tool", str(tmp_path / "no-such-file.whl"))
    assert install(peer, tmp_path)
    assert not (tmp_path / "tool" / STAMP).exists()


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_s_pins_hold_the_version_that_its_record_names(name):
    pins = pinned(ENVIRONMENTS[name])
    assert ENVIRONMENTS[name].distribution in pins
    assert all(re.fullmatch(r"[a-z0-9.-]+==[0-9a-z.]+", pin) for pin in pins)


def test_an_unknown_peer_or_case_is_refused_with_the_nearest_name():
    with pytest.raises(BadSetting, match="'pyradiomic' is unknown"):
        bench.chosen("pyradiomic", PEERS, "peer")
    said = onclair_here("bench", "radiomics", "--cases", "cubes")
    assert (said.code, "cubes" in said.err) == (2, True)


def test_a_folder_without_the_reference_data_is_refused(tmp_path):
    said = onclair_here("bench", "radiomics", "--reference-data", tmp_path, "--peers", "mirp")
    assert (said.code, "ibsi1" in said.err) == (2, True)


def test_peers_are_not_installed_without_a_folder_for_them():
    said = onclair_here("bench", "radiomics", "--install-peers", "--peers", "mirp")
    assert (said.code, "--peer-home" in said.err) == (2, True)
