"""A segmentation network with all that using it takes: plan, threshold, calibration of its scores; a record of ours, or a bare ONNX file.

A bare ``MODEL.onnx`` is accepted with a plan beside it, ``MODEL.json`` (or ``plan.json``, or nnU-Net's own ``plans.json``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from onclair.core.errors import BadModelFile
from onclair.core.names import did_you_mean
from onclair.io.manifest import parsed_json, read_bytes
from onclair.io.networks import NetworkRecord, load_network, network_record
from onclair.learn.instance_scores import ScoreModel
from onclair.learn.plan import Plan

#: Where a record keeps it, under ``extra``.
SEGMENTATION = "segmentation"
#: Where lesions begin when nobody chose.
THRESHOLD = 0.5
_NEEDED = ("spacing_mm", "patch", "clip", "mean", "std")
_KEYS = (*_NEEDED, "batch", "features", "strides", "kernels", "classes", "axes", "activation", "threshold", "scores", "model_sha256")

Activation = Literal["none", "softmax", "sigmoid"]


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A network that finds lesions, and how it is to be used.

    Attributes
    ----------
    record : NetworkRecord
    plan : Plan
    axes : str
        The order in which the network takes the axes; ``"xyz"`` for ours, ``"zyx"`` for nnU-Net's.
    activation : {"none", "softmax", "sigmoid"}
        What turns its output into probabilities; ours are that already.
    threshold : float
        From which probability on a voxel belongs to a candidate.
    scores : ScoreModel or None
        The calibration of a candidate's score; None where there is none.
    """

    record: NetworkRecord
    plan: Plan
    axes: str = "xyz"
    activation: Activation = "none"
    threshold: float = THRESHOLD
    scores: ScoreModel | None = None


def segmentation_record(
    name: str, graph: bytes, plan: Plan, *, threshold: float, scores: ScoreModel | None, about: Mapping[str, Any] | None = None
) -> NetworkRecord:
    """Return a network as a record that needs nothing else to be used; it is saved by ``io.networks.save_network``.

    Parameters
    ----------
    name : str
    graph : bytes
        ONNX, answering probabilities.
    plan : Plan
    threshold : float
    scores : ScoreModel or None
    about : mapping, optional
        Plain values: how it came about.
    """
    entry = {
        "plan": plan.as_record(),
        "plan_sha256": plan.sha256,
        "threshold": threshold,
        "scores": None if scores is None else scores.as_record(),
    }
    return network_record(name, "lesions", graph=graph, extra={SEGMENTATION: entry, **(about or {})})


def bundle_of(source: NetworkRecord | str | Path) -> Bundle:
    """Return a segmentation network ready to be used, after its plan was found to be the one it was made for.

    Parameters
    ----------
    source : NetworkRecord, or path
        A folder that ``bone train`` wrote, or an ONNX file with its plan beside it.

    Raises
    ------
    BadModelFile
        For a file that is absent, changed, executable or no such network; a plan that lacks an entry; a plan or a hash of another model.
    """
    if isinstance(source, NetworkRecord):
        return _of_record(source)
    path = Path(source)
    if path.is_file() and path.suffix.lower() == ".onnx":
        return _of_file(path)
    return _of_record(load_network(path))


def _of_record(record: NetworkRecord) -> Bundle:
    entry = (record.document.get("extra") or {}).get(SEGMENTATION)
    name = str(record.document["name"])
    if not isinstance(entry, Mapping) or not isinstance(entry.get("plan"), Mapping):
        raise BadModelFile(f"The network '{name}' has no plan of a segmentation; give one that 'onclair bone train' made.", item=name)
    plan = _plan(entry["plan"], name)
    if entry.get("plan_sha256") != plan.sha256:
        raise BadModelFile(f"The plan of the network '{name}' is not the one it was trained with; fetch it again.", item="plan")
    _check_shapes(record, plan.patch, len(plan.classes), name)
    return Bundle(record, plan, threshold=_threshold(entry, name), scores=_scores(entry, name))


def _of_file(path: Path) -> Bundle:
    """Return the network of a bare ONNX file, by the plan beside it."""
    graph = read_bytes(path)
    beside = [path.with_suffix(".json"), path.with_name("plan.json"), path.with_name("plans.json")]
    found = next((each for each in beside if each.is_file()), None)
    if found is None:
        said = f"There is no plan beside {path.name}; write {beside[0].name} with {', '.join(_NEEDED)}"
        raise BadModelFile(f"{said}, or put nnU-Net's plans.json there.", item=beside[0].name)
    document = parsed_json(read_bytes(found), found.name)
    entry = _from_nnunet(document, found.name) if "configurations" in document else document
    for key in entry:
        if key not in _KEYS:
            raise BadModelFile(f"The plan {found.name} has an unknown key '{key}'; {did_you_mean(str(key), _KEYS)}", item=str(key))
    told, own = entry.get("model_sha256"), hashlib.sha256(graph).hexdigest()
    if told is not None and told != own:
        raise BadModelFile(
            f"The plan {found.name} is of a model with the SHA-256 {told}, and {path.name} has {own}; give the two that belong together.",
            item="model_sha256",
        )
    return _of_graph(path, graph, entry, found.name)


def _of_graph(path: Path, graph: bytes, entry: Mapping[str, Any], where: str) -> Bundle:
    axes, activation = str(entry.get("axes", "xyz")), str(entry.get("activation", "softmax"))
    if sorted(axes) != ["x", "y", "z"]:
        raise BadModelFile(f"The plan {where} has the axes '{axes}'; write x, y and z in the order that the network takes.", item="axes")
    if activation not in ("none", "softmax", "sigmoid"):
        raise BadModelFile(f"The plan {where} has the activation '{activation}'; it must be none, softmax or sigmoid.", item="activation")
    record = network_record(path.stem, "lesions", graph=graph)
    outputs = record.document["extra"]["network"]["outputs"]
    channels = outputs[0]["shape"][1] if len(outputs[0]["shape"]) == 5 else None
    several = channels if activation != "sigmoid" and channels else 2
    classes = entry.get("classes") or ["background", *[f"class {k}" for k in range(1, several)]]
    plan = _plan({**entry, "classes": classes}, where, axes)
    _check_shapes(record, tuple(plan.patch["xyz".index(axis)] for axis in axes), len(plan.classes) - (activation == "sigmoid"), path.name)
    kind: Activation = "none" if activation == "none" else "softmax" if activation == "softmax" else "sigmoid"
    return Bundle(record, plan, axes, kind, _threshold(entry, where), _scores(entry, where))


def _from_nnunet(document: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the entries of nnU-Net 2's ``plans.json``: its arrays are (z, y, x), permuted again by ``transpose_forward``."""
    try:
        full = document["configurations"]["3d_fullres"]
        seen = next(iter(document["foreground_intensity_properties_per_channel"].values()))
        return {
            "spacing_mm": full["spacing"],
            "patch": full["patch_size"],
            "clip": [seen["percentile_00_5"], seen["percentile_99_5"]],
            "mean": seen["mean"],
            "std": seen["std"],
            "axes": "".join("zyx"[int(axis)] for axis in document.get("transpose_forward", (0, 1, 2))),
            "activation": "softmax",
        }
    except (KeyError, TypeError, IndexError, StopIteration, AttributeError) as error:
        said = f"The plan {where} looks like nnU-Net's, but lacks {error}"
        raise BadModelFile(f"{said}; give the plans.json of a 3d_fullres model of nnU-Net 2.", item=where) from error


def _plan(entry: Mapping[str, Any], where: str, axes: str = "xyz") -> Plan:
    for key in _NEEDED:
        if key not in entry:
            raise BadModelFile(f"The plan of {where} has no '{key}'; it needs {', '.join(_NEEDED)}.", item=key)
    try:
        turned = {key: [entry[key][axes.index(axis)] for axis in "xyz"] for key in ("spacing_mm", "patch")}
        plan = Plan.from_record({**entry, **turned})
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise BadModelFile(f"The plan of {where} cannot be read ({error}); write numbers as 'onclair bone train' does.") from error
    if min(plan.spacing_mm) <= 0 or min(plan.patch) < 1 or plan.std <= 0 or plan.clip[1] <= plan.clip[0]:
        raise BadModelFile(f"The plan of {where} has a spacing, patch, spread or clip that is not positive; correct it.", item="plan")
    return plan


def _check_shapes(record: NetworkRecord, patch: Sequence[int], classes: int, name: str) -> None:
    """Refuse a network whose tensors are not those of the plan: one channel of one patch in, one channel a class out."""
    if record.graph is None:
        raise BadModelFile(f"The network '{name}' has no ONNX graph; train it to the end.", item=name)
    described = record.document["extra"]["network"]
    wanted = {"inputs": [1, *patch], "outputs": [classes, *patch]}
    for part, shape in wanted.items():
        found = described[part][0]["shape"] if len(described[part]) >= 1 else []
        fits = len(found) == 5 and all(have is None or have == want for have, want in zip(found[1:], shape, strict=True))
        if not fits or (part == "inputs" and len(described[part]) != 1):
            said = f"The {part[:-1]} of the network '{name}' is of shape {found} where its plan asks for (n, {', '.join(map(str, shape))})"
            raise BadModelFile(f"{said}; it is of another plan: give the two that belong together.", item=part)


def _threshold(entry: Mapping[str, Any], where: str) -> float:
    value = entry.get("threshold", THRESHOLD)
    if not isinstance(value, int | float) or not 0 < value < 1:
        raise BadModelFile(f"The threshold of {where} is {value!r}; it must lie between 0 and 1.", item="threshold")
    return float(value)


def _scores(entry: Mapping[str, Any], where: str) -> ScoreModel | None:
    given = entry.get("scores")
    return None if given is None else ScoreModel.from_record(given, where)


__all__ = ["Bundle", "bundle_of", "segmentation_record"]
