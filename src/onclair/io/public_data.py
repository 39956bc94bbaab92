"""What the registry says of public data: a file of it, and a set of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a data set: where it lies, what it must be, and what it is called here.

    Attributes
    ----------
    url : str
        Pinned to a commit, or in an archive that publishes one state.
    sha256 : str
    size : int
        Bytes.
    path : str
        Within the cohort's folder.
    mirror : str
        Within a mirror's folder.
    """

    url: str
    sha256: str
    size: int
    path: str
    mirror: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """One entry of the registry.

    Attributes
    ----------
    name, title, licence, citation, source : str
    layout : str
        The function of :mod:`onclair.io.public_layouts` that makes a cohort of the files.
    files : tuple of RemoteFile
    facts : mapping
        What no file says, such as outcomes known from a publication.

    Examples
    --------
    >>> pair = tuple(RemoteFile(f"https://example.org/{n}", "", 10, n, n) for n in "ab")
    >>> Dataset("demo", "Two files", "CC0", "", "", "images", pair).size
    20
    """

    name: str
    title: str
    licence: str
    citation: str
    source: str
    layout: str
    files: tuple[RemoteFile, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)
