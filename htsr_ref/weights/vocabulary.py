"""Names that frameworks give to parameters, as the rules of `classify` look for them.

All are compared with whole components of a name ("embed_tokens" in "model.embed_tokens.weight"),
never with substrings: "edge_embedding_proj.weight" is a linear layer.
"""

from __future__ import annotations

import re

OPTIMIZER_STATES = frozenset(
    {
        "_optimizer",
        ".optimizer_slot",
        "adam",
        "adamw",
        "exp_avg",
        "exp_avg_sq",
        "max_exp_avg_sq",
        "momentum_buffer",
        "opt_state",
        "optimizer",
        "optimizer_state",
        "optimizer_states",
        "optimizer_weights",
        "slot",
        "slots",
        "square_avg",
    }
)
RUNNING_STATISTICS = frozenset(
    {
        "moving_mean",
        "moving_variance",
        "num_batches_tracked",
        "running_mean",
        "running_var",
    }
)
EMBEDDINGS = frozenset(
    {
        "embed",
        "embed_positions",
        "embed_tokens",
        "embedding",
        "embeddings",
        "pos_embed",
        "position_embedding",
        "position_embeddings",
        "positional_embedding",
        "tok_embeddings",
        "token_embedding",
        "token_embeddings",
        "token_type_embeddings",
        "word_embedding",
        "word_embeddings",
        "wpe",
        "wte",
    }
)
TOKENS = frozenset({"class_token", "cls_token", "dist_token", "mask_token", "query_tokens"})
GPT2_CONV1D = frozenset({"c_attn", "c_fc", "c_proj", "q_attn"})
HEADS_LAST = frozenset({"key", "key_dense", "query", "query_dense", "value", "value_dense"})
HEADS_FIRST = frozenset({"attention_output", "out", "output_dense"})
FUSED = {
    "c_attn": "qkv",
    "gate_up_proj": "gate and up",
    "in_proj_weight": "qkv",
    "kv_proj": "kv",
    "qkv": "qkv",
    "qkv_proj": "qkv",
    "query_key_value": "qkv",
    "to_kv": "kv",
    "to_qkv": "qkv",
    "w_pack": "qkv",
    "wqkv": "qkv",
}
"""Modules that hold several projections, and what is fused in them."""

NORM = re.compile(
    r"(\w+_)?(batch|layer|group|instance|rms)_?norm(alization)?(_?\d+)?"
    r"|((input|pre|post|final|q|k)_)?norm(_?\d+)?|bn_?\d*|ln(_\w+)?",
)
BIAS = re.compile(r"bias(_\w+)?|\w+_bias|beta")
TORCH_RECURRENT = re.compile(r"weight_(ih|hh|hr)(_l\d+)?(_reverse)?")
RECURRENT_LAYER = re.compile(r"(\w+_)?(lstm|gru|rnn)(_?cell)?(_\d+)?|\w*(lstm|gru|rnn)cell(_\d+)?")
