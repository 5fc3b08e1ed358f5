"""Tensors that share their numbers are stored once only where they mean the same."""

import json

import huggingface
import numpy as np
import pytest
import pytorch
from conversions import FIXTURES, convert, converted, expected

from htsr_ref import analyze

MISNAMED = FIXTURES / "pytorch" / "misnamed.pt"


@pytest.fixture
def tied(tmp_path):
    return converted(pytorch, MISNAMED, tmp_path)


def test_a_tied_autoencoder_is_stored_in_both_directions(tied):
    """A transposed convolution with the weights of a plain one has the other order of axes."""
    wanted = expected(MISNAMED)
    for name, shape in (("encoder.weight", (4, 1, 3, 2)), ("decoder.weight", (1, 4, 3, 2))):
        assert "same_as" not in tied.entries[name]
        np.testing.assert_array_equal(tied.arrays[name], wanted[name], strict=True)
        assert wanted[name].shape == shape
    assert tied.entries["again.weight"]["same_as"] == "encoder.weight"
    assert "again.weight" not in tied.arrays


def test_the_dry_run_says_so():
    lines = convert(pytorch, MISNAMED, "--dry-run").out.splitlines()
    rules = {line.split()[0]: line for line in lines}
    assert rules["again.weight"].endswith("same as encoder.weight")
    assert "transposed convolution by its bias" in rules["decoder.weight"]


@pytest.mark.parametrize("format_", ["safetensors", "hdf5"])
def test_htsr_reads_both(format_, tmp_path):
    path = tmp_path / "model"
    assert convert(pytorch, MISNAMED, "-o", path, "--format", format_).code == 0
    shapes = {layer.name: layer.shape for layer in analyze(path).layers}
    assert shapes["encoder"] == (4, 1, 3, 2)
    assert shapes["decoder"] == (1, 4, 3, 2)


def test_ties_of_safetensors_with_different_axes(tmp_path):
    data = np.arange(24, dtype="<f4")
    header = {
        "__metadata__": {"decoder.weight": "encoder.weight", "again.weight": "encoder.weight"},
        "encoder.weight": {"dtype": "F32", "shape": [4, 2, 3], "data_offsets": [0, 96]},
        "decoder.bias": {"dtype": "F32", "shape": [2], "data_offsets": [96, 104]},
    }
    text = json.dumps(header).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data.tobytes() + bytes(8))
    weights = converted(huggingface, path, tmp_path)
    assert weights.entries["again.weight"]["same_as"] == "encoder.weight"
    W = data.reshape(4, 2, 3)
    np.testing.assert_array_equal(weights.arrays["encoder.weight"], W)
    np.testing.assert_array_equal(weights.arrays["decoder.weight"], W.swapaxes(0, 1))
