"""FMT-15: what unlabeled tensors are taken for, rule by rule."""

import numpy as np
import pytest
from htsr_ref.weights.classify import RULES

from htsr_ref.weights import open_weights

# name, stored shape, rule, kind, canonical shape, groups
CASES = [
    ("state.exp_avg.fc.weight", (4, 3), "optimizer state", "other", (4, 3), 1),
    ("optimizer_weights/adam/m/kernel:0", (4, 3), "optimizer state", "other", (4, 3), 1),
    ("w/.OPTIMIZER_SLOT/m", (4, 3), "optimizer state", "other", (4, 3), 1),
    ("bn1.running_mean", (4,), "running statistics", "norm", (4,), 1),
    ("bn1.num_batches_tracked", (), "running statistics", "norm", (), 1),
    ("fc.bias", (4,), "bias by name", "bias", (4,), 1),
    ("h.0.attn.bias", (1, 1, 8, 8), "bias by name", "bias", (1, 1, 8, 8), 1),
    ("attn.in_proj_bias", (9,), "bias by name", "bias", (9,), 1),
    ("lstm.bias_ih_l0", (8,), "bias by name", "bias", (8,), 1),
    ("gru/bias:0", (2, 9), "bias by name", "bias", (2, 9), 1),
    ("h.0.ln_1.weight", (4,), "norm by name", "norm", (4,), 1),
    ("encoder.LayerNorm.weight", (4, 4), "norm by name", "norm", (4, 4), 1),
    ("model.layers.0.input_layernorm.weight", (4,), "norm by name", "norm", (4,), 1),
    ("batch_normalization/gamma:0", (4,), "norm by name", "norm", (4,), 1),
    ("norm.proj.weight", (4, 3), "2 axes (out, in)", "linear", (4, 3), 1),
    ("layers.1.weight", (4,), "scalar or vector", "other", (4,), 1),
    ("temperature", (), "scalar or vector", "other", (), 1),
    ("w", (1, 1, 1, 1, 2, 2), "more than 5 axes", "other", (1, 1, 1, 1, 2, 2), 1),
    ("vit.cls_token", (1, 1, 8), "token or position parameter", "other", (1, 1, 8), 1),
    ("vit.pos_embed", (1, 5, 8), "token or position parameter", "other", (1, 5, 8), 1),
    ("layers/gru/cell/vars/2", (2, 9), "bias of a recurrent layer", "bias", (2, 9), 1),
    ("rnn.weight_ih_l0", (8, 3), "recurrent weight by name", "recurrent", (8, 3), 1),
    ("rnn.weight_hh_l1_reverse", (8, 2), "recurrent weight by name", "recurrent", (8, 2), 1),
    ("cell.weight_ih", (8, 3), "recurrent weight by name", "recurrent", (8, 3), 1),
    ("x/recurrent_kernel:0", (2, 8), "recurrent kernel (in, out)", "recurrent", (8, 2), 1),
    ("lstm_1/lstm_cell/kernel:0", (3, 8), "recurrent kernel (in, out)", "recurrent", (8, 3), 1),
    ("layers/lstm/cell/vars/1", (2, 8), "recurrent kernel (in, out)", "recurrent", (8, 2), 1),
    ("LSTMCell_0/hi/kernel", (3, 8), "recurrent kernel (in, out)", "recurrent", (8, 3), 1),
    ("model.embed_tokens.weight", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("transformer.wte.weight", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("clip.positional_embedding", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("embedding/embeddings:0", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("params/Embed_0/embedding", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("layers/embedding_2/vars/0", (9, 4), "embedding by name", "embedding", (9, 4), 1),
    ("gnn.edge_embedding_proj.weight", (9, 4), "2 axes (out, in)", "linear", (9, 4), 1),
    ("gnn.edge_embedding.weight", (9, 4), "2 axes (out, in)", "linear", (9, 4), 1),
    ("embeddings.proj.weight", (9, 4), "2 axes (out, in)", "linear", (9, 4), 1),
    (
        "dw/depthwise_kernel:0",
        (3, 5, 4, 2),
        "depthwise kernel (k, in, multiplier)",
        "conv",
        (8, 1, 3, 5),
        4,
    ),
    (
        "layers/depthwise_conv2d/vars/0",
        (3, 5, 4, 2),
        "depthwise kernel (k, in, multiplier)",
        "conv",
        (8, 1, 3, 5),
        4,
    ),
    (
        "layers/conv2d_transpose/vars/0",
        (3, 5, 4, 2),
        "transposed conv kernel (k, out, in)",
        "conv",
        (4, 2, 3, 5),
        1,
    ),
    ("mha/query/kernel", (6, 2, 3), "attention kernel with heads", "linear", (6, 6), 1),
    ("attn/out/kernel", (2, 3, 7), "attention kernel with heads", "linear", (7, 6), 1),
    ("dense/kernel:0", (3, 7), "kernel (in, out)", "linear", (7, 3), 1),
    ("params/Dense_0/kernel", (3, 7), "kernel (in, out)", "linear", (7, 3), 1),
    ("layers/dense_1/vars/0", (3, 7), "kernel (in, out)", "linear", (7, 3), 1),
    ("conv1d/kernel:0", (5, 3, 7), "conv kernel (k, in, out)", "conv", (7, 3, 5), 1),
    ("conv/kernel", (5, 4, 3, 7), "conv kernel (k, in, out)", "conv", (7, 3, 5, 4), 1),
    (
        "layers/conv3d/vars/0",
        (5, 4, 2, 3, 7),
        "conv kernel (k, in, out)",
        "conv",
        (7, 3, 5, 4, 2),
        1,
    ),
    ("sep/pointwise_kernel:0", (1, 1, 3, 7), "conv kernel (k, in, out)", "conv", (7, 3, 1, 1), 1),
    ("moe.experts.w1", (6, 4, 3), "stacked experts", "linear", (6, 4, 3), 1),
    ("fc.weight", (4, 3), "2 axes (out, in)", "linear", (4, 3), 1),
    ("W", (4, 3), "2 axes (out, in)", "linear", (4, 3), 1),
    ("conv.weight", (4, 3, 5), "3 to 5 axes (out, in, k)", "conv", (4, 3, 5), 1),
    ("conv.weight", (4, 1, 5, 5), "3 to 5 axes (out, in, k)", "conv", (4, 1, 5, 5), 1),
    ("conv.weight", (4, 3, 5, 6, 7), "3 to 5 axes (out, in, k)", "conv", (4, 3, 5, 6, 7), 1),
]


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize(("name", "shape", "rule", "kind", "canonical", "groups"), CASES)
def test_rule(name, shape, rule, kind, canonical, groups):
    (layer,) = open_weights({name: np.zeros(shape)}).layers
    assert layer.decided == f"inferred: {rule}"
    assert (layer.role, layer.shape, layer.groups) == (kind, canonical, groups)
    is_matrix = kind in ("linear", "conv", "embedding", "recurrent")
    assert (layer.left_out is None) is is_matrix
    assert bool(layer.axes) is is_matrix


@pytest.mark.spec("FMT-15")
def test_every_rule_has_a_case():
    covered = {rule for _, _, rule, *_ in CASES} | {"GPT-2 Conv1D (in, out)"}
    assert covered == {name for name, _ in RULES}


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
    query, out = element((6, 2, 3)), element((2, 3, 6))
    layers = open_weights({"a/query/kernel": query, "a/out/kernel": out}).layers
    np.testing.assert_array_equal(layers[0].data[...], query.reshape(6, 6).T)
    np.testing.assert_array_equal(layers[1].data[...], out.reshape(6, 6).T)


@pytest.mark.spec("FMT-15")
def test_gpt2_stores_its_linear_layers_transposed():
    gpt2 = {
        "h.0.attn.c_attn.weight": element((4, 12)),
        "h.0.attn.c_proj.weight": element((4, 4)),
        "h.0.mlp.c_fc.weight": element((4, 16)),
        "lm_head.weight": element((9, 4)),
    }
    attention, projection, mlp, head = open_weights(gpt2).layers
    assert attention.decided == "inferred: GPT-2 Conv1D (in, out)"
    np.testing.assert_array_equal(attention.data[...], element((4, 12)).T)
    np.testing.assert_array_equal(projection.data[...], element((4, 4)).T)
    assert mlp.shape == (16, 4)
    assert head.decided == "inferred: 2 axes (out, in)"
    linear = {name: array.T for name, array in gpt2.items()}
    assert {layer.decided for layer in open_weights(linear).layers} == {
        "inferred: 2 axes (out, in)"
    }


@pytest.mark.spec("FMT-15")
@pytest.mark.parametrize(
    ("name", "shape", "warning"),
    [
        ("attn.qkv.weight", (96, 32), "looks like a fused qkv projection (96, 32)"),
        ("attn.in_proj_weight", (96, 32), "looks like a fused qkv projection (96, 32)"),
        ("attn.c_attn.weight", (96, 32), "looks like a fused qkv projection (96, 32)"),
        ("mlp.gate_up_proj.weight", (64, 32), "looks like a fused gate and up projection"),
        ("lstm.weight_hh_l0", (64, 16), "its gates are fused in (64, 16)"),
        ("mlp.experts.down_proj", (4, 6, 5), "taken for a stack of 4 matrices (out, in)"),
        ("attn.q.weight", (32, 32), None),
        ("attn.qkv.bias", (96,), None),
    ],
)
def test_warnings(name, shape, warning):
    (layer,) = open_weights({name: np.zeros(shape)}).layers
    assert len(layer.warnings) == (warning is not None)
    assert warning is None or layer.warnings[0].startswith(warning)
