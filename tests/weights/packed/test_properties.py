"""What holds for all packed layers: grids, orders of groups, slices, independent decoders."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from integer_packings import fixture, module
from strategies import generators

from htsr_ref.weights.packed.awq import read_awq
from htsr_ref.weights.packed.bitnet import read_bitnet
from htsr_ref.weights.packed.bitsandbytes import read_bitsandbytes
from htsr_ref.weights.packed.gptq import read_gptq
from htsr_ref.weights.packed.mlx import read_mlx

E2M1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6]


def stream(codes: np.ndarray, bits: int) -> np.ndarray:
    """Codes along axis 0 as int32 words, bit by bit."""
    planes = (codes[:, None] >> np.arange(bits)[:, None]) & 1
    flat = planes.reshape(-1, codes.shape[1])
    padding = -len(flat) % 32
    flat = np.concatenate([flat, np.zeros((padding, codes.shape[1]), flat.dtype)])
    weights = 1 << np.arange(32, dtype=np.int64)[:, None]
    words = (flat.reshape(-1, 32, codes.shape[1]).astype(np.int64) * weights).sum(1)
    return words.astype(np.uint32).view(np.int32)


def gptq(rng, bits, groups, *, act_order, outputs=32, group=16):
    """A layer's tensors in GPTQ's first format, and its matrix."""
    inputs = groups * group
    codes = rng.integers(0, 2**bits, (inputs, outputs))
    zeros = rng.integers(1, 2**bits, (groups, outputs))
    scales = rng.standard_normal((groups, outputs)).astype(np.float16)
    order = np.repeat(np.arange(groups, dtype=np.int32), group)
    if act_order:
        order = rng.permutation(order)
    weight = (codes - zeros[order]) * scales[order].astype(float)
    tensors = {
        "qweight": stream(codes, bits),
        "qzeros": np.ascontiguousarray(stream(zeros.T - 1, bits).T),
        "scales": scales,
        "g_idx": order,
    }
    return tensors, weight.T


@pytest.mark.spec("PAK-31", "PAK-32")
@given(generators, st.sampled_from([2, 3, 4, 8]), st.sampled_from([2, 4, 6]), st.booleans())
def test_gptq_is_what_a_plain_decoder_says(rng, bits, groups, act_order):
    tensors, weight = gptq(rng, bits, groups, act_order=act_order)
    (found,) = read_gptq(module(tensors))
    assert np.array_equal(found[...], weight)


@pytest.mark.spec("PAK-32")
@given(generators, st.sampled_from([2, 3, 4, 8]))
def test_the_second_format_is_one_code_lower(rng, bits):
    tensors, weight = gptq(rng, bits, 2, act_order=True)
    config = {"quant_method": "gptq", "bits": bits, "checkpoint_format": "gptq_v2"}
    (found,) = read_gptq(module(tensors, quantization_config=config))
    assert np.array_equal(found[...], weight + tensors["scales"].astype(float)[tensors["g_idx"]].T)


@pytest.mark.spec("PAK-31")
@given(generators)
def test_permuting_groups_with_their_order_changes_nothing(rng):
    tensors, weight = gptq(rng, 4, 4, act_order=True)
    places = rng.permutation(4)
    moved = dict(tensors)
    moved["scales"] = tensors["scales"][places]
    moved["qzeros"] = tensors["qzeros"][places]
    moved["g_idx"] = np.argsort(places).astype(np.int32)[tensors["g_idx"]]
    if not moved["g_idx"].any():
        return
    (found,) = read_gptq(module(moved))
    assert np.array_equal(found[...], weight)


@given(generators, st.sampled_from([2, 4]), st.sampled_from([16, 32]))
def test_without_an_order_the_groups_are_in_order(rng, groups, group):
    tensors, weight = gptq(rng, 4, groups, act_order=False, group=group)
    del tensors["g_idx"]
    (found,) = read_gptq(module(tensors, quantization_config={"bits": 4, "group_size": group}))
    assert np.array_equal(found[...], weight)


@given(generators)
def test_a_last_group_that_is_cut(rng):
    """AutoRound: 40 inputs in groups of 32."""
    codes = rng.integers(0, 16, (40, 32))
    zeros = rng.integers(0, 16, (2, 32))
    scales = rng.standard_normal((2, 32)).astype(np.float16)
    config = {"quant_method": "auto-round", "packing_format": "auto_round", "group_size": 32}
    tensors = {
        "qweight": stream(codes, 4),
        "qzeros": np.ascontiguousarray(stream(zeros.T, 4).T),
        "scales": scales,
    }
    (found,) = read_gptq(module(tensors, quantization_config=config))
    order = np.arange(40) // 32
    assert np.array_equal(found[...], ((codes - zeros[order]) * scales[order].astype(float)).T)


@pytest.mark.spec("PAK-31")
@given(generators)
def test_a_scale_of_one_changes_nothing(rng):
    """A matrix of whole numbers from -8 to 7 is what its own packing stands for."""
    whole = rng.integers(-8, 8, (32, 64))
    tensors = {
        "qweight": stream(whole.T + 8, 4),
        "qzeros": np.full((2, 4), 0x77777777, np.int32),
        "scales": np.ones((2, 32), np.float16),
        "g_idx": (np.arange(64) // 32).astype(np.int32),
    }
    (found,) = read_gptq(module(tensors))
    assert np.array_equal(found[...], whole)


@pytest.mark.spec("PAK-33")
@given(generators, st.sampled_from([1, 2, 4]))
def test_awq_is_what_a_plain_decoder_says(rng, groups):
    words = rng.integers(-(2**31), 2**31, (32, 6)).astype(np.int32)
    zero_words = rng.integers(-(2**31), 2**31, (groups, 6)).astype(np.int32)
    scales = rng.standard_normal((groups, 48)).astype(np.float16)

    def nibble(word, column):
        place = {0: 0, 2: 1, 4: 2, 6: 3, 1: 4, 3: 5, 5: 6, 7: 7}[column % 8]
        return (int(word) & 0xFFFFFFFF) >> 4 * place & 15

    def value(out, row):
        g = row * groups // 32
        code, zero = nibble(words[row, out // 8], out), nibble(zero_words[g, out // 8], out)
        return (code - zero) * float(scales[g, out])

    (found,) = read_awq(module({"qweight": words, "qzeros": zero_words, "scales": scales}))
    weight = [[value(out, row) for row in range(32)] for out in range(48)]
    assert np.array_equal(found[...], weight)


@pytest.mark.spec("PAK-34")
@given(generators, st.sampled_from([1, 2, 3, 4, 5, 6, 8]), st.sampled_from([32, 64, 128]))
def test_mlx_affine_is_what_a_plain_decoder_says(rng, bits, group):
    codes = rng.integers(0, 2**bits, (256, 5))
    scales = rng.standard_normal((5, 256 // group)).astype(np.float32)
    biases = rng.standard_normal((5, 256 // group)).astype(np.float16)
    words = np.ascontiguousarray(stream(codes, bits).T).view(np.uint32)
    tensors = {"weight": words, "scales": scales, "biases": biases}
    settings = {"quantization": {"group_size": 64, "bits": 4, "m": {"group_size": group}}}
    settings["quantization"]["m"]["bits"] = bits
    (found,) = read_mlx(module(tensors, **settings))
    expected = [
        [
            codes[i, o] * float(scales[o, i // group]) + float(biases[o, i // group])
            for i in range(256)
        ]
        for o in range(5)
    ]
    assert np.array_equal(found[...], expected)


@pytest.mark.spec("PAK-35")
@given(generators)
def test_mxfp4_is_what_a_plain_decoder_says(rng):
    words = rng.integers(0, 2**32, (3, 8), dtype=np.uint32)
    scales = rng.integers(0, 255, (3, 2), dtype=np.uint8)
    tensors = {"weight": words, "scales": scales}
    (found,) = read_mlx(module(tensors, quantization={"mode": "mxfp4"}))
    expected = [
        [
            E2M1[int(words[o, i // 8]) >> 4 * (i % 8) & 15] * 2.0 ** (int(scales[o, i // 32]) - 127)
            for i in range(64)
        ]
        for o in range(3)
    ]
    assert np.array_equal(found[...], expected)


@pytest.mark.spec("PAK-36")
@given(generators, st.integers(5, 16), st.sampled_from(["bitlinear", "autobitlinear", None]))
def test_bitnet_is_what_a_plain_decoder_says(rng, outputs, linear_class):
    codes = rng.integers(0, 3, (outputs, 20))
    height = -(-outputs // 4)
    packed = np.zeros((height, 20), np.uint8)
    for row in range(outputs):
        packed[row % height] |= (codes[row] << 2 * (row // height)).astype(np.uint8)
    config = {"quant_method": "bitnet"} | ({"linear_class": linear_class} if linear_class else {})
    tensors = {"weight": packed, "weight_scale": np.array([3.0], np.float32)}
    tensors["bias"] = np.zeros(outputs, np.float32)
    (found,) = read_bitnet(module(tensors, quantization_config=config))
    factor = 3.0 if linear_class == "autobitlinear" else 1 / 3
    assert np.allclose(found[...], (codes - 1) * factor, rtol=1e-15, atol=0)


@pytest.mark.spec("PAK-38")
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_four_bits_may_be_stored_in_wider_types(kind):
    """bitsandbytes' quant_storage: the same bytes under another type."""
    packed, _, _ = fixture("bnb-nf4-float32")
    arrays = {
        key: tensor.backing.read((slice(None),) * len(tensor.shape))
        for key, tensor in packed.tensors.items()
    }
    (plain,) = read_bitsandbytes(packed)
    count = plain.shape[0] * plain.shape[1] // 2
    bytes_ = np.concatenate([arrays["weight"].reshape(-1), np.zeros(-count % 4, np.uint8)])
    size = np.dtype(kind).itemsize
    stored = bytes_[: count + -count % size].view(kind).reshape(-1, 1)
    wide = module(arrays | {"weight": stored})
    if kind == "uint16":
        wide.tensors["weight"] = replace(wide.tensors["weight"], dtype="bfloat16")
    (found,) = read_bitsandbytes(wide)
    assert np.array_equal(found[...], plain[...])


READERS = [
    (read_gptq, "gptq-3bit-act-order"),
    (read_gptq, "auto-round-5bit"),
    (read_awq, "awq-gemm"),
    (read_mlx, "mlx-3bit"),
    (read_mlx, "mlx-mxfp8"),
    (read_bitnet, "bitnet-autobitlinear-padded"),
    (read_bitsandbytes, "bnb-int8"),
    (read_bitsandbytes, "bnb-nf4-float32-nested"),
    (read_bitsandbytes, "bnb-fp4-float16"),
]
bounds = st.one_of(st.none(), st.integers(-40, 40))
slices = st.builds(slice, bounds, bounds, st.sampled_from([None, 1, 2, 3, 7, -1, -4]))


@pytest.mark.spec("PAK-31", "PAK-33", "PAK-34", "PAK-36", "PAK-37", "PAK-38")
@pytest.mark.parametrize(("scheme", "name"), READERS, ids=[name for _, name in READERS])
def test_parts_are_parts_of_the_whole(scheme, name):
    packed, _, _ = fixture(name)
    (tensor,) = scheme(packed)
    whole = tensor[...]

    @given(slices, slices)
    def compare(rows, columns):
        index = (*(slice(None) for _ in tensor.shape[:-2]), rows, columns)
        assert np.array_equal(tensor[index], whole[index])

    compare()
