"""Which projections a module fuses, and in which order, as its forward takes them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import nn


class Fusion(NamedTuple):
    """Sizes of the parts along "out", and how they lie: contiguous, or in turns."""

    parts: tuple[tuple[str, int], ...]
    interleaved: str = ""


QKV = ("query", "key", "value")
GATE_UP = ("gate", "up")


def _equal(*names: str, interleaved: str = "") -> Callable[[nn.Module, int], Fusion]:
    def fusion(module: nn.Module, out: int) -> Fusion:
        assert out % len(names) == 0
        return Fusion(tuple((name, out // len(names)) for name in names), interleaved)

    return fusion


def _grouped(heads: str, head_dim: str = "head_dim") -> Callable[[nn.Module, int], Fusion]:
    """Queries of all heads, then keys and values of fewer heads."""

    def fusion(module: nn.Module, out: int) -> Fusion:
        shared = getattr(module, heads) * getattr(module, head_dim)
        return Fusion((("query", out - 2 * shared), ("key", shared), ("value", shared)))

    return fusion


def _phi3(module: nn.Module, out: int) -> Fusion:
    shared = module.num_key_value_heads * module.head_dim
    return Fusion((("query", out - 2 * shared), ("key", shared), ("value", shared)))


def _falcon(module: nn.Module, out: int) -> Fusion:
    if module.new_decoder_architecture:
        shared = module.num_kv_heads * module.head_dim
        parts = (("query", out - 2 * shared), ("key", shared), ("value", shared))
        return Fusion(parts, "by key-value head")
    if module.multi_query:
        shared = module.head_dim
        return Fusion((("query", out - 2 * shared), ("key", shared), ("value", shared)))
    return _equal(*QKV, interleaved="by head")(module, out)


def _codegen(module: nn.Module, out: int) -> Fusion:
    return _equal("query", "value", "key", interleaved=f"by {module.mp_num} shards")(module, out)


def _latent(module: nn.Module, out: int) -> Fusion:
    rope = module.qk_rope_head_dim
    return Fusion((("latent", out - rope), ("key rope", rope)))


def _latent_up(module: nn.Module, out: int) -> Fusion:
    value = module.num_heads * module.v_head_dim
    return Fusion((("key", out - value), ("value", value)), "by head")


def _mamba_x(module: nn.Module, out: int) -> Fusion:
    state = module.ssm_state_size
    return Fusion((("dt", out - 2 * state), ("B", state), ("C", state)))


def _mamba2_in(module: nn.Module, out: int) -> Fusion:
    state = module.n_groups * module.ssm_state_size
    inner = module.intermediate_size
    parts = (("gate", inner), ("x", inner), ("B", state), ("C", state), ("dt", module.num_heads))
    return Fusion(parts)


def _delta_qkvz(module: nn.Module, out: int) -> Fusion:
    key, value = module.key_dim, module.value_dim
    parts = (("query", key), ("key", key), ("value", value), ("z", value))
    return Fusion(parts, "by key head")


def _timm_attention(module: nn.Module, out: int) -> Fusion:
    by_head = getattr(module, "head_first", False)
    return _equal(*QKV, interleaved="by head" if by_head else "")(module, out)


def _gpt2(module: nn.Module, out: int) -> Fusion:
    names = ("key", "value") if module.is_cross_attention else QKV
    return _equal(*names)(module, out)


def _bigcode(module: nn.Module, out: int) -> Fusion:
    assert module.multi_query
    return _grouped("kv_heads")(module, out)


def _experts(module: nn.Module, out: int) -> Fusion:
    return _equal(*GATE_UP, interleaved="" if module.is_concatenated else "by row")(module, out)


MAMBA_IN = _equal("x", "gate")

# The class of the module whose forward takes the output apart, and the name below it.
FUSED: dict[tuple[str, str], Callable[[nn.Module, int], Fusion]] = {
    ("GPT2Attention", "c_attn.weight"): _gpt2,
    ("GPTBigCodeAttention", "c_attn.weight"): _bigcode,
    ("GPTNeoXAttention", "query_key_value.weight"): _equal(*QKV, interleaved="by head"),
    ("BloomAttention", "query_key_value.weight"): _equal(*QKV, interleaved="by head"),
    ("FalconAttention", "query_key_value.weight"): _falcon,
    ("CodeGenAttention", "qkv_proj.weight"): _codegen,
    ("MptAttention", "Wqkv.weight"): _equal(*QKV),
    ("DbrxAttention", "Wqkv.weight"): _grouped("num_key_value_heads"),
    ("Phi3Attention", "qkv_proj.weight"): _phi3,
    ("Phi3MLP", "gate_up_proj.weight"): _equal(*GATE_UP),
    ("Glm4MLP", "gate_up_proj.weight"): _equal(*GATE_UP),
    ("ModernBertAttention", "Wqkv.weight"): _equal(*QKV),
    ("ModernBertMLP", "Wi.weight"): _equal(*GATE_UP),
    ("Qwen3NextAttention", "q_proj.weight"): _equal("query", "gate", interleaved="by head"),
    ("Qwen3NextGatedDeltaNet", "in_proj_qkvz.weight"): _delta_qkvz,
    ("Qwen3NextGatedDeltaNet", "in_proj_ba.weight"): _equal("b", "a", interleaved="by key head"),
    ("DeepseekV2Attention", "kv_a_proj_with_mqa.weight"): _latent,
    ("DeepseekV3Attention", "kv_a_proj_with_mqa.weight"): _latent,
    ("DeepseekV2Attention", "kv_b_proj.weight"): _latent_up,
    ("DeepseekV3Attention", "kv_b_proj.weight"): _latent_up,
    ("JetMoeAttention", "kv_proj.weight"): _equal("key", "value"),
    ("JetMoeMoE", "input_linear.weight"): _equal(*GATE_UP),
    ("Llama4TextExperts", "gate_up_proj"): _equal(*GATE_UP),
    ("MambaMixer", "in_proj.weight"): MAMBA_IN,
    ("FalconMambaMixer", "in_proj.weight"): MAMBA_IN,
    ("JambaMambaMixer", "in_proj.weight"): MAMBA_IN,
    ("MambaMixer", "x_proj.weight"): _mamba_x,
    ("FalconMambaMixer", "x_proj.weight"): _mamba_x,
    ("JambaMambaMixer", "x_proj.weight"): _mamba_x,
    ("Mamba2Mixer", "in_proj.weight"): _mamba2_in,
    ("VisionAttention", "qkv.weight"): _equal(*QKV),
    ("Qwen3VLVisionAttention", "qkv.weight"): _equal(*QKV),
    ("Qwen3VLMoeVisionAttention", "qkv.weight"): _equal(*QKV),
    ("SamVisionSdpaAttention", "qkv.weight"): _equal(*QKV),
    ("Blip2Attention", "qkv.weight"): _equal(*QKV),
    ("MultiheadAttention", "in_proj_weight"): _equal(*QKV),
    # timm
    ("Attention", "qkv.weight"): _timm_attention,
    ("AttentionCl", "qkv.weight"): _timm_attention,
    ("Attention2d", "qkv.weight"): _timm_attention,
    ("WindowAttention", "qkv.weight"): _equal(*QKV),
    ("ChannelAttention", "qkv.weight"): _equal(*QKV),
    ("TalkingHeadAttn", "qkv.weight"): _equal(*QKV),
    ("XCA", "qkv.weight"): _equal(*QKV),
    ("EvaAttention", "qkv.weight"): _equal(*QKV),
}

SUSPECTS = ("qkv", "query_key_value", "gate_up", "c_attn", "kv_proj", "in_proj", "x_proj", "w12")
"""Names of modules that make a missing entry an error; they decide nothing."""


def fusion_of(model: nn.Module, path: str, name: str, out: int) -> Fusion | None:
    """Fusion of the weight `name` of the module at `path`, whose out axis has `out` entries."""
    module = model.get_submodule(path)
    if isinstance(module, nn.RNNBase) and name.startswith("weight"):
        gates = {"LSTM": ("input", "forget", "cell", "output")}[type(module).__name__]
        return _equal(*gates)(module, out)
    if type(module).__name__ == "Qwen3VLMoeTextExperts" and not hasattr(module, "is_concatenated"):
        return _equal(*GATE_UP)(module, out) if name == "gate_up_proj" else None
    if name == "gate_up_proj" and hasattr(module, "is_concatenated"):
        return _experts(module, out)
    owner, _, child = path.rpartition(".")
    above = model.get_submodule(owner)
    own = FUSED.get((type(module).__name__, name))
    if own:
        return own(module, out)
    found = FUSED.get((type(above).__name__, f"{child}.{name}"))
    if found:
        return found(above, out)
    if any(word in f"{child}.{name}" for word in SUSPECTS):
        print(f"not fused? {type(above).__name__} {path}.{name} {out}")
    return None
