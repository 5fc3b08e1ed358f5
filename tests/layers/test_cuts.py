"""From a layer's tensor to its weight matrices: every way to cut it."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.errors import LayerError
from htsr_ref.layers.cuts import layer_matrices
from htsr_ref.layers.matrices import WeightMatrix
from htsr_ref.weights import Layer, open_weights

GROUP_SLICES = SDM2020_TEXT.override({"conv": "group-slices"})
SPLIT = SDM2020_TEXT.override({"fused": "split"})


def numbered(*shape: int) -> np.ndarray:
    """Array in which every entry is different, so that no two cuts can be confused."""
    return np.arange(float(np.prod(shape))).reshape(shape)


def layer(array: np.ndarray, kind: str, **declared: object) -> Layer:
    axes = {"linear": ["out", "in"], "conv": ["out", "in", "k1", "k2", "k3"][: array.ndim]}
    entry = {"role": "weight", "axes": axes.get(kind, ["out", "in"]), **declared}
    return open_weights({"W": array}, {"W": entry}).layers[0]


def values(matrices: tuple[WeightMatrix, ...]) -> list[tuple[str, list]]:
    return [(matrix.label, matrix.to_array().tolist()) for matrix in matrices]


@pytest.mark.spec("MAT-2")
def test_a_linear_layer_is_one_matrix():
    array = numbered(3, 5)
    assert values(layer_matrices(layer(array, "linear"))) == [("", array.T.tolist())]


@pytest.mark.spec("MAT-3")
@pytest.mark.parametrize("kernel", [(2,), (2, 3), (2, 1, 2), (1, 1)])
@pytest.mark.parametrize("channels", [(4, 3), (3, 4)])
def test_a_convolution_gives_one_matrix_a_kernel_position(kernel, channels):
    array = numbered(*channels, *kernel)
    expected = []
    for position in itertools.product(*map(range, kernel)):
        slice_ = array[(slice(None), slice(None), *position)]
        oriented = slice_ if channels[0] >= channels[1] else slice_.T
        expected.append((f"[{','.join(map(str, position))}]", oriented.tolist()))
    assert values(layer_matrices(layer(array, "conv"))) == expected


@pytest.mark.spec("MAT-3")
def test_groups_do_not_change_the_slices():
    array = numbered(6, 2, 1, 2)
    assert values(layer_matrices(layer(array, "conv", groups=3))) == [
        ("[0,0]", array[:, :, 0, 0].tolist()),
        ("[0,1]", array[:, :, 0, 1].tolist()),
    ]


@pytest.mark.spec("MAT-3")
def test_slices_are_the_default():
    convolution = layer(numbered(6, 2, 1, 2), "conv", groups=3)
    assert values(layer_matrices(convolution)) == values(layer_matrices(convolution, SDM2020_TEXT))


@pytest.mark.spec("MAT-4")
def test_group_slices_are_the_blocks_of_the_block_diagonal_matrix():
    array = numbered(6, 2, 1, 2)
    found = values(layer_matrices(layer(array, "conv", groups=3), GROUP_SLICES))
    assert [label for label, _ in found] == [
        f"group {group} [0,{position}]" for group in range(3) for position in range(2)
    ]
    for number, (_, matrix) in enumerate(found):
        group, position = divmod(number, 2)
        assert matrix == array[2 * group : 2 * group + 2, :, 0, position].tolist()


@pytest.mark.spec("MAT-4")
def test_one_group_gives_the_slices():
    convolution = layer(numbered(4, 3, 2, 2), "conv")
    assert values(layer_matrices(convolution, GROUP_SLICES)) == values(layer_matrices(convolution))


@pytest.mark.spec("MAT-4")
def test_groups_that_do_not_divide_the_channels_are_refused():
    broken = replace(layer(numbered(6, 2, 1, 1), "conv"), groups=4)
    with pytest.raises(LayerError, match="'W': 4 groups do not divide 6 output channels"):
        layer_matrices(broken, GROUP_SLICES)
    assert len(layer_matrices(broken, SDM2020_TEXT)) == 1


@pytest.mark.spec("MAT-17")
def test_parts_are_cut_only_where_the_convention_splits():
    array = numbered(6, 3)
    parts = [{"name": "a", "size": 2}, {"name": "b", "size": 4}]
    fused = layer(array, "linear", parts=parts)
    assert values(layer_matrices(fused, SDM2020_TEXT)) == [("", array.tolist())]
    split = values(layer_matrices(fused, SPLIT))
    assert split == [("a", array[:2].T.tolist()), ("b", array[2:].tolist())]


@pytest.mark.spec("MAT-5")
def test_declared_parts_cut_the_outputs_in_order():
    array = numbered(6, 3)
    parts = [{"name": name, "size": size} for name, size in [("q", 3), ("k", 1), ("v", 2)]]
    fused = layer(array, "linear", parts=parts)
    q, k, v = array[:3], array[3:4], array[4:]
    assert values(layer_matrices(fused, SPLIT)) == [
        ("q", q.tolist()),
        ("k", k.T.tolist()),
        ("v", v.T.tolist()),
    ]


@pytest.mark.spec("MAT-5")
def test_parts_of_a_convolution_are_sets_of_slices():
    array = numbered(5, 2, 2)
    parts = [{"name": "gate", "size": 2}, {"name": "value", "size": 3}]
    found = values(layer_matrices(layer(array, "conv", parts=parts), SPLIT))
    assert found == [
        ("gate [0]", array[:2, :, 0].tolist()),
        ("gate [1]", array[:2, :, 1].tolist()),
        ("value [0]", array[2:, :, 0].tolist()),
        ("value [1]", array[2:, :, 1].tolist()),
    ]


@pytest.mark.spec("MAT-5")
def test_what_is_fused_in_unknown_sizes_stays_whole():
    fused = open_weights({"attn.qkv.weight": numbered(7, 2)}).layers[0]
    assert [(m.N, m.M) for m in layer_matrices(fused, SPLIT)] == [(7, 2)]
    assert fused.decided == "inferred: fused qkv of unknown sizes: left whole"


@pytest.mark.spec("MAT-6")
def test_stacked_tensors_are_taken_one_by_one():
    array = numbered(2, 3, 4, 5)
    stacked = layer(array, "linear", axes=["stack", "stack", "out", "in"])
    assert values(layer_matrices(stacked)) == [
        (f"[{i},{j}]", array[i, j].T.tolist()) for i in range(2) for j in range(3)
    ]


@pytest.mark.spec("MAT-6")
def test_labels_of_a_stack_come_before_parts_and_positions():
    array = numbered(2, 4, 3, 2)
    parts = [{"name": "a", "size": 1}, {"name": "b", "size": 3}]
    stacked = layer(array, "conv", axes=["stack", "out", "in", "k1"], parts=parts)
    labels = [matrix.label for matrix in layer_matrices(stacked, SPLIT)]
    assert labels[:5] == ["[0] a [0]", "[0] a [1]", "[0] b [0]", "[0] b [1]", "[1] a [0]"]
    last = layer_matrices(stacked, SPLIT)[-1]
    np.testing.assert_array_equal(last.to_array(), array[1, 1:, :, 1])


@pytest.mark.spec("MAT-2", "MAT-3")
@given(st.sampled_from(["linear", "conv"]), st.integers(0, 2**32 - 1))
def test_every_entry_is_in_exactly_one_matrix(kind, seed):
    rng = np.random.default_rng(seed)
    array = numbered(*rng.integers(1, 5, 2 if kind == "linear" else 4))
    found = [matrix.to_array().ravel() for matrix in layer_matrices(layer(array, kind))]
    assert sorted(np.concatenate(found).tolist()) == sorted(array.ravel().tolist())
