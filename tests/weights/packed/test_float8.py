"""Float8 codes and their scales."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scaled_modules import BF16, E4M3, E5M2, E8M0, compressed, configured, module

from htsr_ref.errors import LayerError
from htsr_ref.weights.packed.float8 import read_float8
from htsr_ref.weights.packed.packed_module import DamagedPackingError, NotUnderstoodError

RNG = np.random.default_rng(3)
NAMES = ["weight_scale_inv", "weight_scale", "scale", "scale_weight", "qscale_weight"]


def codes(*shape, dtype=E4M3):
    return RNG.standard_normal(shape).astype(dtype)


def by_entry(weight, scale, height, width):
    """Every entry by itself, as the definition says it."""
    found = np.empty(weight.shape)
    for i, j in np.ndindex(weight.shape):
        found[i, j] = float(weight[i, j]) * float(scale[i // height, j // width])
    return found


@pytest.mark.spec("PAK-5")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [E4M3, E5M2])
@pytest.mark.parametrize("shape", [(), (1,), (6, 1), (6,), (1, 1)])
def test_one_scale_and_one_a_row_under_every_name(name, dtype, shape):
    weight, scale = codes(6, 10, dtype=dtype), RNG.random(shape, np.float32)
    (tensor,) = read_float8(module(weight=weight, **{name: scale}))
    assert tensor.name == "layer.weight"
    assert tensor.parts == {"weight": "packed", name: "scale"}
    wanted = weight.astype(np.float64) * scale.astype(np.float64).reshape(-1, 1)
    np.testing.assert_array_equal(tensor[...], wanted)


@pytest.mark.spec("PAK-3", "PAK-5")
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 16), st.integers(1, 16), st.integers()
)
def test_ragged_blocks_of_a_stated_size(rows, columns, height, width, seed):
    rng = np.random.default_rng(abs(seed))
    weight = rng.standard_normal((rows, columns)).astype(E4M3)
    scale = rng.random((-(-rows // height), -(-columns // width)), np.float32)
    settings = configured(quant_method="fp8", weight_block_size=[height, width])
    (tensor,) = read_float8(module(settings, weight=weight, weight_scale_inv=scale))
    wanted = by_entry(weight, scale, height, width)
    np.testing.assert_array_equal(tensor[...], wanted)
    first = int(rng.integers(0, rows))
    np.testing.assert_array_equal(tensor[first::3, ::-2], wanted[first::3, ::-2])
    np.testing.assert_array_equal(tensor[-1], wanted[-1])


@pytest.mark.spec("PAK-1")
def test_a_scale_of_one_changes_nothing():
    every = np.delete(np.arange(256, dtype=np.uint8), [127, 255]).view(E4M3).reshape(2, 127)
    (tensor,) = read_float8(module(weight=every, weight_scale=np.ones((2, 1), BF16)))
    np.testing.assert_array_equal(tensor[...], every.astype(np.float64))


@pytest.mark.spec("PAK-2")
@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16, E8M0, np.uint8])
def test_scales_of_every_type(dtype):
    powers = np.array([[0.25], [0.5], [2.0]])
    is_bytes = dtype is np.uint8
    scale = (np.log2(powers) + 127).astype(np.uint8) if is_bytes else powers.astype(dtype)
    weight = codes(3, 8)
    (tensor,) = read_float8(module(weight=weight, weight_scale=scale))
    np.testing.assert_array_equal(tensor[...], weight.astype(np.float64) * powers)


@pytest.mark.spec("PAK-3")
def test_a_block_that_divides_by_a_power_of_two_needs_no_config():
    weight, scale = codes(32, 24), RNG.random((4, 3), np.float32)
    (tensor,) = read_float8(module(weight=weight, weight_scale_inv=scale))
    np.testing.assert_array_equal(tensor[...], by_entry(weight, scale, 8, 8))


@pytest.mark.spec("PAK-3")
@pytest.mark.parametrize("shape", [(5, 3), (2, 1)])
def test_a_block_that_is_not_proven_is_refused(shape):
    """(2, 1) for 36 rows: 18 rows a block, or 32 with the second cut."""
    packed = module(weight=codes(36, 24), weight_scale_inv=np.ones(shape, np.float32))
    with pytest.raises(
        NotUnderstoodError, match=r"'layer\.weight_scale_inv'.*does not tell the size"
    ):
        read_float8(packed)


@pytest.mark.spec("PAK-3")
def test_one_of_two_stated_sizes_fits():
    weights = {"group_0": {"weights": {"block_structure": "16x16"}}}
    weights["group_1"] = {"weights": {"block_structure": [8, 4], "group_size": None}}
    weight, scale = codes(20, 18), RNG.random((3, 5), np.float32)
    settings = configured(quant_method="compressed-tensors", config_groups=weights)
    (tensor,) = read_float8(module(settings, weight=weight, weight_scale=scale))
    np.testing.assert_array_equal(tensor[...], by_entry(weight, scale, 8, 4))


@pytest.mark.spec("PAK-3")
def test_stated_sizes_beyond_the_matrix_are_one():
    groups = {"a": {"weights": {"block_structure": [16, 4]}}}
    groups["b"] = {"weights": {"block_structure": [32, 4]}}
    weight, scale = codes(9, 8), RNG.random((1, 2), np.float32)
    settings = configured(quant_method="compressed-tensors", config_groups=groups)
    (tensor,) = read_float8(module(settings, weight=weight, weight_scale=scale))
    np.testing.assert_array_equal(tensor[...], by_entry(weight, scale, 16, 4))


@pytest.mark.spec("PAK-5")
@pytest.mark.parametrize("shape", [(), (3,), (3, 1, 1), (3, 8, 1), (3, 1, 6), (3, 2, 3)])
def test_stacks(shape):
    weight, scale = codes(3, 8, 6), RNG.random(shape, np.float32)
    (tensor,) = read_float8(module(gate_up_proj=weight, gate_up_proj_scale_inv=scale))
    assert tensor.shape == (3, 8, 6)
    grid = np.ones((3, 1, 1)) * scale.reshape(-1, *(shape[1:] if len(shape) == 3 else (1, 1)))
    spread = np.repeat(grid, 8 // grid.shape[1], 1).repeat(6 // grid.shape[2], 2)
    wanted = weight.astype(np.float64) * spread
    np.testing.assert_array_equal(tensor[...], wanted)
    np.testing.assert_array_equal(tensor[2, 1:5], wanted[2, 1:5])
    np.testing.assert_array_equal(tensor[::-1, 7], wanted[::-1, 7])


@pytest.mark.spec("PAK-5")
def test_scales_of_the_input_and_other_modules_are_no_weights():
    plain = module(weight=codes(4, 4), input_scale=np.ones((), np.float32))
    assert read_float8(plain) == ()
    assert read_float8(module(weight=np.ones((4, 4), np.float32))) == ()
    (tensor,) = read_float8(
        module(
            weight=codes(4, 4),
            weight_scale=np.ones((), np.float32),
            input_scale=np.ones((), np.float32),
        )
    )
    assert "input_scale" not in tensor.parts


@pytest.mark.spec("PAK-5")
def test_two_scales_are_refused():
    one = np.ones((), np.float32)
    with pytest.raises(NotUnderstoodError, match="weight_scale_inv and weight_scale"):
        read_float8(module(weight=codes(4, 4), weight_scale_inv=one, weight_scale=one))


@pytest.mark.spec("PAK-5")
@pytest.mark.parametrize("dtype", [np.uint8, E8M0])
def test_exponents_for_32_columns_need_a_config(dtype):
    weight, scale = codes(4, 64), np.full((4, 2), 127, np.uint8)
    arrays = {"weight": weight, "weight_scale": scale.view(dtype)}
    with pytest.raises(NotUnderstoodError, match="only a config could tell"):
        read_float8(module(**arrays))
    (tensor,) = read_float8(module(compressed(group_size=32), **arrays))
    np.testing.assert_array_equal(tensor[...], weight.astype(np.float64))


@pytest.mark.spec("PAK-3", "PAK-5")
@pytest.mark.parametrize(
    ("scale", "settings", "message"),
    [
        (np.ones((7, 1), np.float32), {}, "shape \\(7, 1\\) does not fit"),
        (np.ones(5, np.float32), {}, "shape \\(5,\\) does not fit"),
        (np.ones((1, 1, 1, 1), np.float32), {}, "does not fit"),
        (np.ones((0, 1), np.float32), configured(weight_block_size=[2, 2]), "in blocks of"),
        (np.ones((2, 2), np.int32), {}, "int32, which no scale has"),
        (np.ones((2, 3), np.float32), configured(weight_block_size=[4, 4]), "in blocks of"),
        (np.ones((2, 2), np.float32), configured(weight_block_size=[4]), "pair"),
        (np.ones((2, 2), np.float32), configured(weight_block_size=[4, "x"]), "pair"),
        (np.ones((2, 2), np.float32), configured(weight_block_size=[0, 4]), "pair"),
        (np.ones((2, 2), np.float32), configured(weight_block_size=7), "pair"),
    ],
)
def test_damage_is_an_error_at_opening(scale, settings, message):
    with pytest.raises(DamagedPackingError, match=message):
        read_float8(module(settings, weight=codes(6, 8), weight_scale_inv=scale))


@pytest.mark.spec("PAK-5")
@pytest.mark.parametrize(
    "settings",
    [
        configured(quant_method="fp8"),
        configured(quant_method="compressed-tensors"),
        configured(quant_method="modelopt"),
        configured(quant_method="quark"),
        {"hf_quant_config": {"quantization": {"quant_algo": "FP8"}}},
    ],
)
def test_a_missing_scale_is_damage_if_the_config_asks_for_it(settings):
    with pytest.raises(DamagedPackingError, match=r"'layer.weight': it has no scale"):
        read_float8(module(settings, weight=codes(4, 4)))


@pytest.mark.spec("PAK-5")
def test_convolutions_are_refused():
    packed = module(weight=codes(4, 4, 3, 3), weight_scale=np.ones((), np.float32))
    with pytest.raises(NotUnderstoodError, match="along 4 axes"):
        read_float8(packed)


@pytest.mark.spec("PAK-2")
@pytest.mark.parametrize(
    "bad", [np.float32(np.nan), np.float32(np.inf), np.uint8(255), np.uint8(255).view(E8M0)]
)
def test_a_scale_that_is_no_number_is_an_error_when_its_rows_are_read(bad):
    scale = np.full((4, 1), 1 if bad.dtype != np.uint8 else 127, bad.dtype)
    scale[2] = bad
    (tensor,) = read_float8(module(weight=codes(4, 4), weight_scale=scale))
    assert np.isfinite(tensor[:2]).all()
    with pytest.raises(LayerError, match=r"tensor 'layer\.weight_scale'"):
        tensor[1:3]


@pytest.mark.spec("PAK-13")
def test_only_the_rows_asked_for_are_read():
    """Both backings count the numbers that they hand over."""
    seen = []

    class Counting:
        def __init__(self, codes):
            self.codes = codes

        def read(self, index):
            seen.append(self.codes[index].size)
            return self.codes[index]

    packed = module(
        configured(weight_block_size=[4, 4]),
        weight=codes(64, 16),
        weight_scale_inv=np.ones((16, 4), np.float32),
    )
    for part in packed.tensors.values():
        object.__setattr__(part, "backing", Counting(part.backing.codes))
    (tensor,) = read_float8(packed)
    assert seen == []
    assert tensor[8:12].shape == (4, 16)
    assert seen == [64, 4]
    assert tensor[3:3].shape == (0, 16)
    assert seen == [64, 4]
