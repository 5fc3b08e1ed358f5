"""The manifest: what a weight file's maker knows of its tensors, as one string of JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import WeightFileError
from htsr_ref.text import strictjson
from htsr_ref.weights.layer import Part
from htsr_ref.weights.meaning.axes import SPATIAL, matrix_layout
from htsr_ref.weights.meaning.roles import MATRIX_ROLES, ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "htsr-weights/2"
FORMATS = ("htsr-weights/1", FORMAT)
"""Versions that are read; the last is written."""
MANIFEST_KEY = "htsr_manifest"
NOT_DECODED = "not_decoded"
"""Key of `extra`: tensors of which a conversion could make no weight, each with why."""
SOURCE_KEYS = ("framework", "converter", "file", "sha256")
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
_KINDS = {"linear": "weight", "conv": "weight", "other": None}
"""Kinds of version 1 that are not roles, and the roles that they stand for."""
_GUESSED_CONVOLUTION = "3 to 5 axes (out, in, k)"
"""The rule of version 1 that took every tensor of three axes for a convolution."""

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


@dataclass(frozen=True)
class Manifest:
    """The tensors' entries by name, the file's origin, and what its maker added.

    `config` is what the source states of the whole model, such as a GGUF file's metadata.

    Spec: FMT-2.
    """

    tensors: Mapping[str, TensorSpec]
    source: Mapping[str, str | None]
    extra: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


def parse_manifest(text: str, path: object) -> Manifest:
    """Read a manifest.

    Raises
    ------
    WeightFileError
        If it is not JSON or does not follow the schema `spec/schemas/weights.schema.json`.

    Spec: FMT-2.
    """
    try:
        value = _object(strictjson.loads(text), "the manifest")
        version = value.get("format")
        if version not in FORMATS:
            raise WeightFileError(
                path,
                f"its manifest has the format {version!r}; {' and '.join(FORMATS)} are known",
                "Convert the file again, or install the release of htsr-ref that knows this format",
            )
        first = version == FORMATS[0]
        known = ("format", "source", "tensors", "extra") + (() if first else ("config",))
        _only_keys(value, known, "the manifest")
        extra = _object(value.get("extra", {}), "extra")
        config = _object(value.get("config", {}), "config")
        source = _source(value.get("source", {}))
        tensors = _object(value.get("tensors"), "tensors")
    except ValueError as error:
        raise WeightFileError(
            path, f"its manifest is not valid: {error}", "Convert the file again"
        ) from error
    specs = {}
    for name, entry in tensors.items():
        try:
            specs[name] = _first_entry(entry) if first else parse_entry(entry)
        except ValueError as error:
            raise WeightFileError(
                path, f"its manifest is not valid: {error}", "Convert the file again", name
            ) from error
    return Manifest(specs, source, extra, config)


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
    entry = _object(entry, "the entry")
    _only_keys(entry, ENTRY_KEYS, "the entry")
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
        inferred=_inferred(entry),
        view=parse_view(entry["view"]) if "view" in entry else None,
        layer_class=parse_name(entry["class"], "class") if "class" in entry else None,
        config=_object(entry.get("config", {}), "config"),
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


def _inferred(entry: Mapping[str, Any]) -> bool:
    inferred = entry.get("inferred", False)
    if not isinstance(inferred, bool) or (inferred and "rule" not in entry):
        raise ValueError(f"inferred must be true beside a rule, or false, got {inferred!r}")
    return inferred


def _first_entry(entry: Any) -> TensorSpec:
    """Read an entry of version 1: what is declared is kept, what is inferred is inferred anew.

    Axes were canonical, whatever the source's order; an inferred entry keeps them as a fact,
    unless every tensor of three axes was given them.

    Spec: FMT-19.
    """
    entry = dict(_object(entry, "the entry"))
    known = ("layer", "kind", "same_as", "rule", "inferred", "axes", "groups", "parts")
    _only_keys(entry, (*known, "quantization"), "the entry")
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
        _only_keys(entry, ("layer", "same_as", "rule", "inferred"), "an entry of kind 'other'")
        if not _inferred(entry):
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
        part = _object(item, "a part")
        _only_keys(part, ("name", "size"), "a part")
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
    value = _object(value, "quantization")
    _only_keys(value, ("scale", "zero_point", "axis"), "quantization")
    axis = value.get("axis")
    axis = None if axis is None else _integer(axis, "quantization: axis", least=0)
    scale = _constant(value.get("scale"), "scale")
    zero_point = _constant(value.get("zero_point", 0), "zero_point")
    if axis is None and (isinstance(scale, tuple) or isinstance(zero_point, tuple)):
        raise ValueError("quantization: a list needs the axis that it runs along")
    return Quantization(scale, zero_point, axis)


def dump_manifest(manifest: Manifest) -> str:
    """Write a manifest; the same manifest always gives the same text. Spec: FMT-2, FMT-7."""
    tensors = {name: _entry(spec) for name, spec in manifest.tensors.items()}
    source = {key: manifest.source.get(key) for key in SOURCE_KEYS}
    value = {"format": FORMAT, "source": source, "tensors": tensors}
    value |= {"extra": dict(manifest.extra), "config": dict(manifest.config)}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _entry(spec: TensorSpec) -> dict[str, Any]:
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
        _only_keys(value, ("tensor",), what)
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


def _source(value: Any) -> Mapping[str, str | None]:
    value = _object(value, "source")
    _only_keys(value, SOURCE_KEYS, "source")
    for key, text in value.items():
        if text is not None and not isinstance(text, str):
            raise ValueError(f"source: {key} must be a string or null")
    return {key: value.get(key) for key in SOURCE_KEYS}


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a JSON object")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{what} must be a list")
    return list(value)


def parse_name(value: Any, what: str) -> str:
    """Read a name; ValueError if it is not one."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{what} must be a string that is not empty")
    return value


def _integer(value: Any, what: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{what} must be an integer of at least {least}, got {value!r}")
    return value


def _only_keys(value: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    unknown = [key for key in value if key not in known]
    if unknown:
        raise ValueError(f"{what} has the unknown key {unknown[0]!r}")
