"""From a weight tensor to its weight matrices: views, never copies, never changed values."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import LayerError
from htsr_ref.weights import Layer, open_weights

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
class WeightMatrix:
    """One weight matrix W of shape N×M, N ≥ M: two axes of a tensor at fixed other indices.

    Attributes
    ----------
    label : what distinguishes it among the matrices of its layer, such as "[0,2]" or "query".
    N, M : rows and columns, N ≥ M.
    data : the tensor it is cut from.
    index : the cut, integers and exactly two slices (for the axes out and in).
    transposed : whether the axis `in` runs along the rows of W.

    Spec: MAT-1.
    """

    label: str
    N: int
    M: int
    data: Tensor
    index: tuple[int | slice, ...]
    transposed: bool

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
        height = max(1, BLOCK_ELEMENTS // self.M)
        for start in range(rows.start, rows.stop, height):
            part = slice(start, min(start + height, rows.stop))
            block = self.data[(*self.index[:row_axis], part, *self.index[row_axis + 1 :])]
            yield block.T if self.transposed else block

    def to_array(self) -> NDArray[np.float64]:
        """Return W itself, (N, M) float64."""
        whole = self.data[self.index]
        return whole.T if self.transposed else whole


def weight_matrix(
    data: Tensor, index: tuple[int | slice, ...] | None = None, label: str = ""
) -> WeightMatrix:
    """Orient a cut of a tensor so that it has at least as many rows as columns.

    Parameters
    ----------
    data : the tensor.
    index : integers and exactly two slices with start and stop; by default a whole 2-D tensor.
    label : see `WeightMatrix`.

    Spec: MAT-1. Source: Martin & Mahoney, SDM 2020, section 2.
    """
    cut = tuple(slice(0, size) for size in data.shape) if index is None else index
    out, in_ = (part.stop - part.start for part in cut if isinstance(part, slice))
    return WeightMatrix(label, max(out, in_), min(out, in_), data, cut, transposed=out < in_)


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


def layer_matrices(layer: Layer, conv: str = "slices") -> tuple[WeightMatrix, ...]:
    """Cut a layer's tensor into its weight matrices, in the order of the specification.

    Parameters
    ----------
    layer : a layer with axes [stack…, out, in, k1…kd].
    conv : "slices" or "group-slices".

    Raises
    ------
    LayerError
        The groups do not divide the axis out.

    Spec: MAT-2, MAT-3, MAT-4, MAT-5, MAT-6. Source: Martin & Mahoney, SDM 2020, section 2.
    """
    out_axis = layer.axes.index("out")
    stack = [range(size) for size in layer.shape[:out_axis]]
    kernel = [range(size) for size in layer.shape[out_axis + 2 :]]
    columns = slice(0, layer.shape[out_axis + 1])
    return tuple(
        weight_matrix(
            layer.data,
            (*above, slice(start, stop), columns, *position),
            _label(above, name, position),
        )
        for above in itertools.product(*stack)
        for name, start, stop in _row_ranges(layer, layer.shape[out_axis], conv)
        for position in itertools.product(*kernel)
    )


def _row_ranges(layer: Layer, out: int, conv: str) -> Iterator[tuple[str, int, int]]:
    """Ranges of the axis `out` that are matrices of their own: parts, then groups."""
    bounds = [0, *itertools.accumulate(part.size for part in layer.parts)]
    named = [
        (part.name, *ends)
        for part, ends in zip(layer.parts, itertools.pairwise(bounds), strict=True)
    ]
    groups = layer.groups if conv == "group-slices" else 1
    for name, start, stop in named or [("", 0, out)]:
        height, rest = divmod(stop - start, groups)
        if rest:
            raise LayerError(
                f"tensor {layer.tensor!r}: {groups} groups do not divide {stop - start} output "
                "channels. Correct the declared groups"
            )
        for group in range(groups):
            label = f"group {group}" if groups > 1 else ""
            first = start + group * height
            yield " ".join(filter(None, (name, label))), first, first + height


def _label(above: tuple[int, ...], name: str, position: tuple[int, ...]) -> str:
    pieces = (_indices(above), name, _indices(position))
    return " ".join(filter(None, pieces))


def _indices(indices: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, indices))}]" if indices else ""
