"""One matrix in memory as weights: what it is needs no rules, as nothing lies beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from htsr_ref.weights.backing import InMemory
from htsr_ref.weights.layer import Layer, Weights
from htsr_ref.weights.meaning.axes import matrix_layout
from htsr_ref.weights.opening import ARRAY
from htsr_ref.weights.stored import StoredTensor

if TYPE_CHECKING:
    from numpy.typing import NDArray


def is_matrix(source: object) -> TypeGuard[NDArray[Any]]:
    """Whether it is a matrix of NumPy's, not empty, whose numbers are floats of its own."""
    return (
        type(source) is np.ndarray
        and source.ndim == 2
        and source.size > 0
        and source.dtype.name in ("float64", "float32", "float16")
    )


def weights_of_matrix(array: NDArray[Any]) -> Weights:
    """Make of a matrix the weights that `open_weights` makes of it.

    Parameters
    ----------
    array : such as `is_matrix` tells.

    Spec: FMT-1, FMT-14.
    """
    layout = matrix_layout(("out", "in"), array.shape)
    data = StoredTensor(ARRAY, array.dtype.name, layout, InMemory(array))
    layer = Layer(
        name=ARRAY,
        tensor=ARRAY,
        role="weight",
        shape=array.shape,
        dtype=data.dtype,
        axes=layout.axes,
        groups=1,
        parts=(),
        layer_class=None,
        decided="inferred: 2 axes (out, in)",
        left_out=None,
        code="left-out",
        same_as=None,
        warnings=(),
        data=data,
        plain_name=ARRAY,
    )
    return Weights("memory", "memory", (layer,), None, (), ())
