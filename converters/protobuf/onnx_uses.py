"""Which operations of an ONNX graph take a tensor, or what leaves its numbers as they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from protobuf.onnx_graph import Node
from protobuf.onnx_views import SAME_NUMBERS

INTEGER = {
    ("QLinearConv", 3): ("Conv", 1, 4, 5),
    ("QLinearConv", 8): ("Conv", 2, None, None),
    ("QLinearMatMul", 0): ("MatMul", 0, 1, 2),
    ("QLinearMatMul", 3): ("MatMul", 1, 4, 5),
    ("QGemm", 3): ("Gemm", 1, 4, 5),
    ("QGemm", 6): ("Gemm", 2, None, None),
    ("DynamicQuantizeMatMul", 1): ("MatMul", 1, 2, 3),
    ("DynamicQuantizeMatMul", 4): ("MatMul", 2, None, None),
    ("MatMulIntegerToFloat", 1): ("MatMul", 1, 3, 5),
    ("MatMulInteger", 0): ("MatMul", 0, None, 2),
    ("MatMulInteger", 1): ("MatMul", 1, None, 3),
    ("ConvInteger", 1): ("Conv", 1, None, 3),
    ("DynamicQuantizeLSTM", 1): ("DynamicQuantizeLSTM", 1, 8, 9),
    ("DynamicQuantizeLSTM", 2): ("DynamicQuantizeLSTM", 2, 10, 11),
}
"""Operands of operations on integers: the plain operation, the operand's place there, and where
its scale and zero point are."""
INTEGER_KINDS = {kind for kind, _ in INTEGER}
MAX_STEPS = 64


@dataclass(frozen=True)
class Use:
    """An operation that takes a tensor, or what was made of it without changing its numbers.

    Parameters
    ----------
    order : axes of the tensor in the order in which the operation has them.
    scale, zero_point : names of the tensors with which its numbers are dequantized.
    scaled_axis : the tensor's axis that they run along, None for the axis of outputs.
    """

    kind: str
    at: int
    node: Node
    order: tuple[int, ...]
    scale: str = ""
    zero_point: str = ""
    scaled_axis: int | None = None


def uses_of(
    name: str, order: tuple[int, ...], takers: Mapping[str, Sequence[tuple[Node, int]]]
) -> Iterator[Use]:
    """Find the uses of a tensor.

    Parameters
    ----------
    name : of the tensor.
    order : its axes.
    takers : for each name, the nodes that take it and the place among their inputs.
    """
    waiting = [Use("", 0, Node("", "", "", (), (name,), {}), order)]
    for _ in range(MAX_STEPS):
        if not waiting:
            return
        before = waiting.pop()
        for output in before.node.outputs[:1]:
            for node, at in takers.get(output, ()):
                use = replace(before, kind=node.kind, node=node, at=at)
                onward = _onward(use)
                if onward is None:
                    yield _plain(use)
                else:
                    waiting.append(onward)


def _onward(use: Use) -> Use | None:
    """Go through an operation that leaves the numbers of its input as they are; None if not so."""
    node, order = use.node, use.order
    if use.at != 0:
        return None
    if node.kind in SAME_NUMBERS:
        return use
    if node.kind == "Transpose":
        turn = node.attributes.get("perm", list(range(len(order)))[::-1])
        if not isinstance(turn, list) or sorted(turn) != list(range(len(order))):
            return None
        return replace(use, order=tuple(order[axis] for axis in turn))
    if node.kind == "DequantizeLinear" and len(node.inputs) > 1 and not use.scale:
        axis = node.attributes.get("axis", 1)
        is_axis = isinstance(axis, int) and -len(order) <= axis < len(order)
        return replace(
            use,
            scale=node.inputs[1],
            zero_point=node.inputs[2] if len(node.inputs) > 2 else "",
            scaled_axis=order[axis] if is_axis else 0,
        )
    return None


def _plain(use: Use) -> Use:
    """Replace an operation on integers by the plain one."""
    kind = use.kind.removeprefix("Fused")
    if kind not in INTEGER_KINDS:
        return replace(use, kind=kind)
    if (kind, use.at) not in INTEGER:
        return replace(use, at=-1)
    plain, at, scale, zero_point = INTEGER[kind, use.at]
    return replace(
        use, kind=plain, at=at, scale=_input(use, scale), zero_point=_input(use, zero_point)
    )


def _input(use: Use, place: int | None) -> str:
    return use.node.inputs[place] if place is not None and place < len(use.node.inputs) else ""
