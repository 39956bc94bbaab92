"""Bone calibrations on disk: tissues and phantoms that people write down, and `CAL.json`, which names what it came from by SHA-256."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadInput
from onclair.core.names import did_you_mean
from onclair.io.files import sha256_file, toml_fault, write_atomically

#: The layout of a calibration file.
SCHEMA = "onclair-bone-calibration/1"
_TISSUES = ("adipose", "air", "blood", "bone", "muscle")
_NUMBERS = ("slope", "intercept")


@dataclass(frozen=True, slots=True)
class Tissues:
    """HU of tissues as a person wrote them down.

    Attributes
    ----------
    hu : mapping of str to float
    contrast : bool
    """

    hu: Mapping[str, float]
    contrast: bool = False


@dataclass(frozen=True, slots=True)
class Phantom:
    """A phantom's rods, or a hospital's table of scanners.

    Attributes
    ----------
    name : str
    rods : tuple of mapping
        ``hu mg_cc`` (K2HPO4-equivalent, converted where the phantom is of another salt) and, in liquid phantoms, ``water_mg_cc``.
    scanners : tuple of mapping
        ``scanner kvp slope intercept``, optionally ``error_mg_cc``.
    """

    name: str
    rods: tuple[Mapping[str, float], ...] = ()
    scanners: tuple[Mapping[str, Any], ...] = field(default=())


def read_tissues(path: str | Path) -> Tissues:
    """Return the HU of tissues from a JSON file.

    Parameters
    ----------
    path : path
        ``{"adipose": HU, "air": HU, "blood": HU, "bone": HU, "muscle": HU, "contrast": false}``; null or a missing key where a tissue
        was not sampled.

    Raises
    ------
    BadInput
        For a missing or damaged file, an unknown key, or a value that is no number.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "t.json").write_text('{"air": -990, "bone": 1200, "muscle": 40, "contrast": true}')
    ...     read_tissues(Path(folder, "t.json"))
    Tissues(hu={'air': -990.0, 'bone': 1200.0, 'muscle': 40.0}, contrast=True)
    """
    path = Path(path)
    document = _json(path, "tissues")
    for key in document:
        if key not in (*_TISSUES, "contrast"):
            raise BadInput(f"The tissues file {path.name} has the key '{key}'; {did_you_mean(key, (*_TISSUES, 'contrast'))}", item=key)
    contrast = document.get("contrast", False)
    if not isinstance(contrast, bool):
        raise BadInput(f"In the tissues file {path.name} contrast is {contrast!r}; write true or false.", item="contrast")
    given = {key: document[key] for key in _TISSUES if document.get(key) is not None}
    return Tissues({key: _number(value, f"{key} in the tissues file {path.name}") for key, value in given.items()}, contrast)


def read_phantom(path: str | Path) -> Phantom:
    r"""Return a phantom's rods, or a table of scanners, from a TOML file.

    Parameters
    ----------
    path : path
        ``[[rods]]`` with ``hu``, ``mg_cc`` and optionally ``water_mg_cc``; ``material = "K2HPO4"``, or another with a table
        ``[to_k2hpo4]`` of ``slope`` and ``intercept`` in mg/cc. Or ``[[scanners]]`` with ``scanner``, ``kvp``, ``slope``,
        ``intercept`` and optionally ``error_mg_cc``.

    Raises
    ------
    BadInput
        For a missing or damaged file, neither table, a missing or foreign value, or a salt without its conversion.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "p.toml").write_text('material = "K2HPO4"\n[[rods]]\nhu = 5\nmg_cc = 0\n[[rods]]\nhu = 255\nmg_cc = 200\n')
    ...     read_phantom(Path(folder, "p.toml")).rods[1]
    {'hu': 255.0, 'mg_cc': 200.0}
    """
    path = Path(path)
    document = _toml(path)
    name, of = str(document.get("name", path.stem)), f"the phantom file {path.name}"
    scanners = _tables(document.get("scanners", []), "scanners", of)
    if scanners:
        return Phantom(name, scanners=tuple(_scanner(row, of) for row in scanners))
    rods = _tables(document.get("rods", []), "rods", of)
    if not rods:
        raise BadInput(f"{_capital(of)} has neither [[rods]] nor [[scanners]]; write one table a rod with hu and mg_cc.", item=path.name)
    slope, intercept = _salt(document, of)
    found = []
    for row in rods:
        rod = {key: _number(row.get(key), f"{key} of a rod in {of}") for key in ("hu", "mg_cc")}
        rod["mg_cc"] = slope * rod["mg_cc"] + intercept
        if "water_mg_cc" in row:
            rod["water_mg_cc"] = _number(row["water_mg_cc"], f"water_mg_cc of a rod in {of}")
        found.append(rod)
    return Phantom(name, tuple(found))


def write_calibration(path: str | Path, calibration: Mapping[str, Any], *, method: str, sources: Sequence[Path]) -> str:
    """Write a calibration, atomically, with the SHA-256 of what it came from.

    Parameters
    ----------
    path : path
    calibration : mapping
        Plain values, as ``Calibration.as_dict`` gives them.
    method : str
        ``"tissues"``, ``"phantom"``, ``"image"``.
    sources : sequence of Path
        The files; of a folder, each file in it.

    Returns
    -------
    str
        SHA-256 of the calibration and its sources.

    Raises
    ------
    NoRoom
        When the folder cannot be written.
    """
    made_from = {"method": method, "files": {file.name: sha256_file(file) for file in _files(sources)}}
    body = {"schema": SCHEMA, "made_from": made_from, "calibration": dict(calibration)}
    seal = sha256_of(body)
    text = json.dumps({**body, "sha256": seal}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, text.encode())
    return seal


def read_calibration(path: str | Path) -> Mapping[str, Any]:
    """Return the plain values of a calibration, for ``calibrate.from_dict``.

    Parameters
    ----------
    path : path
        What :func:`write_calibration` wrote.

    Raises
    ------
    BadInput
        For a missing, damaged or foreign file, or one that was changed after it was written.

    Examples
    --------
    >>> import tempfile
    >>> line = {"slope": 0.8, "intercept": 0.0}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_calibration(Path(folder, "CAL.json"), {"hu_to_density": line}, method="phantom", sources=[])
    ...     read_calibration(Path(folder, "CAL.json"))["hu_to_density"]["slope"]
    0.8
    """
    path = Path(path)
    document = _json(path, "calibration")
    if document.get("schema") != SCHEMA:
        said = f"The calibration {path.name} is of the layout {document.get('schema')!r}, {SCHEMA!r} is expected"
        raise BadInput(f"{said}; make it with onclair bone calibrate --out {path.name}.", item=path.name)
    seal = document.pop("sha256", None)
    calibration = document.get("calibration")
    if seal != sha256_of(document) or not isinstance(calibration, Mapping):
        raise BadInput(
            f"The calibration {path.name} was changed after it was written; make it anew with onclair bone calibrate.", item=path.name
        )
    return calibration


def _files(sources: Sequence[Path]) -> list[Path]:
    return [file for source in sources for file in (sorted(p for p in source.rglob("*") if p.is_file()) if source.is_dir() else [source])]


def _salt(document: Mapping[str, Any], of: str) -> tuple[float, float]:
    """Return slope and intercept from the phantom's own salt to K2HPO4."""
    material = str(document.get("material", ""))
    if material.upper() == "K2HPO4":
        return 1.0, 0.0
    line = document.get("to_k2hpo4")
    if not isinstance(line, Mapping):
        said = f"{_capital(of)} is of {material!r}" if material else f"{_capital(of)} does not name its material"
        raise BadInput(f'{said}; write material = "K2HPO4", or a table [to_k2hpo4] with slope and intercept.', item="material")
    slope, intercept = (_number(line.get(key), f"{key} of [to_k2hpo4] in {of}") for key in _NUMBERS)
    return slope, intercept


def _scanner(row: Mapping[str, Any], of: str) -> Mapping[str, Any]:
    numbers = {key: _number(row.get(key), f"{key} of a scanner in {of}") for key in ("kvp", *_NUMBERS)}
    error = _number(row.get("error_mg_cc", 0.0), f"error_mg_cc of a scanner in {of}")
    return {"scanner": str(row.get("scanner", "")), **numbers, "error_mg_cc": error}


def _tables(value: Any, name: str, of: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        raise BadInput(f"In {of} '{name}' is no list of tables; write [[{name}]] above each.", item=name)
    return value


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(f"The value of {what} is {value!r}; a number is needed.", item=what)
    return float(value)


def _json(path: Path, what: str) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadInput(f"The {what} file {path} cannot be read ({(error.strerror or str(error)).lower()}); correct its path.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"The {what} file {path.name} is not JSON ({error}); export or write it again.", item=path.name) from error
    if not isinstance(document, dict):
        raise BadInput(f"The {what} file {path.name} holds no object; write keys and values between braces.", item=path.name)
    return document


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"The phantom file {path} cannot be used ({toml_fault(error)}); write it as TOML.", item=path.name) from error


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
