"""Four bits of bitsandbytes: a table of sixteen values and a scale for each block of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.text import strictjson
from htsr_ref.weights.dtypes import DTYPES
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


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Codes of four bits in blocks, without regard to rows; `pairs`: the numbers of each byte."""

    codes: RawTensor
    pairs: NDArray[np.float64]
    scales: RawTensor
    block: int
    nested: _Nested | None
    columns: int

    @property
    def unit(self) -> int:
        """Columns that are decoded together: a block, or rows where blocks run on from one."""
        is_cut = self.columns % self.block or self.block % 2
        return self.columns if is_cut else self.block

    def decode(self, rows: range, columns: slice) -> NDArray[np.float64]:
        """Rows that lie one after the other, and columns that begin and end with a unit."""
        if self.unit == self.columns:
            return self._decoded(rows.start * self.columns, rows.stop * self.columns).reshape(
                len(rows), self.columns
            )
        first, last = rows.start * self.columns, rows.stop * self.columns
        pairs = self._bytes(first, last)[0].reshape(len(rows), -1)
        pairs = pairs[:, columns.start // 2 : columns.stop // 2]
        scales = self.read_scales(slice(first // self.block, last // self.block, 1))
        scales = scales.reshape(len(rows), -1)
        scales = scales[:, columns.start // self.block : columns.stop // self.block]
        values = np.take(self.pairs, pairs, axis=0).reshape(*scales.shape, self.block)
        values *= scales[:, :, None]
        return values.reshape(len(rows), -1)

    def _decoded(self, first: int, last: int) -> NDArray[np.float64]:
        """Decode a range of the numbers, wherever blocks begin."""
        pairs, skipped = self._bytes(first, last)
        values = np.take(self.pairs, pairs, axis=0).reshape(-1)[skipped : skipped + last - first]
        blocks = slice(first // self.block, -(-last // self.block), 1)
        scales = np.repeat(self.read_scales(blocks), self.block)
        before = blocks.start * self.block
        return values * scales[first - before : last - before]

    def _bytes(self, first: int, last: int) -> tuple[NDArray[np.uint8], int]:
        """Bytes that hold a range of the numbers, and how many others are ahead of these."""
        size = DTYPES[self.codes.dtype].bits // 8
        items = slice(first // 2 // size, -(-last // (2 * size)), 1)
        index = tuple(items if length > 1 else slice(None) for length in self.codes.shape)
        stored = np.ascontiguousarray(self.codes.backing.read(index)).reshape(-1).view(np.uint8)
        before = items.start * size
        return stored[first // 2 - before : -(-last // 2) - before], first % 2

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
    pairs = np.stack([np.repeat(table, 16), np.tile(table, 16)], axis=1)
    *stack, outputs, columns = shape
    layer = _Blocks(codes, pairs, scales, block, nested, columns)
    check_when_opened(scales, lambda: layer.read_scales(slice(0, blocks, 1)))

    def decode(place: int, rows: slice, part: slice) -> NDArray[np.float64]:
        wanted = range(place * outputs + rows.start, place * outputs + rows.stop, rows.step)
        if rows.step == 1:
            return layer.decode(wanted, part)
        return np.concatenate([layer.decode(range(row, row + 1), part) for row in wanted])

    return PackedTensor(codes.name, dtype, (*stack, outputs, columns), decode, parts, layer.unit)


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
