"""What the rules ask of a tensor: its name, its shape, its neighbors and the model's facts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from _layout import SPATIAL, Meaning

Shape = tuple[int, ...]

TRANSPOSED_CONV = r"(\w+_)?(conv(\dd)?_?trans(posed?)?|deconv(olution)?s?|convt)(_?\dd)?\d*(_\w+)?"
NOT_OF_WEIGHTS = ("input", "output", "act", "q_", "k_", "v_")
"""How the names of scales begin that are those of inputs, outputs or a cache."""
EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
"""Keys of config.json that count the experts."""


@dataclass(frozen=True)
class Model:
    """What the rules know of the model as a whole.

    Parameters
    ----------
    shapes : of all tensors.
    config : what the model's config.json states.
    """

    shapes: Mapping[str, Shape]
    config: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def known(self) -> Mapping[str, Shape]:
        """Shapes by the names that tensors have without a parametrization."""
        plain = {unparametrized(name): shape for name, shape in self.shapes.items()}
        return plain | dict(self.shapes)

    @cached_property
    def scales(self) -> frozenset[str]:
        """Modules, each with its dot, that hold a tensor which is named a weight's scale."""
        leaves = ((name, re.split("[./]", name)[-1]) for name in self.shapes)
        return frozenset(
            name[: len(name) - len(leaf)]
            for name, leaf in leaves
            if "scale" in leaf.lower() and not leaf.lower().startswith(NOT_OF_WEIGHTS)
        )

    @cached_property
    def has_gpt2_conv1d(self) -> bool:
        """Whether a c_attn weight is (n, 3n): Conv1D modules rather than linear ones."""
        return any(
            name.endswith("c_attn.weight") and len(shape) == 2 and shape[1] == 3 * shape[0]
            for name, shape in self.shapes.items()
        )


MAX_PART = 256
"""Characters of a name's component that are compared with patterns, which can take their square."""


@dataclass(frozen=True)
class Seen:
    """A tensor as the rules see it.

    Parameters
    ----------
    components : of its name, between dots and slashes; only the beginnings of long ones.
    stem : its name without the last component, with the dot.
    """

    components: tuple[str, ...]
    stem: str
    shape: Shape
    dtype: str
    model: Model

    @classmethod
    def of(cls, name: str, shape: Shape, dtype: str, model: Model) -> Self:
        """Take a tensor's name apart."""
        components = [part for part in re.split("[./]", name) if part] or [name]
        stem = name[: len(name) - len(components[-1])]
        return cls(tuple(part[:MAX_PART] for part in components), stem, shape, dtype, model)

    @property
    def leaf(self) -> str:
        """Last component."""
        return self.components[-1]

    @property
    def module(self) -> str:
        """The component before the leaf; the leaf if it stands alone."""
        return self.components[-2] if len(self.components) > 1 else self.leaf

    def beside(self, leaf: str) -> Shape | None:
        """Shape of a tensor of the same module; None if there is none."""
        return self.model.known.get(self.stem + leaf)

    def around(self, name: str, levels: int = 1) -> Shape | None:
        """Shape of a tensor so many modules further up; None if there is none."""
        above = self.stem
        for _ in range(levels):
            above = above[: max(above.rfind(".", 0, -1), above.rfind("/", 0, -1)) + 1]
        return self.model.known.get(above + name)

    def is_within(self, pattern: str) -> bool:
        """Whether a component of the name has the pattern."""
        return any(re.fullmatch(pattern, part, re.IGNORECASE) for part in self.components)


def unparametrized(name: str) -> str:
    """Name that a tensor has without PyTorch's parametrization, spectral norm or pruning.

    >>> unparametrized("up.parametrizations.weight.original"), unparametrized("up.weight_orig")
    ('up.weight', 'up.weight')
    """
    plain = re.sub(r"\bparametrizations\.(\w+)\.original$", r"\1", name)
    return re.sub(r"(?<=\w)_orig$", "", plain)


def is_whole(seen: Seen) -> bool:
    """Whether it holds integers or bools."""
    return "int" in seen.dtype or seen.dtype == "bool"


def is_scale(seen: Seen) -> bool:
    """Whether it belongs to a quantized weight beside it."""
    weight = re.sub("_(scale|scale_inv|zero_point)$", "", seen.leaf)
    is_of_packed = seen.leaf in ("scales", "g_idx") and seen.beside("qweight") is not None
    return is_of_packed or (weight != seen.leaf and seen.beside(weight) is not None)


def has_gates(count: int) -> Callable[[Seen], bool]:
    """Make a test whether the hidden weight has `count` rows for each unit."""

    def test(seen: Seen) -> bool:
        hidden = seen.beside(re.sub("_(ih|hr)", "_hh", seen.leaf))
        projection = seen.beside(re.sub("_(ih|hh)", "_hr", seen.leaf))
        if hidden is None or len(hidden) != 2:
            return False
        units = hidden[1] if projection is None else projection[-1]
        return hidden[0] == seen.shape[0] == count * units

    return test


def is_thirds(seen: Seen) -> bool:
    """Whether it has three rows for each column."""
    return seen.shape[0] == 3 * seen.shape[1]


def is_by_heads(seen: Seen) -> bool:
    """Whether a fused projection has q, k and v of each head, or group of heads, together.

    CodeGen and MOSS have fc_in beside their qkv_proj, MiniMax has an output_gate.
    """
    if seen.module.lower() == "qkv_proj":
        is_codegen = seen.around("mlp.fc_in.weight", 2) is not None
        return is_codegen or seen.around("output_gate.weight") is not None
    return seen.model.config.get("model_type") == "gpt_bigcode"


def is_gpt2_conv1d(seen: Seen) -> bool:
    """Whether it is a Conv1D of GPT-2, in a model that has them, and its bias agrees."""
    return seen.model.has_gpt2_conv1d and seen.beside("bias") in (None, seen.shape[1:])


def is_in_out_by_bias(seen: Seen) -> bool:
    """Whether the bias has the length of the last of two axes and not of the first."""
    return seen.beside("bias") == seen.shape[1:] != seen.shape[:1]


def is_norm(seen: Seen) -> bool:
    """Whether the bias, if any, has the weight's shape: a linear layer's has one axis."""
    return len(seen.shape) < 2 or seen.beside("bias") in (None, seen.shape)


def is_stack_of_experts(seen: Seen) -> bool:
    """Whether there is one matrix for each expert: name, router or configuration tell."""
    if seen.is_within(r"(\w+_)?experts?"):
        return True
    if seen.beside("bias") == seen.shape[:1]:
        return False
    routers = [seen.around(name) for name in ("router.layer.weight", "router.weight")]
    has_router = any((seen.shape[0], size) in routers for size in seen.shape[1:])
    counts = [seen.model.config.get(key) for key in EXPERTS]
    is_mixed = seen.is_within(r"(\w+_)?moe(_\w+)?|mlp|ffn|feed_forward")
    return has_router or (is_mixed and seen.shape[0] in counts)


def are_experts_in_rows(seen: Seen) -> bool:
    """Whether the experts lie below each other, (experts x inside, model), as DBRX has them."""
    router = seen.around("router.layer.weight", 2)
    return (
        router is not None
        and router[1:] == seen.shape[1:]
        and router[0] > 0
        and seen.shape[0] % router[0] == 0
    )


def in_experts(seen: Seen, meaning: Meaning) -> Meaning:
    """Cut the rows into those of each expert."""
    count = (seen.around("router.layer.weight", 2) or (1,))[0]
    view = (count, seen.shape[0] // count, seen.shape[1])
    return replace(meaning, view=view, axes=("stack", *meaning.axes))


def is_gate_and_up(seen: Seen) -> bool:
    """Whether the layer after it takes half of its outputs."""
    after = seen.around("output_linear.weight")
    return after is not None and len(after) == 3 and 2 * after[2] == seen.shape[1]


def projections(seen: Seen) -> tuple[tuple[str, int], ...] | None:
    """Parts q, k and v as the configuration states their sizes; None if it does not fit."""

    def number(key: str, default: int) -> int:
        value = seen.model.config.get(key)
        return value if isinstance(value, int) and value > 0 else default

    heads = number("num_attention_heads", 1)
    size = number("head_dim", number("hidden_size", 1) // heads)
    q, kv = heads * size, number("num_key_value_heads", heads) * size
    return (("q", q), ("k", kv), ("v", kv)) if q + 2 * kv == seen.shape[0] else None


def in_projections(seen: Seen, meaning: Meaning) -> Meaning:
    """Add the parts that the configuration states."""
    return replace(meaning, parts=projections(seen) or ())


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
    modules = seen.components[:-1][-2:]
    is_named = any(re.fullmatch(TRANSPOSED_CONV, part, re.IGNORECASE) for part in modules)
    groups = _groups_by_bias(seen)
    is_plain = groups != 1 and seen.beside("bias") == seen.shape[:1]
    return is_named and groups is not None and not is_plain


def in_groups(seen: Seen, meaning: Meaning) -> Meaning:
    """Cut the input channels of a transposed convolution into its groups."""
    groups = _groups_by_bias(seen) or 1
    if groups == 1:
        return meaning
    view = (groups, seen.shape[0] // groups, *seen.shape[1:])
    axes = ("out", "in", "out", *SPATIAL[: len(seen.shape) - 2])
    return replace(meaning, view=view, axes=axes, groups=groups)


def one_group_each(seen: Seen, meaning: Meaning) -> Meaning:
    """Give each output channel a group of its own."""
    return replace(meaning, groups=seen.shape[0])
