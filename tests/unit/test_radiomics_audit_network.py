"""What an audit of a network is made of: the controls of deep models, batches of copies, what is kept, and the figures of members."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadInput, BadSetting
from onclair.core.fragments import each_once, in_french
from onclair.core.outcome import Outcome
from onclair.core.values import Image
from onclair.io.cards import card_from
from onclair.learn.adapters import Scorer
from onclair.learn.network_input import NetworkInput
from onclair.run.pictured import pictured
from onclair.studies.tasks.radiomics_audit_deep import DEEP, Look, altered, look_of, typical
from onclair.studies.tasks.radiomics_audit_measure import control_names
from onclair.studies.tasks.radiomics_audit_network import NetworkRows, network_figures
from onclair.studies.tasks.radiomics_audit_plan import Reading, network_reading, reading_of
from onclair.studies.tasks.radiomics_audit_probe import HANDCRAFTED, MEMBER, PLAIN
from onclair.studies.tasks.radiomics_audit_score import has_score, scores_of
from onclair.studies.tasks.radiomics_audit_scorer import SCORE, NetworkEngine, answers, kept_model, model_files, model_sha256
from onclair.validate.truths import Binary

SHOWN = NetworkInput((1.0, 1.0, 1.0), (7, 7, 7), ("image", "mask"), "none")
NETWORK = card_from(
    {"card": {"name": "n", "modality": "PET"}, "model": {"kind": "onnx", "file": "n.onnx"}, "network": {}, "preprocessing": {}}
)


def engine(shown: NetworkInput = SHOWN) -> NetworkEngine:
    return NetworkEngine(Path("nowhere"), "5a", "onnx", shown)


@pytest.fixture
def lesion() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    region = np.zeros((12, 11, 10), dtype=bool)
    region[4:8, 3:7, 4:7] = True
    return np.where(region, rng.normal(5, 1, region.shape), rng.normal(1, 0.2, region.shape)), region


OF = Look(volume_mm3=100.0, inside_mean=5.0, inside_sd=1.0, outside_mean=1.0)


def test_blank_outside_keeps_every_voxel_of_the_outline_and_leaves_one_value_around_it(lesion: tuple[np.ndarray, np.ndarray]) -> None:
    image, region = lesion
    before = image.copy()
    changed, outline = altered("blank-outside", image, region, (1.0, 1.0, 1.0), OF)
    assert np.array_equal(changed[region], image[region])
    assert set(changed[~region]) == {image[region].mean()}
    assert outline is region
    assert np.array_equal(image, before)


def test_mask_only_is_the_same_for_two_patients_of_one_outline(lesion: tuple[np.ndarray, np.ndarray]) -> None:
    image, region = lesion
    one, other = (altered("mask-only", each, region, (1.0, 1.0, 1.0), OF)[0] for each in (image, image**2))
    assert np.array_equal(one, other)
    assert sorted(set(one.ravel())) == [1.0, 5.0]


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.5), (0.5, 0.5, 3.0)])
def test_size_matched_outlines_have_the_typical_volume_about_the_same_centroid(
    lesion: tuple[np.ndarray, np.ndarray], spacing: tuple[float, float, float]
) -> None:
    image, region = lesion
    changed, outline = altered("size-matched", image, region, spacing, OF)
    assert outline.sum() == round(100.0 / math.prod(spacing))
    assert np.allclose(np.argwhere(outline).mean(axis=0), np.argwhere(region).mean(axis=0), atol=0.6)
    assert np.array_equal(changed, image)


def test_a_size_matched_outline_of_a_lesion_at_the_border_keeps_its_volume(lesion: tuple[np.ndarray, np.ndarray]) -> None:
    image, region = lesion
    corner = np.zeros_like(region)
    corner[:2, :2, :2] = True
    assert altered("size-matched", image, corner, (1.0, 1.0, 1.0), OF)[1].sum() == 100
    assert altered("size-matched", image, corner, (1.0, 1.0, 1.0), Look(1e9, 5.0, 1.0, 1.0))[1].all()


def test_rescaled_intensities_keep_their_order(lesion: tuple[np.ndarray, np.ndarray]) -> None:
    image, region = lesion
    changed, _ = altered("rescaled", image, region, (1.0, 1.0, 1.0), OF)
    assert np.allclose(changed, 1.5 * image + 0.25)


def test_an_unknown_control_is_refused_with_those_that_there_are(lesion: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(BadSetting, match=r"mask-only.*rescaled"):
        altered("inverted", *lesion, (1.0, 1.0, 1.0), OF)


def test_the_typical_lesion_is_the_median_of_each_number(lesion: tuple[np.ndarray, np.ndarray]) -> None:
    image, region = lesion
    mine = look_of(image, region, (1.0, 1.0, 2.0))
    assert mine.volume_mm3 == 2.0 * region.sum()
    assert mine.inside_mean == image[region].mean()
    assert 0.9 < mine.outside_mean < 1.1
    assert typical([mine, mine, Look(1e9, 0.0, 0.0, 0.0)]) == mine


def test_an_empty_outline_is_refused() -> None:
    with pytest.raises(BadCase):
        look_of(np.ones((3, 3, 3)), np.zeros((3, 3, 3), dtype=bool), (1.0, 1.0, 1.0))


def test_a_network_is_tried_on_every_destroyed_signal_and_on_the_controls_of_deep_models() -> None:
    names = control_names(network_reading(NETWORK, engine()))
    assert len(names) == 13
    assert names[0] == "shuffled-voxels"
    assert names[-4:] == DEEP


def test_a_network_that_is_shown_the_outline_alone_is_called_permutation_invariant() -> None:
    alone = network_reading(NETWORK, engine(NetworkInput((1.0, 1.0, 1.0), (7, 7, 7), ("mask",), "none")))
    both = network_reading(NETWORK, engine())
    assert (alone.invariant, alone.shape_alone, alone.looks_outside) == ((True,), True, False)
    assert (both.invariant, both.shape_alone, both.looks_outside) == ((False,), False, True)


def test_the_evidence_of_a_reading_says_which_network_and_what_it_is_shown_but_not_where_it_lies() -> None:
    record = network_reading(NETWORK, engine()).as_record()
    assert record["network"]["sha256"] == "5a"
    assert record["network"]["shown"]["channels"] == ["image", "mask"]
    assert "nowhere" not in str(record)


def test_the_score_of_a_network_is_its_one_column_as_it_is() -> None:
    table = pd.DataFrame({SCORE: [0.25, -3.0]}, index=["P1", "P2"])
    assert has_score(NETWORK)
    assert scores_of(NETWORK, table, {}).true.tolist() == [0.25, -3.0]


def test_a_card_of_a_network_is_sent_to_the_other_option() -> None:
    with pytest.raises(BadSetting, match="--model"):
        reading_of(NETWORK)


@pytest.mark.parametrize("at_once", [1, 7**3 * 2 * 3, 2**24])
def test_copies_are_scored_in_order_whatever_the_size_of_a_batch(at_once: int, lesion: tuple[np.ndarray, np.ndarray]) -> None:
    image, region = lesion
    batches: list[int] = []

    def run(shown: np.ndarray) -> np.ndarray:
        batches.append(len(shown))
        return shown[:, :1].max(axis=(2, 3, 4)).astype(np.float64)

    nowhere = np.zeros_like(region)
    copies = [(image + step, nowhere if step == 2 else region) for step in range(5)]
    found = list(answers(Scorer(SHOWN, run), copies, (1.0, 1.0, 1.0), at_once=at_once))
    assert isinstance(found[2], str)
    assert [round(float(found[at][0] - found[0][0]), 4) for at in (1, 3, 4)] == [1.0, 3.0, 4.0]
    assert sum(batches) == 4
    assert max(batches) == {1: 1, 7**3 * 2 * 3: 2, 2**24: 4}[at_once]


def test_an_answer_that_is_no_number_is_a_reason(lesion: tuple[np.ndarray, np.ndarray]) -> None:
    silent = Scorer(SHOWN, lambda shown: np.full((len(shown), 1), np.nan))
    assert list(answers(silent, [lesion], (1.0, 1.0, 1.0))) == ["the network answers with no number"]


def test_the_hash_of_a_network_hangs_on_its_files_and_not_on_their_place_or_the_name_of_its_card(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "n.onnx").write_bytes(b"weights")
        (tmp_path / name / f"{name}.toml").write_text("same")
    first, second = (model_sha256(tmp_path / n / f"{n}.toml", NETWORK) for n in ("a", "b"))
    assert first == second
    (tmp_path / "b" / "n.onnx").write_bytes(b"others")
    assert model_sha256(tmp_path / "b" / "b.toml", NETWORK) != first


def test_a_card_that_names_a_file_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "n.onnx").write_bytes(b"weights")
    away = card_from({**NETWORK.document, "model": {"kind": "onnx", "file": "../n.onnx"}})
    with pytest.raises(BadInput, match="beside it"):
        model_files(tmp_path / "home" / "card.toml", away)


def test_what_is_kept_of_a_network_is_opened_by_its_card_or_as_the_folder(tmp_path: Path) -> None:
    assert kept_model(tmp_path) == tmp_path
    (tmp_path / "card.toml").touch()
    assert kept_model(tmp_path) == tmp_path / "card.toml"


def rows(members: np.ndarray, plain: np.ndarray) -> NetworkRows:
    """Return rows of patients whose score is the mean of their members."""
    patients = [f"P{at:03d}" for at in range(len(members))]
    beside = pd.DataFrame(members, index=patients, columns=[f"{MEMBER}{at + 1}" for at in range(members.shape[1])])
    beside[[f"{PLAIN}{tag}" for tag in HANDCRAFTED]] = plain
    acquisitions = pd.DataFrame([(p, "C", "", "pet", "f") for p in patients], columns=["patient", "centre", "visit", "kind", "path"])
    cohort = Cohort(acquisitions, pd.DataFrame({"patient": patients}))
    features, rivals = pd.DataFrame({SCORE: members.mean(axis=1)}, index=patients), beside[[f"{PLAIN}morph_volume"]]
    truth, nothing = Binary(np.arange(len(patients)) % 2), pd.DataFrame(index=patients)
    return NetworkRows(cohort, Outcome("event", "binary"), features, rivals, {}, {}, truth, nothing, beside=beside)


def figures(members: np.ndarray, plain: np.ndarray) -> dict[str, object]:
    return {each.name: each for each in network_figures(rows(members, plain), network_reading(NETWORK, engine()))}


def test_a_score_made_of_volume_is_foretold_by_volume_and_one_made_of_texture_by_the_features_only() -> None:
    rng = np.random.default_rng(2)
    plain = rng.lognormal(size=(80, len(HANDCRAFTED)))
    sized, grained = figures(np.log(plain[:, :1]), plain), figures(plain[:, 5:6], plain)
    noise = figures(rng.normal(size=(80, 1)), plain)
    assert sized["r2:model:volume"].value > 0.97
    assert grained["r2:model:volume"].value < 0.1
    assert grained["r2:model:volume-and-handcrafted"].value > 0.97
    assert noise["r2:model:volume-and-handcrafted"].value < 0.1
    found = grained["r2:model:volume-and-handcrafted"]
    assert found.low < found.value < found.high


def test_the_spread_of_members_is_the_standard_deviation_that_they_were_drawn_with() -> None:
    rng = np.random.default_rng(3)
    plain = rng.lognormal(size=(200, len(HANDCRAFTED)))
    patients = rng.normal(size=(200, 1))
    found = figures(patients + 0.5 * rng.normal(size=(200, 4)), plain)
    assert found["sd:model:members"].low < 0.5 < found["sd:model:members"].high
    assert found["icc:model:members"].low < 1 / 1.25 < found["icc:model:members"].high


def test_the_spread_of_members_is_that_of_a_table_that_can_be_checked_by_hand() -> None:
    found = figures(np.array([[1.0, 3.0], [2.0, 4.0], [5.0, 5.0]]), np.ones((3, len(HANDCRAFTED))))
    assert found["sd:model:members"].value == pytest.approx(math.sqrt((2 + 2 + 0) / 3))


def test_why_a_network_lacks_a_figure_is_said_and_in_french_too() -> None:
    rng = np.random.default_rng(4)
    plain = rng.lognormal(size=(30, len(HANDCRAFTED)))
    found = [
        *figures(rng.normal(size=(30, 1)), plain).values(),
        *figures(rng.normal(size=(30, 3)), plain).values(),
        *figures(np.ones((30, 2)), plain).values(),
        *figures(rng.normal(size=(5, 1)), plain[:5]).values(),
    ]
    assert {each.status for each in found} == {"ok", "not_available", "too_few"}
    said = each_once([text or "" for each in found for text in (each.method, each.reason)])
    assert [each for each in said if in_french(each) is None] == []


def test_a_sum_of_features_has_no_figures_of_a_network() -> None:
    plain = np.ones((3, len(HANDCRAFTED)))
    assert network_figures(rows(np.ones((3, 1)), plain), Reading(("a",), ("a",), ("stat_mean",), None, None, None, None)) == []


def test_an_image_in_another_unit_than_asked_for_is_refused(tmp_path: Path) -> None:
    from onclair.core.values import Mask
    from onclair.io.dicom.write import Exam, write_volume
    from onclair.io.dicom.write_outlines import write_rtstruct

    image = Image(np.arange(27.0).reshape(3, 3, 3), np.diag([2.0, 2.0, 2.0, 1.0]), "HU", "CT")
    volume = write_volume(tmp_path / "pet", image, Exam("P1", seed=1))
    write_rtstruct(tmp_path / "rs.dcm", Mask(np.ones((1, 3, 3, 3), bool), image.affine, ("GTV",)), volume, seed="1")
    slices = sorted(path.name for path in (tmp_path / "pet").iterdir())
    table = [("P1", "C", "", "pet", f"pet/{slices[0]}"), ("P1", "C", "", "mask", "rs.dcm")]
    acquisitions = pd.DataFrame(table, columns=["patient", "centre", "visit", "kind", "path"])
    cohort = Cohort(acquisitions, pd.DataFrame({"patient": ["P1"]}), root=tmp_path)
    found, mask = pictured(cohort, "P1", "pet", "HU")
    assert (found.array.shape, mask.labels) == ((3, 3, 3), ("GTV",))
    with pytest.raises(BadCase, match="HU"):
        pictured(cohort, "P1", "pet", "SUV")
