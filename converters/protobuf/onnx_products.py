"""Scales of weights whose operation multiplies integers: factors of its product, further on."""

from collections.abc import Collection, Mapping, Sequence

from protobuf.onnx_graph import Node
from protobuf.onnx_shapes import KINDS

PASSED = ("Cast", "Identity")
MAX_STEPS = 64
Takers = Mapping[str, Sequence[tuple[Node, int]]]


def scale_of_product(
    node: Node, at: int, takers: Takers, makers: Mapping[str, Node], stored: Collection[str]
) -> str:
    """Name of the scale of a weight that MatMulInteger or ConvInteger takes; "" if not known.

    The product of the integers is multiplied by the scale with which DynamicQuantizeLinear made
    the other operand, and by the one stored scale, together or one after the other.

    Parameters
    ----------
    node, at : the operation, and the weight's place among its inputs.
    takers, makers : of each name, the nodes that take it and the one that makes it.
    stored : names of arrays that are known before the model runs.
    """
    dynamic = _dynamic_scale(node.inputs[1 - at], makers) if len(node.inputs) > 1 else ""
    name, factors = next(iter(node.outputs), ""), list[str]()
    for _ in range(MAX_STEPS):
        taking = takers.get(name, ())
        if not dynamic or len(taking) != 1:
            return ""
        taker, place = taking[0]
        if taker.kind == "Mul" and len(taker.inputs) == 2:
            factors += _factors(taker.inputs[1 - place], makers, stored)
            scales = [factor for factor in factors if factor in stored]
            if dynamic in factors and scales:
                return scales[0] if len(factors) == 2 else ""
        elif taker.kind not in PASSED:
            return ""
        name = next(iter(taker.outputs), "")
    return ""


def _dynamic_scale(name: str, makers: Mapping[str, Node]) -> str:
    """Name of the scale with which an operand is quantized when the model runs."""
    for _ in range(MAX_STEPS):
        maker = makers.get(name)
        if maker is None:
            return ""
        if maker.kind == "DynamicQuantizeLinear":
            is_scaled = len(maker.outputs) > 1 and maker.outputs[0] == name
            return maker.outputs[1] if is_scaled else ""
        if maker.kind not in (*KINDS, "Identity") or not maker.inputs:
            return ""
        name = maker.inputs[0]
    return ""


def _factors(name: str, makers: Mapping[str, Node], stored: Collection[str]) -> list[str]:
    """Names of the factors of which something is the product."""
    waiting, found = [name], list[str]()
    for _ in range(MAX_STEPS):
        if not waiting:
            return found
        name = waiting.pop()
        maker = makers.get(name)
        if name not in stored and maker is not None and maker.kind in ("Mul", *PASSED):
            waiting += maker.inputs
        else:
            found.append(name)
    return [*found, *waiting]
