"""`onclair spectra live`: an instrument, the chain and a model in one loop, in a session's folder."""

from __future__ import annotations

import gc
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from onclair import __version__
from onclair.core.errors import BadSetting, NotReachable, OnclairError
from onclair.io.instruments import Frame, Instrument, Opened, Replay, Settings
from onclair.io.spectra.calibration import Axis, Calibration, axis_of, read_calibration
from onclair.run.journal import marker
from onclair.run.live import Live
from onclair.run.live_parts import Agenda, Loop
from onclair.run.live_stream import Stream
from onclair.run.sealed import silent_about
from onclair.run.session_folder import Session, given_back, new_session, read_session
from onclair.run.session_frames import read_frames
from onclair.studies.tasks.spectra_calibrated import CALIBRATION, ageing, locked_calibration, refuse_unfit
from onclair.studies.tasks.spectra_live_step import Judge, judge_of
from onclair.virtual.instrument import Simulated, simulated
from onclair.virtual.instrument_script import Event, read_script

SOURCES = ("simulated", "seabreeze", "igtl", "replay")
#: Measurements judged a second, where nobody says.
RATE_HZ = 8.0
#: Frames of a round, the longest exposure, and what goes by between two of them.
_ROUND, _LONGEST_MS, _READOUT_MS = 4, 20.0, 2.0
#: The port that OpenIGTLink has by custom.
_PORT = 18944
#: What a script may do to any instrument; all else is done by the simulated one.
_ANYWHERE = ("integration_ms", "mark")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a live session is asked for.

    Attributes
    ----------
    source : str
        One of :data:`SOURCES`.
    session : Path
        Its folder, new; with ``replay`` and no `recording`, the recorded one: a replay is then a folder below it.
    host, port : str or None, int or None
        Of the publisher, or of a spectrometer on the network.
    model : Path or None
        A run whose locked model answers; a fixed rule answers without.
    seconds : float or None
        None for as long as nobody stops it.
    rate_hz : float or None
        Measurements judged a second; None for 8 from an instrument that is told what to do, and all that come from one that is not.
    seed : int
        Of the simulated instrument.
    script : Path or None
        What happens when: ``[{at_s, do, for_s|value|note|by}]``.
    publish : int or None
        A port for OpenIGTLink, this machine alone; 0 for any.
    silent : bool
        Whether answers are sealed.
    plan : Path or None
        Of the silent phase; its hash is kept with the session.
    recording : Path or None
        The session that is replayed.
    calibration : Path or None
        Of the spectrometer; a replay uses that of its recording where none is given.
    """

    source: str
    session: Path
    host: str | None = None
    port: int | None = None
    model: Path | None = None
    seconds: float | None = None
    rate_hz: float | None = None
    seed: int = 1
    script: Path | None = None
    publish: int | None = None
    silent: bool = False
    plan: Path | None = None
    recording: Path | None = None
    calibration: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A session that is ready to run.

    Attributes
    ----------
    live : Live
        Its ``stream`` may be subscribed to before and while it runs; ``mark``, ``configure`` and ``stop`` are its controls.
    session : Session
    agenda : sequence of (float, callable)
    warnings : list of mapping
        ``code text``: an old calibration, none at all.
    """

    live: Live
    session: Session
    agenda: Agenda
    warnings: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Locked:
    """What a session locks besides what it was asked for: who answers, how the instrument is told, whose it is, how it was calibrated."""

    judge: Judge
    settings: Settings | None
    serial: str | None
    calibration: Calibration | None


@contextmanager
def prepared(asked: Asked) -> Iterator[Ready]:
    """Give a session that is ready to run, and let go of its port at the end.

    Raises
    ------
    BadSetting
        For an unknown source, a script that cannot be read, or one that asks a real instrument to fail.
    NotReachable
        When the port to publish on cannot be taken, or the extra for the source is not installed.
    NoRoom
        When the folder is in use.
    """
    if asked.source not in SOURCES:
        raise BadSetting(f"There is no source '{asked.source}'; give one of {', '.join(SOURCES)}.", item="source")
    script = _script(asked)
    known = _calibration(asked)
    settings = _settings(asked)
    judge = judge_of(asked.model, known)
    instrument = _instrument(asked, script)
    with ExitStack() as held:
        relay, port = _relay(asked, held)
        instrument, serial, axis = taken_hold(instrument, held, _recorded_serial(asked))
        if known is not None:
            refuse_unfit(known, axis, serial, None if settings is None else settings.excitations_nm)
        locked = Locked(judge, settings, serial, known)
        beside = {} if known is None else {CALIBRATION: known.as_bytes()}
        session = new_session(_folder(asked), _about(asked, locked), beside)
        warnings = ageing(known, serial)
        live = Live(instrument, session.folder, replace(_loop(asked, judge, settings, session), notices=warnings), relay)
        if port is not None:
            live.stream.emit("status", state="publishing", port=port)
        yield Ready(live, session, _agenda(live, script, settings), warnings)


def run_live(asked: Asked, listen: Callable[[Stream], None] | None = None) -> dict[str, Any]:
    """Run a live session to its end and return its summary.

    Parameters
    ----------
    asked : Asked
    listen : callable, optional
        Is given the stream before the first event; it must not wait.

    Raises
    ------
    OnclairError
        As :func:`prepared`, and when the instrument does not open; a session that never began leaves no folder behind.
    """
    with prepared(asked) as ready, threadpool_limits(1), _quick_turns(), _stopped_by_signals(ready.live):
        if listen is not None:
            listen(ready.live.stream)
        try:
            summary = ready.live.run(asked.seconds, ready.agenda)
        except OnclairError:
            given_back(ready.session)
            raise
        return {**summary, "warnings": [dict(each) for each in ready.warnings]}


def _calibration(asked: Asked) -> Calibration | None:
    if asked.calibration is not None:
        return read_calibration(asked.calibration)
    return locked_calibration(read_session(asked.recording or asked.session)) if asked.source == "replay" else None


def _recorded_serial(asked: Asked) -> str | None:
    if asked.source != "replay":
        return None
    told = read_session(asked.recording or asked.session).about.get("instrument") or {}
    return None if told.get("serial") is None else str(told["serial"])


def taken_hold(instrument: Instrument, held: ExitStack, recorded: str | None = None) -> tuple[Instrument, str | None, Axis | None]:
    """Return an instrument with its serial number and its pixels, None for what it does not say.

    A real one is opened here, so that a session is not begun without it; it is let go of with `held`. `recorded` is the serial number of
    what is replayed.

    Raises
    ------
    NotReachable
        When there is none.
    """
    if isinstance(instrument, Simulated):
        return instrument, f"virtual {instrument.by.name}", axis_of(instrument.by.wavelength_nm)
    if isinstance(instrument, Replay):
        axis = axis_of(instrument.frames[0].spectrum.wavelength_nm) if instrument.frames else None
        return instrument, recorded, axis
    opened = Opened(instrument)
    held.callback(opened.close)
    opened.begin()
    serial = getattr(instrument, "about", {}).get("serial")
    return opened, None if serial is None else str(serial), None


def _loop(asked: Asked, judge: Judge, settings: Settings | None, session: Session) -> Loop:
    told = asked.source in ("simulated", "seabreeze")
    rate = asked.rate_hz if asked.rate_hz is not None else RATE_HZ if told else None
    if rate is not None and not rate > 0:
        raise BadSetting(f"The rate is {rate:g} measurements a second; give a positive number.", item="rate_hz")
    return Loop(judge.step, judge.name, settings, rate, asked.silent, intact=judge.intact, marker=marker(session))


def _settings(asked: Asked) -> Settings | None:
    """Return what the instrument is told: exposures short enough for the rate that is asked for."""
    if asked.source == "seabreeze":
        return Settings(_LONGEST_MS, excitations_nm=(405.0,), white=False)
    if asked.source != "simulated":
        return None
    fits = 900.0 / (_ROUND * (asked.rate_hz or RATE_HZ)) - _READOUT_MS
    return Settings(min(_LONGEST_MS, max(fits, 1.0)))


def _instrument(asked: Asked, script: Sequence[Event]) -> Instrument:
    if asked.source == "simulated":
        return simulated(seed=asked.seed, script=[event for event in script if event.do not in _ANYWHERE])
    if asked.source == "replay":
        return Replay(read_frames(asked.recording or asked.session), speed=1.0)
    with _extra(asked.source):
        if asked.source == "igtl":
            from onclair.io.openigtlink import OpenIGTLink

            return OpenIGTLink(asked.host or "127.0.0.1", _PORT if asked.port is None else asked.port)
        from onclair.io.seabreeze import SeaBreeze

        return SeaBreeze(None if asked.host is None else (asked.host, asked.port or 57357))


def _relay(asked: Asked, held: ExitStack) -> tuple[Callable[[Frame], None] | None, int | None]:
    if asked.publish is None:
        return None, None
    with _extra("--publish"):
        from onclair.io.openigtlink import Publisher
    publisher = Publisher(asked.publish)
    publisher.open()
    held.callback(publisher.close)
    publisher.say({"status": "live", "source": asked.source})
    return publisher.send, publisher.port


@contextmanager
def _extra(what: str) -> Iterator[None]:
    """Say which extra is missing where it is."""
    try:
        yield
    except ModuleNotFoundError as error:
        said = f"{what} needs {error.name}, which is not installed; install the extra: pip install 'onclair[live]'."
        raise NotReachable(said, item=error.name) from error


def _folder(asked: Asked) -> Path:
    """Return where the session goes: a replay without a folder of its own goes below what it replays."""
    if asked.source != "replay" or asked.recording is not None:
        return asked.session
    home = asked.session / "replays"
    taken = [int(path.name) for path in home.iterdir() if path.name.isdigit()] if home.is_dir() else []
    return home / f"{max(taken, default=0) + 1:03d}"


def _about(asked: Asked, locked: Locked) -> dict[str, Any]:
    judge, settings, known = locked.judge, locked.settings, locked.calibration
    if asked.plan is not None and not asked.silent:
        raise BadSetting("A plan is that of a silent phase; add --silent, or leave --plan out.", item=str(asked.plan))
    silence = silent_about(asked.plan, judge.about) if asked.silent else {"silent": False, "plan": None}
    return {
        "study": "spectra",
        "subject": None,
        "data": "virtual" if asked.source == "simulated" else "real",
        "source": asked.source,
        "seed": asked.seed if asked.source == "simulated" else None,
        "model": dict(judge.about),
        "calibration": None if known is None else known.about(CALIBRATION),
        "beside": [] if known is None else [CALIBRATION],
        "instrument": {"serial": locked.serial},
        "monitor": {name: dict(figures) for name, figures in judge.monitor.items()},
        "settings": None if settings is None else {**asdict(settings), "excitations_nm": list(settings.excitations_nm)},
        "settings_id": None if settings is None else settings.id,
        "onclair": __version__,
        **silence,
    }


def _script(asked: Asked) -> tuple[Event, ...]:
    if asked.script is None:
        return ()
    try:
        entries = json.loads(asked.script.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        said = f"The script {asked.script} cannot be read ({str(error).splitlines()[0]}); give a JSON list of {{at_s, do, ...}}."
        raise BadSetting(said, item=str(asked.script)) from error
    if not isinstance(entries, list):
        example = '[{"at_s": 4, "do": "stall", "for_s": 1}]'
        raise BadSetting(f"The script {asked.script} is no JSON list; write {example}.", item=str(asked.script))
    script = read_script(entries)
    real = [event.do for event in script if event.do not in _ANYWHERE]
    if real and asked.source != "simulated":
        said = f"The script lets '{real[0]}' happen, which only the simulated instrument can; with --source {asked.source}"
        raise BadSetting(f"{said} a script may say {' and '.join(_ANYWHERE)}.", item=real[0])
    return script


def _agenda(live: Live, script: Sequence[Event], settings: Settings | None) -> Agenda:
    return [(event.at_s, _deed(live, event, settings)) for event in script]


def _deed(live: Live, event: Event, settings: Settings | None) -> Callable[[], None]:
    """Return what an entry of the script has the session do; faults of the instrument are only taken note of."""
    if event.do == "mark":
        return lambda: _marked(live, event)
    if event.do == "integration_ms":
        other = Settings(float(event.value or 0.0)) if settings is None else _with_time(settings, float(event.value or 0.0))
        return lambda: live.configure(other)
    return live.fault


def _marked(live: Live, event: Event) -> None:
    live.mark(event.note, event.by or "script")


def _with_time(settings: Settings, integration_ms: float) -> Settings:
    return Settings(integration_ms, settings.averages, settings.excitations_nm, settings.white)


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Let threads take turns every millisecond, and what is loaded out of the collector's rounds: the watch must not wait for either."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.001)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(usual)


@contextmanager
def _stopped_by_signals(live: Live) -> Iterator[None]:
    """End the session in order when the process is asked to end; a second time ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual: Mapping[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def _asked(number: int, _: object) -> None:
        signal.signal(number, usual[number])
        live.stop()

    for number in usual:
        signal.signal(number, _asked)
    try:
        yield
    finally:
        for number, before in usual.items():
            with suppress(ValueError, TypeError):
                signal.signal(number, before)
