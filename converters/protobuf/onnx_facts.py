"""What a tensor of an ONNX graph is, by the operation that takes it: one table."""

import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

from common.facts import CONV_TRANSPOSE, SPATIAL, Facts
from protobuf.onnx_graph import Model, Node, OnnxTensor
from protobuf.onnx_uses import Use, uses_of

Shape = tuple[int, ...]
GATES = {"LSTM": "iofc", "GRU": "zrh", "RNN": ""}
INPUTS = {
    ("MatMul", 0): "out, in",
    ("MatMul", 1): "in, out",
    ("Gemm", 0): "out, in",
    ("Gemm", 1): "in, out",
    ("Gemm", 2): "bias",
    ("Conv", 1): "conv",
    ("Conv", 2): "bias",
    ("ConvTranspose", 1): "transposed conv",
    ("ConvTranspose", 2): "bias",
    ("Gather", 0): "embedding",
    **{(kind, at): "recurrent" for kind in GATES for at in (1, 2)},
    **{(kind, 3): "bias" for kind in GATES},
    **{
        (f"{kind}Normalization", at): what
        for kind in ("Batch", "Layer", "Instance", "Group", "SimplifiedLayer", "RMS")
        for at, what in ((1, "norm"), (2, "bias"), (3, "norm"), (4, "norm"))
    },
    ("GatherBlockQuantized", 0): "packed",
    **{(kind, 1): "packed" for kind in ("MatMulNBits", "MatMulBnb4", "QAttention")},
    **{("DynamicQuantizeLSTM", at): "packed" for at in (1, 2)},
}
"""What an operation takes at each place."""
INVENTED = r"onnx::.*|val_\d+|/.*|\d+"
"""Names that exporters give to tensors that have none."""


class Consumers:
    """Finds what a tensor is by what takes it."""

    def __init__(self, model: Model) -> None:
        self._takers: dict[str, list[tuple[Node, int]]] = defaultdict(list)
        for node in model.nodes:
            for at, name in enumerate(node.inputs):
                self._takers[name].append((node, at))
        self._shapes = {tensor.name: tensor.shape for tensor in model.tensors}
        self._functions = model.functions

    def facts(self, tensor: OnnxTensor) -> Facts:
        """Facts of a tensor by the first of its uses that says one."""
        order = tuple(range(len(tensor.shape)))
        uses = list(uses_of(tensor.name, order, self._takers))
        calls = [use for use in uses if (use.node.domain, use.node.kind) in self._functions]
        if calls and len(tensor.shape) > 1:
            rule = f"the model's own function {calls[0].node.kind} takes it: use onnx.inliner first"
            return Facts("packed", rule)
        for use in uses:
            found = _facts(use, tensor.shape)
            if found is not None:
                named = replace(found, layer=_layer(tensor.name, use.node))
                try:
                    return self._with_scales(use, named, tensor)
                except ValueError as error:
                    return Facts("packed", str(error))
        by = ", ".join(sorted({use.node.kind for use in uses})) or "nothing"
        is_bias = len(tensor.shape) == 1 and "Add" in by.split(", ")
        return Facts("bias" if is_bias else "unknown", f"taken by {by}")

    def _with_scales(self, use: Use, found: Facts, tensor: OnnxTensor) -> Facts:
        """Add to whole numbers and to float8 how they are dequantized."""
        shape = tensor.shape
        if found.role in ("bias", "norm", "packed"):
            return found
        if not tensor.dtype:
            return Facts("packed", f"its type, {tensor.code} in ONNX, cannot be written")
        if tensor.dtype in ("float16", "float32", "float64", "bfloat16"):
            return found
        if found.role == "embedding" and not use.scale:
            return Facts("buffer", "whole numbers, taken by Gather")
        scale = self._shapes.get(use.scale)
        if scale is None:
            return Facts("packed", f"the scale with which {use.kind} takes it is not stored")
        if use.zero_point and self._shapes.get(use.zero_point) != scale:
            return Facts("packed", "its zero points are not stored, or not one for each scale")
        quantization: dict[str, Any] = {"scale": {"tensor": use.scale}}
        if use.zero_point:
            quantization["zero_point"] = {"tensor": use.zero_point}
        if scale not in ((), (1,)):
            axis = _out(found) if use.scaled_axis is None else use.scaled_axis
            if found.view is not None or axis is None or scale != shape[axis : axis + 1]:
                return Facts("packed", f"its scales have the shape {scale}: not one per channel")
            quantization["axis"] = axis
        return replace(found, quantization=quantization)


def _layer(name: str, node: Node) -> str | None:
    """Name of a layer after the operation, where the tensor's own is the exporter's invention."""
    if not re.fullmatch(INVENTED, name) or not node.name:
        return None
    return node.name.strip("/").removesuffix(f"/{node.kind}").replace("/", ".")


def _out(found: Facts) -> int | None:
    return found.axes.index("out") if found.view is None else None


def _facts(use: Use, shape: Shape) -> Facts | None:
    what = INPUTS.get((use.kind, use.at))
    if what in ("bias", "norm"):
        return Facts(what, f"input {use.at} of {use.kind}")
    if what == "packed":
        return Facts("packed", f"it is packed or quantized for {use.kind}")
    viewed = tuple(shape[axis] for axis in use.order)
    found = None if what is None else _MATRICES[what](use, viewed)
    if found is None or found.role == "packed":
        return found
    if found.view is None:
        return replace(found, axes=_in_source_order(found.axes, use.order))
    return found if use.order == tuple(range(len(shape))) else None


def _in_source_order(axes: tuple[str, ...], order: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(name for _, name in sorted(zip(order, axes, strict=True)))


def _linear(use: Use, shape: Shape, last: tuple[str, ...]) -> Facts | None:
    flag = use.node.attributes.get("transB" if use.at else "transA", 0)
    if use.kind == "Gemm" and flag:
        last = last[::-1]
    if not 2 <= len(shape) <= 4:
        return None
    axes = ("stack",) * (len(shape) - 2) + last
    return Facts("weight", f"input {use.at} of {use.kind} ({', '.join(last)})", axes)


def _conv(use: Use, shape: Shape) -> Facts | None:
    if not 3 <= len(shape) <= 5:
        return None
    axes = ("out", "in", *SPATIAL[: len(shape) - 2])
    return Facts("weight", f"weight of {use.kind} (out, in, k)", axes, groups=_groups(use))


def _transposed(use: Use, shape: Shape) -> Facts | None:
    if not 3 <= len(shape) <= 5:
        return None
    spatial, groups = SPATIAL[: len(shape) - 2], _groups(use)
    rule = f"weight of {use.kind} (in, out, k)"
    if groups == 1:
        return Facts("weight", rule, ("in", "out", *spatial), layer_class=CONV_TRANSPOSE)
    if groups < 1 or shape[0] % groups:
        return Facts("packed", f"its {shape[0]} inputs are not cut by {groups} groups")
    # The inputs of a group lie together, so that groups are the slowest part of both axes.
    view = (groups, shape[0] // groups, *shape[1:])
    axes = ("out", "in", "out", *spatial)
    return Facts("weight", rule, axes, view=view, groups=groups, layer_class=CONV_TRANSPOSE)


def _groups(use: Use) -> int:
    groups = use.node.attributes.get("group", 1)
    return groups if isinstance(groups, int) else 0


def _embedding(use: Use, shape: Shape) -> Facts | None:
    if len(shape) != 2 or use.node.attributes.get("axis", 0) != 0:
        return None
    return Facts("embedding", "table of Gather (out, in)", ("out", "in"))


def _recurrent(use: Use, shape: Shape) -> Facts | None:
    if len(shape) != 3:
        return None
    gates = GATES[use.kind]
    size, rest = divmod(shape[1], len(gates) or 1)
    parts = tuple((gate, size) for gate in gates) if size and not rest else ()
    rule = f"input {use.at} of {use.kind} (directions, out, in)"
    if shape[0] == 1:
        return Facts("recurrent", rule, ("out", "in"), view=shape[1:], parts=parts)
    return Facts("recurrent", rule, ("stack", "out", "in"), parts=parts)


_MATRICES = {
    "out, in": lambda use, shape: _linear(use, shape, ("out", "in")),
    "in, out": lambda use, shape: _linear(use, shape, ("in", "out")),
    "conv": _conv,
    "transposed conv": _transposed,
    "embedding": _embedding,
    "recurrent": _recurrent,
}
