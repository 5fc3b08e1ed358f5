"""`ScaledRows`: parts of (code - zero) x scale, the form that most schemes come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.weights.dtypes import decode
from htsr_ref.weights.packed.scales import read_bytes
from htsr_ref.weights.packed.small_floats import E2M1

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.grid import Grid, Matrix

DecodeCodes = Callable[["NDArray[Any]", int], "NDArray[np.float64]"]
"""From stored codes, (rows, n), and how many columns they are, to what they stand for."""

_PAIRS = np.stack([np.tile(E2M1, 16), np.repeat(E2M1, 16)], axis=1)


@dataclass(frozen=True)
class ScaledRows:
    """Decoder of parts: (code - zero) * scale * further scales / divisor, in this order.

    Parameters
    ----------
    codes : (stack, rows, ...) as stored, or without the axis `stack`.
    matrix : rows and columns of one matrix.
    decode : what codes stand for before they are scaled.
    scales : at least one.
    zero : what is taken away first.
    divisor : what is divided by at the end.
    is_stack : whether the first axis of `codes` is a stack.
    unit : columns whose codes begin and end with entries of the axis after the rows.
    entries : how many such entries they are.

    Spec: PAK-1.
    """

    codes: RawTensor
    matrix: Matrix
    decode: DecodeCodes
    scales: tuple[Grid, ...]
    zero: Grid | None = None
    divisor: Grid | None = None
    is_stack: bool = False
    unit: int = 1
    entries: int = 1

    def __call__(self, place: int, rows: slice, columns: slice) -> NDArray[np.float64]:
        """Decode rows and columns of one matrix; the columns begin at a multiple of `unit`."""
        chosen = range(self.matrix[0])[rows]
        ahead = (slice(place, place + 1),) * self.is_stack
        begin, end = columns.start // self.unit, -(-columns.stop // self.unit)
        across = slice(begin * self.entries, end * self.entries)
        rest = (slice(None),) * (len(self.codes.shape) - len(ahead) - 2)
        codes = read_bytes(self.codes, *ahead, rows, across, *rest).reshape(len(chosen), -1)
        values = self.decode(codes, columns.stop - columns.start)
        with np.errstate(over="ignore", invalid="ignore"):  # codes may be NaN or infinite
            if self.zero is not None:
                values -= self.zero.over(place, chosen, columns)
            for scale in self.scales:
                values *= scale.over(place, chosen, columns)
            if self.divisor is not None:
                values /= self.divisor.over(place, chosen, columns)
        return values


@dataclass(frozen=True)
class Plain:
    """Codes that are numbers of a type of their own."""

    dtype: str

    def __call__(self, codes: NDArray[Any], _: int) -> NDArray[np.float64]:
        """Exact values of the codes."""
        return decode(codes, self.dtype)


def fp4_pairs(codes: NDArray[Any], count: int) -> NDArray[np.float64]:
    """Decode bytes that hold two e2m1 numbers each, the one in the low bits first.

    Parameters
    ----------
    codes : (rows, n) bytes, signed or not.
    count : 2n.

    Returns
    -------
    float64 (rows, count).

    Spec: PAK-4. Source: OCP Microscaling Formats (MX) Specification 1.0, 5.3.3.

    >>> fp4_pairs(np.array([[0x70, 0x9F]], dtype=np.uint8), 4).tolist()
    [[0.0, 6.0, -6.0, -0.5]]
    """
    return np.take(_PAIRS, codes.view(np.uint8), axis=0).reshape(len(codes), count)
