"""What the JSON beside the weights says about their packing, read without trusting its form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from htsr_ref.errors import shown
from htsr_ref.text import strictjson
from htsr_ref.weights.packed.methods import quantization_config, text
from htsr_ref.weights.packed.packed_module import DamagedPackingError
from htsr_ref.weights.packed.reading import CURE, damaged, require_type
from htsr_ref.weights.packed.scales import read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.grid import Matrix
    from htsr_ref.weights.packed.packed_module import PackedModule

_COMFY_METADATA = "_quantization_metadata"
_MAX_COMFY_BYTES = 65536


def method(module: PackedModule) -> str:
    """Return quant_method in small letters; empty where there is none."""
    return text(quantization_config(module), "quant_method") or ""


def is_modelopt(module: PackedModule) -> bool:
    """Whether a config says that NVIDIA's ModelOpt wrote the weights."""
    return "hf_quant_config" in module.settings or method(module).startswith("modelopt")


def weight_arguments(module: PackedModule) -> tuple[Mapping[str, Any], ...]:
    """Return what the groups of a compressed-tensors config say about weights."""
    groups = _mapping(quantization_config(module).get("config_groups"))
    weights = (_mapping(group).get("weights") for group in groups.values())
    return tuple(_mapping(found) for found in weights if isinstance(found, dict))


def stated_blocks(module: PackedModule) -> tuple[Matrix, ...]:
    """Return the sizes of blocks that the configs state, each once.

    Raises
    ------
    DamagedPackingError
        If a size is not a pair of positive integers.
    """
    found = [quantization_config(module).get("weight_block_size")]
    for arguments in weight_arguments(module):
        found.append(arguments.get("block_structure"))
        if arguments.get("group_size") is not None and arguments["group_size"] != -1:
            found.append([1, arguments["group_size"]])
    group = _mapping(_mapping(module.settings.get("hf_quant_config")).get("quantization"))
    if group.get("group_size") is not None:
        found.append([1, group["group_size"]])
    blocks = [_block(module, size) for size in found if size is not None]
    return tuple(dict.fromkeys(blocks))


def comfy_marker(module: PackedModule) -> Mapping[str, Any] | None:
    """Return what ComfyUI's marker of this layer says; None without a marker.

    The marker is a small tensor `comfy_quant` with JSON, or an entry of the file's metadata.

    Raises
    ------
    DamagedPackingError
        If the marker is there and is no JSON.
    """
    if "comfy_quant" in module.tensors:
        return _mapping(_json(module, _text_of(module.tensors["comfy_quant"])))
    metadata = _mapping(module.settings.get("metadata")).get(_COMFY_METADATA)
    if not isinstance(metadata, str):
        return None
    layers = _mapping(_mapping(_json(module, metadata)).get("layers"))
    return _mapping(layers[module.name]) if module.name in layers else None


def _text_of(marker: RawTensor) -> bytes:
    require_type(marker, "uint8")
    if len(marker.shape) != 1 or marker.shape[0] > _MAX_COMFY_BYTES:
        raise damaged(marker, f"its shape is {marker.shape}, which is not that of a short text")
    try:
        return read_bytes(marker, slice(None)).tobytes()
    except OSError as error:
        raise damaged(marker, f"it cannot be read ({error})") from error


def _json(module: PackedModule, content: str | bytes) -> Any:
    try:
        return strictjson.loads(content)
    except ValueError as error:
        raise DamagedPackingError(
            f"module {shown(module.name)}: what is said about its packing is not valid JSON "
            f"({error}). {CURE}"
        ) from error


def _block(module: PackedModule, size: Any) -> Matrix:
    pair = size.lower().split("x") if isinstance(size, str) else size
    try:
        rows, columns = (int(step) for step in pair)
    except (TypeError, ValueError, OverflowError):
        rows = columns = 0
    if rows < 1 or columns < 1:
        raise DamagedPackingError(
            f"module {shown(module.name)}: the config states blocks of {size!r}, which is not a "
            f"pair of positive integers. {CURE}"
        )
    return rows, columns


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
