"""Paddle's parameters without Paddle: exact weights, and pickles in which nothing runs."""

import pickle
from dataclasses import dataclass

import numpy as np
import paddle_files
import pytest
from conversions import FIXTURES, assert_is_expected, converted, fixtures, refused

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
    gates = [part["name"] for part in weights.entries["lstm.weight_hh_l1"]["parts"]]
    assert gates == ["i", "f", "g", "o"]


def test_classes_of_parameters_decide(tmp_path):
    weights = converted(paddle_files, FOLDER / "transformer.pdparams", tmp_path)
    entries = weights.entries
    assert entries["table.weight"]["kind"] == "embedding"
    assert entries["bilinear.weight"]["kind"] == "other"
    assert "inferred" not in entries["attention.q_proj.weight"]
    # That the parts of a fused projection lie in turn is a guess.
    assert [part["name"] for part in entries["qkv.weight"]["parts"]] == ["q", "k", "v"]
    assert entries["qkv.weight"]["inferred"] is True
    assert weights.dtypes["brain.weight"] == "bfloat16"
    assert weights.dtypes["long.weight"] == "float64"


def test_classes_win_over_names(tmp_path):
    entries = converted(paddle_files, FOLDER / "misnamed.pdparams", tmp_path).entries
    kinds = {name.removesuffix(".weight"): entry["kind"] for name, entry in entries.items()}
    assert kinds == {
        **dict.fromkeys(["embed", "ln_1", "c_attn"], "linear"),
        **dict.fromkeys(["norm", "deconv", "up", "grouped_up"], "conv"),
    }
    # Without a bias the groups of a transposed convolution are not known.
    guesses = {name for name, entry in entries.items() if entry.get("inferred")}
    assert {"up.weight", "grouped_up.weight"} <= guesses
    assert not {"embed.weight", "ln_1.weight", "c_attn.weight", "norm.weight"} & guesses


def test_a_checkpoint_is_searched_for_its_weights(tmp_path):
    weights = converted(paddle_files, FOLDER / "checkpoint.pdparams", tmp_path)
    # Adam keeps two moments and two powers of each of two parameters.
    assert weights.manifest["extra"]["left_out"] == {"optimizer state": 8}


def test_groups(tmp_path):
    entries = converted(paddle_files, FOLDER / "convnet.pdparams", tmp_path).entries
    assert entries["grouped_up.weight"]["groups"] == 2
    assert entries["depthwise.weight"]["groups"] == 5
    assert entries["bn._mean"]["kind"] == entries["group.weight"]["kind"] == "norm"


def test_without_names_of_parameters_linear_weights_are_guessed(tmp_path):
    path = tmp_path / "plain.pdparams"
    arrays = {"a.weight": np.arange(6.0).reshape(2, 3), "embedding.weight": np.ones((3, 2))}
    path.write_bytes(pickle.dumps(arrays, protocol=4))
    weights = converted(paddle_files, path, tmp_path)
    assert weights.arrays["a.weight"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert weights.entries["a.weight"]["inferred"] is True
    assert weights.entries["embedding.weight"]["kind"] == "embedding"


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
    kernel = np.ones((8, 1, 3, 3))
    arrays = {"a.weight": kernel, "deconv.weight": kernel}
    path.write_bytes(pickle.dumps(arrays, protocol=4))
    weights = converted(paddle_files, path, tmp_path)
    assert "same_as" not in weights.entries["deconv.weight"]
    assert weights.arrays["deconv.weight"].shape == (1, 8, 3, 3)


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
        ({"w": np.array([None])}, "tensor 'w': it holds Python objects"),
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
