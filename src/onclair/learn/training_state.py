"""Where a training stands, on disk: one safetensors file with a JSON record in its header, written whole or not at all, no pickle.

Order, augmentation and dropout follow from (seed, epoch, batch) alone, so the state of every generator is two counters: epoch and step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.canonical import canonical_json, sha256_of
from onclair.core.errors import BadModelFile, BadSetting
from onclair.io.executable import refuse_executable
from onclair.io.files import write_atomically
from onclair.io.manifest import parsed_json, read_bytes

#: The version of the layout.
FORMAT = "onclair-training/2"
_HEADER = "onclair.training"

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A training between two steps.

    Attributes
    ----------
    task : mapping
        What is being trained, plain values: settings, number of items, hash of the first weights, version of torch.
    counters : mapping
        Plain values: step, what was done of the epoch under way, the best epoch so far, the history.
    arrays : dict of str to dict of str to ndarray
        By group (``weights``, ``averaged``, ``best``, and ``optimiser.KEY``), then by the name of the weight.
    """

    task: Mapping[str, Any]
    counters: Mapping[str, Any]
    arrays: Mapping[str, Arrays] = field(default_factory=dict)


def save_state(path: str | Path, state: State) -> None:
    """Write a checkpoint, whole or not at all; the one before is replaced.

    Raises
    ------
    NoRoom
        When the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     save_state(Path(home, "c"), State({"seed": 1}, {"epoch": 2}, {"weights": {"w": np.array([0.5])}}))
    ...     found = load_state(Path(home, "c"), {"seed": 1})
    >>> found.counters["epoch"], found.arrays["weights"]["w"].tolist()
    (2, [0.5])
    """
    from safetensors.numpy import save

    flat = {f"{group}/{name}": array for group, arrays in sorted(state.arrays.items()) for name, array in sorted(arrays.items())}
    record = {"format": FORMAT, "task": dict(state.task), "counters": dict(state.counters), "arrays": digest_of(flat)}
    sealed = {"record": record, "sha256": sha256_of(record)}
    write_atomically(path, save(flat, metadata={_HEADER: canonical_json(sealed).decode()}))


def load_state(path: str | Path, task: Mapping[str, Any]) -> State:
    """Return the checkpoint of a training, after it was found unchanged and of this very training.

    Parameters
    ----------
    path : path
    task : mapping
        What is being trained now.

    Raises
    ------
    BadModelFile
        For a file that is damaged, foreign or executable.
    BadSetting
        When it belongs to another training: the first entry that differs is quoted.
    """
    path = Path(path)
    data = read_bytes(path)
    refuse_executable(data, path.name)
    record, flat = _record(data, path.name), _arrays(data, path.name)
    if record["arrays"] != digest_of(flat):
        raise _damaged(path.name, "its numbers are not those that were saved")
    _check_task(path, record["task"], task)
    groups: dict[str, Arrays] = {}
    for key, array in flat.items():
        group, _, name = key.partition("/")
        groups.setdefault(group, {})[name] = array
    return State(record["task"], record["counters"], groups)


def digest_of(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return the SHA-256 of named arrays: names, types, shapes and every bit of the numbers.

    Examples
    --------
    >>> digest_of({"w": np.zeros(2)}) == digest_of({"w": np.zeros(2)}), digest_of({"w": np.zeros(2)}) == digest_of({"w": -np.zeros(2)})
    (True, False)
    """
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(canonical_json([name, array.dtype.str, list(array.shape)]))
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _record(data: bytes, name: str) -> dict[str, Any]:
    """Return the JSON in the header: eight bytes of length, then the header itself (the layout of safetensors)."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise _damaged(name, "it ends early")
    header = parsed_json(data[8 : 8 + length], name)
    metadata = header.get("__metadata__")
    text = metadata.get(_HEADER) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise _damaged(name, "it holds no record of a training")
    sealed = parsed_json(text.encode(), name)
    record: dict[str, Any] = sealed.get("record") or {}
    if record.get("format") != FORMAT:
        raise _damaged(name, f"its format is not '{FORMAT}'")
    if sealed.get("sha256") != sha256_of(record):
        raise _damaged(name, "its record is not the one that was saved")
    return record


def _arrays(data: bytes, name: str) -> Arrays:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(data))
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise _damaged(name, str(error).strip().rstrip(".")) from error


def _check_task(path: Path, found: Mapping[str, Any], task: Mapping[str, Any]) -> None:
    for key in sorted({*found, *task}):
        if found.get(key) != task.get(key):
            said = f"The checkpoint {path} is of another training: its '{key}' is {found.get(key)} where {task.get(key)} is asked for"
            raise BadSetting(f"{said}; ask for the same again, or remove the file to start anew.", item=key)


def _damaged(name: str, why: str) -> BadModelFile:
    return BadModelFile(f"The checkpoint {name} cannot be used ({why}); remove it to start the training anew.", item=name)
