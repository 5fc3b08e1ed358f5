"""Codes in 32-bit words as compressed-tensors packs them, by either of its two layouts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.weights.packed.bits import unpack_stream, words_around

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor

_WORD = 32


@dataclass(frozen=True)
class Layout:
    """How codes of a few bits lie in words, the low bits of a word first.

    Parameters
    ----------
    bits : bits of a code, 1 to 8.
    is_dense : whether a code may lie across two words; else each word holds as many whole codes
        as fit, and its highest bits are unused.

    Spec: PAK-8.
    """

    bits: int
    is_dense: bool

    @property
    def codes_per_word(self) -> int:
        """Whole codes that fit into a word."""
        return _WORD // self.bits

    @property
    def codes_together(self) -> int:
        """Least number of codes that ends where a word does."""
        return _WORD // math.gcd(_WORD, self.bits) if self.is_dense else self.codes_per_word

    def words(self, count: int) -> int:
        """Words that hold so many codes.

        >>> Layout(3, is_dense=True).words(64), Layout(3, is_dense=False).words(64)
        (6, 7)
        """
        if self.is_dense:
            return -(-count * self.bits // _WORD)
        return -(-count // self.codes_per_word)

    def unpack(self, words: NDArray[Any], count: int) -> NDArray[np.float64]:
        """Take the first codes out of the words of each row.

        Parameters
        ----------
        words : (rows, n) int32.
        count : how many codes to take.

        Returns
        -------
        float64 (rows, count): the codes less 2^(bits - 1).

        >>> words = np.array([[0b010_111_100]], dtype=np.int32)
        >>> Layout(3, is_dense=True).unpack(words, 3).tolist()
        [[0.0, 3.0, -2.0]]
        """
        if self.is_dense:
            codes = unpack_stream(words, self.bits, count, 1)
        else:
            shifts = np.arange(self.codes_per_word, dtype=np.uint32) * np.uint32(self.bits)
            spread = words.view(np.uint32)[:, :, None] >> shifts
            spread &= np.uint32(2**self.bits - 1)
            codes = spread.reshape(len(words), -1)[:, :count].astype(np.uint8)
        return np.subtract(codes, 2.0 ** (self.bits - 1), dtype=np.float64)

    def around(self, codes: slice) -> tuple[slice, int, slice]:
        """Tell which words hold a range of codes, as `bits.words_around` does."""
        if self.is_dense:
            return words_around(codes, self.bits)
        per = self.codes_per_word
        before = codes.start // per * per
        count = codes.stop - before
        return (
            slice(codes.start // per, -(-codes.stop // per)),
            count,
            slice(codes.start - before, count),
        )


def fitting_layouts(words: int, count: int, bits: tuple[int, ...]) -> tuple[Layout, ...]:
    """Layouts in which so many words hold so many codes; two that are the same count once.

    >>> fitting_layouts(6, 64, (3, 4))
    (Layout(bits=3, is_dense=True),)
    """
    every = [Layout(size, is_dense) for size in bits for is_dense in (True, False)]
    distinct = [layout for layout in every if layout.is_dense or _WORD % layout.bits]
    return tuple(layout for layout in distinct if layout.words(count) == words)


@dataclass(frozen=True)
class PackedZeros:
    """Rows of zero points that are packed along the rows of the matrix.

    Parameters
    ----------
    tensor : (stack, words, groups) int32, or without the axis `stack`.
    layout : how the codes lie in the words of a column.

    Spec: PAK-8.
    """

    tensor: RawTensor
    layout: Layout

    def __call__(self, place: int, rows: slice) -> NDArray[np.float64]:
        """Zero points of a slice of rows, (rows, groups)."""
        words, count, part = self.layout.around(rows)
        ahead = (slice(place, place + 1),) * (len(self.tensor.shape) - 2)
        found = self.tensor.backing.read((*ahead, words, slice(None)))
        by_group = np.ascontiguousarray(found.reshape(-1, self.tensor.shape[-1]).T)
        return self.layout.unpack(by_group, count).T[part]
