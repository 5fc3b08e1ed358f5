"""Spectral norm: a weight over the estimate of its largest singular value."""

from __future__ import annotations

import math
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
class SpectrallyNormed:
    """original/(uᵀWv), W the matrix with one axis of the original as rows. Spec: DER-4."""

    original: RawTensor
    u: RawTensor
    v: RawTensor
    axes: tuple[int, ...]

    @cached_property
    def sigma(self) -> float:
        """Estimate uᵀWv of the largest singular value.

        u is nearly W·v over its length; where two axes could be the rows of W, the one for which
        it is nearer is taken.
        """
        u = numbers(self.u)
        products = [self._product(axis) for axis in self.axes]
        with np.errstate(divide="ignore", invalid="ignore"):
            likeness = [float(u @ product / np.linalg.norm(product)) for product in products]
        return float(u @ products[int(np.argmax(np.nan_to_num(likeness)))])

    def _product(self, axis: int) -> NDArray[np.float64]:
        """W·v, with the rows of W along an axis of the original."""
        shape = self.original.shape
        v = numbers(self.v).reshape(shape[:axis] + shape[axis + 1 :])
        product = np.zeros(shape[axis])
        for rows in row_blocks(shape):
            block = numbers(self.original, (rows, *(slice(None),) * (len(shape) - 1)))
            matrix = np.moveaxis(block, axis, 0).reshape(block.shape[axis], -1)
            if axis == 0:
                product[rows] = matrix @ v.ravel()
            else:
                product += matrix @ v[rows].ravel()
        return product

    def read(self, index: tuple[slice, ...]) -> NDArray[np.float64]:
        """Divide a part of the original."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.asarray(numbers(self.original, index) / self.sigma)

    def load(self) -> SpectrallyNormed:
        """Return the same with the original in memory."""
        return SpectrallyNormed(loaded(self.original), loaded(self.u), loaded(self.v), self.axes)


def spectrally_normed(
    plain_name: str, original: RawTensor, u: RawTensor, v: RawTensor
) -> DerivedTensor:
    """Weight under PyTorch's spectral norm, by the stored vectors.

    Raises
    ------
    NotUnderstoodError
        A type without a decoder.
    DamagedPackingError
        The vectors' lengths go with no axis of the original.

    Spec: DER-4. Source: Miyato et al. 2018, algorithm 1.
    """
    require_floats(original, u, v)
    shape = original.shape
    lengths = [
        (size, math.prod(shape[:axis] + shape[axis + 1 :])) for axis, size in enumerate(shape)
    ]
    found = (*u.shape, *v.shape)
    axes = tuple(axis for axis, expected in enumerate(lengths) if expected == found)
    if not axes:
        raise DamagedPackingError(
            f"it is under spectral norm, and its vectors {shown(u.name)} and {shown(v.name)} of "
            f"shapes {u.shape} and {v.shape} do not go with its shape {shape}. Save the weight "
            "itself"
        )
    return DerivedTensor(
        original.name,
        plain_name,
        original.dtype,
        shape,
        "spectral norm by the stored vectors",
        {u.name: "buffer", v.name: "buffer"},
        SpectrallyNormed(original, u, v, axes),
    )
