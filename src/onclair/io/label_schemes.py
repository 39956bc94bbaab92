"""A user's scheme of bone labels: a TOML file, or the ``dataset.json`` of an nnU-Net data set."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onclair.core.errors import BadInput
from onclair.io.files import toml_fault

#: What nnU-Net calls the outside.
_OUTSIDE = "background"


def read_label_scheme(path: str | Path) -> Mapping[str, Any]:
    r"""Return a scheme of labels as plain values, for :meth:`onclair.science.bone.labels.Scheme.from_mapping`.

    Parameters
    ----------
    path : path
        TOML with a table ``[bones]`` of value = words (``20 = "vertebra L3"``) or value = ``{name, level, side}``, and optionally
        ``name``; or JSON with ``labels`` from names to values, as nnU-Net writes.

    Returns
    -------
    mapping
        ``name`` and ``bones``.

    Raises
    ------
    BadInput
        For a missing or damaged file, or one without such a table.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "spine.toml")
    ...     _ = path.write_text('[bones]\n20 = "vertebra L3"\n')
    ...     read_label_scheme(path)
    {'name': 'spine', 'bones': {'20': 'vertebra L3'}}
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = "no text" if isinstance(error, UnicodeDecodeError) else (error.strerror or str(error)).lower()
        raise BadInput(f"The scheme of labels {path} cannot be read ({why}); correct the name after --scheme.", item=path.name) from error
    document = _json(text, path.name) if path.suffix.lower() == ".json" else _toml(text, path.name)
    bones = document.get("bones")
    if not isinstance(bones, Mapping) or not bones:
        raise BadInput(
            f"The scheme of labels {path.name} has no table 'bones'; write lines such as 20 = \"vertebra L3\" below [bones].",
            item=path.name,
        )
    return {"name": str(document.get("name", path.stem)), "bones": dict(bones)}


def _toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(
            f'The scheme of labels {name} is not TOML ({toml_fault(error)}); write lines such as 20 = "vertebra L3".', item=name
        ) from error


def _json(text: str, name: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(
            f"The scheme of labels {name} is not JSON ({error.msg}, line {error.lineno}); export it again.", item=name
        ) from error
    labels = document.get("labels") if isinstance(document, dict) else None
    if not isinstance(labels, dict):
        return {}
    return {"bones": {str(value): said for said, value in labels.items() if said != _OUTSIDE}}
