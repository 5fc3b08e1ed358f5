"""The manifest: what a weight file's maker knows of its tensors, as one string of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import WeightFileError
from htsr_ref.text import strictjson
from htsr_ref.weights.first_manifest import parse_first_entry
from htsr_ref.weights.tensor_spec import (
    TensorSpec,
    dump_entry,
    json_object,
    only_keys,
    parse_entry,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "htsr-weights/2"
FORMATS = ("htsr-weights/1", FORMAT)
"""Versions that are read; the last is written."""
MANIFEST_KEY = "htsr_manifest"
NOT_DECODED = "not_decoded"
"""Key of `extra`: tensors of which a conversion could make no weight, each with why."""
SOURCE_KEYS = ("framework", "converter", "file", "sha256")


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
        value = json_object(strictjson.loads(text), "the manifest")
        version = value.get("format")
        if version not in FORMATS:
            raise WeightFileError(
                path,
                f"its manifest has the format {version!r}; {' and '.join(FORMATS)} are known",
                "Convert the file again, or install the release of htsr-ref that knows this format",
            )
        first = version == FORMATS[0]
        known = ("format", "source", "tensors", "extra") + (() if first else ("config",))
        only_keys(value, known, "the manifest")
        extra = json_object(value.get("extra", {}), "extra")
        config = json_object(value.get("config", {}), "config")
        source = _source(value.get("source", {}))
        tensors = json_object(value.get("tensors"), "tensors")
    except ValueError as error:
        raise WeightFileError(
            path, f"its manifest is not valid: {error}", "Convert the file again"
        ) from error
    specs = {}
    for name, entry in tensors.items():
        try:
            specs[name] = parse_first_entry(entry) if first else parse_entry(entry)
        except ValueError as error:
            raise WeightFileError(
                path, f"its manifest is not valid: {error}", "Convert the file again", name
            ) from error
    return Manifest(specs, source, extra, config)


def dump_manifest(manifest: Manifest) -> str:
    """Write a manifest; the same manifest always gives the same text. Spec: FMT-2, FMT-7."""
    tensors = {name: dump_entry(spec) for name, spec in manifest.tensors.items()}
    source = {key: manifest.source.get(key) for key in SOURCE_KEYS}
    value = {"format": FORMAT, "source": source, "tensors": tensors}
    value |= {"extra": dict(manifest.extra), "config": dict(manifest.config)}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _source(value: Any) -> Mapping[str, str | None]:
    value = json_object(value, "source")
    only_keys(value, SOURCE_KEYS, "source")
    for key, text in value.items():
        if text is not None and not isinstance(text, str):
            raise ValueError(f"source: {key} must be a string or null")
    return {key: value.get(key) for key in SOURCE_KEYS}
