"""The error tree. Every error is one sentence: what, which item, what was found, what was expected, what to do next.

::

    OnclairError              anything that a person can act on; exit code 2
    ├── BadInput              what was handed in cannot be used
    │   ├── BadSetting        an unknown or impossible setting
    │   ├── BadTable          a CSV, TSV or sheet
    │   ├── BadCohort         a cohort folder, as a whole
    │   ├── BadCase           one patient's files (the only one that --skip-bad may pass over)
    │   │   └── BadGeometry   an affine, or two grids that differ
    │   └── BadModelFile      a model that is damaged, foreign or executable
    ├── NoRoom                an output folder that cannot be written: unwritable, full, in use
    ├── NotReachable          a download, peer or service that does not answer
    └── CheckFailed           a verification that found something; exit code 1
"""

from __future__ import annotations


class OnclairError(Exception):
    """Anything that a person can act on; ``str(error)`` is one sentence.

    Parameters
    ----------
    sentence : str
        What happened, to which item, what was found, what was expected and what to do next.
    item : str, optional
        The patient, file, column or setting concerned, for machines.
    """

    exit_code = 2

    def __init__(self, sentence: str, *, item: str | None = None) -> None:
        super().__init__(sentence)
        self.item = item

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Cross a process boundary with the item kept."""
        return _rebuild, (type(self), str(self), self.item)


def _rebuild(kind: type[OnclairError], sentence: str, item: str | None) -> OnclairError:
    return kind(sentence, item=item)


class BadInput(OnclairError):
    """What was handed in cannot be used."""


class BadSetting(BadInput):
    """An unknown or impossible setting."""


class BadTable(BadInput):
    """A CSV, TSV or sheet that cannot be read as it stands."""


class BadCohort(BadInput):
    """A cohort folder that is inconsistent as a whole."""


class BadCase(BadInput):
    """One patient's files cannot be used; with ``--skip-bad`` the others go on."""


class BadGeometry(BadCase):
    """An affine that is not one, or two grids that differ."""


class BadModelFile(BadInput):
    """A model file that is damaged, foreign or executable; it was not opened."""


class NoRoom(OnclairError):
    """An output folder that cannot be written."""


class NotReachable(OnclairError):
    """A download, peer or service that does not answer."""


class CheckFailed(OnclairError):
    """A verification that found something."""

    exit_code = 1
