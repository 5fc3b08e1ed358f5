"""AWQ: eight codes a word along the outputs, in the order that its kernels unpack fastest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.weights.packed.methods import packing_method, quantization_config, text, whole
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.reading import (
    check_when_opened,
    damaged,
    member,
    read_scales,
    require_real,
    require_shape,
    require_type,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.packed_module import PackedModule

_CODES = 8
"""Codes of four bits in a word."""
_PLACES = np.array([0, 4, 1, 5, 2, 6, 3, 7], dtype=np.uint32)
"""Nibble of a word that holds each of its eight outputs."""
_ROLES = {"qweight": "packed", "scales": "scale", "qzeros": "zero point"}


def read_awq(module: PackedModule) -> tuple[PackedTensor, ...]:
    """Read a layer that AutoAWQ (version gemm) or AutoRound packed.

    Returns
    -------
    One tensor (out, in); none if this is not AWQ.

    Raises
    ------
    NotUnderstoodError
        If it is of another version, or not of four bits.
    DamagedPackingError
        If shapes, types, scales or groups contradict each other.

    Spec: PAK-33.
    """
    settings = quantization_config(module)
    if "qweight" not in module.tensors or not _is_awq(module):
        return ()
    _refuse_what_is_not_read(settings)
    codes, zeros, scales = (member(module, name) for name in _ROLES_IN_ORDER)
    for tensor in (codes, zeros, scales):
        if len(tensor.shape) != 2 or not tensor.shape[0]:
            raise damaged(tensor, f"its shape is {tensor.shape}, not that of a matrix")
    require_type(codes, "int32", "uint32")
    require_type(zeros, "int32", "uint32")
    require_real(scales)
    inputs, words = codes.shape
    groups = scales.shape[0]
    outputs = words * _CODES
    require_shape(scales, groups, outputs)
    require_shape(zeros, groups, words)
    if inputs % groups:
        raise damaged(scales, f"its {groups} groups do not divide {inputs} inputs")
    check_when_opened(scales, lambda: read_scales(scales))

    def decode(_: int, rows: slice, columns: slice) -> NDArray[np.float64]:
        group_of = np.arange(inputs)[columns] // (inputs // groups)
        zero = _unpacked(zeros, slice(None), rows)[group_of]
        values = (_unpacked(codes, columns, rows) - zero).astype(np.float64)
        values *= read_scales(scales, slice(None), rows)[group_of]
        return values.T

    return (PackedTensor(codes.name, "int4 (AWQ)", (outputs, inputs), decode, _ROLES),)


_ROLES_IN_ORDER = ("qweight", "qzeros", "scales")


def _is_awq(module: PackedModule) -> bool:
    """Whether the settings say so or, without a method, the shapes."""
    method = packing_method(module)
    if method is not None:
        return method == "awq"
    tensors = [module.tensors.get(name) for name in _ROLES_IN_ORDER]
    shapes = [tensor.shape for tensor in tensors if tensor is not None and len(tensor.shape) == 2]
    if len(shapes) < len(tensors) or "g_idx" in module.tensors:
        return False
    codes, zeros, scales = shapes
    return zeros == (scales[0], codes[1]) and codes[1] * _CODES == scales[1]


def _refuse_what_is_not_read(settings: Mapping[str, Any]) -> None:
    stated = [text(settings, key) for key in ("version", "format", "checkpoint_format")]
    version = next((word for word in stated if word is not None), "gemm")
    if version != "gemm":
        raise NotUnderstoodError(f"AWQ of version {version!r} is not read, only gemm")
    bits = whole(settings, "bits") or whole(settings, "w_bit") or 4
    if bits != 4:
        raise NotUnderstoodError(f"AWQ with {bits} bits is not read, only with 4")
    if settings.get("zero_point") is False:
        raise NotUnderstoodError("AWQ without zeros is not read")


def _unpacked(tensor: RawTensor, lines: slice, rows: slice) -> NDArray[np.int16]:
    """Codes (lines, rows) of words (n, out / 8)."""
    words = slice(rows.start // _CODES, -(-rows.stop // _CODES), 1)
    stored = tensor.backing.read((lines, words)).view(np.uint32)
    codes = (stored[..., None] >> (4 * _PLACES)) & np.uint32(15)
    before = words.start * _CODES
    part = slice(rows.start - before, rows.stop - before, rows.step)
    return codes.reshape(len(codes), -1)[:, part].astype(np.int16)
