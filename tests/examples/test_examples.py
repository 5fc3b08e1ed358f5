"""The trained networks in spec/examples are complete, alike, labeled and small.

That the weights have the accuracies stated in accuracy.csv is checked by `train.py --verify`,
which needs the images.
"""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

FOLDER = Path(__file__).parents[2] / "spec" / "examples"
FILES = sorted(path.name for path in FOLDER.glob("*.safetensors"))
SERIES = [file for file in FILES if file.startswith("mlp_")]


def rows():
    with (FOLDER / "accuracy.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def manifest(file):
    with safe_open(FOLDER / file, framework="numpy") as stream:
        return json.loads(stream.metadata()["htsr_manifest"])


def tensors(file):
    with safe_open(FOLDER / file, framework="numpy") as stream:
        return {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118


def test_the_table_lists_every_file_once():
    assert sorted(row["file"] for row in rows()) == FILES
    assert len(SERIES) == 8
    assert len(FILES) == 9


def test_file_names_state_batch_size_and_epochs():
    for row in rows():
        ending = f"_b{int(row['batch_size']):03}_e{int(row['epochs']):03}.safetensors"
        assert row["file"].endswith(ending)


def test_accuracies_are_whole_numbers_of_images():
    for row in rows():
        for column, images in (("train_accuracy", 1297), ("test_accuracy", 500)):
            right = round(float(row[column]) * images)
            assert row[column] == f"{right / images:.6f}", row


def test_accuracies_vary_over_the_series():
    accuracies = [float(row["test_accuracy"]) for row in rows() if row["file"] in SERIES]
    assert len(set(accuracies)) == len(SERIES)
    assert min(accuracies) < 0.5
    assert max(accuracies) > 0.95


def test_the_folder_is_at_most_four_megabytes():
    sizes = [path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(sizes) <= 4_000_000


def test_the_series_is_of_one_architecture():
    shapes = [{name: array.shape for name, array in tensors(file).items()} for file in SERIES]
    assert shapes[0] == {
        "fc1.weight": (256, 64),
        "fc1.bias": (256,),
        "fc2.weight": (128, 256),
        "fc2.bias": (128,),
        "fc3.weight": (64, 128),
        "fc3.bias": (64,),
        "fc4.weight": (10, 64),
        "fc4.bias": (10,),
    }
    assert all(other == shapes[0] for other in shapes)


def test_no_two_networks_of_the_series_are_equal():
    weights = {tensors(file)["fc2.weight"].tobytes() for file in SERIES}
    assert len(weights) == len(SERIES)


@pytest.mark.parametrize("file", FILES)
def test_values_are_finite_float32(file):
    for name, array in tensors(file).items():
        assert array.dtype == np.float32, name
        assert np.isfinite(array).all(), name


@pytest.mark.parametrize("file", FILES)
def test_the_manifest_declares_every_tensor(file):
    declared = manifest(file)
    assert declared["format"] == "htsr-weights/2"
    assert declared["tensors"].keys() == tensors(file).keys()


@pytest.mark.parametrize("file", FILES)
def test_declared_kinds_and_axes_fit_the_shapes(file):
    by_ndim = {
        1: {"role": "bias"},
        2: {"role": "weight", "axes": ["out", "in"]},
        4: {"role": "weight", "axes": ["out", "in", "k1", "k2"]},
    }
    declared = manifest(file)["tensors"]
    for name, array in tensors(file).items():
        layer = {} if array.ndim == 1 else {"layer": name.removesuffix(".weight")}
        assert declared[name] == layer | by_ndim[array.ndim]


def test_the_convolutional_network_has_kernels_of_both_sizes():
    (file,) = set(FILES) - set(SERIES)
    shapes = {name: array.shape for name, array in tensors(file).items() if array.ndim > 1}
    assert shapes == {
        "conv1.weight": (64, 1, 3, 3),
        "conv2.weight": (64, 64, 3, 3),
        "conv3.weight": (96, 64, 1, 1),
        "fc.weight": (10, 1536),
    }
