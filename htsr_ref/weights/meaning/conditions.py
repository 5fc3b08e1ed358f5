"""What the rules ask of a tensor: its name, its shape, its neighbors and the model's facts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.meaning.axes import SPATIAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from htsr_ref.weights.meaning.found import Meaning, Parts
    from htsr_ref.weights.meaning.model import Seen, Shape

CONV = r"(\w+_)?conv(\w*)|(\w+_)?(deconv|convt)\w*"
TRANSPOSED_CONV = r"(\w+_)?(conv(\dd)?_?trans(posed?)?|deconv(olution)?s?|convt)(_?\dd)?\d*(_\w+)?"
WEIGHT_LEAF = r"(\w+_)?(weights?|kernels?|filters?)(_\w+)?|w\d*"
EXPERTS = r"(\w+_)?experts?"
EXPERT_COUNTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
"""Keys of config.json that count the experts."""
_ROUTERS = (
    "router/layer/weight",
    "router/weight",
    "router/classifier/weight",
    "gate/weight",
    "gate/wg/weight",
    "router",
)
_LARGEST_SIDE = 31
"""Longest side of a kernel by its shape alone; published convolutions reach it."""


_SMALLEST_EXPERT = 8
"""Shortest side of an expert that only a router tells from the kernel of a convolution."""


def has_gates(count: int, seen: Seen) -> bool:
    """Whether the hidden weight has `count` rows for each unit."""
    hidden = seen.beside(seen.leaf.replace("_ih", "_hh").replace("_hr", "_hh"))
    projection = seen.beside(seen.leaf.replace("_ih", "_hr").replace("_hh", "_hr"))
    if hidden is None or len(hidden) != 2:
        return False
    units = hidden[1] if projection is None else projection[-1]
    return hidden[0] == seen.shape[0] == count * units


def is_thirds(seen: Seen) -> bool:
    """Whether it has three rows for each column."""
    return seen.shape[0] == 3 * seen.shape[1]


def is_by_heads(seen: Seen) -> bool:
    """Whether a fused projection has q, k and v of each head, or group of heads, together.

    CodeGen and MOSS have fc_in beside their qkv_proj, MiniMax has an output_gate. InternLM's wqkv
    is in a module `attention`; others' Wqkv are in turn.
    """
    if seen.module == "qkv_proj":
        is_codegen = seen.around("mlp/fc_in/weight", 2) is not None
        return is_codegen or seen.around("output_gate/weight") is not None
    if seen.module == "wqkv":
        return seen.components[-3:-2] == ("attention",)
    return seen.model.config.get("model_type") == "gpt_bigcode"


def is_gpt2_conv1d(seen: Seen) -> bool:
    """Whether it is a Conv1D of GPT-2, in a model that has them, and its bias agrees."""
    return seen.model.has_gpt2_conv1d and seen.beside("bias") in (None, seen.shape[1:])


def is_in_out_by_bias(seen: Seen) -> bool:
    """Whether the bias has the length of the last of two axes and not of the first."""
    return seen.beside("bias") == seen.shape[1:] != seen.shape[:1]


def is_norm(seen: Seen) -> bool:
    """Whether the bias, if any, has the weight's shape: a linear layer's has one axis."""
    return seen.ndim < 2 or seen.beside("bias") in (None, seen.shape)


def is_in_module(seen: Seen) -> bool:
    """Whether its name is that of a module's parameter; other names are a user's own."""
    return len(seen.components) > 1 or seen.ndim < 2 or "_" in seen.leaf


def is_vector(seen: Seen) -> bool:
    """Whether it has at most one axis that is longer than 1 and is not a matrix's weight."""
    if seen.ndim > 2 and seen.has_leaf(WEIGHT_LEAF) and seen.is_within(CONV):
        return False
    return seen.ndim < 2 or (seen.ndim > 2 and sum(size > 1 for size in seen.shape) < 2)


def has_beta(seen: Seen) -> bool:
    """Whether a gamma is a norm's: its name or a beta says so; others scale a whole layer."""
    return seen.beside("beta") is not None or seen.is_within(r"\w*norm\w*|(\w+_)?bn_?\d*")


def is_in_list_of(names: str) -> Callable[[Seen], bool]:
    """Make a test whether its module is an item of a list of such a name, without a bias."""

    def test(seen: Seen) -> bool:
        name = seen.components[-3] if len(seen.components) > 2 else ""
        is_named = replace(seen, components=(name,)).is_within(names)
        return is_named and seen.beside("bias") is None

    return test


def is_square_mask(seen: Seen) -> bool:
    """Whether it is (1, 1, n, n), or (n, n) of a type that no weight has.

    Where the kernel's sides are first, that is also the shape of a convolution of 1 x 1.
    """
    if seen.ndim < 2:
        return False
    *first, rows, columns = seen.shape
    is_mask_type = seen.dtype in ("bool", "uint8")
    is_kernel = seen.has_leaf(WEIGHT_LEAF) or (seen.module == "vars" and seen.leaf.isdecimal())
    is_by_shape = first == [1, 1] and (is_mask_type or not is_kernel)
    return rows == columns and (is_by_shape or (not first and is_mask_type))


def is_convolution(seen: Seen) -> bool:
    """Whether three to five axes are a convolution's: by name, bias or the kernel's sides."""
    if seen.is_within(CONV):
        return True
    is_short = max(seen.shape[2:]) <= _LARGEST_SIDE
    if seen.ndim > 3 and seen.has_leaf(WEIGHT_LEAF):
        return is_short or not seen.is_within(EXPERTS)
    if seen.has_leaf("weight") and seen.beside("bias") == seen.shape[:1]:
        return is_short  # a longer one is a bilinear form's
    return seen.ndim > 3 and is_short


def is_stack_of_experts(seen: Seen) -> bool:
    """Whether there is one matrix for each expert: name, router, configuration or repetition."""
    if seen.is_within(EXPERTS):
        return True
    if seen.beside("bias") == seen.shape[:1] or seen.is_within(CONV):
        return False
    count = seen.shape[0]
    for levels in (0, 1):
        for name in _ROUTERS:
            router = seen.around(name, levels)
            if router is not None and router[:1] == (count,) and _is_routed(seen, router):
                return True
    is_mixed = seen.is_within(r"(\w+_)?moe(_\w+)?|mlp|ffn|feed_forward")
    if is_mixed and count in seen.model.numbers(*EXPERT_COUNTS):
        return True
    return _is_repeated(seen)


def _is_routed(seen: Seen, router: Shape) -> bool:
    """Whether experts take or give what their router takes; a kernel's side is shorter."""
    sides = seen.shape[1:]
    return len(router) == 2 and router[1] in sides and min(sides) >= _SMALLEST_EXPERT


def _is_repeated(seen: Seen) -> bool:
    """Whether a tensor beside it, or in a module beside it, takes what its matrices give."""
    count, rows, columns = seen.shape
    if min(rows, columns) <= _LARGEST_SIDE:
        return False
    return any(
        seen.model.stacks_with(seen.parent, count, side) - {seen.shape} for side in (rows, columns)
    )


def experts_in_rows(seen: Seen) -> int:
    """Count the experts that lie below each other, (experts x inside, model), as DBRX has them."""
    router = seen.around("router/layer/weight", 2)
    if router is None or router[1:] != seen.shape[1:] or not router[0]:
        return 0
    return router[0] if seen.shape[0] % router[0] == 0 else 0


def in_experts(seen: Seen, meaning: Meaning) -> Meaning:
    """Cut the rows into those of each expert."""
    count = experts_in_rows(seen)
    view = (count, seen.shape[0] // count, seen.shape[1])
    return replace(meaning, view=view, axes=("stack", *meaning.axes))


def is_gate_and_up(seen: Seen) -> bool:
    """Whether the layer after it takes half of its outputs."""
    after = seen.around("output_linear/weight")
    return after is not None and len(after) == 3 and 2 * after[2] == seen.shape[1]


def projections(seen: Seen) -> Parts:
    """Parts q, k and v as a configuration states their sizes; none if none fits."""
    for config in seen.model.configs:
        parts = _projections(config)
        is_of_width = _number(config, seen.shape[1], *_WIDTHS) == seen.shape[1]
        if is_of_width and parts and sum(size for _, size in parts) == seen.shape[0]:
            return parts
    return ()


def is_in_turn(seen: Seen) -> bool:
    """Whether it has thirds, and no configuration of its width states other sizes."""
    if not is_thirds(seen):
        return False
    stated = (c for c in seen.model.configs if _number(c, 0, *_WIDTHS) == seen.shape[1])
    return projections(seen) != () or not any(map(_projections, stated))


_WIDTHS = ("hidden_size", "n_embd", "d_model")


def _number(config: Mapping[str, Any], default: int, *keys: str) -> int:
    found = (config.get(key) for key in keys)
    return next((value for value in found if type(value) is int and value > 0), default)


def _projections(config: Mapping[str, Any]) -> Parts:
    number = partial(_number, config)
    heads = number(0, "num_attention_heads", "n_head", "num_heads")
    if not heads:
        return ()
    size = number(number(0, *_WIDTHS) // heads, "head_dim")
    q, kv = heads * size, number(heads, "num_key_value_heads") * size
    return (("q", q), ("k", kv), ("v", kv)) if size else ()


def gguf_projections(seen: Seen) -> Parts:
    """Parts q, k and v as a GGUF file's metadata state their sizes; none if they do not fit."""
    config = seen.model.config

    def number(key: str, default: int) -> int:
        value = config.get(f"{config.get('general.architecture')}.{key}")
        return value if type(value) is int and value > 0 else default

    heads = number("attention.head_count", 1)
    kv_heads = number("attention.head_count_kv", heads)
    size = number("attention.key_length", number("embedding_length", 1) // heads)
    q, k = heads * size, kv_heads * size
    v = kv_heads * number("attention.value_length", size)
    return (("q", q), ("k", k), ("v", v)) if q + k + v == seen.shape[0] and k and v else ()


def is_in_out(seen: Seen) -> bool:
    """Whether gate_up_proj and down_proj of stacked experts are (in, out): their shapes tell."""
    up, down = (seen.beside(leaf) for leaf in ("gate_up_proj", "down_proj"))
    if up is None or down is None or len(up) != 3 or len(down) != 3:
        return False
    return up[1] == down[2] and up[2] == 2 * down[1]


def _groups_by_bias(seen: Seen) -> int | None:
    """Count the groups of a transposed convolution (in, out/groups, k...) by its bias (out,)."""
    bias = seen.beside("bias")
    if bias is None:
        return 1
    groups, rest = divmod(bias[0], seen.shape[1]) if len(bias) == 1 and seen.shape[1] else (0, 1)
    return groups if not rest and groups and seen.shape[0] % groups == 0 else None


def is_transposed_by_bias(seen: Seen) -> bool:
    """Whether the bias has another length than a plain convolution would give it."""
    bias = seen.beside("bias")
    return bias is not None and bias != seen.shape[:1] and _groups_by_bias(seen) is not None


def is_transposed_by_name(seen: Seen) -> bool:
    """Whether the name says so and the bias does not deny it.

    With a bias as long as the first axis a plain convolution is likelier than one with groups.
    """
    modules = replace(seen, components=seen.components[:-1][-2:])
    groups = _groups_by_bias(seen)
    is_plain = groups != 1 and seen.beside("bias") == seen.shape[:1]
    return modules.is_within(TRANSPOSED_CONV) and groups is not None and not is_plain


def in_groups(seen: Seen, meaning: Meaning) -> Meaning:
    """Cut the input channels of a transposed convolution into its groups."""
    groups = _groups_by_bias(seen) or 1
    if groups == 1:
        return meaning
    view = (groups, seen.shape[0] // groups, *seen.shape[1:])
    axes = ("out", "in", "out", *SPATIAL[: seen.ndim - 2])
    return replace(meaning, view=view, axes=axes, groups=groups)


def in_groups_by_bias(seen: Seen, meaning: Meaning) -> Meaning:
    """Cut as `in_groups` does; without a bias the groups are not known."""
    if seen.beside("bias") is None:
        return replace(meaning, rule=f"{meaning.rule}, taken for one group", inferred=True)
    return in_groups(seen, meaning)


def one_group_each(seen: Seen, meaning: Meaning) -> Meaning:
    """Give each output channel a group of its own."""
    return replace(meaning, groups=max(seen.shape[0], 1))


def as_depthwise_rows(seen: Seen, meaning: Meaning) -> Meaning:
    """Take the rows of a matrix for the kernels of a depthwise convolution."""
    rows, _ = seen.shape
    return replace(meaning, axes=("out", "k1"), groups=max(rows, 1))


def matlab_gates(seen: Seen) -> Parts:
    """Gates of a recurrent layer of MATLAB, by the shape of its recurrent weights."""
    units = (seen.beside("recurrentweights") or (1,))[-1]
    gates = {4: "ifgo", 3: "rzn"}.get(seen.shape[0] // max(units, 1), "")
    return tuple((gate, units) for gate in gates) if len(gates) * units == seen.shape[0] else ()


def paddle_class(seen: Seen) -> str:
    """Class of a layer of Paddle; "" if the file does not state it."""
    return seen.facts.layer_class or "" if seen.model.framework == "paddle" else ""
