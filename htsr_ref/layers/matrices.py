"""Weight matrices: views of tensors, and sets of them whose eigenvalues are put together."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import LayerError
from htsr_ref.layers.tensors import ArrayTensor, Tensor
from htsr_ref.weights.derived.low_rank import Factors, LowRank
from htsr_ref.weights.dtypes import is_decoded
from htsr_ref.weights.stored import StoredTensor

BLOCK_ELEMENTS = 1 << 20
"""Elements decoded at a time: 8 MB of float64."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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
    def cut(self) -> str:
        """What tells it apart from the other matrices of its tensor.

        >>> weight_matrix(ArrayTensor(np.zeros((5, 4, 3))), (slice(0, 5), slice(0, 4), 2)).cut
        '0:5,0:4,2'
        """
        return ",".join(
            f"{part.start}:{part.stop}" if isinstance(part, slice) else str(part)
            for part in self.index
        )

    def cut_from(self, data: Tensor) -> "WeightMatrix":
        """Cut the same matrix from another copy of its tensor."""
        return replace(self, data=data)

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

    def terms(self) -> "tuple[WeightMatrix, ...]":
        """Matrices that it is the sum or difference of; none if it is not."""
        terms = self.data.terms() if isinstance(self.data, StoredTensor) else ()
        return tuple(self.cut_from(term) for term in terms)

    @property
    def rank_bound(self) -> int:
        """Largest rank that it can have: less than M if it is stored as a product of factors."""
        product = self._product()
        return self.M if product is None else min(self.M, product.rank)

    def factors(self) -> Factors:
        """Matrices L (N, r) and R (r, M) with W = L·R.

        Raises
        ------
        LayerError
            It is not stored as a product of factors, or they cannot be read.

        Spec: DER-9.
        """
        product = self._product()
        if product is None:
            raise LayerError("it is not stored as a product of factors")
        rows, columns = (part for part in self.index if isinstance(part, slice))
        try:
            left, right = product.factors(rows, columns)
        except OSError as error:
            raise LayerError(f"its factors cannot be read: {error}. Open them again") from error
        return (right.T, left.T) if self.transposed else (left, right)

    def _product(self) -> LowRank | None:
        return self.data.product() if isinstance(self.data, StoredTensor) else None

    def _oriented(self, index: tuple[int | slice, ...]) -> NDArray[np.float64]:
        part = self.data[index]
        flat = part.reshape(part.shape[0], -1)
        return flat.T if self.transposed else flat


@dataclass(frozen=True, slots=True)
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

    def cut_from(self, data: Tensor) -> "Pool":
        """Cut the same matrices from another copy of their tensor."""
        return replace(self, members=tuple(member.cut_from(data) for member in self.members))


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
        W is not a non-empty matrix of real numbers.

    >>> matrix_from_array(np.zeros((2, 5))).N
    5
    """
    array = np.asarray(W)
    if array.ndim != 2 or 0 in array.shape:
        raise LayerError(f"an array of shape {array.shape} is not a weight matrix")
    if not is_decoded(array.dtype.name):
        raise LayerError(f"numbers of type {array.dtype} are not decoded. Convert them to float32")
    return weight_matrix(ArrayTensor(array))
