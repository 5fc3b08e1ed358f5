"""ONNX's operators that choose or order the numbers of one array and change none of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from protobuf.onnx_graph import Node

Shape = tuple[int, ...]
Numbers = NDArray[Any]
Step = Callable[[Numbers], Numbers]


@dataclass(frozen=True)
class Operation:
    """A node, the shape of its first input, and what its other inputs are known to hold.

    Parameters
    ----------
    known : integers of an input by its name, None if it is computed.
    """

    node: Node
    shape: Shape
    known: Callable[[str], list[int] | None]

    def integers(self, at: int, attribute: str) -> list[int] | None:
        """Integers that are an input in newer versions and an attribute in older ones.

        Raises
        ------
        ValueError
            If they are computed when the model runs.
        """
        if at < len(self.node.inputs) and self.node.inputs[at]:
            found = self.known(self.node.inputs[at])
            if found is None:
                raise ValueError("it is computed")
            return found
        value = self.node.attributes.get(attribute)
        return [value] if isinstance(value, int) else value

    def number(self, attribute: str, default: int) -> int:
        """Attribute that is one integer."""
        value = self.node.attributes.get(attribute, default)
        if not isinstance(value, int):
            raise ValueError(f"its {attribute} is no integer")
        return value


def steps_of(operation: Operation) -> list[tuple[Shape, Step]]:
    """Shapes of a node's outputs, and what makes each of its first input.

    Raises
    ------
    ValueError
        If the operator cannot be applied, or what it needs is not known before the model runs.
    """
    if operation.node.kind == "Reshape":
        shape = _reshaped(operation)
        return [(shape, lambda array: array.reshape(shape))]
    steps = _STEPS[operation.node.kind](operation)
    # Of an array without memory of its own: these operators copy no numbers.
    blank = np.broadcast_to(np.empty((), "u1"), operation.shape)
    return [(step(blank).shape, step) for step in steps]


def _slice(operation: Operation) -> list[Step]:
    starts, ends = operation.integers(1, "starts"), operation.integers(2, "ends")
    if starts is None or ends is None:
        raise ValueError("it does not say where")
    axes = operation.integers(3, "axes")
    steps = operation.integers(4, "steps")
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    cuts = [slice(None)] * len(operation.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        cuts[_axis(axis, len(cuts))] = slice(start, end, step)
    return [lambda array: array[tuple(cuts)]]


def _split(operation: Operation) -> list[Step]:
    axis = _axis(operation.number("axis", 0), len(operation.shape))
    length, count = operation.shape[axis], len(operation.node.outputs)
    sizes = operation.integers(1, "split")
    if sizes is None:
        size = -(-length // max(count, 1))
        sizes = [min(size, max(length - size * at, 0)) for at in range(count)]
    if len(sizes) != count or sum(sizes) != length or min(sizes, default=0) < 0:
        raise ValueError("its parts do not fit")
    ends = np.cumsum(sizes).tolist()
    lead = (slice(None),) * axis
    cuts = [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]
    return [_cut((*lead, cut)) for cut in cuts]


def _cut(cuts: tuple[slice, ...]) -> Step:
    return lambda array: array[cuts]


def _squeeze(operation: Operation) -> list[Step]:
    axes = operation.integers(1, "axes")
    chosen = None if axes is None else tuple(axes)
    return [lambda array: np.squeeze(array, chosen)]


def _unsqueeze(operation: Operation) -> list[Step]:
    axes = operation.integers(1, "axes")
    if axes is None:
        raise ValueError("it does not say where")
    return [lambda array: np.expand_dims(array, tuple(axes))]


def _transpose(operation: Operation) -> list[Step]:
    order = operation.node.attributes.get("perm")
    return [lambda array: np.transpose(array, order)]


def _reshaped(operation: Operation) -> Shape:
    wanted = operation.integers(1, "shape")
    if wanted is None or min(wanted, default=0) < -1 or wanted.count(-1) > 1:
        raise ValueError("it does not say to what shape")
    if not operation.number("allowzero", 0):
        if any(size == 0 and at >= len(operation.shape) for at, size in enumerate(wanted)):
            raise ValueError("it keeps an axis that is not there")
        wanted = [operation.shape[at] if size == 0 else size for at, size in enumerate(wanted)]
    total, rest = prod(operation.shape), prod(size for size in wanted if size != -1)
    if -1 in wanted and rest:
        wanted[wanted.index(-1)] = total // rest
    if prod(wanted) != total or -1 in wanted:
        raise ValueError("its shape does not fit")
    return tuple(wanted)


def _axis(axis: int, count: int) -> int:
    if not -count <= axis < count:
        raise ValueError("its axis is not there")
    return axis % count


_STEPS: Mapping[str, Callable[[Operation], list[Step]]] = {
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
}
KINDS = (*_STEPS, "Reshape")
