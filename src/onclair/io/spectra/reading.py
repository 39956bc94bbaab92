"""Any instrument's file: its family is told by what the file holds, then by its name."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from onclair.io.spectra.avantes import AVS, COLUMNS_LINE, TRM_VERSION, read_avantes_text, read_avs, read_trm
from onclair.io.spectra.jcamp import SIGNATURE, read_jcamp
from onclair.io.spectra.ocean import MARK, read_ocean
from onclair.io.spectra.procspec import read_procspec
from onclair.io.spectra.recording import Content, Note, Recording, refused
from onclair.io.spectra.spc import NEW, NEW_BIG_ENDIAN, OLD, read_spc
from onclair.io.spectra.table import WAVELENGTH, table_bytes
from onclair.io.spectra.tables import is_table, read_plain
from onclair.io.spectra.text import text_of

#: The most bytes that a file of one spectrum may have; a real one has less than 1 MB.
LARGEST = 256 * 2**20
_ZIP = b"PK\x03\x04"
#: Readers of binary files by the endings that promise them.
_PROMISED = {
    **dict.fromkeys((".raw8", ".rfl8", ".trm8", ".irr8", ".abs8"), "avantes-avs84"),
    **dict.fromkeys((".trm", ".roh", ".drk", ".abs"), "avantes-trm"),
    ".procspec": "ocean-procspec",
    ".spc": "spc",
}
_BINARY: Mapping[str, Callable[[bytes, str], Content]] = {
    "avantes-avs84": read_avs,
    "avantes-trm": read_trm,
    "ocean-procspec": read_procspec,
    "spc": read_spc,
}
_TEXT: Mapping[str, Callable[[str, str], Content]] = {
    "jcamp-dx": read_jcamp,
    "ocean-text": read_ocean,
    "avantes-text": read_avantes_text,
    "table": read_plain,
}
#: Every reader's name.
READERS = (*_BINARY, *_TEXT)


@dataclass(frozen=True, slots=True, eq=False)
class InstrumentFile:
    """An instrument's file, read.

    Attributes
    ----------
    reader : str
        One of :data:`READERS`.
    name : str
        Of the file.
    sha256 : str
        Of its bytes.
    recordings : tuple of Recording
        At most one a role, all over the same wavelengths.
    warnings : tuple of mapping
        ``code`` and ``text``: what disagreed in the file and was kept all the same.
    """

    reader: str
    name: str
    sha256: str
    recordings: tuple[Recording, ...]
    warnings: tuple[Mapping[str, str], ...] = ()


def read_instrument(path: str | Path) -> InstrumentFile:
    r"""Return what an instrument's file holds, whatever its family.

    Parameters
    ----------
    path : path
        Text of Ocean Optics (any language), Jaz, ProcSpec; text, TRM (version 70) and AVS84 of Avantes; JCAMP-DX; SPC; tables.

    Raises
    ------
    BadCase
        For a file that is missing, empty, too large, of no known format, cut short or inconsistent; the sentence names the line or pixel.
    BadTable
        For wavelengths that do not rise strictly.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.dpt").write_text("800.25,1.5\n800.75,2.5\n")
    ...     found = read_instrument(Path(folder, "a.dpt"))
    >>> found.reader, found.recordings[0].wavelength_nm.tolist()
    ('table', [800.25, 800.75])
    """
    path = Path(path)
    data = _bytes(path)
    text = None if _is_binary(data) else text_of(data)
    reader = _binary_reader(data, path.name) if text is None else _text_reader(text, path.name)
    content = _TEXT[reader](text, path.name) if text is not None else _BINARY[reader](data, path.name)
    _check_one_axis(content, path.name)
    notes = (*content.notes, *_without_number(content, path.name))
    warnings = tuple({"code": code, "text": sentence} for code, sentence in notes)
    return InstrumentFile(reader, path.name, hashlib.sha256(data).hexdigest(), content.recordings, warnings)


def instrument_table(file: InstrumentFile) -> bytes:
    """Return what an instrument's file holds as the bytes of a table: ``wavelength_nm`` and a column a role, not a digit lost."""
    return table_bytes(file.recordings[0].wavelength_nm, {each.role: each.values for each in file.recordings})


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        found = "it is a folder" if path.is_dir() else "there is no such file"
        raise refused(str(path), found, "give the path of an instrument's file")
    try:
        if path.stat().st_size > LARGEST:
            raise refused(path.name, f"it has {path.stat().st_size} bytes, more than any spectrum", "give the file of one spectrum")
        data = path.read_bytes()
    except OSError as error:
        raise refused(path.name, f"it cannot be read ({(error.strerror or '').lower()})", "check its rights") from error
    if not data.strip(b"\0 \t\r\n"):
        raise refused(path.name, "it is empty", "copy or export it again")
    return data


def _is_binary(data: bytes) -> bool:
    return data.startswith((b"AVS", _ZIP)) or _is_spc(data) or _is_trm(data)


def _is_trm(data: bytes) -> bool:
    return len(data) >= 4 and bool(struct.unpack_from("<f", data)[0] == TRM_VERSION)


def _is_spc(data: bytes) -> bool:
    """Return whether a file begins as SPC does; a zip's second byte is that of SPC too."""
    return len(data) > 512 and not data.startswith(_ZIP) and data[1] in (NEW, NEW_BIG_ENDIAN, OLD) and data[:512].count(b"\0") > 64


def _binary_reader(data: bytes, name: str) -> str:
    """Return the family of a binary file: by content; where that says nothing, by the name, whose reader then says what is wrong."""
    if data.startswith(AVS):
        return "avantes-avs84"
    if _is_trm(data):
        return "avantes-trm"
    if _is_spc(data):
        return "spc"
    promised = _PROMISED.get(PurePath(name).suffix.lower())
    if data.startswith(_ZIP) and (promised == "ocean-procspec" or b"ps_" in data[:4096] or b"OOI" in data):
        return "ocean-procspec"
    if promised in ("avantes-trm", "spc", "ocean-procspec"):
        return promised
    raise _unknown(name)


def _text_reader(text: str, name: str) -> str:
    if SIGNATURE.search(text[:4096]):
        return "jcamp-dx"
    if text.startswith(MARK) or f"\n{MARK}" in text:
        return "ocean-text"
    if COLUMNS_LINE.search(text):
        return "avantes-text"
    if is_table(text):
        return "table"
    if text.lstrip().lower().startswith(WAVELENGTH):
        raise refused(name, f"it has the header of a table ({WAVELENGTH}) and no spectrum", "add the rows of numbers or export it again")
    if (promised := _PROMISED.get(PurePath(name).suffix.lower())) is not None:
        raise refused(name, f"its name promises {promised}, and it holds none", "it is damaged: copy or export it again")
    raise _unknown(name)


def _unknown(name: str) -> Exception:
    known = "text, ProcSpec or Jaz of Ocean Optics, text, TRM or Raw8 of Avantes, JCAMP-DX, SPC, or a table of wavelength and value"
    return refused(name, "its format is unknown", f"give {known}")


def _without_number(content: Content, name: str) -> Iterator[Note]:
    """Yield what is to be said of recordings with pixels that hold no number: they stay empty in the table."""
    for each in content.recordings:
        lost = np.flatnonzero(~np.isfinite(each.values))
        if lost.size:
            what = "pixel holds" if lost.size == 1 else "pixels hold"
            first = f"the first is pixel {lost[0] + 1} at {each.wavelength_nm[lost[0]]:.2f} nm"
            yield "nan_pixels", f"{name}: {lost.size} {what} no number in '{each.role}' ({first}): no number is made up for the table."


def _check_one_axis(content: Content, name: str) -> None:
    first = content.recordings[0].wavelength_nm
    for each in content.recordings:
        if each.wavelength_nm is not first and not np.array_equal(each.wavelength_nm, first):
            found = f"its {each.role} has other wavelengths ({each.wavelength_nm.size} pixels) than its {content.recordings[0].role}"
            raise refused(name, f"{found} ({first.size})", "export each on its own")
