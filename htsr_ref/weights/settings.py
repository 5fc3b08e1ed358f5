"""The JSON files that lie beside a model's weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.backing import open_regular
from htsr_ref.weights.sniff import refuse_pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.backing import AnyPath

MAX_JSON = 16 * 2**20
FILES = {
    "config": ("config.json",),
    "quantize_config": ("quantize_config.json", "quant_config.json"),
    "hf_quant_config": ("hf_quant_config.json",),
    "adapter_config": ("adapter_config.json",),
}
"""What is read, by the name that it is known under; the first file that is there."""


def read_settings(folder: AnyPath) -> dict[str, Mapping[str, Any]]:
    """Read what a folder states of the model in it.

    Returns
    -------
    The JSON objects of `FILES` that are there. "quantization_config" is that of config.json, of
    a model within it, or else that of quantize_config.json; "quantization" is MLX's.

    Raises
    ------
    WeightFileError
        If one of these files is not a JSON object, too long or a link out of the folder.

    Spec: FMT-20.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for key, names in FILES.items():
        path = next((folder / name for name in names if (folder / name).is_file()), None)
        if path is not None:
            found[key] = _json_object(path)
    config = found.get("config", {})
    inner = [value for value in config.values() if isinstance(value, dict)]
    for key in ("quantization_config", "quantization"):
        stated = (c.get(key) for c in (config, *inner))
        first = next((value for value in stated if isinstance(value, dict)), None)
        if first is not None:
            found[key] = first
    if "quantization_config" not in found and "quantize_config" in found:
        found["quantization_config"] = found["quantize_config"]
    return found


def _json_object(path: AnyPath) -> Mapping[str, Any]:
    if not is_inside(path):
        raise WeightFileError(path, "it is a link out of its folder", "Copy the file there")
    with open_regular(path) as file:
        text = file.read(MAX_JSON + 1)
    refuse_pointer(path, text)
    if len(text) > MAX_JSON:
        raise WeightFileError(path, f"it has more than {MAX_JSON} bytes", "Check the file")
    try:
        value = json.loads(text)  # not strictly: transformers writes infinities into it
    except (ValueError, RecursionError) as error:
        raise WeightFileError(
            path, f"it is not valid JSON: {error}", "Download it again, or move it away"
        ) from error
    if not isinstance(value, dict):
        raise WeightFileError(path, "it is not a JSON object", "Download it again, or move it away")
    return value


def is_inside(path: AnyPath) -> bool:
    """Whether a file is in its folder.

    A Hugging Face cache keeps the files of `snapshots/<revision>` in `blobs` beside `snapshots`
    and links to them: that one way out is open. A remote store has no links.
    """
    if not isinstance(path, Path):
        return True
    folder, target = path.parent.resolve(), path.resolve()
    allowed = [folder]
    if folder.parent.name == "snapshots":
        allowed.append(folder.parent.parent / "blobs")
    return any(target.is_relative_to(place) for place in allowed)
