"""TensorFlow.js's models without it: exact weights, decoded as it decodes them."""

import json
import shutil
import struct

import numpy as np
import pytest
import tensorflowjs_files
from conversions import FIXTURES, assert_is_expected, converted, fixtures, refused

FOLDER = FIXTURES / "tensorflowjs"


@pytest.mark.parametrize("path", fixtures("tensorflowjs"), ids=lambda path: path.name)
def test_every_number_is_what_tensorflowjs_says(path, tmp_path):
    assert_is_expected(converted(tensorflowjs_files, path, tmp_path), path)


def test_what_layers_are_called(tmp_path):
    weights = converted(tensorflowjs_files, FOLDER / "layers" / "model.json", tmp_path)
    assert weights.manifest["source"]["framework"] == "keras"
    entry = weights.entries["depthwise/depthwise_kernel"]
    assert (entry["layer"], entry["class"]) == ("depthwise", "depthwise_conv2d")
    layers = weights.layers
    assert layers["depthwise/depthwise_kernel"].groups == 4
    assert layers["up/kernel"].is_transposed
    assert layers["conv1/kernel"].axes == ("out", "in", "k1")


def test_what_operators_take(tmp_path):
    weights = converted(tensorflowjs_files, FOLDER / "graph", tmp_path)
    assert weights.manifest["source"]["framework"] == "tensorflow"
    assert weights.manifest["extra"]["notes"] == [
        "1 tensors of uint8 codes become float32",
        "1 tensors of uint16 codes become float32",
    ]
    assert weights.dtypes["dense/kernel"] == "float16"
    layers = weights.layers
    assert layers["conv/kernel"].decided == "stated: operand of _FusedConv2D"
    assert layers["conv/bias"].role == "bias"
    assert layers["depthwise/kernel"].groups == 5
    assert layers["up/kernel"].is_transposed


def model(folder, weights, content, **others):
    """A model of one shard by hand."""
    (folder / "shard.bin").write_bytes(content)
    groups = [{"paths": ["shard.bin"], "weights": weights}]
    path = folder / "model.json"
    path.write_text(json.dumps({"weightsManifest": groups, **others}))
    return path


def test_types_by_hand(tmp_path):
    texts = b"".join(struct.pack("<I", len(text)) + text for text in (b"", b"two"))
    quantization = {"dtype": "uint8", "scale": 0.5, "min": -1.25}
    weights = [
        {"name": "codes", "shape": [3], "dtype": "int32", "quantization": quantization},
        {"name": "words", "shape": [2], "dtype": "string"},
        {"name": "flags", "shape": [2], "dtype": "bool"},
        {"name": "waves", "shape": [1], "dtype": "complex64"},
        {"name": "none", "shape": [0, 4], "dtype": "float32"},
        {"name": "one", "shape": [], "dtype": "float32"},
    ]
    content = b"\x00\x01\xff" + texts + b"\x00\x01" + struct.pack("<3f", 1, 2, 3)
    found = converted(tensorflowjs_files, model(tmp_path, weights, content), tmp_path)
    # -1.25, -0.75 and 126.25
    assert found.arrays["codes"].tolist() == [-1, -1, 126]
    assert found.arrays["flags"].tolist() == [False, True]
    assert found.arrays["waves"].tolist() == [1 + 2j]
    assert found.arrays["none"].shape == (0, 4)
    assert found.arrays["one"].tolist() == 3
    assert found.manifest["extra"]["left_out"] == {"tensor of texts": 1}


def test_a_manifest_alone(tmp_path):
    weights = [{"name": "w", "shape": [2], "dtype": "float32"}]
    path = model(tmp_path, weights, struct.pack("<2f", 1, 2))
    path.write_text(json.dumps(json.loads(path.read_text())["weightsManifest"]))
    assert converted(tensorflowjs_files, path, tmp_path).arrays["w"].tolist() == [1, 2]


W = {"name": "w", "shape": [2], "dtype": "float32"}
CODED = {"dtype": "uint8", "scale": 1, "min": 0}


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        ([W | {"shape": [3]}], "its shards are cut off"),
        ([W | {"shape": [1]}], "its shards have 8 bytes, not 4"),
        ([W | {"shape": [2**62]}], "its shards are cut off"),
        ([W | {"shape": [-2]}], "list of weights is damaged"),
        ([W | {"shape": "ab"}], "list of weights is damaged"),
        ([W | {"dtype": "float128"}], "list of weights is damaged"),
        ([W | {"dtype": "string", "shape": [3]}], "list of weights is damaged"),
        ([W | {"quantization": CODED | {"scale": 1e999}}], "not valid JSON"),
        ([W | {"quantization": CODED | {"scale": "x"}}], "list of weights is damaged"),
        ([W | {"quantization": {"dtype": "uint8"}}], "list of weights is damaged"),
        ([W | {"shape": [1]}, W | {"shape": [1]}], "two tensors have the same name"),
        (3, "list of weights is damaged"),
        ([3], "list of weights is damaged"),
    ],
)
def test_what_is_refused(weights, problem, tmp_path):
    assert problem in refused(tensorflowjs_files, model(tmp_path, weights, bytes(8)), tmp_path)


@pytest.mark.parametrize("name", ["../shard.bin", "a/shard.bin", "/dev/zero", "", ".", "gone.bin"])
def test_shards_are_in_the_folder(name, tmp_path):
    path = model(tmp_path, [W], bytes(8))
    path.write_text(path.read_text().replace("shard.bin", name))
    message = refused(tensorflowjs_files, path, tmp_path)
    assert "is not in its folder" in message or "is missing" in message


def test_a_link_that_leads_elsewhere(tmp_path):
    (tmp_path / "model").mkdir()
    path = model(tmp_path / "model", [W], bytes(8))
    (tmp_path / "model" / "shard.bin").rename(tmp_path / "elsewhere")
    (tmp_path / "model" / "shard.bin").symlink_to(tmp_path / "elsewhere")
    assert "it is a link that leads elsewhere" in refused(tensorflowjs_files, path, tmp_path)


@pytest.mark.parametrize(
    ("topology", "problem"),
    [
        ({"node": [3]}, "its graph is damaged"),
        ({"node": [{"name": "c", "op": "Conv2D", "input": 3}]}, "its graph is damaged"),
        ({"node": [{"name": "c", "op": "Conv2D", "input": ["x", 3]}]}, "its graph is damaged"),
        ({"node": {}}, None),
        ({"node": [{"name": "c", "op": "Conv2D", "input": ["x", "w"]}]}, None),
        ({"config": {"layers": [{"class_name": "Dense", "config": 3}]}}, None),
        ([], None),
    ],
)
def test_topologies(topology, problem, tmp_path):
    path = model(tmp_path, [W], bytes(8), modelTopology=topology)
    if problem is None:
        weights = converted(tensorflowjs_files, path, tmp_path)
        assert "axes" not in weights.entries["w"]
    else:
        assert problem in refused(tensorflowjs_files, path, tmp_path)


@pytest.mark.parametrize("text", ["", "{", "{}", "3", '{"weightsManifest": {}}'])
def test_files_without_a_manifest(text, tmp_path):
    path = tmp_path / "model.json"
    path.write_text(text)
    refused(tensorflowjs_files, path, tmp_path)
    (tmp_path / "empty").mkdir()
    assert "without model.json" in refused(tensorflowjs_files, tmp_path / "empty", tmp_path)


def test_shards_in_other_pieces_hold_the_same(tmp_path):
    whole = converted(tensorflowjs_files, FOLDER / "graph", tmp_path).arrays
    shutil.copytree(FOLDER / "graph", tmp_path / "copy")
    path = tmp_path / "copy" / "model.json"
    value = json.loads(path.read_text())
    (group,) = value["weightsManifest"]
    content = b"".join((path.parent / name).read_bytes() for name in group["paths"])
    group["paths"] = [str(at) for at in range(0, len(content), 7)]
    for at in range(0, len(content), 7):
        (path.parent / str(at)).write_bytes(content[at : at + 7])
    path.write_text(json.dumps(value))
    again = converted(tensorflowjs_files, path, tmp_path).arrays
    assert all(np.array_equal(again[name], array) for name, array in whole.items())
