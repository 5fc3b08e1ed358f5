"""From the axes of a framework to the canonical ones, [stack..., out, in, k1...kd]."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

MATRIX_KINDS = ("linear", "conv", "embedding", "recurrent")
MAX_STACK, MAX_SPATIAL = 2, 3
SPATIAL = tuple(f"k{number + 1}" for number in range(MAX_SPATIAL))
_RANK = {"stack": 0, "out": 1, "in": 2} | {name: 3 + at for at, name in enumerate(SPATIAL)}


@dataclass(frozen=True)
class Meaning:
    """What a tensor is, in the terms of the weight format.

    Parameters
    ----------
    kind : linear, conv, embedding, recurrent, bias, norm or other; "refused" for a tensor that
        cannot be exported, with the reason as `rule`.
    rule : why, in a few words; reported to the user.
    axes : what each axis of the array is, in the source's order: "stack", "out", "in", "k1", ...
        Several named "out" (or "in") become one, the first varying slowest. A conv without "in"
        has one input channel in each group. Empty for bias, norm and other.
    inferred : whether this is a guess from names and shapes, not stated by the source.
    view : shape that the array is given before `axes` apply, to cut an axis into several.
    layer : the layer's name, where it is not the tensor's without ".weight" or the like.
    groups : groups of a convolution.
    parts : name and size of the sections of the canonical axis "out".
    quantization : {"scale", "zero_point", "axis"} as the weight format has it; `axis` counts
        canonical axes.
    """

    kind: str
    rule: str
    axes: tuple[str, ...] = ()
    inferred: bool = False
    view: tuple[int, ...] | None = None
    layer: str | None = None
    groups: int = 1
    parts: tuple[tuple[str, int], ...] = ()
    quantization: Mapping[str, Any] | None = None

    def scale_tensors(self) -> Iterator[str]:
        """Names of the tensors that hold scales and zero points."""
        for value in (self.quantization or {}).values():
            if isinstance(value, Mapping):
                yield value["tensor"]


def canonical_axes(
    shape: tuple[int, ...], meaning: Meaning
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names and lengths of a tensor's canonical axes.

    Raises
    ------
    ValueError
        If the axes do not fit the shape or the kind.

    >>> kernel = Meaning("conv", "kernel", ("k1", "k2", "in", "out"))
    >>> canonical_axes((3, 5, 8, 16), kernel)
    (('out', 'in', 'k1', 'k2'), (16, 8, 3, 5))
    """
    if meaning.kind not in MATRIX_KINDS:
        return (), shape
    viewed = shape if meaning.view is None else meaning.view
    if prod(viewed) != prod(shape):
        raise ValueError(f"the shape {shape} does not become {viewed}")
    if len(meaning.axes) != len(viewed):
        raise ValueError(f"the axes {', '.join(meaning.axes)} do not fit the shape {viewed}")
    names: list[str] = []
    sizes: list[int] = []
    for name, group in groupby(_order(meaning.axes), key=lambda at: meaning.axes[at]):
        lengths = [viewed[at] for at in group]
        merged = [prod(lengths)] if name in ("out", "in") else lengths
        names += [name] * len(merged)
        sizes += merged
    if meaning.kind == "conv" and "in" not in names and "out" in names:
        at = names.index("out") + 1
        names.insert(at, "in")
        sizes.insert(at, 1)
    stack = names.count("stack")
    spatial = len(names) - stack - 2
    in_order = ["stack"] * stack + ["out", "in", *SPATIAL[: max(spatial, 0)]]
    is_conv = meaning.kind == "conv"
    if names != in_order or stack > MAX_STACK or (spatial > 0) != is_conv:
        raise ValueError(f"a {meaning.kind} tensor cannot have the axes {', '.join(meaning.axes)}")
    _check_sections(sizes[stack], meaning)
    return tuple(names), tuple(sizes)


def layout(shape: tuple[int, ...], meaning: Meaning) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Tell how a tensor lies: with the same numbers and the same layout, two are stored once.

    >>> encoder = Meaning("conv", "", ("out", "in", "k1"))
    >>> decoder = Meaning("conv", "", ("in", "out", "k1"))
    >>> layout((8, 1, 3), encoder) == layout((8, 1, 3), decoder)
    False
    """
    return shape if meaning.view is None else meaning.view, meaning.axes


def to_canonical_order(array: NDArray[Any], meaning: Meaning) -> NDArray[Any]:
    """View of an array whose numbers, row by row, are those of the canonical tensor.

    Axes that become one are still apart.
    """
    if meaning.kind not in MATRIX_KINDS:
        return array
    if meaning.view is not None:
        array = array.reshape(meaning.view)
    return np.transpose(array, _order(meaning.axes))


def _order(axes: tuple[str, ...]) -> list[int]:
    unknown = [name for name in axes if name not in _RANK]
    if unknown:
        raise ValueError(f"there is no axis {unknown[0]!r}")
    return sorted(range(len(axes)), key=lambda at: _RANK[axes[at]])


def _check_sections(out: int, meaning: Meaning) -> None:
    if meaning.parts and sum(size for _, size in meaning.parts) != out:
        raise ValueError(f"its parts {meaning.parts} do not sum to the {out} outputs")
    if meaning.groups < 1 or out % meaning.groups or (meaning.groups > 1 and meaning.parts):
        raise ValueError(f"its {out} outputs are not cut by {meaning.groups} groups")
