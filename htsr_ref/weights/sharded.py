"""Folders: one safetensors file, or several with their index."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from htsr_ref.errors import WeightFileError
from htsr_ref.text import strictjson
from htsr_ref.weights.backing import open_regular
from htsr_ref.weights.container import Container, RawTensor
from htsr_ref.weights.manifest import Manifest
from htsr_ref.weights.safetensors_file import read_safetensors

MAX_INDEX = 100_000_000
_INDEX_SUFFIX = ".safetensors.index.json"
_AGAIN = "Download the model again"


def read_folder(folder: Path) -> Container:
    """Read a folder's index, or the only safetensors file in it.

    Raises
    ------
    WeightFileError
        If the folder has neither, or several.

    Spec: FMT-9.
    """
    names = sorted(path.name for path in folder.iterdir())
    indices = [name for name in names if name.endswith(_INDEX_SUFFIX)]
    if len(indices) == 1:
        return read_index(folder / indices[0])
    files = [name for name in names if name.endswith(".safetensors")]
    if len(files) == 1 and not indices:
        return read_safetensors(folder / files[0])
    if indices or files:
        found = ", ".join((indices or files)[:3])
        raise WeightFileError(
            folder, f"the folder has several models ({found}, ...)", "Name one of the files"
        )
    raise WeightFileError(
        folder, "the folder has no safetensors file", "Convert the model or name its file"
    )


def read_index(index: Path) -> Container:
    """Read all files that an index names.

    Raises
    ------
    WeightFileError
        If the index is not valid, leads out of its folder, names a file that is missing or a
        tensor that its file does not hold.

    Spec: FMT-9.
    """
    weight_map = _weight_map(index)
    shards = {
        name: read_safetensors(_inside(index, name)) for name in sorted(set(weight_map.values()))
    }
    stored = {
        name: {tensor.name: tensor for tensor in shard.tensors} for name, shard in shards.items()
    }
    tensors: list[RawTensor] = []
    for tensor, shard in weight_map.items():
        if tensor not in stored[shard]:
            raise WeightFileError(
                index, f"the index looks for it in {shard}, which does not hold it", _AGAIN, tensor
            )
        tensors.append(stored[shard][tensor])
    warnings = tuple(
        f"{shard}: tensor {tensor!r} is not in the index and was not read"
        for shard in shards
        for tensor in stored[shard]
        if weight_map.get(tensor) != shard
    )
    return Container(
        "safetensors-sharded",
        tuple(sorted([index, *(index.parent / name for name in shards)])),
        tuple(tensors),
        _joined_manifest(index, shards),
        {
            dropped: kept
            for shard in shards.values()
            for dropped, kept in shard.ties.items()
            if dropped not in weight_map
        },
        warnings,
    )


def _weight_map(index: Path) -> dict[str, str]:
    with open_regular(index) as file:
        text = file.read(MAX_INDEX + 1)
    if len(text) > MAX_INDEX:
        raise WeightFileError(index, f"an index has at most {MAX_INDEX} bytes", _AGAIN)
    try:
        value: Any = strictjson.loads(text)
    except ValueError as error:
        raise WeightFileError(index, f"the index is not valid: {error}", _AGAIN) from error
    weight_map = value.get("weight_map") if isinstance(value, dict) else None
    if (
        not isinstance(weight_map, dict)
        or not weight_map
        or not all(isinstance(name, str) for name in weight_map.values())
    ):
        raise WeightFileError(
            index, "the index has no weight_map from tensor names to file names", _AGAIN
        )
    return weight_map


def _inside(index: Path, name: str) -> Path:
    """Path of a shard; refused if it is not a file in the folder of the index.

    A Hugging Face cache keeps the files of `snapshots/<revision>` in `blobs` beside `snapshots`
    and links to them: that one way out is open.
    """
    folder = index.parent
    path = folder / name
    if not name or "\0" in name or "\\" in name or PurePosixPath(name).name != name or name == "..":
        raise WeightFileError(
            index, f"the index names {name!r}, which is not a file in its folder", _AGAIN
        )
    try:
        target = path.resolve(strict=True)
    except FileNotFoundError:
        raise WeightFileError(
            index, f"the file {name} that the index names is missing", _AGAIN
        ) from None
    allowed = [folder.resolve()]
    if folder.resolve().parent.name == "snapshots":
        allowed.append(folder.resolve().parent.parent / "blobs")
    if not any(target.is_relative_to(place) for place in allowed):
        raise WeightFileError(
            index, f"the file {name} that the index names is a link out of its folder", _AGAIN
        )
    return path


def _joined_manifest(index: Path, shards: dict[str, Container]) -> Manifest | None:
    """Join the manifests of all files; each describes the tensors of its own file."""
    manifests = {name: shard.manifest for name, shard in shards.items() if shard.manifest}
    if not manifests:
        return None
    for name in shards:
        if name not in manifests:
            raise WeightFileError(
                index, f"{name} has no manifest, but other files have", "Convert the model again"
            )
    first, *others = manifests.values()
    if any(other.source != first.source for other in others):
        raise WeightFileError(
            index, "the manifests of its files name different sources", "Convert the model again"
        )
    specs = {
        tensor: spec for manifest in manifests.values() for tensor, spec in manifest.tensors.items()
    }
    return Manifest(specs, first.source)
