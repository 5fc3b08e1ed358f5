"""Scales of tensors that PyTorch quantized, for the manifest."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from _layout import MATRIX_KINDS, Meaning, canonical_axes
from _torch_pickles import View
from numpy.typing import NDArray


def with_scales(meaning: Meaning, view: View, read: Callable[[View], NDArray[Any]]) -> Meaning:
    """Add to a tensor's meaning how its numbers are dequantized, if they are quantized.

    Parameters
    ----------
    meaning : what the tensor is, but for the scales.
    read : reads the numbers of a tensor of scales.
    """
    scales = view.scales
    if scales is None:
        return meaning
    if meaning.kind not in MATRIX_KINDS:
        return Meaning("other", "quantized, but no weight")
    scale, zero_point = (
        read(value).tolist() if isinstance(value, View) else value
        for value in (scales.scale, scales.zero_point)
    )
    if not np.isfinite([scale, zero_point]).all():
        return Meaning("refused", "its scales or zero points are not finite")
    axis = None
    if scales.axis is not None:
        name = "" if meaning.view else meaning.axes[scales.axis]
        if meaning.axes.count(name) != 1:
            return Meaning("refused", "its scales run along an axis that is cut or merged")
        axis = canonical_axes(view.shape, meaning)[0].index(name)
    return replace(
        meaning,
        rule=f"{meaning.rule}, quantized by PyTorch",
        quantization={"scale": scale, "zero_point": zero_point, "axis": axis},
    )
