"""Weight matrices: views of tensors, and sets of them whose eigenvalues are put together."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import LayerError
from htsr_ref.weights import open_weights

BLOCK_ELEMENTS = 1 << 20
"""Elements decoded at a time: 8 MB of float64."""


class Tensor(Protocol):
    """What a weight matrix needs of the tensor it is cut from: a shape and basic indexing."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Canonical shape."""

    @property
    def dtype(self) -> str:
        """Name of the stored type."""

    def __getitem__(self, index: Any) -> NDArray[np.float64]:
        """Decode the part selected by integers and slices."""


@dataclass(frozen=True)
class Origin:
    """What a normalization may ask of the layer that a matrix is cut from.

    Attributes
    ----------
    is_conv : whether that is a convolution.
    out, in_ : its outputs and inputs, of one part and group.
    positions : kernel positions, 1 without a kernel.
    separate : matrices that the positions give, 1 if they are put together.

    Spec: SPC-9.
    """

    is_conv: bool
    out: int
    in_: int
    positions: int = 1
    separate: int = 1


@dataclass(frozen=True)
class WeightMatrix:
    """One weight matrix W of shape N×M, N ≥ M: a cut of a tensor.

    Attributes
    ----------
    label : what distinguishes it among the matrices of its layer, such as "[0,2]" or "query".
    N, M : rows and columns, N ≥ M.
    data : the tensor it is cut from.
    index : the cut, integers and at least two slices: for the axis out, and for the axes that
        together are the columns, the first varying slowest.
    transposed : whether the axis `out` runs along the columns of W.
    origin : the layer it comes from.

    Spec: MAT-1.
    """

    label: str
    N: int
    M: int
    data: Tensor
    index: tuple[int | slice, ...]
    transposed: bool
    origin: Origin

    @property
    def members(self) -> "tuple[WeightMatrix, ...]":
        """The matrix itself, as a set of one."""
        return (self,)

    @property
    def dtype(self) -> str:
        """Name of the stored type."""
        return self.data.dtype

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Yield W in blocks of consecutive rows, each (b, M) float64, decoded as they come."""
        axes = [axis for axis, part in enumerate(self.index) if isinstance(part, slice)]
        row_axis = axes[1] if self.transposed else axes[0]
        rows = self.index[row_axis]
        assert isinstance(rows, slice)  # noqa: S101 - narrows the type, cannot fail
        rows_a_step = self.N // (rows.stop - rows.start)
        height = max(1, BLOCK_ELEMENTS // (self.M * rows_a_step))
        for start in range(rows.start, rows.stop, height):
            part = slice(start, min(start + height, rows.stop))
            yield self._oriented((*self.index[:row_axis], part, *self.index[row_axis + 1 :]))

    def to_array(self) -> NDArray[np.float64]:
        """Return W itself, (N, M) float64."""
        return self._oriented(self.index)

    def _oriented(self, index: tuple[int | slice, ...]) -> NDArray[np.float64]:
        part = self.data[index]
        flat = part.reshape(part.shape[0], -1)
        return flat.T if self.transposed else flat


@dataclass(frozen=True)
class Pool:
    """Weight matrices whose eigenvalues are put together into one spectrum.

    Attributes
    ----------
    label : what distinguishes the pool among those of its layer.
    N, M : the dimensions that are reported for it.
    members : the matrices.
    origin : the layer they come from.

    Spec: MAT-9.
    """

    label: str
    N: int
    M: int
    members: tuple[WeightMatrix, ...]
    origin: Origin

    @property
    def dtype(self) -> str:
        """Name of the stored type."""
        return self.members[0].dtype


def num_eigenvalues(matrix: WeightMatrix | Pool) -> int:
    """Count the eigenvalues that a matrix or a pool will have.

    >>> num_eigenvalues(matrix_from_array(np.zeros((2, 5))))
    2
    """
    return sum(member.M for member in matrix.members)


def weight_matrix(
    data: Tensor,
    index: tuple[int | slice, ...] | None = None,
    label: str = "",
    origin: Origin | None = None,
) -> WeightMatrix:
    """Orient a cut of a tensor so that it has at least as many rows as columns.

    Parameters
    ----------
    data : the tensor.
    index : integers and at least two slices with start and stop; by default a whole 2-D tensor.
    label, origin : see `WeightMatrix`; by default a linear layer of its own.

    Spec: MAT-1. Source: Martin & Mahoney, SDM 2020, section 2.
    """
    cut = tuple(slice(0, size) for size in data.shape) if index is None else index
    out, *others = (part.stop - part.start for part in cut if isinstance(part, slice))
    in_ = math.prod(others)
    return WeightMatrix(
        label,
        max(out, in_),
        min(out, in_),
        data,
        cut,
        transposed=out < in_,
        origin=origin or Origin(False, out, in_),
    )


def matrix_from_array(W: ArrayLike) -> WeightMatrix:
    """Wrap an in-memory matrix.

    Parameters
    ----------
    W : (rows, columns) real array.

    Raises
    ------
    LayerError
        W is not a non-empty real matrix.

    >>> matrix_from_array(np.zeros((2, 5))).N
    5
    """
    array = np.asarray(W)
    if array.ndim != 2 or 0 in array.shape:
        raise LayerError(f"an array of shape {array.shape} is not a weight matrix")
    return weight_matrix(open_weights({"W": array}).layers[0].data)
