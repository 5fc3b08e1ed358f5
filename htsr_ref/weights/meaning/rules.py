"""What a tensor is, by its name, its shape and its neighbors: one table for every file.

The first rule that applies decides. Names are compared in lower case and as whole components
between dots and slashes, never as parts of words. PyTorch stores linear weights as (out, in) and
convolutions as (out, in/groups, k...); rules for other orders say so. Spec: FMT-15.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from htsr_ref.weights.meaning import conditions as is_
from htsr_ref.weights.meaning.axes import SPATIAL
from htsr_ref.weights.meaning.found import TRANSPOSED_CLASS, Meaning
from htsr_ref.weights.meaning.keras import keras_variable
from htsr_ref.weights.meaning.kernels import GPT2_MODULES, is_depthwise, is_kernel, kernel
from htsr_ref.weights.meaning.model import matches

if TYPE_CHECKING:
    from collections.abc import Callable

    from htsr_ref.weights.meaning.model import Seen

OUT_IN, IN_OUT = ("out", "in"), ("in", "out")
STACK_OUT_IN, STACK_IN_OUT = ("stack", "out", "in"), ("stack", "in", "out")
CONV = ("out", "in", *SPATIAL)
TRANSPOSED = ("in", "out", *SPATIAL)
MATRIX, THREE, SEVERAL = (2,), (3,), (3, 4, 5)
ANY = tuple(range(33))

OPTIMIZER = (
    r"_optimizer|\.optimizer_slot|adamw?|(max_)?exp_avg(_sq)?|momentum_buffer|opt_state|"
    r"optimizer(_states?|_weights)?|slots?|square_avg"
)
EMBEDDING = (
    r"embed(s|dings?)?|emb|wte|wpe|embed_(tokens|positions|in|out_tokens)|(tok|tgt|src|char|speaker|"
    r"word|token|token_type|position(al)?|entity|segment|label|class|text|type)_emb(ed(dings?)?)?|"
    r"(token|position)_embd|token_types|pos_embed(dings?)?|shared|relative_attention_bias|\w+_emb|"
    r"_?codebooks?|embed_(?!(\w+_)?(proj|fc|linear|dense|mlp)\w*)\w+|\w+_embed(_tokens)?|\w+_embeddings?|(\w+_)?tokens?|pe_k"
)
NORM = (
    r"(\w+_)?(batch|layer|group|instance|rms)?_?norm(alization)?(_?\d+)?|(\w+_)?bn_?\d*|"
    r"ln(_\w+)?|(\w+_)?(layer|rms|batch|group)norm\w*"
)
RECURRENT = r"weight_(ih|hh|hr)(_l\d+)?(_reverse)?"
BIAS = r"biases|bias(_\w+)?|\w+_bias(es)?|beta|b_(ih|hh|in|out|[qkvo])"
SCALE = r"(\w+_)?scales?(_\w+)?|(\w+_)?absmax|scb|qscale_\w+"
ZERO = r"(\w+_)?(q?zeros|zero_points?|qbiases)"
MASK = (
    r"_?(\w+_)?(tril|triu|tri|causal|(causal)?masks?|masked)(_?\dd)?(_(buffer|cached?))?|"
    r"masked_bias|(\w+_)?triangular"
)
POSITION = (
    r"pe|inv_freq\w*|\w*freqs?(_(cis|cos|sin|re|im))?|_?(\w+_)?(cos|sin|cis)(_cached?)?|"
    r"(\w+_)?cached_(cos|sin)|sinusoid\w*|rope\w*|rotary\w*|"
    r"rotation|position_ids|pos_table|relative_(position|coords|pos)\w*|rel_pos\w*|"
    r"(\w+_)?positional_(embedding|encoding)s?(_\w+)?|position_(encoding|embeddings?)s?|"
    r"(abs(olute)?_)?pos(ition)?_(embed|emb|enc)\w*|alibi\w*|attention_bias(es|_idxs)?"
)
ROTATIONS = r"freqs_cis|rope_(cached?|freqs|table)|inv_freq|(cos|sin|cos_sin)_cached?"
CLASS_AND_MASK = (
    r"(\w+_)?(class|cls|dist|distillation|mask|register|reg|query|latent|sep|pad|bos|eos|prompt)"
    r"_(tokens?|embedding)|\w+_tokens?|latents|queries|seg_embed|class_embedding|newline|image_newline"
)
STATE = (
    r"a(_\w+)?_logs?|ds|ssm_[ad]|log_a(_\w+)?|[ab]_(imag|real|im|re)|grid|timesteps|r_k|dt_bias|(\w+_)?decay|"
    r"time_(decay|first|faaaa|mix\w*|maa\w*|curve|x|shift)|"
    r"slope_rate|logit_(scale|bias)|layer_?scale\w*|lambda_\d+|gamma_?\d+|ls\d?|temperature|sinks|"
    r"(\w+_)?(mean|std|var)|num_batches_tracked|initted|cluster_size|ema_\w+|embed_avg|usage|translate|"
    r"step|steps|count|eps|tau|initial_state|h_?0|c_?0|codebook_\w+|alpha"
)
RUNNING = r"((running|moving)?_)?(mean|var|variance)|num_batches_tracked"
ADAPTER = r"lora_\w+|ia3_\w+|(hada|lokr)_\w+|dora_\w+|oft_\w+|vera_\w+"
PACKED = (
    r"qweight|weight_packed|(\w+_)?blocks|weight_shape|g_idx|quant_(map|state\w*)|perm|workspace"
)
FUSED_QKV = r"qkv|qkv_proj|wqkv|w_pack|c_attn|in_proj_qkv|attn_qkv"
INTERLEAVED = "fused qkv, mostly interleaved by heads: left whole"


@dataclass(frozen=True)
class Rule:
    """One line of the table; all that it states must hold.

    Parameters
    ----------
    name : of the rule, as reported.
    role : of the tensor.
    axes : as stored; longer than the shape for any number of spatial axes.
    leaf, module : patterns of the last component and of the one before.
    ndim : numbers of axes.
    framework : the program that the weights come from, "" for any.
    when : a condition.
    parts : names of sections of equal size, of which the axis "out" consists.
    refine : completes the meaning.
    is_stated : whether the file states what the rule goes by.
    """

    name: str
    role: str
    axes: tuple[str, ...] = ()
    leaf: str = ""
    module: str = ""
    ndim: tuple[int, ...] = ANY
    framework: str = ""
    when: Callable[[Seen], bool] | None = None
    parts: tuple[str, ...] = ()
    refine: Callable[[Seen, Meaning], Meaning] | None = None
    is_stated: bool = False

    def may_apply(self, leaf: str, module: str, ndim: int, framework: str) -> bool:
        """Whether all holds that a name's last components and the number of axes decide."""
        return (
            ndim in self.ndim
            and self.framework in ("", framework)
            and (not self.leaf or matches(self.leaf, leaf))
            and (not self.module or matches(self.module, module))
        )

    def apply(self, seen: Seen) -> Meaning | None:
        """Meaning of a tensor that the rule may apply to, None if its condition does not hold."""
        if self.when is not None and not self.when(seen):
            return None
        axes = self.axes[: len(seen.shape)]
        layer_class = TRANSPOSED_CLASS if self.axes is TRANSPOSED else None
        meaning = Meaning(
            self.role, axes, self.name, inferred=not self.is_stated, layer_class=layer_class
        )
        if self.parts:
            size, rest = divmod(seen.shape[axes.index("out")], len(self.parts))
            if rest or not size:
                return None
            meaning = replace(meaning, parts=tuple((part, size) for part in self.parts))
        return meaning if self.refine is None else self.refine(seen, meaning)


@dataclass(frozen=True)
class Family:
    """Several rules that are written apart, in one line: the names of a framework."""

    name: str
    find: Callable[[Seen], Meaning | None]

    def may_apply(self, *_: object) -> bool:
        """Whether one of the rules may apply: each tells by itself."""
        return True

    def apply(self, seen: Seen) -> Meaning | None:
        """Meaning of a tensor, None if no rule of the family applies."""
        return self.find(seen)


def _in_turn(seen: Seen, meaning: Meaning) -> Meaning:
    """Give a fused projection its parts, which are a guess."""
    if not (seen.is_in(f"{FUSED_QKV}|to_qkv") and is_.is_thirds(seen)):
        return meaning
    parts = tuple((part, seen.shape[1]) for part in "qkv")
    return replace(meaning, rule=f"{meaning.rule}, q, k, v in turn", inferred=True, parts=parts)


# fmt: off
RULES: tuple[Rule | Family, ...] = (
    # No part of the model, or no weights of it.
    Rule("optimizer state", "optimizer", when=lambda s: s.is_within(OPTIMIZER)),
    Rule("factor of an adapter", "adapter", when=lambda s: s.is_within(ADAPTER)),
    Rule("part of a packed weight", "packed", leaf=PACKED, when=is_.is_in_module),
    Rule("zero points by name", "zero point", leaf=ZERO, when=is_.is_in_module),
    Rule("mask by its shape (1, 1, n, n)", "mask", when=is_.is_square_mask),
    Rule("mask by name", "mask", leaf=MASK),
    Rule("mask by its module", "mask", leaf=r"\d+", module=r"(\w+_)?masks"),
    # What the class of a layer says.
    Family("variable of a Keras layer", keras_variable),
    Rule("Embedding of Paddle", "embedding", OUT_IN, ndim=MATRIX, is_stated=True,
         when=lambda s: is_.paddle_class(s) == "embedding"),
    Rule("Linear of Paddle", "weight", OUT_IN, ndim=MATRIX, is_stated=True,
         when=lambda s: is_.paddle_class(s) == "linear", refine=_in_turn),
    Rule("bilinear form", "unknown", leaf="weight", is_stated=True,
         when=lambda s: is_.paddle_class(s) == "bilinear"),
    Rule("norm of Paddle", "norm", leaf="weight|scale", is_stated=True,
         when=lambda s: is_.paddle_class(s).rstrip("123d").endswith("norm")),
    Rule("Conv of Paddle", "weight", CONV, ndim=SEVERAL, is_stated=True,
         when=lambda s: is_.paddle_class(s) in ("conv1d", "conv2d", "conv3d"),
         refine=lambda s, m: is_.one_group_each(s, m) if is_depthwise(s) else m),
    Rule("transposed Conv of Paddle", "weight", TRANSPOSED, ndim=SEVERAL, is_stated=True,
         when=lambda s: is_.paddle_class(s).endswith("_transpose"),
         refine=is_.in_groups_by_bias),
    # By names.
    Rule("running statistics", "buffer", leaf=RUNNING),
    Rule("relative positions of T5 (buckets, heads)", "embedding", OUT_IN, "weight",
         "relative_attention_bias", MATRIX),
    Rule("table of positions by name", "position", leaf=POSITION, when=is_.is_in_module),
    Rule("table of positions by its module", "position",
         leaf="embedding|cached?|table", module=POSITION),
    Rule("table of positions by name", "position", leaf=ROTATIONS),
    Rule("bias by name", "bias", leaf=BIAS),
    Rule("bias by name", "bias", leaf="b", framework="jax"),
    Rule("norm by name", "norm", module=NORM, when=is_.is_norm),
    Rule("norm by its bias", "norm", leaf="weight",
         when=lambda s: s.ndim > 1 and s.beside("bias") == s.shape),
    Rule("gamma of a norm", "norm", leaf="gamma", when=is_.has_beta),
    Rule("length of a norm: a weight of one axis", "norm", leaf="weight", ndim=(1,)),
    Rule("scale of a norm (Flax)", "norm", leaf="scale|offset", ndim=(0, 1, 2),
         when=lambda s: s.beside("weight") is None),
    Rule("scale by name", "scale", leaf=SCALE, when=is_.is_in_module),
    Rule("scalar or vector", "buffer", when=is_.is_vector),
    Rule("token by name", "buffer", leaf=CLASS_AND_MASK,
         when=lambda s: is_.is_in_module(s) or s.ndim > 2),
    Rule("state or constant by name", "buffer", leaf=STATE, when=is_.is_in_module),
    Rule("position parameter of several axes", "position", leaf=EMBEDDING, ndim=SEVERAL),
    Rule("more than 5 axes", "unknown", ndim=tuple(range(6, 33))),
    Rule("parameter for each item of a batch", "buffer", ndim=SEVERAL,
         when=lambda s: s.shape[0] == 1 and not s.has_leaf(is_.WEIGHT_LEAF)
         and not s.is_within(is_.CONV)),
    # The orders of other frameworks.
    Rule("recurrent weights of MATLAB", "recurrent", OUT_IN, "(input|recurrent)weights",
         ndim=MATRIX, framework="matlab",
         refine=lambda s, m: replace(m, parts=is_.matlab_gates(s))),
    Rule("matrix of MATLAB (out, in)", "weight", OUT_IN, ndim=MATRIX, framework="matlab",
         when=lambda s: 1 not in s.shape),
    Rule("vector of MATLAB", "buffer", ndim=MATRIX, framework="matlab"),
    Rule("array of MATLAB (k, in, out)", "weight", ("k1", *IN_OUT), ndim=(3,), framework="matlab"),
    Rule("array of MATLAB (k, in, out)", "weight", ("k1", "k2", *IN_OUT), ndim=(4,),
         framework="matlab"),
    Rule("array of MATLAB (k, in, out)", "weight", (*SPATIAL, *IN_OUT), ndim=(5,),
         framework="matlab"),
    Rule("stacked experts", "weight", STACK_OUT_IN, "weight", r"\w+_exps", THREE, "gguf"),
    Rule("one matrix for each head", "weight", STACK_OUT_IN, "weight", r"attn_\w+", THREE, "gguf"),
    Rule("parameter that is not a weight", "buffer", ndim=MATRIX, framework="gguf",
         when=lambda s: s.components[0] == "blk" and not s.has_leaf("weight")),
    Rule("depthwise convolution by name", "weight", ("out", "k1"), "weight",
         r"ssm_conv1d\w*", MATRIX, "gguf", refine=is_.as_depthwise_rows),
    Rule("fused qkv, sizes by the metadata", "weight", OUT_IN, "weight", "attn_qkv", MATRIX,
         "gguf", refine=lambda s, m: replace(m, parts=is_.gguf_projections(s))),
    Rule("embedding by name", "embedding", OUT_IN, "embeddings?", ndim=MATRIX, framework="jax"),
    Rule("kernel of Flax or Haiku", "weight", when=is_kernel, refine=lambda s, _: kernel(s)),
    # Recurrent weights and embeddings.
    Rule("LSTM, gates i, f, g, o", "recurrent", OUT_IN, RECURRENT, ndim=MATRIX,
         when=lambda s: is_.has_gates(4, s), parts=("i", "f", "g", "o")),
    Rule("GRU, gates r, z, n", "recurrent", OUT_IN, RECURRENT, ndim=MATRIX,
         when=lambda s: is_.has_gates(3, s), parts=("r", "z", "n")),
    Rule("recurrent by name", "recurrent", OUT_IN, RECURRENT, ndim=MATRIX),
    Rule("recurrent by its biases", "recurrent", OUT_IN, "w_(ih|hh)", ndim=MATRIX,
         when=lambda s: s.beside("b_ih") is not None or s.beside("b_hh") is not None),
    Rule("embedding by its packed name", "embedding", OUT_IN, "_packed_weight", ndim=MATRIX),
    Rule("output layer by name", "weight", OUT_IN, "weight", "embed_out", MATRIX),
    Rule("embedding by name", "embedding", OUT_IN, "weight", EMBEDDING, MATRIX,
         when=lambda s: s.beside("bias") is None),
    Rule("embedding of a list by name", "embedding", OUT_IN, "weight", r"\d+", MATRIX,
         when=is_.is_in_list_of(EMBEDDING)),
    Rule("embedding by name", "embedding", OUT_IN, EMBEDDING, ndim=MATRIX),
    # Fused and turned projections.
    Rule("GPT-2 Conv1D (in, out), q, k, v in turn", "weight", IN_OUT, "weight", "c_attn", MATRIX,
         when=lambda s: is_.is_gpt2_conv1d(s) and s.shape[1] == 3 * s.shape[0],
         parts=("q", "k", "v")),
    Rule("GPT-2 Conv1D (in, out), k, v in turn", "weight", IN_OUT, "weight", "c_attn", MATRIX,
         when=lambda s: is_.is_gpt2_conv1d(s) and s.shape[1] == 2 * s.shape[0], parts=("k", "v")),
    Rule("GPT-2 Conv1D (in, out)", "weight", IN_OUT, "weight", GPT2_MODULES, MATRIX,
         when=is_.is_gpt2_conv1d),
    Rule("MultiheadAttention, q, k, v in turn", "weight", OUT_IN, "in_proj_weight", ndim=MATRIX,
         when=is_.is_thirds, parts=("q", "k", "v")),
    Rule("projection (in, out) of Gemma", "weight", IN_OUT, "mm_input_projection_weight",
         ndim=MATRIX),
    Rule(INTERLEAVED, "weight", OUT_IN, module="query_key_value", ndim=MATRIX),
    Rule(INTERLEAVED, "weight", OUT_IN, module="qkv_proj|c_attn|wqkv",
         ndim=MATRIX, when=is_.is_by_heads),
    Rule("fused qkv, sizes by the configuration", "weight", OUT_IN, module="qkv_proj|wqkv",
         ndim=MATRIX, when=lambda s: is_.projections(s) != (),
         refine=lambda s, m: replace(m, parts=is_.projections(s))),
    Rule("fused qkv, q, k, v in turn", "weight", OUT_IN, module=f"{FUSED_QKV}|to_qkv",
         ndim=MATRIX, when=is_.is_in_turn, parts=("q", "k", "v")),
    Rule("fused qkv, q, k, v in turn", "weight", OUT_IN, module="to_qkv", ndim=MATRIX,
         parts=("q", "k", "v")),
    Rule("fused kv, k, v in turn", "weight", OUT_IN, module="to_kv", ndim=MATRIX,
         parts=("k", "v")),
    Rule("fused qkv of unknown sizes: left whole", "weight", OUT_IN, module=f"{FUSED_QKV}|to_qkv",
         ndim=MATRIX),
    Rule("fused gate and up", "weight", OUT_IN, module="gate_up_proj", ndim=MATRIX,
         parts=("gate", "up")),
    # Stacks of matrices.
    Rule("stacked experts (in, out), gate and up interleaved: left whole", "weight", STACK_IN_OUT,
         "gate_up_proj", ndim=THREE,
         when=lambda s: is_.is_in_out(s) and s.beside("gate_up_proj_bias") is not None),
    Rule("stacked experts (in, out), gate and up", "weight", STACK_IN_OUT, "gate_up_proj",
         ndim=THREE, when=is_.is_in_out, parts=("gate", "up")),
    Rule("stacked experts (in, out)", "weight", STACK_IN_OUT, "down_proj", ndim=THREE,
         when=is_.is_in_out),
    Rule("stacked experts, gate and up interleaved: left whole", "weight", STACK_OUT_IN,
         "gate_up_proj", ndim=THREE, when=lambda s: s.beside("gate_up_proj_bias") is not None),
    Rule("stacked experts, gate and up", "weight", STACK_OUT_IN, "gate_up_proj", ndim=THREE,
         parts=("gate", "up")),
    Rule("stacked experts, gate and up", "weight", STACK_OUT_IN, "weight", "input_linear", THREE,
         when=lambda s: is_.is_stack_of_experts(s) and is_.is_gate_and_up(s),
         parts=("gate", "up")),
    Rule("stacked experts", "weight", STACK_OUT_IN, ndim=THREE, when=is_.is_stack_of_experts),
    Rule("experts below each other", "weight", OUT_IN, "[wv]1", "mlp", MATRIX,
         when=lambda s: is_.experts_in_rows(s) > 0, refine=is_.in_experts),
    Rule("experts below each other (in, out)", "weight", IN_OUT, "w2", "mlp", MATRIX,
         when=lambda s: is_.experts_in_rows(s) > 0, refine=is_.in_experts),
    Rule("heads apart (in, heads, out)", "weight", ("in", "out", "out"), "[qkvr]", "rel_attn",
         THREE),
    Rule("heads apart (in, heads, out)", "weight", ("in", "out", "out"), "r_kernel", ndim=THREE),
    Rule("heads apart (out, heads, in)", "weight", ("out", "in", "in"), "o", "rel_attn", THREE),
    Rule("groups of a linear layer by the bias", "weight", STACK_IN_OUT, "weight", "dense", THREE,
         when=lambda s: s.beside("bias") == (s.shape[0] * s.shape[2],)),
    Rule("a matrix for each head", "weight", STACK_OUT_IN, "(x|dt)_proj_weight", ndim=THREE),
    Rule("a matrix for each head (in, out)", "weight", STACK_IN_OUT,
         "(input|recurrent)_gate_weight", ndim=THREE),
    Rule("a matrix for each relation (in, out)", "weight", STACK_IN_OUT, "weight", ndim=THREE,
         when=lambda s: s.beside("root") == s.shape[1:]),
    Rule("a matrix for each codebook (in, out)", "weight", STACK_IN_OUT, module="codebooks_head",
         ndim=THREE),
    Rule("a matrix for each codebook", "weight", STACK_OUT_IN, ndim=THREE,
         when=lambda s: s.is_within("depth_decoder")),
    # Convolutions, matrices, and what nothing tells.
    Rule("transposed convolution by its bias", "weight", TRANSPOSED, "weight", ndim=SEVERAL,
         when=is_.is_transposed_by_bias, refine=is_.in_groups),
    Rule("transposed convolution by name", "weight", TRANSPOSED, "weight", ndim=SEVERAL,
         when=is_.is_transposed_by_name, refine=is_.in_groups),
    Rule("depthwise convolution by name", "weight", CONV, ndim=SEVERAL, when=is_depthwise,
         refine=is_.one_group_each),
    Rule("2 axes (in, out) by the bias", "weight", IN_OUT, "weight", ndim=MATRIX,
         when=is_.is_in_out_by_bias),
    Rule("2 axes (out, in)", "weight", OUT_IN, ndim=MATRIX),
    Rule("convolution (out, in, k)", "weight", CONV, ndim=SEVERAL, when=is_.is_convolution),
    Rule("3 axes: nothing tells a convolution from a stack of matrices", "unknown", ndim=THREE),
    Rule("several axes: nothing tells what they are", "unknown"),
)
"""From top to bottom; the first that gives an answer decides. Spec: FMT-15."""
# fmt: on


def first_meaning(seen: Seen) -> Meaning:
    """Answer of the first rule that gives one.

    Spec: FMT-15.
    """
    rules = _candidates(seen.leaf, seen.module, seen.ndim, seen.model.framework)
    return next(found for rule in rules if (found := rule.apply(seen)) is not None)


@lru_cache(maxsize=4096)
def _candidates(leaf: str, module: str, ndim: int, framework: str) -> tuple[Rule | Family, ...]:
    """Rules that may apply: a model has many tensors, and few names at their ends."""
    return tuple(rule for rule in RULES if rule.may_apply(leaf, module, ndim, framework))
