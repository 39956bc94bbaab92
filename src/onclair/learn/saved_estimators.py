"""Fitted estimators as parts of a model's record, and back: arrays, trees or weights, and what the document must say of them.

Support vectors and boosted trees are plain arrays; only forests need skops. A network's weights lie in safetensors, its shape in the
document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadModelFile, BadSetting
from onclair.io.models import ModelRecord
from onclair.learn.estimators import FittedEstimator, LinearModel, Link, TreeModel
from onclair.learn.estimators_boosting import BoostedModel
from onclair.learn.estimators_svm import KernelModel
from onclair.learn.nets1d import NetworkModel, architecture_record, network_model

Arrays = Mapping[str, npt.NDArray[Any]]
_LINKS: Mapping[str, Link] = MappingProxyType({"logistic": "logit", "cox": "cloglog"})


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What a record holds of an estimator.

    Attributes
    ----------
    family : str
    arrays, weights : mapping of str to ndarray
    trees : estimator or None
    extra : mapping
        Goes into the document's ``extra``.
    """

    family: str
    arrays: Arrays = field(default_factory=dict)
    trees: Any = None
    weights: Arrays = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


def parts_of(estimator: FittedEstimator, name: str) -> Parts:
    """Return an estimator as parts of a record.

    Raises
    ------
    BadSetting
        When it is none of this room's; `name`, the model's, is quoted.

    Examples
    --------
    >>> parts_of(LinearModel(np.array([0.5]), 1.0, "logit"), "m").family
    'logistic'
    """
    for kind, take in _TAKEN.items():
        if isinstance(estimator, kind):
            return take(estimator)
    found = type(estimator).__name__
    said = f"The model '{name}' holds a {found}, for which there is no file format; use an estimator of Onclair."
    raise BadSetting(said, item=found)


def estimator_of(record: ModelRecord, columns: Sequence[str]) -> FittedEstimator:
    """Return the estimator in a record.

    Parameters
    ----------
    record : ModelRecord
    columns : sequence of str
        What it sees, in order.

    Raises
    ------
    BadModelFile
        For a family that is not one of this room's, or parts that do not fit.
    KeyError
        When an array is absent.
    """
    family = str(record.document["family"])
    if family not in _BUILT:
        raise BadModelFile(f"The model is of family '{family}'; a locked model is one of {', '.join(_BUILT)}.", item=family)
    return _BUILT[family](record, columns)


def _from_linear(model: LinearModel) -> Parts:
    arrays: dict[str, npt.NDArray[Any]] = {"coefficients": model.coefficients, "intercept": np.array(model.intercept)}
    if model.horizon is not None:
        arrays["horizon"] = np.array(model.horizon)
    return Parts(next(family for family, link in _LINKS.items() if link == model.link), arrays)


def _linear(record: ModelRecord, columns: Sequence[str]) -> LinearModel:
    arrays = record.arrays
    horizon = arrays["horizon"].item() if "horizon" in arrays else None
    _fits(arrays["coefficients"].shape, (len(columns),))
    return LinearModel(_numbers(arrays["coefficients"]), arrays["intercept"].item(), _LINKS[record.document["family"]], horizon)


def _from_forest(model: TreeModel) -> Parts:
    return Parts("forest", trees=model.forest)


def _forest(record: ModelRecord, columns: Sequence[str]) -> TreeModel:
    from sklearn.ensemble import RandomForestClassifier  # here, as in estimators.py

    if not isinstance(record.trees, RandomForestClassifier):
        raise BadModelFile("The model is a forest but its file of trees is absent or of another kind; fetch it again.", item="trees")
    _fits((record.trees.n_features_in_,), (len(columns),))
    return TreeModel(record.trees)


def _from_kernel(model: KernelModel) -> Parts:
    scalars = {"svm.intercept": np.array(model.intercept), "svm.gamma": np.array(model.gamma)}
    return Parts("svm", {"svm.support": model.support, "svm.weights": model.weights, **scalars})


def _kernel(record: ModelRecord, columns: Sequence[str]) -> KernelModel:
    support, weights = _numbers(record.arrays["svm.support"]), _numbers(record.arrays["svm.weights"])
    _fits(support.shape, (len(weights), len(columns)))
    return KernelModel(support, weights, record.arrays["svm.intercept"].item(), record.arrays["svm.gamma"].item())


_NODES = ("feature", "threshold", "left", "right", "value")


def _from_boosted(model: BoostedModel) -> Parts:
    nodes = {f"trees.{name}": getattr(model, name) for name in _NODES}
    return Parts("boosting", {**nodes, "trees.intercept": np.array(model.intercept), "trees.depth": np.array(model.depth)})


def _boosted(record: ModelRecord, columns: Sequence[str]) -> BoostedModel:
    held = {name: record.arrays[f"trees.{name}"] for name in _NODES}
    feature, left, right = (np.asarray(held[name], dtype=np.int64) for name in ("feature", "left", "right"))
    intercept, depth = record.arrays["trees.intercept"].item(), int(record.arrays["trees.depth"].item())
    return BoostedModel(feature, _numbers(held["threshold"]), left, right, _numbers(held["value"]), intercept, depth, len(columns))


def _from_network(model: NetworkModel) -> Parts:
    told = [{"name": n, "dtype": str(a.dtype), "shape": list(a.shape)} for n, a in sorted(model.weights.items())]
    extra = {"network": {"architecture": architecture_record(model.architecture), "weights": told}}
    return Parts("network", weights=model.weights, extra=extra)


def _network(record: ModelRecord, columns: Sequence[str]) -> NetworkModel:
    return network_model(record.document["extra"]["network"]["architecture"], columns, record.weights)


def _fits(found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        raise BadModelFile(f"The model's arrays are of shape {found} where {expected} is expected; fetch it again.", item="arrays.npz")


def _numbers(array: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.asarray(array, dtype=np.float64)


_TAKEN: Mapping[type, Callable[[Any], Parts]] = MappingProxyType(
    {
        LinearModel: _from_linear,
        TreeModel: _from_forest,
        KernelModel: _from_kernel,
        BoostedModel: _from_boosted,
        NetworkModel: _from_network,
    }
)
_BUILT: Mapping[str, Callable[[ModelRecord, Sequence[str]], FittedEstimator]] = MappingProxyType(
    {"logistic": _linear, "cox": _linear, "forest": _forest, "svm": _kernel, "boosting": _boosted, "network": _network}
)
