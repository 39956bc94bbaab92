"""ProcSpec files of Ocean Optics' SpectraSuite: a zip whose XML no strict parser accepts.

Every real file holds bytes outside its encoding, control characters or broken tags. So the text is scanned for the few elements that
matter, and nothing in it is ever expanded: no entity, no DTD, no reference to a file.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np

from onclair.io.spectra.axis import Floats, checked_wavelengths
from onclair.io.spectra.recording import Content, Note, Recording, Role, Settings, in_order, refused

#: The most bytes that the spectrum may inflate to, and the most times its packed size; a real one is 1 MB, packed 4 to 10 times.
LARGEST = 64 * 2**20
RATIO = 100
_MEMBERS = 64
_BLOCK = 1 << 16
_DOUBLES = r"<{tag}s?(?:\s[^<>]*)?>\s*((?:<double>[^<>]*</double>\s*)+)"
_UNITS = {"Transmission": "%", "Reflection": "%", "Counts": "counts", "Absorbance": "absorbance"}


@dataclass(frozen=True, slots=True)
class _Part:
    """One frame as the file holds it."""

    values: Floats | None
    settings: Settings
    saturated: bool | None


def read_procspec(data: bytes, name: str) -> Content:
    """Return what a ProcSpec file holds: the processed spectrum, the sample, the dark and the reference.

    Raises
    ------
    BadCase
        For a damaged or packed-too-tight zip, one without a spectrum, document type declarations or entities, or pixels of which none
        agree with the wavelengths.
    BadTable
        For wavelengths that do not rise strictly; the pixel is named.
    """
    text = _spectrum(data, name)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise refused(name, "its XML declares a document type or entities, which no spectrometer writes", "export it again")
    nanometres = _doubles(text, "channelWavelength", name)
    if nanometres is None:
        raise refused(name, "it holds no wavelengths", "export it again from SpectraSuite")
    wavelength = checked_wavelengths(nanometres, name, lambda place: f"pixel {place + 1}")
    sources: dict[Role, str] = {
        "sample": _between(text, "<sourceSpectra>", "</sourceSpectra>"),
        "dark": _between(text, "<darkSpectrum>", "</darkSpectrum>"),
        "reference": _between(text, "<referenceSpectrum>", "</referenceSpectrum>"),
    }
    parts = {role: _part(source, name) for role, source in sources.items() if source}
    taken = parts["sample"].settings if "sample" in parts else Settings()
    parts["processed"] = _Part(_doubles(text, "processedPixel", name), taken, None)
    recordings, notes = [], []
    for role, part in parts.items():
        notes += _notes(role, part, wavelength.size, taken, name)
        if part.values is not None and part.values.size == wavelength.size:
            said = (part.settings.integration_ms, part.settings.averages, part.settings.serial)
            unit = _processed_unit(text) if role == "processed" else "counts"
            recordings.append(Recording(role, part.values, wavelength, unit, *said, part.saturated))
    if not recordings:
        found = f"none of its spectra has as many pixels as there are wavelengths ({wavelength.size})"
        raise refused(name, found, "export it again from SpectraSuite")
    return Content(in_order(recordings), tuple(notes))


def _spectrum(data: bytes, name: str) -> str:
    """Return the text of the spectrum in the zip, inflated block by block and never beyond what a spectrum can be."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [each for each in archive.infolist() if re.search(r"(^|/)ps_[^/]*\.xml$", each.filename)]
            if len(archive.infolist()) > _MEMBERS:
                raise refused(name, f"it packs {len(archive.infolist())} files where 3 are usual", "export it again from SpectraSuite")
            if len(members) != 1:
                raise refused(
                    name, f"it holds {len(members)} spectra (ps_*.xml) where one is expected", "export it again from SpectraSuite"
                )
            if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise refused(name, f"it is packed by method {members[0].compress_type}", "export it again from SpectraSuite")
            limit = min(LARGEST, max(_BLOCK, RATIO * members[0].compress_size))
            with archive.open(members[0]) as stream:
                content = b""
                while block := stream.read(_BLOCK):
                    content += block
                    if len(content) > limit:
                        raise _bomb(name, members[0].compress_size, limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, struct.error) as error:
        raise refused(name, f"its zip is damaged or locked ({str(error)[:80]})", "copy it again or export it from SpectraSuite") from error
    return content.decode("latin-1")


def _bomb(name: str, packed: int, limit: int) -> Exception:
    found = f"its {packed} packed bytes inflate to more than {limit}"
    return refused(name, f"{found}, more than a spectrum can be", "it was not unpacked further: export it again from SpectraSuite")


def _doubles(text: str, tag: str, name: str) -> Floats | None:
    """Return the first list of numbers in an element of that name (broken plurals included); None when it only refers to another."""
    found = re.search(_DOUBLES.format(tag=tag), text)
    if found is None:
        return None
    cells = re.findall(r"<double>([^<>]*)</double>", found[1])
    values = np.empty(len(cells))
    for pixel, cell in enumerate(cells):
        try:
            values[pixel] = float(cell)
        except ValueError:
            sentence = f"pixel {pixel + 1} of its {tag}s is '{cell[:40]}' where a number is expected"
            raise refused(name, sentence, "export it again from SpectraSuite") from None
    return values


def _part(source: str, name: str) -> _Part:
    microseconds, averages = _said(source, "integrationTime", r"\d+"), _said(source, "scansToAverage", r"\d+")
    saturated = _said(source, "saturated", "true|false")
    settings = Settings(
        int(microseconds) / 1000 if microseconds else None,
        int(averages) if averages else None,
        _said(source, "spectrometerSerialNumber", r"[\x20-\x7e]+?"),
    )
    return _Part(_doubles(source, "pixelValue", name), settings, None if saturated is None else saturated == "true")


def _notes(role: Role, part: _Part, pixels: int, taken: Settings, name: str) -> list[Note]:
    notes: list[Note] = []
    if part.saturated:
        notes.append(("saturated", f"{name} says that its {role} is saturated; what was computed with it is not to be trusted."))
    if part.values is not None and part.values.size != pixels:
        found = f"the {role} of {name} has {part.values.size} values for {pixels} wavelengths"
        notes.append(("pixel_count", f"{found}; it was left out, since nothing tells which value belongs to which."))
    if role == "dark" and None not in (ours := (part.settings.integration_ms, taken.integration_ms)) and ours[0] != ours[1]:
        notes.append(("dark_integration_ms", f"The dark of {name} was taken at {ours[0]:g} ms and the sample at {ours[1]:g} ms."))
    return notes


def _processed_unit(text: str) -> str:
    """Return the unit that stands behind the processed pixels, in the same certificate."""
    place = re.search(_DOUBLES.format(tag="processedPixel"), text)
    found = re.search(r'<yUnits class="[^"]*?\.(\w+?)(?:Intensity)?Descriptor"', text[place.end() :]) if place else None
    return _UNITS.get(found[1], found[1].lower()) if found else "a.u."


def _said(source: str, tag: str, shape: str) -> str | None:
    found = re.search(rf"<{tag}>\s*({shape})\s*</{tag}>", source)
    return found[1] if found else None


def _between(text: str, start: str, end: str) -> str:
    _, opened, rest = text.partition(start)
    return rest.partition(end)[0] if opened else ""
