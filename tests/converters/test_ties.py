"""Tensors that share their numbers are stored once, and each has its own meaning."""

import json

import numpy as np
import pytest
import pytorch
from conversions import FIXTURES, by_tensor, convert, converted, expected

MISNAMED = FIXTURES / "pytorch" / "misnamed.pt"


@pytest.fixture
def tied(tmp_path):
    return converted(pytorch, MISNAMED, tmp_path)


def test_a_tied_autoencoder_is_read_in_both_directions(tied):
    """A transposed convolution with the weights of a plain one has the other order of axes."""
    wanted = expected(MISNAMED)
    for name, shape in (("encoder.weight", (4, 1, 3, 2)), ("decoder.weight", (1, 4, 3, 2))):
        np.testing.assert_array_equal(tied.layers[name].data[...], wanted[name])
        assert wanted[name].shape == tied.layers[name].shape == shape
    for name in ("again.weight", "decoder.weight"):
        assert tied.entries[name]["same_as"] == tied.layers[name].same_as == "encoder.weight"
        assert name not in tied.arrays


def test_the_dry_run_says_so():
    lines = convert(pytorch, MISNAMED, "--dry-run").out.splitlines()
    rules = {line.split()[0]: line for line in lines}
    assert rules["again.weight"].endswith("same as encoder.weight")


@pytest.mark.parametrize("format_", ["safetensors", "hdf5"])
@pytest.mark.usefixtures("scripts_here")
def test_htsr_reads_both(format_, tmp_path):
    path = tmp_path / "model"
    assert convert(pytorch, MISNAMED, "-o", path, "--format", format_).code == 0
    layers = by_tensor(path)
    assert layers["encoder.weight"].shape == (4, 1, 3, 2)
    assert layers["decoder.weight"].shape == (1, 4, 3, 2)
    assert layers["decoder.weight"].is_transposed


def test_ties_of_safetensors_with_different_axes(tmp_path):
    data = np.arange(24, dtype="<f4")
    header = {
        "__metadata__": {"decoder.weight": "encoder.weight", "again.weight": "encoder.weight"},
        "encoder.weight": {"dtype": "F32", "shape": [4, 2, 3], "data_offsets": [0, 96]},
        "encoder.bias": {"dtype": "F32", "shape": [4], "data_offsets": [96, 112]},
        "decoder.bias": {"dtype": "F32", "shape": [2], "data_offsets": [112, 120]},
    }
    text = json.dumps(header).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data.tobytes() + bytes(24))
    layers = by_tensor(path)
    assert layers["again.weight"].same_as == "encoder.weight"
    W = data.reshape(4, 2, 3)
    np.testing.assert_array_equal(layers["encoder.weight"].data[...], W)
    np.testing.assert_array_equal(layers["decoder.weight"].data[...], W.swapaxes(0, 1))
