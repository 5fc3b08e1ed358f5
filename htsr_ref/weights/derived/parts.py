"""`Parts`: tensors that give one weight together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from htsr_ref.weights.derived.derived_tensor import DerivedTensor


@dataclass(frozen=True)
class Parts:
    """Tensors that give one weight together.

    Parameters
    ----------
    names : their names.
    derive : puts the weight together. Raises `NotUnderstoodError` or `DamagedPackingError` if
        nobody can.
    role, rule : what they are if nobody can, and by which rule.
    """

    names: tuple[str, ...]
    derive: Callable[[], DerivedTensor]
    role: str
    rule: str
