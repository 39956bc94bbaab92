"""The small 3-D network: what it learns, what it never sees, and that nothing but its seed decides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onclair.core.errors import BadInput, BadSetting
from onclair.io.networks import network_record, open_network
from onclair.learn.cnn3d import Cnn3d, Kept, Member, Recipe, Targets, fit_ensemble, train_member
from onclair.learn.network_input import NetworkInput
from onclair.learn.training import Training

SHOWN = NetworkInput((4.0, 4.0, 4.0), (8, 8, 8))
SMALL = Recipe(SHOWN, Cnn3d((4, 4), 4), Training(epochs=12, batch=8, learning_rate=0.02))
LEARNER = Recipe(SHOWN, Cnn3d((8, 8), 8), Training(epochs=40, batch=8, learning_rate=0.01))


def lesions(n: int = 24, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return volumes of lesions, whether each is coarse (2-voxel blocks) or fine, and the share of the grid that each fills."""
    rng = np.random.default_rng(seed)
    coarse = (np.arange(n) % 2).astype(float)
    away = np.linalg.norm(np.stack(np.meshgrid(*[np.arange(8.0) - 3.5] * 3, indexing="ij")), axis=0)
    volumes, sizes = [], []
    for each in coarse:
        mask = away < rng.uniform(2.2, 4.4)
        values = np.kron(rng.normal(size=(4, 4, 4)), np.ones((2, 2, 2))) if each else rng.normal(size=(8, 8, 8))
        values = (values - values[mask].mean()) / values[mask].std()
        volumes.append(np.stack([np.where(mask, values, 0), mask]))
        sizes.append(mask.mean())
    return np.array(volumes, dtype=np.float32), coarse, np.array(sizes)


def halves(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    first, second = np.arange(n // 2), np.arange(n // 2, n)
    return [(second, first), (first, second)]


def ranked(scores: np.ndarray, events: np.ndarray) -> float:
    return float((scores[events == 1][:, None] > scores[events == 0][None, :]).mean())


def test_texture_is_learnt_and_holds_on_patients_never_seen() -> None:
    volumes, coarse, _ = lesions(48)
    found = fit_ensemble(volumes, Targets(coarse), halves(48), LEARNER)
    assert ranked(found.out_of_fold, coarse) > 0.85


def test_size_is_seen_and_learnt() -> None:
    volumes, _, sizes = lesions(48)
    large = (sizes > np.median(sizes)).astype(float)
    found = fit_ensemble(volumes, Targets(large), halves(48), LEARNER)
    assert ranked(found.out_of_fold, large) > 0.9


def test_follow_up_is_learnt_as_a_hazard() -> None:
    volumes, _, sizes = lesions(48)
    time = 1.0 / sizes
    found = fit_ensemble(volumes, Targets(np.ones(48), time), halves(48), LEARNER)
    assert np.corrcoef(found.out_of_fold, time)[0, 1] < -0.6


def test_one_seed_gives_the_same_weights_bit_for_bit_and_another_does_not() -> None:
    volumes, coarse, _ = lesions(16)
    one, same = (fit_ensemble(volumes, Targets(coarse), halves(16), SMALL) for _ in range(2))
    other = fit_ensemble(volumes, Targets(coarse), halves(16), Recipe(SHOWN, SMALL.how, Training(epochs=12, batch=8, seed=2)))
    for name, weights in one.members[0].weights.items():
        assert np.array_equal(weights, same.members[0].weights[name]), name
    assert not np.array_equal(one.out_of_fold, other.out_of_fold)


def test_the_order_in_which_members_are_trained_does_not_matter() -> None:
    volumes, coarse, _ = lesions(16)

    def backwards(function, tasks):  # type: ignore[no-untyped-def]
        done = [function(task) for task in reversed(tasks)]
        return iter(done[::-1])

    one = fit_ensemble(volumes, Targets(coarse), halves(16), SMALL)
    other = fit_ensemble(volumes, Targets(coarse), halves(16), SMALL, over=backwards)
    assert np.array_equal(one.out_of_fold, other.out_of_fold)


def test_patients_held_out_do_not_touch_the_weights() -> None:
    volumes, coarse, _ = lesions(16)
    changed, flipped = volumes.copy(), coarse.copy()
    changed[:8] += 5.0
    flipped[:8] = 1 - flipped[:8]
    one, other = (fit_ensemble(v, Targets(y), halves(16), SMALL).members[0] for v, y in ((volumes, coarse), (changed, flipped)))
    for name, weights in one.weights.items():
        assert np.array_equal(weights, other.weights[name]), name
    assert not np.array_equal(one.scores, other.scores)


def test_a_training_goes_on_from_its_checkpoints_to_the_same_weights(tmp_path: Path) -> None:
    volumes, coarse, _ = lesions(16)
    whole = fit_ensemble(volumes, Targets(coarse), halves(16), SMALL)

    def interrupted(function, tasks):  # type: ignore[no-untyped-def]
        yield function(tasks[0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_ensemble(volumes, Targets(coarse), halves(16), SMALL, over=interrupted, kept=Kept(tmp_path, "a"))
    assert list(tmp_path.iterdir())
    again = fit_ensemble(volumes, Targets(coarse), halves(16), SMALL, kept=Kept(tmp_path, "a"))
    assert np.array_equal(whole.out_of_fold, again.out_of_fold)


def test_checkpoints_of_other_patients_are_refused(tmp_path: Path) -> None:
    volumes, coarse, _ = lesions(16)
    fit_ensemble(volumes, Targets(coarse), halves(16), SMALL, kept=Kept(tmp_path, "a"))
    with pytest.raises(BadSetting):
        fit_ensemble(volumes, Targets(coarse), halves(16), SMALL, kept=Kept(tmp_path, "b"))


def test_the_onnx_file_answers_as_the_members_do_for_any_number_of_cases() -> None:
    volumes, coarse, _ = lesions(16)
    found = fit_ensemble(volumes, Targets(coarse), halves(16), SMALL)
    network = open_network(network_record("m", "event", graph=found.onnx(volumes)))
    for n in (1, 16):
        assert np.abs(network.run({"volume": volumes[:n]})["scores"] - found.scores(volumes[:n])).max() <= 1e-4
    assert np.abs(found.scores(volumes)[:8, 0] - found.out_of_fold[:8]).max() <= 1e-6


def test_without_an_outline_or_with_odd_sides_it_works_too() -> None:
    shown = NetworkInput((4.0, 4.0, 4.0), (7, 7, 5), ("image",), "none")
    volumes = np.random.default_rng(0).normal(size=(8, 1, 7, 7, 5)).astype(np.float32)
    found = fit_ensemble(volumes, Targets(np.arange(8) % 2 * 1.0), halves(8), Recipe(shown, Cnn3d((2, 2), 2), Training(epochs=1)))
    assert np.isfinite(found.out_of_fold).all()


def test_folds_that_leak_or_leave_somebody_out_are_refused() -> None:
    volumes, coarse, _ = lesions(8)
    (a, b), _ = halves(8)
    for folds in ([(np.arange(8), b), (b, a)], [(a, b)], []):
        with pytest.raises(BadInput, match="exactly once"):
            fit_ensemble(volumes, Targets(coarse), folds, SMALL)


def test_a_fold_without_events_other_shapes_and_other_outcomes_are_refused() -> None:
    volumes, coarse, _ = lesions(8)
    with pytest.raises(BadInput, match="Of the 4 patients"):
        fit_ensemble(volumes, Targets(np.repeat([0.0, 1.0], 4)), halves(8), SMALL)
    with pytest.raises(BadInput, match="of shape"):
        fit_ensemble(volumes[:, :1], Targets(coarse), halves(8), SMALL)
    with pytest.raises(BadInput, match="one a patient"):
        fit_ensemble(volumes, Targets(coarse * 2), halves(8), SMALL)
    with pytest.raises(BadSetting, match="at least 1"):
        Cnn3d(())


def test_a_task_crosses_to_another_process() -> None:
    import pickle

    volumes, coarse, _ = lesions(8)
    caught: list[object] = []

    def seen(function, tasks):  # type: ignore[no-untyped-def]
        caught.extend(tasks)
        return map(function, tasks)

    fit_ensemble(volumes, Targets(coarse), halves(8), SMALL, over=seen)
    member = train_member(pickle.loads(pickle.dumps(caught[0])))
    assert isinstance(member, Member)
