"""The user's corrections: what a tensor is, whatever the file or the inference says."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import WeightFileError
from htsr_ref.weights import manifest
from htsr_ref.weights.axes import MATRIX_KINDS, default_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.decision import Decision

_KEYS = ("kind", "axes", "layer", "parts", "groups", "quantization", "skip")


def apply_overrides(
    file: object,
    decisions: Mapping[str, Decision],
    tensors: Mapping[str, RawTensor],
    overrides: Mapping[str, Mapping[str, Any]],
) -> dict[str, Decision]:
    """Replace what the user knows better.

    A key of `overrides` is a tensor's name or a pattern with `*`, `?` and `[...]`. Where several
    match a tensor, its own name wins over patterns and a later pattern over an earlier one.

    Raises
    ------
    WeightFileError
        If a pattern matches no tensor or an override is not valid.

    Spec: FMT-16.
    """
    winning: dict[str, str] = {}
    for pattern in sorted(overrides, key=lambda pattern: pattern in decisions):
        if pattern in decisions:
            matches = [pattern]
        else:
            matches = [name for name in decisions if fnmatchcase(name, pattern)]
        if not matches:
            raise WeightFileError(
                file,
                f"the override {pattern!r} matches no tensor",
                "Compare it with the tensor names that `htsr describe` lists",
            )
        winning |= dict.fromkeys(matches, pattern)
    result = dict(decisions)
    for name, pattern in winning.items():
        try:
            result[name] = _overridden(
                decisions[name], pattern, overrides[pattern], len(tensors[name].shape)
            )
        except ValueError as error:
            raise WeightFileError(
                file,
                f"the override {pattern!r} is not valid: {error}",
                "Correct the override",
                name,
            ) from error
    return result


def _overridden(
    decision: Decision, pattern: str, override: Mapping[str, Any], ndim: int
) -> Decision:
    unknown = [key for key in override if key not in _KEYS]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; the keys are {', '.join(_KEYS)}")
    decided = f"override: {pattern}"
    if "skip" in override:
        reason = override["skip"]
        if len(override) > 1 or not isinstance(reason, str) or not reason:
            raise ValueError("skip must be the reason, and stand alone")
        return replace(decision, decided=decided, left_out=reason)

    changes: dict[str, Any] = {}
    if "kind" in override:
        changes["kind"] = manifest.parse_kind(override["kind"])
    kind = changes.get("kind", decision.spec.kind)
    if "axes" in override:
        changes["axes"] = manifest.parse_axes(override["axes"])
    elif kind != decision.spec.kind:
        changes["axes"] = _axes_of_kind(decision, kind, ndim)
    if "layer" in override:
        changes["layer"] = manifest.parse_name(override["layer"], "layer")
    if "parts" in override:
        changes["parts"] = manifest.parse_parts(override["parts"])
    if "groups" in override:
        changes["groups"] = manifest.parse_groups(override["groups"])
    if "quantization" in override:
        changes["quantization"] = manifest.parse_quantization(override["quantization"])
    spec = replace(decision.spec, **changes)
    if kind not in MATRIX_KINDS and (spec.axes or spec.parts or spec.groups > 1):
        raise ValueError(f"a tensor of kind {kind!r} has no axes, parts or groups")
    if spec.groups > 1 and kind != "conv":
        raise ValueError("groups belong to the kind 'conv'")
    if spec.groups > 1 and spec.parts:
        raise ValueError("parts cannot be combined with groups")
    return replace(
        decision,
        spec=spec,
        decided=decided,
        left_out=None if "kind" in override else decision.left_out,
        warnings=() if {"parts", "axes"} & override.keys() else decision.warnings,
    )


def _axes_of_kind(decision: Decision, kind: str, ndim: int) -> tuple[str, ...]:
    if kind not in MATRIX_KINDS:
        return ()
    if decision.spec.axes and "conv" not in (kind, decision.spec.kind):
        return decision.spec.axes
    axes = default_axes(kind, ndim)
    if axes is None:
        raise ValueError(f"a tensor of {ndim} axes is not of kind {kind!r}: declare its axes")
    return axes
