"""What the rules ask of a tensor: its name, its shape, its neighbours and the model's facts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from _layout import SPATIAL, Meaning

Shape = tuple[int, ...]

TRANSPOSED_CONV = r"(\w+_)?(conv_?trans(pose)?|deconv|convt)(\w+)?"


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
    def has_gpt2_conv1d(self) -> bool:
        """Whether a c_attn weight is (n, 3n): Conv1D modules rather than linear ones."""
        return any(
            name.endswith("c_attn.weight") and len(shape) == 2 and shape[1] == 3 * shape[0]
            for name, shape in self.shapes.items()
        )


@dataclass(frozen=True)
class Seen:
    """A tensor as the rules see it.

    Parameters
    ----------
    components : of its name, between dots and slashes.
    stem : its name without the last component, with the dot.
    """

    components: tuple[str, ...]
    stem: str
    shape: Shape
    dtype: str
    model: Model

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
        return self.model.shapes.get(self.stem + leaf)

    def is_within(self, pattern: str) -> bool:
        """Whether a component of the name has the pattern."""
        return any(re.fullmatch(pattern, part, re.IGNORECASE) for part in self.components)


def is_whole(seen: Seen) -> bool:
    """Whether it holds integers or bools."""
    return "int" in seen.dtype or seen.dtype == "bool"


def is_scale(seen: Seen) -> bool:
    """Whether it belongs to a quantised weight beside it."""
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
    """Whether the name says so and the bias does not deny it."""
    return seen.is_within(TRANSPOSED_CONV) and _groups_by_bias(seen) is not None


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
