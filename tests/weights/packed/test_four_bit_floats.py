"""MXFP4, NVFP4 and their kin, against ml_dtypes' e2m1, e4m3 and e8m0."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scaled_modules import E2M1, E4M3, E8M0, configured, module, pairs

from htsr_ref.errors import LayerError
from htsr_ref.weights.packed.mxfp4 import read_mxfp4
from htsr_ref.weights.packed.nvfp4 import read_nvfp4
from htsr_ref.weights.packed.packed_module import DamagedPackingError, NotUnderstoodError
from htsr_ref.weights.packed.scaled import fp4_pairs

RNG = np.random.default_rng(7)
MODELOPT = {"hf_quant_config": {"quantization": {"quant_algo": "NVFP4", "group_size": 16}}}


def values(*shape):
    """Random numbers of type e2m1."""
    return RNG.integers(0, 16, shape).astype(np.uint8).view(E2M1)


def exponents(*shape):
    return RNG.integers(100, 140, shape).astype(np.uint8)


def powers(codes):
    return codes.view(E8M0).astype(np.float64)


@pytest.mark.spec("PAK-4")
def test_all_256_bytes_hold_two_numbers_each():
    codes = np.arange(256, dtype=np.uint8).reshape(2, 128)
    low, high = (codes & 15).view(E2M1), (codes >> 4).view(E2M1)
    wanted = np.stack([low, high], axis=-1).reshape(2, 256).astype(np.float64)
    np.testing.assert_array_equal(fp4_pairs(codes, wanted.shape[1]), wanted)
    np.testing.assert_array_equal(np.signbit(fp4_pairs(codes, wanted.shape[1])), np.signbit(wanted))
    np.testing.assert_array_equal(fp4_pairs(codes.view(np.int8), wanted.shape[1]), wanted)


@pytest.mark.spec("PAK-10")
@pytest.mark.parametrize(
    "names",
    [
        ("gate_up_proj_blocks", "gate_up_proj_scales"),
        ("mlp1_weight__blocks", "mlp1_weight__scales"),
        ("blocks", "scales"),
    ],
)
@given(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))
def test_blocks_of_16_bytes(names, experts, rows, groups):
    numbers, scale = values(experts, rows, 32 * groups), exponents(experts, rows, groups)
    blocks = pairs(numbers).reshape(experts, rows, groups, 16)
    (tensor,) = read_mxfp4(module(**dict(zip(names, (blocks, scale), strict=True))))
    assert tensor.dtype == "MXFP4"
    wanted = numbers.astype(np.float64) * np.repeat(powers(scale), 32, axis=-1)
    assert tensor.shape == wanted.shape
    np.testing.assert_array_equal(tensor[...], wanted)
    np.testing.assert_array_equal(tensor[-1, ::2, 5], wanted[-1, ::2, 5])
    single = module(**dict(zip(names, (blocks[0], scale[0]), strict=True)))
    np.testing.assert_array_equal(read_mxfp4(single)[0][...], wanted[0])


@pytest.mark.spec("PAK-10")
def test_two_stacks_of_one_module():
    arrays = {
        "gate_up_proj_blocks": RNG.integers(0, 256, (2, 8, 1, 16)).astype(np.uint8),
        "gate_up_proj_scales": exponents(2, 8, 1),
        "down_proj_blocks": RNG.integers(0, 256, (2, 4, 2, 16)).astype(np.uint8),
        "down_proj_scales": exponents(2, 4, 2),
        "down_proj_bias": np.ones((2, 4), np.float32),
    }
    first, second = read_mxfp4(module(**arrays))
    assert (first.name, first.shape) == ("layer.gate_up_proj_blocks", (2, 8, 32))
    assert (second.name, second.shape) == ("layer.down_proj_blocks", (2, 4, 64))
    assert second.parts == {"down_proj_blocks": "packed", "down_proj_scales": "scale"}


@pytest.mark.spec("PAK-10")
def test_mxfp4_of_compressed_tensors():
    numbers, scale = values(5, 64), exponents(5, 2)
    (tensor,) = read_mxfp4(module(weight_packed=pairs(numbers), weight_scale=scale))
    wanted = numbers.astype(np.float64) * np.repeat(powers(scale), 32, axis=-1)
    np.testing.assert_array_equal(tensor[...], wanted)


@pytest.mark.spec("PAK-6")
@pytest.mark.parametrize("scale_name", ["weight_scale_inv", "scale"])
@pytest.mark.parametrize("settings", [{}, configured(quant_method="fp8", weight_block_size=[8, 8])])
def test_pairs_in_int8(scale_name, settings):
    numbers, scale = values(6, 64), exponents(6, 2)
    arrays = {"weight": pairs(numbers).view(np.int8), scale_name: scale.view(E8M0)}
    (tensor,) = read_mxfp4(module(settings, **arrays))
    wanted = numbers.astype(np.float64) * np.repeat(powers(scale), 32, axis=-1)
    np.testing.assert_array_equal(tensor[...], wanted)


@pytest.mark.spec("PAK-6")
def test_pairs_in_int8_with_float_scales_in_a_stack():
    numbers, scale = values(2, 6, 32), RNG.random((2, 6, 1), np.float32)
    arrays = {"down_proj": pairs(numbers).view(np.int8), "down_proj_scale_inv": scale}
    (tensor,) = read_mxfp4(module(**arrays))
    np.testing.assert_array_equal(tensor[...], numbers.astype(np.float64) * scale)
    assert tensor.dtype == "float4 e2m1"


@pytest.mark.spec("PAK-6")
def test_bytes_that_are_no_pairs_are_refused_or_left():
    weight = np.ones((8, 32), np.int8)
    with pytest.raises(NotUnderstoodError, match="no config says"):
        read_mxfp4(module(weight=weight, weight_scale_inv=np.ones((2, 2), np.float32)))
    settings = configured(quant_method="blockwise_int8", weight_block_size=[8, 16])
    arrays = {"weight": weight, "weight_scale_inv": np.ones((1, 2), np.float32)}
    assert read_mxfp4(module(settings, **arrays)) == ()
    assert read_mxfp4(module(weight=weight, weight_scale=np.ones((8, 1), np.float32))) == ()


@pytest.mark.spec("PAK-11", "PAK-12")
@given(st.integers(1, 6), st.integers(1, 4), st.booleans(), st.booleans())
def test_nvfp4(rows, groups, is_stack, is_compressed):
    ahead = (2,) if is_stack else ()
    numbers, blocks = values(*ahead, rows, 16 * groups), RNG.random((*ahead, rows, groups)) * 400
    blocks, whole = blocks.astype(E4M3), np.asarray(RNG.random(ahead) + 0.5, np.float32)
    spread = np.repeat(blocks.astype(np.float64), 16, axis=-1)
    product = numbers.astype(np.float64) * spread
    factor = whole.astype(np.float64).reshape((2, 1, 1) if is_stack else ())
    if is_compressed:
        arrays = {"weight_packed": pairs(numbers), "weight_global_scale": whole}
        (tensor,) = read_nvfp4(module(weight_scale=blocks, **arrays))
        wanted = product / factor
    else:
        arrays = {"weight": pairs(numbers), "weight_scale_2": whole}
        (tensor,) = read_nvfp4(module(MODELOPT, weight_scale=blocks, **arrays))
        wanted = product * factor
    np.testing.assert_array_equal(tensor[...], wanted)
    np.testing.assert_array_equal(tensor[..., ::2, 3], wanted[..., ::2, 3])


@pytest.mark.spec("PAK-11")
def test_nvfp4_without_a_config_is_refused():
    arrays = {
        "weight": pairs(values(4, 32)),
        "weight_scale": np.ones((4, 2), E4M3),
        "weight_scale_2": np.ones((), np.float32),
    }
    with pytest.raises(NotUnderstoodError, match="hf_quant_config"):
        read_nvfp4(module(**arrays))
    assert read_nvfp4(module(configured(quant_method="modelopt"), **arrays))
    arrays["weight_scale"] = np.ones((4, 2), np.float32)
    with pytest.raises(NotUnderstoodError, match="not those of NVFP4"):
        read_nvfp4(module(MODELOPT, **arrays))


@pytest.mark.spec("PAK-2")
@pytest.mark.parametrize("place", [0, 3])
def test_the_exponent_255_is_an_error_when_its_rows_are_read(place):
    scale = np.full((1, 4, 1), 127, np.uint8)
    scale[0, place] = 255
    blocks = np.zeros((1, 4, 1, 16), np.uint8)
    (tensor,) = read_mxfp4(module(gate_blocks=blocks, gate_scales=scale))
    assert tensor[0, 1:3].shape == (2, 32)
    with pytest.raises(LayerError, match=r"'layer.gate_scales' holds the exponent 255"):
        tensor[...]


@pytest.mark.spec("PAK-12")
@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_a_global_scale_that_is_no_divisor_is_an_error(bad):
    arrays = {
        "weight_packed": pairs(values(4, 32)),
        "weight_scale": np.ones((4, 2), E4M3),
        "weight_global_scale": np.array([bad], np.float32),
    }
    (tensor,) = read_nvfp4(module(**arrays))
    with pytest.raises(LayerError, match=r"'layer\.weight_global_scale'"):
        tensor[...]


@pytest.mark.spec("PAK-10")
@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a_blocks": np.zeros((2, 3, 2, 16), np.uint8)}, "has no a_scales"),
        (
            {
                "a_blocks": np.zeros((2, 3, 2, 16), np.uint8),
                "a_scales": np.zeros((2, 3, 1), np.uint8),
            },
            "'layer.a_scales'.*\\(2, 3, 1\\)",
        ),
        (
            {
                "a_blocks": np.zeros((2, 3, 2, 8), np.uint8),
                "a_scales": np.zeros((2, 3, 2), np.uint8),
            },
            "blocks of 16 bytes",
        ),
        (
            {
                "a_blocks": np.zeros((2, 3, 2, 16), np.uint8),
                "a_scales": np.zeros((2, 3, 2), np.float32),
            },
            "type float32",
        ),
        (
            {
                "weight_packed": np.zeros((4, 24), np.uint8),
                "weight_scale": np.zeros((4, 2), np.uint8),
            },
            "every 32 columns",
        ),
    ],
)
def test_damaged_mxfp4(arrays, message):
    with pytest.raises(DamagedPackingError, match=message):
        read_mxfp4(module(**arrays))


@pytest.mark.spec("PAK-11", "PAK-12")
@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"weight_scale": np.ones((4, 2), E4M3)}, "has no weight_global_scale"),
        ({"weight_global_scale": np.ones((1), np.float32)}, "has no weight_scale"),
        (
            {
                "weight_scale": np.ones((4, 3), E4M3),
                "weight_global_scale": np.ones((1), np.float32),
            },
            "every 16 columns",
        ),
        (
            {
                "weight_scale": np.ones((4, 2), E4M3),
                "weight_global_scale": np.ones((2), np.float32),
            },
            "one number a matrix",
        ),
    ],
)
def test_damaged_nvfp4(arrays, message):
    with pytest.raises(DamagedPackingError, match=message):
        read_nvfp4(module(weight_packed=pairs(values(4, 32)), **arrays))


@pytest.mark.spec("PAK-10", "PAK-12")
def test_zero_points_and_six_bits_are_refused():
    zero = {"weight_zero_point": np.zeros((4, 2), np.int8)}
    floats = {"weight_scale": np.ones((4, 2), E4M3), "weight_global_scale": np.ones(1, np.float32)}
    with pytest.raises(NotUnderstoodError, match="zero points"):
        read_nvfp4(module(weight_packed=pairs(values(4, 32)), **floats, **zero))
    with pytest.raises(NotUnderstoodError, match="zero points"):
        read_mxfp4(module(weight_packed=pairs(values(4, 64)), weight_scale=exponents(4, 2), **zero))
    with pytest.raises(NotUnderstoodError, match="six-bit"):
        read_mxfp4(module(weight_packed=np.zeros((4, 48), np.uint8), weight_scale=exponents(4, 2)))
