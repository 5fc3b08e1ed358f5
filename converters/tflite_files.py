# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert a TensorFlow Lite model (.tflite) to a weight file, without TensorFlow.

What uses a tensor says what it is. Quantized numbers stay as they are, with their scales in the
manifest. h5py is needed only for --format hdf5.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

from _containers import map_array
from _export import main
from _layout import Meaning
from _model import Source, Tensor
from _numbers import CODES
from _sniff import refuse, sniff
from _tflite import BATCH_MATMUL, GATHER, Constant, Use, read_constants
from numpy.typing import NDArray

OUT_IN, IN_OUT = ("out", "in"), ("in", "out")
LSTM_GATES = dict(zip(range(1, 9), "ifgo" * 2, strict=True))
LSTM_PROJECTION = 16
WEIGHTS: Mapping[tuple[int, int], tuple[str, str, tuple[str, ...]]] = {
    (3, 1): ("conv", "filter of CONV_2D", ("out", "k1", "k2", "in")),
    (7, 1): ("embedding", "table of EMBEDDING_LOOKUP", OUT_IN),
    (9, 1): ("linear", "weights of FULLY_CONNECTED", OUT_IN),
    (36, 0): ("embedding", "table of GATHER", OUT_IN),
    (67, 1): ("conv", "filter of TRANSPOSE_CONV", ("out", "k1", "k2", "in")),
    (132, 1): ("conv", "filter of CONV_3D", ("k1", "k2", "k3", "in", "out")),
    (141, 1): ("conv", "filter of CONV_3D_TRANSPOSE", ("k1", "k2", "k3", "out", "in")),
    (35, 1): ("recurrent", "input weights of UNIDIRECTIONAL_SEQUENCE_RNN", OUT_IN),
    (35, 2): ("recurrent", "recurrent weights of UNIDIRECTIONAL_SEQUENCE_RNN", OUT_IN),
}
"""Kind, rule and axes of the operand of an operator, by the operator's code."""
CONV_2D, DEPTHWISE, SEQUENCE_LSTM = 3, 4, 44
NOT_UNDERSTOOD = {16: "LSTM", 24: "RNN", 27: "SVDF", 46: "BIDIRECTIONAL_SEQUENCE_RNN"}
NOT_UNDERSTOOD |= {52: "BIDIRECTIONAL_SEQUENCE_LSTM", 171: "STABLEHLO_CONVOLUTION"}
BIASES = {(3, 2), (4, 2), (9, 2), (67, 3), (132, 2), (141, 3), (35, 3)}


def open_model(path: Path, _: argparse.Namespace) -> Source:
    """Read the constants of a model's graphs."""
    word, description = sniff(path)
    if word != "tflite":
        raise refuse(path, word, description)
    constants = read_constants(path)
    seen: Counter[str] = Counter()
    holders: dict[tuple[object, ...], str] = {}
    tensors = []
    for constant in constants:
        seen[constant.name] += 1
        count = seen[constant.name]
        name = constant.name if count == 1 else f"{constant.name}#{count}"
        meaning = _meaning(constant)
        # Equal codes share a buffer, also those of other weights, with other scales.
        plain = replace(meaning, rule="", quantization=None)
        key = (constant.buffer, constant.shape, constant.dtype, plain, constant.scales)
        holder = holders.setdefault(key, name)
        read = partial(_read, path, constant)
        same_as = holder if holder != name else None
        tensors.append(Tensor(name, constant.shape, constant.dtype, read, meaning, same_as))
    return Source("tflite", path.name, tensors, [path])


def _read(path: Path, constant: Constant) -> NDArray[Any]:
    return map_array(path, constant.offset, CODES[constant.dtype][1], constant.shape)


def _meaning(constant: Constant) -> Meaning:
    if constant.refusal:
        return Meaning("refused", constant.refusal)
    found = [_by_use(constant, use) for use in constant.uses]
    weights = [meaning for meaning in found if meaning is not None]
    if weights:
        return _with_scales(constant, weights[0])
    if any((use.code, use.operand) in BIASES for use in constant.uses):
        return Meaning("bias", "bias of its operator")
    for use in constant.uses:
        if use.code in NOT_UNDERSTOOD and len(constant.shape) > 1:
            return Meaning("refused", f"weights of {NOT_UNDERSTOOD[use.code]} are not understood")
    return Meaning("other", "constant of no operator that has known weights")


def _by_use(constant: Constant, use: Use) -> Meaning | None:
    """Meaning of a constant by one of its uses; None if it is no weight there."""
    shape, place = constant.shape, (use.code, use.operand)
    if place in WEIGHTS and len(shape) == len(WEIGHTS[place][2]):
        if use.code == GATHER and use.options[0] != 0:
            return None  # along another axis: no table of vectors
        meaning = Meaning(*WEIGHTS[place])
        groups = _channels(constant, use) // max(shape[-1], 1) if use.code == CONV_2D else 1
        return replace(meaning, groups=max(groups, 1))
    if place == (DEPTHWISE, 1) and len(shape) == 4 and shape[0] == 1:
        rule, axes = "filter of DEPTHWISE_CONV_2D", ("k1", "k2", "out")
        groups = _channels(constant, use) or shape[3]
        return Meaning("conv", rule, axes, view=shape[1:], groups=groups)
    if use.code == SEQUENCE_LSTM and len(shape) == 2:
        if use.operand in LSTM_GATES:
            rule = f"gate {LSTM_GATES[use.operand]} of UNIDIRECTIONAL_SEQUENCE_LSTM"
            return Meaning("recurrent", rule, OUT_IN)
        if use.operand == LSTM_PROJECTION:
            rule = "projection of UNIDIRECTIONAL_SEQUENCE_LSTM"
            return Meaning("recurrent", rule, OUT_IN)
    if use.code == BATCH_MATMUL and len(shape) == 2 and use.operand < 2:
        return _of_product(use)
    return None


def _of_product(use: Use) -> Meaning:
    """Meaning of a constant factor: x W or W x, each perhaps with W transposed."""
    is_transposed = use.options[use.operand] != 0
    axes = IN_OUT if is_transposed == (use.operand == 0) else OUT_IN
    return Meaning("linear", "factor of BATCH_MATMUL", axes)


def _channels(constant: Constant, use: Use) -> int:
    """Channels of an operator's input; 0 if unknown."""
    source = use.operands[0]
    shape = constant.shapes[source] if 0 <= source < len(constant.shapes) else ()
    return max(shape[-1], 0) if shape else 0


def _with_scales(constant: Constant, meaning: Meaning) -> Meaning:
    """Add the scales of quantized numbers; without scales they are no weights."""
    scales = constant.scales
    if "int" not in constant.dtype and constant.dtype != "bool":
        return meaning
    if scales is None:
        return Meaning("other", "whole numbers without a scale")
    zero_points = scales.zero_point or (0,) * len(scales.scale)
    if not all(isfinite(scale) for scale in scales.scale) or len(zero_points) != len(scales.scale):
        return Meaning("refused", "its scales are not finite, or not as many as its zero points")
    quantization: dict[str, Any]
    if len(scales.scale) == 1:
        quantization = {"scale": scales.scale[0], "zero_point": zero_points[0], "axis": None}
    else:
        axes = meaning.axes if meaning.view is None else ("", *meaning.axes)
        axis = axes[scales.axis] if 0 <= scales.axis < len(axes) else ""
        if axis not in OUT_IN or len(scales.scale) != constant.shape[scales.axis]:
            return Meaning("refused", "its scales run along another axis than inputs or outputs")
        quantization = {
            "scale": list(scales.scale),
            "zero_point": list(zero_points),
            "axis": OUT_IN.index(axis),
        }
    return replace(meaning, rule=f"{meaning.rule}, scaled", quantization=quantization)


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))
