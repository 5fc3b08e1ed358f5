"""The numbers of an ONNX file's tensors: where they are, in it or beside it, and their reading."""

import re
from collections.abc import Iterator
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
from common.containers import DAMAGED, map_array, open_regular
from common.errors import ConversionError
from common.numbers import CODES
from numpy.typing import NDArray
from protobuf.onnx_graph import TYPED, OnnxTensor
from protobuf.wire import integers

MAX_VARINT = 10
"""Bytes of an integer of variable length."""
WIDE = ("float32", "float64", "complex64")
"""Types whose numbers are never there as integers."""


def place(path: Path, tensor: OnnxTensor) -> tuple[Path, int | None]:
    """File and offset of a tensor's numbers; None for an offset if they are no plain bytes."""
    size = prod(tensor.shape) * np.dtype(CODES[tensor.dtype][1]).itemsize
    if tensor.external:
        return _external(path, tensor, size)
    kinds = {TYPED.get(item.number, "bytes") for item in tensor.stretches}
    held = sum(item.end - item.start for item in tensor.stretches)
    count = prod(tensor.shape)
    is_whole = kinds == {"varint"} and tensor.dtype not in WIDE
    if is_whole and count <= held <= MAX_VARINT * count:
        return path, None
    if held != size or len(kinds) > 1 or "varint" in kinds:
        raise ConversionError(
            f"it has {held} bytes of numbers for the shape {tensor.shape}", DAMAGED, tensor.name
        )
    return path, tensor.stretches[0].start if len(tensor.stretches) == 1 else None


def _external(path: Path, tensor: OnnxTensor, size: int) -> tuple[Path, int]:
    location = tensor.external.get("location", "")
    place = Path(location)
    target = path.parent / place
    if not location or place.is_absolute() or ".." in place.parts or "\\" in location:
        raise ConversionError(
            f"its numbers are at {location!r}, outside of the folder", "Do not use it", tensor.name
        )
    if not target.exists():
        raise ConversionError(
            f"its numbers are in {location!r}, which is missing",
            "Put that file beside the model",
            tensor.name,
        )
    if not target.resolve().is_relative_to(path.parent.resolve()):
        raise ConversionError(
            f"its numbers are at {location!r}, a link out of the folder", "Copy it", tensor.name
        )
    offset, length = (tensor.external.get(key, "") for key in ("offset", "length"))
    is_number = re.fullmatch(r"\d{0,18}", offset) and re.fullmatch(r"\d{0,18}", length)
    start = int(offset or 0) if is_number else -1
    if start < 0 or int(length or size) != size or start + size > target.stat().st_size:
        raise ConversionError(f"its numbers are not all in {location!r}", DAMAGED, tensor.name)
    return target, start


def read_numbers(path: Path, start: int | None, tensor: OnnxTensor) -> NDArray[Any]:
    """Codes of a tensor whose place is known."""
    code = CODES[tensor.dtype][1]
    if start is not None:
        return map_array(path, start, code, tensor.shape)
    if all(TYPED.get(item.number) == "varint" for item in tensor.stretches):
        return _decoded(path, tensor, np.dtype(code))
    pieces = [
        map_array(path, item.start, "u1", (item.end - item.start,)) for item in tensor.stretches
    ]
    joined = np.concatenate(pieces) if pieces else np.empty(0, "u1")
    return joined.view(code).reshape(tensor.shape)


def _decoded(path: Path, tensor: OnnxTensor, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Numbers that are there as integers of variable length; of floats, the codes."""

    def numbers(data: mmap) -> Iterator[int]:
        for item in tensor.stretches:
            yield from integers(data, item)

    with open_regular(path) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        try:
            found = np.fromiter(numbers(data), np.int64)
        except ValueError as error:
            raise ConversionError(f"its numbers are damaged ({error})", DAMAGED) from error
    if found.size != prod(tensor.shape):
        raise ConversionError(f"it has {found.size} numbers for {tensor.shape}", DAMAGED)
    codes = found.astype("<u2" if tensor.dtype == "float16" else dtype)
    return codes.view(dtype).reshape(tensor.shape)
