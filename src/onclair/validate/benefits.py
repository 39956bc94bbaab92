"""Net benefit and what follows from it, whatever the kind of outcome: all, none, differences, standardised, interventions avoided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from onclair.core.errors import BadSetting
from onclair.core.estimate import Estimate
from onclair.validate.acting import Acting, Gain
from onclair.validate.intervals import cut
from onclair.validate.rows import Floats


class _Figure(NamedTuple):
    """A figure on the identity scale before it is stated; its value is NaN where there is a reason."""

    name: str
    value: float
    contributions: Floats
    method: str
    reason: str | None = None
    unit: str = "1"


def benefits(who: str, acting: Acting, thresholds: Sequence[float]) -> list[Estimate]:
    """Return the net benefit ``nb:WHO@T`` at each threshold, whatever the kind of outcome.

    Parameters
    ----------
    who : str
    acting : Acting
        From :func:`onclair.validate.acting.acting_on` (a cohort; or cases and controls with a prevalence) or
        :func:`onclair.validate.acting.acting_in_time` (survival, competing risks).
    thresholds : sequence of float, each in (0, 1)
        Those declared beforehand; ``risk >= threshold`` is flagged.

    Returns
    -------
    list of Estimate
        First-order errors, clustered by patient. 0 by definition where nobody is flagged; ``not_available`` where those flagged
        are not followed as far as the horizon.

    Raises
    ------
    BadSetting
        For a threshold outside (0, 1).

    References
    ----------
    Vickers & Elkin 2006, doi:10.1177/0272989X06295361; in time: Vickers et al. 2008, doi:10.1186/1472-6947-8-53; competing risks:
    van Geloven et al. 2022, doi:10.1136/bmj-2021-069249.

    Examples
    --------
    Both are flagged, of whom half have the event by 3, at odds of 1/4: 1/2 - 1/2 * 1/4.

    >>> from onclair.validate.acting import acting_in_time
    >>> from onclair.validate.followed import followed_risks
    >>> benefits("model", acting_in_time(followed_risks([1.0, 4.0], [1, 0], [0.9, 0.3]), 3.0), [0.2])[0].value
    0.375
    """
    return _stated(acting, [_benefit(f"nb:{who}@{t:g}", acting, acting.flagged(t), t) for t in checked_thresholds(thresholds)])


def benefits_of_all_or_none(acting: Acting, thresholds: Sequence[float]) -> list[Estimate]:
    """Return the net benefits ``nb:all@T`` and ``nb:none@T`` of treating everyone and no one.

    Parameters
    ----------
    acting, thresholds
        As :func:`benefits`; the risks play no part.

    Raises
    ------
    BadSetting
        For a threshold outside (0, 1).

    Examples
    --------
    Cases make up a fifth of those they were sampled from, and the threshold is a fifth: treating all is worth nothing.

    >>> from onclair.validate.acting import acting_on
    >>> [e.value for e in benefits_of_all_or_none(acting_on([0, 1], [0.1, 0.2], prevalence=0.2), [0.2])]
    [0.0, 0.0]
    """
    everyone, nothing = np.ones(acting.rows.size), np.zeros(acting.rows.size)
    found = [_benefit(f"nb:all@{t:g}", acting, everyone, t) for t in checked_thresholds(thresholds)]
    found += [_Figure(f"nb:none@{t:g}", 0.0, nothing, "no one is treated: 0 by definition") for t in thresholds]
    return _stated(acting, found)


def benefit_differences(names: tuple[str, str], acting: tuple[Acting, Acting], thresholds: Sequence[float]) -> list[Estimate]:
    """Return the paired differences of net benefit ``nb:A-minus-B@T`` on the same rows.

    Parameters
    ----------
    names : (str, str)
        A and B.
    acting : (Acting, Acting)
        Of the same rows in the same order.
    thresholds : sequence of float, each in (0, 1)

    Returns
    -------
    list of Estimate
        ``not_available`` where one of the two is.

    Raises
    ------
    BadSetting
        For a threshold outside (0, 1).

    Examples
    --------
    A flags the one with the event, B the other too, at odds of 1: 1/2 - 0.

    >>> from onclair.validate.acting import acting_on
    >>> benefit_differences(("a", "b"), (acting_on([0, 1], [0.1, 0.9]), acting_on([0, 1], [0.6, 0.9])), [0.5])[0].value
    0.5
    """
    a, b = acting
    method = f"paired difference of {a.how}; Wald interval"
    found = []
    for t in checked_thresholds(thresholds):
        ours, theirs = (one.gain(one.flagged(t), _odds(t)) for one in (a, b))
        moved = ours.contributions - theirs.contributions
        reason = ours.reason or theirs.reason
        found.append(_Figure(f"nb:{names[0]}-minus-{names[1]}@{t:g}", ours.value - theirs.value, moved, method, reason))
    return _stated(a, found)


def standardised_benefits(who: str, acting: Acting, thresholds: Sequence[float]) -> list[Estimate]:
    """Return the standardised net benefit ``snb:WHO@T``: as a share of that of treating just those who will have the event.

    Parameters
    ----------
    who, acting, thresholds
        As :func:`benefits`.

    Returns
    -------
    list of Estimate
        1 is the most there can be, where the interval is cut; the error is that of the ratio. ``not_available`` without an event.

    Raises
    ------
    BadSetting
        For a threshold outside (0, 1).

    References
    ----------
    Kerr et al. 2016, doi:10.1200/JCO.2015.65.5654.

    Examples
    --------
    A quarter of net benefit where half have the event:

    >>> from onclair.validate.acting import acting_on
    >>> standardised_benefits("model", acting_on([1, 0, 0, 1], [0.9, 0.1, 0.1, 0.2]), [0.5])[0].value
    0.5
    """
    most = _most(acting)
    method = f"{acting.how}, over the share of events; first-order error of the ratio, Wald interval"
    found = []
    for t in checked_thresholds(thresholds):
        gain = acting.gain(acting.flagged(t), _odds(t))
        reason = gain.reason or most.reason
        value = gain.value / most.value if reason is None else float("nan")
        moved = (gain.contributions - value * most.contributions) / (most.value if reason is None else 1.0)
        found.append(_Figure(f"snb:{who}@{t:g}", value, moved, method, reason))
    return [cut(e, -np.inf, 1.0) for e in _stated(acting, found)]


def interventions_avoided(who: str, acting: Acting, thresholds: Sequence[float]) -> list[Estimate]:
    """Return ``avoided:WHO@T``: interventions avoided per 100 patients against treating all, no event being missed for it.

    ``100 (NB - NB of treating all) (1 - t) / t``; below 0 the claim does worse than treating all.

    Parameters
    ----------
    who, acting, thresholds
        As :func:`benefits`.

    Returns
    -------
    list of Estimate

    Raises
    ------
    BadSetting
        For a threshold outside (0, 1).

    References
    ----------
    Vickers et al. 2008, doi:10.1186/1472-6947-8-53.

    Examples
    --------
    Of four, the two without the event are spared:

    >>> from onclair.validate.acting import acting_on
    >>> interventions_avoided("model", acting_on([1, 0, 0, 1], [0.9, 0.1, 0.1, 0.8]), [0.5])[0].value
    50.0
    """
    everyone = np.ones(acting.rows.size)
    method = f"100 (net benefit - that of treating all) / odds; {acting.how}; Wald interval"
    found = []
    for t in checked_thresholds(thresholds):
        odds = _odds(t)
        flagged = acting.flagged(t)
        gain, all_of_them = acting.gain(flagged, odds), acting.gain(everyone, odds)
        moved = 100 / odds * (gain.contributions - all_of_them.contributions)
        value = 100 / odds * (gain.value - all_of_them.value)
        said = f"everyone is flagged: 0 by definition; {method}" if flagged.min() == 1 else method
        found.append(_Figure(f"avoided:{who}@{t:g}", value, moved, said, gain.reason or all_of_them.reason, "per 100 patients"))
    return _stated(acting, found)


def checked_thresholds(thresholds: Sequence[float]) -> tuple[float, ...]:
    """Return the thresholds as they are.

    Raises
    ------
    BadSetting
        For one outside (0, 1).

    Examples
    --------
    >>> checked_thresholds([20])
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadSetting: The threshold 20 is not a probability between 0 and 1; correct it (20 percent is 0.2).
    """
    for t in thresholds:
        if not 0 < t < 1:
            raise BadSetting(f"The threshold {t} is not a probability between 0 and 1; correct it (20 percent is 0.2).", item=str(t))
    return tuple(thresholds)


def _odds(threshold: float) -> float:
    return threshold / (1 - threshold)


def _benefit(name: str, acting: Acting, flagged: Floats, threshold: float) -> _Figure:
    gain = acting.gain(flagged, _odds(threshold))
    nobody = "" if flagged.any() else "nobody is flagged: 0 by definition; "
    return _Figure(name, gain.value, gain.contributions, f"{nobody}{acting.how}; Wald interval", gain.reason)


def _most(acting: Acting) -> Gain:
    """Return the share of events, which is the net benefit of treating all at no cost; a reason where it is 0."""
    most = acting.gain(np.ones(acting.rows.size), 0.0)
    return most if most.reason or most.value > 0 else most._replace(reason="there is no event")


def _stated(acting: Acting, figures: Sequence[_Figure]) -> list[Estimate]:
    """Return the figures as estimates."""
    rows, events, found = acting.rows, acting.events, []
    for name, value, contributions, method, reason, unit in figures:
        known = rows.estimate(name, value, rows.error(contributions), method) if reason is None else rows.missing(name, reason)
        found.append(replace(known, events=events, unit=unit, level=rows.level))
    return found
