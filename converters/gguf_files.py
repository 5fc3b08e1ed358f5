# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert a GGUF file (llama.cpp) to a weight file.

Block-wise quantized numbers become float32, with the values that GGML computes with. h5py is
needed only for --format hdf5.
"""

if __name__ == "__main__":
    from common.interrupts import end_at_interrupts

    end_at_interrupts()

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from common.containers import DAMAGED, map_array
from common.errors import ConversionError
from common.export import main
from common.numbers import CODES
from common.source import Source, Tensor
from ggml.blocks import BLOCK_TYPES, dequantized
from ggml.header import Entry, Header
from ggml.parts import read_parts
from numpy.typing import NDArray

PLAIN = {0: "float32", 1: "float16", 24: "int8", 25: "int16", 26: "int32", 27: "int64"}
PLAIN |= {28: "float64", 30: "bfloat16"}
NAMES = {9: "Q8_1", 15: "Q8_K"}
NVFP4 = 40

SecondScale = tuple[Path, Entry]

MAX_TEXT = 256
"""Characters of a metadata text that is handed on."""


def open_model(path: Path, _: argparse.Namespace) -> Source:
    """Read a file's header, and those of the other parts if it is the first of several."""
    parts = read_parts(path)
    entries = {name: entry for _, header in parts for name, entry in header.tensors.items()}
    if not entries:
        raise ConversionError(
            "it holds metadata and no tensors (a vocabulary?)", "Name the file with the weights"
        )
    dropped: Counter[str] = Counter()
    tensors = []
    for file, header in parts:
        _check_places(file, header.tensors)
        for name, entry in header.tensors.items():
            if entry.kind in PLAIN or entry.kind in BLOCK_TYPES:
                tensors.append(_tensor(file, name, entry, _second_scale(name, parts)))
            else:
                label = NAMES.get(entry.kind, f"number {entry.kind}")
                dropped[f"tensor of type {label}, which is not read"] += 1
    found = Counter(BLOCK_TYPES[e.kind].name for e in entries.values() if e.kind in BLOCK_TYPES)
    files, metadata = [file for file, _ in parts], parts[0][1].metadata
    notes = [f"{count} tensors of type {name} become float32" for name, count in found.items()]
    return Source("gguf", path.name, tensors, files, dropped, notes, _config(metadata))


def _check_places(path: Path, tensors: Mapping[str, Entry]) -> None:
    """Make sure that tensors lie in the file, and not on each other."""
    end = 0
    for name, entry in sorted(tensors.items(), key=lambda item: item[1].offset):
        if entry.offset < end:
            raise ConversionError("it overlaps with another tensor", DAMAGED, name)
        end = entry.offset + _size(name, entry)
    if end > path.stat().st_size:
        raise ConversionError("its numbers end beyond the file", DAMAGED)


def _size(name: str, entry: Entry) -> int:
    """Bytes of a tensor; 0 if its type is not known."""
    if entry.kind in PLAIN:
        return prod(entry.shape) * np.dtype(CODES[PLAIN[entry.kind]][1]).itemsize
    if entry.kind not in BLOCK_TYPES:
        return 0
    kind = BLOCK_TYPES[entry.kind]
    if not entry.shape or entry.shape[-1] % kind.numbers:
        raise ConversionError(f"its rows are not cut by blocks of {kind.numbers}", DAMAGED, name)
    return prod(entry.shape) // kind.numbers * kind.size


def _second_scale(name: str, parts: list[tuple[Path, Header]]) -> SecondScale | None:
    """Find the tensor that holds a scale of a whole NVFP4 matrix, or one for each of a stack."""
    for path, header in parts:
        entry = header.tensors.get(f"{name.removesuffix('.weight')}.scale")
        if entry is not None and name.endswith(".weight"):
            return path, entry
    return None


def _tensor(path: Path, name: str, entry: Entry, second_scale: SecondScale | None) -> Tensor:
    read = partial(_read, path, entry)
    if entry.kind == NVFP4 and second_scale is not None:
        stack = entry.shape[:-2]
        if second_scale[1].kind != 0 or second_scale[1].shape not in ((), (1,), stack):
            raise ConversionError("its scale tensor is not one float32 per matrix", DAMAGED, name)
        read = partial(_read_scaled, path, entry, second_scale)
    is_mapped = entry.kind in PLAIN
    dtype = PLAIN.get(entry.kind, "float32")
    return Tensor(name, entry.shape, dtype, read, is_mapped=is_mapped)


def _config(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers and short texts of the metadata, which say how the model is built."""
    return {
        key: value
        for key, value in metadata.items()
        if isinstance(value, int) or (isinstance(value, str) and len(value) <= MAX_TEXT)
    }


def _read(path: Path, entry: Entry) -> NDArray[Any]:
    if entry.kind in PLAIN:
        return map_array(path, entry.offset, CODES[PLAIN[entry.kind]][1], entry.shape)
    kind = BLOCK_TYPES[entry.kind]
    count = prod(entry.shape) // kind.numbers
    blocks = map_array(path, entry.offset, "|u1", (count, kind.size))
    return dequantized(blocks, kind).reshape(entry.shape)


def _read_scaled(path: Path, entry: Entry, second_scale: SecondScale) -> NDArray[Any]:
    """Blocks times the scale that stands in a tensor of its own, which GGML applies to outputs."""
    scale = _read(*second_scale).reshape(-1, *(1,) * (len(entry.shape) - 1))
    values: NDArray[Any] = _read(path, entry) * scale
    return values


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))
