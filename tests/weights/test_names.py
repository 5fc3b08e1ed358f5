"""FMT-15: what names, shapes and neighbors of PyTorch's tensors say, rule by rule."""

import re

import numpy as np
import pytest
from cpu import cpu_limit

from htsr_ref.weights import open_weights
from htsr_ref.weights.backing import InMemory
from htsr_ref.weights.container import RawTensor
from htsr_ref.weights.meaning.decisions import decide
from htsr_ref.weights.meaning.model import Model
from htsr_ref.weights.meaning.rules import RULES, Rule
from htsr_ref.weights.tensor_spec import Quantization, TensorSpec

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
PLAIN_CONV, PLAIN = "convolution (out, in, k)", "2 axes (out, in)"
UNKNOWN = "3 axes: nothing tells a convolution from a stack of matrices"
PHI3 = {"num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 8}
HEADS = ("in", "out", "out")
PARAMETRIZED = "unknown", (), "part of a parametrization"

# The tensor asked for is the first of the model.
CASES = [
    ({"proj.weight": (5, 4)}, "weight", OUT_IN, PLAIN),
    ({"edge_embedding_proj.weight": (5, 4)}, "weight", OUT_IN, PLAIN),
    ({"features.0.weight": (8, 1, 3, 3)}, "weight", CONV2, PLAIN_CONV),
    ({"conv.weight": (8, 3, 5)}, "weight", CONV1, PLAIN_CONV),
    ({"model.embed_tokens.weight": (9, 4)}, "embedding", OUT_IN, "embedding by name"),
    ({"table._packed_weight": (9, 4)}, "embedding", OUT_IN, "embedding by its packed name"),
    ({"vit.pos_embed": (9, 4)}, "position", (), "table of positions by name"),
    ({"vit.pos_embed": (1, 9, 4)}, "position", (), "table of positions by name"),
    ({"cls_token": (1, 1, 4)}, "buffer", (), "scalar or vector"),
    ({"cls_token": (1, 2, 4)}, "buffer", (), "token by name"),
    ({"attn.relative_position_bias_table": (9, 4)}, "position", (), "table of positions by name"),
    ({"fc.bias": (4,)}, "bias", (), "bias by name"),
    ({"layer_norm.weight": (4,)}, "norm", (), "norm by name"),
    ({"n.gamma": (4,), "n.beta": (4,)}, "norm", (), "gamma of a norm"),
    ({"layer_scale.gamma": (4,)}, "buffer", (), "scalar or vector"),
    ({"bn.running_mean": (4,)}, "buffer", (), "running statistics"),
    ({"clip.logit_scale": ()}, "scale", (), "scale by name"),
    ({"temperature": ()}, "buffer", (), "scalar or vector"),
    ({"kan.layers.0.grid": (64, 12)}, "buffer", (), "state or constant by name"),
    ({"ssm.B_re": (64, 60)}, "buffer", (), "state or constant by name"),
    ({"attn_masks.0": (64, 64)}, "mask", (), "mask by its module"),
    (
        {"convs.0.weight": (3, 8, 5), "convs.0.root": (8, 5)},
        "weight",
        STACK_IN_OUT,
        "a matrix for each relation (in, out)",
    ),
    ({"convs.0.weight": (3, 8, 5), "convs.0.root": (8, 4)}, "weight", CONV1, PLAIN_CONV),
    ({"w": (2,) * 6}, "unknown", (), "more than 5 axes"),
    ({"q.lora_A.default.weight": (2, 4)}, "adapter", (), "factor of an adapter"),
    (
        {"conv.weight_g": (4, 1, 1), "conv.weight_v": (4, 3, 5)},
        "scale",
        (),
        "part of a weight (weight norm)",
    ),
    (
        {"conv.weight_v": (4, 3, 5), "conv.weight_g": ()},
        "weight",
        CONV1,
        f"{PLAIN_CONV}, weight norm",
    ),
    (
        {f"c.parametrizations.weight.original{at}": (4, n, n) for at, n in enumerate((1, 3))},
        "scale",
        (),
        "part of a weight (weight norm)",
    ),
    ({"fc.weight_orig": (5, 6), "fc.weight_u": (5,)}, *PARAMETRIZED),
    ({"fc.parametrizations.weight.original": (5, 6)}, *PARAMETRIZED),
    (
        {"fc.weight_orig": (5, 6), "fc.weight_mask": (5, 6)},
        "weight",
        OUT_IN,
        f"{PLAIN}, pruned by the mask beside it",
    ),
    (LSTM, "recurrent", OUT_IN, "LSTM, gates i, f, g, o"),
    (PROJECTED, "recurrent", OUT_IN, "LSTM, gates i, f, g, o"),
    (GRU, "recurrent", OUT_IN, "GRU, gates r, z, n"),
    (RNN, "recurrent", OUT_IN, "recurrent by name"),
    (GPT2, "weight", IN_OUT, "GPT-2 Conv1D (in, out), q, k, v in turn"),
    (
        {"h.0.cross.c_attn.weight": (8, 16)} | GPT2,
        "weight",
        IN_OUT,
        "GPT-2 Conv1D (in, out), k, v in turn",
    ),
    ({"h.0.mlp.c_proj.weight": (8, 8)} | GPT2, "weight", IN_OUT, "GPT-2 Conv1D (in, out)"),
    # A network that only shares the name with GPT-2 is (out, in).
    ({"h.0.mlp.c_proj.weight": (8, 8)}, "weight", OUT_IN, PLAIN),
    ({"attn.c_attn.weight": (24, 8)}, "weight", OUT_IN, "fused qkv, q, k, v in turn"),
    ({"attn.in_proj_weight": (24, 8)}, "weight", OUT_IN, "MultiheadAttention, q, k, v in turn"),
    ({"attn.qkv.weight": (24, 8)}, "weight", OUT_IN, "fused qkv, q, k, v in turn"),
    ({"attn.to_qkv.weight": (12, 8)}, "weight", OUT_IN, "fused qkv, q, k, v in turn"),
    ({"attn.to_kv.weight": (12, 8)}, "weight", OUT_IN, "fused kv, k, v in turn"),
    ({"attn.qkv_proj.weight": (16, 8)}, "weight", OUT_IN, "fused qkv of unknown sizes: left whole"),
    (
        {"attn.query_key_value.weight": (24, 8)},
        "weight",
        OUT_IN,
        "fused qkv, mostly interleaved by heads: left whole",
    ),
    ({"attention.wqkv.weight": (24, 8)}, "weight", OUT_IN, INTERLEAVED),
    ({"attn.Wqkv.weight": (24, 8)}, "weight", OUT_IN, "fused qkv, q, k, v in turn"),
    ({"mlp.gate_up_proj.weight": (12, 8)}, "weight", OUT_IN, "fused gate and up"),
    (OUT_IN_EXPERTS, "weight", STACK, "stacked experts, gate and up"),
    (IN_OUT_EXPERTS, "weight", STACK_IN_OUT, "stacked experts (in, out), gate and up"),
    (
        GPT_OSS,
        "weight",
        STACK_IN_OUT,
        "stacked experts (in, out), gate and up interleaved: left whole",
    ),
    (
        OUT_IN_EXPERTS | {"experts.gate_up_proj_bias": (3, 12)},
        "weight",
        STACK,
        "stacked experts, gate and up interleaved: left whole",
    ),
    (
        {"experts.down_proj": (3, 6, 8)} | IN_OUT_EXPERTS,
        "weight",
        STACK_IN_OUT,
        "stacked experts (in, out)",
    ),
    ({"experts.w1": (3, 6, 8)}, "weight", STACK, "stacked experts"),
    ({"block.dwconv.weight": (8, 1, 7, 7)}, "weight", CONV2, "depthwise convolution by name"),
    (
        {"up.weight": (4, 6, 3), "up.bias": (6,)},
        "weight",
        ("in", "out", "k1"),
        "transposed convolution by its bias",
    ),
    (
        {"up.weight": (4, 3, 3), "up.bias": (6,)},
        "weight",
        ("out", "in", "out", "k1"),
        "transposed convolution by its bias",
    ),
    (
        {"deconv1.weight": (4, 6, 3, 3)},
        "weight",
        ("in", "out", "k1", "k2"),
        "transposed convolution by name",
    ),
    *(
        (
            {f"{name}.weight": (4, 6, 3)},
            "weight",
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
    ({"conv_transformer.0.weight": (16, 8, 3)}, "weight", CONV1, PLAIN_CONV),
    ({"convtasnet.0.weight": (16, 8, 3)}, "weight", CONV1, PLAIN_CONV),
    ({"deconv.block.conv.weight": (16, 8, 3)}, "weight", CONV1, PLAIN_CONV),
    ({"deconv.weight": (16, 8, 3), "deconv.bias": (16,)}, "weight", CONV1, PLAIN_CONV),
    # The bias denies what the name says.
    (
        {"deconv1.weight": (4, 6, 3, 3), "deconv1.bias": (4,)},
        "weight",
        CONV2,
        PLAIN_CONV,
    ),
    ({"embed.weight": (5, 6), "embed.bias": (5,)}, "weight", OUT_IN, PLAIN),
    ({"ln_1.weight": (4, 5), "ln_1.bias": (4,)}, "weight", OUT_IN, PLAIN),
    ({"ln_1.weight": (4, 5), "ln_1.bias": (4, 5)}, "norm", (), "norm by name"),
    ({"scaling.weight": (4, 5), "scaling.bias": (4, 5)}, "norm", (), "norm by its bias"),
    (
        {"mlp.c_fc.weight": (16, 4), "mlp.c_fc.bias": (16,)} | GPT2,
        "weight",
        OUT_IN,
        PLAIN,
    ),
    (
        {"mlp.c_fc.weight": (4, 16), "mlp.c_fc.bias": (16,)} | GPT2,
        "weight",
        IN_OUT,
        "GPT-2 Conv1D (in, out)",
    ),
    ({"fc.weight": (4, 6), "fc.bias": (6,)}, "weight", IN_OUT, "2 axes (in, out) by the bias"),
    ({"fc.weight": (4, 4), "fc.bias": (4,)}, "weight", OUT_IN, PLAIN),
    (
        {"relative_attention_bias.weight": (32, 4)},
        "embedding",
        OUT_IN,
        "relative positions of T5 (buckets, heads)",
    ),
    ({"encoder.pe": (50, 1, 16)}, "position", (), "table of positions by name"),
    ({"attn.attn_mask": (8, 8)}, "mask", (), "mask by name"),
    ({"attn.causal_part": (1, 1, 8, 8)}, "mask", (), "mask by its shape (1, 1, n, n)"),
    ({"attn.logit_scale": (4, 1, 1)}, "scale", (), "scale by name"),
    ({"mixer.A_log": (2, 8, 4)}, "buffer", (), "state or constant by name"),
    ({"probe": (1, 1, 8)}, "buffer", (), "scalar or vector"),
    ({"probe": (1, 3, 8)}, "buffer", (), "parameter for each item of a batch"),
    ({"head.weight": (1, 8, 3)}, "unknown", (), UNKNOWN),
    ({"conv_head.weight": (1, 8, 3)}, "weight", CONV1, PLAIN_CONV),
    ({"head.weight": (8, 4, 3), "head.bias": (8,)}, "weight", CONV1, PLAIN_CONV),
    (
        {"fc.parametrizations.weight.0.base": (4, 4)},
        "unknown",
        (),
        "part of a parametrization",
    ),
    (GRANITE, "weight", STACK, "stacked experts, gate and up"),
    ({OUTPUT: (4, 16, 24)} | GRANITE, "weight", STACK, "stacked experts"),
    ({INPUT: (4, 48, 16), "moe.router.weight": (5, 16)}, "unknown", (), UNKNOWN),
    ({"moe.conv.weight": (4, 16, 3), "moe.conv.bias": (4,)} | GRANITE, "weight", CONV1, PLAIN_CONV),
    ({"shared_experts.up_proj": (2, 24, 16)}, "weight", STACK, "stacked experts"),
    (DBRX, "weight", STACK, "experts below each other"),
    (
        {"experts.mlp.w2": (72, 16)} | DBRX,
        "weight",
        STACK_IN_OUT,
        "experts below each other (in, out)",
    ),
    ({"experts.mlp.w1": (73, 16), "router.layer.weight": (3, 16)}, "weight", OUT_IN, PLAIN),
    (CODEGEN, "weight", OUT_IN, INTERLEAVED),
    (MINIMAX, "weight", OUT_IN, INTERLEAVED),
    ({"attn.qkv_proj.weight": (24, 8)}, "weight", OUT_IN, "fused qkv, q, k, v in turn"),
    ({"rel_attn.q": (16, 4, 4)}, "weight", HEADS, "heads apart (in, heads, out)"),
    ({"rel_attn.o": (16, 4, 4)}, "weight", ("out", "in", "in"), "heads apart (out, heads, in)"),
    ({"mamba.dt_proj_weight": (2, 16, 4)}, "weight", STACK, "a matrix for each head"),
    (
        {"rg_lru.input_gate_weight": (4, 4, 4)},
        "weight",
        STACK_IN_OUT,
        "a matrix for each head (in, out)",
    ),
    (
        {"depth_decoder.codebooks_head.weight": (2, 16, 32)},
        "weight",
        STACK_IN_OUT,
        "a matrix for each codebook (in, out)",
    ),
    ({"depth_decoder.fc1.weight": (3, 24, 16)}, "weight", STACK, "a matrix for each codebook"),
    (
        {"intermediate.dense.weight": (2, 8, 12), "intermediate.dense.bias": (24,)},
        "weight",
        STACK_IN_OUT,
        "groups of a linear layer by the bias",
    ),
    ({"fc.weight_scale": (4, 1), "fc.weight": (4, 6)}, "scale", (), "scale by name"),
    ({"fc.scales": (4, 1), "fc.qweight": (4, 6)}, "scale", (), "scale by name"),
    ({"fc.qzeros": (4, 1), "fc.qweight": (4, 6)}, "zero point", (), "zero points by name"),
    ({"norm_1.scale": (4,)}, "norm", (), "norm by name"),
    ({"n.scale": (4,)}, "norm", (), "scale of a norm (Flax)"),
    ({"fc.scale": (4, 1), "fc.weight": (4, 6)}, "scale", (), "scale by name"),
    ({"fc.g_idx": (6,), "fc.weight": (4, 6)}, "packed", (), "part of a packed weight"),
    ({"layer.1.weight": (4,)}, "norm", (), "length of a norm: a weight of one axis"),
    ({"exp_avg.fc.weight": (4, 6)}, "optimizer", (), "optimizer state"),
    (
        {"wpe.embedding": (2, 9, 4)},
        "position",
        (),
        "position parameter of several axes",
    ),
    ({"rope.embedding": (9, 4)}, "position", (), "table of positions by its module"),
    ({"rnn.w_ih": (8, 3), "rnn.b_ih": (8,)}, "recurrent", OUT_IN, "recurrent by its biases"),
    ({"embed_out.weight": (9, 4)}, "weight", OUT_IN, "output layer by name"),
    ({"embed_tokens.0.weight": (9, 4)}, "embedding", OUT_IN, "embedding of a list by name"),
    (
        {"mm_input_projection_weight": (4, 9)},
        "weight",
        IN_OUT,
        "projection (in, out) of Gemma",
    ),
    ({"attn.r_kernel": (16, 4, 4)}, "weight", HEADS, "heads apart (in, heads, out)"),
    ({"q": (8, 3, 40, 40)}, "unknown", (), "several axes: nothing tells what they are"),
]


def decided(shapes, config=None, dtypes=None, facts=None):
    """Decision on the first tensor; the numbers play no part."""
    tensors = {
        name: RawTensor(name, shape, (dtypes or {}).get(name, "float32"), InMemory(np.zeros(0)))
        for name, shape in shapes.items()
    }
    return decide(Model(tensors, facts or {}, config=config or {}))[next(iter(shapes))]


def parts(decision):
    return [(part.name, part.size) for part in decision.spec.parts]


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize(("shapes", "role", "axes", "rule"), CASES, ids=lambda case: str(case)[:60])
def test_rule(shapes, role, axes, rule):
    decision = decided(shapes)
    found = decision.spec.role, decision.spec.axes, decision.decided
    assert found == (role, axes, f"inferred: {rule}")


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize(("fused", "axes"), [((24, 8), ("out", "in")), ((8, 24), ("in", "out"))])
def test_square_kernels_of_gpt2_lie_as_the_fused_one_does(fused, axes):
    square = {"h/0/attn/c_proj/kernel": (8, 8), "h/0/attn/c_proj/bias": (8,)}
    beside = {"h/0/attn/c_attn/kernel": fused, "h/0/attn/c_attn/bias": (24,)}
    assert decided(square | beside).spec.axes == axes


@pytest.mark.spec("FMT-15")
def test_every_rule_for_names_has_a_case():
    tried = {rule for *_, rule in CASES} | {
        "fused qkv, sizes by the configuration",
        "kernel of Flax or Haiku",  # of which there are several
    }
    named = (rule for rule in RULES if isinstance(rule, Rule))
    assert {r.name for r in named if not (r.framework or r.is_stated)} <= tried


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize(
    ("shapes", "wanted"),
    [
        (LSTM, [("i", 4), ("f", 4), ("g", 4), ("o", 4)]),
        (PROJECTED, [("i", 6), ("f", 6), ("g", 6), ("o", 6)]),
        (GRU, [("r", 4), ("z", 4), ("n", 4)]),
        (GPT2, [("q", 8), ("k", 8), ("v", 8)]),
        ({"mlp.gate_up_proj.weight": (12, 8)}, [("gate", 6), ("up", 6)]),
        (IN_OUT_EXPERTS, [("gate", 6), ("up", 6)]),
        (GPT_OSS, []),
        (GRANITE, [("gate", 24), ("up", 24)]),
        (CODEGEN, []),
        ({"attn.query_key_value.weight": (24, 8)}, []),
        ({"mlp.gate_up_proj.weight": (13, 8)}, []),
    ],
)
def test_parts(shapes, wanted):
    assert parts(decided(shapes)) == wanted


CONFIGURED = {"attn.qkv_proj.weight": (16, 8)}


@pytest.mark.spec("FMT-15", "FMT-20")
@pytest.mark.parametrize(
    "config",
    [
        PHI3,
        {"text_config": PHI3},
        {"thinker_config": {"text_config": PHI3}},
        {"vision_config": {}} | PHI3,
    ],
)
def test_the_configuration_gives_sizes(config):
    decision = decided(CONFIGURED, config)
    assert decision.decided == "inferred: fused qkv, sizes by the configuration"
    assert parts(decision) == [("q", 8), ("k", 4), ("v", 4)]


@pytest.mark.spec("FMT-15", "FMT-20")
@pytest.mark.parametrize(
    "config",
    [{}, PHI3 | {"head_dim": 3}, PHI3 | {"num_attention_heads": "4"}, PHI3 | {"hidden_size": None}],
)
def test_a_configuration_that_does_not_fit_is_not_believed(config):
    assert parts(decided(CONFIGURED, config)) == []


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize(
    "shapes",
    [{"pair.weight": (60, 64, 64), "pair.bias": (60,)}, {"blocks.experts.w": (2, 4, 64, 64)}],
)
def test_axes_that_are_longer_than_kernels_make_no_convolution(shapes):
    assert decided(shapes).spec.role == "unknown"


@pytest.mark.spec("FMT-15", "FMT-20")
def test_sizes_of_a_model_of_another_width_are_not_taken():
    other = {"hidden_size": 8, "num_attention_heads": 2}
    assert parts(decided({"attn.qkv_proj.weight": (24, 12)}, other)) == []


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize("shape", [(8, 64, 5), (8, 40, 41)])
def test_a_linear_layer_called_gate_makes_no_experts_of_a_convolution(shape):
    shapes = {"net.mix.weight": shape, "net.gate.weight": (8, 64)}
    assert decided(shapes).spec.role == "unknown"


@pytest.mark.spec("FMT-15", "FMT-20")
def test_thirds_that_the_configuration_contradicts_are_left_whole():
    thirds = {"attn.qkv_proj.weight": (24, 8)}
    decision = decided(thirds, PHI3)
    assert decision.decided == "inferred: fused qkv of unknown sizes: left whole"
    assert parts(decision) == []
    # A model within it of another width says nothing.
    assert len(parts(decided(thirds, PHI3 | {"hidden_size": 16}))) == 3
    assert len(parts(decided(thirds, {"n_head": 4, "n_embd": 8}))) == 3


@pytest.mark.spec("FMT-15", "FMT-20")
def test_heads_of_gpt_bigcode_are_interleaved():
    for config, rule in (({"model_type": "gpt_bigcode"}, INTERLEAVED), ({}, "q, k, v in turn")):
        assert decided({"attn.c_attn.weight": (24, 8)}, config).decided.endswith(rule)


@pytest.mark.spec("FMT-15", "FMT-20")
@pytest.mark.parametrize("key", ["num_local_experts", "num_experts", "n_routed_experts"])
def test_the_configuration_counts_experts(key):
    shapes = {"layers.0.mlp.w1": (4, 24, 16)}
    for count, role, axes in ((4, "weight", STACK), (5, "unknown", ())):
        decision = decided(shapes, {key: count})
        assert (decision.spec.role, decision.spec.axes) == (role, axes)
    conv = {"mlp.conv.weight": (4, 16, 3), "mlp.conv.bias": (4,)}
    assert decided(conv, {key: 4}).spec.axes == CONV1


@pytest.mark.spec("FMT-15")
def test_groups():
    assert decided({"block.dwconv.weight": (8, 1, 7, 7)}).spec.groups == 8
    assert decided({"up.weight": (4, 3, 3), "up.bias": (6,)}).spec.groups == 2
    assert decided({"up.weight": (4, 3, 3), "up.bias": (6,)}).spec.view == (2, 2, 3, 3)


@pytest.mark.spec("FMT-14", "FMT-15")
def test_what_nothing_tells_is_left_out_with_its_cure():
    for shapes in ({"w": (3, 40, 50)}, {"w": (2,) * 6}, {"q": (8, 3, 40, 40)}):
        decision = decided(shapes)
        assert decision.code == "not-understood"
        assert decision.left_out.endswith("Say what it is with --layers")


def quantized(dtype, **beside):
    shapes = {"fc.weight": (4, 6)} | {f"fc.{name}": shape for name, shape in beside.items()}
    return decided(shapes, dtypes={"fc.weight": dtype})


@pytest.mark.spec("FMT-14", "FMT-15")
@pytest.mark.parametrize("name", ["_weight_scale", "weight_scale_2"])
@pytest.mark.parametrize("dtype", ["int8", "float8_e4m3fn"])
def test_codes_beside_a_scale_of_an_unknown_name_are_no_weight(dtype, name):
    decision = quantized(dtype, **{name: (4, 1)})
    assert decision.spec.role == "packed"
    assert re.search("not known|no packing that is known", decision.left_out)


@pytest.mark.spec("FMT-5", "PAK-1")
def test_stated_scales_leave_nothing_to_be_found_out():
    """A quantized layer of PyTorch states its weight's scale, and has that of its outputs."""
    shapes = {"fc.weight": (4, 6), "fc.scale": (), "fc.zero_point": ()}
    facts = {"fc.weight": TensorSpec(quantization=Quantization(0.5, 3.0))}
    decision = decided(shapes, dtypes={"fc.weight": "int8"}, facts=facts)
    assert (decision.spec.role, decision.spec.axes) == ("weight", OUT_IN)
    assert decision.spec.quantization == facts["fc.weight"].quantization
    assert decision.computed is None


@pytest.mark.spec("FMT-14", "FMT-15")
def test_other_scales_say_nothing_of_the_weight():
    assert quantized("float8_e4m3fn", input_scale=(), k_scale=()).spec.role == "weight"
    assert quantized("float8_e4m3fn").spec.role == "weight"
    assert quantized("float32", weight_scale=(4, 1)).spec.role == "weight"
    (layer,) = open_weights({"fc.weight": np.ones((4, 6), np.int8)}).layers
    assert layer.left_out == "int8 without a scale: declare its quantization"


@pytest.mark.spec("FMT-14")
def test_layers_are_named_after_their_modules():
    shapes = {"fc.weight": (4, 6), "fc.bias": (4,), "h.0.attn.in_proj_weight": (24, 8)}
    layers = open_weights({name: np.zeros(shape) for name, shape in shapes.items()}).layers
    assert [layer.name for layer in layers] == ["fc", "fc.bias", "h.0.attn.in_proj_weight"]


@pytest.mark.parametrize("unit", ["emb_", "conv_dw_", "deconv_", "scale_", "a"])
def test_long_names_take_no_longer(unit):
    name = unit * (100_000 // len(unit)) + "-.weight"
    with cpu_limit(2):
        decided({name: (4, 2, 3)}, dtypes={name: "float8_e4m3fn"})
        decided({name.removesuffix(".weight"): (4, 2, 3)})
