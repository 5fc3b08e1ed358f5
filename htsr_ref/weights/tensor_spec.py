"""What is known of one tensor, and its entry in a manifest."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.layer import Part
from htsr_ref.weights.meaning.axes import matrix_layout
from htsr_ref.weights.meaning.roles import MATRIX_ROLES, ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTRY_KEYS = (
    "role",
    "axes",
    "view",
    "groups",
    "parts",
    "quantization",
    "decoded_from",
    "layer",
    "class",
    "config",
    "same_as",
    "rule",
    "inferred",
)
_MATRIX_KEYS = ("axes", "view", "groups", "parts", "quantization", "decoded_from")

Constant = float | tuple[float, ...] | str
"""A number, one number for each index of an axis, or the name of a tensor that holds them."""


@dataclass(frozen=True)
class Quantization:
    """Scale and zero point of stored integers: value = (code - zero_point) * scale.

    Spec: FMT-5.
    """

    scale: Constant
    zero_point: Constant = 0.0
    axis: int | None = None


@dataclass(frozen=True)
class TensorSpec:
    """What is known of one tensor; what is not known is inferred.

    Parameters
    ----------
    role : one of `ROLES`; None if it is not stated.
    axes : names of the axes, in stored order; of `view`, where that is given.
    layer : the layer's name; None to take the tensor's.
    groups : number of groups of a convolution.
    parts : sections of the axis "out".
    quantization : scale and zero point of stored integers; its axis is a canonical one.
    same_as : the tensor that holds the same weights.
    rule : why it is taken for what it is.
    inferred : whether that is a guess.
    view : shape that cuts the stored axes into those that `axes` names.
    layer_class : class of the layer in the source, in snake case ("conv2d_transpose").
    config : arguments of that layer that the source states.
    decoded_from : number type that the numbers were decoded from.

    Spec: FMT-3, FMT-23.
    """

    role: str | None = None
    axes: tuple[str, ...] = ()
    layer: str | None = None
    groups: int = 1
    parts: tuple[Part, ...] = ()
    quantization: Quantization | None = None
    same_as: str | None = None
    rule: str | None = None
    inferred: bool = False
    view: tuple[int, ...] | None = None
    layer_class: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    decoded_from: str | None = None


NOTHING_KNOWN = TensorSpec()
"""What a file without a manifest says of a tensor."""


def parse_entry(entry: Any) -> TensorSpec:
    """Read one tensor's entry.

    Raises
    ------
    ValueError
        With what is wrong.

    Spec: FMT-3, FMT-4, FMT-5, FMT-6.

    >>> parse_entry({"role": "weight", "axes": ["in", "out"], "layer": "fc1"}).axes
    ('in', 'out')
    """
    entry = json_object(entry, "the entry")
    only_keys(entry, ENTRY_KEYS, "the entry")
    role = parse_role(entry["role"]) if "role" in entry else None
    if role is not None and role not in MATRIX_ROLES:
        unfit = [key for key in _MATRIX_KEYS if key in entry]
        if unfit:
            raise ValueError(f"a tensor of role {role!r} has no {unfit[0]}")
    axes = parse_axes(entry["axes"]) if "axes" in entry else ()
    if role in MATRIX_ROLES and not axes:
        raise ValueError(f"a tensor of role {role!r} needs axes")
    unfit = [
        key for key in ("view", "groups", "parts", "decoded_from") if key in entry and not axes
    ]
    if unfit:
        raise ValueError(f"{unfit[0]} needs axes")
    spec = TensorSpec(
        role,
        axes,
        layer=parse_name(entry["layer"], "layer") if "layer" in entry else None,
        groups=parse_groups(entry.get("groups", 1)),
        parts=parse_parts(entry["parts"]) if "parts" in entry else (),
        quantization=(
            parse_quantization(entry["quantization"]) if "quantization" in entry else None
        ),
        same_as=parse_name(entry["same_as"], "same_as") if "same_as" in entry else None,
        rule=parse_name(entry["rule"], "rule") if "rule" in entry else None,
        inferred=is_inferred(entry),
        view=parse_view(entry["view"]) if "view" in entry else None,
        layer_class=parse_name(entry["class"], "class") if "class" in entry else None,
        config=json_object(entry.get("config", {}), "config"),
        decoded_from=(
            parse_name(entry["decoded_from"], "decoded_from") if "decoded_from" in entry else None
        ),
    )
    check_matrix(spec)
    return spec


def check_matrix(spec: TensorSpec) -> None:
    """Check what can be checked of a weight matrix without its shape.

    Raises
    ------
    ValueError
        With what is wrong.

    Spec: FMT-3, FMT-4, FMT-5.
    """
    if not spec.axes:
        return
    axes = matrix_layout(spec.axes, (1,) * len(spec.axes)).axes
    if spec.view is not None and len(spec.view) != len(spec.axes):
        raise ValueError(f"{len(spec.axes)} axes are named but its view has {len(spec.view)}")
    if spec.groups > 1 and "k1" not in axes:
        raise ValueError("groups belong to convolutions")
    if spec.groups > 1 and spec.parts:
        raise ValueError("parts cannot be combined with groups")
    if spec.decoded_from is not None and spec.quantization is not None:
        raise ValueError("decoded numbers have no quantization")
    axis = None if spec.quantization is None else spec.quantization.axis
    if axis is not None and axis >= len(spec.axes):
        raise ValueError(f"quantization: there is no axis {axis}")


def is_inferred(entry: Mapping[str, Any]) -> bool:
    """Whether an entry says that it is a guess; ValueError if it gives no rule for one."""
    inferred = entry.get("inferred", False)
    if not isinstance(inferred, bool) or (inferred and "rule" not in entry):
        raise ValueError(f"inferred must be true beside a rule, or false, got {inferred!r}")
    return inferred


def parse_role(value: Any) -> str:
    """Read a role; ValueError if it is not one."""
    if not isinstance(value, str) or value not in ROLES:
        raise ValueError(f"role must be one of {', '.join(ROLES)}, got {value!r}")
    return value


def parse_axes(value: Any) -> tuple[str, ...]:
    """Read a list of axis names; ValueError if it is not one."""
    return tuple(parse_name(name, "axes") for name in _list(value, "axes"))


def parse_view(value: Any) -> tuple[int, ...]:
    """Read the shape of a view; ValueError if it is not one."""
    return tuple(_integer(size, "view", least=0) for size in _list(value, "view"))


def parse_groups(value: Any) -> int:
    """Read the number of groups; ValueError if it is not one."""
    return _integer(value, "groups", least=1)


def parse_parts(value: Any) -> tuple[Part, ...]:
    """Read the parts of the axis "out"; ValueError if they are not valid."""
    parts = []
    for item in _list(value, "parts"):
        part = json_object(item, "a part")
        only_keys(part, ("name", "size"), "a part")
        parts.append(
            Part(parse_name(part.get("name"), "name"), _integer(part.get("size"), "size", least=1))
        )
    if not parts:
        raise ValueError("parts must not be empty")
    if len({part.name for part in parts}) < len(parts):
        raise ValueError("two parts have the same name")
    return tuple(parts)


def parse_quantization(value: Any) -> Quantization:
    """Read a quantization; ValueError if it is not one. Spec: FMT-5."""
    value = json_object(value, "quantization")
    only_keys(value, ("scale", "zero_point", "axis"), "quantization")
    axis = value.get("axis")
    axis = None if axis is None else _integer(axis, "quantization: axis", least=0)
    scale = _constant(value.get("scale"), "scale")
    zero_point = _constant(value.get("zero_point", 0), "zero_point")
    if axis is None and (isinstance(scale, tuple) or isinstance(zero_point, tuple)):
        raise ValueError("quantization: a list needs the axis that it runs along")
    return Quantization(scale, zero_point, axis)


def dump_entry(spec: TensorSpec) -> dict[str, Any]:
    """Return the entry that says what is known of a tensor. Spec: FMT-3."""
    entry: dict[str, Any] = {
        "role": spec.role,
        "layer": spec.layer,
        "class": spec.layer_class,
        "config": dict(spec.config),
        "axes": list(spec.axes),
        "view": None if spec.view is None else list(spec.view),
        "parts": [{"name": part.name, "size": part.size} for part in spec.parts],
        "decoded_from": spec.decoded_from,
        "same_as": spec.same_as,
        "rule": spec.rule,
    }
    if spec.groups != 1:
        entry["groups"] = spec.groups
    if spec.quantization is not None:
        entry["quantization"] = {
            "scale": _json_constant(spec.quantization.scale),
            "zero_point": _json_constant(spec.quantization.zero_point),
            "axis": spec.quantization.axis,
        }
    if spec.inferred:
        entry["inferred"] = True
    return {key: value for key, value in entry.items() if value not in (None, [], {})}


def _json_constant(constant: Constant) -> Any:
    return {"tensor": constant} if isinstance(constant, str) else constant


def _constant(value: Any, what: str) -> Constant:
    if isinstance(value, dict):
        only_keys(value, ("tensor",), what)
        return parse_name(value.get("tensor"), what)
    if isinstance(value, list):
        if not value:
            raise ValueError(f"quantization: {what} must not be an empty list")
        return tuple(_number(item, what) for item in value)
    return _number(value, what)


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"quantization: {what} must be a number, a list of numbers or a tensor")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"quantization: {what} is beyond the range of float64")
    return number


def parse_name(value: Any, what: str) -> str:
    """Read a name; ValueError if it is not one."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{what} must be a string that is not empty")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{what} must be a list")
    return list(value)


def _integer(value: Any, what: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{what} must be an integer of at least {least}, got {value!r}")
    return value


def json_object(value: Any, what: str) -> dict[str, Any]:
    """Return a JSON object; ValueError if it is not one."""
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a JSON object")
    return value


def only_keys(value: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    """Check that an object has no other keys; ValueError if it has."""
    unknown = [key for key in value if key not in known]
    if unknown:
        raise ValueError(f"{what} has the unknown key {unknown[0]!r}")
