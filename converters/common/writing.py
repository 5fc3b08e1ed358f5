"""Writers of weight files: one tensor at a time, whole or not at all, the same bytes each time."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from common.containers import fetch
from common.errors import ConversionError
from common.manifest import MANIFEST_KEY
from common.numbers import CODES, to_float32
from common.quiet_file import quiet_file
from numpy.typing import NDArray

MAX_HEADER = 100_000_000
BLOCK = 16 * 2**20
"""Bytes that are reordered or converted at a time."""
PIECE = 2**16
"""Bytes that are written at a time, up to places that are multiples of it: of larger or unaligned
pieces the system makes more work than the writing itself is."""


@dataclass(frozen=True)
class Stored:
    """A tensor to be written: its canonical shape, and its numbers in canonical order.

    Parameters
    ----------
    read : returns an array of as many numbers; its axes may be those of `shape` cut further.
    source_dtype : the type of the numbers that `read` returns.
    dtype : the type that they are written in.
    """

    name: str
    shape: tuple[int, ...]
    source_dtype: str
    dtype: str
    read: Callable[[], NDArray[Any]]

    @property
    def nbytes(self) -> int:
        """Size as written."""
        return prod(self.shape) * np.dtype(CODES[self.dtype][1]).itemsize

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Contiguous little-endian codes, in pieces."""
        array = self.read()
        fetch(array)
        codes = CODES[self.source_dtype][1]
        if array.size != prod(self.shape) or array.dtype.newbyteorder("<") != np.dtype(codes):
            raise ConversionError(
                f"{array.size} numbers of type {array.dtype} were read, not {prod(self.shape)} "
                f"of type {codes}",
                "Report this as an error of the converter",
                self.name,
            )
        if array.ndim == 0 or array.size == 0:
            array = array.reshape(-1)
        rows = max(BLOCK * len(array) // max(array.nbytes, 1), 1)
        is_as_written = array.flags.c_contiguous and self.dtype == self.source_dtype
        step = max(len(array), 1) if is_as_written else rows
        for start in range(0, len(array), step):
            block = np.ascontiguousarray(array[start : start + step])
            if self.dtype != self.source_dtype:
                block = to_float32(block, self.source_dtype)
            yield block.astype(CODES[self.dtype][1], copy=False)


def write_safetensors(path: Path, tensors: Sequence[Stored], manifest: str) -> None:
    """Write a safetensors file. Wide numbers lie first, so that every tensor is aligned."""
    by_width = sorted(tensors, key=lambda tensor: -np.dtype(CODES[tensor.dtype][1]).itemsize)
    offsets: dict[str, tuple[int, int]] = {}
    end = 0
    for tensor in by_width:
        offsets[tensor.name] = (end, end + tensor.nbytes)
        end += tensor.nbytes
    header: dict[str, Any] = {"__metadata__": {MANIFEST_KEY: manifest}}
    for tensor in tensors:
        header[tensor.name] = {
            "dtype": CODES[tensor.dtype][0],
            "shape": list(tensor.shape),
            "data_offsets": list(offsets[tensor.name]),
        }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise ConversionError(
            f"the header would have {len(text)} bytes, more than {MAX_HEADER}",
            "Write it with --format hdf5",
        )
    with path.open("xb", buffering=0) as file:
        _write(file, memoryview(len(text).to_bytes(8, "little") + text))
        for tensor in by_width:
            for block in tensor.blocks():
                _write(file, block.reshape(-1).view(np.uint8).data)


def _write(file: FileIO, content: memoryview) -> None:
    start = 0
    while start < len(content):
        end = start + PIECE - file.tell() % PIECE
        start += file.write(content[start:end])


def write_shards(
    folder: Path,
    tensors: Sequence[Stored],
    limit: int,
    manifest: Callable[[Sequence[str]], str],
) -> list[Path]:
    """Write a folder of safetensors files of at most `limit` bytes of numbers, and their index.

    A tensor larger than the limit has a file of its own.

    Parameters
    ----------
    manifest : the manifest of the tensors named.

    Returns
    -------
    list of the safetensors files.
    """
    shards: list[list[Stored]] = [[]]
    size = 0
    for tensor in tensors:
        size += tensor.nbytes
        if shards[-1] and size > limit:
            shards.append([])
            size = tensor.nbytes
        shards[-1].append(tensor)
    folder.mkdir()
    files = []
    weight_map: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        file = folder / f"model-{number:05}-of-{len(shards):05}.safetensors"
        names = [tensor.name for tensor in shard]
        write_safetensors(file, shard, manifest(names))
        weight_map |= dict.fromkeys(names, file.name)
        files.append(file)
    index = {
        "metadata": {"total_size": sum(tensor.nbytes for tensor in tensors)},
        "weight_map": weight_map,
    }
    text = json.dumps(index, ensure_ascii=False, indent=1)
    (folder / "model.safetensors.index.json").write_text(text, encoding="utf-8")
    return files


def replace_in_header(path: Path, old: str, new: str) -> None:
    """Put a text of the same length in place of the first such text of a safetensors header."""
    with path.open("r+b") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))
        file.seek(8 + header.index(old.encode()))
        file.write(new.encode())


def write_hdf5(path: Path, tensors: Sequence[Stored], manifest: str) -> None:
    """Write an HDF5 file."""
    try:
        import h5py
    except ImportError as error:
        raise ConversionError(
            "writing HDF5 needs h5py", "Install it, or write safetensors"
        ) from error
    with quiet_file(path) as disk, h5py.File(disk, "w", track_order=True) as file:
        file.create_dataset(MANIFEST_KEY, data=manifest, dtype=h5py.string_dtype())
        for tensor in tensors:
            code = CODES[tensor.dtype][1]
            if np.dtype(code).name != tensor.dtype or tensor.dtype == "complex64":
                raise ConversionError(
                    f"HDF5 cannot hold numbers of type {tensor.dtype}",
                    "Write safetensors, or use --dtype float32",
                    tensor.name,
                )
            if {"", ".", ".."}.intersection(tensor.name.split("/")):
                raise ConversionError("HDF5 cannot hold its name", "Write safetensors", tensor.name)
            try:
                dataset = file.create_dataset(tensor.name, tensor.shape, code, track_times=False)
            except (ValueError, TypeError) as error:
                raise ConversionError(
                    "HDF5 cannot hold it: its name or a part of it is taken",
                    "Write safetensors",
                    tensor.name,
                ) from error
            _fill(dataset, tensor, disk.check)


def _fill(dataset: Any, tensor: Stored, check: Callable[[], None]) -> None:
    if 0 in tensor.shape:
        return
    start = 0
    for block in tensor.blocks():
        check()
        if not tensor.shape:
            dataset[()] = block[0]
            continue
        # A block is a number of whole rows, however the axes were cut.
        rows = block.reshape(-1, *tensor.shape[1:])
        dataset[start : start + len(rows)] = rows
        start += len(rows)
