"""`Meaning`: what a rule says of a tensor."""

from __future__ import annotations

from dataclasses import dataclass

Parts = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Meaning:
    """What a tensor is.

    Parameters
    ----------
    role : one of `ROLES`.
    axes : of the tensor as stored, or of `view`; empty for what is not a weight matrix.
    rule : why, where it is more than the name of the rule that applies.
    inferred : whether this is a guess from names and shapes, not stated by the source.
    view : shape that cuts stored axes into several.
    groups : groups of a convolution.
    parts : name and size of the sections of the axis "out".
    layer_class : class of the layer, where more than the axes depends on it.
    variable : the tensor's name within its layer, where its own is a number.
    """

    role: str
    axes: tuple[str, ...] = ()
    rule: str = ""
    inferred: bool = True
    view: tuple[int, ...] | None = None
    groups: int = 1
    parts: Parts = ()
    layer_class: str | None = None
    variable: str | None = None


TRANSPOSED_CLASS = "conv_transpose"
"""Class of transposed convolutions, in whatever number of dimensions."""
