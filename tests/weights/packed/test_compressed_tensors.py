"""Integers in 32-bit words, in both layouts of compressed-tensors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scaled_modules import BF16, compressed, module

from htsr_ref.errors import LayerError
from htsr_ref.weights.packed.compressed_tensors import read_compressed_tensors
from htsr_ref.weights.packed.packed_module import DamagedPackingError, NotUnderstoodError

RNG = np.random.default_rng(11)
FOUR_BITS = compressed(num_bits=4, type="int")


def packed(numbers, bits, is_dense):
    """Pack signed numbers of each row one bit at a time, as the two layouts are defined."""
    unsigned = np.asarray(numbers, np.int64) + 2 ** (bits - 1)
    rows, columns = unsigned.shape
    last_word = -(-columns * bits // 32) if is_dense else -(-columns // (32 // bits))
    words = np.zeros((rows, last_word), np.uint32)
    for (row, column), number in np.ndenumerate(unsigned):
        for bit in range(bits):
            at = column * bits + bit
            if not is_dense:
                at = 32 * (column // (32 // bits)) + column % (32 // bits) * bits + bit
            words[row, at // 32] |= np.uint32(int(number) >> bit & 1) << np.uint32(at % 32)
    return words.view(np.int32)


def integers(rng, bits, *shape):
    return rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), shape)


def example(rng, bits, is_dense, rows, groups, size):
    """Arrays of a module with packed zero points, and its weight."""
    numbers, zero = integers(rng, bits, rows, groups * size), integers(rng, bits, rows, groups)
    scale = rng.random((rows, groups)).astype(BF16)
    spread = np.repeat(zero, size, 1), np.repeat(scale.astype(np.float64), size, 1)
    arrays = {
        "weight_packed": packed(numbers, bits, is_dense),
        "weight_scale": scale,
        "weight_shape": np.array([rows, groups * size]),
        "weight_zero_point": packed(zero.T, bits, is_dense).T,
    }
    return arrays, (numbers - spread[0]) * spread[1]


@pytest.mark.spec("PAK-8")
@given(
    st.integers(1, 8),
    st.booleans(),
    st.integers(1, 40),
    st.integers(1, 3),
    st.integers(1, 40),
    st.integers(0, 2**32),
)
def test_every_number_of_bits_in_both_layouts(bits, is_dense, rows, groups, size, seed):
    rng = np.random.default_rng(seed)
    arrays, wanted = example(rng, bits, is_dense, rows, groups, size)
    settings = compressed(num_bits=bits, type="int", symmetric=False)
    try:
        (tensor,) = read_compressed_tensors(module(settings, **arrays))
    except NotUnderstoodError:
        words = arrays["weight_packed"].shape[1], len(arrays["weight_zero_point"])
        per_word = 32 // bits
        dense = -(-groups * size * bits // 32), -(-rows * bits // 32)
        assert words == dense == (-(-groups * size // per_word), -(-rows // per_word))
        return
    np.testing.assert_array_equal(tensor[...], wanted)
    first = int(rng.integers(0, rows))
    np.testing.assert_array_equal(tensor[first::2, ::-1], wanted[first::2, ::-1])
    np.testing.assert_array_equal(tensor[first], wanted[first])


@pytest.mark.spec("PAK-8")
@pytest.mark.parametrize("dtype", [np.int8, None])
def test_zero_points_that_are_not_packed_and_none(dtype):
    numbers, scale = integers(RNG, 4, 6, 32), RNG.random((6, 2), np.float32)
    zero = integers(RNG, 4, 6, 2) * (dtype is not None)
    arrays = {
        "weight_packed": packed(numbers, 4, is_dense=True),
        "weight_scale": scale,
        "weight_shape": np.array([6, 32], np.int32),
    }
    if dtype is not None:
        arrays["weight_zero_point"] = zero.astype(dtype)
    (tensor,) = read_compressed_tensors(module(FOUR_BITS, **arrays))
    spread = np.repeat(scale.astype(np.float64), 16, 1)
    np.testing.assert_array_equal(tensor[...], (numbers - np.repeat(zero, 16, 1)) * spread)


@pytest.mark.spec("PAK-8")
def test_a_stack_of_experts():
    numbers, scale = integers(RNG, 4, 3, 10, 24), RNG.random((3, 10, 3), np.float32)
    zero = integers(RNG, 4, 3, 10, 3)
    arrays = {
        "weight_packed": np.stack([packed(each, 4, True) for each in numbers]),
        "weight_scale": scale,
        "weight_shape": np.array([3, 10, 24]),
        "weight_zero_point": np.stack([packed(each.T, 4, True).T for each in zero]),
    }
    (tensor,) = read_compressed_tensors(module(FOUR_BITS, **arrays))
    spread = np.repeat(scale.astype(np.float64), 8, -1)
    wanted = (numbers - np.repeat(zero, 8, -1)) * spread
    assert tensor.shape == wanted.shape
    np.testing.assert_array_equal(tensor[...], wanted)
    np.testing.assert_array_equal(tensor[1:, 3:9:2], wanted[1:, 3:9:2])


@pytest.mark.spec("PAK-8")
@given(st.permutations(range(24)))
def test_permuting_columns_with_their_groups_changes_nothing(order):
    arrays, weight = example(np.random.default_rng(1), 4, True, 5, 3, 8)
    plain = integers(np.random.default_rng(1), 4, 5, 24)
    groups = np.repeat(np.arange(3), 8).astype(np.int32)
    moved = {
        **arrays,
        "weight_packed": packed(plain[:, order], 4, True),
        "weight_g_idx": groups[list(order)],
    }
    (tensor,) = read_compressed_tensors(module(FOUR_BITS, **moved))
    np.testing.assert_array_equal(tensor[...], weight[:, order])


@pytest.mark.spec("PAK-8")
def test_an_order_of_minus_one_is_none():
    arrays, weight = example(RNG, 4, True, 5, 3, 8)
    arrays["weight_g_idx"] = np.full(24, -1, np.int32)
    (tensor,) = read_compressed_tensors(module(FOUR_BITS, **arrays))
    np.testing.assert_array_equal(tensor[...], weight)


@pytest.mark.spec("PAK-1", "PAK-8")
def test_a_scale_of_one_changes_nothing():
    numbers = np.arange(-128, 128).reshape(4, 64)
    arrays = {"weight_packed": packed(numbers, 8, True), "weight_shape": np.array([4, 64])}
    arrays["weight_scale"] = np.ones((1, 1), np.float32)
    (tensor,) = read_compressed_tensors(module(compressed(num_bits=8), **arrays))
    np.testing.assert_array_equal(tensor[...], numbers)


@pytest.mark.spec("PAK-8")
def test_bits_that_are_not_proven_are_refused():
    """128 words are 512 codes of 8 bits, or of 7 bits at four codes a word."""
    arrays = {
        "weight_packed": np.zeros((2, 128), np.int32),
        "weight_scale": np.ones((2, 1), np.float32),
        "weight_shape": np.array([2, 512]),
    }
    with pytest.raises(NotUnderstoodError, match="7 or 8 bits"):
        read_compressed_tensors(module(**arrays))
    (tensor,) = read_compressed_tensors(module(compressed(num_bits=8), **arrays))
    assert tensor.dtype == "int8 (compressed-tensors)"
    assert (tensor[...] == -128).all()


def with_changes(**changes):
    arrays, _ = example(np.random.default_rng(2), 4, True, 6, 2, 16)
    arrays |= changes
    there = {name: array for name, array in arrays.items() if array is not None}
    return module(FOUR_BITS, **there)


@pytest.mark.spec("PAK-8")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_shape": None}, "has no weight_shape"),
        ({"weight_scale": None}, "has no weight_scale"),
        ({"weight_shape": np.array([6, 99])}, "is not that of a weight of"),
        ({"weight_shape": np.array([6, -5])}, "it says \\(6, -5\\)"),
        ({"weight_shape": np.array([7, 32])}, "it says \\(7, 32\\)"),
        ({"weight_shape": np.array([6, 32, 1])}, "that of a shape"),
        ({"weight_shape": np.array([6.0, 32.0])}, "float64"),
        ({"weight_scale": np.ones((6, 3), np.float32)}, "do not divide the 32"),
        ({"weight_scale": np.ones((5, 2), np.float32)}, "does not fit"),
        ({"weight_scale": np.ones((6, 0), np.float32)}, "does not fit"),
        ({"weight_scale": np.ones((6, 2), np.int64)}, "no scale"),
        ({"weight_zero_point": np.zeros((9, 2), np.int32)}, "zero points"),
        ({"weight_zero_point": np.zeros((1, 3), np.int32)}, "weight_zero_point.*\\(1, 3\\)"),
        ({"weight_zero_point": np.zeros((6, 3), np.int8)}, "not that of the scales"),
        ({"weight_zero_point": np.zeros((6, 2), np.float32)}, "float32"),
        ({"weight_g_idx": np.zeros(32, np.int32)}, "16 columns into each of 2"),
        ({"weight_g_idx": np.full(32, 2, np.int32)}, "16 columns into each of 2"),
        ({"weight_g_idx": np.full(32, -2, np.int32)}, "16 columns into each of 2"),
        ({"weight_g_idx": np.zeros(31, np.int32)}, "not that of 32 columns"),
        ({"weight_g_idx": np.zeros(32, np.float32)}, "float32"),
    ],
)
def test_damage(changes, message):
    with pytest.raises(DamagedPackingError, match=message):
        read_compressed_tensors(with_changes(**changes))


@pytest.mark.spec("PAK-8")
def test_missing_zero_points_that_the_config_promises():
    arrays, _ = example(RNG, 4, True, 6, 2, 16)
    del arrays["weight_zero_point"]
    with pytest.raises(DamagedPackingError, match="has no weight_zero_point"):
        read_compressed_tensors(module(compressed(num_bits=4, symmetric=False), **arrays))


@pytest.mark.spec("PAK-8")
def test_other_modules_and_kernels():
    assert read_compressed_tensors(module(weight=np.ones((4, 4), np.float32))) == ()
    sparse = {"weight_packed": np.zeros((4, 4), np.int32), "meta": np.zeros((4, 4), np.int16)}
    with pytest.raises(NotUnderstoodError, match="marlin-24"):
        read_compressed_tensors(module(**sparse))


@pytest.mark.spec("PAK-2")
def test_a_scale_that_is_no_number_is_an_error_when_its_rows_are_read():
    scale = np.ones((6, 2), np.float32)
    scale[4, 1] = np.nan
    (tensor,) = read_compressed_tensors(with_changes(weight_scale=scale))
    assert tensor[:4].shape == (4, 32)
    with pytest.raises(LayerError, match=r"tensor 'layer\.weight_scale'"):
        tensor[4]
