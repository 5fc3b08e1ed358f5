# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert an ONNX model to a weight file, without ONNX's own library.

h5py is needed only for --format hdf5.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
from common.containers import DAMAGED, map_array, open_regular
from common.errors import ConversionError
from common.export import main
from common.facts import Facts
from common.numbers import CODES
from common.sniff import refuse, sniff
from common.source import Source, Tensor
from numpy.typing import NDArray
from protobuf.onnx_facts import Consumers
from protobuf.onnx_graph import TYPED, OnnxTensor, read_model
from protobuf.wire import integers

OPSETS = range(1, 29)
WIDE = ("float32", "float64", "complex64")
"""Types whose numbers are never there as integers."""


def open_model(path: Path, _: argparse.Namespace) -> Source:
    """Read a model's structure."""
    word, description = sniff(path)
    if word:
        raise refuse(path, word, description)
    try:
        with open_regular(path) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            model = read_model(data)
    except (ValueError, RecursionError) as error:
        raise ConversionError(f"it is no intact ONNX file ({error})", DAMAGED) from error
    opset = model.opsets.get("", 1)
    if opset not in OPSETS:
        raise ConversionError(
            f"its operators are of version {opset}, not of 1 to {OPSETS[-1]}",
            "Convert it with onnx.version_converter",
        )
    consumers = Consumers(model)
    stated = [consumers.facts(tensor) for tensor in model.tensors]
    scales = {name: role for facts in stated for name, role in facts.scale_tensors()}
    dropped: Counter[str] = Counter()
    dropped.update({"sparse tensor": model.sparse} if model.sparse else {})
    tensors, files, unknown = [], {path: None}, 0
    for tensor, facts in zip(model.tensors, stated, strict=True):
        if not tensor.dtype:
            dropped[f"tensor of ONNX type {tensor.code}, which is not read"] += 1
            continue
        if tensor.name in scales:
            facts = Facts(scales[tensor.name], facts.rule)
        if facts.role == "unknown":
            if tensor.is_constant:
                dropped["constant that is no weight"] += 1
                continue
            unknown += len(tensor.shape) > 1
        source, start = _place(path, tensor)
        files[source] = None
        read = partial(_read, source, start, tensor)
        name, shape, dtype = tensor.name, tensor.shape, tensor.dtype
        tensors.append(Tensor(name, shape, dtype, read, facts, is_mapped=start is not None))
    counts = {
        "tensors of 2 or more axes that no known operation takes": unknown,
        "functions of the model's own, whose constants are not read": len(model.functions),
    }
    notes = [f"{what}: {count}" for what, count in counts.items() if count]
    return Source("onnx", path.name, tensors, list(files), dropped, notes)


def _place(path: Path, tensor: OnnxTensor) -> tuple[Path, int | None]:
    """File and offset of a tensor's numbers; None for an offset if they are no plain bytes."""
    size = prod(tensor.shape) * np.dtype(CODES[tensor.dtype][1]).itemsize
    if tensor.external:
        return _external(path, tensor, size)
    kinds = {TYPED.get(item.number, "bytes") for item in tensor.stretches}
    held = sum(item.end - item.start for item in tensor.stretches)
    if kinds == {"varint"} and tensor.dtype not in WIDE and held >= prod(tensor.shape):
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


def _read(path: Path, start: int | None, tensor: OnnxTensor) -> NDArray[Any]:
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


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))
