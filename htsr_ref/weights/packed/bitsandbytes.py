"""bitsandbytes: eight bits with a scale a row, and tables of sixteen values with one a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.weights.packed.bitsandbytes_blocks import read_four_bits
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.reading import (
    check_when_opened,
    damaged,
    read_scales,
    require_real,
    require_shape,
    require_type,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.packed.packed_module import PackedModule

_STATE = "weight.quant_state.bitsandbytes__"
_TYPES = ("nf4", "fp4")


def read_bitsandbytes(module: PackedModule) -> tuple[PackedTensor, ...]:
    """Read a layer of bitsandbytes: int8, or NF4 and FP4 with plain or nested scales.

    Returns
    -------
    One tensor (out, in); none if this is neither.

    Raises
    ------
    NotUnderstoodError
        If int8 codes are in the layout of a GPU, or the type of four bits is not known.
    DamagedPackingError
        If shapes, types, scales or tables contradict each other.

    Spec: PAK-37, PAK-38.
    """
    if "SCB" in module.tensors and "weight" in module.tensors:
        return (_int8(module),)
    states = [name for name in module.tensors if name.startswith("weight.quant_state.")]
    if not states:
        return ()
    if len(states) > 1 or not states[0].startswith(_STATE):
        raise NotUnderstoodError(f"bitsandbytes with {' and '.join(map(repr, states))} is not read")
    kind = states[0].removeprefix(_STATE)
    if kind not in _TYPES:
        raise NotUnderstoodError(f"bitsandbytes of type {kind!r} is not read")
    return (read_four_bits(module, states[0], f"{kind.upper()} (bitsandbytes)"),)


def _int8(module: PackedModule) -> PackedTensor:
    codes, scales = module.tensors["weight"], module.tensors["SCB"]
    parts = {"weight": "packed", "SCB": "scale"}
    layout = module.tensors.get("weight_format")
    if layout is not None:
        parts["weight_format"] = "packed"
        require_type(layout, "uint8")
        require_shape(layout)
        check_when_opened(layout, lambda: layout.backing.read(()))
        if layout.backing.read(()) != 0:
            raise NotUnderstoodError("bitsandbytes' int8 codes in the layout of a GPU are not read")
    require_type(codes, "int8")
    if len(codes.shape) != 2:
        raise damaged(codes, f"its shape is {codes.shape}, not that of a matrix")
    require_real(scales)
    require_shape(scales, codes.shape[0])
    check_when_opened(scales, lambda: read_scales(scales))

    def decode(_: int, rows: slice, columns: slice) -> NDArray[np.float64]:
        values = codes.backing.read((rows, columns)).astype(np.float64)
        return values * read_scales(scales, rows)[:, None] / 127

    return PackedTensor(codes.name, "int8 (bitsandbytes)", codes.shape, decode, parts)
