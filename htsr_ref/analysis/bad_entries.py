"""Where weights are not numbers."""

import math

import numpy as np

from htsr_ref.errors import HtsrError, shown
from htsr_ref.layers.matrices import BLOCK_ELEMENTS
from htsr_ref.layers.tensors import Tensor
from htsr_ref.weights import Layer, Weights


def find_bad_entries(weights: Weights) -> list[str]:
    """Describe the first NaN or infinity of every tensor that holds one; reads all weights.

    Spec: SPC-7.
    """
    found = []
    for layer in weights.layers:
        try:
            message = None if layer.same_as else describe_bad_entry(layer)
        except HtsrError as error:
            message = str(error)
        if message is not None:
            found.append(message)
    return found


def describe_bad_entry(layer: Layer) -> str | None:
    """Say where a layer's first NaN or infinity is; None if all its entries are finite.

    Spec: SPC-7.
    """
    index = first_nonfinite(layer.data)
    if index is None:
        return None
    return (
        f"tensor {shown(layer.tensor)}: entry {list(index)} is {float(layer.data[index])}. "
        "Repair or re-export the checkpoint"
    )


def first_nonfinite(data: Tensor) -> tuple[int, ...] | None:
    """Index of a tensor's first NaN or infinity in row-major order; None if all are finite.

    Spec: SPC-7.
    """
    if not data.shape:
        return None if np.isfinite(data[()]).all() else ()
    height = max(1, BLOCK_ELEMENTS // max(1, math.prod(data.shape[1:])))
    for start in range(0, data.shape[0], height):
        bad = np.argwhere(~np.isfinite(data[start : start + height]))
        if bad.size:
            return (start + int(bad[0, 0]), *map(int, bad[0, 1:]))
    return None
