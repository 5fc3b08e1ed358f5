"""The user's corrections: what a tensor is, whatever the file or the inference says."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import WeightFileError
from htsr_ref.text.nearest import did_you_mean
from htsr_ref.weights import tensor_spec
from htsr_ref.weights.meaning.axes import default_axes
from htsr_ref.weights.meaning.roles import MATRIX_ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.meaning.decisions import Decision

LISTED = "`htsr describe` lists the names"
"""Where a user finds the names of layers and tensors."""

_KEYS = ("role", "axes", "layer", "parts", "groups", "quantization", "skip")


def apply_overrides(
    file: object,
    decisions: Mapping[str, Decision],
    tensors: Mapping[str, RawTensor],
    layers: Mapping[str, str],
    overrides: Mapping[str, Mapping[str, Any]],
) -> dict[str, Decision]:
    """Replace what the user knows better.

    A key of `overrides` is the name of a tensor or layer, or a pattern with `*`, `?` and `[...]`.
    Where several match a tensor, names win over patterns and a later pattern over an earlier one.

    Parameters
    ----------
    file : what error messages name.
    decisions, tensors : by the tensors' names.
    layers : the layers' names by the tensors' names.
    overrides : the corrections.

    Raises
    ------
    WeightFileError
        If a pattern matches no tensor or an override is not valid.

    Spec: FMT-16.
    """
    by_layer = {layer: tensor for tensor, layer in layers.items()}
    names = decisions.keys() | by_layer.keys()
    winning: dict[str, str] = {}
    for pattern in sorted(overrides, key=lambda pattern: pattern in names):
        if pattern in decisions:
            matches = [pattern]
        elif pattern in by_layer:
            matches = [by_layer[pattern]]
        else:
            matches = matching(pattern, layers)
        if not matches:
            raise WeightFileError(
                file,
                f"the override {pattern!r} matches no tensor",
                did_you_mean(pattern, names, LISTED),
            )
        winning |= dict.fromkeys(matches, pattern)
    result = dict(decisions)
    for name, pattern in winning.items():
        try:
            result[name] = _overridden(
                decisions[name],
                pattern,
                overrides[pattern],
                (decisions[name].computed or tensors[name]).shape,
            )
        except ValueError as error:
            raise WeightFileError(
                file,
                f"the override {pattern!r} is not valid: {error}",
                "Correct the override",
                name,
            ) from error
    return result


def matching(pattern: str, layers: Mapping[str, str]) -> list[str]:
    """Tensors whose name, or whose layer's name, has a pattern.

    Parameters
    ----------
    layers : the layers' names by the tensors' names.
    """
    return [
        tensor
        for tensor, layer in layers.items()
        if fnmatchcase(tensor, pattern) or fnmatchcase(layer, pattern)
    ]


def _overridden(
    decision: Decision, pattern: str, override: Mapping[str, Any], shape: tuple[int, ...]
) -> Decision:
    unknown = [key for key in override if key not in _KEYS]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; the keys are {', '.join(_KEYS)}")
    decided = f"override: {pattern}"
    if "skip" in override:
        reason = override["skip"]
        if len(override) > 1 or not isinstance(reason, str) or not reason:
            raise ValueError("skip must be the reason, and stand alone")
        return replace(decision, decided=decided, left_out=reason, code="left-out")

    before = decision.spec
    changes: dict[str, Any] = {}
    if "role" in override:
        changes["role"] = tensor_spec.parse_role(override["role"])
    role = changes.get("role", before.role)
    if "axes" in override:
        changes |= {"axes": tensor_spec.parse_axes(override["axes"]), "view": None}
        changes |= {} if "groups" in override else {"groups": 1}
        changes |= {} if "parts" in override else {"parts": ()}
    elif role != before.role:
        changes |= _of_role(decision, role, shape)
    if "layer" in override:
        changes["layer"] = tensor_spec.parse_name(override["layer"], "layer")
    if "parts" in override:
        parts = override["parts"]
        changes["parts"] = () if parts is None else tensor_spec.parse_parts(parts)
    if "groups" in override:
        changes["groups"] = tensor_spec.parse_groups(override["groups"])
    if "quantization" in override:
        changes["quantization"] = tensor_spec.parse_quantization(override["quantization"])
    spec = replace(before, **changes)
    if role in MATRIX_ROLES and "axes" in override and not spec.axes:
        raise ValueError(f"a tensor of role {role!r} needs axes")
    if role not in MATRIX_ROLES and (spec.axes or spec.parts or spec.groups > 1):
        raise ValueError(f"a tensor of role {role!r} has no axes, parts or groups")
    tensor_spec.check_matrix(spec)
    is_named = "role" in override
    return replace(
        decision,
        spec=spec,
        decided=decided,
        left_out=None if is_named else decision.left_out,
        code="left-out" if is_named else decision.code,
        warnings=() if {"parts", "axes"} & override.keys() else decision.warnings,
        computed=None if "quantization" in override else decision.computed,
    )


def _of_role(decision: Decision, role: str | None, shape: tuple[int, ...]) -> dict[str, Any]:
    """Tell what changes with the role alone."""
    if role not in MATRIX_ROLES:
        return {"axes": (), "view": None, "parts": (), "groups": 1, "quantization": None}
    if decision.spec.axes:
        return {}
    axes = default_axes(len(shape))
    if axes is None:
        raise ValueError(f"a tensor of {len(shape)} axes needs the key axes beside its role")
    return {"axes": axes}
