"""What a tensor of an ONNX graph is, by the operation that takes it: one table."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from typing import Any

from common.facts import CONV_TRANSPOSE, SPATIAL, Facts
from protobuf.onnx_graph import Model, Node
from protobuf.onnx_products import scale_of_product
from protobuf.onnx_uses import Use, uses_of
from protobuf.onnx_views import FLOATS, View, Views

Shape = tuple[int, ...]
GATES = {"LSTM": "iofc", "DynamicQuantizeLSTM": "iofc", "GRU": "zrh", "RNN": ""}
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
    **{(kind, at): "recurrent" for kind in ("LSTM", "GRU", "RNN") for at in (1, 2)},
    **{(kind, 3): "bias" for kind in GATES},
    **{
        (f"{kind}Normalization", at): what
        for kind in ("Batch", "Layer", "Instance", "Group", "SimplifiedLayer", "RMS")
        for at, what in ((1, "norm"), (2, "bias"), (3, "norm"), (4, "norm"))
    },
    ("GatherBlockQuantized", 0): "packed",
    **{(kind, 1): "packed" for kind in ("MatMulNBits", "MatMulBnb4", "QAttention")},
    **{("DynamicQuantizeLSTM", at): "turned recurrent" for at in (1, 2)},
}
"""What an operation takes at each place."""
INVENTED = r"onnx::.*|val_\d+(#\d+)?|/.*|\d+(#\d+)?"
"""Names that exporters give to tensors that have none."""


class Consumers:
    """Finds what a tensor is by what takes it."""

    def __init__(self, model: Model, views: Views) -> None:
        self._takers: dict[str, list[tuple[Node, int]]] = defaultdict(list)
        self._makers: dict[str, Node] = {}
        for node in model.nodes:
            self._makers |= dict.fromkeys(node.outputs, node)
            for at, name in enumerate(node.inputs):
                self._takers[views.same.get(name, name)].append((node, at))
        self._views = views.by_name
        self._functions = model.functions

    def facts(self, tensor: View) -> Facts:
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

    def _with_scales(self, use: Use, found: Facts, tensor: View) -> Facts:
        """Add to whole numbers and to float8 how they are dequantized."""
        if found.role in ("bias", "norm", "packed") or tensor.dtype in FLOATS:
            return found
        is_product = use.node.kind in ("MatMulInteger", "ConvInteger") and not use.scale
        if found.role == "embedding" and not use.scale:
            return Facts("buffer", "whole numbers, taken by Gather")
        name = use.scale
        if is_product:
            stored = self._views.keys()
            name = scale_of_product(use.node, use.at, self._takers, self._makers, stored)
        if name not in self._views:
            return Facts("packed", f"the scale with which {use.kind} takes it is not stored")
        if use.zero_point and use.zero_point not in self._views:
            return Facts("packed", "its zero points are not stored")
        quantization: dict[str, Any] = {}
        viewed = tensor.shape if found.view is None else found.view
        for key, given in (("scale", name), ("zero_point", use.zero_point)):
            if not given:
                continue
            held = self._views[given]
            quantization[key] = {"tensor": held.name}
            if prod(held.shape) == 1:
                continue
            is_factor = is_product and key == "scale"
            axis = _scaled_axis(use, found, tensor.shape, held.shape, is_factor)
            lengths = [size for size in held.shape if size != 1]
            if axis is None or lengths != [viewed[axis]]:
                what = key.replace("_", " ")
                reason = f"its {what}s have the shape {held.shape}: not one per channel"
                return Facts("packed", reason)
            quantization["axis"] = axis
        return replace(found, quantization=quantization)


def _scaled_axis(use: Use, found: Facts, shape: Shape, scale: Shape, is_factor: bool) -> int | None:
    """Axis, of the view if there is one, that several scales run along; None if there is none."""
    long = [at for at, size in enumerate(scale) if size != 1]
    if len(long) != 1:
        return None
    if use.scaled_axis is not None:
        lead = len(shape) - len(found.axes)
        is_cut = found.view is not None and found.view != shape[lead:]
        axis = use.scaled_axis - lead
        return axis if len(scale) == 1 and axis >= 0 and not is_cut else None
    name = "out"
    if use.kind == "DynamicQuantizeLSTM":
        name = ("stack", "out")[long[0]] if len(scale) <= 2 else ""
    if is_factor:
        from_end = {("MatMul", 1): 1, ("MatMul", 0): 2}.get((use.kind, use.at), len(shape) - 1)
        if len(scale) - long[0] != from_end:
            return None
    return found.axes.index(name) if found.axes.count(name) == 1 else None


def _layer(name: str, node: Node) -> str | None:
    """Name of a layer after the operation, where the tensor's own is the exporter's invention."""
    if not re.fullmatch(INVENTED, name) or not node.name:
        return None
    return node.name.strip("/").removesuffix(f"/{node.kind}").replace("/", ".")


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


def _recurrent(use: Use, shape: Shape, axes: tuple[str, str]) -> Facts | None:
    if len(shape) != 3:
        return None
    gates = GATES[use.kind]
    size, rest = divmod(shape[1 + axes.index("out")], len(gates) or 1)
    parts = tuple((gate, size) for gate in gates) if size and not rest else ()
    rule = f"input {use.at} of {use.kind} (directions, {', '.join(axes)})"
    if shape[0] == 1:
        return Facts("recurrent", rule, axes, view=shape[1:], parts=parts)
    return Facts("recurrent", rule, ("stack", *axes), parts=parts)


_MATRICES: Mapping[str, Callable[[Use, Shape], Facts | None]] = {
    "out, in": lambda use, shape: _linear(use, shape, ("out", "in")),
    "in, out": lambda use, shape: _linear(use, shape, ("in", "out")),
    "conv": _conv,
    "transposed conv": _transposed,
    "embedding": _embedding,
    "recurrent": lambda use, shape: _recurrent(use, shape, ("out", "in")),
    "turned recurrent": lambda use, shape: _recurrent(use, shape, ("in", "out")),
}
