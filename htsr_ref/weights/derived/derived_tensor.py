"""`DerivedTensor`: a weight that is computed from other tensors, part by part."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from htsr_ref.errors import shown
from htsr_ref.weights.dtypes import decode, is_decoded
from htsr_ref.weights.packed.packed_module import NotUnderstoodError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.stored import StoredTensor

BLOCK_ELEMENTS = 1 << 20
"""Numbers that are decoded at a time: 8 MB of float64."""


class Derivation(Protocol):
    """How the numbers of a weight follow from those of other tensors."""

    def read(self, index: tuple[slice, ...]) -> NDArray[np.float64]:
        """Compute a part; one slice of positive step for each axis.

        Raises OSError if a file vanished, changed or cannot be read.
        """
        ...

    def load(self) -> Derivation:
        """Return a derivation that does not read the file again for every part."""
        ...


@dataclass(frozen=True, eq=False)
class DerivedTensor:
    """A weight whose numbers are computed when they are asked for; a backing of `StoredTensor`.

    Parameters
    ----------
    name : the tensor that stands for it in reports.
    plain_name : the name that the weight would have if it were stored as itself.
    dtype : number type of the tensors it is made of.
    shape : of the weight.
    rule : how it is computed, in a few words.
    parts : role of every other tensor that it is made of, by its name.
    derivation : how its numbers are computed.
    is_canonical : whether its axes are (out, in), whatever the order of the module's own weight.
    terms : the weights that it is the sum or difference of, each rounded when it was stored.

    Spec: DER-1.
    """

    name: str
    plain_name: str
    dtype: str
    shape: tuple[int, ...]
    rule: str
    parts: Mapping[str, str]
    derivation: Derivation
    is_canonical: bool = False
    terms: tuple[StoredTensor, ...] = ()

    def read(self, index: tuple[slice, ...]) -> NDArray[np.float64]:
        """Compute the numbers of a part, as a backing returns codes."""
        return self.derivation.read(index)

    def load(self) -> DerivedTensor:
        """Return the same weight with the codes that it is computed from in memory."""
        return replace(self, derivation=self.derivation.load())


def require_floats(*tensors: RawTensor) -> None:
    """Refuse to compute a weight from numbers that have no decoder.

    Raises
    ------
    NotUnderstoodError
        A tensor's type has no decoder.
    """
    for tensor in tensors:
        if not is_decoded(tensor.dtype):
            raise NotUnderstoodError(
                f"it is computed from the tensor {shown(tensor.name)}, whose numbers of type "
                f"{tensor.dtype} are not decoded. Convert that to float32"
            )


def numbers(tensor: RawTensor, index: tuple[slice, ...] | None = None) -> NDArray[np.float64]:
    """Numbers of a stored tensor, or of a part of it."""
    chosen = (slice(None),) * len(tensor.shape) if index is None else index
    return decode(tensor.backing.read(chosen), tensor.dtype)


def loaded(tensor: RawTensor) -> RawTensor:
    """Return the same tensor with its codes in memory."""
    return replace(tensor, backing=tensor.backing.load())


def row_blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Cut the first axis of a tensor into slices of bounded size."""
    height = max(1, BLOCK_ELEMENTS // max(1, math.prod(shape[1:])))
    for start in range(0, shape[0], height):
        yield slice(start, min(start + height, shape[0]))
