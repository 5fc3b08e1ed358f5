"""What weight matrices are cut from: tensors of a file, and arrays."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from htsr_ref.weights.dtypes import codes_of, decode


class Tensor(Protocol):
    """What a weight matrix needs of the tensor it is cut from."""

    @property
    def name(self) -> str:
        """What tells it apart from the other tensors of its source."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Canonical shape."""

    @property
    def dtype(self) -> str:
        """Name of the stored type."""

    def __getitem__(self, index: Any) -> NDArray[np.float64]:
        """Decode the part selected by integers and slices, in C order."""


@dataclass(frozen=True, eq=False)
class ArrayTensor:
    """An array of numbers, of a type that can be decoded, as a tensor of its own.

    >>> ArrayTensor(np.array([[1, 2], [3, 4]], dtype=np.int8))[1, :]
    array([3., 4.])
    """

    array: NDArray[Any]
    name: str = "array"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.array.shape

    @property
    def dtype(self) -> str:
        """Name of its type."""
        return self.array.dtype.name

    def __getitem__(self, index: Any) -> NDArray[np.float64]:
        """Decode a part."""
        return np.asarray(decode(codes_of(self.array[index]), self.dtype), order="C")
