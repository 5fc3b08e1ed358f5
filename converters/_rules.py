"""What a tensor of a PyTorch model is, by its name, its shape and its neighbors: one table.

PyTorch stores linear weights as (out, in) and convolutions as (out, in/groups, k...). The table
names the exceptions, what is fused, and what is no weight. `Meaning.inferred` tells whether a rule
follows from how PyTorch itself names and shapes things, or is a guess.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from _conditions import (
    Model,
    Seen,
    Shape,
    are_experts_in_rows,
    has_gates,
    in_experts,
    in_groups,
    in_projections,
    is_by_heads,
    is_gate_and_up,
    is_gpt2_conv1d,
    is_in_out,
    is_in_out_by_bias,
    is_norm,
    is_scale,
    is_stack_of_experts,
    is_thirds,
    is_transposed_by_bias,
    is_transposed_by_name,
    is_whole,
    one_group_each,
    projections,
    unparametrized,
)
from _layout import SPATIAL, Meaning

OUT_IN, IN_OUT = ("out", "in"), ("in", "out")
STACK_OUT_IN, STACK_IN_OUT = ("stack", "out", "in"), ("stack", "in", "out")
CONV = ("out", "in", *SPATIAL)
TRANSPOSED = ("in", "out", *SPATIAL)
EMBEDDINGS = (
    r"embed|embeddings?|wte|wpe|embed_(tokens|positions|in)|tok_embeddings|pos_embed|"
    r"(word|token|token_type|position|positional)_embeddings?|shared|relative_attention_bias"
)
NORM = r"(\w+_)?(batch|layer|group|instance|rms)?_?norm(alization)?(_?\d+)?|bn_?\d*|ln(_\w+)?"
RECURRENT = r"weight_(ih|hh|hr)(_l\d+)?(_reverse)?"
DEPTHWISE = r"(\w+_)?(depthwise|dw)(_?conv\w*)?|dwconv\w*|dw_?conv\w*"
INTERLEAVED = "fused qkv, mostly interleaved by heads: left whole"


@dataclass(frozen=True)
class Rule:
    """One line of the table; all that it states must hold.

    Parameters
    ----------
    name : of the rule, as reported.
    kind : of the tensor.
    axes : as stored; longer than the shape for any number of spatial axes.
    leaf, module : patterns of the last component and of the one before, without case.
    ndim : numbers of axes.
    when : a condition.
    parts : names of sections of equal size, of which the axis "out" consists.
    inferred : whether it is a guess.
    refine : completes the meaning.
    """

    name: str
    kind: str
    axes: tuple[str, ...] = ()
    leaf: str = ".*"
    module: str = ".*"
    ndim: tuple[int, ...] = tuple(range(33))
    when: Callable[[Seen], bool] = lambda _: True
    parts: tuple[str, ...] = ()
    inferred: bool = True
    refine: Callable[[Seen, Meaning], Meaning] = lambda _, meaning: meaning

    def apply(self, seen: Seen) -> Meaning | None:
        """Meaning of a tensor, None if the rule does not apply."""
        if (
            len(seen.shape) not in self.ndim
            or not re.fullmatch(self.leaf, seen.leaf, re.IGNORECASE)
            or not re.fullmatch(self.module, seen.module, re.IGNORECASE)
            or not self.when(seen)
        ):
            return None
        axes = self.axes[: len(seen.shape)]
        meaning = Meaning(self.kind, self.name, axes, self.inferred)
        if self.parts:
            size, rest = divmod(seen.shape[axes.index("out")], len(self.parts))
            if rest or not size:
                return None
            meaning = replace(meaning, parts=tuple((part, size) for part in self.parts))
        return self.refine(seen, meaning)


def decide(name: str, shape: Shape, dtype: str, model: Model) -> Meaning:
    """Meaning of a tensor: the first rule of the table that applies.

    >>> model = Model({"h.0.attn.c_attn.weight": (8, 24)})
    >>> decide("h.0.attn.c_attn.weight", (8, 24), "float32", model).axes
    ('in', 'out')
    """
    plain = unparametrized(name)
    seen = Seen.of(plain, shape, dtype, model)
    if name != plain and f"{plain}_mask" in model.shapes:
        return Meaning("refused", "pruned, and its mask beside it: call prune.remove, save again")
    meaning = next(found for rule in RULES if (found := rule.apply(seen)) is not None)
    if name != plain and meaning.axes:
        rule = f"{meaning.rule}; before its parametrization"
        layer = seen.stem[:-1] or None
        meaning = replace(meaning, rule=rule, layer=layer, inferred=True)
    return _with_scales(seen, meaning)


def _with_scales(seen: Seen, meaning: Meaning) -> Meaning:
    """Add a scale beside an integer or float8 weight; make other whole numbers no weight."""
    is_code = is_whole(seen) or seen.dtype.startswith("float8")
    scale = seen.beside(f"{seen.leaf}_scale")
    if not meaning.axes or not is_code:
        return meaning
    if scale is None:
        is_byte = seen.dtype in ("int8", "uint8") or not is_whole(seen)
        if is_byte and seen.stem in seen.model.scales:
            return Meaning("refused", "the scale beside it has a name that is not known")
        if is_whole(seen):
            return Meaning("other", "whole numbers without a scale")
        return replace(meaning, rule=f"{meaning.rule}; float8 without a scale", inferred=True)
    count = max(scale, default=1)
    if (
        meaning.axes[0] != "out"
        or scale.count(1) < len(scale) - 1
        or count not in (1, seen.shape[0])
    ):
        return Meaning("refused", f"its scale has the shape {scale}: one per row is understood")
    quantization: dict[str, Any] = {"scale": {"tensor": f"{seen.stem}{seen.leaf}_scale"}}
    zero_point = f"{seen.leaf}_zero_point"
    if seen.beside(zero_point) is not None:
        quantization["zero_point"] = {"tensor": seen.stem + zero_point}
    quantization["axis"] = 0 if count > 1 else None
    return replace(meaning, rule=f"{meaning.rule}, scaled", quantization=quantization)


_ROWS = (2,)

RULES = (
    # Packed or otherwise not to be read as numbers.
    Rule("4-bit weights packed by GPTQ or AWQ", "refused", leaf="qweight|qzeros"),
    Rule("weights packed by compressed-tensors", "refused", leaf="weight_packed"),
    Rule("4-bit floating point in blocks (MXFP4)", "refused", leaf=r"\w+_blocks"),
    Rule(
        "weights packed by bitsandbytes",
        "refused",
        leaf="weight",
        when=lambda s: s.beside("weight.absmax") is not None or s.beside("SCB") is not None,
    ),
    Rule(
        "float8 with scales in blocks",
        "refused",
        leaf="weight",
        when=lambda s: s.beside("weight_scale_inv") is not None,
    ),
    # No weights.
    Rule(
        "running statistics", "norm", leaf="running_(mean|var)|num_batches_tracked", inferred=False
    ),
    Rule("scale of a quantized weight", "other", when=is_scale),
    Rule(
        "LoRA or adapter, not the model's own",
        "other",
        when=lambda s: s.is_within(r"lora_\w+|adapters?|ia3_\w+|(hada|lokr)_\w+"),
    ),
    Rule("bias by name", "bias", leaf=r"bias(_\w+)?|\w+_bias|beta"),
    Rule("table of relative positions", "other", leaf=r"relative_position_\w+"),
    Rule("norm by name", "norm", module=NORM, when=is_norm),
    Rule(
        "norm by its bias",
        "norm",
        leaf="weight",
        when=lambda s: len(s.shape) > 1 and s.beside("bias") == s.shape,
    ),
    Rule("gamma of a norm", "norm", leaf="gamma"),
    Rule("scalar or vector", "other", ndim=(0, 1)),
    Rule("more than 5 axes", "other", ndim=tuple(range(6, 33))),
    Rule(
        "token or position parameter",
        "other",
        leaf=r"(class|cls|dist|mask|register|reg|query)_tokens?",
    ),
    Rule(
        "weight norm: a direction or a length, not the weight itself",
        "other",
        leaf="weight_[gv]|original[01]",
        when=lambda s: (
            None not in (s.beside("weight_g"), s.beside("weight_v"))
            or None not in (s.beside("original0"), s.beside("original1"))
        ),
    ),
    Rule("scale by name", "other", leaf=r"(\w+_)?scales?(_\w+)?"),
    Rule(
        "mask or table by name",
        "other",
        leaf=r"pe|tril|(\w+_)?mask|freqs_(cis|cos|sin)|pos_table|slope_rate|\w+_decay",
    ),
    Rule(
        "position parameter",
        "other",
        leaf=rf"{EMBEDDINGS}|(\w+_)?emb(ed(dings?)?)?(_\w+)?",
        ndim=(3, 4, 5),
    ),
    Rule(
        "no layer's weight by name",
        "other",
        leaf=r"A_log|\w+_encoding|norm_(mean|std)",
        ndim=(3, 4, 5),
    ),
    # A convolution of one output is the `weight` of a module.
    Rule(
        "parameter for each item of a batch",
        "other",
        leaf=r"(?!.*(weight|kernel|conv)|w\d*$).*",
        ndim=(3, 4, 5),
        when=lambda s: s.shape[0] == 1,
    ),
    Rule("part of a parametrization", "other", when=lambda s: s.is_within("parametrizations")),
    # Fused and unusual weights.
    Rule(
        "LSTM, gates i, f, g, o",
        "recurrent",
        OUT_IN,
        leaf=RECURRENT,
        ndim=_ROWS,
        when=has_gates(4),
        parts=("i", "f", "g", "o"),
        inferred=False,
    ),
    Rule(
        "GRU, gates r, z, n",
        "recurrent",
        OUT_IN,
        leaf=RECURRENT,
        ndim=_ROWS,
        when=has_gates(3),
        parts=("r", "z", "n"),
        inferred=False,
    ),
    Rule("recurrent by name", "recurrent", OUT_IN, leaf=RECURRENT, ndim=_ROWS),
    Rule(
        "embedding by its packed name",
        "embedding",
        OUT_IN,
        leaf="_packed_weight",
        ndim=_ROWS,
        inferred=False,
    ),
    Rule(
        "embedding by name",
        "embedding",
        OUT_IN,
        leaf="weight",
        module=EMBEDDINGS,
        ndim=_ROWS,
        when=lambda s: s.beside("bias") is None,  # an embedding has none
    ),
    Rule("embedding by name", "embedding", OUT_IN, leaf=EMBEDDINGS, ndim=_ROWS),
    Rule(
        "GPT-2 Conv1D (in, out), q, k, v in turn",
        "linear",
        IN_OUT,
        leaf="weight",
        module="c_attn",
        ndim=_ROWS,
        when=lambda s: is_gpt2_conv1d(s) and s.shape[1] == 3 * s.shape[0],
        parts=("q", "k", "v"),
    ),
    Rule(
        "GPT-2 Conv1D (in, out), k, v in turn",
        "linear",
        IN_OUT,
        leaf="weight",
        module="c_attn",
        ndim=_ROWS,
        when=lambda s: is_gpt2_conv1d(s) and s.shape[1] == 2 * s.shape[0],
        parts=("k", "v"),
    ),
    Rule(
        "GPT-2 Conv1D (in, out)",
        "linear",
        IN_OUT,
        leaf="weight",
        module="c_attn|c_fc|c_proj|q_attn",
        ndim=_ROWS,
        when=is_gpt2_conv1d,
    ),
    Rule(
        "MultiheadAttention, q, k, v in turn",
        "linear",
        OUT_IN,
        leaf="in_proj_weight",
        ndim=_ROWS,
        when=is_thirds,
        parts=("q", "k", "v"),
        inferred=False,
    ),
    Rule(INTERLEAVED, "linear", OUT_IN, module="query_key_value|(?-i:wqkv)", ndim=_ROWS),
    Rule(INTERLEAVED, "linear", OUT_IN, module="qkv_proj|c_attn", ndim=_ROWS, when=is_by_heads),
    Rule(
        "fused qkv, sizes by the configuration",
        "linear",
        OUT_IN,
        module="qkv_proj",
        ndim=_ROWS,
        when=lambda s: projections(s) is not None,
        inferred=False,
        refine=in_projections,
    ),
    Rule(
        "fused qkv that the configuration does not explain: left whole",
        "linear",
        OUT_IN,
        module="qkv_proj",
        ndim=_ROWS,
        when=lambda s: bool(s.model.config),
    ),
    Rule(
        "fused qkv, q, k, v in turn",
        "linear",
        OUT_IN,
        module="qkv|qkv_proj|wqkv|w_pack|c_attn",
        ndim=_ROWS,
        when=is_thirds,
        parts=("q", "k", "v"),
    ),
    Rule(
        "fused qkv, q, k, v in turn",
        "linear",
        OUT_IN,
        module="to_qkv",
        ndim=_ROWS,
        parts=("q", "k", "v"),
    ),
    Rule("fused kv, k, v in turn", "linear", OUT_IN, module="to_kv", ndim=_ROWS, parts=("k", "v")),
    Rule(
        "fused qkv of unknown sizes: left whole",
        "linear",
        OUT_IN,
        module="qkv|qkv_proj|to_qkv|wqkv|w_pack",
        ndim=_ROWS,
    ),
    Rule(
        "fused gate and up",
        "linear",
        OUT_IN,
        module="gate_up_proj",
        ndim=_ROWS,
        parts=("gate", "up"),
    ),
    Rule(
        "stacked experts (in, out), gate and up interleaved: left whole",
        "linear",
        STACK_IN_OUT,
        leaf="gate_up_proj",
        ndim=(3,),
        when=lambda s: is_in_out(s) and s.beside("gate_up_proj_bias") is not None,
    ),
    Rule(
        "stacked experts (in, out), gate and up",
        "linear",
        STACK_IN_OUT,
        leaf="gate_up_proj",
        ndim=(3,),
        when=is_in_out,
        parts=("gate", "up"),
    ),
    Rule(
        "stacked experts (in, out)",
        "linear",
        STACK_IN_OUT,
        leaf="down_proj",
        ndim=(3,),
        when=is_in_out,
    ),
    Rule(
        "stacked experts, gate and up",
        "linear",
        STACK_OUT_IN,
        leaf="gate_up_proj",
        ndim=(3,),
        parts=("gate", "up"),
    ),
    Rule(
        "stacked experts, gate and up",
        "linear",
        STACK_OUT_IN,
        leaf="weight",
        module="input_linear",
        ndim=(3,),
        when=lambda s: is_stack_of_experts(s) and is_gate_and_up(s),
        parts=("gate", "up"),
    ),
    Rule("stacked experts", "linear", STACK_OUT_IN, ndim=(3,), when=is_stack_of_experts),
    Rule(
        "experts below each other",
        "linear",
        OUT_IN,
        leaf="[wv]1",
        module="mlp",
        ndim=_ROWS,
        when=are_experts_in_rows,
        refine=in_experts,
    ),
    Rule(
        "experts below each other (in, out)",
        "linear",
        IN_OUT,
        leaf="w2",
        module="mlp",
        ndim=_ROWS,
        when=are_experts_in_rows,
        refine=in_experts,
    ),
    # Parameters of 3 axes in models of transformers.
    Rule(
        "heads apart (in, heads, out)",
        "linear",
        ("in", "out", "out"),
        leaf="[qkvr]",
        module="rel_attn",
        ndim=(3,),
    ),
    Rule(
        "heads apart (in, heads, out)", "linear", ("in", "out", "out"), leaf="r_kernel", ndim=(3,)
    ),
    Rule(
        "heads apart (out, heads, in)",
        "linear",
        ("out", "in", "in"),
        leaf="o",
        module="rel_attn",
        ndim=(3,),
    ),
    Rule(
        "groups of a linear layer by the bias",
        "linear",
        STACK_IN_OUT,
        leaf="weight",
        module="dense",
        ndim=(3,),
        when=lambda s: s.beside("bias") == (s.shape[0] * s.shape[2],),
    ),
    Rule("a matrix for each head", "linear", STACK_OUT_IN, leaf="(x|dt)_proj_weight", ndim=(3,)),
    Rule(
        "a matrix for each head (in, out)",
        "linear",
        STACK_IN_OUT,
        leaf="(input|recurrent)_gate_weight",
        ndim=(3,),
    ),
    Rule(
        "a matrix for each codebook (in, out)",
        "linear",
        STACK_IN_OUT,
        module="codebooks_head",
        ndim=(3,),
    ),
    Rule(
        "a matrix for each codebook",
        "linear",
        STACK_OUT_IN,
        ndim=(3,),
        when=lambda s: s.is_within("depth_decoder"),
    ),
    # Convolutions, and what remains.
    Rule(
        "transposed convolution by its bias",
        "conv",
        TRANSPOSED,
        leaf="weight",
        ndim=(3, 4, 5),
        when=is_transposed_by_bias,
        refine=in_groups,
    ),
    Rule(
        "transposed convolution by name",
        "conv",
        TRANSPOSED,
        leaf="weight",
        ndim=(3, 4, 5),
        when=is_transposed_by_name,
        refine=in_groups,
    ),
    Rule(
        "depthwise convolution by name",
        "conv",
        CONV,
        ndim=(3, 4, 5),
        when=lambda s: s.shape[1] == 1 and s.is_within(DEPTHWISE),
        refine=one_group_each,
    ),
    Rule(
        "2 axes (in, out) by the bias",
        "linear",
        IN_OUT,
        leaf="weight",
        ndim=_ROWS,
        when=is_in_out_by_bias,
    ),
    Rule("2 axes (out, in)", "linear", OUT_IN, ndim=_ROWS),
    Rule("3 to 5 axes (out, in, k)", "conv", CONV),
)
"""From top to bottom; the last two rules take all that is left."""
