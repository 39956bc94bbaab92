"""The round loop: plan, ask the sites, aggregate, keep; the same whatever carries the messages, and after any interruption."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from onclair.core.errors import BadInput
from onclair.federate.values import Ask, Coordinator, State, Update

SiteStatus = Literal["ok", "refused", "lost", "too_few"]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What came back from the sites in one round.

    Attributes
    ----------
    updates : mapping of str to Update
        By site.
    refused : mapping of str to str
        Site to the reason that its gate gave.
    lost : tuple of str
        Sites that did not answer in time.
    seconds : float
        Wall clock; stands in no record.
    """

    updates: Mapping[str, Update]
    refused: Mapping[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    seconds: float = 0.0


class Driver(Protocol):
    """Carries an order to the sites and brings their updates back."""

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites that take part, in order of name."""
        ...

    def ask(self, what: Ask, number: int) -> Answers:
        """Run one program at the sites; `number` is the round."""
        ...


@dataclass(frozen=True, slots=True)
class Round:
    """One finished round, for the report and ``rounds.jsonl``.

    Attributes
    ----------
    round : int
    program : str
    sites : tuple of str
        That answered.
    seconds : float
    bytes_up, bytes_down : int
        Over all sites.
    drift : float or None
        Weighted mean distance of local from global weights, where a coordinator tells it.
    left : mapping of str to list of mapping
        By site, the name, shape and bytes of every array that left.
    refused : mapping of str to str
    lost : tuple of str
    """

    round: int
    program: str
    sites: tuple[str, ...]
    seconds: float
    bytes_up: int
    bytes_down: int
    drift: float | None = None
    left: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """How a federation ended.

    Attributes
    ----------
    state : State
    status : {"complete", "stopped_at_quorum"}
    rounds : tuple of Round
        Those of this call; earlier ones stand in the checkpoint's folder.
    """

    state: State
    status: Literal["complete", "stopped_at_quorum"]
    rounds: tuple[Round, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """When a round counts, and what is kept of it.

    Attributes
    ----------
    quorum : int
        Fewest answers; a round with fewer is asked once again, then the run stops.
    keep : callable
        ``(state, round) -> None``, called after every finished round: the checkpoint and the line in ``rounds.jsonl``.
    start : State or None
        Goes on from a checkpoint.
    """

    quorum: int = 1
    keep: Callable[[State, Round], None] | None = None
    start: State | None = None


def federated(coordinator: Coordinator, driver: Driver, rules: Rules | None = None) -> Finished:
    """Run a coordinator over sites until it has nothing more to ask.

    Parameters
    ----------
    coordinator : Coordinator
    driver : Driver
    rules : Rules, optional

    Returns
    -------
    Finished

    Raises
    ------
    BadInput
        For a quorum above the number of sites, or sites that all refuse.
    """
    rules = rules or Rules()
    if rules.quorum > len(driver.sites):
        raise BadInput(
            f"The quorum is {rules.quorum}, but there are {len(driver.sites)} sites; choose a quorum of at most {len(driver.sites)}.",
            item="quorum",
        )
    state = rules.start if rules.start is not None else coordinator.begin(driver.sites)
    rounds: list[Round] = []
    while (what := coordinator.plan(state)) is not None:
        asked = what.sites or driver.sites
        answers = _asked(driver, what, state.round + 1, min(rules.quorum, len(asked)))
        if answers is None:
            return Finished(state, "stopped_at_quorum", tuple(rounds))
        sent = len(what.state.to_bytes())
        told = coordinator.aggregate(state, {name: answers.updates[name] for name in sorted(answers.updates)})
        state = State(told.arrays, told.numbers, state.round + 1)
        rounds.append(_round_of(what, state, answers, sent * len(asked)))
        if rules.keep is not None:
            rules.keep(state, rounds[-1])
    return Finished(state, "complete", tuple(rounds))


def _asked(driver: Driver, what: Ask, number: int, quorum: int) -> Answers | None:
    """Return the answers of one round, asked at most twice; None below the quorum."""
    for _ in range(2):
        answers = driver.ask(what, number)
        if answers.refused and not answers.updates and not answers.lost:
            first = sorted(answers.refused)[0]
            raise BadInput(
                f"Every site refused the program '{what.program}'; of the first, {first}: {answers.refused[first]}", item=what.program
            )
        if len(answers.updates) >= quorum:
            return answers
    return None


def _round_of(what: Ask, state: State, answers: Answers, down: int) -> Round:
    left = {name: _left(update) for name, update in sorted(answers.updates.items())}
    up = sum(len(update.to_bytes()) for update in answers.updates.values())
    drift = state.numbers.get("drift")
    names: Sequence[str] = sorted(answers.updates)
    return Round(state.round, what.program, tuple(names), answers.seconds, up, down, drift, left, dict(answers.refused), answers.lost)


def _left(update: Update) -> list[Mapping[str, Any]]:
    """Return what left with an update: every array by name, shape and bytes, and the sums and metrics as one line each."""
    arrays = [{"name": n, "shape": list(a.shape), "bytes": int(a.nbytes)} for n, a in sorted(update.arrays.items())]
    return [*arrays, *({"name": name, "shape": [], "bytes": 8} for name in sorted((*update.sums, *update.metrics)))]
