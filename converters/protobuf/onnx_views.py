"""Arrays that an ONNX graph makes of stored ones before an operation takes them.

What chooses, orders and joins stored numbers is computed here, when it is read, so that weights
are what their operators see. Which of these arrays are weights is told elsewhere.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from common.errors import ConversionError
from common.numbers import to_float32
from numpy.typing import NDArray
from protobuf.onnx_graph import TYPED, Model, Node, OnnxTensor
from protobuf.onnx_shapes import KINDS, Operation, Shape, steps_of

SAME_NUMBERS = ("Identity", "Cast", "QuantizeLinear")
"""Operations that the numbers pass; of weights that are rounded later, those before are meant."""
FLOATS = ("float16", "bfloat16", "float32", "float64")
MAX_STEPS = 64
MAX_LEAVES = 1024
MAX_INTEGERS = 64
"""No operation takes more axes, sizes or places."""


@dataclass(frozen=True)
class View:
    """An array that is stored, or is computed from stored ones.

    Parameters
    ----------
    name : of the tensor, or of the node's output.
    code : the number type of a stored tensor as ONNX has it.
    read : returns the codes.
    sources : what it is computed from; none of a stored tensor.
    is_new : whether other numbers or another shape reach the operator than a stored tensor's.
    steps, leaves : how many operations follow each other; how often stored tensors are read.
    largest : numbers of the largest array on the way.
    work : numbers that are computed on the way.
    """

    name: str
    shape: Shape
    dtype: str
    code: int
    read: Callable[[], NDArray[Any]]
    sources: tuple["View", ...] = ()
    is_new: bool = False
    steps: int = 0
    leaves: int = 1
    largest: int = 0
    work: int = 1


def stored_parts(views: Iterable[View]) -> dict[str, View]:
    """Find the stored tensors that arrays are made of, by name."""
    waiting, seen = list(views), dict[str, View]()
    while waiting:
        view = waiting.pop()
        if view.name not in seen:
            seen[view.name] = view
            waiting += view.sources
    return {name: view for name, view in seen.items() if not view.sources}


class Views:
    """Every array of a model that is known before it runs, by name.

    Parameters
    ----------
    model : the graphs, each node behind those whose outputs it takes.
    read : returns the codes of a stored tensor.
    """

    def __init__(self, model: Model, read: Callable[[OnnxTensor], NDArray[Any]]) -> None:
        self.by_name: dict[str, View] = {}
        # Of an output that equals an earlier one, that one's name.
        self.same: dict[str, str] = {}
        self._model = model
        self._integers: dict[str, list[int] | None] = {}
        self._seen: dict[tuple[object, ...], View] = {}
        for tensor in model.tensors:
            if tensor.dtype:
                found = _stored(tensor, read)
                self.by_name.setdefault(tensor.name, found)
        for node in model.nodes:
            self._add(node)

    def _add(self, node: Node) -> None:
        """Enter what a node makes, if all it takes is known."""
        if node.kind == "Constant":
            for attribute in ("value_int", "value_ints"):
                value = node.attributes.get(attribute)
                if value is not None and node.outputs:
                    self._integers[node.outputs[0]] = value if isinstance(value, list) else [value]
        sources = [self.by_name.get(name) for name in node.inputs]
        is_own = (node.domain, node.kind) in self._model.functions
        if is_own or not sources or sources[0] is None or not node.outputs:
            return
        if node.kind in SAME_NUMBERS or _is_rounded(node, sources[0]):
            self.by_name.setdefault(node.outputs[0], sources[0])
            return
        try:
            made = self._made(node, sources[0], sources)
        except (ValueError, IndexError, TypeError, OverflowError):
            return  # what cannot be computed is unknown
        made = [view for view in made if view.steps <= MAX_STEPS and view.leaves <= MAX_LEAVES]
        given = [self._known(name) for name in node.inputs[1:]] if node.kind in KINDS else []
        settings = repr((given, sorted(node.attributes.items())))
        for at, view in enumerate(made):
            # Equal arrays, as of a network's steps in time, are one.
            key = (node.kind, at, tuple(part.name for part in view.sources), settings, view.shape)
            known = self._seen.setdefault(key, view)
            if known is not view:
                self.same[view.name] = known.name
            self.by_name.setdefault(view.name, known)

    def _made(self, node: Node, first: View, sources: list[View | None]) -> list[View]:
        if node.kind in KINDS:
            steps = steps_of(Operation(node, first.shape, self._known))
            return [
                _computed(name, shape, first.dtype, step, (first,), node.kind != "Transpose")
                for name, (shape, step) in zip(node.outputs, steps, strict=False)
            ]
        given = [source for source in sources if source is not None]
        if node.kind == "Concat" and len(given) == len(sources):
            return [_joined(node, given)]
        if node.kind == "DequantizeLinear" and len(given) == len(sources):
            return [_dequantized(node, given)]
        return []

    def _known(self, name: str) -> list[int] | None:
        """Integers of an array, None if they are not known or too many."""
        view = self.by_name.get(name)
        key = name if view is None else view.name
        if key not in self._integers:
            self._integers[key] = _integers(view)
        found = self._integers[key]
        return None if found is None else list(found)


def _integers(view: View | None) -> list[int] | None:
    if view is None or view.dtype not in ("int32", "int64"):
        return None
    if max(prod(view.shape), view.largest, view.work) > MAX_INTEGERS:
        return None
    try:
        return [int(number) for number in view.read().reshape(-1)]
    except ConversionError:
        return None


def _stored(tensor: OnnxTensor, read: Callable[[OnnxTensor], NDArray[Any]]) -> View:
    is_mapped = all(TYPED.get(item.number) != "varint" for item in tensor.stretches)
    count = prod(tensor.shape)
    return View(
        tensor.name,
        tensor.shape,
        tensor.dtype,
        tensor.code,
        lambda: read(tensor),
        largest=count,
        work=1 if is_mapped else count,
    )


def _computed(
    name: str,
    shape: Shape,
    dtype: str,
    compute: Callable[..., NDArray[Any]],
    sources: tuple[View, ...],
    is_new: bool = True,
) -> View:
    return View(
        name,
        shape,
        dtype,
        sources[0].code,
        lambda: compute(*(source.read() for source in sources)),
        sources,
        is_new,
        1 + max(source.steps for source in sources),
        sum(source.leaves for source in sources),
        max(prod(shape), *(source.largest for source in sources)),
        prod(shape) + sum(source.work for source in sources),
    )


def _is_rounded(node: Node, source: View) -> bool:
    """Whether it undoes QuantizeLinear, which was passed."""
    return node.kind == "DequantizeLinear" and source.dtype in FLOATS


def _joined(node: Node, sources: list[View]) -> View:
    """Concat."""
    shape, axis = list(sources[0].shape), node.attributes.get("axis", 0)
    if not -len(shape) <= axis < len(shape) or len({source.dtype for source in sources}) > 1:
        raise ValueError("they cannot be joined")
    axis %= len(shape)
    rests = {(*source.shape[:axis], *source.shape[axis + 1 :]) for source in sources}
    if len(rests) > 1 or any(len(source.shape) != len(shape) for source in sources):
        raise ValueError("they cannot be joined")
    shape[axis] = sum(source.shape[axis] for source in sources)
    return _computed(
        node.outputs[0],
        tuple(shape),
        sources[0].dtype,
        lambda *arrays: np.concatenate(arrays, axis),
        tuple(sources),
    )


def _dequantized(node: Node, sources: list[View]) -> View:
    """DequantizeLinear: products in float64, which holds them exactly."""
    codes, scale, *zeros = sources
    axis = node.attributes.get("axis", 1)
    fitting = [1] * len(codes.shape)
    if prod(scale.shape) != 1:
        if not -len(fitting) <= axis < len(fitting) or scale.shape != (codes.shape[axis],):
            raise ValueError("its scales are not one per channel")
        fitting[axis] = codes.shape[axis]
    if any(prod(zero.shape) not in (1, prod(scale.shape)) for zero in zeros):
        raise ValueError("its zero points do not fit")

    def compute(
        numbers: NDArray[Any], factors: NDArray[Any], *offsets: NDArray[Any]
    ) -> NDArray[Any]:
        values = _values(numbers, codes.dtype)
        for offset, zero in zip(offsets, zeros, strict=True):
            shape = fitting if offset.size > 1 else [1] * len(fitting)
            values = values - _values(offset, zero.dtype).reshape(shape)
        product: NDArray[Any] = values * _values(factors, scale.dtype).reshape(fitting)
        return product

    return _computed(node.outputs[0], codes.shape, "float64", compute, tuple(sources), False)


def _values(numbers: NDArray[Any], dtype: str) -> NDArray[Any]:
    is_coded = dtype == "bfloat16" or dtype.startswith("float8")
    return (to_float32(numbers, dtype) if is_coded else numbers).astype(np.float64)
