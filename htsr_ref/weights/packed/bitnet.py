"""BitNet: ternary codes, four rows of the matrix in one row of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.weights.packed.methods import packing_method, quantization_config, text
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.reading import (
    bad_layer,
    check_when_opened,
    damaged,
    member,
    read_number,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.packed_module import PackedModule

_ROWS_IN_BYTE = 4


def read_bitnet(module: PackedModule) -> tuple[PackedTensor, ...]:
    """Read a ternary layer that transformers packed offline.

    Returns
    -------
    One tensor (out, in); none if this is not BitNet, or is quantized only when it runs.

    Raises
    ------
    NotUnderstoodError
        If its class of linear layers is not known.
    DamagedPackingError
        If a code is no ternary one, or the scale is missing, zero or not one number.

    Spec: PAK-36.
    """
    settings = quantization_config(module)
    if packing_method(module) != "bitnet" or text(settings, "quantization_mode") == "online":
        return ()
    packed = module.tensors.get("weight")
    if packed is None or packed.dtype != "uint8" or len(packed.shape) != 2:
        return ()
    linear_class = text(settings, "linear_class") or "bitlinear"
    if linear_class not in ("bitlinear", "autobitlinear"):
        raise NotUnderstoodError(f"BitNet's linear class {linear_class!r} is not read")
    scale_tensor = member(module, "weight_scale")
    scale = read_number(scale_tensor)
    if not scale:
        raise damaged(scale_tensor, "the scale is zero")
    outputs = _outputs(module, packed)

    def decode(_: int, rows: slice, columns: slice) -> NDArray[np.float64]:
        values = _codes(packed, rows, columns).astype(np.float64) - 1
        return values * scale if linear_class == "autobitlinear" else values / scale

    check_when_opened(packed, lambda: _codes(packed, slice(0, outputs, 1)))
    shape = (outputs, packed.shape[1])
    parts = {"weight": "packed", "weight_scale": "scale"}
    return (PackedTensor(packed.name, "ternary (BitNet)", shape, decode, parts),)


def _outputs(module: PackedModule, packed: RawTensor) -> int:
    """Count the rows of the matrix; those beyond are padding, whose codes are 0."""
    most = packed.shape[0] * _ROWS_IN_BYTE
    least = max(most - _ROWS_IN_BYTE + 1, 0)
    bias = module.tensors.get("bias")
    if bias is not None:
        if len(bias.shape) != 1 or not least <= bias.shape[0] <= most:
            raise damaged(packed, f"its {packed.shape[0]} rows do not hold a bias of {bias.shape}")
        return bias.shape[0]
    last = slice(least, most, 1)
    check_when_opened(packed, lambda: _codes(packed, last))
    used = np.flatnonzero(_codes(packed, last).any(axis=1))
    return least + (int(used[-1]) + 1 if used.size else 0)


def _codes(packed: RawTensor, rows: slice, columns: slice = slice(None)) -> NDArray[np.uint8]:
    """Codes of rows: row i is in the bits 2·(i // P) of the bytes' row i % P, of P."""
    height = packed.shape[0]
    wanted = range(rows.start, rows.stop, rows.step)
    pieces = [np.empty((0, len(range(packed.shape[1])[columns])), np.uint8)]
    for place in range(_ROWS_IN_BYTE):
        inside = [row - place * height for row in wanted if row // height == place]
        if inside:
            stored = packed.backing.read((slice(inside[0], inside[-1] + 1, rows.step), columns))
            pieces.append(stored >> np.uint8(2 * place) & np.uint8(3))
    codes = np.concatenate(pieces)
    if (codes == 3).any():
        raise bad_layer(packed, "it holds the code 3, which no ternary number has")
    return codes
