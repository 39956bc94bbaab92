"""`onclair bench coverage`: virtual cohorts with known truth, and how often each interval holds it, with the Monte Carlo error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from onclair.core.errors import BadSetting
from onclair.core.estimate import Estimate
from onclair.core.names import did_you_mean
from onclair.core.progress import Listener, Progress, silent
from onclair.core.seeds import rng_for
from onclair.run.benches import claims, noise, repeated, sets, times
from onclair.run.benches.seen import Seen, totals
from onclair.run.pool import MapFunction

#: Cohorts in one unit of work; it decides how work is shared, never what is drawn.
COHORTS_A_UNIT = 5


@dataclass(frozen=True, slots=True)
class Setting:
    """One kind of virtual cohort, drawn again and again.

    Attributes
    ----------
    what : str
        The cohort in words.
    see : callable
        ``Generator -> what one cohort showed``.
    cohorts : int or None
        How many, where that is not asked for.
    """

    what: str
    see: Callable[[np.random.Generator], list[Seen]]
    cohorts: int | None = None


SETTINGS: Mapping[str, Setting] = {
    "repeated": Setting(repeated.WHAT, repeated.intervals),
    "centres": Setting(claims.WHAT_CENTRES, claims.centre_intervals),
    "sets": Setting(sets.WHAT, sets.set_coverage),
    "noise": Setting(noise.WHAT, noise.noise_aucs, noise.SEEDS),
    "binary": Setting(claims.WHAT_BINARY, claims.binary_intervals),
    "survival": Setting(times.WHAT, times.survival_intervals),
    "competing": Setting(times.WHAT, times.competing_intervals),
    "readers": Setting(claims.WHAT_READERS, claims.reader_intervals),
}


class Unit(NamedTuple):
    """Some cohorts of one setting."""

    setting: str
    seed: int
    cohorts: range


def seen_in(unit: Unit) -> list[list[Seen]]:
    """Return what each cohort of a unit showed; a cohort's numbers depend on seed, setting and its own number alone.

    Examples
    --------
    >>> one, both = seen_in(Unit("readers", 1, range(1, 2))), seen_in(Unit("readers", 1, range(2)))
    >>> one[0] == both[1]
    True
    """
    see = SETTINGS[unit.setting].see
    return [see(rng_for(unit.seed, "coverage", unit.setting, i)) for i in unit.cohorts]


def coverage(
    cohorts: int = 500,
    seed: int = 1,
    *,
    only: Sequence[str] = (),
    map: MapFunction = map,  # noqa: A002
    progress: Listener = silent,
) -> list[Estimate]:
    """Return the coverage of every kind of interval, and the noise audits.

    Parameters
    ----------
    cohorts : int
        Of each setting, at least 2; the noise audits always take ten.
    seed : int
    only : sequence of str
        Names of settings; all of them when empty. What one shows does not depend on the others.
    map : callable
        From :func:`onclair.run.pool.pool`; no figure depends on it.
    progress : callable

    Returns
    -------
    list of Estimate
        ``coverage:FIGURE[@T]:WHO[:WHERE]``, WHO one of ``clustered naive bootstrap``: the share of cohorts whose interval holds the
        truth, with Wilson's interval for the Monte Carlo error. ``width:...``, ``coverage:conformal`` and ``coverage:mondrian:...``
        are means over the cohorts, ``...:worst-group`` the lowest of the groups' means; ``noise_auc:...`` means over noise data sets.

    Raises
    ------
    BadSetting
        For fewer than two cohorts or a setting that is not known.

    Examples
    --------
    >>> found = coverage(2, only=["readers"])
    >>> [(e.name, e.n) for e in found]
    [('coverage:auc:readers', 2), ('coverage:difference:readers', 2)]
    """
    for name in only:
        if name not in SETTINGS:
            raise BadSetting(f"There is no setting '{name}' of virtual cohorts; {did_you_mean(name, SETTINGS)}", item=name)
    if cohorts < 2:
        raise BadSetting(f"--cohorts is {cohorts}; a Monte Carlo error needs at least 2, and a coverage some hundreds.", item="cohorts")
    asked = {name: setting for name, setting in SETTINGS.items() if not only or name in only}
    units = [unit for name, setting in asked.items() for unit in _units(name, seed, setting.cohorts or cohorts)]
    found: dict[str, list[list[Seen]]] = {name: [] for name in asked}
    for unit, seen in zip(units, map(seen_in, units), strict=True):
        found[unit.setting] += seen
        progress(Progress(unit.setting, unit.cohorts.stop, asked[unit.setting].cohorts or cohorts, unit="cohorts"))
    return [estimate for name, seen in found.items() for estimate in totals(seen, asked[name].what)]


def _units(setting: str, seed: int, cohorts: int) -> list[Unit]:
    starts = range(0, cohorts, COHORTS_A_UNIT)
    return [Unit(setting, seed, range(start, min(start + COHORTS_A_UNIT, cohorts))) for start in starts]
