"""Scales in every type that they are stored in: floats, and bytes that are exponents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.errors import LayerError, shown
from htsr_ref.weights.dtypes import is_decoded, is_integer
from htsr_ref.weights.packed.reading import CURE, damaged, read_scales
from htsr_ref.weights.packed.small_floats import powers_of_two

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor

EXPONENTS = frozenset({"float8_e8m0fnu", "uint8"})
"""Number types of scales that are stored as exponents."""


def read_bytes(tensor: RawTensor, *index: slice) -> NDArray[Any]:
    """Read a part of a tensor's codes; those of a type that is not decoded are uint8.

    Parameters
    ----------
    index : one slice of positive step for each axis.

    Raises
    ------
    OSError
        If the file vanished, changed or cannot be read.
    """
    codes = tensor.backing.read(index)
    return codes.view(np.uint8) if codes.dtype.kind == "V" else codes


def read_any_scales(tensor: RawTensor, *index: slice) -> NDArray[np.float64]:
    """Read a part of a tensor of scales; a byte stands for 2^(byte - 127).

    Parameters
    ----------
    tensor : of a type that `require_scales` lets through.
    index : one slice of positive step for each axis.

    Raises
    ------
    LayerError
        If a scale is infinite, not a number, or the byte 255, which stands for none.
    OSError
        If the file vanished, changed or cannot be read.

    Spec: PAK-2.
    """
    if tensor.dtype not in EXPONENTS:
        return read_scales(tensor, *index)
    scales = powers_of_two(read_bytes(tensor, *index))
    if np.isnan(scales).any():
        raise LayerError(
            f"tensor {shown(tensor.name)} holds the exponent 255, which stands for no scale. {CURE}"
        )
    return scales


def read_divisors(tensor: RawTensor, *index: slice) -> NDArray[np.float64]:
    """Read a part of a tensor of scales that are divided by, as `read_any_scales` does.

    Raises
    ------
    LayerError
        As `read_any_scales`, and if a scale is zero.
    OSError
        If the file vanished, changed or cannot be read.
    """
    scales = read_any_scales(tensor, *index)
    if not scales.all():
        raise LayerError(
            f"tensor {shown(tensor.name)} holds zero, which nothing is divided by. {CURE}"
        )
    return scales


def require_scales(tensor: RawTensor) -> None:
    """Raise DamagedPackingError unless a tensor's type is one that scales are stored in."""
    is_float = is_decoded(tensor.dtype) and not is_integer(tensor.dtype)
    if not is_float and tensor.dtype not in EXPONENTS:
        raise damaged(tensor, f"its numbers are of type {tensor.dtype}, which no scale has")
