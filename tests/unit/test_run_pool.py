"""The pool of worker processes: what cannot cross to another process is one sentence, never a wait without end."""

from __future__ import annotations

import multiprocessing
from typing import Any

import pytest

from onclair.core.errors import BadCase
from onclair.run.pool import NotSent, WorkerLost, pool


class NeverPickled:
    """What a study that holds an open file is like."""

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("cannot pickle an open file")


class OnlyAtHome:
    """What a class that the worker cannot import is like."""

    def __reduce__(self) -> tuple[Any, ...]:
        return at_home, ()


def at_home() -> int:
    if multiprocessing.parent_process() is not None:
        raise ImportError("no module named elsewhere")
    return 1


class OnlyAway:
    """A result that only the worker can make."""

    def __reduce__(self) -> tuple[Any, ...]:
        return away, ()


def away() -> int:
    if multiprocessing.parent_process() is None:
        raise ImportError("no module named there")
    return 1


def echo(value: Any) -> Any:
    return value


def unsendable(value: Any) -> Any:
    return lambda: value


def made_away(value: Any) -> Any:
    return OnlyAway()


def refuses(value: Any) -> Any:
    raise BadCase(f"The patient {value} is not there.", item=str(value))


def dies(value: Any) -> Any:
    import os

    os._exit(3)


CROSSINGS = {
    "a task that cannot be pickled, among many": (echo, [1, 2, *[NeverPickled()] * 60]),
    "tasks that hold a function of a function": (echo, [lambda: 1] * 60),
    "a task that the worker cannot make": (echo, [OnlyAtHome()]),
    "a result that cannot be pickled": (unsendable, [1]),
    "a result that cannot be made here": (made_away, [1]),
}


@pytest.mark.parametrize("name", CROSSINGS)
def test_what_cannot_cross_is_refused_in_one_sentence_and_the_pool_ends(name: str) -> None:
    function, tasks = CROSSINGS[name]
    with (
        pytest.raises(NotSent, match=r"^The work cannot be handed to worker processes \(.+\); run the same command with --workers 1\.$"),
        pool(2) as over,
    ):
        list(over(function, tasks))


def test_results_come_in_order_with_one_argument_or_several() -> None:
    with pool(2) as over:
        assert list(over(echo, [3, 1, 2])) == [3, 1, 2]
        assert list(over(pow, [2, 3], [3, 2])) == [8, 9]


def test_an_error_of_a_task_keeps_its_kind_and_item_and_a_lost_worker_says_so() -> None:
    with pytest.raises(BadCase, match="The patient 7 is not there") as told, pool(2) as over:
        list(over(refuses, [7]))
    assert told.value.item == "7"
    with pytest.raises(WorkerLost, match="fewer --workers"), pool(2) as over:
        list(over(dies, [1]))
