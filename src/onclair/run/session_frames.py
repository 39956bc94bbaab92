"""The frames of a session on disk: one file a frame, written once, never changed, told apart by their hashes.

``DIR/frames/000001.npz`` holds counts and wavelengths as they came and, in its header, all else that a frame says;
``DIR/frames/index.jsonl`` has a line a frame with its name, its file and the SHA-256 of that file. Nothing in it is pickled.
"""

from __future__ import annotations

import errno
import io
import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.canonical import canonical_json
from onclair.core.errors import BadCase, CheckFailed
from onclair.core.values import Detector, Measurement, Spectrum
from onclair.io.files import PARTIAL
from onclair.io.instruments import Frame, Pose

FOLDER, INDEX = "frames", "index.jsonl"
_FORMAT = "onclair-frame/1"


@dataclass(frozen=True, slots=True)
class Stored:
    """One frame on disk.

    Attributes
    ----------
    frame : str
        Its name.
    file : str
        Below the session's folder.
    sha256 : str
        Of the file.
    kind, settings_id : str
        As the frame says.
    """

    frame: str
    file: str
    sha256: str
    kind: str
    settings_id: str

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as plain JSON values."""
        return asdict(self)


@dataclass(slots=True, eq=False)
class SessionFrames:
    """Where frames are added, one after the other; whoever reads them needs only the folder.

    Attributes
    ----------
    session : Path
        The session's folder.
    """

    session: Path
    _known: dict[str, Stored] = field(default_factory=dict, init=False)
    _unsynced: set[str] = field(default_factory=set, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        (self.session / FOLDER).mkdir(parents=True, exist_ok=True)
        self._known = {each.frame: each for each in stored_frames(self.session)}

    def store(self, frame: Frame) -> Stored:
        """Write a frame whole or not at all, and return its entry; it is on the disk for good only after `sync`.

        Raises
        ------
        BadCase
            When a frame of that name is stored already.
        OSError
            When the disk is full or gone; nothing half written counts.
        """
        with self._lock:
            if frame.frame in self._known:
                raise BadCase(f"A frame called '{frame.frame}' is stored already; a frame's name may be given once.", item=frame.frame)
            name = f"{FOLDER}/{len(self._known) + 1:06d}.npz"
            data = frame_file(frame)
            entry = Stored(frame.frame, name, sha256(data).hexdigest(), frame.kind, frame.settings_id)
            _write(self.session / name, data)
            append_line(self.session / FOLDER / INDEX, canonical_json(entry.as_dict()) + b"\n")
            self._known[entry.frame] = entry
            self._unsynced.add(name)
            return entry

    def sync(self, names: Iterable[str]) -> tuple[Stored, ...]:
        """Return the entries of frames once they are on the disk for good.

        Raises
        ------
        BadCase
            For a frame that was never stored.
        OSError
            When the disk does not take them.
        """
        found = tuple(self.entry(name) for name in names)
        with self._lock:
            late = [each.file for each in found if each.file in self._unsynced]
        for file in late:
            _sync(self.session / file)
        if late:
            _sync(self.session / FOLDER / INDEX)
            _sync(self.session / FOLDER)
        self._unsynced.difference_update(late)
        return found

    def entry(self, name: str) -> Stored:
        """Return what is known of a stored frame.

        Raises
        ------
        BadCase
            For a frame that was never stored.
        """
        found = self._known.get(name)
        if found is None:
            raise BadCase(f"There is no stored frame '{name}' in this session; name one of events.jsonl.", item=name)
        return found

    def __contains__(self, name: str) -> bool:
        return name in self._known


def stored_frames(session: str | Path) -> tuple[Stored, ...]:
    """Return the entries of a session's frames in their order; a last line that was cut short is passed over.

    Raises
    ------
    CheckFailed
        For a line in the middle that is none.
    """
    path = Path(session) / FOLDER / INDEX
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(Stored(**json.loads(line)))
        except (ValueError, TypeError):
            raise CheckFailed(
                f"Line {number} of {path} is damaged; the frames' own files still hold their headers.", item=str(path)
            ) from None
    return tuple(found)


def read_frame(session: str | Path, entry: Stored) -> Frame:
    """Return a stored frame whose file is what its entry says.

    Raises
    ------
    CheckFailed
        When the file is missing or was changed.
    """
    path = Path(session) / entry.file
    try:
        data = path.read_bytes()
    except OSError:
        raise CheckFailed(f"The file {entry.file} of frame '{entry.frame}' is missing from the session.", item=entry.frame) from None
    if sha256(data).hexdigest() != entry.sha256:
        raise CheckFailed(f"The file {entry.file} of frame '{entry.frame}' was changed after it was stored.", item=entry.frame)
    return frame_from(data)


def read_frames(session: str | Path, names: Sequence[str] | None = None) -> tuple[Frame, ...]:
    """Return a session's frames by name, or all of them in the order of their arrival.

    Raises
    ------
    BadCase
        For a name that is not stored.
    CheckFailed
        As :func:`read_frame`.
    """
    known = {each.frame: each for each in stored_frames(session)}
    absent = [name for name in names or () if name not in known]
    if absent:
        raise BadCase(f"There is no stored frame '{absent[0]}' in {session}; it holds {len(known)} others.", item=absent[0])
    return tuple(read_frame(session, known[name]) for name in (known if names is None else names))


def measurement_of(frames: Sequence[Frame]) -> Measurement:
    """Return the measurement that frames of one round make, at the last pose among them.

    Parameters
    ----------
    frames : sequence of Frame
        In the order of their arrival.

    Raises
    ------
    BadCase
        When none of them is excited, or they carry different settings.

    Examples
    --------
    >>> nm = np.array([500.0, 501.0])
    >>> lit = Frame("F2", "fluorescence", Spectrum(nm, nm, 405.0, 20.0), "abc", 1.5)
    >>> off = Frame("F1", "lamp_off", Spectrum(nm, nm, None, 20.0), "abc", 1.4)
    >>> [each.frame for each in measurement_of([off, lit]).lamp_off]
    ['F1']
    """
    settings = {each.settings_id for each in frames}
    if len(settings) > 1:
        raise BadCase(f"The frames of one measurement carry {len(settings)} different settings; they cannot be used together.")
    pose = next((each.pose for each in reversed(frames) if each.pose is not None), None)
    of_kind = {kind: tuple(_named(each) for each in frames if each.kind == kind) for kind in ("fluorescence", "lamp_off", "white")}
    return Measurement(
        of_kind["fluorescence"],
        of_kind["lamp_off"],
        of_kind["white"],
        None if pose is None else pose.lps,
        next(iter(settings), ""),
        frame_of_reference="" if pose is None else pose.frame_of_reference,
        registration_error_mm=None if pose is None else pose.registration_error_mm,
    )


def frame_file(frame: Frame) -> bytes:
    """Return the bytes of a frame's file: equal frames, equal bytes."""
    spectrum = frame.spectrum
    arrays = {"counts": spectrum.counts, "wavelength_nm": spectrum.wavelength_nm}
    if spectrum.dark is not None:
        arrays["dark"] = spectrum.dark
    header = np.frombuffer(canonical_json(_header(frame)), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, header=header, **arrays)
    return buffer.getvalue()


def frame_from(data: bytes) -> Frame:
    """Return the frame of a file's bytes.

    Raises
    ------
    BadCase
        For bytes that :func:`frame_file` did not write.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            header = json.loads(arrays["header"].tobytes())
            held = {name: np.asarray(arrays[name]) for name in arrays.files if name != "header"}
        _ = {_FORMAT: True}[header.pop("format")]
        return _frame(header, held)
    except (ValueError, KeyError, TypeError, OSError, EOFError):
        raise BadCase("The bytes are no stored frame; the file was damaged or written by another program.") from None


def _header(frame: Frame) -> dict[str, Any]:
    spectrum, pose = frame.spectrum, frame.pose
    at = None if pose is None else {**{name: getattr(pose, name) for name in _POSE}, "lps": pose.lps.tolist()}
    told = {name: getattr(spectrum, name) for name in ("excitation_nm", "integration_ms", "averages", "power_relative")}
    own = {name: getattr(frame, name) for name in ("frame", "kind", "settings_id", "time_s", "saturated")}
    return {"format": _FORMAT, **own, **told, "detector": asdict(spectrum.detector), "pose": at}


_POSE = ("time_s", "frame_of_reference", "registration_error_mm")


def _frame(header: Mapping[str, Any], held: dict[str, Any]) -> Frame:
    told: dict[str, Any] = {name: header[name] for name in ("excitation_nm", "integration_ms", "averages", "power_relative")}
    at = header["pose"]
    pose = None if at is None else Pose(np.array(at["lps"]), **{name: at[name] for name in _POSE})
    spectrum = Spectrum(**held, **told, detector=Detector(**header["detector"]), frame=header["frame"])
    return Frame(header["frame"], header["kind"], spectrum, header["settings_id"], header["time_s"], header["saturated"], pose)


def _named(frame: Frame) -> Spectrum:
    return frame.spectrum if frame.spectrum.frame else replace(frame.spectrum, frame=frame.frame)


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}{PARTIAL}")
    try:
        partial.write_bytes(data)
        partial.rename(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def append_line(path: Path, line: bytes) -> None:
    """Write a line to the end of a file, whole or not at all.

    Raises
    ------
    OSError
        When the disk does not take it; the file is then as it was.
    """
    with path.open("ab", buffering=0) as stream:
        end = stream.tell()
        try:
            written = stream.write(line)
        except OSError:
            os.truncate(path, end)
            raise
        if written != len(line):
            os.truncate(path, end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
