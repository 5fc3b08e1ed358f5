"""PyTorch's first format: a tar archive of storages, tensors, and the pickle that names them."""

import struct
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from mmap import mmap
from typing import Any

from common.containers import DAMAGED
from common.errors import ConversionError
from pickles.machine import Global, load
from pickles.torch import STORAGES, Storage, count_of, tensor_view, torch_function

MAX_DIMENSIONS = 32


def open_tar(content: mmap) -> tuple[Any, Mapping[str, int]]:
    """Read such an archive.

    Returns
    -------
    What the pickle holds, and where in the file each storage begins.

    Raises
    ------
    ConversionError
        If the archive is damaged, or not one of PyTorch's.
    """
    members = _members(content)
    storages: dict[int, Storage] = {}
    offsets: dict[str, int] = {}
    try:
        for key, storage, offset in _storages(content, members["storages"]):
            storages[count_of(key)] = storage
            offsets[storage.key] = offset
        for key, root, start, numel in load(content, torch_function):
            # Part of another storage.
            if count_of(start) + count_of(numel) > storages[count_of(root)].numel:
                raise ValueError("a part of a storage ends beyond it")
            storages[count_of(key)] = replace(storages[count_of(root)], start=start)
        tensors = dict(_tensors(content, members["tensors"], storages))
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise ConversionError(f"its lists of tensors are damaged ({error!r})", DAMAGED) from error

    def persistent(identifier: Any) -> Any:
        # A class with its source text stands for the class.
        return identifier[0] if isinstance(identifier, tuple) else tensors[int(identifier)]

    content.seek(members["pickle"])
    return load(content, torch_function, persistent), offsets


def _members(content: mmap) -> Mapping[str, int]:
    """Where the members begin."""
    try:
        # A map reads no more than there is, whatever a header claims.
        with tarfile.open(fileobj=content, mode="r:") as archive:
            found = {
                member.name: member.offset_data for member in archive.getmembers() if member.isreg()
            }
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        raise ConversionError(f"it is not an intact tar archive ({error})", DAMAGED) from error
    if not {"storages", "tensors", "pickle"} <= found.keys():
        raise ConversionError("it is a tar archive, but not one of PyTorch", "Check the path")
    return found


def _storages(content: mmap, start: int) -> Iterator[tuple[Any, Storage, int]]:
    content.seek(start)
    for number in range(count_of(load(content, torch_function))):
        key, _, kind = load(content, torch_function)
        dtype, itemsize = STORAGES[_class_name(kind)]
        (numel,) = struct.unpack("<Q", content.read(8))
        offset = content.tell()
        if numel * itemsize > len(content) - offset:
            raise ConversionError(f"the numbers of storage {number} are cut off", DAMAGED)
        content.seek(offset + numel * itemsize)
        yield key, Storage(str(number), dtype, itemsize, numel), offset


def _tensors(
    content: mmap, start: int, storages: Mapping[Any, Storage]
) -> Iterator[tuple[int, object]]:
    content.seek(start)
    for _ in range(count_of(load(content, torch_function))):
        key, storage, _ = load(content, torch_function)
        dimensions, _ = struct.unpack("<ii", content.read(8))
        if not 0 <= dimensions <= MAX_DIMENSIONS:
            raise ValueError(f"a tensor of {dimensions} axes")
        numbers = struct.unpack(f"<{2 * dimensions + 1}q", content.read(16 * dimensions + 8))
        shape, strides, offset = numbers[:dimensions], numbers[dimensions:-1], numbers[-1]
        yield count_of(key), tensor_view(storages[count_of(storage)], offset, shape, strides)


def _class_name(value: Any) -> str:
    if not isinstance(value, Global):
        raise TypeError(f"{type(value).__name__} in place of a class")
    return value.name.rsplit(".", 1)[-1]
