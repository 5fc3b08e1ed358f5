"""Pruned weights: the weight times the mask beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from htsr_ref.errors import shown
from htsr_ref.weights.derived.derived_tensor import (
    DerivedTensor,
    loaded,
    numbers,
    require_floats,
)
from htsr_ref.weights.packed.packed_module import DamagedPackingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor


@dataclass(frozen=True, eq=False)
class Masked:
    """original ∘ mask. Spec: DER-2."""

    original: RawTensor
    mask: RawTensor

    def read(self, index: tuple[slice, ...]) -> NDArray[np.float64]:
        """Multiply a part of both."""
        return numbers(self.original, index) * numbers(self.mask, index)

    def load(self) -> Masked:
        """Return the same with both in memory."""
        return Masked(loaded(self.original), loaded(self.mask))


def masked(plain_name: str, original: RawTensor, mask: RawTensor) -> DerivedTensor:
    """Weight that PyTorch's pruning leaves.

    Raises
    ------
    NotUnderstoodError
        A type without a decoder.
    DamagedPackingError
        The shapes differ.

    Spec: DER-2.
    """
    require_floats(original, mask)
    if original.shape != mask.shape:
        raise DamagedPackingError(
            f"its mask {shown(mask.name)} has the shape {mask.shape}, and it has {original.shape}. "
            "Save or download it again"
        )
    return DerivedTensor(
        original.name,
        plain_name,
        original.dtype,
        original.shape,
        "pruned by the mask beside it",
        {mask.name: "mask"},
        Masked(original, mask),
    )
