"""Codes of a few bits, packed into words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEP = 32
"""Codes after which a stream is at the start of a word again, whatever their bits."""


def unpack_stream(words: NDArray[Any], bits: int, count: int, axis: int) -> NDArray[np.uint8]:
    """Take the codes out of a dense stream of bits, the low bits of a word first.

    Parameters
    ----------
    words : unsigned or signed integers of 8 or 32 bits, of any shape; axis `axis` is the stream.
    bits : bits of a code, 1 to 8; a code may lie across two words.
    count : how many codes there are; what follows them is padding.
    axis : axis of `words` that the codes take the place of.

    Returns
    -------
    uint8 array with `count` codes along `axis`.

    Raises
    ------
    ValueError
        If the words are too few.

    Spec: PAK-30.

    >>> unpack_stream(np.array([0b110_001, 0], np.uint8), 3, 5, 0)
    array([1, 6, 0, 0, 0], dtype=uint8)
    """
    words = words.view(f"u{words.dtype.itemsize}")
    width = 8 * words.dtype.itemsize
    if count * bits > words.shape[axis] * width:
        raise ValueError(f"{words.shape[axis]} words are too few for {count} codes")
    first_bit = np.arange(count) * bits
    shape = [1] * words.ndim
    shape[axis] = count
    shift = (first_bit % width).astype(words.dtype).reshape(shape)
    codes = np.take(words, first_bit // width, axis) >> shift
    spilled = first_bit % width + bits > width
    if spilled.any():
        at: list[Any] = [slice(None)] * words.ndim
        at[axis] = spilled
        next_word = np.take(words, first_bit[spilled] // width + 1, axis)
        codes[tuple(at)] |= next_word << (words.dtype.type(width) - shift[tuple(at)])
    masked: NDArray[np.uint8] = (codes & words.dtype.type(2**bits - 1)).astype(np.uint8)
    return masked


def words_around(codes: slice, bits: int, width: int = 32) -> tuple[slice, int, slice]:
    """Tell which words hold a range of codes, and where the codes are in what they unpack to.

    Parameters
    ----------
    codes : start, stop and step (at least 1), all integers.
    bits : bits of a code.
    width : bits of a word.

    Returns
    -------
    The slice of the words, the number of codes to unpack from them, and the slice of those.

    >>> words_around(slice(40, 50, 2), 4)
    (slice(4, 7, 1), 18, slice(8, 18, 2))
    """
    before = codes.start // _STEP * _STEP
    count = codes.stop - before
    words = slice(before * bits // width, -(-codes.stop * bits // width), 1)
    return words, count, slice(codes.start - before, count, codes.step)
