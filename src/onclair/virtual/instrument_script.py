"""What goes wrong with a simulated instrument, and when: a script that a person can write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean

#: What a script may do. ``mark`` is for whoever keeps the log: the instrument passes over it.
DEEDS = ("stall", "integration_ms", "saturate", "lamp_off", "tracker_lost", "mark")
#: Those that last, and therefore need ``for_s``.
LASTING = ("stall", "saturate", "lamp_off", "tracker_lost")
_KEYS = ("at_s", "do", "for_s", "value", "note", "by")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a script.

    Attributes
    ----------
    at_s : float
        After the instrument was opened.
    do : str
        One of :data:`DEEDS`.
    for_s : float
        How long it lasts; 0 for what happens at once.
    value : float or None
        The integration time that is turned to, in ms.
    note, by : str
        Of a mark.
    """

    at_s: float
    do: str
    for_s: float = 0.0
    value: float | None = None
    note: str = ""
    by: str = ""

    def holds(self, at_s: float) -> bool:
        """Return whether it is going on at a time.

        Examples
        --------
        >>> Event(2.0, "stall", for_s=1.0).holds(2.5), Event(2.0, "stall", for_s=1.0).holds(3.0)
        (True, False)
        """
        return self.at_s <= at_s < self.at_s + self.for_s


def read_script(entries: Sequence[Mapping[str, Any]]) -> tuple[Event, ...]:
    """Return a script from its entries, ``[{at_s, do, for_s|value|note|by}]``, in order of time.

    Raises
    ------
    BadSetting
        For an unknown deed or key, a time that is not a number of at least 0, a lasting deed without ``for_s``, or ``integration_ms``
        without a positive ``value``; the entry is named by its place.

    Examples
    --------
    >>> [event.do for event in read_script([{"at_s": 4, "do": "stall", "for_s": 1}, {"at_s": 2, "do": "integration_ms", "value": 40}])]
    ['integration_ms', 'stall']
    """
    return tuple(sorted((_event(entry, place) for place, entry in enumerate(entries, start=1)), key=lambda event: event.at_s))


def _event(entry: Mapping[str, Any], place: int) -> Event:
    where = f"Entry {place} of the script"
    if not isinstance(entry, Mapping):
        raise BadSetting(f"{where} is {entry!r}; it must be an object with at_s and do.", item=str(place))
    for key in entry:
        if key not in _KEYS:
            raise BadSetting(f"{where} has an unknown key '{key}'; {did_you_mean(str(key), _KEYS)}", item=str(key))
    do = entry.get("do")
    if do not in DEEDS:
        raise BadSetting(f"{where} says do = '{do}'; {did_you_mean(str(do), DEEDS)}", item=str(do))
    at_s = _number(entry, "at_s", where, least=0.0)
    for_s = _number(entry, "for_s", where, least=0.0) if do in LASTING or "for_s" in entry else 0.0
    if do in LASTING and for_s == 0.0:
        raise BadSetting(f"{where} lets '{do}' last 0 s; give for_s in seconds.", item="for_s")
    value = _number(entry, "value", where, least=1e-3) if do == "integration_ms" else None
    return Event(at_s, str(do), for_s, value, str(entry.get("note", "")), str(entry.get("by", "")))


def _number(entry: Mapping[str, Any], key: str, where: str, least: float) -> float:
    value = entry.get(key)
    good = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value) and value >= least
    if not good or value is None:
        raise BadSetting(f"{where} says {key} = {value!r}; it must be a number of at least {least:g}.", item=key)
    return float(value)
