"""Packed layers that are refused, with the reason, and damaged ones, with the tensor's name."""

import json

import numpy as np
import pytest
from integer_packings import arrays_of, fixture, module

from htsr_ref.errors import LayerError
from htsr_ref.weights.packed.awq import read_awq
from htsr_ref.weights.packed.bitnet import read_bitnet
from htsr_ref.weights.packed.bitsandbytes import read_bitsandbytes
from htsr_ref.weights.packed.gptq import read_gptq
from htsr_ref.weights.packed.mlx import read_mlx
from htsr_ref.weights.packed.packed_module import DamagedPackingError, NotUnderstoodError


def layer(name, changes=(), **config):
    """A fixture with other tensors (None leaves one out) and other settings."""
    packed, _, _ = fixture(name)
    arrays = arrays_of(packed) | dict(changes)
    settings = {key: dict(value) for key, value in packed.settings.items()}
    for key in settings:
        settings[key] |= config
    kept = {key: array for key, array in arrays.items() if array is not None}
    return module(kept, **settings)


def changed(name, tensor, place, value):
    """A fixture with one number changed."""
    packed, _, _ = fixture(name)
    array = arrays_of(packed)[tensor]
    array[place] = value
    return layer(name, {tensor: array})


def array(name, tensor):
    return arrays_of(fixture(name)[0])[tensor]


def state(**changes):
    """The JSON of a layer of four bits, changed."""
    name = next(n for n in arrays_of(fixture("bnb-nf4-float32-nested")[0]) if "quant_state" in n)
    content = json.loads(array("bnb-nf4-float32-nested", name).tobytes()) | changes
    return {name: np.frombuffer(json.dumps(content).encode(), np.uint8)}


GPTQ = "gptq-4bit-act-order"
NESTED = "bnb-nf4-float32-nested"
STATE = "weight.quant_state.bitsandbytes__nf4"
ONES = np.int32(-1)

NOT_UNDERSTOOD = {
    "planar GPTQ": (read_gptq, layer(GPTQ, checkpoint_format="gptq_p"), "gptq_p"),
    "Marlin": (read_gptq, layer(GPTQ, is_marlin_format=True), "Marlin"),
    "BitBLAS": (read_gptq, layer(GPTQ, format="bitblas"), "bitblas"),
    "five bits": (read_gptq, layer("auto-round-5bit", quant_method="gptq"), "5 bits"),
    "AutoRound without a format": (
        read_gptq,
        layer("auto-round-4bit", packing_format=None),
        "format None",
    ),
    "gemv": (read_awq, layer("awq-gemm", version="gemv"), "'gemv'"),
    "gemv_fast": (read_awq, layer("awq-gemm", version="GEMV_fast"), "'gemv_fast'"),
    "llm-awq": (read_awq, layer("awq-gemm", version="llm-awq"), "'llm-awq'"),
    "AWQ of eight bits": (read_awq, layer("awq-gemm", bits=8), "8 bits"),
    "AWQ without zeros": (read_awq, layer("awq-gemm", zero_point=False), "without zeros"),
    "an MLX mode": (read_mlx, layer("mlx-4bit", mode="mxfp3"), "'mxfp3'"),
    "MLX with seven bits": (read_mlx, layer("mlx-4bit", bits=7), "7 bits"),
    "mxfp4 in other groups": (read_mlx, layer("mlx-mxfp4", group_size=64), "groups of 64"),
    "settings of a near name": (
        read_mlx,
        layer("mlx-4bit", {}, **{"model.m": {"bits": 8}}),
        "'model.m'",
    ),
    "AutoRound for MLX": (
        read_mlx,
        module(
            arrays_of(fixture("mlx-4bit")[0]),
            quantization_config={
                "quant_method": "auto-round",
                "packing_format": "auto_round:mlx",
                "extra_config": {"m": {"bits": 8}},
            },
        ),
        "settings by layer",
    ),
    "bits that nothing states": (
        read_mlx,
        module(arrays_of(fixture("mlx-4bit")[0])),
        "several fit",
    ),
    "a linear class": (read_bitnet, layer("bitnet-bitlinear", linear_class="other"), "'other'"),
    "int8 in a GPU's layout": (
        read_bitsandbytes,
        layer("bnb-int8", {"weight_format": np.array(2, np.uint8)}),
        "layout of a GPU",
    ),
    "another type of four bits": (
        read_bitsandbytes,
        layer(NESTED, {STATE: None, "weight.quant_state.bitsandbytes__af4": np.zeros(2, np.uint8)}),
        "'af4'",
    ),
    "two states": (
        read_bitsandbytes,
        layer(NESTED, {"weight.quant_state.bitsandbytes__fp4": np.zeros(2, np.uint8)}),
        "quant_state",
    ),
    "a vector": (read_bitsandbytes, layer(NESTED, state(shape=[1650])), "1 axes"),
}

DAMAGED = {
    "GPTQ without scales": (read_gptq, layer(GPTQ, {"scales": None}), "no scales"),
    "GPTQ without zeros": (read_gptq, layer(GPTQ, {"qzeros": None}), "no qzeros"),
    "scales too narrow": (
        read_gptq,
        layer(GPTQ, {"scales": np.ones((3, 31), np.float16)}),
        "m.qweight",
    ),
    "zeros of other groups": (
        read_gptq,
        layer(GPTQ, {"qzeros": np.zeros((2, 4), np.int32)}),
        "m.qzeros",
    ),
    "no number of bits": (read_gptq, layer(GPTQ, {"g_idx": np.zeros(97, np.int32)}), "m.qweight"),
    "an order of two axes": (
        read_gptq,
        layer(GPTQ, {"g_idx": np.zeros((96, 1), np.int32)}),
        "m.g_idx",
    ),
    "a group beyond": (read_gptq, changed(GPTQ, "g_idx", 5, 3), "m.g_idx"),
    "a group below": (read_gptq, changed(GPTQ, "g_idx", 5, -1), "m.g_idx"),
    "an order that is all zero": (
        read_gptq,
        layer(GPTQ, {"g_idx": np.zeros(96, np.int32)}),
        "m.g_idx",
    ),
    "scales that are no number": (
        read_gptq,
        changed(GPTQ, "scales", (1, 2), np.nan),
        "m.scales",
    ),
    "whole scales": (read_gptq, layer(GPTQ, {"scales": np.ones((3, 32), np.int32)}), "m.scales"),
    "codes of another type": (
        read_gptq,
        layer(GPTQ, {"qweight": array(GPTQ, "qweight").astype(np.int64)}),
        "m.qweight",
    ),
    "an ambiguous zero": (read_gptq, changed(GPTQ, "qzeros", (0, 0), ONES), "m.qzeros"),
    "an ambiguous zero of AutoRound": (
        read_gptq,
        changed("auto-round-auto-gptq-3bit", "qzeros", (0, 0), ONES),
        "m.qzeros",
    ),
    "a group that does not divide": (
        read_gptq,
        layer(
            "auto-round-4bit",
            {"scales": np.ones((5, 32), np.float16), "qzeros": np.zeros((5, 4), np.int32)},
        ),
        "5 groups do not divide 96 inputs",
    ),
    "AWQ's groups": (
        read_awq,
        layer(
            "awq-gemm",
            {"scales": np.ones((5, 32), np.float16), "qzeros": np.zeros((5, 4), np.int32)},
        ),
        "5 groups do not divide 96 inputs",
    ),
    "AWQ's zeros": (read_awq, layer("awq-gemm", {"qzeros": np.zeros((3, 5), np.int32)}), "qzeros"),
    "AWQ without zeros stored": (read_awq, layer("awq-gemm", {"qzeros": None}), "no qzeros"),
    "AWQ's scale is infinite": (
        read_awq,
        changed("awq-gemm", "scales", (0, 0), np.inf),
        "m.scales",
    ),
    "MLX's words": (
        read_mlx,
        layer("mlx-4bit", {"weight": np.zeros((16, 17), np.uint32)}),
        "17 words",
    ),
    "MLX's bits": (read_mlx, layer("mlx-4bit", bits=8), "8 bits"),
    "MLX without biases": (read_mlx, layer("mlx-4bit", {"biases": None}), "no biases"),
    "MLX's biases": (
        read_mlx,
        layer("mlx-4bit", {"biases": np.zeros((16, 3), np.float32)}),
        "m.biases",
    ),
    "MLX's bias is no number": (
        read_mlx,
        changed("mlx-4bit", "biases", (0, 0), np.nan),
        "m.biases",
    ),
    "the exponent 255": (read_mlx, changed("mlx-mxfp4", "scales", (0, 0, 0), 255), "m.scales"),
    "a scale that is no e4m3": (
        read_mlx,
        changed("mlx-nvfp4", "scales", (0, 0, 0), 127),
        "m.scales",
    ),
    "a global scale that is no number": (
        read_mlx,
        layer("mlx-nvfp4-global", {"global_scale": np.array(np.nan, np.float32)}),
        "m.global_scale",
    ),
    "BitNet's code 3": (
        read_bitnet,
        changed("bitnet-bitlinear", "weight", (2, 3), 0b11000000),
        "m.weight",
    ),
    "BitNet without a scale": (
        read_bitnet,
        layer("bitnet-bitlinear", {"weight_scale": None}),
        "no weight_scale",
    ),
    "BitNet's scale of zero": (
        read_bitnet,
        layer("bitnet-bitlinear", {"weight_scale": np.zeros(1, np.float32)}),
        "m.weight_scale",
    ),
    "BitNet's two scales": (
        read_bitnet,
        layer("bitnet-bitlinear", {"weight_scale": np.ones(2, np.float32)}),
        "m.weight_scale",
    ),
    "BitNet's bias": (
        read_bitnet,
        layer("bitnet-bitlinear", {"bias": np.ones(28, np.float32)}),
        "m.weight",
    ),
    "int8 scales": (read_bitsandbytes, layer("bnb-int8", {"SCB": np.ones(31, np.float32)}), "SCB"),
    "an int8 scale that is no number": (
        read_bitsandbytes,
        changed("bnb-int8", "SCB", 3, np.nan),
        "m.SCB",
    ),
    "four bits without a table": (
        read_bitsandbytes,
        layer(NESTED, {"weight.quant_map": None}),
        "no weight.quant_map",
    ),
    "a short table": (
        read_bitsandbytes,
        layer(NESTED, {"weight.quant_map": np.zeros(15, np.float32)}),
        "quant_map",
    ),
    "a table beyond one": (
        read_bitsandbytes,
        changed(NESTED, "weight.quant_map", 4, 1.5),
        "m.weight.quant_map",
    ),
    "too few scales": (
        read_bitsandbytes,
        layer(NESTED, {"weight.absmax": np.zeros(25, np.uint8)}),
        "m.weight.absmax",
    ),
    "nested scales that are no codes": (
        read_bitsandbytes,
        layer(NESTED, {"weight.absmax": np.zeros(26, np.float32)}),
        "m.weight.absmax",
    ),
    "another shape": (read_bitsandbytes, layer(NESTED, state(shape=[34, 50])), "m.weight"),
    "a shape that is none": (read_bitsandbytes, layer(NESTED, state(shape="big")), "shape"),
    "no offset": (read_bitsandbytes, layer(NESTED, state(nested_offset=None)), "nested_offset"),
    "no JSON": (
        read_bitsandbytes,
        layer(NESTED, {STATE: np.frombuffer(b"{", np.uint8)}),
        "JSON",
    ),
    "no object": (
        read_bitsandbytes,
        layer(NESTED, {STATE: np.frombuffer(b"[]", np.uint8)}),
        "JSON",
    ),
}


@pytest.mark.spec("PAK-31", "PAK-33", "PAK-34", "PAK-35", "PAK-36", "PAK-37", "PAK-38")
@pytest.mark.parametrize(
    ("scheme", "packed", "reason"), NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD
)
def test_what_is_not_read(scheme, packed, reason):
    with pytest.raises(NotUnderstoodError) as caught:
        scheme(packed)
    assert reason in str(caught.value)


@pytest.mark.spec("PAK-31", "PAK-32", "PAK-33", "PAK-34", "PAK-35", "PAK-36", "PAK-37", "PAK-38")
@pytest.mark.parametrize(("scheme", "packed", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_what_is_damaged(scheme, packed, reason):
    with pytest.raises(DamagedPackingError) as caught:
        scheme(packed)
    assert reason in str(caught.value)
    assert "'m" in str(caught.value)


LATE = {
    "a GPTQ zero": (read_gptq, GPTQ, "qzeros", (0, 0), ONES),
    "a GPTQ scale": (read_gptq, GPTQ, "scales", (0, 1), np.nan),
    "a BitNet code": (read_bitnet, "bitnet-bitlinear", "weight", (0, 0), 3),
    "an MLX code": (read_mlx, "mlx-mxfp8", "weight", (0, 0, 0), np.uint32(0x7F)),
    "a nested scale": (read_bitsandbytes, NESTED, "weight.nested_absmax", 0, np.inf),
}


@pytest.mark.parametrize(("scheme", "name", "tensor", "place", "value"), LATE.values(), ids=LATE)
def test_what_is_found_only_when_it_is_decoded(scheme, name, tensor, place, value):
    """A large tensor is not read when the module is opened."""
    packed = layer(name)
    (found,) = scheme(packed)
    codes = packed.tensors[tensor].backing.codes
    codes[place] = value
    with pytest.raises(LayerError, match=f"'m.{tensor}'"):
        _ = found[...]


NOT_THESE = {
    "a plain layer": {"weight": np.zeros((4, 4), np.float32)},
    "EETQ": {"weight": np.zeros((4, 4), np.int8), "weight_scales": np.zeros(4, np.float16)},
    "compressed-tensors": {
        "weight_packed": np.zeros((4, 4), np.int32),
        "weight_scale": np.zeros((4, 1), np.float16),
    },
    "only codes": {"qweight": np.zeros((4, 4), np.int32)},
    "codes that fit neither": {
        "qweight": np.zeros((4, 4), np.int32),
        "qzeros": np.zeros((3, 4), np.int32),
        "scales": np.zeros((1, 7), np.float16),
    },
}


@pytest.mark.parametrize("arrays", NOT_THESE.values(), ids=NOT_THESE)
def test_what_is_none_of_these(arrays):
    for scheme in (read_gptq, read_awq, read_mlx, read_bitnet, read_bitsandbytes):
        assert scheme(module(arrays)) == ()


def test_bitnet_that_is_quantized_when_it_runs_is_not_packed():
    assert read_bitnet(layer("bitnet-autobitlinear", quantization_mode="online")) == ()


@pytest.mark.spec("PAK-34")
@pytest.mark.parametrize("bits", [3, 5])
def test_mlx_without_settings_where_only_one_pair_fits(bits):
    """3 bits in groups of 32 are 96 bits a group: no other pair has as many."""
    packed, _, _ = fixture(f"mlx-{bits}bit")
    (found,) = read_mlx(module(arrays_of(packed)))
    (stated,) = read_mlx(packed)
    assert np.array_equal(found[...], stated[...])


@pytest.mark.spec("PAK-34")
def test_mlx_without_settings_where_two_pairs_fit():
    """6 bits in groups of 32 are 192 bits a group, and so are 3 bits in groups of 64."""
    with pytest.raises(NotUnderstoodError, match="several fit"):
        read_mlx(module(arrays_of(fixture("mlx-6bit")[0])))


@pytest.mark.spec("PAK-35")
def test_float_modes_need_to_be_known_as_those_of_mlx():
    packed, _, _ = fixture("mlx-nvfp4")
    arrays = arrays_of(packed)
    with pytest.raises(NotUnderstoodError, match=r"config\.json"):
        read_mlx(module(arrays))
    (found,) = read_mlx(module(arrays, metadata={"format": "mlx"}))
    (stated,) = read_mlx(packed)
    assert np.array_equal(found[...], stated[...])
