"""`onclair spectra daily`: the daily standard entered into a log that cannot be edited, and the charts that tell drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.errors import BadCase, BadInput
from onclair.core.values import Spectrum
from onclair.io.chainlog import ChainLog, Entry, read, transact
from onclair.io.spectra.calibration import Calibration, axis_of, read_calibration, why_unfit
from onclair.run.plain_values import plain
from onclair.science.spectra.drift import ALLOWANCE, LIMIT, STANDARD_NM, Chart, cusum, daily_standard, standardised
from onclair.science.spectra.record import saturated
from onclair.science.spectra.wavelengths import with_correction
from onclair.studies.tasks.spectra_taken import Taken, taken

FORMAT = "onclair-daily/1"
#: Days in control that the charts are drawn against, where nobody says.
REFERENCE_DAYS = 20
#: Pixels this near to the peak may not be full.
_NEAR_NM = 20.0
#: The figures of a standard, and their units.
FIGURES = {"peak_nm": "nm", "gain": "counts/ms", "dark": "counts"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the log.

    Attributes
    ----------
    log : Path
        The file; begun with the first day.
    measured : Path or None
        Today's standard: a session's folder, a table with `about`, or an instrument's file; None to look at the charts alone.
    about : Path or None
    calibration : Path or None
        Of the spectrometer; its wavelengths are corrected before the peak is sought.
    by, note : str
    restart : bool
        Begin the sums anew: whatever the alarm found was put right.
    reference_days : int or None
        How many first days are the reference; locked with the first one.
    peak_nm : float or None
        Where the standard peaks; locked with the first day.
    """

    log: Path
    measured: Path | None = None
    about: Path | None = None
    calibration: Path | None = None
    by: str = ""
    note: str = ""
    restart: bool = False
    reference_days: int | None = None
    peak_nm: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Daily:
    """The log as it stands.

    Attributes
    ----------
    days : tuple of mapping
        In the order of time.
    charted : mapping of str to Chart
        Of the days since the last restart; empty while the reference is not whole.
    reference : int
        Days that the reference takes.
    entered : mapping or None
        Today's row, where one was entered.
    since : int
        Days before the last restart.
    warnings : tuple of mapping
        ``code text`` of a figure that cannot be charted.
    """

    log: Path
    days: tuple[Mapping[str, Any], ...]
    charted: Mapping[str, Chart]
    reference: int
    head: str
    entered: Mapping[str, Any] | None = None
    since: int = 0
    warnings: tuple[Mapping[str, str], ...] = ()

    @property
    def alarms(self) -> dict[str, list[int]]:
        """Days (from 1) at which each chart alarmed since the last restart."""
        return {name: [self.since + 1 + place for place in chart.alarms] for name, chart in self.charted.items() if chart.alarms}

    @property
    def status(self) -> str:
        """``reference`` while it is gathered, ``in_control`` or ``alarm``."""
        return "reference" if len(self.days) < self.reference else "alarm" if self.alarms else "in_control"

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        drawn = {name: {"up": list(c.up), "down": list(c.down), "limit": c.limit} for name, c in self.charted.items()}
        told = {"log": str(self.log), "status": self.status, "days": len(self.days), "reference_days": self.reference, "head": self.head}
        return {
            "estimates": [],
            **told,
            "alarms": self.alarms,
            "charts": drawn,
            "entered": None if self.entered is None else dict(self.entered),
            "rule": {"allowance": ALLOWANCE, "limit": LIMIT},
            "warnings": [dict(each) for each in self.warnings],
        }


@dataclass(frozen=True, slots=True)
class _Log:
    """What the rows of a log add up to."""

    plan: Mapping[str, Any]
    days: tuple[Mapping[str, Any], ...] = ()
    since: int = 0


def daily(asked: Asked, now: datetime | None = None) -> Daily:
    """Enter a standard where one is given, and return the charts.

    Parameters
    ----------
    asked : Asked
    now : datetime, optional
        With its time zone.

    Raises
    ------
    BadInput
        For a standard of another spectrometer than the log's, other settings of the log than were locked with its first day, a restart
        without a name or reason, or a log that was not begun.
    BadCase
        When the standard is saturated or shows no peak near its place.
    CheckFailed
        When the log was edited, cut or reordered: nothing is added to it.
    """
    log = ChainLog(asked.log, head_name=f"{asked.log.name}.head")
    peak = _held(read(log).entries).plan["peak_nm"] if asked.log.exists() and asked.log.stat().st_size else asked.peak_nm
    row = None if asked.measured is None else _standard(asked, STANDARD_NM if peak is None else float(peak))
    if row is None and not (asked.log.exists() or log.head_path.exists()):
        raise BadInput(f"The log {asked.log} was not begun; give the first day's standard after it.", item=str(asked.log))
    if asked.restart and not (asked.by.strip() and asked.note.strip()):
        raise BadInput("A restart says who put right what; give --by and --note. Nothing was logged.", item="restart")

    def _records(entries: Sequence[Entry]) -> list[Mapping[str, Any]]:
        return _rows(asked, row, entries)

    if row is not None or asked.restart:
        transact(log, _records, now=now)
    chain = read(log)
    held = _held(chain.entries)
    entered = held.days[-1] if row is not None else None
    drawn, untold = _charted(held)
    return Daily(asked.log, held.days, drawn, int(held.plan["reference_days"]), chain.head, entered, held.since, tuple(untold))


def _rows(asked: Asked, row: Mapping[str, Any] | None, entries: Sequence[Entry]) -> list[Mapping[str, Any]]:
    """Return what is to be logged: the plan with the first day, a restart, the day."""
    rows: list[Mapping[str, Any]] = []
    if not entries:
        if row is None:
            raise BadInput(f"The log {asked.log} holds nothing; give the first day's standard.", item=str(asked.log))
        days = REFERENCE_DAYS if asked.reference_days is None else asked.reference_days
        known = {"reference_days": days, "peak_nm": STANDARD_NM if asked.peak_nm is None else asked.peak_nm, "serial": row["serial"]}
        rows.append({"kind": "plan", "format": FORMAT, **known})
    else:
        _agreeing(asked, row, _held(entries))
    who = {"by": asked.by.strip(), "note": asked.note.strip()}
    if asked.restart:
        rows.append({"kind": "restart", **who})
    if row is not None:
        rows.append({"kind": "day", **row, **who})
    return rows


def _agreeing(asked: Asked, row: Mapping[str, Any] | None, held: _Log) -> None:
    """Refuse other settings of the log than those that were locked with its first day, and a day that does not belong to it."""
    for name in ("reference_days", "peak_nm"):
        given = getattr(asked, name)
        if given is not None and given != held.plan[name]:
            said = f"The log {asked.log} was begun with {name} = {held.plan[name]:g}, not {given:g}"
            raise BadInput(f"{said}; begin another log to change it.", item=name)
    if row is None:
        return
    if None not in (held.plan["serial"], row["serial"]) and held.plan["serial"] != row["serial"]:
        said = f"The log {asked.log} is of the spectrometer '{held.plan['serial']}', and {row['file']} of '{row['serial']}'"
        raise BadInput(f"{said}; nothing was logged: give each a log of its own.", item="serial")
    if again := next((number for number, day in enumerate(held.days, 1) if day["sha256"] == row["sha256"]), None):
        raise BadInput(f"{row['file']} was entered before, as day {again}; nothing was logged: measure the standard anew.", item="sha256")
    if held.days and held.days[0]["integration_ms"] != row["integration_ms"]:
        times = f"{row['integration_ms']:g} ms, and the first day's in {held.days[0]['integration_ms']:g} ms"
        said = f"The standard was measured in {times}; nothing was logged"
        raise BadInput(f"{said}: measure it with the same settings.", item="integration_ms")


def _held(entries: Sequence[Entry]) -> _Log:
    plan = entries[0].fields if entries else {}
    if plan.get("kind") != "plan" or plan.get("format") != FORMAT:
        raise BadInput(f"The log is none of daily standards (format '{FORMAT}'); give another file.", item="format")
    days: list[Mapping[str, Any]] = []
    since = 0
    for entry in entries[1:]:
        if entry.fields["kind"] == "restart":
            since = len(days)
        else:
            days.append(entry.fields)
    return _Log(plan, tuple(days), since)


def _charted(held: _Log) -> tuple[dict[str, Chart], list[Mapping[str, str]]]:
    """Return the charts of the days since the last restart, and which figure has none; nothing while the reference is not whole."""
    reference = int(held.plan["reference_days"])
    drawn: dict[str, Chart] = {}
    untold: list[Mapping[str, str]] = []
    for name in FIGURES if len(held.days) >= reference else ():
        values = [float(day[name]) for day in held.days]
        try:
            drawn[name] = cusum(standardised(values[held.since :], values[:reference]))
        except BadInput as error:
            untold.append({"code": "no_chart", "text": f"{name} has no chart: {error}"})
    return drawn, untold


def _standard(asked: Asked, peak_nm: float) -> dict[str, Any]:
    """Return today's figures: the median over the frames of the longest excitation."""
    found = taken(Path(str(asked.measured)), asked.about)
    known = None if asked.calibration is None else read_calibration(asked.calibration)
    if known is not None and (why := why_unfit(known, axis_of(found.wavelength_nm), found.serial)):
        raise BadInput(why, item="calibration")
    for lit, _ in _frames(found):
        full = int((saturated(lit) & (np.abs(lit.wavelength_nm - peak_nm) <= _NEAR_NM)).sum())
        if full:
            said = f"{found.path.name}: {full} pixels near {peak_nm:g} nm are saturated"
            raise BadCase(f"{said}; nothing was logged: expose the standard for a shorter time.", item=found.path.name)
    try:
        each = [daily_standard(_right(lit, known), [_right(off, known) for off in offs], peak_nm) for lit, offs in _frames(found)]
    except BadCase as error:
        raise BadCase(f"{found.path.name}: {error} Nothing was logged.", item=found.path.name) from error
    figures = {name: float(np.median([getattr(one, name) for one in each])) for name in FIGURES}
    serial = found.serial or (None if known is None else known.serial)
    told = {"frames": len(each), "integration_ms": _frames(found)[0][0].integration_ms, "serial": serial}
    source = {"file": found.path.name, "sha256": found.sha256, "calibration": None if known is None else known.sha256}
    return dict(plain({**figures, **told, **source}))


def _frames(found: Taken) -> list[tuple[Spectrum, tuple[Spectrum, ...]]]:
    """Return the frames of the longest excitation with their lamp-off frames; of an instrument's file its sample."""
    if found.measurements:
        longest = max(at for m in found.measurements for at in m.excitations_nm if at is not None)
        return [(frame, m.lamp_off) for m in found.measurements for frame in m.frames if frame.excitation_nm == longest]
    roles = {each.role: each for each in found.files}
    sample = roles.get("sample")
    if sample is None or sample.integration_ms is None or sample.saturated or not np.isfinite(sample.values).all():
        said = f"{found.path.name} does not hold the standard's counts, unsaturated and with their integration time"
        raise BadInput(f"{said}; give an instrument's file with both, a table with --about, or a session.", item=found.path.name)
    dark = roles["dark"].values if "dark" in roles else None
    return [(Spectrum(sample.values, sample.wavelength_nm, None, sample.integration_ms, dark, sample.averages or 1), ())]


def _right(frame: Spectrum, known: Calibration | None) -> Spectrum:
    if known is None or not known.correction:
        return frame
    told = {name: getattr(frame, name) for name in ("excitation_nm", "integration_ms", "dark", "averages", "power_relative", "detector")}
    return Spectrum(frame.counts, with_correction(frame.wavelength_nm, known.correction), **told, frame=frame.frame)


__all__ = ["FIGURES", "REFERENCE_DAYS", "Asked", "Daily", "daily"]
