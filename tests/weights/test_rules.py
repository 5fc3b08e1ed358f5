"""FMT-15: what tensors are taken for, by a corpus of published architectures and rule by rule.

The corpus says what each tensor is by the class of the module that holds it; nothing in it comes
from the inference that is judged here.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.weights import open_weights
from htsr_ref.weights.container import RawTensor
from htsr_ref.weights.dtypes import SAFETENSORS_CODES
from htsr_ref.weights.meaning.decisions import decide
from htsr_ref.weights.meaning.keras import keras_variable
from htsr_ref.weights.meaning.model import Model
from htsr_ref.weights.meaning.roles import MATRIX_ROLES
from htsr_ref.weights.meaning.rules import RULES, Rule

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


def model_of(path):
    """A file of the corpus: its tensors' expected meanings, and the model to be decided."""
    content = json.loads(path.read_text(encoding="utf-8"))
    tensors = {
        name: RawTensor(name, tuple(item["shape"]), SAFETENSORS_CODES[item["dtype"]], None)
        for name, item in content["tensors"].items()
    }
    return content["tensors"], Model(tensors, config=content.get("config") or {})


def faults(path):
    """What is decided otherwise than the corpus says; and the tensors that are left open."""
    expected, model = model_of(path)
    wrong, unknown = [], []
    for name, decision in decide(model).items():
        item, spec = expected[name], decision.spec
        if decision.code == "not-understood":
            unknown.append(name)
        elif spec.role not in item["roles"]:
            wrong.append((name, item["roles"], spec.role, decision.decided))
        elif spec.role in ("weight", "recurrent"):
            # Experts below each other are cut into a stack.
            axes = spec.axes if spec.view is None else spec.axes[-len(item["axes"]) :]
            if list(axes) != item["axes"]:
                wrong.append((name, item["axes"], spec.axes, decision.decided))
            if spec.groups not in (1, item.get("groups", 1)):
                wrong.append((name, item["groups"], spec.groups, decision.decided))
            parts = [size for _, size in item.get("parts", [])]
            if spec.parts and [part.size for part in spec.parts] != parts:
                wrong.append((name, parts, spec.parts, decision.decided))
            if spec.parts and item.get("interleaved"):
                wrong.append((name, "interleaved", spec.parts, decision.decided))
    return wrong, unknown


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_nothing_in_the_corpus_is_taken_for_what_it_is_not(path):
    wrong, _ = faults(path)
    assert wrong == []


@pytest.mark.spec("FMT-15")
def test_what_is_left_open_in_the_corpus_is_listed():
    unknown = [name for path in CORPUS for name in faults(path)[1]]
    assert unknown == []


# name, stored shape, rule, role, canonical shape, groups
CASES = [
    ("state.exp_avg.fc.weight", (4, 3), "optimizer state", "optimizer", (4, 3), 1),
    ("optimizer_weights/adam/m/kernel:0", (4, 3), "optimizer state", "optimizer", (4, 3), 1),
    ("w/.OPTIMIZER_SLOT/m", (4, 3), "optimizer state", "optimizer", (4, 3), 1),
    ("q_proj.lora_A.weight", (4, 30), "factor of an adapter", "adapter", (4, 30), 1),
    ("bn1.running_mean", (4,), "running statistics", "buffer", (4,), 1),
    ("bn1.num_batches_tracked", (), "running statistics", "buffer", (), 1),
    ("fc.bias", (4,), "bias by name", "bias", (4,), 1),
    ("h.0.attn.bias", (1, 1, 8, 8), "mask by its shape (1, 1, n, n)", "mask", (1, 1, 8, 8), 1),
    ("x/kernel", (1, 1, 8, 8), "conv kernel (k, in, out)", "weight", (8, 8, 1, 1), 1),
    (
        "layers/conv2d/vars/0",
        (1, 1, 8, 8),
        "Keras conv kernel (k1, k2, in, out)",
        "weight",
        (8, 8, 1, 1),
        1,
    ),
    ("sa.heads.0.tril", (8, 8), "mask by name", "mask", (8, 8), 1),
    ("fc.weight_mask", (8, 4), "mask by name", "mask", (8, 4), 1),
    *(
        (f"attn.{name}", (8, 8), "mask by name", "mask", (8, 8), 1)
        for name in ("tri", "causalmask", "causal_mask_buffer", "_mask_cached", "mask2d")
    ),
    *(
        (f"attn.{name}", (8, 6), "table of positions by name", "position", (8, 6), 1)
        for name in ("cos_sin_cache", "_cos_cached", "cached_sin", "cis", "sinusoidal_pos")
    ),
    ("freqs_cis", (8, 6), "table of positions by name", "position", (8, 6), 1),
    (
        "rotary_pos_emb.cache",
        (8, 2, 6),
        "table of positions by its module",
        "position",
        (8, 2, 6),
        1,
    ),
    *(
        (f"ssm.{name}", (8, 6), "state or constant by name", "buffer", (8, 6), 1)
        for name in ("A_logs", "Ds", "A_b_log", "log_A_real", "r_k")
    ),
    ("attn.b_Q", (4, 2), "bias by name", "bias", (4, 2), 1),
    ("quantizers.0.codebook.weight", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("emb.weight", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("embed_proj.weight", (9, 4), "2 axes (out, in)", "weight", (9, 4), 1),
    ("embed_fc_1.weight", (9, 4), "2 axes (out, in)", "weight", (9, 4), 1),
    ("attn.in_proj_bias", (9,), "bias by name", "bias", (9,), 1),
    ("lstm.bias_ih_l0", (8,), "bias by name", "bias", (8,), 1),
    ("gru/bias:0", (2, 9), "bias by name", "bias", (2, 9), 1),
    ("h.0.ln_1.weight", (4,), "norm by name", "norm", (4,), 1),
    ("encoder.LayerNorm.weight", (4, 4), "norm by name", "norm", (4, 4), 1),
    ("model.layers.0.input_layernorm.weight", (4,), "norm by name", "norm", (4,), 1),
    ("norm.proj.weight", (4, 3), "2 axes (out, in)", "weight", (4, 3), 1),
    ("layers.1.weight", (4,), "length of a norm: a weight of one axis", "norm", (4,), 1),
    ("temperature", (), "scalar or vector", "buffer", (), 1),
    ("w", (1, 1, 1, 1, 2, 2), "more than 5 axes", "unknown", (1, 1, 1, 1, 2, 2), 1),
    ("vit.cls_token", (1, 1, 8), "scalar or vector", "buffer", (1, 1, 8), 1),
    ("vit.query_tokens", (1, 5, 8), "token by name", "buffer", (1, 5, 8), 1),
    ("vit.pos_embed", (1, 5, 8), "table of positions by name", "position", (1, 5, 8), 1),
    ("rope.freqs_cos", (16, 8), "table of positions by name", "position", (16, 8), 1),
    ("mixer.A_log", (16, 8), "state or constant by name", "buffer", (16, 8), 1),
    ("layers/gru/cell/vars/2", (2, 9), "Keras bias", "bias", (2, 9), 1),
    ("rnn.weight_ih_l0", (8, 3), "recurrent by name", "recurrent", (8, 3), 1),
    ("rnn.weight_hh_l1_reverse", (8, 2), "LSTM, gates i, f, g, o", "recurrent", (8, 2), 1),
    ("cell.weight_hh", (6, 2), "GRU, gates r, z, n", "recurrent", (6, 2), 1),
    (
        "layers/embed/token_emb/vars/0",
        (9, 4),
        "table by name (out, in): the layer's class is not known",
        "embedding",
        (9, 4),
        1,
    ),
    ("layers/lstm/cell/vars/1", (2, 8), "Keras recurrent kernel (in, out)", "recurrent", (8, 2), 1),
    (
        "LSTMCell_0/hi/kernel",
        (3, 8),
        "kernel of a recurrent layer by name (in, out)",
        "recurrent",
        (8, 3),
        1,
    ),
    ("model.embed_tokens.weight", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("transformer.wte.weight", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("embedding/embeddings:0", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("params/Embed_0/embedding", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("layers/embedding_2/vars/0", (9, 4), "Keras embeddings (out, in)", "embedding", (9, 4), 1),
    ("gnn.edge_embedding_proj.weight", (9, 4), "2 axes (out, in)", "weight", (9, 4), 1),
    ("embeddings.proj.weight", (9, 4), "2 axes (out, in)", "weight", (9, 4), 1),
    (
        "layers/depthwise_conv2d/vars/0",
        (3, 5, 4, 2),
        "Keras depthwise kernel (k1, k2, out, out)",
        "weight",
        (8, 1, 3, 5),
        4,
    ),
    (
        "layers/conv2d_transpose/vars/0",
        (3, 5, 4, 2),
        "Keras transposed conv kernel (k1, k2, out, in)",
        "weight",
        (4, 2, 3, 5),
        1,
    ),
    ("dense/kernel:0", (3, 7), "kernel (in, out)", "weight", (7, 3), 1),
    ("layers/dense_1/vars/0", (3, 7), "Keras kernel (in, out)", "weight", (7, 3), 1),
    ("conv1d/kernel:0", (5, 3, 7), "conv kernel (k, in, out)", "weight", (7, 3, 5), 1),
    ("x/kernel", (5, 4, 3, 7), "conv kernel (k, in, out)", "weight", (7, 3, 5, 4), 1),
    ("moe.experts.w1", (6, 4, 3), "stacked experts", "weight", (6, 4, 3), 1),
    ("fc.weight", (4, 3), "2 axes (out, in)", "weight", (4, 3), 1),
    ("W", (4, 3), "2 axes (out, in)", "weight", (4, 3), 1),
    ("conv.weight", (4, 3, 5), "convolution (out, in, k)", "weight", (4, 3, 5), 1),
    ("x.weight", (4, 1, 5, 5), "convolution (out, in, k)", "weight", (4, 1, 5, 5), 1),
    ("dwconv.weight", (4, 1, 5), "depthwise convolution by name", "weight", (4, 1, 5), 4),
    (
        "b.0._depthwise_conv.weight",
        (4, 1, 5),
        "depthwise convolution by name",
        "weight",
        (4, 1, 5),
        4,
    ),
    (
        "up_conv_transpose.weight",
        (4, 3, 5),
        "transposed convolution by name",
        "weight",
        (3, 4, 5),
        1,
    ),
    (
        "x.weight",
        (4, 3, 5),
        "3 axes: nothing tells a convolution from a stack of matrices",
        "unknown",
        (4, 3, 5),
        1,
    ),
    (
        "mha/query/kernel",
        (6, 2, 3),
        "kernel of 3 axes: nothing tells what they are",
        "unknown",
        (6, 2, 3),
        1,
    ),
]


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize(("name", "shape", "rule", "role", "canonical", "groups"), CASES)
def test_rule(name, shape, rule, role, canonical, groups):
    (layer,) = open_weights({name: np.zeros(shape)}).layers
    assert layer.decided == f"inferred: {rule}"
    assert (layer.role, layer.shape, layer.groups) == (role, canonical, groups)
    assert (layer.left_out is None) is (role in MATRIX_ROLES)
    assert bool(layer.axes) is (role in MATRIX_ROLES)


def decided(arrays, **model):
    tensors = {name: RawTensor(name, shape, "float32", None) for name, shape in arrays.items()}
    return decide(Model(tensors, **model))


@pytest.mark.spec("FMT-15")
def test_a_bias_makes_three_axes_a_convolution_and_an_embedding_a_linear_layer():
    conv = decided({"x.weight": (4, 3, 5), "x.bias": (4,)})["x.weight"]
    assert conv.spec.axes == ("out", "in", "k1")
    edge = decided({"edge_embedding.weight": (9, 4), "edge_embedding.bias": (9,)})
    assert edge["edge_embedding.weight"].spec.role == "weight"


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize(
    ("beside", "config"),
    [
        ({"moe.router.weight": (8, 192)}, {}),
        ({"moe.router.layer.weight": (8, 192)}, {}),
        ({"moe.gate.weight": (8, 192)}, {}),
        ({}, {"num_local_experts": 8}),
        ({}, {"text_config": {"num_experts": 8}}),
        ({"moe.w2": (8, 192, 256)}, {}),
    ],
)
def test_stacks_are_known_by_router_configuration_or_repetition(beside, config):
    found = decided({"moe.w1": (8, 512, 192), **beside}, config=config)["moe.w1"]
    assert found.spec.axes == ("stack", "out", "in")
    alone = decided({"moe.w1": (8, 512, 192)})["moe.w1"]
    assert alone.code == "not-understood"


@pytest.mark.spec("FMT-15")
def test_sizes_of_fused_projections_come_from_the_configuration():
    config = {"hidden_size": 192, "num_attention_heads": 12, "num_key_value_heads": 6}
    for stated in (config, {"text_config": config}):
        found = decided({"qkv_proj.weight": (384, 192)}, config=stated)["qkv_proj.weight"]
        assert [part.size for part in found.spec.parts] == [192, 96, 96]
    other = decided({"qkv_proj.weight": (400, 192)}, config=config)["qkv_proj.weight"]
    assert other.spec.parts == ()


PREFIXES = st.sampled_from(["", "model.", "module.net.", "a.b.c.", "base_model.model."])


@pytest.mark.spec("FMT-15")
@pytest.mark.slow
@given(st.sampled_from(CORPUS), PREFIXES, st.randoms(use_true_random=False), st.booleans())
def test_prefixes_order_and_buffers_change_no_meaning(path, prefix, random, adds):
    """A module around the model, another order of its tensors, or a buffer more: the same."""
    _, model = model_of(path)
    before = decide(model)
    names = list(model.tensors)
    random.shuffle(names)
    tensors = {
        prefix + name: RawTensor(prefix + name, *_rest(model.tensors[name])) for name in names
    }
    if adds:
        name = f"{prefix}extra.step"
        tensors[name] = RawTensor(name, (), "int64", None)
    after = decide(Model(tensors, config=model.config))
    for name, decision in before.items():
        found = after[prefix + name]
        assert (found.spec, found.decided) == (decision.spec, decision.decided), name


def _rest(tensor):
    return tensor.shape, tensor.dtype, tensor.backing


def test_the_table_is_read_from_top_to_bottom():
    assert len({id(rule) for rule in RULES}) == len(RULES)
    assert [rule.find for rule in RULES if not isinstance(rule, Rule)] == [keras_variable]


def element(shape):
    return np.arange(np.prod(shape), dtype=float).reshape(shape)


@pytest.mark.spec("FMT-15")
def test_axes_of_a_keras_conv_element_by_element():
    kernel = element((2, 3, 4, 5))
    data = open_weights({"c/kernel": kernel}).layers[0].data
    for k1, k2, in_, out in np.ndindex(kernel.shape):
        assert data[out, in_, k1, k2] == kernel[k1, k2, in_, out]


@pytest.mark.spec("FMT-15")
def test_axes_of_a_depthwise_kernel_element_by_element():
    # Output channel c * multiplier + m of Keras sees input channel c only.
    kernel = element((2, 3, 4, 5))
    data = open_weights({"c/depthwise_kernel": kernel}).layers[0].data
    for k1, k2, channel, multiple in np.ndindex(kernel.shape):
        assert data[channel * 5 + multiple, 0, k1, k2] == kernel[k1, k2, channel, multiple]
    np.testing.assert_array_equal(data[3:11:2, 0, 1, ::-1], data[...][3:11:2, 0, 1, ::-1])


@pytest.mark.spec("FMT-15")
def test_axes_of_attention_kernels_element_by_element():
    heads, out = element((6, 2, 3)), element((2, 3, 6))
    arrays = {f"a/{name}/kernel": heads for name in ("query", "key", "value")}
    query, *_, last = open_weights({**arrays, "a/out/kernel": out}).layers
    np.testing.assert_array_equal(query.data[...], heads.reshape(6, 6).T)
    np.testing.assert_array_equal(last.data[...], out.reshape(6, 6).T)


@pytest.mark.spec("FMT-15")
def test_gpt2_stores_its_linear_layers_transposed():
    gpt2 = {
        "h.0.attn.c_attn.weight": element((4, 12)),
        "h.0.attn.c_proj.weight": element((4, 4)),
        "h.0.mlp.c_fc.weight": element((4, 16)),
        "lm_head.weight": element((9, 4)),
    }
    attention, projection, mlp, head = open_weights(gpt2).layers
    assert attention.decided == "inferred: GPT-2 Conv1D (in, out), q, k, v in turn"
    np.testing.assert_array_equal(attention.data[...], element((4, 12)).T)
    np.testing.assert_array_equal(projection.data[...], element((4, 4)).T)
    assert mlp.shape == (16, 4)
    assert head.decided == "inferred: 2 axes (out, in)"
    linear = {name: array.T for name, array in gpt2.items()}
    assert {layer.axes for layer in open_weights(linear).layers} == {("out", "in")}
    assert all(
        np.array_equal(layer.data[...], linear[layer.tensor])
        for layer in open_weights(linear).layers
    )


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize(
    ("name", "shape", "axes", "groups"),
    [
        ("conv0/filters", (3, 3, 4, 8), ("k1", "k2", "in", "out"), 1),
        ("conv0/pointwise_filter", (1, 1, 8, 8), ("k1", "k2", "in", "out"), 1),
        ("conv0/depthwise_filter", (3, 3, 8, 1), ("k1", "k2", "out", "out"), 8),
        ("conv0/weights", (1, 1, 8, 8), ("k1", "k2", "in", "out"), 1),
        ("fc", (4, 8), ("in", "out"), 1),
    ],
)
def test_kernels_of_models_for_tensorflow_js(name, shape, axes, groups):
    found = decided({name: shape, "conv0/bias": (8,)}, framework="tensorflow")[name].spec
    assert (found.role, found.axes, found.groups) == ("weight", axes, groups)


@pytest.mark.spec("FMT-15")
def test_bytes_of_one_side_are_a_mask_whatever_their_name():
    tensors = {"a/kernel": RawTensor("a/kernel", (1, 1, 8, 8), "uint8", None)}
    assert decide(Model(tensors))["a/kernel"].spec.role == "mask"


@pytest.mark.spec("FMT-15")
def test_the_page_has_every_rule_in_its_order():
    page = Path(__file__).parents[2] / "spec" / "fmt-meaning.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    cells = [row.split("|")[1].lower() for row in rows]
    at = 0
    for rule in RULES:
        name = rule.name.lower()
        places = [place for place, cell in enumerate(cells) if _names(cell, name)]
        assert places, name
        at = next((place for place in places if place >= at - 1), None)
        assert at is not None, f"{name} stands too early"


def _names(cell, name):
    """Whether a cell names a rule, perhaps with its variants in parentheses or after commas."""
    stem = name.split(", q, k, v in turn")[0].split(", k, v in turn")[0].split(", gate and up")[0]
    return name in cell or stem in cell


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize(("gates", "names"), [(4, "ifco"), (3, "zrh"), (1, "")])
def test_the_cell_of_a_keras_layer_of_unknown_class_is_known_by_its_gates(gates, names):
    cell = "layers/bidirectional/forward_layer/cell/vars/"
    shapes = {"0": (5, 2 * gates), "1": (2, 2 * gates), "2": (2 * gates,)}
    tensors = {
        cell + at: RawTensor(cell + at, shape, "float32", None) for at, shape in shapes.items()
    }
    found = decide(Model(tensors, framework="keras"))
    assert [decision.spec.role for decision in found.values()] == ["recurrent", "recurrent", "bias"]
    assert "".join(part.name for part in found[cell + "1"].spec.parts) == names
