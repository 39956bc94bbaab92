"""All sites in one process: the driver of tests, of comparisons, and of a cohort that lies in one place already."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from onclair.core.errors import BadInput
from onclair.core.seeds import rng_for
from onclair.federate.programs import program_of
from onclair.federate.rounds import Answers
from onclair.federate.values import Ask, SiteData, Update, update_from


class Guard(Protocol):
    """What stands between a program and a site's rows."""

    def before(self, program: str, site: SiteData, what: Ask) -> str | None:
        """Return why the program may not run here; None when it may."""
        ...

    def after(self, program: str, site: SiteData, what: Ask, update: Update) -> str | None:
        """Return why the update may not leave; None when it may."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """Sites in this process, or in a pool of processes.

    Attributes
    ----------
    data : mapping of str to SiteData
        By name.
    seed : int
        Of every random number at a site; equal seed, round and site, equal numbers.
    guards : mapping of str to Guard
        The gate of each site; a site without one lets everything pass.
    map : callable
        ``(function, items) -> results in order``; the built-in one by default.

    Raises
    ------
    BadInput
        For a site whose name is not that of its data.
    """

    data: Mapping[str, SiteData]
    seed: int = 0
    guards: Mapping[str, Guard] = field(default_factory=dict)
    map: Callable[..., Iterable[Any]] = map

    def __post_init__(self) -> None:
        for name, site in self.data.items():
            if site.name != name:
                raise BadInput(f"The site '{name}' holds the data of '{site.name}'; two sites may not share a name.", item=name)

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites, in order of name."""
        return tuple(sorted(self.data))

    def ask(self, what: Ask, number: int) -> Answers:
        """Run one program at the sites."""
        start = time.monotonic()
        names = [name for name in self.sites if what.sites is None or name in what.sites]
        refused = {name: reason for name in names if (reason := self._before(name, what)) is not None}
        tasks = [(what, self.data[name], self.seed, number) for name in names if name not in refused]
        found = dict(zip((task[1].name for task in tasks), self.map(answered, tasks), strict=True))
        updates = {}
        for name, data in found.items():
            update = update_from(data)
            reason = self.guards[name].after(what.program, self.data[name], what, update) if name in self.guards else None
            if reason is None:
                updates[name] = update
            else:
                refused[name] = reason
        return Answers(updates, refused, (), time.monotonic() - start)

    def _before(self, name: str, what: Ask) -> str | None:
        return self.guards[name].before(what.program, self.data[name], what) if name in self.guards else None


def answered(task: tuple[Ask, SiteData, int, int]) -> bytes:
    """Return the bytes of one site's update: what any driver runs at a site.

    Parameters
    ----------
    task : (Ask, SiteData, int, int)
        The order, the site's rows, the seed and the number of the round.
    """
    what, site, seed, number = task
    rng = rng_for(seed, "site", site.name, what.program, number)
    return program_of(what.program).run(what.state, site, what.settings, rng).to_bytes()
