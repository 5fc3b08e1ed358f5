"""TensorFlow Lite models: the constants of their graphs, and what uses each of them.

Numbers of fields and codes are those of the schema of TensorFlow Lite, version 3.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
from common.containers import DAMAGED, MAX_COPIES, MAX_RATIO, open_regular
from common.errors import ConversionError
from common.numbers import CODES
from flatbuffers.sparsity import Sparsity, read_sparsity
from flatbuffers.tables import Table

MAX_AXES = 8
MAX_OPERANDS = 64
"""No operator with weights has more."""
TYPES = {0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 6: "bool", 7: "int16"}
TYPES |= {8: "complex64", 9: "int8", 10: "float64", 12: "uint64", 15: "uint32", 16: "uint16"}
TYPES |= {18: "bfloat16"}
PACKED = {17: "int4", 19: "int2", 20: "uint4"}
DEQUANTIZE, GATHER, DENSIFY, BATCH_MATMUL = 6, 36, 124, 126
PASSED = (DEQUANTIZE, DENSIFY)


@dataclass(frozen=True)
class Use:
    """An operator that takes a tensor: its code, and which of its operands it is.

    `options` are the first bytes of its first two options: whether BATCH_MATMUL transposes its
    factors, the axis of GATHER.
    """

    code: int
    operand: int
    operands: Sequence[int]
    options: tuple[int, int]


@dataclass(frozen=True)
class Scales:
    """Quantization: the value of q is (q - zero point) times scale, along an axis or overall."""

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int


@dataclass(frozen=True)
class Constant:
    """A tensor with numbers: place and size in bytes, what uses it, and why it is refused.

    The numbers of a sparse one are those that are not zero.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    buffer: int
    offset: int
    size: int
    scales: Scales | None
    uses: Sequence[Use]
    shapes: Sequence[tuple[int, ...]]
    refusal: str
    sparsity: Sparsity | None = None


def read_constants(path: Path) -> list[Constant]:
    """Read a model's constants.

    Raises
    ------
    ConversionError
        If the file is damaged.
    """
    with open_regular(path) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        try:
            return list(_constants(Table.root(data)))
        except (ValueError, IndexError) as error:
            raise ConversionError(f"its model is damaged ({error})", DAMAGED) from error


def _constants(model: Table) -> Iterator[Constant]:
    codes = [max(code.number(0, "<b"), code.number(3, "<i")) for code in model.tables(1)]
    buffers = [_extent(buffer) for buffer in model.tables(4)]
    size = len(model.data)
    items = total = 0
    for graph in model.tables(2):
        items += sum(graph.vector(field, 4)[1] for field in (0, 3)) + 1
        if 4 * items > size:
            raise ValueError("its lists overlap")
        tensors = list(graph.tables(0))
        shapes = [tuple(tensor.numbers(0, "<i", MAX_AXES)) for tensor in tensors]
        uses = _uses(graph, codes, len(tensors))
        for tensor, shape, of_tensor in zip(tensors, shapes, uses, strict=True):
            buffer = tensor.number(2, "<I")
            place = buffers[buffer]
            total += place[1]
            if total > MAX_COPIES * size:
                raise ValueError("its constants overlap")
            if place[1]:
                constant = _constant(tensor, shape, (buffer, *place), of_tensor, shapes)
                total += 0 if constant.sparsity is None else constant.sparsity.size
                yield constant


def _constant(
    tensor: Table,
    shape: tuple[int, ...],
    place: tuple[int, int, int],
    uses: Sequence[Use],
    shapes: Sequence[tuple[int, ...]],
) -> Constant:
    kind, name = tensor.number(1, "<b"), tensor.text(3)
    dtype = TYPES.get(kind, "")
    refusal = "" if dtype else f"its numbers are of type {PACKED.get(kind, kind)}"
    itemsize = np.dtype(CODES[dtype][1]).itemsize if dtype else 0
    sparse = tensor.table(6)
    if sparse is None and dtype and place[2] != prod(shape) * itemsize:
        raise ValueError(f"{place[2]} bytes do not hold {name!r} of shape {shape}")
    sparsity = None if sparse is None or not dtype else read_sparsity(sparse)
    if sparsity is not None and (
        place[2] % itemsize
        or prod(shape) * itemsize > MAX_RATIO * place[2]
        or min(shape, default=0) < 0
    ):
        dtype, refusal = "", "it is sparse, and what it stores does not fit its shape"
    quantization = tensor.table(4)
    scales = None
    if quantization is not None:
        if quantization.number(4, "<B"):
            refusal = "it is quantized in blocks or by a custom rule"
        elif not refusal:
            scales = _scales(quantization, max(shape, default=1))
    return Constant(name, shape, dtype, *place, scales, uses, shapes, refusal, sparsity)


def _extent(buffer: Table) -> tuple[int, int]:
    """Where a buffer's bytes are: within its table or, in large models, behind all tables."""
    offset, size = buffer.number(1, "<Q"), buffer.number(2, "<Q")
    if offset > 1:
        if offset + size > len(buffer.data):
            raise ValueError("a buffer ends beyond the file")
        return offset, size
    return buffer.vector(0, 1)


def _scales(quantization: Table, limit: int) -> Scales | None:
    scale = quantization.floats(2, limit)
    zero_point = quantization.numbers(3, "<q", limit)
    axis = quantization.number(6, "<i")
    return Scales(tuple(scale), tuple(zero_point), axis) if scale else None


def _uses(graph: Table, codes: Sequence[int], count: int) -> list[list[Use]]:
    """Of each tensor, what uses it; DEQUANTIZE or DENSIFY stands for the uses of its output."""
    uses: list[list[Use]] = [[] for _ in range(count)]
    sources: dict[int, int] = {}
    for operator in graph.tables(3):
        code = codes[operator.number(0, "<I")]
        if operator.vector(1, 4)[1] > MAX_OPERANDS:
            continue
        operands = operator.numbers(1, "<i", MAX_OPERANDS)
        options = operator.table(4) if code in (GATHER, BATCH_MATMUL) else None
        flags = (0, 0) if options is None else (options.number(0, "<B"), options.number(1, "<B"))
        if code in PASSED:
            sources |= dict.fromkeys(
                operator.numbers(2, "<i", 1), sources.get(operands[0], operands[0])
            )
        for operand, tensor in enumerate(operands):
            source = sources.get(tensor, tensor)
            if 0 <= source < count and code not in PASSED:
                uses[source].append(Use(code, operand, operands, flags))
    return uses
