"""Every rule of the table decides what it should, and the table has no rule that never applies."""

import pytest
from _conditions import Model
from _rules import RULES, decide

OUT_IN, IN_OUT = ("out", "in"), ("in", "out")
STACK, STACK_IN_OUT = ("stack", *OUT_IN), ("stack", *IN_OUT)
CONV1, CONV2 = ("out", "in", "k1"), ("out", "in", "k1", "k2")
GPT2 = {"h.0.attn.c_attn.weight": (8, 24)}
LSTM = {"rnn.weight_ih_l0": (16, 3), "rnn.weight_hh_l0": (16, 4)}
PROJECTED = {"rnn.weight_ih_l0": (24, 5), "rnn.weight_hh_l0": (24, 3), "rnn.weight_hr_l0": (3, 6)}
GRU = {"rnn.weight_ih_l0": (12, 3), "rnn.weight_hh_l0": (12, 4)}
RNN = {"rnn.weight_ih_l0": (4, 3), "rnn.weight_hh_l0": (4, 4)}
OUT_IN_EXPERTS = {"experts.gate_up_proj": (3, 12, 8), "experts.down_proj": (3, 8, 6)}
IN_OUT_EXPERTS = {"experts.gate_up_proj": (3, 8, 12), "experts.down_proj": (3, 6, 8)}
GPT_OSS = IN_OUT_EXPERTS | {"experts.gate_up_proj_bias": (3, 12)}
PHI3 = {"num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 8}

# The tensor asked for is the first of the model.
CASES = [
    ({"proj.weight": (5, 4)}, "linear", OUT_IN, "2 axes (out, in)"),
    ({"edge_embedding_proj.weight": (5, 4)}, "linear", OUT_IN, "2 axes (out, in)"),
    ({"features.0.weight": (8, 1, 3, 3)}, "conv", CONV2, "3 to 5 axes (out, in, k)"),
    ({"conv.weight": (8, 3, 5)}, "conv", CONV1, "3 to 5 axes (out, in, k)"),
    ({"model.embed_tokens.weight": (9, 4)}, "embedding", OUT_IN, "embedding by name"),
    ({"pos_embed": (9, 4)}, "embedding", OUT_IN, "embedding by name"),
    ({"pos_embed": (1, 9, 4)}, "other", (), "position parameter"),
    ({"cls_token": (1, 1, 4)}, "other", (), "token or position parameter"),
    ({"attn.relative_position_bias_table": (9, 4)}, "other", (), "table of relative positions"),
    ({"fc.bias": (4,)}, "bias", (), "bias by name"),
    ({"layer_norm.weight": (4,)}, "norm", (), "norm by name"),
    ({"layer_scale.gamma": (4,)}, "norm", (), "gamma of a norm"),
    ({"bn.running_mean": (4,)}, "norm", (), "running statistics"),
    ({"logit_scale": ()}, "other", (), "scalar or vector"),
    ({"w": (2,) * 6}, "other", (), "more than 5 axes"),
    ({"q.lora_A.default.weight": (2, 4)}, "other", (), "LoRA or adapter, not the model's own"),
    (
        {"conv.weight_v": (4, 3, 5), "conv.weight_g": (4, 1, 1)},
        "other",
        (),
        "weight norm: a direction, not the weight itself",
    ),
    (LSTM, "recurrent", OUT_IN, "LSTM, gates i, f, g, o"),
    (PROJECTED, "recurrent", OUT_IN, "LSTM, gates i, f, g, o"),
    (GRU, "recurrent", OUT_IN, "GRU, gates r, z, n"),
    (RNN, "recurrent", OUT_IN, "recurrent by name"),
    (GPT2, "linear", IN_OUT, "GPT-2 Conv1D (in, out), q, k, v in turn"),
    (
        {"h.0.cross.c_attn.weight": (8, 16)} | GPT2,
        "linear",
        IN_OUT,
        "GPT-2 Conv1D (in, out), k, v in turn",
    ),
    ({"h.0.mlp.c_proj.weight": (8, 8)} | GPT2, "linear", IN_OUT, "GPT-2 Conv1D (in, out)"),
    # A network that only shares the name with GPT-2 is (out, in).
    ({"h.0.mlp.c_proj.weight": (8, 8)}, "linear", OUT_IN, "2 axes (out, in)"),
    ({"attn.c_attn.weight": (24, 8)}, "linear", OUT_IN, "fused qkv, q, k, v in turn"),
    ({"attn.in_proj_weight": (24, 8)}, "linear", OUT_IN, "MultiheadAttention, q, k, v in turn"),
    ({"attn.qkv.weight": (24, 8)}, "linear", OUT_IN, "fused qkv, q, k, v in turn"),
    ({"attn.to_qkv.weight": (12, 8)}, "linear", OUT_IN, "fused qkv, q, k, v in turn"),
    ({"attn.to_kv.weight": (12, 8)}, "linear", OUT_IN, "fused kv, k, v in turn"),
    ({"attn.qkv_proj.weight": (16, 8)}, "linear", OUT_IN, "fused qkv of unknown sizes: left whole"),
    (
        {"attn.query_key_value.weight": (24, 8)},
        "linear",
        OUT_IN,
        "fused qkv, mostly interleaved by heads: left whole",
    ),
    (
        {"attention.wqkv.weight": (24, 8)},
        "linear",
        OUT_IN,
        "fused qkv, mostly interleaved by heads: left whole",
    ),
    ({"attn.Wqkv.weight": (24, 8)}, "linear", OUT_IN, "fused qkv, q, k, v in turn"),
    ({"mlp.gate_up_proj.weight": (12, 8)}, "linear", OUT_IN, "fused gate and up"),
    (OUT_IN_EXPERTS, "linear", STACK, "stacked experts, gate and up"),
    (IN_OUT_EXPERTS, "linear", STACK_IN_OUT, "stacked experts (in, out), gate and up"),
    (
        GPT_OSS,
        "linear",
        STACK_IN_OUT,
        "stacked experts (in, out), gate and up interleaved: left whole",
    ),
    (
        {"experts.down_proj": (3, 6, 8)} | IN_OUT_EXPERTS,
        "linear",
        STACK_IN_OUT,
        "stacked experts (in, out)",
    ),
    ({"experts.w1": (3, 6, 8)}, "linear", STACK, "stacked experts"),
    ({"block.dwconv.weight": (8, 1, 7, 7)}, "conv", CONV2, "depthwise convolution by name"),
    (
        {"up.weight": (4, 6, 3), "up.bias": (6,)},
        "conv",
        ("in", "out", "k1"),
        "transposed convolution by its bias",
    ),
    (
        {"up.weight": (4, 3, 3), "up.bias": (6,)},
        "conv",
        ("out", "in", "out", "k1"),
        "transposed convolution by its bias",
    ),
    (
        {"deconv1.weight": (4, 6, 3, 3)},
        "conv",
        ("in", "out", "k1", "k2"),
        "transposed convolution by name",
    ),
    # The bias denies what the name says.
    (
        {"deconv1.weight": (4, 6, 3, 3), "deconv1.bias": (4,)},
        "conv",
        CONV2,
        "3 to 5 axes (out, in, k)",
    ),
    (
        {"fc.weight_scale": (4, 1), "fc.weight": (4, 6)},
        "other",
        (),
        "scale of a quantised weight",
    ),
    ({"fc.scales": (4, 1), "fc.qweight": (4, 6)}, "other", (), "scale of a quantised weight"),
    ({"fc.qweight": (4, 4)}, "refused", (), "4-bit weights packed by GPTQ or AWQ"),
    ({"fc.weight_packed": (4, 4)}, "refused", (), "weights packed by compressed-tensors"),
    ({"experts.down_proj_blocks": (4, 4)}, "refused", (), "4-bit floating point in blocks (MXFP4)"),
    (
        {"fc.weight": (8, 1), "fc.weight.absmax": (4,)},
        "refused",
        (),
        "weights packed by bitsandbytes",
    ),
    (
        {"fc.weight": (256, 256), "fc.weight_scale_inv": (2, 2)},
        "refused",
        (),
        "float8 with scales in blocks",
    ),
]
CONFIGURED = {"attn.qkv_proj.weight": (16, 8)}


@pytest.mark.parametrize(("shapes", "kind", "axes", "rule"), CASES, ids=lambda case: str(case)[:60])
def test_rule(shapes, kind, axes, rule):
    name, shape = next(iter(shapes.items()))
    meaning = decide(name, shape, "float32", Model(shapes))
    assert (meaning.kind, meaning.axes, meaning.rule) == (kind, axes, rule)


def test_every_rule_has_a_case():
    tried = {rule for *_, rule in CASES} | {"fused qkv, sizes by the configuration"}
    assert tried == {rule.name for rule in RULES}


@pytest.mark.parametrize(
    ("shapes", "parts"),
    [
        (LSTM, (("i", 4), ("f", 4), ("g", 4), ("o", 4))),
        (PROJECTED, (("i", 6), ("f", 6), ("g", 6), ("o", 6))),
        (GRU, (("r", 4), ("z", 4), ("n", 4))),
        (GPT2, (("q", 8), ("k", 8), ("v", 8))),
        ({"mlp.gate_up_proj.weight": (12, 8)}, (("gate", 6), ("up", 6))),
        (IN_OUT_EXPERTS, (("gate", 6), ("up", 6))),
        (GPT_OSS, ()),
        ({"attn.query_key_value.weight": (24, 8)}, ()),
        ({"mlp.gate_up_proj.weight": (13, 8)}, ()),
    ],
)
def test_parts(shapes, parts):
    name, shape = next(iter(shapes.items()))
    assert decide(name, shape, "float32", Model(shapes)).parts == parts


def test_the_configuration_gives_sizes():
    meaning = decide("attn.qkv_proj.weight", (16, 8), "float32", Model(CONFIGURED, PHI3))
    assert meaning.rule == "fused qkv, sizes by the configuration"
    assert meaning.parts == (("q", 8), ("k", 4), ("v", 4))
    assert not meaning.inferred


@pytest.mark.parametrize(
    "config",
    [{}, PHI3 | {"head_dim": 3}, PHI3 | {"num_attention_heads": "4"}, PHI3 | {"hidden_size": None}],
)
def test_a_configuration_that_does_not_fit_is_not_believed(config):
    meaning = decide("attn.qkv_proj.weight", (16, 8), "float32", Model(CONFIGURED, config))
    assert meaning.parts == ()


def quantized(dtype: str, **beside: tuple[int, ...]):
    shapes = {"fc.weight": (4, 6)} | {f"fc.{name}": shape for name, shape in beside.items()}
    return decide("fc.weight", (4, 6), dtype, Model(shapes))


@pytest.mark.parametrize(("scale", "axis"), [((4,), 0), ((4, 1), 0), ((1,), None), ((), None)])
@pytest.mark.parametrize("dtype", ["int8", "float8_e4m3fn"])
def test_a_scale_beside_the_weight(dtype, scale, axis):
    meaning = quantized(dtype, weight_scale=scale)
    assert meaning.kind == "linear"
    assert meaning.quantization == {"scale": {"tensor": "fc.weight_scale"}, "axis": axis}


def test_a_zero_point_beside_the_weight():
    meaning = quantized("int8", weight_scale=(4, 1), weight_zero_point=(4, 1))
    assert meaning.quantization["zero_point"] == {"tensor": "fc.weight_zero_point"}


@pytest.mark.parametrize("scale", [(4, 3), (6,), (2, 2)])
def test_other_scales_are_refused(scale):
    assert quantized("int8", weight_scale=scale).kind == "refused"


def test_whole_numbers_without_a_scale_are_no_weight():
    assert quantized("int8").rule == "whole numbers without a scale"
    assert quantized("float8_e4m3fn").kind == "linear"
    assert quantized("float32", weight_scale=(4, 1)).quantization is None
