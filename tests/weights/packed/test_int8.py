"""Int8 codes, their scales and their zero points."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scaled_modules import E8M0, compressed, configured, module

from htsr_ref.weights.packed.int8 import read_int8
from htsr_ref.weights.packed.packed_module import DamagedPackingError, NotUnderstoodError

RNG = np.random.default_rng(5)


def codes(*shape):
    return RNG.integers(-128, 128, shape).astype(np.int8)


def marker(**values):
    return np.frombuffer(json.dumps(values).encode(), np.uint8)


@pytest.mark.spec("PAK-7")
@pytest.mark.parametrize("name", ["weight_scale", "scale_weight"])
@pytest.mark.parametrize("shape", [(), (1,), (6, 1), (6,)])
@pytest.mark.parametrize("with_zeros", [False, True])
def test_one_scale_and_one_a_row(name, shape, with_zeros):
    weight, scale = codes(6, 10), RNG.random(shape, np.float32)
    zero = RNG.integers(-9, 9, shape).astype(np.int8)
    more = {"weight_zero_point": zero} if with_zeros else {}
    (tensor,) = read_int8(module(weight=weight, **{name: scale}, **more))
    shift = zero.astype(np.float64).reshape(-1, 1) if with_zeros else 0
    wanted = (weight - shift) * scale.astype(np.float64).reshape(-1, 1)
    np.testing.assert_array_equal(tensor[...], wanted)
    np.testing.assert_array_equal(tensor[4:1:-2, 3], wanted[4:1:-2, 3])
    assert tensor.parts.get("weight_zero_point") == ("zero point" if with_zeros else None)


@pytest.mark.spec("PAK-7")
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 9))
def test_blocks_of_a_stated_size(rows, columns, step):
    rng = np.random.default_rng(rows * 100 + columns)
    weight = rng.integers(-128, 128, (rows, columns)).astype(np.int8)
    scale = rng.random((-(-rows // step), -(-columns // step)), np.float32)
    settings = configured(quant_method="blockwise_int8", weight_block_size=[step, step])
    (tensor,) = read_int8(module(settings, weight=weight, weight_scale_inv=scale))
    wanted = np.empty(weight.shape)
    for i, j in np.ndindex(wanted.shape):
        wanted[i, j] = float(weight[i, j]) * float(scale[i // step, j // step])
    np.testing.assert_array_equal(tensor[...], wanted)


@pytest.mark.spec("PAK-1", "PAK-7")
def test_a_scale_of_one_changes_nothing():
    every = np.arange(-128, 128).astype(np.int8).reshape(4, 64)
    (tensor,) = read_int8(module(weight=every, weight_scale=np.ones((), np.float16)))
    np.testing.assert_array_equal(tensor[...], every)


@pytest.mark.spec("PAK-7")
def test_blocks_that_comfyui_states():
    weight, scale = codes(24, 20), RNG.random((2, 2), np.float32)
    text = marker(format="int8_blockwise", group_size=16)
    (tensor,) = read_int8(module(weight=weight, weight_scale=scale, comfy_quant=text))
    spread = np.repeat(np.repeat(scale.astype(np.float64), 16, 0), 16, 1)[:24, :20]
    np.testing.assert_array_equal(tensor[...], weight * spread)


@pytest.mark.spec("PAK-7")
@pytest.mark.parametrize(
    "other",
    [
        {"SCB": np.ones(4, np.float32)},
        {"weight_scales": np.ones(4, np.float16)},
        {"scale": np.full((4, 1), 127, np.uint8).view(E8M0)},
        {"weight_scale_inv": np.ones((4, 1), np.float32)},
        {},
    ],
)
def test_other_bytes_are_left_to_other_schemes(other):
    assert read_int8(module(weight=codes(4, 16), **other)) == ()


@pytest.mark.spec("PAK-7")
@pytest.mark.parametrize(
    ("arrays", "settings", "message"),
    [
        ({"weight_scale": np.ones(5, np.float32)}, {}, "does not fit"),
        (
            {
                "weight_scale": np.ones((6, 1), np.float32),
                "weight_zero_point": np.zeros((5, 1), np.int8),
            },
            {},
            "'layer.weight_zero_point'.*is not that of the scales",
        ),
        (
            {
                "weight_scale": np.ones((6, 1), np.float32),
                "weight_zero_point": np.zeros((6, 1), np.float32),
            },
            {},
            "type float32",
        ),
        (
            {"weight_scale": np.ones((6, 1), np.float32)},
            compressed(num_bits=8, symmetric=False),
            "has no weight_zero_point",
        ),
    ],
)
def test_damage(arrays, settings, message):
    with pytest.raises(DamagedPackingError, match=message):
        read_int8(module(settings, weight=codes(6, 10), **arrays))


@pytest.mark.spec("PAK-7")
def test_groups_out_of_order_are_refused():
    arrays = {"weight_scale": np.ones((6, 2), np.float32), "weight_g_idx": np.zeros(8, np.int32)}
    with pytest.raises(NotUnderstoodError, match="out of order"):
        read_int8(module(weight=codes(6, 8), **arrays))
