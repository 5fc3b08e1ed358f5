"""Canonical axes [stack..., out, in, k1...kd], and how to get there from the stored ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import prod

MATRIX_KINDS = ("linear", "conv", "embedding", "recurrent")
PLAIN_KINDS = ("bias", "norm", "other")
KINDS = MATRIX_KINDS + PLAIN_KINDS

MAX_STACK = 2
MAX_SPATIAL = 3

_STACKS = tuple(("stack",) * count for count in range(MAX_STACK + 1))
_SPATIAL = tuple(f"k{number + 1}" for number in range(MAX_SPATIAL))
_MATRIX_AXES = tuple((*stack, "out", "in") for stack in _STACKS)
_CONV_AXES = tuple(
    (*stack, "out", "in", *_SPATIAL[:count])
    for stack in _STACKS
    for count in range(1, MAX_SPATIAL + 1)
)

CANONICAL_AXES = {
    kind: _CONV_AXES if kind == "conv" else _MATRIX_AXES if kind in MATRIX_KINDS else ((),)
    for kind in KINDS
}
"""The lists of axes that a tensor of each kind may have in a weight file. Spec: FMT-3."""

_RANK = {"stack": 0, "out": 1, "in": 2} | {name: 3 + at for at, name in enumerate(_SPATIAL)}


@dataclass(frozen=True)
class Layout:
    """Canonical view of a stored tensor: transpose by `order`, then reshape to `shape`.

    Parameters
    ----------
    axes : canonical names, as long as `shape`; empty if the tensor is not a matrix.
    shape : canonical shape.
    order : the stored axes in canonical order.
    is_merged : whether the reshape does more than nothing.
    """

    axes: tuple[str, ...]
    shape: tuple[int, ...]
    order: tuple[int, ...]
    is_merged: bool = False


def plain_layout(shape: tuple[int, ...]) -> Layout:
    """Layout of a tensor without named axes: as stored.

    >>> plain_layout((3,)).order
    (0,)
    """
    return Layout((), shape, tuple(range(len(shape))))


def matrix_layout(kind: str, axes: tuple[str, ...], shape: tuple[int, ...]) -> Layout:
    """Layout of a tensor whose stored axes have names.

    Several stored axes named "out" (or "in") are one canonical axis, the first varying slowest.
    A conv without "in" has one input channel in each group (a depthwise kernel).

    Parameters
    ----------
    kind : one of `MATRIX_KINDS`.
    axes : names of the stored axes, in stored order.
    shape : stored shape.

    Raises
    ------
    ValueError
        If the names do not fit the kind or the shape.

    Spec: FMT-3, FMT-16.

    >>> matrix_layout("conv", ("k1", "k2", "in", "out"), (3, 5, 8, 16)).shape
    (16, 8, 3, 5)
    >>> matrix_layout("conv", ("k1", "k2", "out", "out"), (3, 3, 8, 2)).shape
    (16, 1, 3, 3)
    """
    unknown = [name for name in axes if name not in _RANK]
    if unknown:
        raise ValueError(f"there is no axis {unknown[0]!r}; the axes are {', '.join(_RANK)}")
    if len(axes) != len(shape):
        raise ValueError(f"{len(axes)} axes are named but the shape {shape} has {len(shape)}")
    order = sorted(range(len(axes)), key=lambda at: _RANK[axes[at]])
    names: list[str] = []
    sizes: list[int] = []
    for name, group in groupby(order, key=lambda at: axes[at]):
        lengths = [shape[at] for at in group]
        if name in ("out", "in"):
            lengths = [prod(lengths)]
        names += [name] * len(lengths)
        sizes += lengths
    if kind == "conv" and "in" not in names and "out" in names:
        at = names.index("out") + 1
        names.insert(at, "in")
        sizes.insert(at, 1)
    if tuple(names) not in CANONICAL_AXES[kind]:
        raise ValueError(f"a tensor of kind {kind!r} cannot have the axes {list(axes)}")
    is_merged = sizes != [shape[at] for at in order]
    return Layout(tuple(names), tuple(sizes), tuple(order), is_merged)


def default_axes(kind: str, ndim: int) -> tuple[str, ...] | None:
    """Canonical axes of a tensor of `ndim` axes without a stack, or else with the fewest.

    >>> default_axes("linear", 2), default_axes("conv", 3), default_axes("linear", 5)
    (('out', 'in'), ('out', 'in', 'k1'), None)
    """
    return next((axes for axes in CANONICAL_AXES[kind] if len(axes) == ndim), None)
