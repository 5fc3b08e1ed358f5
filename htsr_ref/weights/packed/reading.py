"""Numbers and shapes of a packed module's tensors, with one error for each way to be wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.errors import LayerError, shown
from htsr_ref.weights.dtypes import decode, is_decoded, is_integer
from htsr_ref.weights.packed.packed_module import DamagedPackingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.packed_module import PackedModule

CURE = "Download the file again, or quantize the model again"
_SMALL = 2**20
_LARGEST = 2.0**1000


def bad_layer(tensor: RawTensor, problem: str) -> LayerError:
    """Error of a tensor that turns out to be damaged while it is decoded."""
    return LayerError(f"tensor {shown(tensor.name)}: {problem}. {CURE}")


def damaged(tensor: RawTensor, problem: str) -> DamagedPackingError:
    """Error that names the tensor, what is wrong with it and the cure."""
    return DamagedPackingError(f"tensor {shown(tensor.name)}: {problem}. {CURE}")


def member(module: PackedModule, name: str) -> RawTensor:
    """Return a tensor of the module; DamagedPackingError if it is not there."""
    if name not in module.tensors:
        raise DamagedPackingError(f"module {shown(module.name)} has no {name}. {CURE}")
    return module.tensors[name]


def require_shape(tensor: RawTensor, *shape: int) -> None:
    """Raise DamagedPackingError unless a tensor has this shape."""
    if tensor.shape != shape:
        raise damaged(tensor, f"its shape is {tensor.shape}, which should be {shape}")


def require_type(tensor: RawTensor, *dtypes: str) -> None:
    """Raise DamagedPackingError unless a tensor's numbers are of one of these types."""
    if tensor.dtype not in dtypes:
        raise damaged(tensor, f"its numbers are of type {tensor.dtype}, not {' or '.join(dtypes)}")


def require_real(tensor: RawTensor) -> None:
    """Raise DamagedPackingError unless a tensor holds floating-point numbers that are decoded."""
    if is_integer(tensor.dtype) or not is_decoded(tensor.dtype):
        raise damaged(tensor, f"its numbers are of type {tensor.dtype}, which no scale has")


def read_scales(tensor: RawTensor, *index: slice) -> NDArray[np.float64]:
    """Read a part of a tensor of scales.

    Parameters
    ----------
    index : one slice for each leading axis, with a positive step; the others are read whole.

    Returns
    -------
    float64, exact.

    Raises
    ------
    LayerError
        If one of them is infinite, not a number or beyond 2^1000.
    OSError
        If the file vanished, changed or cannot be read.
    """
    rest = (slice(None),) * (len(tensor.shape) - len(index))
    values = decode(tensor.backing.read((*index, *rest)), tensor.dtype)
    return finite(tensor, values)


def finite(tensor: RawTensor, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a part's values; LayerError if one is no number or too large to compute with."""
    if not (np.abs(values) <= _LARGEST).all():
        raise bad_layer(tensor, "it holds NaN, infinite or enormous numbers")
    return values


def read_number(tensor: RawTensor) -> float:
    """Read a tensor that holds one finite number, when the module is opened.

    Raises
    ------
    DamagedPackingError
        If it does not, or cannot be read.
    """
    require_real(tensor)
    if math.prod(tensor.shape) != 1:
        raise damaged(tensor, f"its shape is {tensor.shape}, not that of one number")
    check_when_opened(tensor, lambda: read_scales(tensor))
    return float(read_scales(tensor).reshape(()))


def check_when_opened(tensor: RawTensor, read: Callable[[], object]) -> None:
    """Read what a small tensor belongs to at once, so that damage is known when it is opened.

    Parameters
    ----------
    tensor : with more than 2**20 numbers, nothing is read.
    read : raises LayerError for damage.

    Raises
    ------
    DamagedPackingError
        If it cannot be read.
    """
    if math.prod(tensor.shape) > _SMALL:
        return
    try:
        read()
    except OSError as error:
        raise damaged(tensor, f"it cannot be read ({error})") from error
    except LayerError as error:
        raise DamagedPackingError(str(error)) from error
