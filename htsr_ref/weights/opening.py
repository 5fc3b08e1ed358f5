"""`open_weights`: find out what is given, and read its header."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import WeightFileError
from htsr_ref.text.lines import in_utf8
from htsr_ref.weights.array_like import (
    NotAnArrayError,
    SupportsArray,
    SupportsDLPack,
    is_array_like,
    read_array,
)
from htsr_ref.weights.assemble import assemble
from htsr_ref.weights.backing import InMemory
from htsr_ref.weights.container import Container, RawTensor
from htsr_ref.weights.foreign.kinds import KERAS_HDF5, PICKLE, Foreign, foreign_of_folder
from htsr_ref.weights.foreign.reading import read_foreign
from htsr_ref.weights.npz_file import read_npz
from htsr_ref.weights.numpy_file import read_npy
from htsr_ref.weights.remote.addresses import is_address
from htsr_ref.weights.settings import read_settings
from htsr_ref.weights.sharded import read_folder, read_index, read_part_or_whole
from htsr_ref.weights.sniff import sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from htsr_ref.weights.backing import AnyPath
    from htsr_ref.weights.layer import Weights
    from htsr_ref.weights.remote.remote_path import RemotePath

ARRAY = "array"
"""Name of an array that was given without one."""

WeightSource = str | os.PathLike[str] | SupportsArray | SupportsDLPack | Mapping[str, Any]
"""What `open_weights` opens."""


def open_weights(
    source: WeightSource,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    facts_first: bool = False,
    keep_converted: Path | None = None,
) -> Weights:
    """Open weights; only headers are read.

    Parameters
    ----------
    source : a safetensors, HDF5, .npz or .npy file, or a framework's own file or folder, which a
        script of converters/ reads, recognized by its content; a folder with one safetensors
        file, or with several and their `*.safetensors.index.json`; such an index; the address of
        a safetensors file, folder or index (hf://, s3://, gs://, https://); arrays by name, such
        as a state dict of a framework; or one array. An array is what `numpy.asarray` takes, or
        has `__dlpack__`.
    layers : the user's corrections: for a tensor's or layer's name or a pattern (`*`, `?`,
        `[...]`) any of role, axes (of the tensor as stored), layer, parts, groups and
        quantization, or else `{"skip": reason}`.
    facts_first : whether numbers of a framework's file that must be converted are so only when
        they are asked for, so that nothing is written unless they are.
    keep_converted : file to write with what a script makes of a framework's file.

    Returns
    -------
    Weights, with one layer for every tensor.

    Raises
    ------
    WeightFileError
        If there is no such file, it cannot be read, it breaks a rule of its format, or a
        correction does not fit it; or if nothing is converted that could be kept.

    Spec: FMT-1, FMT-13, FMT-17, FMT-24, FMT-29.

    >>> import numpy as np
    >>> weights = open_weights({"fc1.weight": np.ones((3, 2)), "fc1.bias": np.zeros(3)})
    >>> [(layer.name, layer.role, layer.left_out) for layer in weights.layers]
    [('fc1', 'weight', None), ('fc1.bias', 'bias', 'bias')]
    """
    if is_array_like(source):
        source = {ARRAY: source}
    if isinstance(source, Mapping):
        return assemble(memory_container(source), layers, name="memory", file="memory")
    path = _path(source)
    try:
        if isinstance(path, Path):
            read = partial(read_foreign, facts_first=facts_first, keep=keep_converted)
            container = _read(path, read)
        else:
            container = _read_remote(path)
    except OSError as error:
        raise WeightFileError(
            path, f"it cannot be read ({error.strerror or error})", _cure(path, error)
        ) from error
    if keep_converted is not None and not container.is_foreign:
        raise WeightFileError(
            path, "no script converts it: it is read as it is", "Leave out --keep-converted"
        )
    name = path.resolve().name if isinstance(path, Path) and not path.name else path.name
    return assemble(container, layers, name=in_utf8(name), file=path)


def memory_container(arrays: Mapping[str, Any]) -> Container:
    """Arrays in memory as a container; they are not copied.

    Parameters
    ----------
    arrays : by name, or such mappings by name, whose names are joined with a slash.

    Raises
    ------
    WeightFileError
        If something in it is no array of numbers.
    """
    tensors = []
    for tensor, value in _flat(arrays):
        try:
            codes, dtype = read_array(value)
        except NotAnArrayError as error:
            raise WeightFileError("memory", error.problem, error.cure, tensor) from error
        tensors.append(RawTensor(tensor, codes.shape, dtype, InMemory(codes)))
    return Container("memory", (), tuple(tensors))


def _flat(arrays: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in arrays.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value


def _path(source: Any) -> AnyPath:
    if not isinstance(source, (str, os.PathLike)):
        has_state = hasattr(source, "state_dict")
        raise WeightFileError(
            type(source).__name__,
            "it is neither a path nor arrays by name",
            "Give its state_dict()" if has_state else "Give a path, an array, or arrays by name",
        )
    if not is_address(source):
        return Path(source)
    from htsr_ref.weights.remote.remote_path import RemotePath

    return RemotePath.of(str(source))


def _read(path: Path, read_foreign: Callable[[Path, Foreign], Container]) -> Container:
    if path.is_dir():
        found = foreign_of_folder(path)
        if found is not None:
            return read_foreign(path, found)
        return _with_settings(read_folder(path), path)
    if path.name.endswith(".index.json"):
        return _with_settings(read_index(path), path.parent)
    match sniff(path):
        case Foreign() as found:
            container = read_foreign(path, found)
            # Of PyTorch's files a configuration lies beside, as of safetensors files.
            is_bare = found.script == PICKLE.script
            return _with_settings(container, path.parent) if is_bare else container
        case "safetensors":
            return _with_settings(read_part_or_whole(path), path.parent)
        case "hdf5":
            from htsr_ref.weights.hdf5_file import read_hdf5

            container = read_hdf5(path)
            if container.manifest is None and container.framework == "keras":
                return read_foreign(path, KERAS_HDF5)
            return container
        case "npz":
            return read_npz(path)
        case "npy":
            return read_npy(path)


def _read_remote(path: RemotePath) -> Container:
    """Read what lies elsewhere, if it is safetensors. Spec: FMT-29."""
    if path.is_dir():
        return _with_settings(read_folder(path), path)
    if path.name.endswith(".index.json"):
        return _with_settings(read_index(path), path.parent)
    return _with_settings(read_part_or_whole(path), path.parent)


def _with_settings(container: Container, folder: AnyPath) -> Container:
    """Add what lies beside the weights; a file of ours states all that is known of it."""
    if container.manifest is not None and not container.is_foreign:
        return container
    return replace(container, settings={**container.settings, **read_settings(folder)})


def _cure(path: AnyPath, error: OSError) -> str:
    if not isinstance(path, Path):
        return _remote_cure(error)
    if isinstance(error, FileNotFoundError):
        return "Check the path"
    if isinstance(error, PermissionError):
        return "Give yourself permission to read it"
    return "Check the disk it lies on"


def _remote_cure(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "Check the address"
    if isinstance(error, PermissionError):
        return "Check the address and your rights; a gated model of hf:// needs HF_TOKEN"
    return "Try again, or download it"
