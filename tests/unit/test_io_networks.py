"""Networks on disk: weights and ONNX come back, what was changed or reaches outside is refused, and nothing is run to find out."""

import gzip
import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onclair.core.errors import BadInput, BadModelFile, NoRoom
from onclair.io.executable import executable_kind
from onclair.io.models import load_model
from onclair.io.networks import NetworkRecord, load_network, network_record, open_network, save_network
from onclair.io.onnx_graph import inspect_onnx

W = np.array([[0.5, -1.0], [2.0, 0.25], [1.0, 1.0]], dtype=np.float32)


def graph(nodes=None, weights=None, shape=("n", 3), opsets=(("", 17),), functions=()):
    nodes = nodes or [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Sigmoid", ["h"], ["risk"])]
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("risk", TensorProto.FLOAT, ("n", 2))],
        weights or [numpy_helper.from_array(W, "w")],
    )
    imports = [helper.make_opsetid(*opset) for opset in opsets]
    return helper.make_model(made, opset_imports=imports, ir_version=9, functions=list(functions)).SerializeToString()


def record():
    return network_record("net", "relapse", weights={"w": W, "b": np.zeros(2), "k": np.arange(3)}, graph=graph(), extra={"layers": 1})


def saved(tmp_path):
    return save_network(tmp_path / "net", record())


def test_weights_and_graph_survive_the_disk(tmp_path):
    again = load_network(saved(tmp_path))
    assert sorted(again.weights) == ["b", "k", "w"]
    assert all(np.array_equal(again.weights[name], record().weights[name]) for name in again.weights)
    assert again.weights["w"].dtype == np.float32
    assert (again.graph, again.document["extra"]["layers"]) == (graph(), 1)


def test_equal_networks_give_equal_bytes(tmp_path):
    a, b = save_network(tmp_path / "a", record()), save_network(tmp_path / "b", record())
    assert sorted(p.name for p in a.iterdir()) == ["manifest.json", "model.json", "network.onnx", "weights.safetensors"]
    for path in a.iterdir():
        assert path.read_bytes() == (b / path.name).read_bytes(), path.name


def test_weights_in_another_order_or_byte_order_are_the_same(tmp_path):
    turned = network_record("net", "relapse", weights={"w": np.asfortranarray(W.astype(">f4")), "a": W.T})
    again = load_network(save_network(tmp_path / "t", turned)).weights
    assert np.array_equal(again["w"], W)
    assert np.array_equal(again["a"], W.T)


def test_the_document_says_what_goes_in_and_out(tmp_path):
    said = json.loads((saved(tmp_path) / "model.json").read_text())["extra"]["network"]
    assert said["inputs"] == [{"name": "x", "dtype": "float32", "shape": [None, 3]}]
    assert said["outputs"] == [{"name": "risk", "dtype": "float32", "shape": [None, 2]}]
    assert said["weights"][-1] == {"name": "w", "dtype": "float32", "shape": [3, 2]}


def test_a_network_answers_as_its_weights_say_and_twice_the_same(tmp_path):
    network = open_network(load_network(saved(tmp_path)))
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    risk = network.run({"x": x})["risk"]
    assert risk == pytest.approx(1 / (1 + np.exp(-(x @ W))), abs=1e-6)
    assert np.array_equal(risk, open_network(record()).run({"x": x})["risk"])


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({}, r"input 'x' is absent; give float32 of shape \(any, 3\)"),
        ({"x": np.zeros((1, 3))}, "'x' is float64 of shape"),
        ({"x": np.zeros((1, 4), dtype=np.float32)}, r"expected float32 of shape \(any, 3\)"),
        ({"x": np.zeros(3, dtype=np.float32)}, r"of shape \(3,\)"),
        ({"x": np.zeros((1, 3), dtype=np.float32), "y": np.zeros(1)}, "has no input 'y'; known: x"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs, sentence):
    with pytest.raises(BadInput, match=sentence):
        open_network(record()).run(inputs)


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors", "network.onnx"])
def test_a_flipped_bit_is_refused(tmp_path, name):
    folder = saved(tmp_path)
    data = bytearray((folder / name).read_bytes())
    data[-3] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(BadModelFile, match=f"{name} of the model net was changed after it was saved"):
        load_network(folder)


def test_an_added_and_a_missing_file_are_refused(tmp_path):
    folder = saved(tmp_path)
    (folder / "weights.bin").write_bytes(b"x")
    with pytest.raises(BadModelFile, match=r"holds weights.bin, which its manifest does not allow"):
        load_network(folder)
    (folder / "weights.bin").unlink()
    (folder / "network.onnx").unlink()
    with pytest.raises(BadModelFile, match=r"lacks network.onnx"):
        load_network(folder)


def test_a_network_never_replaces_another(tmp_path):
    saved(tmp_path)
    with pytest.raises(NoRoom):
        saved(tmp_path)


def outside():
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=W.shape, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def custom(domain="my.ops"):
    return [helper.make_node("Secret", ["x"], ["risk"], domain=domain)]


def in_a_branch(tensor):
    constant = helper.make_node("Constant", [], ["c"], value=tensor)
    out = [helper.make_tensor_value_info("c", TensorProto.FLOAT, (3, 2))]
    branch = helper.make_graph([constant], "b", [], out)
    choice = helper.make_node("If", ["yes"], ["m"], then_branch=branch, else_branch=branch)
    yes = helper.make_node("Constant", [], ["yes"], value=helper.make_tensor("t", TensorProto.BOOL, [], [1]))
    return [yes, choice, helper.make_node("MatMul", ["x", "m"], ["risk"])]


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: graph(weights=[outside()]), "keeps 'w' in another file"),
        (lambda: graph(nodes=in_a_branch(outside())), "keeps 'w' in another file"),
        (lambda: graph(nodes=custom(), opsets=(("", 17), ("my.ops", 1))), "operator set 'my.ops', which is not part"),
        (lambda: graph(nodes=custom("com.microsoft")), "operator set 'com.microsoft'"),
        (lambda: graph(nodes=[helper.make_node("RandomNormalLike", ["x"], ["risk"])]), "draws at random"),
        (lambda: graph(nodes=[helper.make_node("Nonsense", ["x"], ["risk"])]), None),
        (lambda: b"\x00" * 40, "is no ONNX model"),
        (lambda: graph()[:-7], "is no ONNX model"),
        (lambda: b"", "0 graphs"),
    ],
)
def test_an_onnx_file_that_may_not_be_used_is_refused_without_being_run(made, sentence):
    if sentence is None:
        with pytest.raises(BadModelFile, match=r"network.onnx cannot be used \(.*Nonsense"):
            open_network(network_record("net", "relapse", graph=made()))
        return
    with pytest.raises(BadModelFile, match=sentence):
        network_record("net", "relapse", graph=made())


def test_functions_of_a_model_are_looked_into():
    body = [helper.make_node("RandomUniform", [], ["r"], shape=[1, 2])]
    function = helper.make_function("ai.onnx", "Hides", ["a"], ["r"], body, [helper.make_opsetid("", 17)])
    found = inspect_onnx(graph(functions=[function]), "network.onnx")
    assert ("", "RandomUniform") in found.operators


def test_what_is_read_without_onnx_is_what_onnx_reads():
    model = onnx.load_model_from_string(graph(nodes=in_a_branch(numpy_helper.from_array(W, "w"))))
    found = inspect_onnx(model.SerializeToString(), "network.onnx")
    assert {name for _, name in found.operators} == {"Constant", "If", "MatMul"}
    assert [t.name for t in found.inputs] == [i.name for i in model.graph.input]
    assert (found.inputs[0].shape, found.domains, found.external) == ((None, 3), {""}, set())


def test_a_document_that_names_another_shape_is_refused(tmp_path):
    good = record()
    for part, change in (("inputs", "shape"), ("outputs", "name"), ("weights", "dtype")):
        document = json.loads(json.dumps(good.document))
        document["extra"]["network"][part][0][change] = "other"
        with pytest.raises(BadModelFile, match=f"The {part} of the network are"):
            save_network(tmp_path / part, NetworkRecord(document, good.weights, good.graph))
        with pytest.raises(BadModelFile, match=f"The {part} of the network are"):
            open_network(NetworkRecord(document, good.weights, good.graph))


def test_a_network_of_nothing_and_one_that_is_no_network_are_refused(tmp_path):
    with pytest.raises(BadModelFile, match="neither weights nor an ONNX graph"):
        network_record("net", "relapse")
    with pytest.raises(BadModelFile, match="weights 'w' are of type object"):
        network_record("net", "relapse", weights={"w": np.array([None])})
    with pytest.raises(BadModelFile, match="no ONNX graph, so it cannot be run"):
        open_network(network_record("net", "relapse", weights={"w": W}))
    with pytest.raises(BadModelFile, match="does not allow"):
        load_model(saved(tmp_path))


def test_damaged_weights_under_an_honest_manifest_are_refused(tmp_path):
    from onclair.io.manifest import write_sealed

    folder = saved(tmp_path)
    contents = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "manifest.json"}
    contents["weights.safetensors"] = contents["weights.safetensors"][:-5]
    with pytest.raises(BadModelFile, match=r"weights.safetensors cannot be read"):
        load_network(write_sealed(tmp_path / "short", contents))


class Payload:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path), 0o700)


def prefixed_zip(bare):
    buffer = io.BytesIO(b"#!/bin/sh\n" * 3)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("archive/data.pkl", bare)
    return buffer.getvalue()


def zip_with_a_damaged_first_member(bare):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("first.npy", b"a" * 50)
        archive.writestr("second.npy", bare)
    return buffer.getvalue().replace(b"a" * 50, b"a" * 49 + b"b", 1)


def later_dresses(canary):
    bare = pickle.dumps(Payload(canary), protocol=0)
    long = pickle.dumps(["x" * (3 << 20), Payload(canary)], protocol=0)
    return {
        "zip behind other bytes": prefixed_zip(bare),
        "zip with a damaged first member": zip_with_a_damaged_first_member(bare),
        "pickle longer than a MiB": long,
        "gzip of a pickle longer than a MiB": gzip.compress(long),
        "lz4": b"\x04\x22\x4d\x18" + bare,
        "zstandard": b"\x28\xb5\x2f\xfd" + bare,
        "pickle with braces where safetensors has them": b"\x80\x02U\x80{}" + b" " * 126 + pickle.dumps(Payload(canary), 2)[2:],
    }


def test_pickle_in_later_dresses_is_refused_and_never_opened(tmp_path):
    canary = tmp_path / "canary"
    for dress, data in later_dresses(canary).items():
        assert executable_kind(data), dress
        folder = tmp_path / dress.replace(" ", "-")
        folder.mkdir()
        (folder / "weights.safetensors").write_bytes(data)
        (folder / "manifest.json").write_text("{}")
        with pytest.raises(BadModelFile, match="loading it would run code, so it was not opened"):
            load_network(folder)
    assert not canary.exists()


@pytest.mark.parametrize("length", [128, 384, 0x2E28, 0x2E30, 0x2E88, 0x2E80])
def test_a_header_whose_length_looks_like_pickle_is_still_safetensors(length):
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode().ljust(length)
    data = struct.pack("<Q", length) + head + bytes(4)
    assert executable_kind(data) is None
    from safetensors.numpy import load

    assert load(data)["w"].tolist() == [0.0]


def test_a_pickle_behind_a_length_like_that_of_safetensors_is_refused(tmp_path):
    canary = tmp_path / "canary"
    body = b"G" + b"\x00" * 5 + b"{}"  # protocol 2, a float of eight bytes that holds the brace
    data = b"\x80\x02" + body + b" " + pickle.dumps(Payload(canary), 2)[2:]
    padded = data + bytes(int.from_bytes(data[:8], "little"))
    assert padded[8:9] == b"{"
    assert executable_kind(padded) == "a pickle"
    assert not canary.exists()
