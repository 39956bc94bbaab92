"""Frames gathered into measurements: one round of lamp off, each excitation and white is one measurement, and no frame is in two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from onclair.io.instruments import Frame

Key = tuple[str, float | None]
#: Frames looked at before it is believed that no lamp-off frame comes.
_LOOKED_AT = 8
#: Rounds that break before the order is learnt anew.
_BREAKS = 2
#: Frames held while the order is learnt; more would never be a round.
_LONGEST = 64


@dataclass(frozen=True, slots=True, eq=False)
class Arrived:
    """A frame and when it came, on our clock; `age_s` is how old it was by then."""

    frame: Frame
    at: float
    age_s: float = 0.0

    @property
    def key(self) -> Key:
        """What place it has in a round."""
        return self.frame.kind, self.frame.spectrum.excitation_nm


@dataclass(slots=True, eq=False)
class Rounds:
    """Gathers frames into rounds; the order of a round is learnt from what comes, so that any instrument will do.

    Examples
    --------
    >>> import numpy as np
    >>> from onclair.core.values import Spectrum
    >>> nm = np.array([500.0, 501.0])
    >>> def came(number, kind):
    ...     lit = 405.0 if kind == "fluorescence" else None
    ...     return Arrived(Frame(f"F{number}", kind, Spectrum(nm, nm, lit, 20.0), "abc", float(number)), float(number))
    >>> rounds = Rounds()
    >>> made = [rounds.add(came(n, ("lamp_off", "fluorescence")[n % 2]))[0] for n in range(6)]
    >>> [[each.frame.frame for each in round] for round in made if round]
    [['F0', 'F1'], ['F2', 'F3'], ['F4', 'F5']]
    """

    _order: tuple[Key, ...] = field(default=(), init=False)
    _held: list[Arrived] = field(default_factory=list, init=False)
    _breaks: int = field(default=0, init=False)

    def add(self, came: Arrived) -> tuple[tuple[Arrived, ...], tuple[Arrived, ...]]:
        """Take a frame; return the round that it completes, or nothing, and the frames that are of no use any more."""
        if not self._order:
            return self._learn(came)
        lost: tuple[Arrived, ...] = ()
        if came.key != self._order[len(self._held)]:
            lost = self.drop()
            self._breaks += bool(lost) or came.key != self._order[0]
            if self._breaks >= _BREAKS * len(self._order):
                self._order, self._breaks = (), 0
                return (), (*lost, *self._learn(came)[1])
            if came.key != self._order[0]:
                return (), (*lost, came)
        self._held.append(came)
        return (self._complete(), lost) if len(self._held) == len(self._order) else ((), lost)

    def drop(self) -> tuple[Arrived, ...]:
        """Give up the round that is under way, and return its frames."""
        lost, self._held = tuple(self._held), []
        return lost

    def _complete(self) -> tuple[Arrived, ...]:
        self._breaks = 0
        return self.drop()

    def _learn(self, came: Arrived) -> tuple[tuple[Arrived, ...], tuple[Arrived, ...]]:
        """Hold frames until their order shows; the round begins with the lamp off where that is ever so."""
        self._held.append(came)
        keys = [each.key for each in self._held]
        order = _order_in(keys)
        if not order:
            return (), self.drop() if len(keys) >= _LONGEST else ()
        seen, self._held, self._order = self._held, [], order
        complete: tuple[Arrived, ...] = ()
        lost: list[Arrived] = []
        for each in seen:
            made, gone = self.add(each)
            lost += [*gone, *(complete if made else ())]
            complete = made or complete
        return complete, tuple(lost)


def _order_in(keys: Sequence[Key]) -> tuple[Key, ...]:
    """Return the order of one round, empty while it does not show.

    Examples
    --------
    >>> _order_in([("white", None), ("lamp_off", None), ("fluorescence", 405.0), ("white", None), ("lamp_off", None)])
    (('lamp_off', None), ('fluorescence', 405.0), ('white', None))
    >>> _order_in([("fluorescence", 405.0)] * 8)
    (('fluorescence', 405.0),)
    """
    starts = [place for place, key in enumerate(keys) if key[0] == "lamp_off" and (place == 0 or keys[place - 1][0] != "lamp_off")]
    if len(starts) > 1:
        return tuple(keys[starts[0] : starts[1]])
    if starts or len(keys) < _LOOKED_AT:
        return ()
    again = next((place for place in range(1, len(keys)) if keys[place] == keys[0]), 0)
    return tuple(keys[:again])
