"""Every rule of the table decides what it should, and the table has no rule that never applies."""

import pickle
from functools import reduce

import numpy as np
import pytest
import pytorch
from _conditions import Model
from _rules import RULES, decide
from conversions import FIXTURES, converted, refused
from cpu import cpu_limit

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
INPUT, OUTPUT = "moe.input_linear.weight", "moe.output_linear.weight"
GRANITE = {INPUT: (4, 48, 16), OUTPUT: (4, 16, 24), "moe.router.layer.weight": (4, 16)}
DBRX = {"experts.mlp.w1": (72, 16), "router.layer.weight": (3, 16)}
CODEGEN = {"h.0.attn.qkv_proj.weight": (24, 8), "h.0.mlp.fc_in.weight": (32, 8)}
MINIMAX = {"attn.qkv_proj.weight": (24, 8), "attn.output_gate.weight": (8, 8)}
INTERLEAVED = "fused qkv, mostly interleaved by heads: left whole"
PLAIN_CONV, PLAIN = "3 to 5 axes (out, in, k)", "2 axes (out, in)"
PHI3 = {"num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 8}

# The tensor asked for is the first of the model.
CASES = [
    ({"proj.weight": (5, 4)}, "linear", OUT_IN, "2 axes (out, in)"),
    ({"edge_embedding_proj.weight": (5, 4)}, "linear", OUT_IN, "2 axes (out, in)"),
    ({"features.0.weight": (8, 1, 3, 3)}, "conv", CONV2, "3 to 5 axes (out, in, k)"),
    ({"conv.weight": (8, 3, 5)}, "conv", CONV1, "3 to 5 axes (out, in, k)"),
    ({"model.embed_tokens.weight": (9, 4)}, "embedding", OUT_IN, "embedding by name"),
    ({"table._packed_weight": (9, 4)}, "embedding", OUT_IN, "embedding by its packed name"),
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
        {"conv.weight_g": (4, 1, 1), "conv.weight_v": (4, 3, 5)},
        "other",
        (),
        "weight norm: a direction or a length, not the weight itself",
    ),
    (
        {"conv.weight_v": (4, 3, 5), "conv.weight_g": ()},
        "other",
        (),
        "weight norm: a direction or a length, not the weight itself",
    ),
    (
        {f"c.parametrizations.weight.original{at}": (4, n, n) for at, n in enumerate((1, 3))},
        "other",
        (),
        "weight norm: a direction or a length, not the weight itself",
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
    *(
        (
            {f"{name}.weight": (4, 6, 3)},
            "conv",
            ("in", "out", "k1"),
            "transposed convolution by name",
        )
        for name in (
            "conv_transpose1",
            "ConvTranspose2d_0",
            "conv2d_transpose",
            "up_deconv2",
            "deconv_layers.0",
            "convt2d",
        )
    ),
    # These only begin like it, or are inside of what is named so.
    ({"conv_transformer.0.weight": (16, 8, 3)}, "conv", CONV1, PLAIN_CONV),
    ({"convtasnet.0.weight": (16, 8, 3)}, "conv", CONV1, PLAIN_CONV),
    ({"deconv.block.conv.weight": (16, 8, 3)}, "conv", CONV1, PLAIN_CONV),
    ({"deconv.weight": (16, 8, 3), "deconv.bias": (16,)}, "conv", CONV1, PLAIN_CONV),
    # The bias denies what the name says.
    (
        {"deconv1.weight": (4, 6, 3, 3), "deconv1.bias": (4,)},
        "conv",
        CONV2,
        "3 to 5 axes (out, in, k)",
    ),
    ({"embed.weight": (5, 6), "embed.bias": (5,)}, "linear", OUT_IN, PLAIN),
    ({"ln_1.weight": (4, 5), "ln_1.bias": (4,)}, "linear", OUT_IN, PLAIN),
    ({"ln_1.weight": (4, 5), "ln_1.bias": (4, 5)}, "norm", (), "norm by name"),
    ({"scaling.weight": (4, 5), "scaling.bias": (4, 5)}, "norm", (), "norm by its bias"),
    (
        {"mlp.c_fc.weight": (16, 4), "mlp.c_fc.bias": (16,)} | GPT2,
        "linear",
        OUT_IN,
        PLAIN,
    ),
    (
        {"mlp.c_fc.weight": (4, 16), "mlp.c_fc.bias": (16,)} | GPT2,
        "linear",
        IN_OUT,
        "GPT-2 Conv1D (in, out)",
    ),
    ({"fc.weight": (4, 6), "fc.bias": (6,)}, "linear", IN_OUT, "2 axes (in, out) by the bias"),
    ({"fc.weight": (4, 4), "fc.bias": (4,)}, "linear", OUT_IN, PLAIN),
    ({"relative_attention_bias.weight": (32, 4)}, "embedding", OUT_IN, "embedding by name"),
    ({"pe": (50, 1, 16)}, "other", (), "mask or table by name"),
    ({"attn.attn_mask": (8, 8)}, "other", (), "mask or table by name"),
    ({"attn.logit_scale": (4, 1, 1)}, "other", (), "scale by name"),
    ({"mixer.A_log": (2, 8, 4)}, "other", (), "no layer's weight by name"),
    ({"probe": (1, 1, 8)}, "other", (), "parameter for each item of a batch"),
    ({"head.weight": (1, 8, 3)}, "conv", CONV1, PLAIN_CONV),
    (
        {"fc.parametrizations.weight.0.base": (4, 4)},
        "other",
        (),
        "part of a parametrization",
    ),
    (GRANITE, "linear", STACK, "stacked experts, gate and up"),
    ({OUTPUT: (4, 16, 24)} | GRANITE, "linear", STACK, "stacked experts"),
    ({INPUT: (4, 48, 16), "moe.router.weight": (5, 16)}, "conv", CONV1, PLAIN_CONV),
    ({"moe.conv.weight": (4, 16, 3), "moe.conv.bias": (4,)} | GRANITE, "conv", CONV1, PLAIN_CONV),
    ({"shared_experts.up_proj": (2, 24, 16)}, "linear", STACK, "stacked experts"),
    (DBRX, "linear", STACK, "experts below each other"),
    (
        {"experts.mlp.w2": (72, 16)} | DBRX,
        "linear",
        STACK_IN_OUT,
        "experts below each other (in, out)",
    ),
    ({"experts.mlp.w1": (73, 16), "router.layer.weight": (3, 16)}, "linear", OUT_IN, PLAIN),
    (CODEGEN, "linear", OUT_IN, INTERLEAVED),
    (MINIMAX, "linear", OUT_IN, INTERLEAVED),
    ({"attn.qkv_proj.weight": (24, 8)}, "linear", OUT_IN, "fused qkv, q, k, v in turn"),
    ({"rel_attn.q": (16, 4, 4)}, "linear", ("in", "out", "out"), "heads apart (in, heads, out)"),
    ({"rel_attn.o": (16, 4, 4)}, "linear", ("out", "in", "in"), "heads apart (out, heads, in)"),
    ({"mamba.dt_proj_weight": (2, 16, 4)}, "linear", STACK, "a matrix for each head"),
    (
        {"rg_lru.input_gate_weight": (4, 4, 4)},
        "linear",
        STACK_IN_OUT,
        "a matrix for each head (in, out)",
    ),
    (
        {"depth_decoder.codebooks_head.weight": (2, 16, 32)},
        "linear",
        STACK_IN_OUT,
        "a matrix for each codebook (in, out)",
    ),
    ({"depth_decoder.fc1.weight": (3, 24, 16)}, "linear", STACK, "a matrix for each codebook"),
    (
        {"intermediate.dense.weight": (2, 8, 12), "intermediate.dense.bias": (24,)},
        "linear",
        STACK_IN_OUT,
        "groups of a linear layer by the bias",
    ),
    (
        {"fc.weight_scale": (4, 1), "fc.weight": (4, 6)},
        "other",
        (),
        "scale of a quantized weight",
    ),
    ({"fc.scales": (4, 1), "fc.qweight": (4, 6)}, "other", (), "scale of a quantized weight"),
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
    tried = {rule for *_, rule in CASES} | {
        "fused qkv, sizes by the configuration",
        "fused qkv that the configuration does not explain: left whole",
    }
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
        (GRANITE, (("gate", 24), ("up", 24))),
        (CODEGEN, ()),
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


def test_thirds_that_the_configuration_does_not_explain_are_left_whole():
    for config in (PHI3, {"model_type": "another", "n_head": 4, "n_embd": 8}):
        model = Model({"attn.qkv_proj.weight": (24, 8)}, config)
        meaning = decide("attn.qkv_proj.weight", (24, 8), "float32", model)
        assert meaning.rule == "fused qkv that the configuration does not explain: left whole"
        assert (meaning.parts, meaning.inferred) == ((), True)


def test_heads_of_gpt_bigcode_are_interleaved():
    for config, rule in (({"model_type": "gpt_bigcode"}, INTERLEAVED), ({}, "q, k, v in turn")):
        model = Model({"attn.c_attn.weight": (24, 8)}, config)
        assert decide("attn.c_attn.weight", (24, 8), "float32", model).rule.endswith(rule)


@pytest.mark.parametrize("key", ["num_local_experts", "num_experts", "n_routed_experts"])
def test_the_configuration_counts_experts(key):
    name, shape = "layers.0.mlp.w1", (4, 24, 16)
    for count, axes in ((4, STACK), (5, CONV1)):
        assert decide(name, shape, "float32", Model({name: shape}, {key: count})).axes == axes
    conv = {"mlp.conv.weight": (4, 16, 3), "mlp.conv.bias": (4,)}
    meaning = decide("mlp.conv.weight", (4, 16, 3), "float32", Model(conv, {key: 4}))
    assert meaning.kind == "conv"


@pytest.mark.parametrize("name", ["up.weight_orig", "up.parametrizations.weight.original"])
def test_a_parametrized_weight_is_that_of_its_module(name):
    shapes = {name: (8, 16, 3, 3), "up.bias": (16,)}
    meaning = decide(name, (8, 16, 3, 3), "float32", Model(shapes))
    assert meaning.axes == ("in", "out", "k1", "k2")
    assert (meaning.layer, meaning.inferred) == ("up", True)
    assert meaning.rule.endswith("before its parametrization")


def test_a_pruned_weight_is_refused():
    shapes = {"fc.weight_orig": (5, 6), "fc.weight_mask": (5, 6)}
    kinds = [decide(name, (5, 6), "float32", Model(shapes)).kind for name in shapes]
    assert kinds == ["refused", "other"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pruned.pt", "tensor '0.weight_orig': pruned, and its mask beside it"),
        ("scaled.pt", "tensor 'fc.weight': the scale beside it has a name that is not known"),
    ],
)
def test_files_of_pytorch_that_cannot_be_read_right(name, reason, tmp_path):
    path = FIXTURES / "pytorch" / "refused" / name
    assert reason in refused(pytorch, path, tmp_path)


def test_layers_whose_names_say_what_they_are_not(tmp_path):
    path = FIXTURES / "pytorch" / "misnamed.pt"
    entries = converted(pytorch, path, tmp_path).entries
    kinds = {name: entry["kind"] for name, entry in entries.items()}
    assert kinds["embed.weight"] == kinds["ln_1.weight"] == "linear"
    assert kinds["relative_attention_bias.weight"] == "embedding"
    assert kinds["pe"] == "other"
    assert (kinds["convtasnet.0.weight"], entries["convtasnet.0.weight"]["groups"]) == ("conv", 1)
    assert entries["old.weight_orig"]["layer"] == "old"
    assert entries["new.parametrizations.weight.original"]["layer"] == "new"


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
    alone = quantized("float8_e4m3fn")
    assert alone.kind == "linear"
    assert alone.rule == "2 axes (out, in); float8 without a scale"
    assert quantized("float32", weight_scale=(4, 1)).quantization is None


@pytest.mark.parametrize("name", ["scale", "scale_weight", "_weight_scale", "weight_scale_2"])
@pytest.mark.parametrize("dtype", ["int8", "float8_e4m3fn"])
def test_a_scale_of_an_unknown_name_is_refused(dtype, name):
    assert quantized(dtype, **{name: (4, 1)}).kind == "refused"
    assert decide(f"fc.{name}", (4, 1), "float32", Model({})).kind == "other"


def test_other_scales_say_nothing_of_the_weight():
    assert quantized("float8_e4m3fn", input_scale=(), k_scale=()).kind == "linear"
    assert quantized("int64", logit_scale=(4, 1)).rule == "whole numbers without a scale"
    assert quantized("float8_e4m3fn", weight_scale=(4, 1), weight_scale_2=()).kind == "linear"


def test_what_lies_beside_a_key_is_counted(tmp_path):
    arrays = {"w": np.ones((3, 4))}
    value = {
        "model": arrays,
        "ema": {"slow": arrays, "fast": arrays | {"v": np.ones(2)}},
        "optimizer": {"state": {0: arrays}, "param_groups": []},
        "deep": reduce(lambda inner, _: [inner], range(70), [np.ones(1)]),
    }
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(value, 4))
    weights = converted(pytorch, path, tmp_path, "--key", "ema.slow")
    assert weights.entries.keys() == {"w"}
    too_deep = {"part too large or too deep to be counted": 1}
    assert weights.manifest["extra"]["left_out"] == too_deep
    del value["deep"]
    path.write_bytes(pickle.dumps(value, 4))
    weights = converted(pytorch, path, tmp_path, "--key", "ema.slow")
    assert weights.manifest["extra"]["left_out"] == {
        "tensor of 'model'": 1,
        "tensor of 'ema.fast'": 2,
        "optimizer state": 1,
    }


@pytest.mark.parametrize("unit", ["emb_", "conv_dw_", "deconv_", "scale_", "a"])
def test_long_names_take_no_longer(unit):
    name = unit * (100_000 // len(unit)) + "-.weight"
    with cpu_limit(2):
        decide(name, (4, 2, 3), "float8_e4m3fn", Model({name: (4, 2, 3)}))
        decide(name.removesuffix(".weight"), (4, 2, 3), "float8_e4m3fn", Model({}))
