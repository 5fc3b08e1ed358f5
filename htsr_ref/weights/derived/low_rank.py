"""LoRA: a weight that is the product of two small factors, times a number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.errors import shown
from htsr_ref.weights.derived.derived_tensor import (
    DerivedTensor,
    loaded,
    numbers,
    require_floats,
)
from htsr_ref.weights.packed.packed_module import DamagedPackingError, NotUnderstoodError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor

Factors = tuple["NDArray[np.float64]", "NDArray[np.float64]"]
"""Matrices (out, r) and (r, in) whose product a weight is."""


@dataclass(frozen=True, eq=False)
class LowRank:
    """scale·B·A, or its transpose.

    Parameters
    ----------
    down : A, of shape (r, inputs of A).
    up : B, of shape (outputs of B, r).
    scale : the number, or what it is over `alpha`.
    alpha : a stored number that multiplies the scale.
    is_transposed : whether the weight is (B·A)ᵀ.

    Spec: DER-6.
    """

    down: RawTensor
    up: RawTensor
    scale: float
    alpha: RawTensor | None = None
    is_transposed: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the weight."""
        outputs, inputs = self.up.shape[0], self.down.shape[1]
        return (inputs, outputs) if self.is_transposed else (outputs, inputs)

    @property
    def rank(self) -> int:
        """Length r of the axis that the factors share."""
        return self.down.shape[0]

    def factors(self, rows: slice, columns: slice) -> Factors:
        """Factors of a part of the weight, the first with the scale."""
        alpha = 1.0 if self.alpha is None else float(numbers(self.alpha).reshape(-1)[0])
        every = slice(None)
        if self.is_transposed:
            left, right = numbers(self.down, (every, rows)).T, numbers(self.up, (columns, every)).T
        else:
            left, right = numbers(self.up, (rows, every)), numbers(self.down, (every, columns))
        with np.errstate(over="ignore", invalid="ignore"):
            return left * (self.scale * alpha), right

    def read(self, index: tuple[slice, ...]) -> NDArray[np.float64]:
        """Multiply the factors of a part."""
        left, right = self.factors(*index)
        with np.errstate(over="ignore", invalid="ignore"):
            return left @ right

    def load(self) -> LowRank:
        """Return the same with the factors in memory."""
        return replace(self, down=loaded(self.down), up=loaded(self.up))


def low_rank(plain_name: str, product: LowRank) -> DerivedTensor:
    """Weight that an adapter adds to a matrix.

    Raises
    ------
    NotUnderstoodError
        The factors are not matrices, or of a type without a decoder.
    DamagedPackingError
        The factors cannot be multiplied, or alpha is no single number.

    Spec: DER-6. Source: Hu et al. 2021, section 4.1.
    """
    down, up, alpha = product.down, product.up, product.alpha
    stored = (down, up) if alpha is None else (down, up, alpha)
    require_floats(*stored)
    if len(down.shape) != 2 or len(up.shape) != 2:
        raise NotUnderstoodError(
            f"it adapts a convolution, or a stack: its factors have the shapes {down.shape} and "
            f"{up.shape}. Merge it into its model"
        )
    if down.shape[0] != up.shape[1] or 0 in (*down.shape, *up.shape):
        raise DamagedPackingError(
            f"its factors {shown(down.name)} and {shown(up.name)} of shapes {down.shape} and "
            f"{up.shape} cannot be multiplied. Save or download them again"
        )
    if alpha is not None and alpha.shape not in ((), (1,)):
        raise DamagedPackingError(
            f"its {shown(alpha.name)} of shape {alpha.shape} is no single number"
        )
    scale = f"{product.scale:.6g}" if alpha is None else f"alpha/{1 / product.scale:.6g}"
    return DerivedTensor(
        down.name,
        plain_name,
        down.dtype,
        product.shape,
        f"adapter of rank {product.rank}: {scale}·B·A" + ("ᵀ" if product.is_transposed else ""),
        {tensor.name: "adapter" for tensor in stored[1:]},
        product,
        is_canonical=True,
    )
