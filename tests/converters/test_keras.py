"""Keras's files without Keras: exact weights, and axes by the layers' classes."""

import json
import zipfile

import h5py
import keras_files
import numpy as np
import pytest
from conversions import (
    FIXTURES,
    assert_is_expected,
    converted,
    fixtures,
    parts,
    refused,
)

from htsr_ref import analyze

FOLDER = FIXTURES / "keras"


pytestmark = pytest.mark.usefixtures("scripts_here")


@pytest.mark.parametrize("path", fixtures("keras"), ids=lambda path: path.name)
def test_every_number_is_what_keras_says(path, tmp_path):
    weights = converted(keras_files, path, tmp_path)
    assert_is_expected(weights, path)
    # A file of weights alone does not name classes.
    decided = {layer.decided.split(":")[0] for layer in weights.layers.values()}
    assert decided == {"inferred" if "weights" in path.name else "stated"}


@pytest.mark.parametrize("path", fixtures("keras"), ids=lambda path: path.name)
def test_manifests_hold_facts_only(path, tmp_path):
    entries = converted(keras_files, path, tmp_path).entries
    assert {key for entry in entries.values() for key in entry} <= {"layer", "class", "config"}
    assert any("class" in entry for entry in entries.values()) is ("weights" not in path.name)


HDF5 = [path for path in fixtures("keras") if path.suffix == ".h5"]


@pytest.mark.parametrize("path", HDF5, ids=lambda path: path.name)
def test_one_report_whether_htsr_reads_a_file_or_its_conversion(path, tmp_path):
    reports = [analyze(source) for source in (path, converted(keras_files, path, tmp_path).path)]
    direct, through = ({layer.name: layer for layer in report.layers} for report in reports)
    assert direct == through
    assert reports[0].model == reports[1].model


def by_layer(weights):
    """Layers by their names."""
    return {layer.name: layer for layer in weights.layers.values()}


@pytest.mark.parametrize("name", ["keras3.keras", "keras2.h5"])
def test_roles_groups_and_parts(name, tmp_path):
    layers = by_layer(converted(keras_files, FOLDER / name, tmp_path))
    assert {name: layer.groups for name, layer in layers.items() if layer.is_conv} == {
        "picture": 2,
        "deep": 3,
        "apart/depthwise_kernel": 2,
        "apart/pointwise_kernel": 1,
        "grow": 1,
        "film": 1,
        **({"sound": 1} if name == "keras2.h5" else {}),
    }
    assert {name for name, layer in layers.items() if layer.is_transposed} == {"grow"}
    for name, gates in {"memory/lstm_cell": "ifco", "gated/gru_cell": "zrh"}.items():
        for leaf in ("kernel", "recurrent_kernel"):
            layer = layers[f"{name}/{leaf}"]
            assert layer.role == "recurrent"
            assert parts(layer) == dict.fromkeys(gates, 3)
            assert list(parts(layer)) == list(gates)
    assert layers["tokens"].role == "embedding"
    assert layers["looks/query"].axes == ("out", "in")
    assert layers["head/bias"].role == layers["scaled/beta"].role == "bias"
    assert layers["scaled/gamma"].role == "norm"
    assert layers["scaled/moving_variance"].role == "buffer"


@pytest.mark.parametrize("name", ["misnamed3.keras", "misnamed2.h5"])
def test_classes_win_over_names(name, tmp_path):
    layers = by_layer(converted(keras_files, FOLDER / name, tmp_path))
    assert layers["query"].is_conv
    assert layers["output"].is_conv
    # Stacked cells are told apart by the configuration.
    found = {
        name.split("/")[-2]: parts(layer)
        for name, layer in layers.items()
        if name.endswith("recurrent_kernel")
    }
    assert found == {"first": dict.fromkeys("ifco", 3), "second": dict.fromkeys("zrh", 2)}
    assert list(found["first"]) == list("ifco")
    assert list(found["second"]) == list("zrh")


def test_what_is_left_out_is_counted(tmp_path):
    # Adam keeps two moments of kernel and bias, its step, and Keras 3 its learning rate.
    for name, count in {"trained2.h5": 5, "trained3.keras": 6}.items():
        extra = converted(keras_files, FOLDER / name, tmp_path).manifest["extra"]
        assert extra["left_out"] == {"optimizer state": count}


def weights_file(path, **variables):
    """File of one layer whose class cannot be known."""
    with h5py.File(path, "w") as file:
        for name, array in variables.items():
            file[f"mine/mine/{name}:0"] = array
    return path


@pytest.mark.parametrize(
    ("kernel", "bias", "role", "shape"),
    [
        ((2, 3), (3,), "weight", (3, 2)),
        ((3, 3, 4, 5), (5,), "weight", (5, 4, 3, 3)),
        ((3, 3, 4, 5), (4,), "weight", (4, 5, 3, 3)),
        ((3, 3, 4, 2), (8,), "weight", (8, 1, 3, 3)),
        ((4, 2, 3), (2, 3), "weight", (6, 4)),
        ((3, 3, 4, 5), (7,), "unknown", (3, 3, 4, 5)),
    ],
)
def test_a_layer_without_a_class_is_known_by_its_bias(kernel, bias, role, shape, tmp_path):
    path = weights_file(tmp_path / "w.h5", kernel=np.ones(kernel, "f4"), bias=np.ones(bias, "f4"))
    layer = converted(keras_files, path, tmp_path).layers["mine/mine/kernel:0"]
    assert (layer.role, layer.shape) == (role, shape)
    assert layer.decided.startswith("inferred: ")


@pytest.mark.parametrize(
    ("biases", "is_conv"),
    [
        ({}, False),  # nothing else than the names of all projections
        ({"query": (2, 3), "output": (4,)}, False),
        ({"query": (3,), "output": (4,)}, True),
    ],
)
def test_projections_without_a_class(biases, is_conv, tmp_path):
    path = tmp_path / "w.h5"
    kernels = {"query": (4, 2, 3), "key": (4, 2, 3), "value": (4, 2, 3), "output": (2, 3, 4)}
    with h5py.File(path, "w") as file:
        for leaf, shapes in {"kernel": kernels, "bias": biases}.items():
            for place, shape in shapes.items():
                file[f"mine/mine/{place}/{leaf}:0"] = np.ones(shape, "f4")
    layers = by_layer(converted(keras_files, path, tmp_path))
    assert (layers["mine/query"].role, layers["mine/query"].is_conv) == ("weight", is_conv)
    assert layers["mine/query"].decided.startswith("inferred: ")
    assert layers["mine/output"].axes == ("out", "in")
    with h5py.File(path, "a") as file:
        del file["mine/mine/key"]
    output = by_layer(converted(keras_files, path, tmp_path))["mine/output"]
    # Its bias says that it is a convolution; without a bias nothing does.
    assert output.is_conv == bool(biases)
    assert output.role == ("weight" if biases else "unknown")


def test_a_bias_denies_a_class_that_is_only_a_name(tmp_path):
    path = tmp_path / "w.h5"
    group = "multi_head_attention/multi_head_attention/query"
    with h5py.File(path, "w") as file:
        file[f"{group}/kernel:0"] = np.ones((3, 4, 5), "f4")
        file[f"{group}/bias:0"] = np.ones(5, "f4")
    layer = by_layer(converted(keras_files, path, tmp_path))["multi_head_attention/query"]
    assert layer.is_conv
    assert layer.decided.startswith("inferred: ")


def test_a_configuration_that_contradicts_the_weights_is_not_believed(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(FOLDER / "trained3.keras") as old, zipfile.ZipFile(path, "w") as new:
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
        config = json.loads(old.read("config.json"))
        config["config"]["layers"][-1]["config"]["name"] = "another"
        new.writestr("config.json", json.dumps(config))
    head = by_layer(converted(keras_files, path, tmp_path))["head"]
    assert head.decided.startswith("inferred: ")


def test_bad_files_are_refused(tmp_path):
    original = (FOLDER / "trained3.keras").read_bytes()
    at = original.index(b"\x89HDF")
    path = tmp_path / "model.keras"
    path.write_bytes(original[: at + 5000] + b"\xff" + original[at + 5001 :])
    assert "does not have the checksum stated" in refused(keras_files, path, tmp_path)
    path.write_bytes(original[:-100])
    assert "it is not an intact zip archive" in refused(keras_files, path, tmp_path)
    path.write_bytes((FOLDER / "keras2.h5").read_bytes()[:3000])
    assert "HDF5" in refused(keras_files, path, tmp_path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    assert "not one of Keras" in refused(keras_files, path, tmp_path)
    path.write_bytes(b"GGUF")
    assert "Use gguf_files.py" in refused(keras_files, path, tmp_path)


def test_what_keras_quantized_is_left_out_with_its_reason(tmp_path):
    path = weights_file(tmp_path / "w.h5", kernel=np.ones((2, 3), "i1"), bias=np.ones(3, "f4"))
    layers = by_layer(converted(keras_files, path, tmp_path))
    assert layers["mine"].left_out == "int8 without a scale: declare its quantization"


def test_links_out_of_the_file_are_not_followed(tmp_path):
    other = weights_file(tmp_path / "secret.h5", kernel=np.ones((2, 3), "f4"))
    path = weights_file(tmp_path / "w.h5", bias=np.ones(3, "f4"))
    with h5py.File(path, "a") as file:
        file["mine/mine/kernel:0"] = h5py.ExternalLink(other, "mine/mine/kernel:0")
    assert list(converted(keras_files, path, tmp_path).entries) == ["mine/mine/bias:0"]
