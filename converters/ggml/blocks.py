"""Values of GGML's block-wise quantized numbers, in float32 and in GGML's order of operations.

A block holds 32 or 256 numbers of a row: codes of 2 to 8 bits and their scales (and minima),
which the K types quantize in turn. Each function maps the bytes of n blocks, (n, size), to their
values, (n, numbers).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ggml import small_blocks as small
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
SLAB = 2**14
"""Blocks whose values are computed at a time."""


@dataclass(frozen=True)
class BlockType:
    """A type: its name, the numbers and bytes of a block, and the function for their values."""

    name: str
    numbers: int
    size: int
    values: Callable[[Bytes], Floats]


def dequantized(blocks: Bytes, kind: BlockType) -> Floats:
    """Values of blocks (n, size), slab by slab."""
    values = np.empty((len(blocks), kind.numbers), np.float32)
    with np.errstate(all="ignore"):  # scales may be infinite, as in GGML
        for at in range(0, len(blocks), SLAB):
            values[at : at + SLAB] = kind.values(np.ascontiguousarray(blocks[at : at + SLAB]))
    return values


def _halves(data: Bytes) -> Floats:
    """Numbers of float16."""
    return np.ascontiguousarray(data).view("<f2").astype(np.float32)


def _signed(codes: NDArray[Any], zero: int) -> Floats:
    return (codes.astype(np.int16) - zero).astype(np.float32)


def _bits(data: Bytes, width: int, shifts: int, mask: int) -> Bytes:
    """Codes of `mask`'s bits: of each `width` bytes first the lowest bits, then the next ones."""
    steps = np.arange(shifts, dtype=np.uint8) * np.uint8(8 // shifts)
    groups = data.reshape(len(data), -1, 1, width) >> steps[:, None]
    return (groups & np.uint8(mask)).reshape(len(data), -1)


def _fifth_bits(data: Bytes) -> Bytes:
    """32 bits as 0 or 16, the lowest first."""
    return np.unpackbits(data, axis=1, bitorder="little") << np.uint8(4)


def _q4_0(b: Bytes) -> Floats:
    return _halves(b[:, :2]) * _signed(_bits(b[:, 2:], 16, 2, 15), 8)


def _q4_1(b: Bytes) -> Floats:
    codes = _bits(b[:, 4:], 16, 2, 15).astype(np.float32)
    return _halves(b[:, :2]) * codes + _halves(b[:, 2:4])


def _q5_0(b: Bytes) -> Floats:
    codes = _bits(b[:, 6:], 16, 2, 15) | _fifth_bits(b[:, 2:6])
    return _halves(b[:, :2]) * _signed(codes, 16)


def _q5_1(b: Bytes) -> Floats:
    codes = _bits(b[:, 8:], 16, 2, 15) | _fifth_bits(b[:, 4:8])
    return _halves(b[:, :2]) * codes.astype(np.float32) + _halves(b[:, 2:4])


def _q8_0(b: Bytes) -> Floats:
    return _halves(b[:, :2]) * np.ascontiguousarray(b[:, 2:]).view(np.int8).astype(np.float32)


def _scaled(scales: Floats, codes: NDArray[Any], minima: Floats | None = None) -> Floats:
    """Scale equal sections of the codes, and subtract a minimum from each."""
    sections = codes.reshape(*scales.shape, -1).astype(np.float32)
    values = scales[..., None] * sections
    if minima is not None:
        values = values - minima[..., None]
    return values.reshape(len(codes), -1)


def _q2_k(b: Bytes) -> Floats:
    scales = _halves(b[:, 80:82]) * (b[:, :16] & 15).astype(np.float32)
    minima = _halves(b[:, 82:84]) * (b[:, :16] >> 4).astype(np.float32)
    return _scaled(scales, _bits(b[:, 16:80], 32, 4, 3), minima)


def _q3_k(b: Bytes) -> Floats:
    low, high = _bits(b[:, 96:104], 8, 2, 15), _bits(b[:, 104:108], 4, 4, 3)
    scales = _halves(b[:, 108:110]) * _signed(low | high << np.uint8(4), 32)
    codes = _bits(b[:, 32:96], 32, 4, 3) | _bits(b[:, :32], 32, 8, 1) << np.uint8(2)
    return _scaled(scales, _signed(codes, 4))


def _scales_and_minima(b: Bytes) -> tuple[Floats, Floats]:
    """Of the eight sections of Q4_K and Q5_K: six bits each, in twelve bytes."""
    scales, minima, rest = b[:, 4:8], b[:, 8:12], b[:, 12:16]
    last_scales = rest & np.uint8(15) | scales >> 2 & np.uint8(48)
    last_minima = rest >> 4 | minima >> 2 & np.uint8(48)
    return (
        _halves(b[:, :2]) * np.hstack([scales & 63, last_scales]).astype(np.float32),
        _halves(b[:, 2:4]) * np.hstack([minima & 63, last_minima]).astype(np.float32),
    )


def _q4_k(b: Bytes) -> Floats:
    scales, minima = _scales_and_minima(b)
    return _scaled(scales, _bits(b[:, 16:], 32, 2, 15), minima)


def _q5_k(b: Bytes) -> Floats:
    scales, minima = _scales_and_minima(b)
    fifth = _bits(b[:, 16:48], 32, 8, 1) << np.uint8(4)
    return _scaled(scales, _bits(b[:, 48:], 32, 2, 15) | fifth, minima)


def _q6_k(b: Bytes) -> Floats:
    scales = np.ascontiguousarray(b[:, 192:208]).view(np.int8).astype(np.float32)
    codes = _bits(b[:, :128], 64, 2, 15) | _bits(b[:, 128:192], 32, 4, 3) << np.uint8(4)
    return _scaled(_halves(b[:, 208:210]) * scales, _signed(codes, 32))


BLOCK_TYPES = {
    2: BlockType("Q4_0", 32, 18, _q4_0),
    3: BlockType("Q4_1", 32, 20, _q4_1),
    6: BlockType("Q5_0", 32, 22, _q5_0),
    7: BlockType("Q5_1", 32, 24, _q5_1),
    8: BlockType("Q8_0", 32, 34, _q8_0),
    10: BlockType("Q2_K", 256, 84, _q2_k),
    11: BlockType("Q3_K", 256, 110, _q3_k),
    12: BlockType("Q4_K", 256, 144, _q4_k),
    13: BlockType("Q5_K", 256, 176, _q5_k),
    14: BlockType("Q6_K", 256, 210, _q6_k),
    16: BlockType("IQ2_XXS", 256, 66, small.iq2_xxs),
    17: BlockType("IQ2_XS", 256, 74, small.iq2_xs),
    18: BlockType("IQ3_XXS", 256, 98, small.iq3_xxs),
    19: BlockType("IQ1_S", 256, 50, small.iq1_s),
    20: BlockType("IQ4_NL", 32, 18, small.iq4_nl),
    21: BlockType("IQ3_S", 256, 110, small.iq3_s),
    22: BlockType("IQ2_S", 256, 82, small.iq2_s),
    23: BlockType("IQ4_XS", 256, 136, small.iq4_xs),
    29: BlockType("IQ1_M", 256, 56, small.iq1_m),
    34: BlockType("TQ1_0", 256, 54, small.tq1_0),
    35: BlockType("TQ2_0", 256, 66, small.tq2_0),
    39: BlockType("MXFP4", 32, 17, small.mxfp4),
    40: BlockType("NVFP4", 64, 36, small.nvfp4),
}
"""By GGML's numbers."""
