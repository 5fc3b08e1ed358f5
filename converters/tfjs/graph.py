"""What the operators of a TensorFlow graph in JSON take: the roles and axes of its constants."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from common.facts import CONV_TRANSPOSE, Facts

KERNEL = ("k1", "k2")
OPERANDS: Mapping[str, tuple[int, str, tuple[str, ...]]] = {
    "Conv2D": (1, "weight", (*KERNEL, "in", "out")),
    "_FusedConv2D": (1, "weight", (*KERNEL, "in", "out")),
    "DepthwiseConv2dNative": (1, "weight", (*KERNEL, "out", "out")),
    "FusedDepthwiseConv2dNative": (1, "weight", (*KERNEL, "out", "out")),
    "Conv2DBackpropInput": (1, "weight", (*KERNEL, "out", "in")),
    "Conv1D": (1, "weight", ("k1", "in", "out")),
    "Conv3D": (1, "weight", (*KERNEL, "k3", "in", "out")),
    "MatMul": (1, "weight", ("in", "out")),
    "_FusedMatMul": (1, "weight", ("in", "out")),
    "GatherV2": (0, "embedding", ("out", "in")),
}
"""Operand, role and axes of an operator's weight."""
BIASED = {"BiasAdd": 1, "_FusedConv2D": 2, "FusedDepthwiseConv2dNative": 2, "_FusedMatMul": 2}
SAME = ("Identity", "Cast", "StopGradient")
"""Operators that hand on what they take."""
MAX_STEPS = 8


def facts_by_name(topology: Any) -> dict[str, Facts]:
    """Facts of the constants that operators of a graph take.

    Parameters
    ----------
    topology : the graph as tfjs has it, {"node": [...], "library": {...}}.

    Raises
    ------
    TypeError, AttributeError, ValueError, KeyError
        If it is not a graph.
    """
    nodes = {node["name"]: node for node in topology.get("node", ())}
    found: dict[str, Facts] = {}
    for node in nodes.values():
        for name, facts in _uses(node):
            found.setdefault(_source(nodes, name), facts)
    return found


def _source(nodes: Mapping[str, Any], name: str) -> str:
    """Name of the constant that reaches an operand."""
    for _ in range(MAX_STEPS):
        name = name.removesuffix(":0")
        node = nodes.get(name)
        if node is None or node.get("op") not in SAME:
            break
        name = node["input"][0]
    return name


def _uses(node: Mapping[str, Any]) -> Iterator[tuple[str, Facts]]:
    kind, inputs, arguments = str(node.get("op")), node.get("input") or [], node.get("attr") or {}
    if kind in OPERANDS and len(inputs) > OPERANDS[kind][0]:
        operand, role, axes = OPERANDS[kind]
        if (arguments.get("transpose_b") or {}).get("b") is True:
            axes = axes[::-1]
        layer_class = CONV_TRANSPOSE if kind == "Conv2DBackpropInput" else None
        yield inputs[operand], Facts(role, f"operand of {kind}", axes, layer_class=layer_class)
    fused = [b64decode(text) for text in _fused(arguments)]
    if kind in BIASED and len(inputs) > BIASED[kind] and (kind == "BiasAdd" or b"BiasAdd" in fused):
        yield inputs[BIASED[kind]], Facts("bias", f"bias of {kind}")


def _fused(arguments: Mapping[str, Any]) -> list[str]:
    names: list[str] = ((arguments.get("fused_ops") or {}).get("list") or {}).get("s") or []
    return names
