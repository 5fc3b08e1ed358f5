"""Writers of weight files that take tensors a block at a time.

That is why safetensors files are not written by the package of that name, which takes whole
tensors and puts the header into an order of its own; FMT-7 keeps the order given.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.dtypes import DTYPES, SAFETENSORS_CODES, storage_dtype
from htsr_ref.weights.manifest import MANIFEST_KEY
from htsr_ref.weights.outputs import writing
from htsr_ref.weights.safetensors_file import MAX_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

BLOCK_BYTES = 1 << 24
"""Bytes that are put in order at a time."""

_CODES = {name: code for code, name in SAFETENSORS_CODES.items() if DTYPES[name].storage}
HDF5_TYPES = frozenset(
    name for name in _CODES if not name.startswith(("bfloat", "float8", "complex"))
)
"""Number types that HDF5 has itself."""


@dataclass(frozen=True)
class Streamed:
    """A tensor to be written.

    Parameters
    ----------
    shape : its shape.
    dtype : number type as written.
    blocks : yields its codes in order, in arrays cut along the first axis; 0-D of a scalar.
    """

    shape: tuple[int, ...]
    dtype: str
    blocks: Callable[[], Iterable[NDArray[Any]]]

    @property
    def nbytes(self) -> int:
        """Size as written."""
        return math.prod(self.shape) * np.dtype(storage_dtype(self.dtype)).itemsize


def blocks_of(codes: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Cut an array along its first axis into blocks of some megabytes."""
    if codes.ndim == 0 or codes.nbytes <= BLOCK_BYTES:
        yield codes
        return
    height = max(1, BLOCK_BYTES * len(codes) // codes.nbytes)
    for start in range(0, len(codes), height):
        yield codes[start : start + height]


def _not_held(path: Path, kind: str, name: str, tensor: Streamed, cure: str) -> WeightFileError:
    problem = f"{kind} cannot hold it (numbers of type {tensor.dtype})"
    return WeightFileError(path, problem, cure, name)


def write_safetensors(path: Path, tensors: Mapping[str, Streamed], manifest: str | None) -> None:
    """Write a safetensors file; wide numbers come first, so that every tensor is aligned.

    Raises
    ------
    WeightFileError
        If the format cannot hold a tensor.
    OutputError
        If the file cannot be written.

    Spec: FMT-7.
    """
    for name, tensor in tensors.items():
        if name == "__metadata__" or tensor.dtype not in _CODES:
            raise _not_held(path, "safetensors", name, tensor, "Rename or convert it")
    by_width = sorted(
        tensors, key=lambda name: -np.dtype(storage_dtype(tensors[name].dtype)).itemsize
    )
    offsets: dict[str, tuple[int, int]] = {}
    end = 0
    for name in by_width:
        offsets[name] = (end, end + tensors[name].nbytes)
        end += tensors[name].nbytes
    header: dict[str, Any] = {}
    if manifest is not None:
        header["__metadata__"] = {MANIFEST_KEY: manifest}
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": _CODES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": list(offsets[name]),
        }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise WeightFileError(
            path, f"its header would have {len(text)} bytes, more than {MAX_HEADER}", "Use hdf5"
        )
    with writing(path) as output:
        output.write(len(text).to_bytes(8, "little") + text)
        for name in by_width:
            for block in _little(tensors[name]):
                output.write(block.reshape(-1).view(np.uint8).data)


def write_hdf5(path: Path, tensors: Mapping[str, Streamed], manifest: str | None) -> None:
    """Write an HDF5 file.

    Raises
    ------
    WeightFileError
        If the format cannot hold a tensor.
    OutputError
        If the file cannot be written.

    Spec: FMT-7.
    """
    import h5py

    for name, tensor in tensors.items():
        if tensor.dtype not in HDF5_TYPES or not _is_hdf5_name(name):
            cure = "Rename or convert it, or use safetensors"
            raise _not_held(path, "HDF5", name, tensor, cure)
    with (
        writing(path) as output,
        output.for_hdf5() as disk,
        h5py.File(disk, "w", track_order=True) as file,
    ):
        if manifest is not None:
            file.create_dataset(MANIFEST_KEY, data=manifest, dtype=h5py.string_dtype())
        for name, tensor in tensors.items():
            dtype = storage_dtype(tensor.dtype)
            try:
                dataset = file.create_dataset(name, tensor.shape, dtype, track_times=False)
            except (ValueError, TypeError) as error:
                raise WeightFileError(
                    path,
                    "HDF5 cannot hold it: its name is a part of another",
                    "Use safetensors",
                    name,
                ) from error
            _fill(dataset, tensor, disk.check)


def _fill(dataset: Any, tensor: Streamed, check: Callable[[], None]) -> None:
    start = 0
    for block in _little(tensor):
        check()
        if not tensor.shape:
            dataset[()] = block
        elif block.size:
            dataset[start : start + len(block)] = block
            start += len(block)


def _little(tensor: Streamed) -> Iterator[NDArray[Any]]:
    """Blocks in the order and type of the file."""
    for block in tensor.blocks():
        for piece in blocks_of(block):
            yield np.asarray(piece, dtype=storage_dtype(tensor.dtype), order="C")


def _is_hdf5_name(name: str) -> bool:
    return name != MANIFEST_KEY and not {"", ".", ".."}.intersection(name.split("/"))
