"""Layers that the real libraries packed: our numbers, rounded as they round, are theirs.

Ours are exact. Each library rounds on its way, and the steps are repeated here: GPTQ, AutoRound
and AWQ round once to float16, the type of their scales; MLX rounds the product and then the sum to
the scales' type; its float modes, transformers' Metal and BitNet compute in float32; bitsandbytes
multiplies in float32 in its own order and casts to the type of the weight.
"""

import json

import ml_dtypes
import numpy as np
import pytest
from integer_packings import fixture

from htsr_ref.weights.dtypes import decode
from htsr_ref.weights.packed.awq import read_awq
from htsr_ref.weights.packed.bitnet import read_bitnet
from htsr_ref.weights.packed.bitsandbytes import read_bitsandbytes
from htsr_ref.weights.packed.gptq import read_gptq
from htsr_ref.weights.packed.mlx import read_mlx

SCHEMES = {read_awq, read_bitnet, read_bitsandbytes, read_gptq, read_mlx}
TYPES = {"float16": np.float16, "float32": np.float32, "bfloat16": ml_dtypes.bfloat16}

ROUNDED_ONCE = [
    (read_gptq, "gptq-2bit"),
    (read_gptq, "gptq-3bit-act-order"),
    (read_gptq, "gptq-4bit-act-order"),
    (read_gptq, "gptq-4bit"),
    (read_gptq, "gptq-8bit"),
    (read_gptq, "gptq-v2-3bit"),
    (read_gptq, "gptq-v2-4bit"),
    (read_gptq, "auto-round-3bit"),
    (read_gptq, "auto-round-4bit"),
    (read_gptq, "auto-round-5bit"),
    (read_gptq, "auto-round-auto-gptq-3bit"),
    (read_gptq, "auto-round-auto-gptq-4bit"),
    (read_gptq, "auto-round-auto-gptq-5bit"),
    (read_awq, "awq-gemm"),
    (read_mlx, "mlx-mxfp4"),
    (read_mlx, "mlx-mxfp8"),
    (read_mlx, "mlx-nvfp4"),
    (read_bitnet, "bitnet-autobitlinear"),
    (read_bitnet, "bitnet-autobitlinear-padded"),
    (read_bitnet, "bitnet-bitlinear"),
]


def read(scheme, packed):
    """Read by the scheme, and by no other."""
    for other in SCHEMES - {scheme}:
        assert other(packed) == ()
    (tensor,) = scheme(packed)
    return tensor


@pytest.mark.spec("PAK-31", "PAK-32", "PAK-33", "PAK-35", "PAK-36")
@pytest.mark.parametrize(("scheme", "name"), ROUNDED_ONCE, ids=[name for _, name in ROUNDED_ONCE])
def test_rounded_once(scheme, name):
    packed, expected, dtype = fixture(name)
    tensor = read(scheme, packed)
    ours = tensor[...].astype(TYPES[dtype]).astype(np.float64)
    assert tensor.shape == expected.shape
    assert np.array_equal(ours, expected)
    assert len(np.unique(expected)) > 2


def group_numbers(packed, name, tensor):
    """One number for each weight, in the scales' type."""
    raw = packed.tensors[name]
    kind = "float8_e4m3fn" if raw.dtype == "uint8" else raw.dtype
    numbers = decode(raw.backing.read((slice(None),) * len(raw.shape)), kind)
    numbers = np.repeat(numbers, tensor.shape[-1] // raw.shape[-1], axis=-1)
    return numbers.astype(TYPES.get(kind, np.float64))


@pytest.mark.spec("PAK-34")
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 8])
def test_mlx_affine(bits):
    packed, expected, dtype = fixture(f"mlx-{bits}bit")
    tensor = read(read_mlx, packed)
    scales, biases = (group_numbers(packed, name, tensor) for name in ("scales", "biases"))
    codes = np.rint((tensor[...] - biases.astype(float)) / scales.astype(float))
    assert np.array_equal(tensor[...], codes * scales.astype(float) + biases.astype(float))
    theirs = (codes.astype(TYPES[dtype]) * scales).astype(TYPES[dtype]) + biases
    assert np.array_equal(theirs.astype(TYPES[dtype]).astype(float), expected)


@pytest.mark.spec("PAK-34")
def test_metal():
    packed, expected, _ = fixture("metal-4bit")
    tensor = read(read_mlx, packed)
    scales = group_numbers(packed, "scales", tensor).astype(np.float32)
    biases = group_numbers(packed, "qbiases", tensor).astype(np.float32)
    codes = np.rint((tensor[...] - biases) / scales).astype(np.float32)
    assert np.array_equal(tensor[...], codes * scales.astype(float) + biases)
    assert np.array_equal((codes * scales + biases).astype(float), expected)


@pytest.mark.spec("PAK-35")
def test_nvfp4_with_a_global_scale():
    """MLX divides the global scale by 2688, multiplies the scale, then the number, in float32."""
    packed, expected, _ = fixture("mlx-nvfp4-global")
    exact = read(read_mlx, packed)[...]
    factor = packed.tensors["global_scale"].backing.read(()) / np.float32(2688)
    scales = group_numbers(packed, "scales", exact)
    halves = np.divide(2 * exact * 2688, 7.3 * scales, out=np.zeros_like(exact), where=scales > 0)
    numbers = np.rint(halves).astype(np.float32) / 2
    assert np.allclose(numbers * scales * float(np.float32(7.3)) / 2688, exact, rtol=1e-15, atol=0)
    theirs = scales.astype(np.float32) * factor * numbers
    assert np.array_equal(theirs.astype(float), expected)


@pytest.mark.spec("PAK-37")
def test_int8_of_bitsandbytes():
    packed, expected, _ = fixture("bnb-int8")
    tensor = read(read_bitsandbytes, packed)
    scales = packed.tensors["SCB"].backing.read((slice(None),))[:, None]
    codes = packed.tensors["weight"].backing.read((slice(None), slice(None)))
    assert np.array_equal(tensor[...], codes * scales.astype(float) / 127)
    theirs = codes.astype(np.float32) * scales * np.float32(7.874015718698502e-3)
    assert np.array_equal(theirs.astype(float), expected)


FOUR_BITS = ["nf4-float32", "nf4-float32-nested", "nf4-bfloat16-nested", "fp4-float16"]
FOUR_BITS += ["fp4-float32-nested"]


@pytest.mark.spec("PAK-38")
@pytest.mark.parametrize("name", FOUR_BITS)
def test_four_bits_of_bitsandbytes(name):
    """Product, and scale of the scales, in float32; the sum of offset and scale too."""
    packed, expected, dtype = fixture(f"bnb-{name}")
    tensor = read(read_bitsandbytes, packed)
    exact = tensor[...]
    assert exact.shape == (33, 50)
    scales = np.repeat(absmax(packed, np.float64), 64)[: exact.size].reshape(exact.shape)
    table = packed.tensors["weight.quant_map"].backing.read((slice(None),))
    place = np.abs((exact / scales)[..., None] - table.astype(float)).argmin(-1)
    assert np.array_equal(table.astype(float)[place] * scales, exact)
    rounded = np.repeat(absmax(packed, np.float32), 64)[: exact.size].reshape(exact.shape)
    theirs = (table[place] * rounded).astype(TYPES[dtype])
    assert np.array_equal(theirs.astype(float), expected)


def absmax(packed, kind):
    """Scales of blocks, computed in float64 or float32."""
    arrays = {
        key: tensor.backing.read((slice(None),) * len(tensor.shape))
        for key, tensor in packed.tensors.items()
    }
    if "weight.nested_absmax" not in arrays:
        return arrays["weight.absmax"].astype(kind)
    (state,) = (array for key, array in arrays.items() if "quant_state" in key)
    state = json.loads(state.tobytes())
    nested = np.repeat(arrays["weight.nested_absmax"], state["nested_blocksize"])
    codes = arrays["weight.absmax"]
    values = arrays["weight.nested_quant_map"][codes].astype(kind)
    return values * nested[: len(codes)].astype(kind) + kind(state["nested_offset"])
