"""Recurrent weights of two directions with scales of their own for each direction and output.

Such scales run along two axes, which the weight format does not have, so that each direction is
written as a tensor of its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from protobuf.onnx_graph import Node
from protobuf.onnx_shapes import Shape

DIRECTIONS = ("forward", "backward")
SCALED = {1: (8, 9), 2: (10, 11)}
"""Of each operand of DynamicQuantizeLSTM, where its scales and zero points are."""


def by_direction(nodes: Iterable[Node], shapes: Mapping[str, Shape]) -> Iterator[Node]:
    """Replace nodes that take such weights by nodes that take a direction each.

    Parameters
    ----------
    nodes : of a model.
    shapes : of its stored tensors.
    """
    for node in nodes:
        places = [
            place
            for weight, (scale, zero_point) in SCALED.items()
            if node.kind == "DynamicQuantizeLSTM"
            and scale < len(node.inputs)
            and len(shapes.get(node.inputs[scale], ())) == 2
            and shapes[node.inputs[scale]][0] == len(DIRECTIONS)
            for place in (weight, scale, zero_point)
            if place < len(node.inputs) and node.inputs[place]
        ]
        if places:
            yield from _apart(node, places)
        else:
            yield node


def _apart(node: Node, places: list[int]) -> Iterator[Node]:
    for at, direction in enumerate(DIRECTIONS):
        inputs = list(node.inputs)
        for place in places:
            inputs[place] = f"{node.inputs[place]}/{direction}"
            where = {"starts": [at], "ends": [at + 1], "axes": [0]}
            yield Node("Slice", "", "", (node.inputs[place],), (inputs[place],), where)
        yield replace(node, inputs=tuple(inputs))
