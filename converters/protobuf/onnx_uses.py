"""Which operations of an ONNX graph take a tensor, or what leaves its numbers as they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from protobuf.onnx_graph import Node

INTEGER = {
    "QLinearConv": ("Conv", {3: 1, 8: 2}, 4, 5),
    "QLinearMatMul": ("MatMul", {3: 1}, 4, 5),
    "QGemm": ("Gemm", {3: 1, 6: 2}, 4, 5),
    "DynamicQuantizeMatMul": ("MatMul", {1: 1, 4: 2}, 2, 3),
    "MatMulInteger": ("MatMul", {1: 1}, None, None),
    "ConvInteger": ("Conv", {1: 1}, None, None),
}
"""Operations on integers: the plain one, its places for theirs, and where scale and zero are."""
SAME_NUMBERS = ("Identity", "Cast", "QuantizeLinear")
"""Operations that the numbers pass; of weights that are rounded later, those before are meant."""
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
    if kind not in INTEGER:
        return replace(use, kind=kind)
    plain, places, scale, zero_point = INTEGER[kind]

    def at(place: int | None) -> str:
        is_given = place is not None and place < len(use.node.inputs)
        return use.node.inputs[place or 0] if is_given else ""

    return replace(
        use, kind=plain, at=places.get(use.at, -1), scale=at(scale), zero_point=at(zero_point)
    )
