"""Entries of manifests of version 1, read as what version 2 would say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.meaning.axes import SPATIAL, matrix_layout
from htsr_ref.weights.meaning.roles import MATRIX_ROLES
from htsr_ref.weights.tensor_spec import (
    TensorSpec,
    is_inferred,
    json_object,
    only_keys,
    parse_axes,
    parse_entry,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS = {"linear": "weight", "conv": "weight", "other": None}
"""Kinds of version 1 that are not roles, and the roles that they stand for."""
_GUESSED_CONVOLUTION = "3 to 5 axes (out, in, k)"
"""The rule of version 1 that took every tensor of three axes for a convolution."""


def parse_first_entry(entry: Any) -> TensorSpec:
    """Read an entry of version 1: what is declared is kept, what is inferred is inferred anew.

    Axes were canonical, whatever the source's order; an inferred entry keeps them as a fact,
    unless every tensor of three axes was given them.

    Spec: FMT-19.
    """
    entry = dict(json_object(entry, "the entry"))
    known = ("layer", "kind", "same_as", "rule", "inferred", "axes", "groups", "parts")
    only_keys(entry, (*known, "quantization"), "the entry")
    kind = entry.pop("kind", None)
    if not isinstance(kind, str) or kind not in (*MATRIX_ROLES[1:], "bias", "norm", *_KINDS):
        raise ValueError(f"there is no kind {kind!r}")
    axes = parse_axes(entry["axes"]) if "axes" in entry else ()
    is_convolution = any(name in SPATIAL for name in axes)
    if "axes" in entry and is_convolution != (kind == "conv"):
        raise ValueError(f"a tensor of kind {kind!r} cannot have the axes {entry['axes']}")
    role = _KINDS.get(kind, kind)
    if kind != "conv" and "groups" in entry:
        raise ValueError("groups belong to the kind 'conv'")
    if role is None:
        only_keys(entry, ("layer", "same_as", "rule", "inferred"), "an entry of kind 'other'")
        if not is_inferred(entry):
            entry["role"] = "unknown"
        return replace(parse_entry(entry), **_forgotten(entry))
    spec = parse_entry({"role": role, **entry})
    if spec.axes and spec.axes != matrix_layout(spec.axes, (1,) * len(spec.axes)).axes:
        raise ValueError("the order of axes is [stack, out, in, k1, ...]")
    if spec.inferred and spec.rule == _GUESSED_CONVOLUTION and len(spec.axes) == 3:
        spec = replace(spec, axes=(), quantization=None)
    return replace(spec, **_forgotten(entry))


def _forgotten(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Tell what an inferred entry loses."""
    if not entry.get("inferred"):
        return {}
    return {"role": None, "rule": None, "inferred": False, "parts": (), "groups": 1}
