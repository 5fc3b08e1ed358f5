# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert a TensorFlow Lite model (.tflite) to a weight file, without TensorFlow.

What uses a tensor says what it is. Quantized numbers stay as they are, with their scales in the
manifest. h5py is needed only for --format hdf5.
"""

if __name__ == "__main__":
    from common.interrupts import end_at_interrupts

    end_at_interrupts()

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from common.containers import DAMAGED, map_array
from common.errors import ConversionError
from common.export import main
from common.facts import CONV_TRANSPOSE, Facts
from common.numbers import CODES
from common.sniff import refuse, sniff
from common.source import Source, Tensor
from flatbuffers.sparsity import densified
from flatbuffers.tflite import BATCH_MATMUL, GATHER, Constant, Use, read_constants
from numpy.typing import NDArray

OUT_IN, IN_OUT = ("out", "in"), ("in", "out")
LSTM_GATES = dict(zip(range(1, 9), "ifgo" * 2, strict=True))
LSTM_PROJECTION = 16
WEIGHTS: Mapping[tuple[int, int], tuple[str, str, tuple[str, ...]]] = {
    (3, 1): ("weight", "filter of CONV_2D", ("out", "k1", "k2", "in")),
    (7, 1): ("embedding", "table of EMBEDDING_LOOKUP", OUT_IN),
    (9, 1): ("weight", "weights of FULLY_CONNECTED", OUT_IN),
    (36, 0): ("embedding", "table of GATHER", OUT_IN),
    (67, 1): ("weight", "filter of TRANSPOSE_CONV", ("out", "k1", "k2", "in")),
    (132, 1): ("weight", "filter of CONV_3D", ("k1", "k2", "k3", "in", "out")),
    (141, 1): ("weight", "filter of CONV_3D_TRANSPOSE", ("k1", "k2", "k3", "out", "in")),
    (35, 1): ("recurrent", "input weights of UNIDIRECTIONAL_SEQUENCE_RNN", OUT_IN),
    (35, 2): ("recurrent", "recurrent weights of UNIDIRECTIONAL_SEQUENCE_RNN", OUT_IN),
}
"""Kind, rule and axes of the operand of an operator, by the operator's code."""
TRANSPOSED = (67, 141)
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
    dropped: Counter[str] = Counter()
    for constant in constants:
        if not constant.dtype:
            dropped[f"constant: {constant.refusal}"] += 1
            continue
        seen[constant.name] += 1
        count = seen[constant.name]
        name = constant.name if count == 1 else f"{constant.name}#{count}"
        facts = _facts(constant)
        # Equal codes share a buffer, also those of other weights, with other scales.
        plain = replace(facts, rule=None, quantization=None).entry()
        own = name if constant.sparsity is not None else ""
        key = (constant.buffer, constant.shape, constant.dtype, str(plain), constant.scales, own)
        holder = holders.setdefault(key, name)
        read = partial(_read, path, constant)
        same_as = holder if holder != name else None
        shape, dtype = constant.shape, constant.dtype
        is_mapped = constant.sparsity is None
        tensors.append(Tensor(name, shape, dtype, read, facts, same_as, is_mapped))
    return Source("tflite", path.name, tensors, [path], dropped)


def _read(path: Path, constant: Constant) -> NDArray[Any]:
    code = CODES[constant.dtype][1]
    if constant.sparsity is None:
        return map_array(path, constant.offset, code, constant.shape)
    stored = map_array(path, constant.offset, code, (constant.size // np.dtype(code).itemsize,))
    try:
        return densified(stored, constant.sparsity, constant.shape)
    except ValueError as error:
        raise ConversionError(f"it is sparse, and damaged ({error})", DAMAGED) from error


def _facts(constant: Constant) -> Facts:
    if constant.refusal:
        return Facts("packed", constant.refusal)
    found = [_by_use(constant, use) for use in constant.uses]
    weights = [facts for facts in found if facts is not None]
    if weights:
        return _with_scales(constant, weights[0])
    if any((use.code, use.operand) in BIASES for use in constant.uses):
        return Facts("bias", "bias of its operator")
    for use in constant.uses:
        if use.code in NOT_UNDERSTOOD and len(constant.shape) > 1:
            return Facts("packed", f"weights of {NOT_UNDERSTOOD[use.code]} are not understood")
    return Facts("unknown", "constant that no operator with known weights takes")


def _by_use(constant: Constant, use: Use) -> Facts | None:
    """Facts of a constant by one of its uses; None if it is not a weight there."""
    shape, place = constant.shape, (use.code, use.operand)
    if place in WEIGHTS and len(shape) == len(WEIGHTS[place][2]):
        if use.code == GATHER and use.options[0] != 0:
            return None  # along another axis: no table of vectors
        facts = Facts(*WEIGHTS[place])
        groups = _channels(constant, use) // max(shape[-1], 1) if use.code == CONV_2D else 1
        is_transposed = use.code in TRANSPOSED
        layer_class = CONV_TRANSPOSE if is_transposed else None
        return replace(facts, groups=max(groups, 1), layer_class=layer_class)
    if place == (DEPTHWISE, 1) and len(shape) == 4 and shape[0] == 1:
        rule, axes = "filter of DEPTHWISE_CONV_2D", ("k1", "k2", "out")
        groups = _channels(constant, use) or shape[3]
        return Facts("weight", rule, axes, view=shape[1:], groups=groups)
    if use.code == SEQUENCE_LSTM and len(shape) == 2:
        if use.operand in LSTM_GATES:
            rule = f"gate {LSTM_GATES[use.operand]} of UNIDIRECTIONAL_SEQUENCE_LSTM"
            return Facts("recurrent", rule, OUT_IN)
        if use.operand == LSTM_PROJECTION:
            rule = "projection of UNIDIRECTIONAL_SEQUENCE_LSTM"
            return Facts("recurrent", rule, OUT_IN)
    if use.code == BATCH_MATMUL and len(shape) == 2 and use.operand < 2:
        return _of_product(use)
    return None


def _of_product(use: Use) -> Facts:
    """Facts of a constant factor: x W or W x, each perhaps with W transposed."""
    is_transposed = use.options[use.operand] != 0
    axes = IN_OUT if is_transposed == (use.operand == 0) else OUT_IN
    return Facts("weight", "factor of BATCH_MATMUL", axes)


def _channels(constant: Constant, use: Use) -> int:
    """Channels of an operator's input; 0 if unknown."""
    source = use.operands[0]
    shape = constant.shapes[source] if 0 <= source < len(constant.shapes) else ()
    return max(shape[-1], 0) if shape else 0


def _with_scales(constant: Constant, facts: Facts) -> Facts:
    """Add the scales of quantized numbers; without scales they are not weights."""
    scales = constant.scales
    if "int" not in constant.dtype and constant.dtype != "bool":
        return facts
    if scales is None:
        return Facts("buffer", "whole numbers without a scale")
    zero_points = scales.zero_point or (0,) * len(scales.scale)
    if not all(isfinite(scale) for scale in scales.scale) or len(zero_points) != len(scales.scale):
        return Facts("packed", "its scales are not finite, or not as many as its zero points")
    quantization: dict[str, Any]
    if len(scales.scale) == 1:
        quantization = {"scale": scales.scale[0], "zero_point": zero_points[0], "axis": None}
    else:
        # A view of a filter has one axis less than the tensor, the first.
        axis = scales.axis if facts.view is None else scales.axis - 1
        is_known = 0 <= axis < len(facts.axes) and facts.axes[axis] in OUT_IN
        if not is_known or len(scales.scale) != constant.shape[scales.axis]:
            return Facts("packed", "its scales run along an axis other than inputs or outputs")
        quantization = {
            "scale": list(scales.scale),
            "zero_point": list(zero_points),
            "axis": axis,
        }
    return replace(facts, rule=f"{facts.rule}, scaled", quantization=quantization)


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))
