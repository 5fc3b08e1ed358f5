"""The manifest: what each tensor of a weight file means, as one JSON string."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import WeightFileError
from htsr_ref.text import strictjson
from htsr_ref.weights.axes import CANONICAL_AXES, KINDS, MATRIX_KINDS
from htsr_ref.weights.layer import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "htsr-weights/1"
MANIFEST_KEY = "htsr_manifest"
SOURCE_KEYS = ("framework", "converter", "file", "sha256")
ANY_KIND_KEYS = ("layer", "kind", "same_as", "rule", "inferred")
ENTRY_KEYS = (*ANY_KIND_KEYS, "axes", "groups", "parts", "quantization")

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
    """The manifest's entry of one tensor.

    Parameters
    ----------
    kind : linear, conv, embedding, recurrent, bias, norm or other.
    axes : names of the axes; empty for the kinds that are not analyzed.
    layer : the layer's name; None to take the tensor's.
    groups : number of groups of a convolution.
    parts : sections of the axis "out".
    quantization : scale and zero point of stored integers.
    same_as : the tensor that holds the same weights.
    rule : why the file's maker took it for what it is.
    inferred : whether that was a guess.

    Spec: FMT-3.
    """

    kind: str
    axes: tuple[str, ...] = ()
    layer: str | None = None
    groups: int = 1
    parts: tuple[Part, ...] = ()
    quantization: Quantization | None = None
    same_as: str | None = None
    rule: str | None = None
    inferred: bool = False


@dataclass(frozen=True)
class Manifest:
    """The tensors' entries by name, the file's origin, and what its maker added.

    Spec: FMT-2.
    """

    tensors: Mapping[str, TensorSpec]
    source: Mapping[str, str | None]
    extra: Mapping[str, Any] = field(default_factory=dict)


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
        if version != FORMAT:
            raise WeightFileError(
                path,
                f"its manifest has the format {version!r}, not {FORMAT!r}",
                "Convert the file again, or install the release of htsr-ref that knows this format",
            )
        _only_keys(value, ("format", "source", "tensors", "extra"), "the manifest")
        extra = _object(value.get("extra", {}), "extra")
        source = _source(value.get("source", {}))
        tensors = _object(value.get("tensors"), "tensors")
    except ValueError as error:
        raise WeightFileError(
            path, f"its manifest is not valid: {error}", "Convert the file again"
        ) from error
    specs = {}
    for name, entry in tensors.items():
        try:
            specs[name] = parse_entry(entry)
        except ValueError as error:
            raise WeightFileError(
                path, f"its manifest is not valid: {error}", "Convert the file again", name
            ) from error
    return Manifest(specs, source, extra)


def parse_entry(entry: Any) -> TensorSpec:
    """Read one tensor's entry.

    Raises
    ------
    ValueError
        With what is wrong.

    Spec: FMT-3, FMT-4, FMT-5, FMT-6.

    >>> parse_entry({"kind": "linear", "axes": ["out", "in"], "layer": "fc1"}).axes
    ('out', 'in')
    """
    entry = _object(entry, "the entry")
    _only_keys(entry, ENTRY_KEYS, "the entry")
    kind = parse_kind(entry.get("kind"))
    if kind not in MATRIX_KINDS:
        _only_keys(entry, ANY_KIND_KEYS, f"an entry of kind {kind!r}")
    axes = parse_axes(entry["axes"]) if "axes" in entry else ()
    if axes not in CANONICAL_AXES[kind]:
        raise ValueError(
            f"a tensor of kind {kind!r} cannot have the axes {list(axes)}; "
            "the order is [stack, out, in, k1, ...]"
        )
    groups = parse_groups(entry.get("groups", 1))
    if "groups" in entry and kind != "conv":
        raise ValueError("groups belong to the kind 'conv'")
    parts = parse_parts(entry["parts"]) if "parts" in entry else ()
    if parts and groups > 1:
        raise ValueError("parts cannot be combined with groups")
    quantization = parse_quantization(entry["quantization"]) if "quantization" in entry else None
    axis = None if quantization is None else quantization.axis
    if axis is not None and axis >= len(axes):
        raise ValueError(f"quantization: there is no axis {axis}")
    inferred = entry.get("inferred", False)
    if not isinstance(inferred, bool) or (inferred and "rule" not in entry):
        raise ValueError(f"inferred must be true beside a rule, or false, got {inferred!r}")
    return TensorSpec(
        kind,
        axes,
        layer=parse_name(entry["layer"], "layer") if "layer" in entry else None,
        groups=groups,
        parts=parts,
        quantization=quantization,
        same_as=parse_name(entry["same_as"], "same_as") if "same_as" in entry else None,
        rule=parse_name(entry["rule"], "rule") if "rule" in entry else None,
        inferred=inferred,
    )


def parse_kind(value: Any) -> str:
    """Read a kind; ValueError if it is none."""
    if not isinstance(value, str) or value not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {value!r}")
    return value


def parse_axes(value: Any) -> tuple[str, ...]:
    """Read a list of axis names; ValueError if it is none."""
    return tuple(parse_name(name, "axes") for name in _list(value, "axes"))


def parse_groups(value: Any) -> int:
    """Read the number of groups; ValueError if it is none."""
    return _integer(value, "groups", least=1)


def parse_parts(value: Any) -> tuple[Part, ...]:
    """Read the parts of the axis "out"; ValueError if they are none."""
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
    """Read a quantization; ValueError if it is none. Spec: FMT-5."""
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
    value["extra"] = dict(manifest.extra)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _entry(spec: TensorSpec) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": spec.kind}
    if spec.layer is not None:
        entry["layer"] = spec.layer
    if spec.axes:
        entry["axes"] = list(spec.axes)
    if spec.kind == "conv" or spec.groups != 1:
        entry["groups"] = spec.groups
    if spec.parts:
        entry["parts"] = [{"name": part.name, "size": part.size} for part in spec.parts]
    if spec.quantization is not None:
        entry["quantization"] = {
            "scale": _json_constant(spec.quantization.scale),
            "zero_point": _json_constant(spec.quantization.zero_point),
            "axis": spec.quantization.axis,
        }
    if spec.same_as is not None:
        entry["same_as"] = spec.same_as
    if spec.rule is not None:
        entry |= {"rule": spec.rule, "inferred": spec.inferred}
    return entry


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
    """Read a name; ValueError if it is none."""
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
