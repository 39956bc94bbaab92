"""What passes between hospitals and the coordinator: a site's data, a state, an update, a program; all plain, none executable.

States and updates are named arrays and named numbers, so that they travel as NPZ without pickle and their hash does not depend on
who wrote them.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from onclair.core.canonical import canonical_json, sha256_of
from onclair.core.errors import BadInput
from onclair.core.words import Words

Floats = npt.NDArray[np.float64]
Arrays = Mapping[str, npt.NDArray[Any]]
#: The member of an NPZ that holds the numbers, as canonical JSON.
_NUMBERS = "numbers.json"


@dataclass(frozen=True, slots=True, eq=False)
class SiteData:
    """What one hospital's programs see: its described rows, never its files.

    Attributes
    ----------
    name : str
    columns : tuple of str
        Of `features`.
    features : ndarray, float64, shape (rows, columns)
        As described at the site; NaN where missing.
    truth : ndarray, float64, shape (rows,)
        The outcome; the event indicator where there is a time.
    patients : tuple of str
        The patient of each row: clusters, never sent.
    time : ndarray, float64, shape (rows,), or None
        Follow-up, for survival.
    groups : mapping of str to ndarray of str, shape (rows,)
        Further columns by name: subgroups, a benchmark's own split, batches.
    arrays : mapping of str to ndarray, shape (rows, ...)
        What networks look at, where a study has such.
    units : mapping of str to str

    Raises
    ------
    BadInput
        When rows, names or shapes do not fit each other.

    Examples
    --------
    >>> one = SiteData("A", ("age",), np.array([[50.0], [60.0]]), np.array([0.0, 1.0]), ("P1", "P2"))
    >>> one.rows, one.events
    (2, 1)
    """

    name: str
    columns: tuple[str, ...]
    features: Floats
    truth: Floats
    patients: tuple[str, ...]
    time: Floats | None = None
    groups: Mapping[str, npt.NDArray[np.str_]] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = len(self.truth)
        if self.features.shape != (rows, len(self.columns)):
            raise BadInput(
                f"The site {self.name} has features of shape {self.features.shape} for {rows} rows and {len(self.columns)} columns.",
                item=self.name,
            )
        each = {"patients": self.patients, **({} if self.time is None else {"time": self.time}), **self.groups, **self.arrays}
        for what, values in each.items():
            if len(values) != rows:
                raise BadInput(f"The site {self.name} has {len(values)} of '{what}' for {rows} rows.", item=self.name)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.truth)

    @property
    def events(self) -> int:
        """How many rows have the event."""
        return int(np.nansum(self.truth > 0))

    def only(self, keep: npt.NDArray[np.bool_]) -> SiteData:
        """Return the site with some of its rows."""
        chosen = np.flatnonzero(keep)
        return replace(
            self,
            features=self.features[chosen],
            truth=self.truth[chosen],
            patients=tuple(self.patients[i] for i in chosen),
            time=None if self.time is None else self.time[chosen],
            groups={name: values[chosen] for name, values in self.groups.items()},
            arrays={name: values[chosen] for name, values in self.arrays.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What the coordinator knows, and what it sends to the sites.

    Attributes
    ----------
    arrays : mapping of str to ndarray
    numbers : mapping of str to plain JSON values
    round : int
        Rounds finished.

    Examples
    --------
    >>> one = State({"w": np.zeros(2)}, {"loss": 0.5}, 3)
    >>> again = state_from(one.to_bytes())
    >>> again.round, again.sha256 == one.sha256
    (3, True)
    """

    arrays: Arrays = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)
    round: int = 0

    def to_bytes(self) -> bytes:
        """Return the state as NPZ; equal states, equal bytes."""
        return packed(self.arrays, {"numbers": dict(self.numbers), "round": self.round})

    @property
    def sha256(self) -> str:
        """The hash of names, shapes, types and values."""
        return content_sha256(self.arrays, {"numbers": dict(self.numbers), "round": self.round})


def state_from(data: bytes) -> State:
    """Return the state that :meth:`State.to_bytes` wrote.

    Raises
    ------
    BadInput
        For bytes that are no state: cut short, executable, or of another kind.
    """
    arrays, document = unpacked(data)
    if set(document) != {"numbers", "round"}:
        raise BadInput("The file is no state of a federation: its numbers have other names; start again, or give the right file.")
    return State(arrays, document["numbers"], int(document["round"]))


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """What leaves a site after one program.

    Attributes
    ----------
    arrays : mapping of str to ndarray, numeric
    sums : mapping of str to float
        Numbers that are added over sites.
    n : int
        Rows that took part.
    metrics : mapping of str to float
        For the report; never aggregated into a model.
    """

    arrays: Arrays = field(default_factory=dict)
    sums: Mapping[str, float] = field(default_factory=dict)
    n: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the update as NPZ; equal updates, equal bytes."""
        return packed(self.arrays, {"sums": dict(self.sums), "n": self.n, "metrics": dict(self.metrics)})


def update_from(data: bytes) -> Update:
    """Return the update that :meth:`Update.to_bytes` wrote.

    Raises
    ------
    BadInput
        For bytes that are no update.
    """
    arrays, document = unpacked(data)
    if set(document) != {"sums", "n", "metrics"}:
        raise BadInput("The bytes are no update of a site: their numbers have other names.")
    return Update(arrays, document["sums"], int(document["n"]), document["metrics"])


@dataclass(frozen=True, slots=True)
class Leaf:
    """One array that a program lets out.

    Attributes
    ----------
    name : str
    shape : tuple of int
    dtype, unit : str
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "float64"
    unit: str = ""

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return int(np.prod(self.shape, dtype=np.int64))


class Run(Protocol):
    """What a site program does."""

    def __call__(self, state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
        """Return the site's update; nothing is read but `site`, nothing written."""
        ...


@dataclass(frozen=True, slots=True)
class Program:
    """A pure function that runs at a site, and what a steward must know of it.

    Attributes
    ----------
    name : str
    purpose : Words
        In plain words.
    run : callable
        ``(state, site, settings, rng) -> Update``.
    leaves : callable
        ``(state, settings) -> tuple of Leaf``: every array that may leave, with its shape.
    leakage : Words
        What a reader of these numbers could learn about patients.
    sums : tuple of str
        Names of the sums that may leave.
    metrics : tuple of str
        Names of the metrics that may leave.
    """

    name: str
    purpose: Words
    run: Run
    leaves: Callable[[State, Mapping[str, Any]], tuple[Leaf, ...]]
    leakage: Words
    sums: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """What the coordinator wants done next: one program, at some sites.

    Attributes
    ----------
    program : str
    state : State
        What is sent.
    settings : mapping
        Plain JSON values.
    sites : tuple of str or None
        None asks every site.
    """

    program: str
    state: State
    settings: Mapping[str, Any] = field(default_factory=dict)
    sites: tuple[str, ...] | None = None


class Coordinator(Protocol):
    """Pure: what it does follows from its own settings and the state alone."""

    @property
    def name(self) -> str:
        """What settings and reports call it."""
        ...

    def begin(self, sites: Sequence[str]) -> State:
        """Return the first state."""
        ...

    def plan(self, state: State) -> Ask | None:
        """Return what to do next; None when it is finished."""
        ...

    def aggregate(self, state: State, updates: Mapping[str, Update]) -> State:
        """Return the next state from the updates, taken in order of site name."""
        ...


def packed(arrays: Arrays, document: Mapping[str, Any]) -> bytes:
    """Return arrays and a document as an uncompressed NPZ without a clock; names sorted, so equal content gives equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_NUMBERS), canonical_json(document))
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return out.getvalue()


def unpacked(data: bytes) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Return what :func:`packed` wrote.

    Raises
    ------
    BadInput
        For bytes that are damaged, or hold objects.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            document = json.loads(archive.read(_NUMBERS))
            names = [name for name in archive.namelist() if name != _NUMBERS]
            arrays = {
                name.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False) for name in names
            }
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, OSError, EOFError, RuntimeError) as error:  # NotImplementedError too
        raise BadInput(f"The bytes are no state or update of a federation ({error}); they are damaged or of another kind.") from error
    return arrays, document


def content_sha256(arrays: Arrays, document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of named arrays (name, shape, type, values) and a document."""
    described = [
        [name, list(arrays[name].shape), arrays[name].dtype.str, hashlib.sha256(np.ascontiguousarray(arrays[name]).tobytes()).hexdigest()]
        for name in sorted(arrays)
    ]
    return sha256_of([described, document])
