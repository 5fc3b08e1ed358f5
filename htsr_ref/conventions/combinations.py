"""Values of different fields that make sense only together."""

from collections.abc import Mapping
from typing import Any

from htsr_ref.errors import ConventionError

_PLAIN = {"estimator": "mle", "xmin": "ks", "ks_model": "unbounded"}

_NEEDS: tuple[tuple[str, Any, Mapping[str, Any]], ...] = (
    ("xmax", "largest", {"ks_model": "renormalized"}),
    ("ks_model", "renormalized", {"xmax": "largest"}),
    ("estimator", "bounded-mle", {"xmax": "largest"}),
    ("estimator", "truncated", {"xmax": "none"}),
    ("small_samples", "corrected", _PLAIN),
    ("orientation", "toggled", {"conv": "pooled"}),
)
"""Value of a field, and the values of others without which it means nothing."""

_CLIPPED = {**_PLAIN, "small_samples": "alike"}
"""Values without which `clip_fingers` above 0 means nothing."""

_PARAMETERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "windows": (("linear", "windows"), ("linear", "fixed-windows"), ("conv", "row-blocks")),
    "map_size": (("conv", "operator"),),
    "xmin_position": (("xmin", "median"),),
}
"""Fields that are given where one of some others has a value, and only there."""

COUPLED = frozenset(
    {"clip_fingers", *_CLIPPED, *_PARAMETERS}
    | {field for users in _PARAMETERS.values() for field, _ in users}
    | {field for name, _, needed in _NEEDS for field in (name, *needed)}
)
"""Fields whose values can need one another (CNV-2)."""


def check_combinations(values: Mapping[str, Any]) -> None:
    """Refuse values that contradict one another, or that nothing would read.

    Spec: CNV-2.
    """
    for name, value, needed in _NEEDS:
        if values[name] == value:
            _require(values, f"{name} = {value}", needed)
    if values["clip_fingers"] == 1:
        raise ConventionError("clip_fingers = 1: the rule never drops exactly one (PL-15)")
    if values["clip_fingers"]:
        _require(values, "clip_fingers > 0", _CLIPPED)
    for name, users in _PARAMETERS.items():
        used = any(values[field] == value for field, value in users)
        _pair(values, name, used, " or ".join(f"{field} = {value}" for field, value in users))


def _require(values: Mapping[str, Any], what: str, needed: Mapping[str, Any]) -> None:
    for name, value in needed.items():
        if values[name] != value:
            raise ConventionError(f"{what} needs {name} = {value}, which is {values[name]}")


def _pair(values: Mapping[str, Any], name: str, used: bool, user: str) -> None:
    """Refuse a parameter that is missing where it is used, or given where it is not."""
    if used and values[name] is None:
        raise ConventionError(f"{user} needs {name}. Give it, as with --set {name}=…")
    if not used and values[name] is not None:
        raise ConventionError(f"{name} = {values[name]} is read only with {user}")
