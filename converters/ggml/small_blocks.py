"""Values of GGML's types below Q2: grids of vectors, ternary digits, and floats of four bits.

Each function maps the bytes of n blocks, (n, size), to their values, (n, numbers), in float32 and
in GGML's order of operations.
"""

from typing import Any

import numpy as np
from common.containers import DAMAGED
from common.errors import ConversionError
from ggml.grids import IQ1, IQ2_S, IQ2_XS, IQ2_XXS, IQ3_S, IQ3_XXS
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Words = NDArray[np.uint16]

_DOUBLED_E2M1 = np.array([0, 1, 2, 3, 4, 6, 8, 12], np.float32)
_E2M1 = np.concatenate([_DOUBLED_E2M1, 0 - _DOUBLED_E2M1])
"""Twice the values of the four-bit floats; the zeros are both positive."""
_IQ4 = np.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32
)
_SEVEN = np.arange(128, dtype=np.uint8)
_ODD = np.bitwise_xor.reduce(np.unpackbits(_SEVEN[:, None], axis=1), axis=1)
_EVEN_SIGNS = _SEVEN | _ODD << np.uint8(7)
"""Seven signs and an eighth that makes the number of minuses even."""
_DELTA = np.float32(0.125)


def _halves(data: Bytes) -> Floats:
    """Numbers of float16."""
    return np.ascontiguousarray(data).view("<f2").astype(np.float32)


def _words(data: Bytes) -> Words:
    return np.ascontiguousarray(data).view("<u2")


def _nibbles(data: Bytes) -> Bytes:
    """Take the low and the high half of each byte in turn."""
    return np.stack([data & np.uint8(15), data >> 4], -1).reshape(len(data), -1)


def _planes(data: Bytes, width: int) -> Bytes:
    """Of each `width` bytes first all low halves, then all high ones."""
    groups = data.reshape(len(data), -1, width)
    return np.concatenate([groups & np.uint8(15), groups >> 4], -1).reshape(len(data), -1)


def _signs(masks: NDArray[np.uint8]) -> Floats:
    """Eight signs for each byte, the lowest bit first, along a new axis."""
    bits = np.unpackbits(masks[..., None], axis=-1, bitorder="little")
    return np.where(bits == 0, np.float32(1), np.float32(-1))


def _signed_vectors(scales: Floats, vectors: Floats, signs: Floats) -> Floats:
    """Scale equal sections of vectors that have signs."""
    n, sections = scales.shape
    shape = (n, sections, -1)
    values = scales[..., None] * vectors.reshape(shape) * signs.reshape(shape)
    return values.reshape(n, -1)


def _packed_signs(words: NDArray[np.uint32]) -> Floats:
    """Four times eight signs of each word: seven bits for each eight."""
    sevens = words[..., None] >> np.array([0, 7, 14, 21], np.uint32) & np.uint32(127)
    return _signs(_EVEN_SIGNS[sevens])


def iq2_xxs(b: Bytes) -> Floats:
    """66 bytes: a scale; for 32 numbers four codes, four times seven signs, and four bits."""
    words = np.ascontiguousarray(b[:, 2:]).view("<u4").reshape(len(b), 8, 2)
    sections = np.float32(0.5) + (words[..., 1] >> 28).astype(np.float32)
    codes = np.ascontiguousarray(words[..., 0]).view(np.uint8)
    scales = _halves(b[:, :2]) * sections * np.float32(0.25)
    return _signed_vectors(scales, IQ2_XXS[codes], _packed_signs(words[..., 1]))


def _half_scales(b: Bytes, scales: Bytes) -> Floats:
    """Scales of sections of 16 numbers, four bits each."""
    sections = np.float32(0.5) + _nibbles(scales).astype(np.float32)
    return _halves(b[:, :2]) * sections * np.float32(0.25)


def iq2_xs(b: Bytes) -> Floats:
    """74 bytes: a scale; codes of nine bits, each with seven signs; scales of sections."""
    codes = _words(b[:, 2:66])
    signs = _signs(_EVEN_SIGNS[codes >> 9])
    return _signed_vectors(_half_scales(b, b[:, 66:]), IQ2_XS[codes & 511], signs)


def iq2_s(b: Bytes) -> Floats:
    """82 bytes: a scale; low bytes of codes; signs; two bits more of codes; scales."""
    high = (b[:, 66:74, None] >> np.array([0, 2, 4, 6], np.uint8) & np.uint8(3)).reshape(len(b), -1)
    codes = b[:, 2:34].astype(np.uint16) | high.astype(np.uint16) << 8
    return _signed_vectors(_half_scales(b, b[:, 74:]), IQ2_S[codes], _signs(b[:, 34:66]))


def iq3_xxs(b: Bytes) -> Floats:
    """98 bytes: a scale; codes of four numbers; for 32 numbers 28 signs and four bits."""
    words = np.ascontiguousarray(b[:, 66:]).view("<u4")
    sections = np.float32(0.5) + (words >> 28).astype(np.float32)
    scales = _halves(b[:, :2]) * sections * np.float32(0.5)
    return _signed_vectors(scales, IQ3_XXS[b[:, 2:66]], _packed_signs(words))


def iq3_s(b: Bytes) -> Floats:
    """110 bytes: a scale; low bytes of codes; a ninth bit of each; signs; scales."""
    ninth = np.unpackbits(b[:, 66:74], axis=1, bitorder="little").astype(np.uint16) << 8
    codes = b[:, 2:66].astype(np.uint16) | ninth
    scales = _halves(b[:, :2]) * (1 + 2 * _nibbles(b[:, 106:])).astype(np.float32)
    return _signed_vectors(scales, IQ3_S[codes], _signs(b[:, 74:106]))


def _shifted_vectors(scales: Floats, codes: NDArray[Any], is_lower: NDArray[np.bool_]) -> Floats:
    """Scale sections of vectors whose numbers lie an eighth above or below -1, 0 and 1."""
    n, sections = scales.shape
    vectors = IQ1[codes].reshape(n, is_lower.shape[1], -1)
    shifted = vectors + np.where(is_lower, -_DELTA, _DELTA)[..., None]
    values: Floats = (scales[..., None] * shifted.reshape(n, sections, -1)).reshape(n, -1)
    return values


def iq1_s(b: Bytes) -> Floats:
    """50 bytes: a scale; low bytes of codes; for 32 numbers 12 bits of codes, three, a shift."""
    high = _words(b[:, 34:])
    rest = (high[..., None] >> np.array([0, 3, 6, 9], np.uint16) & np.uint16(7)).reshape(len(b), -1)
    codes = b[:, 2:34].astype(np.uint16) | rest << 8
    scales = _halves(b[:, :2]) * (2 * (high >> 12 & 7) + 1).astype(np.float32)
    return _shifted_vectors(scales, codes, high >= 0x8000)


def iq1_m(b: Bytes) -> Floats:
    """56 bytes: low bytes of codes; three bits and a shift for each; scales, and theirs in four."""
    packed = _words(b[:, 48:])
    pieces = packed >> 12 << np.array([0, 4, 8, 12], np.uint16)
    whole = np.bitwise_or.reduce(pieces, axis=1, keepdims=True).astype("<u2")
    sections = (packed[..., None] >> np.array([0, 3, 6, 9], np.uint16) & np.uint16(7)).reshape(
        len(b), -1
    )
    scales = whole.view("<f2").astype(np.float32) * (2 * sections + 1).astype(np.float32)
    rest = _nibbles(b[:, 32:48])
    codes = b[:, :32].astype(np.uint16) | (rest & np.uint8(7)).astype(np.uint16) << 8
    return _shifted_vectors(scales, codes, rest >= 8)


def iq4_nl(b: Bytes) -> Floats:
    """18 bytes: a scale; low halves, then high halves of codes."""
    return _halves(b[:, :2]) * _IQ4[_planes(b[:, 2:], 16)]


def iq4_xs(b: Bytes) -> Floats:
    """136 bytes: a scale; two, then four bits of scales of 32 numbers; codes."""
    high = _words(b[:, 2:4]) >> np.arange(0, 16, 2, dtype=np.uint16) & np.uint16(3)
    sections = _nibbles(b[:, 4:8]).astype(np.int16) + 16 * high.astype(np.int16) - 32
    scales = _halves(b[:, :2]) * sections.astype(np.float32)
    codes = _IQ4[_planes(b[:, 8:], 16)].reshape(len(b), 8, 32)
    values: Floats = (scales[..., None] * codes).reshape(len(b), -1)
    return values


def _trits(data: Bytes, width: int, count: int) -> Floats:
    """Ternary digits less one: of each `width` bytes the first digits, then the second ones."""
    powers = np.array([3**digit for digit in range(count)], np.uint8)
    groups = data.reshape(len(data), -1, 1, width) * powers[:, None]
    return ((groups.astype(np.uint16) * 3 >> 8).astype(np.float32) - 1).reshape(len(data), -1)


def tq1_0(b: Bytes) -> Floats:
    """54 bytes: five ternary digits per byte, only four in the last four bytes; a scale."""
    digits = [_trits(b[:, :32], 32, 5), _trits(b[:, 32:48], 16, 5), _trits(b[:, 48:52], 4, 4)]
    return _halves(b[:, 52:]) * np.concatenate(digits, axis=1)


def tq2_0(b: Bytes) -> Floats:
    """66 bytes: codes of two bits; a scale."""
    groups = b[:, :64].reshape(len(b), -1, 1, 32) >> np.array([[0], [2], [4], [6]], np.uint8)
    codes = (groups & np.uint8(3)).astype(np.float32) - 1
    return _halves(b[:, 64:]) * codes.reshape(len(b), -1)


def mxfp4(b: Bytes) -> Floats:
    """17 bytes: an exponent; low halves, then high halves of codes."""
    if (b[:, 0] == 255).any():
        raise ConversionError("it holds the exponent 255, which stands for no number", DAMAGED)
    exponents = b[:, :1].astype(np.int32) - 128
    scales: Floats = np.ldexp(np.ones(exponents.shape, np.float32), exponents)
    values: Floats = scales * _E2M1[_planes(b[:, 1:], 16)]
    return values


def nvfp4(b: Bytes) -> Floats:
    """36 bytes: four scales of eight bits without sign; of each 16 codes low, then high halves."""
    scale_codes = b[:, :4]
    if (scale_codes >= 127).any():
        raise ConversionError("it holds a scale that stands for no positive number", DAMAGED)
    exponent, mantissa = scale_codes.astype(np.int32) >> 3, scale_codes.astype(np.float32) % 8
    hidden = np.where(exponent > 0, np.float32(8), np.float32(0))
    scales = np.ldexp(hidden + mantissa, np.maximum(exponent, 1) - 11)
    codes = _E2M1[_planes(b[:, 4:], 8)].reshape(len(b), 4, 16)
    values: Floats = (scales[..., None] * codes).reshape(len(b), -1)
    return values
