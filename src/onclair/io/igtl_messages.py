"""OpenIGTLink messages of a spectrometer: how frames, poses and the heartbeat are packed, and how bytes become them again.

A frame is an IMAGE ``Spectrum`` (1 x 2 x n float32: wavelengths, counts) and then a STRING ``SpectrumInfo`` (JSON); a pose is a TRANSFORM
``ProbeToReference`` in RAS; a heartbeat is a STRING ``Status`` (JSON). OpenIGTLink has messages of its own for the last, but pyigtl does
not know them, and a STRING is read by every program.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from pyigtl.messages import ImageMessage, MessageBase, StringMessage, TransformMessage

from onclair.core.errors import BadCase, BadInput
from onclair.core.geometry import Affine
from onclair.core.values import Detector, Spectrum
from onclair.io.instruments import RAS_TO_LPS, Frame, Pose

SPECTRUM, INFO, POSE, STATUS = "Spectrum", "SpectrumInfo", "ProbeToReference", "Status"
#: Nothing larger is a spectrum; a header that says so is damaged or hostile.
LARGEST_BYTES = 4 << 20
_KINDS = ("fluorescence", "lamp_off", "white")
_NAVIGATION = ("frame_of_reference", "registration_error_mm")
_DETECTOR = ("saturation_counts", "read_noise_counts", "gain_counts_per_electron")


def frame_bytes(frame: Frame, wall_s: float) -> bytes:
    """Return the two messages of a frame.

    Parameters
    ----------
    frame : Frame
    wall_s : float
        Seconds since 1970 at which the exposure ended.

    Raises
    ------
    BadCase
        For more pixels than an IMAGE can have.
    """
    spectrum = frame.spectrum
    if spectrum.counts.size > 65535:
        raise BadCase(f"The spectrum has {spectrum.counts.size} pixels; OpenIGTLink carries 65535 a line: bin it first.", item=frame.frame)
    pixels = np.stack([spectrum.wavelength_nm, spectrum.counts]).astype(np.float32)[None]
    about = frame.info | {"averages": spectrum.averages, "power_relative": spectrum.power_relative}
    about |= {name: getattr(spectrum.detector, name) for name in _DETECTOR}
    if frame.pose is not None:
        about |= {name: getattr(frame.pose, name) for name in _NAVIGATION}
    image = ImageMessage(pixels, timestamp=wall_s, device_name=SPECTRUM)
    return bytes(image.pack()) + string_bytes(INFO, about, wall_s)


def pose_bytes(pose: Pose, wall_s: float) -> bytes:
    """Return the TRANSFORM of a pose, in RAS.

    Parameters
    ----------
    pose : Pose
    wall_s : float
        Seconds since 1970 at which the tracker saw it, so that a reader sees its age.
    """
    return bytes(TransformMessage(ras_of(pose.lps), timestamp=wall_s, device_name=POSE).pack())


def string_bytes(device: str, content: Mapping[str, Any], wall_s: float) -> bytes:
    """Return a STRING that holds JSON, in ASCII."""
    return bytes(StringMessage(json.dumps(content, allow_nan=False), timestamp=wall_s, device_name=device).pack())


def ras_of(lps: Affine) -> Affine:
    """Return probe to world in RAS for probe to world in LPS, and the other way round; the probe's own axes stay.

    Examples
    --------
    >>> tip = np.eye(4)
    >>> tip[:3, 3] = (10.0, 20.0, 30.0)
    >>> ras_of(tip)[:3, 3].tolist()
    [-10.0, -20.0, 30.0]
    """
    return np.asarray(RAS_TO_LPS @ lps)


@dataclass(slots=True, eq=False)
class Inbox:
    """Bytes as they come, whole messages as they are complete.

    pyigtl's own loop loses the first bytes of a header that was cut by a time-out and turns for ever on a closed connection; here bytes are
    kept until a message is whole.

    Examples
    --------
    >>> inbox, sent = Inbox(), string_bytes("Status", {"beat": 1}, 1.0)
    >>> [m.device_name for m in inbox.feed(sent[:20])], [m.device_name for m in inbox.feed(sent[20:])]
    ([], ['Status'])
    """

    damaged: int = 0
    _held: bytearray = field(default_factory=bytearray, init=False)

    def feed(self, data: bytes) -> Iterator[MessageBase]:
        """Yield the messages that `data` completes; those of unknown kinds are passed over.

        Raises
        ------
        BadInput
            When what came is no OpenIGTLink: the connection is of no use any more.
        """
        self._held += data
        while len(self._held) >= MessageBase.IGTL_HEADER_SIZE:
            header = self._header()
            whole = MessageBase.IGTL_HEADER_SIZE + header["body_size"]
            if len(self._held) < whole:
                return
            body = bytes(self._held[MessageBase.IGTL_HEADER_SIZE : whole])
            del self._held[:whole]
            message = self._message(header, body)
            if message is not None:
                yield message

    def _header(self) -> dict[str, Any]:
        try:
            header: dict[str, Any] = MessageBase.parse_header(bytes(self._held[: MessageBase.IGTL_HEADER_SIZE]))
        except UnicodeDecodeError:
            header = {"body_size": LARGEST_BYTES + 1, "header_version": 0}
        if header["body_size"] > LARGEST_BYTES or header["header_version"] not in (1, 2, 3):
            raise BadInput("What comes over the connection is not OpenIGTLink; is this the port of the publisher?")
        return header

    def _message(self, header: dict[str, Any], body: bytes) -> MessageBase | None:
        try:
            message = MessageBase.create_message(header["message_type"])
            if message is not None:
                message.unpack(header, body)
        except Exception:
            self.damaged += 1  # pyigtl raises whatever its unpacking meets; one damaged message must not end the session
            return None
        return message


@dataclass(slots=True, eq=False)
class Pairing:
    """Frames out of IMAGE and STRING, with the last pose known."""

    damaged: int = 0
    _pixels: np.ndarray[Any, np.dtype[np.float64]] | None = field(default=None, init=False)

    def image(self, message: ImageMessage) -> None:
        """Keep the pixels until what describes them comes."""
        pixels = np.asarray(message.image, dtype=np.float64).squeeze()
        self._pixels = pixels if pixels.ndim == 2 and pixels.shape[0] == 2 else None
        self.damaged += self._pixels is None

    def info(self, message: StringMessage, pose: Pose | None) -> Frame | None:
        """Return the frame that a description completes; None where either half is missing or damaged."""
        pixels, self._pixels = self._pixels, None
        if pixels is None:
            return None
        try:
            return _frame(pixels, json.loads(message.string), pose)
        except (BadInput, KeyError, TypeError, ValueError):
            self.damaged += 1
            return None


def pose_of(message: TransformMessage, time_s: float) -> Pose | None:
    """Return the pose of a TRANSFORM in LPS; None for a matrix that is none."""
    matrix = np.asarray(message.matrix, dtype=np.float64)
    turned = math.isclose(abs(float(np.linalg.det(matrix[:3, :3]))), 1.0, abs_tol=0.01) if np.isfinite(matrix).all() else False
    return Pose(ras_of(matrix), time_s) if turned else None


def _frame(pixels: np.ndarray[Any, np.dtype[np.float64]], about: Mapping[str, Any], pose: Pose | None) -> Frame:
    """Return a frame from its pixels and description.

    Raises
    ------
    BadInput, KeyError, TypeError, ValueError
        For whatever does not fit; the caller counts it.
    """
    if about["kind"] not in _KINDS:
        raise BadInput(f"The frame's kind is '{about['kind']}'.")
    excitation = about["excitation_nm"]
    detector = Detector(**{name: about[name] for name in _DETECTOR if about.get(name) is not None})
    spectrum = Spectrum(
        pixels[1],
        pixels[0],
        None if excitation is None else float(excitation),
        float(about["integration_ms"]),
        averages=int(about.get("averages", 1)),
        power_relative=float(about.get("power_relative", 1.0)),
        detector=detector,
        frame=str(about["frame"]),
    )
    if pose is not None:
        error = about.get("registration_error_mm")
        named = str(about.get("frame_of_reference", ""))
        pose = replace(pose, frame_of_reference=named, registration_error_mm=None if error is None else float(error))
    settings_id, time_s = str(about["settings_id"]), float(about["time"])
    if not math.isfinite(time_s):
        raise BadInput(f"The frame's time is {time_s}.")
    return Frame(str(about["frame"]), about["kind"], spectrum, settings_id, time_s, bool(about["saturated"]), pose)
