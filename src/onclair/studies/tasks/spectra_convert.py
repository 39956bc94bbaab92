"""`onclair spectra convert`: instruments' files of any family into tables of spectra, one a file, none lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from onclair.core.errors import BadCase, BadInput
from onclair.io.files import make_folder, sha256_file, write_atomically
from onclair.io.spectra.calibration import Calibration, axis_of, why_unfit
from onclair.io.spectra.reading import InstrumentFile, instrument_table, read_instrument
from onclair.science.spectra.wavelengths import with_correction


@dataclass(frozen=True, slots=True)
class Converted:
    """What was read and written.

    Attributes
    ----------
    files : tuple of (str, Path, InstrumentFile)
        The path as it was given, the table written, and what the file holds.
    skipped : tuple of (str, str)
        The path as it was given, and why it was left out.
    """

    files: tuple[tuple[str, Path, InstrumentFile], ...]
    skipped: tuple[tuple[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the answer for ``--json``."""
        return {
            "files": [_file(given, table, file) for given, table, file in self.files],
            "skipped": [{"file": given, "reason": reason} for given, reason in self.skipped],
        }


def convert_files(
    paths: Sequence[str | Path], out: str | Path, *, skip_bad: bool = False, calibration: Calibration | None = None
) -> Converted:
    """Read instruments' files and write each as a table of spectra.

    Parameters
    ----------
    paths : sequence of path
    out : path
        The folder of the tables: ``STEM.csv``, or ``NAME.csv`` with the old ending kept where stems agree, or numbered where whole names
        do. A file that lies there and differs is never replaced.
    skip_bad : bool
        Go on without what cannot be read; otherwise nothing is written unless every file is good.
    calibration : Calibration, optional
        Of the spectrometer: the tables then hold corrected wavelengths, and a file of another spectrometer is one that cannot be read.

    Raises
    ------
    BadInput
        When no file was given, none could be read, or, without `skip_bad`, one could not.
    NoRoom
        When the folder cannot be written.
    """
    if not paths:
        raise BadInput("No file was given; name one or more files of a spectrometer.")
    read: list[tuple[Path, InstrumentFile]] = []
    skipped: list[tuple[str, str]] = []
    for path in map(Path, paths):
        try:
            read.append((path, _corrected(read_instrument(path), calibration)))
        except BadInput as error:
            if not skip_bad:
                others = " Nothing was written; --skip-bad goes on without it." if len(paths) > 1 else ""
                raise type(error)(f"{error}{others}", item=error.item) from error
            skipped.append((str(path), str(error)))
    if not read:
        raise BadInput(f"None of the {len(paths)} files could be read. The first: {skipped[0][1]}", item=skipped[0][0])
    contents = [instrument_table(file) for _, file in read]
    tables = _tables([path for path, _ in read], contents, make_folder(out))
    for table, content in zip(tables, contents, strict=True):
        write_atomically(table, content)
    return Converted(tuple((str(path), table, file) for table, (path, file) in zip(tables, read, strict=True)), tuple(skipped))


def _corrected(file: InstrumentFile, known: Calibration | None) -> InstrumentFile:
    """Return a file with the wavelengths of a calibration.

    Raises
    ------
    BadCase
        When the calibration is of another spectrometer, or its wavelengths would not rise.
    """
    if known is None:
        return file
    first = file.recordings[0]
    serial = next((each.serial for each in file.recordings if each.serial), None)
    if why := why_unfit(known, axis_of(first.wavelength_nm), serial):
        raise BadCase(f"{file.name}: {why}", item=file.name)
    right = with_correction(first.wavelength_nm, known.correction) if known.correction else first.wavelength_nm
    return replace(file, recordings=tuple(replace(each, wavelength_nm=right) for each in file.recordings))


def _tables(paths: Sequence[Path], contents: Sequence[bytes], folder: Path) -> list[Path]:
    """Return a name of its own for each table; capitals do not tell names apart on every disk."""
    stems = Counter(path.stem.casefold() for path in paths)
    there = {path.name.casefold(): path for path in folder.iterdir()}
    tables: list[Path] = []
    for path, content in zip(paths, contents, strict=True):
        stem = path.name if stems[path.stem.casefold()] > 1 else path.stem
        names = chain([f"{stem}.csv", f"{path.name}.csv"], (f"{path.name}-{n}.csv" for n in count(2)))
        used = {table.name.casefold() for table in tables}
        free = (name for name in names if name.casefold() not in used and _may_lie(content, there.get(name.casefold())))
        tables.append(folder / next(free))
    return tables


def _may_lie(content: bytes, there: Path | None) -> bool:
    """Return whether a table may be written where a file lies already, or none."""
    return there is None or (there.is_file() and there.stat().st_size == len(content) and there.read_bytes() == content)


def _file(given: str, table: Path, file: InstrumentFile) -> dict[str, Any]:
    return {
        "file": given,
        "reader": file.reader,
        "table": str(table),
        "sha256": file.sha256,
        "table_sha256": sha256_file(table),
        "warnings": [dict(warning) for warning in file.warnings],
        "spectra": [
            {
                "role": each.role,
                "pixels": len(each.values),
                "first_nm": float(each.wavelength_nm[0]),
                "last_nm": float(each.wavelength_nm[-1]),
                "unit": each.unit,
                "integration_ms": each.integration_ms,
                "averages": each.averages,
                "serial": each.serial,
                "saturated": each.saturated,
            }
            for each in file.recordings
        ],
    }
