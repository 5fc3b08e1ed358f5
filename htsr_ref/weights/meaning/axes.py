"""Canonical axes [stack..., out, in, k1...kd], and how to get there from the stored ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import prod

MAX_STACK = 2
MAX_SPATIAL = 3

SPATIAL = tuple(f"k{number + 1}" for number in range(MAX_SPATIAL))
CANONICAL_AXES = frozenset(
    (*("stack",) * stacks, "out", "in", *SPATIAL[:sides])
    for stacks in range(MAX_STACK + 1)
    for sides in range(MAX_SPATIAL + 1)
)
"""The lists of axes that a weight matrix may have. Spec: FMT-3."""

_RANK = {"stack": 0, "out": 1, "in": 2} | {name: 3 + at for at, name in enumerate(SPATIAL)}


@dataclass(frozen=True, slots=True)
class Layout:
    """Canonical view of a stored tensor: cut it by `view`, transpose by `order`, merge to `shape`.

    Parameters
    ----------
    axes : canonical names, as long as `shape`; empty if the tensor is not a matrix.
    shape : canonical shape.
    order : the axes of the view in canonical order.
    stored : the stored shape.
    view : shape that cuts stored axes into several; None for the stored shape.
    is_merged : whether several axes become one, or one becomes several.
    """

    axes: tuple[str, ...]
    shape: tuple[int, ...]
    order: tuple[int, ...]
    stored: tuple[int, ...]
    view: tuple[int, ...] | None = None
    is_merged: bool = False


def plain_layout(shape: tuple[int, ...]) -> Layout:
    """Layout of a tensor without named axes: as stored.

    >>> plain_layout((3,)).order
    (0,)
    """
    return Layout((), shape, tuple(range(len(shape))), shape)


def matrix_layout(
    axes: tuple[str, ...], shape: tuple[int, ...], view: tuple[int, ...] | None = None
) -> Layout:
    """Layout of a weight matrix whose stored axes have names.

    Several axes named "out" (or "in") are one canonical axis, the first varying slowest. A
    convolution without "in" has one input channel in each group (a depthwise kernel).

    Parameters
    ----------
    axes : names of the axes of `view`, in its order.
    shape : stored shape.
    view : the shape that cuts stored axes into several; the stored shape if None.

    Raises
    ------
    ValueError
        If the names do not fit the shape, or each other.

    Spec: FMT-3, FMT-16.

    >>> matrix_layout(("k1", "k2", "in", "out"), (3, 5, 8, 16)).shape
    (16, 8, 3, 5)
    >>> matrix_layout(("k1", "k2", "out", "out"), (3, 3, 8, 2)).shape
    (16, 1, 3, 3)
    >>> matrix_layout(("out", "in", "out", "k1"), (8, 3, 5), view=(2, 4, 3, 5)).shape
    (6, 4, 5)
    """
    viewed = shape if view is None else view
    if prod(viewed) != prod(shape):
        raise ValueError(f"the shape {shape} is not cut by {viewed}")
    unknown = [name for name in axes if name not in _RANK]
    if unknown:
        raise ValueError(f"there is no axis {unknown[0]!r}; the axes are {', '.join(_RANK)}")
    if len(axes) != len(viewed):
        raise ValueError(f"{len(axes)} axes are named but the shape {viewed} has {len(viewed)}")
    order = sorted(range(len(axes)), key=lambda at: _RANK[axes[at]])
    names: list[str] = []
    sizes: list[int] = []
    for name, group in groupby(order, key=lambda at: axes[at]):
        lengths = [viewed[at] for at in group]
        if name in ("out", "in"):
            lengths = [prod(lengths)]
        names += [name] * len(lengths)
        sizes += lengths
    if "k1" in names and "in" not in names and "out" in names:
        at = names.index("out") + 1
        names.insert(at, "in")
        sizes.insert(at, 1)
    if tuple(names) not in CANONICAL_AXES:
        raise ValueError(f"a weight matrix cannot have the axes {list(axes)}")
    is_merged = view is not None or sizes != [viewed[at] for at in order]
    return Layout(tuple(names), tuple(sizes), tuple(order), shape, view, is_merged)


def default_axes(ndim: int) -> tuple[str, ...] | None:
    """Axes of a weight of `ndim` axes without names; None if several readings are possible.

    Three axes may be a convolution or a stack of matrices.

    >>> default_axes(2), default_axes(4), default_axes(3)
    (('out', 'in'), ('out', 'in', 'k1', 'k2'), None)
    """
    return ("out", "in", *SPATIAL[: ndim - 2]) if ndim in (2, 4, 5) else None
