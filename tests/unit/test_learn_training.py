"""The training loop: equal arguments give equal weights, steps are those of the publications, nothing else in the process changes."""

from __future__ import annotations

import math
from itertools import chain

import numpy as np
import pytest
import torch

from onclair.core.errors import BadInput, BadSetting, OnclairError
from onclair.core.progress import Progress
from onclair.learn.determinism import deterministic
from onclair.learn.training import Trained, Training, train, validation_loss
from onclair.learn.weights import arrays_of, load_arrays
from training_made import Points, network, squared

PLAIN = Training(steps=1, optimiser="sgd", learning_rate=0.1, momentum=0.0, weight_decay=0.0, schedule="constant")


class Ones:
    """One item, a one."""

    def __len__(self) -> int:
        return 1

    def take(self, indices: np.ndarray, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        return {"x": torch.ones(1, 1)}


def from_two(module: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return (w - 2)^2; its gradient is 2 (w - 2)."""
    return (module(batch["x"]) - 2).square().mean()


def one_weight(how: Training, w: float = 0.0, **around: object) -> Trained:
    start = {"weight": np.full((1, 1), w, dtype=np.float32)}
    return train(torch.nn.Linear(1, 1, bias=False), Ones(), from_two, how, start=start, **around)


def weight_of(trained: Trained) -> float:
    return float(trained.weights["weight"][0, 0])


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


def changed(how: Training, **changes: object) -> Training:
    return Training(**{name: changes.get(name, getattr(how, name)) for name in Training.__slots__})


def test_equal_arguments_give_equal_weights_whatever_was_drawn_before() -> None:
    torch.manual_seed(1)
    first = train(network(), Points(), squared, Training(epochs=2, batch=8))
    torch.rand(17)
    assert same(first.weights, train(network(), Points(), squared, Training(epochs=2, batch=8)).weights)


def test_another_seed_gives_other_weights() -> None:
    one, two = (train(network(), Points(noise=0.0), squared, Training(epochs=1, batch=8, seed=seed)) for seed in (1, 2))
    assert not same(one.weights, two.weights)


def test_the_network_that_was_given_stays_as_it_was() -> None:
    module = network().eval()
    before = arrays_of(module)
    train(module, Points(), squared, Training(epochs=1))
    assert same(before, arrays_of(module))
    assert not module.training


def test_threads_flags_and_generator_of_torch_are_put_back_even_after_an_error() -> None:
    def state() -> tuple[object, ...]:
        return (
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.utils.deterministic.fill_uninitialized_memory,
            torch.random.get_rng_state().numpy().tobytes(),
        )

    before = state()
    with pytest.raises(OnclairError, match="diverged"):
        train(network(), Points(), lambda net, batch: squared(net, batch) * math.nan, Training(threads=before[0] + 1))
    assert state() == before


def test_every_item_is_seen_once_an_epoch_in_another_order() -> None:
    points = Points(10)
    train(network(), points, squared, Training(epochs=2, batch=4))
    sizes = [len(taken) for taken in points.taken]
    epochs = [list(chain(*points.taken[:3])), list(chain(*points.taken[3:]))]
    assert sizes == [4, 3, 3] * 2
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
    assert epochs[0] != epochs[1]


def test_augmentation_is_drawn_anew_for_every_batch_of_every_epoch() -> None:
    class Listening(Points):
        def take(self, indices: np.ndarray, rng: np.random.Generator) -> dict[str, torch.Tensor]:
            drawn.append(rng.bit_generator.state["state"]["state"])
            return super().take(indices, rng)

    drawn: list[int] = []
    train(network(), Listening(), squared, Training(epochs=3, batch=10))
    assert len(drawn) == len(set(drawn)) == 6


def test_momentum_follows_the_hand_calculation() -> None:
    # gradients -4, then 2 (0.4 - 2) = -3.2; velocity -4, then 0.5 * -4 - 3.2 = -5.2; w = 0.4, then 0.4 + 0.52
    assert weight_of(one_weight(changed(PLAIN, steps=2, momentum=0.5))) == pytest.approx(0.92)


def test_the_first_step_of_adamw_is_the_learning_rate_and_its_decay_is_decoupled() -> None:
    # decay first, 1 * (1 - 0.1 * 0.5) = 0.95; then a step of 0.1 against the sign of the gradient
    assert weight_of(one_weight(changed(PLAIN, optimiser="adamw", weight_decay=0.5), w=1.0)) == pytest.approx(1.05)


def test_biases_do_not_decay() -> None:
    how = changed(PLAIN, weight_decay=0.5)
    start = {"weight": np.ones((1, 1)), "bias": np.ones(1)}
    trained = train(torch.nn.Linear(1, 1), Ones(), from_two, how, start=start)  # 1 + 1 = 2: no gradient at all
    assert trained.weights["bias"].tolist() == [1.0]
    assert trained.weights["weight"].tolist() == [[pytest.approx(0.95)]]


def test_a_clipped_step_is_no_longer_than_the_clip() -> None:
    assert weight_of(one_weight(changed(PLAIN, gradient_clip=0.5))) == pytest.approx(0.05)


def test_adjust_changes_the_gradients_before_the_step() -> None:
    def proximal(module: torch.nn.Module) -> None:
        for weight in module.parameters():
            assert weight.grad is not None
            weight.grad += 3.0 * (weight.detach() - 0.5)

    # the loss pulls by -2 from 1, the proximal term by 1.5 towards 0.5
    assert weight_of(one_weight(PLAIN, w=1.0, adjust=proximal)) == pytest.approx(1.05)


def test_the_average_of_the_weights_is_what_is_kept() -> None:
    # after one step w = 0.4; the average keeps min(0.9, 2 / 11) of the old 0
    assert weight_of(one_weight(changed(PLAIN, ema=0.9))) == pytest.approx(0.4 * 9 / 11)


def test_what_is_counted_is_not_averaged() -> None:
    trained = train(network(), Points(20), squared, Training(epochs=2, batch=10, ema=0.5))
    assert int(trained.weights["1.num_batches_tracked"]) == 4


def test_the_learning_rate_rises_and_falls_as_the_history_says() -> None:
    trained = one_weight(changed(PLAIN, steps=None, epochs=6, warmup=2, schedule="cosine"))
    rates = [entry["learning_rate"] for entry in trained.history]
    assert rates == pytest.approx([0.05, 0.1, 0.1, 0.1 * (2 + math.sqrt(2)) / 4, 0.05, 0.1 * (2 - math.sqrt(2)) / 4])


def test_a_step_limit_ends_a_training_inside_an_epoch() -> None:
    points = Points(20)
    trained = train(network(), points, squared, Training(batch=8, steps=4))
    assert (trained.steps, trained.epochs, len(points.taken), trained.reason) == (4, 2, 4, "finished")


def test_patience_stops_a_training_and_the_best_weights_are_kept() -> None:
    values, seen = iter([3.0, 1.0, 2.0, 1.0, 0.0]), []

    def validation(module: torch.nn.Module) -> float:
        assert not module.training
        assert not torch.is_grad_enabled()
        seen.append(arrays_of(module))
        return next(values)

    trained = one_weight(changed(PLAIN, steps=None, epochs=9, patience=2), validation=validation)
    assert (trained.epochs, trained.best_epoch, trained.reason) == (4, 2, "patience")
    assert same(trained.weights, seen[1])


def test_validation_loss_weighs_every_item_alike() -> None:
    points = Points(7, noise=0.0)
    module = network().eval()
    whole = squared(module, points.take(np.arange(7), np.random.default_rng(0))).detach()
    assert validation_loss(points, squared, batch=3)(module) == pytest.approx(float(whole), rel=1e-6)


def test_progress_tells_every_epoch() -> None:
    heard: list[Progress] = []
    one_weight(changed(PLAIN, steps=3), progress=heard.append)
    assert [(event.done, event.total, event.unit) for event in heard] == [(1, 3, "epochs"), (2, 3, "epochs"), (3, 3, "epochs")]


def test_weights_that_are_frozen_stay() -> None:
    module = network()
    module[0].weight.requires_grad_(requires_grad=False)
    trained = train(module, Points(), squared, Training(epochs=1))
    assert trained.weights["0.weight"].tobytes() == arrays_of(module)["0.weight"].tobytes()


def test_a_loss_that_runs_away_is_told_with_its_step_and_rate() -> None:
    with pytest.raises(OnclairError, match=r"the loss is inf at step \d+, with a learning rate of 1e\+30; lower the rate"):
        one_weight(changed(PLAIN, steps=5, learning_rate=1e30))


def test_a_gradient_that_is_no_number_is_told_though_the_loss_is_one() -> None:
    with pytest.raises(OnclairError, match="a gradient is nan at step 1"):
        train(torch.nn.Linear(1, 1, bias=False), Ones(), lambda net, batch: (net(batch["x"]) * 0).square().sum().sqrt(), PLAIN)


def test_weights_that_overflow_in_the_last_step_are_told() -> None:
    with pytest.raises(OnclairError, match="a weight of 'weight' is inf"):
        one_weight(changed(PLAIN, learning_rate=3e38), w=-3.0)


def test_a_loss_that_is_no_number_of_the_network_is_refused() -> None:
    with pytest.raises(BadInput, match="that no weight reaches"):
        train(network(), Points(), lambda net, batch: batch["y"].mean(), Training())
    with pytest.raises(BadInput, match=r"shape \(16, 1\)"):
        train(network(), Points(32), lambda net, batch: net(batch["x"]), Training())


def test_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(BadInput, match="no items"):
        train(network(), Points(0), squared, Training())
    with pytest.raises(BadInput, match="no weights to train"):
        train(torch.nn.Identity(), Points(), squared, Training())


@pytest.mark.parametrize(("name", "value"), [("batch", 0), ("learning_rate", math.inf), ("ema", 1.0), ("schedule", "linear"), ("seed", -1)])
def test_impossible_settings_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(BadSetting, match=f"'{name}'"):
        Training(**{name: value})


def test_patience_without_validation_and_warm_up_without_end_are_refused() -> None:
    with pytest.raises(BadSetting, match="no validation"):
        train(network(), Points(), squared, Training(patience=3))
    with pytest.raises(BadSetting, match="'warmup' is 9 of 4 steps"):
        train(network(), Points(), squared, Training(steps=4, warmup=9))


def test_an_unknown_keyword_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(BadSetting, match=r"no 'checkpoints'.*'checkpoint'"):
        train(network(), Points(), squared, Training(), checkpoints=None)


def test_weights_of_another_architecture_are_refused_and_nothing_is_changed() -> None:
    module = network()
    before = arrays_of(module)
    with pytest.raises(BadInput, match=r"'1.running_mean' that are absent"):
        load_arrays(module, {name: array + 1 for name, array in before.items() if name != "1.running_mean"})
    with pytest.raises(BadInput, match=r"no weights 'extra'"):
        load_arrays(module, {**before, "extra": np.zeros(1)})
    with pytest.raises(BadInput, match=r"'4.bias' are of shape \(2,\) where the network has \(1,\)"):
        load_arrays(module, {**{name: array + 1 for name, array in before.items()}, "4.bias": np.zeros(2)})
    with pytest.raises(BadInput, match=r"num_batches_tracked' are float64 where the network has int64"):
        load_arrays(module, {**before, "1.num_batches_tracked": np.array(1.5)})
    assert same(before, arrays_of(module))


def test_arrays_of_a_network_are_copies_and_go_back_exactly() -> None:
    module, other = network(1), network(2)
    arrays = arrays_of(module)
    load_arrays(other, arrays)
    arrays["0.weight"][:] = 7
    assert same(arrays_of(module), arrays_of(other))


def test_a_seed_that_torch_cannot_take_is_refused() -> None:
    with pytest.raises(BadSetting, match="at least 1 thread"), deterministic(1, threads=0):
        pass
