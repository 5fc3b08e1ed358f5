"""Folders: one safetensors file, or several with their index."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import WeightFileError, shown
from htsr_ref.text import strictjson
from htsr_ref.weights.backing import open_regular
from htsr_ref.weights.container import Container, RawTensor
from htsr_ref.weights.foreign.kinds import Foreign
from htsr_ref.weights.foreign.unread import unread_of_folder
from htsr_ref.weights.manifest import Manifest
from htsr_ref.weights.safetensors_file import read_safetensors
from htsr_ref.weights.settings import is_inside
from htsr_ref.weights.sniff import refuse_pointer, sniff

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from htsr_ref.weights.backing import AnyPath

MAX_INDEX = 100_000_000
_INDEX_SUFFIX = ".safetensors.index.json"
_AGAIN = "Download the model again"
_PART = re.compile(r"(.*)-(\d{1,5})-of-(\d{1,5})\.safetensors")


def read_folder(folder: AnyPath) -> Container:
    """Read a folder's index, or the only model in it.

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
    if indices:
        raise _several(folder, indices, "Name one of these indices")
    files = [name for name in names if name.endswith(".safetensors")]
    if not files:
        raise _nothing_in(folder, names)
    if len(files) == 1:
        return read_part_or_whole(folder / files[0])
    parts = next((parts for name in files if (parts := _parts_of(name))), [])
    if not parts:
        many = "for a report of each: htsr analyze 'FOLDER/*.safetensors' -o reports/"
        raise _several(folder, files, f"Name one of the files; {many}")
    if parts != files:
        raise _incomplete(folder, parts, files)
    return _joined(folder, parts)


def _several(folder: AnyPath, names: list[str], cure: str) -> WeightFileError:
    return WeightFileError(folder, f"the folder has several models ({_some(names)})", cure)


def _incomplete(folder: AnyPath, parts: list[str], files: list[str]) -> WeightFileError:
    """Error for a folder with parts of a model of which some are missing, or with more files."""
    missing = [name for name in parts if name not in files]
    if missing:
        problem = f"it has parts of a model of {len(parts)} parts, but not {_some(missing)}"
        return WeightFileError(folder, problem, "Download the missing parts")
    others = _some([name for name in files if name not in parts])
    problem = f"the folder has several models ({parts[0]}, ... and {others})"
    return WeightFileError(folder, problem, "Name one of the others, or move them away")


def _nothing_in(folder: AnyPath, names: list[str]) -> WeightFileError:
    """Error for a folder without safetensors files, with the cure for what is there."""
    components = [name for name in names if (folder / name / "config.json").is_file()]
    if components:
        return WeightFileError(
            folder,
            f"the folder holds the parts of a pipeline: {', '.join(components[:8])}",
            "Name one of these folders",
        )
    unread = unread_of_folder(names)
    if unread is not None:
        return WeightFileError(folder, f"it is {unread[0]}", unread[1])
    return WeightFileError(
        folder, "the folder has no safetensors file", "Convert the model or name its file"
    )


def read_part_or_whole(path: AnyPath) -> Container:
    """Read one safetensors file, unless its name says that it is a part of a model.

    Raises
    ------
    WeightFileError
        If it is a part, or breaks a rule of the format.

    Spec: FMT-9.
    """
    parts = _parts_of(path.name)
    if len(parts) > 1:
        there = [name for name in parts if (path.parent / name).is_file()]
        missing = [name for name in parts if name not in there]
        cure = "Name the folder" if not missing else f"Put {_some(missing)} beside it"
        others = [name for name in parts if name != path.name]
        raise WeightFileError(
            path, f"it is one of {len(parts)} parts of a model; others: {_some(others)}", cure
        )
    return read_file(path)


def read_file(path: AnyPath) -> Container:
    """Read a file that should be safetensors, after a look at its content.

    Raises
    ------
    WeightFileError
        If it is something else, such as a Git LFS pointer, or breaks a rule of the format.

    Spec: FMT-1, FMT-8.
    """
    found = sniff(path)
    if isinstance(found, Foreign):
        raise WeightFileError(path, f"it is {found.what}, not safetensors", "Rename it")
    if found != "safetensors":
        raise WeightFileError(path, f"it is of format {found}, not safetensors", "Rename it")
    return read_safetensors(path)


def _parts_of(name: str) -> list[str]:
    """Names of all parts of the model that a file is named a part of; none if it is not."""
    match = _PART.fullmatch(name)
    count = int(match[3]) if match is not None else 0
    if match is None or not 1 <= int(match[2]) <= count:
        return []
    width = len(match[2])
    return [f"{match[1]}-{at:0{width}}-of-{match[3]}.safetensors" for at in range(1, count + 1)]


def _some(names: list[str]) -> str:
    first = ", ".join(names[:3])
    return first if len(names) < 4 else f"{first} and {len(names) - 3} more"


def read_index(index: AnyPath) -> Container:
    """Read all files that an index names.

    Raises
    ------
    WeightFileError
        If the index is not valid, leads out of its folder, names a file that is missing or a
        tensor that its file does not hold.

    Spec: FMT-9.
    """
    weight_map = _weight_map(index)
    files = sorted(set(weight_map.values()))
    for name in files:
        _check_inside(index, name)
    return _joined(index.parent, files, weight_map, index)


def _joined(
    folder: AnyPath,
    names: Sequence[str],
    weight_map: Mapping[str, str] | None = None,
    index: AnyPath | None = None,
) -> Container:
    """Read the parts of a model together; without a map, each tensor is in one of them."""
    at = folder if index is None else index
    shards = {name: read_file(folder / name) for name in names}
    stored = {
        name: {tensor.name: tensor for tensor in shard.tensors} for name, shard in shards.items()
    }
    if weight_map is None:
        found: dict[str, str] = {}
        for name, tensors_of in stored.items():
            for tensor in tensors_of:
                if tensor in found:
                    raise WeightFileError(
                        at, f"both {found[tensor]} and {name} hold it", _AGAIN, tensor
                    )
                found[tensor] = name
        weight_map = found
    tensors: list[RawTensor] = []
    for tensor, shard in weight_map.items():
        if tensor not in stored[shard]:
            raise WeightFileError(
                at, f"the index looks for it in {shard}, which does not hold it", _AGAIN, tensor
            )
        tensors.append(stored[shard][tensor])
    warnings = tuple(
        f"{shard}: tensor {shown(tensor)} is not in the index and was not read"
        for shard in shards
        for tensor in stored[shard]
        if weight_map.get(tensor) != shard
    )
    files = [folder / name for name in shards]
    return Container(
        "safetensors-sharded",
        tuple(sorted(files if index is None else [index, *files])),
        tuple(tensors),
        _joined_manifest(at, shards),
        {
            dropped: kept
            for shard in shards.values()
            for dropped, kept in shard.ties.items()
            if dropped not in weight_map
        },
        warnings,
        settings=next((shard.settings for shard in shards.values() if shard.settings), {}),
    )


def _weight_map(index: AnyPath) -> dict[str, str]:
    with open_regular(index) as file:
        text = file.read(MAX_INDEX + 1)
    refuse_pointer(index, text)
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


def _check_inside(index: AnyPath, name: str) -> None:
    """Refuse a shard that is not a file in the folder of the index."""
    path = index.parent / name
    if not name or "\0" in name or "\\" in name or PurePosixPath(name).name != name or name == "..":
        raise WeightFileError(
            index, f"the index names {shown(name)}, which is not a file in its folder", _AGAIN
        )
    if not path.exists():
        raise WeightFileError(index, f"the file {name} that the index names is missing", _AGAIN)
    if not is_inside(path):
        raise WeightFileError(
            index, f"the file {name} that the index names is a link out of its folder", _AGAIN
        )


def _joined_manifest(index: AnyPath, shards: dict[str, Container]) -> Manifest | None:
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
    return Manifest(specs, first.source, first.extra, first.config)
