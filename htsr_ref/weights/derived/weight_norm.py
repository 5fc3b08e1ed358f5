"""Weight norm: a length times a direction, g·v/‖v‖."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.errors import shown
from htsr_ref.weights.derived.derived_tensor import (
    DerivedTensor,
    loaded,
    numbers,
    require_floats,
    row_blocks,
)
from htsr_ref.weights.packed.packed_module import DamagedPackingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor


@dataclass(frozen=True, eq=False)
class Normed:
    """v·(g/‖v‖), the norm over the axes where g has length 1. Spec: DER-3."""

    length: RawTensor
    direction: RawTensor

    @cached_property
    def factor(self) -> NDArray[np.float64]:
        """g/‖v‖, with an axis for each of v."""
        axes = len(self.direction.shape)
        g = numbers(self.length)
        g = g.reshape(g.shape or (1,) * axes)
        summed = tuple(axis for axis in range(1, axes) if g.shape[axis] == 1)
        squares = np.zeros(g.shape)
        for rows in row_blocks(self.direction.shape):
            block = numbers(self.direction, (rows, *(slice(None),) * (axes - 1)))
            with np.errstate(over="ignore", invalid="ignore"):
                found = np.square(block).sum(axis=summed, keepdims=True)
            if g.shape[0] == 1:
                squares += found.sum(axis=0, keepdims=True)
            else:
                squares[rows] = found
        squares[np.isinf(squares)] = np.nan  # a length beyond float64, which would make a weight 0
        with np.errstate(divide="ignore", invalid="ignore"):  # a NaN is reported as bad data
            return np.asarray(g / np.sqrt(squares))

    def read(self, index: tuple[slice, ...]) -> NDArray[np.float64]:
        """Scale a part of v."""
        factor = self.factor
        chosen = tuple(
            part if size > 1 else slice(None)
            for part, size in zip(index, factor.shape, strict=True)
        )
        with np.errstate(invalid="ignore", over="ignore"):
            return numbers(self.direction, index) * factor[chosen]

    def load(self) -> Normed:
        """Return the same with both in memory."""
        return Normed(loaded(self.length), loaded(self.direction))


def is_length_of(length: tuple[int, ...], direction: tuple[int, ...]) -> bool:
    """Whether a shape is that of g beside v: no axis, or each of length 1 or as long as v's.

    >>> is_length_of((96, 1, 1), (96, 16, 3)), is_length_of((), (4, 3)), is_length_of((4,), (4, 3))
    (True, True, False)
    """
    if not direction:
        return False
    return length == () or (
        len(length) == len(direction)
        and all(g in (1, v) for g, v in zip(length, direction, strict=True))
    )


def normed(plain_name: str, length: RawTensor, direction: RawTensor) -> DerivedTensor:
    """Weight under PyTorch's weight norm.

    Parameters
    ----------
    plain_name : the weight's own name.
    length : g (`weight_g`, `original0`).
    direction : v (`weight_v`, `original1`).

    Raises
    ------
    NotUnderstoodError
        A type without a decoder.
    DamagedPackingError
        The shape of g does not go with that of v.

    Spec: DER-3. Source: Salimans & Kingma 2016, equation 2.
    """
    require_floats(length, direction)
    if not is_length_of(length.shape, direction.shape):
        raise DamagedPackingError(
            f"it is under weight norm, and its length {shown(length.name)} of shape "
            f"{length.shape} does not go with its shape {direction.shape}. Save the weight itself"
        )
    return DerivedTensor(
        direction.name,
        plain_name,
        direction.dtype,
        direction.shape,
        "weight norm",
        {length.name: "scale"},
        Normed(length, direction),
    )
