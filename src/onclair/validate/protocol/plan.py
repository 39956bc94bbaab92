"""What a prospective protocol was told before its first patient: `onclair-protocol/1`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.core.settings import Settings, setting
from onclair.io.files import toml_fault

FORMAT = "onclair-protocol/1"


class ProtocolColumns(Settings):
    """The table ``[columns]``: which column of the user's tables holds what."""

    case: str = setting("", "column of the case's pseudonym, never a name", "colonne du pseudonyme du cas, jamais un nom")
    truth: str = setting("", "column of the outcome, 0 or 1", "colonne du critère, 0 ou 1")


class LooksPlan(Settings):
    """The table ``[looks]``: when the outcomes may be looked at, and what is tested then."""

    figure: Literal["auc", "o_e"] = setting("auc", "figure that is tested", "grandeur testée")
    null: float = setting(..., "value of the figure that is to be rejected", "valeur à rejeter", gt=0)
    alpha: float = setting(0.05, "two-sided error of all looks together", "erreur bilatérale de toutes les analyses", gt=0, lt=1)
    spending: Literal["obrien-fleming", "pocock", "lan-demets-obf", "lan-demets-pocock"] = setting(
        "lan-demets-obf", "how alpha is spent over the looks", "répartition de alpha entre les analyses"
    )
    information: Literal["events"] = setting("events", "what the looks are counted in", "unité des analyses")
    planned: tuple[int, ...] = setting(..., "events at which to look, rising", "nombres d'événements des analyses, croissants")

    def next_due(self, earlier: Sequence[int]) -> int | None:
        """Return the events at which the next look is due, or None when none is left.

        A look that came late, at more events than one planned look after it, stands for those too.

        Parameters
        ----------
        earlier : sequence of int
            Events at the looks taken so far.

        Examples
        --------
        >>> plan = LooksPlan(null=0.7, planned=(20, 40, 60))
        >>> plan.next_due([]), plan.next_due([23]), plan.next_due([45]), plan.next_due([23, 40, 61])
        (20, 40, 60, None)
        """
        reached = earlier[-1] if earlier else 0
        return next((events for events in self.planned if events > reached), None)


class DriftPlan(Settings):
    """The table ``[drift]``: when a shift of the patients is told."""

    psi_alert: float = setting(0.25, "PSI of an input from which it is told", "PSI d'une variable à partir duquel il est signalé", gt=0)
    cusum_limit: float | None = setting(
        None, "observed minus expected events, either way, from which it is told", "écart observés - attendus signalé", gt=0, unit="events"
    )
    first: int = setting(
        100, "first cases that stand for the reference where none was locked", "premiers cas servant de référence, à défaut", ge=20
    )
    seed: int = setting(1, "seed of the permutations behind MMD", "graine des permutations de la MMD", ge=0)


class ProtocolPlan(Settings):
    """A whole plan; :func:`read_protocol_plan` makes one."""

    format: Literal["onclair-protocol/1"] = setting(FORMAT, "the layout's version", "version du format")
    title: str = setting("", "of the trial", "de l'essai")
    columns: ProtocolColumns = ProtocolColumns()
    looks: LooksPlan | None = None
    drift: DriftPlan = DriftPlan()


def read_protocol_plan(data: bytes, *, source: str = "the plan") -> ProtocolPlan:
    """Return the plan in the bytes of a TOML file.

    Parameters
    ----------
    data : bytes
        ``format``, optional ``title``; the tables ``columns`` (``case truth``), ``looks`` (``figure null alpha spending information
        planned``; left out where no look is planned) and ``drift`` (``psi_alert cusum_limit first seed``).
    source : str
        What sentences call it.

    Raises
    ------
    BadSetting
        For text that is no TOML, another format, an unknown key (the nearest is named), a missing or impossible value.

    Examples
    --------
    >>> plan = read_protocol_plan(b'''
    ... format = "onclair-protocol/1"
    ... columns = {case = "id", truth = "died"}
    ... looks = {figure = "auc", null = 0.7, planned = [20, 40, 60]}
    ... ''')
    >>> plan.looks.planned, plan.looks.spending, plan.drift.psi_alert
    ((20, 40, 60), 'lan-demets-obf', 0.25)
    """
    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        said = f'The protocol {source} is not TOML ({toml_fault(error)}); write lines such as case = "id".'
        raise BadSetting(said, item=source) from None
    if document.get("format") != FORMAT:
        found = f"the format '{document['format']}'" if "format" in document else "no format"
        raise BadSetting(f'The protocol {source} has {found}; write format = "{FORMAT}" in its first line.', item="format")
    for key in document:
        if key not in ProtocolPlan.model_fields:
            raise BadSetting(
                f"The protocol {source} holds an unknown key '{key}'; {did_you_mean(key, ProtocolPlan.model_fields)}", item=key
            )
    parts: dict[str, Any] = {
        "columns": _columns(_table(document, "columns", source)),
        "looks": _looks(_table(document, "looks", source)) if "looks" in document else None,
        "drift": DriftPlan.read(_table(document, "drift", source), source="[drift] of the plan"),
    }
    return ProtocolPlan.read({"title": document.get("title")}, parts, source=source)


def _columns(table: Mapping[str, Any]) -> ProtocolColumns:
    columns = ProtocolColumns.read(table, source="[columns] of the plan")
    for name in ("case", "truth"):
        if not getattr(columns, name):
            raise BadSetting(f'[columns] of the plan does not name the column of the {name}; add {name} = "...".', item=name)
    if columns.case == columns.truth:
        raise BadSetting(f"[columns] of the plan names '{columns.case}' for both case and truth; they are two columns.", item="truth")
    return columns


def _looks(table: Mapping[str, Any]) -> LooksPlan:
    for name in ("null", "planned"):
        if name not in table:
            raise BadSetting(
                f"[looks] of the plan has no '{name}'; add it, or leave out the whole table where no look is planned.", item=name
            )
    looks = LooksPlan.read(table, source="[looks] of the plan")
    steps = [(a, b) for a, b in zip((0, *looks.planned), looks.planned, strict=False) if b <= a]
    if steps or not looks.planned:
        said = f"[looks] of the plan has planned = {list(looks.planned)}; give events that rise, such as [20, 40, 60]."
        raise BadSetting(said, item="planned")
    if looks.figure == "auc" and looks.null >= 1:
        raise BadSetting(f"[looks] of the plan has null = {looks.null:g} for the AUC; it must lie below 1, such as 0.7.", item="null")
    return looks


def _table(document: Mapping[str, Any], name: str, source: str) -> Mapping[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, Mapping):
        raise BadSetting(f"In {source}, '{name}' is no table; head it with [{name}].", item=name)
    return table
