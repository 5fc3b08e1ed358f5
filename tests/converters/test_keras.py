"""Keras's files without Keras: exact weights, and axes by the layers' classes."""

import json
import zipfile

import h5py
import keras_files
import numpy as np
import pytest
from conversions import FIXTURES, assert_is_expected, converted, fixtures, refused

FOLDER = FIXTURES / "keras"


@pytest.mark.parametrize("path", fixtures("keras"), ids=lambda path: path.name)
def test_every_number_is_what_keras_says(path, tmp_path):
    weights = converted(keras_files, path, tmp_path)
    assert_is_expected(weights, path)
    # A file of weights alone does not name classes.
    is_guess = {entry.get("inferred", False) for entry in weights.entries.values()}
    assert is_guess == {"weights" in path.name}


@pytest.mark.parametrize("name", ["keras3.keras", "keras2.h5"])
def test_kinds_groups_and_parts(name, tmp_path):
    entries = converted(keras_files, FOLDER / name, tmp_path).entries
    groups = {name: entry["groups"] for name, entry in entries.items() if "groups" in entry}
    deep = "deep/kernel" if name == "keras3.keras" else "deep/depthwise_kernel"
    assert groups.items() >= {
        "picture/kernel": 2,
        deep: 3,
        "apart/depthwise_kernel": 2,
        "apart/pointwise_kernel": 1,
        "grow/kernel": 1,
    }.items()  # fmt: skip
    for layer, gates in {"memory/lstm_cell": "ifco", "gated/gru_cell": "zrh"}.items():
        for leaf in ("kernel", "recurrent_kernel"):
            entry = entries[f"{layer}/{leaf}"]
            assert entry["kind"] == "recurrent"
            assert [(part["name"], part["size"]) for part in entry["parts"]] == [
                (gate, 3) for gate in gates
            ]
    kinds = {name: entry["kind"] for name, entry in entries.items()}
    assert kinds["tokens/embeddings"] == "embedding"
    assert kinds["looks/query/kernel"] == "linear"
    assert kinds["head/bias"] == kinds["scaled/beta"] == "bias"
    assert kinds["scaled/gamma"] == kinds["scaled/moving_variance"] == "norm"


@pytest.mark.parametrize("name", ["misnamed3.keras", "misnamed2.h5"])
def test_classes_win_over_names(name, tmp_path):
    entries = converted(keras_files, FOLDER / name, tmp_path).entries
    assert entries["query/kernel"]["kind"] == entries["output/kernel"]["kind"] == "conv"
    # Stacked cells are told apart by the configuration.
    parts = {
        name.split("/")[-2]: [(part["name"], part["size"]) for part in entry["parts"]]
        for name, entry in entries.items()
        if name.endswith("recurrent_kernel")
    }
    assert parts == {
        "first": [(gate, 3) for gate in "ifco"],
        "second": [(gate, 2) for gate in "zrh"],
    }


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
    ("kernel", "bias", "kind", "shape"),
    [
        ((2, 3), (3,), "linear", (3, 2)),
        ((3, 3, 4, 5), (5,), "conv", (5, 4, 3, 3)),
        ((3, 3, 4, 5), (4,), "conv", (4, 5, 3, 3)),
        ((3, 3, 4, 2), (8,), "conv", (8, 1, 3, 3)),
        ((4, 2, 3), (2, 3), "linear", (6, 4)),
        ((3, 3, 4, 5), (7,), "other", (3, 3, 4, 5)),
    ],
)
def test_a_layer_without_a_class_is_known_by_its_bias(kernel, bias, kind, shape, tmp_path):
    path = weights_file(tmp_path / "w.h5", kernel=np.ones(kernel, "f4"), bias=np.ones(bias, "f4"))
    weights = converted(keras_files, path, tmp_path)
    entry = weights.entries["mine/kernel"]
    assert (entry["kind"], entry["inferred"]) == (kind, True)
    assert weights.arrays["mine/kernel"].shape == shape


@pytest.mark.parametrize(
    ("biases", "kind"),
    [
        ({}, "linear"),  # nothing else than the names of all projections
        ({"query": (2, 3), "output": (4,)}, "linear"),
        ({"query": (3,), "output": (4,)}, "conv"),
    ],
)
def test_projections_without_a_class(biases, kind, tmp_path):
    path = tmp_path / "w.h5"
    kernels = {"query": (4, 2, 3), "key": (4, 2, 3), "value": (4, 2, 3), "output": (2, 3, 4)}
    with h5py.File(path, "w") as file:
        for leaf, shapes in {"kernel": kernels, "bias": biases}.items():
            for place, shape in shapes.items():
                file[f"mine/mine/{place}/{leaf}:0"] = np.ones(shape, "f4")
    entries = converted(keras_files, path, tmp_path).entries
    assert entries["mine/query/kernel"]["kind"] == kind
    assert entries["mine/query/kernel"]["inferred"] is True
    assert entries["mine/output/kernel"]["kind"] == "linear"
    with h5py.File(path, "a") as file:
        del file["mine/mine/key"]
    entries = converted(keras_files, path, tmp_path).entries
    assert entries["mine/output/kernel"]["kind"] == "conv"


def test_a_bias_denies_a_class_that_is_only_a_name(tmp_path):
    path = tmp_path / "w.h5"
    group = "multi_head_attention/multi_head_attention/query"
    with h5py.File(path, "w") as file:
        file[f"{group}/kernel:0"] = np.ones((3, 4, 5), "f4")
        file[f"{group}/bias:0"] = np.ones(5, "f4")
    entry = converted(keras_files, path, tmp_path).entries["multi_head_attention/query/kernel"]
    assert (entry["kind"], entry["inferred"]) == ("conv", True)


def test_a_configuration_that_contradicts_the_weights_is_not_believed(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(FOLDER / "trained3.keras") as old, zipfile.ZipFile(path, "w") as new:
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
        config = json.loads(old.read("config.json"))
        config["config"]["layers"][-1]["config"]["name"] = "another"
        new.writestr("config.json", json.dumps(config))
    assert converted(keras_files, path, tmp_path).entries["head/kernel"]["inferred"] is True


def test_bad_files_are_refused(tmp_path):
    original = (FOLDER / "trained3.keras").read_bytes()
    at = original.index(b"\x89HDF")
    path = tmp_path / "model.keras"
    path.write_bytes(original[: at + 5000] + b"\xff" + original[at + 5001 :])
    assert "does not have the checksum stated" in refused(keras_files, path, tmp_path)
    path.write_bytes(original[:-100])
    assert "it is no intact zip archive" in refused(keras_files, path, tmp_path)
    path.write_bytes((FOLDER / "keras2.h5").read_bytes()[:3000])
    assert "HDF5" in refused(keras_files, path, tmp_path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    assert "not one of Keras" in refused(keras_files, path, tmp_path)
    path.write_bytes(b"GGUF")
    assert "Use gguf_files.py" in refused(keras_files, path, tmp_path)


def test_what_keras_quantized_is_refused_by_name(tmp_path):
    path = weights_file(tmp_path / "w.h5", kernel=np.ones((2, 3), "i1"), bias=np.ones(3, "f4"))
    assert "tensor 'mine/kernel': it is quantized" in refused(keras_files, path, tmp_path)


def test_links_out_of_the_file_are_not_followed(tmp_path):
    other = weights_file(tmp_path / "secret.h5", kernel=np.ones((2, 3), "f4"))
    path = weights_file(tmp_path / "w.h5", bias=np.ones(3, "f4"))
    with h5py.File(path, "a") as file:
        file["mine/mine/kernel:0"] = h5py.ExternalLink(other, "mine/mine/kernel:0")
    assert list(converted(keras_files, path, tmp_path).entries) == ["mine/bias"]
