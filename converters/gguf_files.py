# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert a GGUF file (llama.cpp) to a weight file.

Block-wise quantized numbers become float32, with the values that GGML computes with. h5py is
needed only for --format hdf5.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from _conditions import Model
from _containers import DAMAGED, map_array
from _errors import ConversionError
from _export import main
from _ggml_blocks import BLOCK_TYPES, dequantized
from _gguf import Entry, Header
from _gguf_parts import read_parts
from _layout import Meaning
from _model import Source, Tensor
from _numbers import CODES
from _rules import decide
from numpy.typing import NDArray

PLAIN = {0: "float32", 1: "float16", 24: "int8", 25: "int16", 26: "int32", 27: "int64"}
PLAIN |= {28: "float64", 30: "bfloat16"}
NAMES = {9: "Q8_1", 15: "Q8_K"}
NVFP4 = 40

SecondScale = tuple[Path, Entry]

EMBEDDING = r"(.*\.)?(token|position)_embd\.weight|token_types\.weight"
OUT_IN = ("out", "in")
RULES = (
    (r".*norm(_\d+)?\.weight", 1, "norm", "norm by name", ()),
    (EMBEDDING, 2, "embedding", "embedding by name", OUT_IN),
    (r".*_exps\.weight", 3, "linear", "stacked experts", ("stack", *OUT_IN)),
    (r".*\.attn_\w+\.weight", 3, "linear", "one matrix for each head", ("stack", *OUT_IN)),
    (r"blk\..*(?<!\.weight)(?<!\.bias)", 2, "other", "parameter that is no weight", ()),
)
"""Of llama.cpp's names: pattern, number of axes, kind, rule, axes."""


def open_model(path: Path, _: argparse.Namespace) -> Source:
    """Read a file's header, and those of the other parts if it is the first of several."""
    parts = read_parts(path)
    entries = {name: entry for _, header in parts for name, entry in header.tensors.items()}
    model = Model({name: entry.shape for name, entry in entries.items()})
    metadata = parts[0][1].metadata
    tensors = []
    for file, header in parts:
        _check_places(file, header.tensors)
        for name, entry in header.tensors.items():
            tensors.append(_tensor(file, name, entry, metadata, model, _second_scale(name, parts)))
    found = Counter(BLOCK_TYPES[e.kind].name for e in entries.values() if e.kind in BLOCK_TYPES)
    notes = [f"{count} tensors of type {name} become float32" for name, count in found.items()]
    return Source("gguf", path.name, tensors, [file for file, _ in parts], notes=notes)


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


def _tensor(
    path: Path,
    name: str,
    entry: Entry,
    metadata: Mapping[str, Any],
    model: Model,
    second_scale: SecondScale | None,
) -> Tensor:
    dtype = PLAIN.get(entry.kind, "float32")
    meaning = _meaning(name, entry.shape, dtype, metadata, model)
    if entry.kind in BLOCK_TYPES:
        rule = f"{meaning.rule}, from {BLOCK_TYPES[entry.kind].name}"
        meaning = replace(meaning, rule=rule)
    elif entry.kind not in PLAIN:
        label = NAMES.get(entry.kind, f"number {entry.kind}")
        meaning = Meaning("refused", f"its type, {label}, is not supported")
    read = partial(_read, path, entry)
    if entry.kind == NVFP4 and second_scale is not None:
        stack = entry.shape[:-2]
        if second_scale[1].kind != 0 or second_scale[1].shape not in ((), (1,), stack):
            raise ConversionError("its scale beside it is not one float32 a matrix", DAMAGED, name)
        read = partial(_read_scaled, path, entry, second_scale)
    return Tensor(name, entry.shape, dtype, read, meaning)


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


def _meaning(
    name: str, shape: tuple[int, ...], dtype: str, metadata: Mapping[str, Any], model: Model
) -> Meaning:
    """Meaning of a tensor: by llama.cpp's names, else by those of PyTorch, which others keep."""
    for pattern, ndim, kind, rule, axes in RULES:
        if len(shape) == ndim and re.fullmatch(pattern, name):
            return Meaning(kind, rule, axes, inferred=True)
    if re.fullmatch(r".*\.ssm_conv1d\w*\.weight", name) and len(shape) == 2:
        view = (shape[0], 1, shape[1])
        axes = ("out", "in", "k1")
        rule = "depthwise convolution by name"
        return Meaning("conv", rule, axes, inferred=True, view=view, groups=max(shape[0], 1))
    meaning = replace(decide(name, shape, dtype, model), inferred=True)
    if re.fullmatch(r".*\.attn_qkv\.weight", name) and meaning.kind == "linear":
        return replace(meaning, rule="fused qkv, q, k, v in turn", parts=_qkv(shape[0], metadata))
    return meaning


def _qkv(out: int, metadata: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Sizes of q, k and v as the metadata state them; none if they do not fit."""

    def number(key: str, default: int) -> int:
        value = metadata.get(f"{metadata.get('general.architecture')}.{key}")
        return value if isinstance(value, int) and value > 0 else default

    heads = number("attention.head_count", 1)
    kv_heads = number("attention.head_count_kv", heads)
    size = number("attention.key_length", number("embedding_length", 1) // heads)
    q, k = heads * size, kv_heads * size
    v = kv_heads * number("attention.value_length", size)
    return (("q", q), ("k", k), ("v", v)) if q + k + v == out and k and v else ()


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))
