"""Paddle's parameters without Paddle: exact weights, and pickles in which nothing runs."""

import pickle
from dataclasses import dataclass

import numpy as np
import paddle_files
import pytest
from conversions import FIXTURES, assert_is_expected, converted, fixtures, parts, refused

FOLDER = FIXTURES / "paddle"


@pytest.mark.parametrize("path", fixtures("paddle"), ids=lambda path: path.name)
def test_every_number_is_what_paddle_says(path, tmp_path):
    assert_is_expected(converted(paddle_files, path, tmp_path), path)


def test_weights_that_recurrent_layers_list_twice(tmp_path):
    weights = converted(paddle_files, FOLDER / "recurrent.pdparams", tmp_path)
    tied = {name: entry["same_as"] for name, entry in weights.entries.items() if "same_as" in entry}
    # lstm 2 layers, gru 2 directions, gru, rnn: four arrays each.
    assert len(tied) == 4 * (2 + 2 + 1 + 1)
    assert tied["both.0.cell_bw.weight_ih"] == "both.weight_ih_l0_reverse"
    assert weights.manifest["extra"]["notes"] == ["24 tensors are listed twice under two names"]
    assert list(parts(weights.layers["lstm.weight_hh_l1"])) == ["i", "f", "g", "o"]


def test_classes_of_parameters_decide(tmp_path):
    weights = converted(paddle_files, FOLDER / "transformer.pdparams", tmp_path)
    assert weights.entries["table.weight"] == {"class": "embedding"}
    layers = weights.layers
    assert layers["table.weight"].role == "embedding"
    assert layers["bilinear.weight"].role == "unknown"
    assert layers["attention.q_proj.weight"].decided.startswith("stated: Linear of Paddle")
    # That the parts of a fused projection lie in turn is a guess.
    assert list(parts(layers["qkv.weight"])) == ["q", "k", "v"]
    assert layers["qkv.weight"].decided.startswith("inferred: ")
    assert weights.dtypes["brain.weight"] == "bfloat16"
    assert weights.dtypes["long.weight"] == "float64"


def test_classes_win_over_names(tmp_path):
    layers = converted(paddle_files, FOLDER / "misnamed.pdparams", tmp_path).layers
    axes = {layer.name: layer.axes for layer in layers.values()}
    assert axes == {
        **dict.fromkeys(["embed", "ln_1", "c_attn"], ("out", "in")),
        **dict.fromkeys(["norm", "up"], ("out", "in", "k1")),
        **dict.fromkeys(["deconv", "grouped_up"], ("out", "in", "k1", "k2")),
    }
    assert {layer.role for layer in layers.values()} == {"weight"}
    assert {layer.name for layer in layers.values() if layer.is_transposed} == {"up", "grouped_up"}
    # Without a bias the groups of a transposed convolution are not known.
    guesses = {layer.name for layer in layers.values() if layer.decided.startswith("inferred")}
    assert guesses == {"up", "grouped_up"}


def test_a_checkpoint_is_searched_for_its_weights(tmp_path):
    weights = converted(paddle_files, FOLDER / "checkpoint.pdparams", tmp_path)
    # Adam keeps two moments and two powers of each of two parameters.
    assert weights.manifest["extra"]["left_out"] == {"optimizer state": 8}


def test_groups(tmp_path):
    layers = converted(paddle_files, FOLDER / "convnet.pdparams", tmp_path).layers
    assert layers["grouped_up.weight"].groups == 2
    assert layers["depthwise.weight"].groups == 5
    assert layers["bn._mean"].role == "buffer"
    assert layers["bn.weight"].role == layers["group.weight"].role == "norm"


def test_without_names_of_parameters_linear_weights_are_guessed(tmp_path):
    path = tmp_path / "plain.pdparams"
    arrays = {"a.weight": np.arange(6.0).reshape(2, 3), "embedding.weight": np.ones((3, 2))}
    path.write_bytes(pickle.dumps(arrays, protocol=4))
    layers = converted(paddle_files, path, tmp_path).layers
    assert layers["a.weight"].data[...].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert layers["a.weight"].decided.startswith("inferred: ")
    assert layers["embedding.weight"].role == "embedding"


def test_arrays_of_one_parameter_must_be_equal(tmp_path):
    path = tmp_path / "untied.pdparams"
    table = {"a.weight": "linear_0.w_0", "b.weight": "linear_0.w_0", "c.weight": "linear_0.w_0"}
    same = np.full((2, 3), np.nan)
    arrays = {"a.weight": same, "b.weight": np.ones((2, 3)), "c.weight": same.copy()}
    arrays["StructuredToParameterName@@"] = table
    path.write_bytes(pickle.dumps(arrays, protocol=4))
    entries = converted(paddle_files, path, tmp_path).entries
    assert {name: entry.get("same_as") for name, entry in entries.items()} == {
        "a.weight": None,
        "b.weight": None,
        "c.weight": "a.weight",
    }


def test_arrays_that_are_one(tmp_path):
    path = tmp_path / "tied.pdparams"
    array = np.ones((50, 3))
    path.write_bytes(pickle.dumps({"a.weight": array, "b.weight": array}, protocol=4))
    entries = converted(paddle_files, path, tmp_path).entries
    assert entries["b.weight"]["same_as"] == "a.weight"


def test_arrays_that_are_one_but_mean_something_else(tmp_path):
    path = tmp_path / "tied.pdparams"
    kernel = np.arange(72.0).reshape(8, 1, 3, 3)
    arrays = {"conv.weight": kernel, "deconv.weight": kernel}
    path.write_bytes(pickle.dumps(arrays, protocol=4))
    layers = converted(paddle_files, path, tmp_path).layers
    assert layers["deconv.weight"].same_as == "conv.weight"
    np.testing.assert_array_equal(layers["conv.weight"].data[...], kernel)
    np.testing.assert_array_equal(layers["deconv.weight"].data[...], kernel.swapaxes(0, 1))


@dataclass
class Overlapping:
    """Pickled as an array of bytes that others have too."""

    content: bytes

    def __reduce__(self):
        make, arguments, (version, _, dtype, order, _) = np.zeros(1, np.float32).__reduce__()
        return make, arguments, (version, (len(self.content) // 4,), dtype, order, self.content)


class Malicious:
    def __reduce__(self):
        return eval, ("1",)


BYTES = bytes(4000)
PIECES = {"w@@.0": np.ones(3), "UnpackBigParamInfor@@": {"w": {"slices": ["w@@.0"]}}}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"w": Malicious()}, "its pickle wants to run 'builtins.eval'"),
        (PIECES, "its arrays are cut into pieces"),
        ({"w": np.array([None])}, "left out: 1 x array of Python objects"),
        ({"epoch": 3}, "no tensor is left"),
        ({str(n): Overlapping(BYTES) for n in range(100)}, "and claim 400000 bytes"),
    ],
)
def test_what_is_refused(value, reason, tmp_path):
    path = tmp_path / "bad.pdparams"
    path.write_bytes(pickle.dumps(value, protocol=4))
    assert reason in refused(paddle_files, path, tmp_path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("net.pdiparams", "it is a .pdiparams file, whose arrays have no names"),
        ("adam.pdopt", "no tensor is left"),
    ],
)
def test_other_files_of_paddle_are_refused(name, reason, tmp_path):
    assert reason in refused(paddle_files, FOLDER / "refused" / name, tmp_path)


def test_numbers_stay_in_the_file(tmp_path):
    """Opening keeps views: an array of 4 MB costs no memory of its own."""
    path = tmp_path / "large.pdparams"
    path.write_bytes(pickle.dumps({"w": np.zeros((1000, 1000), np.float32)}, protocol=4))
    (tensor,) = paddle_files.open_model(path, type("Arguments", (), {"key": None})).tensors
    array = tensor.read()
    while isinstance(array, np.ndarray):
        array = array.base
    assert isinstance(array, memoryview)
