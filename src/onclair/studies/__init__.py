"""The studies: one record each, in one file each. A new study is one new file and one line here.

Third parties attach theirs by an entry point of the group ``onclair.studies``: name = ``package.module:study``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points

from onclair.core.errors import BadInput
from onclair.core.names import did_you_mean
from onclair.core.study import Study

BUILT_IN: Mapping[str, str] = {
    "radiomics": "onclair.studies.radiomics:study",
    "spectra": "onclair.studies.spectra:study",
    "table": "onclair.studies.table:study",
    "bone": "onclair.studies.bone:study",
}


def names() -> tuple[str, ...]:
    """Return the names of all studies, built in and attached, without importing any.

    Examples
    --------
    >>> "radiomics" in names()
    True
    """
    return tuple(dict.fromkeys([*BUILT_IN, *(point.name for point in entry_points(group="onclair.studies"))]))


def load(name: str) -> Study:
    """Return one study's record.

    Raises
    ------
    BadInput
        For an unknown name (the nearest known one is quoted), or an attached module that holds no study.

    Examples
    --------
    >>> load("radiomics").name
    'radiomics'
    """
    places = {**{point.name: point.value for point in entry_points(group="onclair.studies")}, **BUILT_IN}
    if name not in places:
        raise BadInput(f"There is no study '{name}'; {did_you_mean(name, places)}", item=name)
    module, _, attribute = places[name].partition(":")
    study = getattr(import_module(module), attribute or "study", None)
    if not isinstance(study, Study):
        raise BadInput(
            f"The study '{name}' is not a record of onclair.core.study.Study in {places[name]}; correct its entry point.", item=name
        )
    return study
