"""Four bits of bitsandbytes: a table of sixteen values and a scale for each block of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.text import strictjson
from htsr_ref.weights.dtypes import DTYPES
from htsr_ref.weights.packed.bits import unpack_stream
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.reading import (
    bad_layer,
    check_when_opened,
    damaged,
    member,
    read_scales,
    require_real,
    require_shape,
    require_type,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.packed_module import PackedModule

_LARGEST_STATE = 2**16
"""Bytes of the JSON that goes with a tensor."""
_SWAP_NIBBLES = np.array([code >> 4 | (code & 15) << 4 for code in range(256)], np.uint8)


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Codes of four bits in blocks, without regard to rows."""

    codes: RawTensor
    table: NDArray[np.float64]
    scales: RawTensor
    block: int
    nested: _Nested | None
    columns: int

    def decode(self, rows: range) -> NDArray[np.float64]:
        """Rows that lie one after the other."""
        first, last = rows.start * self.columns, rows.stop * self.columns
        values = np.take(self.table, self._numbers(first, last))
        blocks = slice(first // self.block, -(-last // self.block), 1)
        scales = np.repeat(self.read_scales(blocks), self.block)
        before = blocks.start * self.block
        values *= scales[first - before : last - before]
        return values.reshape(len(rows), self.columns)

    def _numbers(self, first: int, last: int) -> NDArray[np.uint8]:
        """Codes of a range of the numbers, the high half of a byte before the low one."""
        size = DTYPES[self.codes.dtype].bits // 8
        items = slice(first // 2 // size, -(-last // (2 * size)), 1)
        index = tuple(items if length > 1 else slice(None) for length in self.codes.shape)
        stored = np.ascontiguousarray(self.codes.backing.read(index)).reshape(-1)
        swapped = np.take(_SWAP_NIBBLES, stored.view(np.uint8))
        before = items.start * size * 2
        return unpack_stream(swapped, 4, last - before, 0)[first - before :]

    def read_scales(self, blocks: slice) -> NDArray[np.float64]:
        """Scales of a range of blocks."""
        if self.nested is None:
            return read_scales(self.scales, blocks)
        codes = self.scales.backing.read((blocks,))
        return self.nested.decode(codes, blocks.start)


@dataclass(frozen=True, eq=False)
class _Nested:
    """How the scales of blocks are quantized themselves."""

    table: NDArray[np.float64]
    scales: RawTensor
    block: int
    offset: float

    def decode(self, codes: NDArray[np.uint8], first: int) -> NDArray[np.float64]:
        last = first + len(codes)
        blocks = slice(first // self.block, -(-last // self.block), 1)
        scales = np.repeat(read_scales(self.scales, blocks), self.block)
        before = blocks.start * self.block
        return np.take(self.table, codes) * scales[first - before : last - before] + self.offset


def read_four_bits(module: PackedModule, state_name: str, dtype: str) -> PackedTensor:
    """Read NF4 or FP4 codes.

    Parameters
    ----------
    state_name : the tensor of the module whose bytes are the JSON that states shape and blocks.
    dtype : the scheme in a few words.

    Raises
    ------
    NotUnderstoodError
        If the weight has one axis, or more than three.
    DamagedPackingError
        If shapes, types, scales or tables contradict each other.

    Spec: PAK-38.
    """
    codes, scales = member(module, "weight"), member(module, "weight.absmax")
    state_tensor = module.tensors[state_name]
    state = _state(state_tensor)
    shape = _lengths(state_tensor, "shape", state.get("shape"))
    (block,) = _lengths(state_tensor, "blocksize", [state.get("blocksize")])
    if len(shape) not in (2, 3):
        raise NotUnderstoodError(f"bitsandbytes with weights of {len(shape)} axes is not read")
    parts = {"weight": "packed", "weight.absmax": "scale", state_name: "packed"}
    parts["weight.quant_map"] = "codebook"
    count = math.prod(shape)
    require_type(codes, "uint8", "int8", "bfloat16", "float16", "float32")
    half = -(-count // 2)
    size = DTYPES[codes.dtype].bits // 8
    if math.prod(codes.shape) * size != half + -half % size or max(codes.shape) * size < half:
        raise damaged(codes, f"its shape is {codes.shape}, which does not hold {count} codes")
    blocks = -(-count // block)
    require_shape(scales, blocks)
    nested = None
    if "weight.nested_absmax" in module.tensors:
        require_type(scales, "uint8")
        nested = _nested(module, state, state_tensor, blocks)
        parts |= {"weight.nested_absmax": "scale", "weight.nested_quant_map": "codebook"}
    else:
        require_real(scales)
    table = _table(member(module, "weight.quant_map"), 16)
    *stack, outputs, columns = shape
    layer = _Blocks(codes, table, scales, block, nested, columns)
    check_when_opened(scales, lambda: layer.read_scales(slice(0, blocks, 1)))

    def decode_rows(place: int, rows: slice) -> NDArray[np.float64]:
        wanted = range(place * outputs + rows.start, place * outputs + rows.stop, rows.step)
        if rows.step == 1:
            return layer.decode(wanted)
        found = [layer.decode(range(row, row + 1)) for row in wanted]
        return np.concatenate([np.empty((0, columns)), *found])

    return PackedTensor(codes.name, dtype, (*stack, outputs, columns), decode_rows, parts)


def _lengths(tensor: RawTensor, key: str, values: Any) -> list[int]:
    """Return a list of lengths that the JSON states."""
    if not isinstance(values, list) or not all(type(n) is int and n > 0 for n in values):
        raise damaged(tensor, f"its {key} is {values!r}")
    return values


def _state(tensor: RawTensor) -> dict[str, Any]:
    """Read the JSON that states shape and blocks."""
    require_type(tensor, "uint8")
    if len(tensor.shape) != 1 or tensor.shape[0] > _LARGEST_STATE:
        raise damaged(tensor, f"its shape is {tensor.shape}, not that of a short text")
    check_when_opened(tensor, lambda: tensor.backing.read((slice(None),)))
    try:
        state = strictjson.loads(tensor.backing.read((slice(None),)).tobytes())
    except ValueError as error:
        raise damaged(tensor, f"it is no JSON ({error})") from error
    if not isinstance(state, dict):
        raise damaged(tensor, "it is no object of JSON")
    return state


def _table(tensor: RawTensor, length: int) -> NDArray[np.float64]:
    """Read a codebook, whose values lie between -1 and 1."""
    require_real(tensor)
    require_shape(tensor, length)

    def read() -> NDArray[np.float64]:
        values = read_scales(tensor)
        if np.abs(values).max() > 1:
            raise bad_layer(tensor, "it holds values beyond -1 and 1")
        return values

    check_when_opened(tensor, read)
    return read()


def _nested(
    module: PackedModule, state: dict[str, Any], state_tensor: RawTensor, blocks: int
) -> _Nested:
    (block,) = _lengths(state_tensor, "nested_blocksize", [state.get("nested_blocksize")])
    offset = state.get("nested_offset")
    if not isinstance(offset, float) or not math.isfinite(offset):
        raise damaged(state_tensor, f"its nested_offset is {offset!r}")
    scales = member(module, "weight.nested_absmax")
    require_real(scales)
    require_shape(scales, -(-blocks // block))
    table = _table(member(module, "weight.nested_quant_map"), 256)
    return _Nested(table, scales, block, offset)
