"""`Facts`: what a source states of one of its tensors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

SPATIAL = ("k1", "k2", "k3")
CONV_TRANSPOSE = "conv_transpose"
"""Class of a transposed convolution where the source does not name one itself."""


@dataclass(frozen=True)
class Facts:
    """What the source itself states; what it does not state is left out, never guessed.

    Parameters
    ----------
    role : weight, embedding, recurrent, bias, norm, packed, buffer, unknown, ...
    rule : what states it, in a few words.
    axes : what each axis of the array is, in the source's order: "stack", "out", "in", "k1", ...
        Several named "out" (or "in") are one, the first varying slowest. A convolution without
        "in" has one input channel in each group.
    view : shape that the array is given before `axes` apply, to cut an axis into several.
    groups : groups of a convolution.
    parts : name and size of the sections of the axis "out".
    quantization : {"scale", "zero_point", "axis"} as the weight format has it; `axis` counts the
        axes of the array, or of `view`.
    layer : the layer's name, where it is not the tensor's without ".weight" or the like.
    layer_class : the layer's class in snake case.
    config : arguments of the layer.
    """

    role: str | None = None
    rule: str | None = None
    axes: tuple[str, ...] = ()
    view: tuple[int, ...] | None = None
    groups: int = 1
    parts: tuple[tuple[str, int], ...] = ()
    quantization: Mapping[str, Any] | None = None
    layer: str | None = None
    layer_class: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)

    def scale_tensors(self) -> Iterator[tuple[str, str]]:
        """Names and roles of the tensors that hold scales and zero points."""
        for key, value in (self.quantization or {}).items():
            if isinstance(value, Mapping):
                yield value["tensor"], key.replace("_", " ")

    def problem(self, shape: tuple[int, ...]) -> str:
        """Why this cannot hold for an array of this shape; "" if it can.

        >>> Facts(axes=("out", "in"), groups=3).problem((4, 2))
        'its parts or groups do not cut its outputs'
        """
        viewed = shape if self.view is None else self.view
        scales = self.quantization or {}
        axis = scales.get("axis")
        if prod(viewed) != prod(shape) or (self.axes and len(viewed) != len(self.axes)):
            return f"its axes do not fit the shape {shape}"
        if axis is not None:
            lists = [value for value in scales.values() if isinstance(value, list)]
            if axis >= len(viewed) or any(len(value) != viewed[axis] for value in lists):
                return f"its scales do not fit the shape {shape}"
        named = zip(self.axes, viewed, strict=True) if self.axes else ()
        out = prod(size for name, size in named if name == "out")
        if out % self.groups or (self.parts and sum(size for _, size in self.parts) != out):
            return "its parts or groups do not cut its outputs"
        return ""

    def entry(self) -> dict[str, Any]:
        """Return the manifest's entry."""
        found = {
            "role": self.role,
            "axes": list(self.axes),
            "view": None if self.view is None else list(self.view),
            "groups": None if self.groups == 1 else self.groups,
            "parts": [{"name": name, "size": size} for name, size in self.parts],
            "quantization": None if self.quantization is None else dict(self.quantization),
            "layer": self.layer,
            "class": self.layer_class,
            "config": dict(self.config),
            "rule": self.rule,
        }
        return {key: value for key, value in found.items() if value not in (None, [], {})}


UNSTATED = Facts()
"""Nothing is stated but name, shape and type."""
