"""Arrays of frameworks, without the frameworks: what has `__array__` or `__dlpack__`."""

from __future__ import annotations

import ctypes
import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from htsr_ref.weights.dtypes import codes_of, storage_dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

CPU = 1
"""Device type of main memory in DLPack."""

_TYPES = {
    **{(0, bits): f"int{bits}" for bits in (8, 16, 32, 64)},
    **{(1, bits): f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{(2, bits): f"float{bits}" for bits in (16, 32, 64)},
    (4, 16): "bfloat16",
    (6, 8): "bool",
    (10, 8): "float8_e4m3fn",
    (12, 8): "float8_e5m2",
}
"""Number types by DLPack's type code and size in bits."""


class SupportsArray(Protocol):
    """What NumPy makes an array of."""

    @property
    def __array__(self) -> Any: ...


class SupportsDLPack(Protocol):
    """What hands out its numbers by the protocol of DLPack."""

    @property
    def __dlpack__(self) -> Any: ...


class _Device(ctypes.Structure):
    _fields_ = (("type", ctypes.c_int32), ("id", ctypes.c_int32))


class _Type(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16))


class _Tensor(ctypes.Structure):
    """DLTensor of dlpack.h."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("ndim", ctypes.c_int32),
        ("dtype", _Type),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class NotAnArrayError(ValueError):
    """What holds no numbers that could be read.

    Parameters
    ----------
    problem : what is wrong with it.
    cure : what the user can do about it.
    """

    def __init__(self, problem: str, cure: str) -> None:
        super().__init__(problem)
        self.problem, self.cure = problem, cure


def is_array_like(value: object) -> bool:
    """Whether a value is an array, or says how it becomes one."""
    return hasattr(value, "__array__") or hasattr(value, "__dlpack__")


def read_array(value: Any) -> tuple[NDArray[Any], str]:
    """View an array's numbers as the codes that files store, with the name of their type.

    Parameters
    ----------
    value : an array, or anything that `numpy.asarray` takes or that has `__dlpack__`. A tensor
        that records gradients is read without them. Nothing is copied if it lies in main memory.

    Raises
    ------
    NotAnArrayError
        It holds no numbers that could be read.

    Spec: FMT-1.

    >>> codes, name = read_array(np.array([1.5, 2.0], dtype=np.float16))
    >>> codes.dtype.name, name
    ('float16', 'float16')
    """
    if hasattr(value, "detach"):
        value = value.detach()
    if not isinstance(value, np.ndarray) and hasattr(value, "__dlpack_device__"):
        _require_main_memory(value)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        if not hasattr(value, "__dlpack__"):
            raise NotAnArrayError(f"it cannot become an array ({error})", _NUMBERS) from error
        return _from_dlpack(value)
    if array.dtype.hasobject:
        if hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray):
            return _from_dlpack(value)
        raise NotAnArrayError("it holds Python objects, not numbers", _NUMBERS)
    return codes_of(array), array.dtype.name


_NUMBERS = "Give an array of numbers"


def _require_main_memory(value: Any) -> None:
    try:
        device = int(value.__dlpack_device__()[0])
    except (BufferError, NotImplementedError, RuntimeError, TypeError, ValueError):
        device = 0  # such as a tensor without numbers
    if device != CPU:
        raise NotAnArrayError("its numbers are not in main memory", "Move it, as with .cpu()")


def _from_dlpack(value: Any) -> tuple[NDArray[Any], str]:
    """Read what NumPy itself does not import, such as bfloat16."""
    try:
        capsule = value.__dlpack__()
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise NotAnArrayError(f"it does not hand out its numbers ({error})", _NUMBERS) from error
    tensor = _Tensor.from_address(_address(capsule))
    name = _TYPES.get((tensor.dtype.code, tensor.dtype.bits))
    if name is None or tensor.dtype.lanes != 1:
        raise NotAnArrayError("its number type is not decoded", "Convert it to float32")
    dtype = np.dtype(storage_dtype(name))
    shape = tuple(tensor.shape[axis] for axis in range(tensor.ndim))
    if 0 in shape:
        return np.empty(shape, dtype), name
    steps = (
        tuple(tensor.strides[axis] for axis in range(tensor.ndim))
        if tensor.strides
        else tuple(math.prod(shape[axis + 1 :]) for axis in range(tensor.ndim))
    )
    if min(steps, default=0) < 0:
        raise NotAnArrayError("its axes run backwards", "Copy it first")
    last = sum((length - 1) * step for length, step in zip(shape, steps, strict=True))
    size = (last + 1) * dtype.itemsize
    memory = (ctypes.c_uint8 * size).from_address(tensor.data + tensor.byte_offset)
    memory.owner = capsule  # The numbers live as long as the capsule does.
    strides = tuple(step * dtype.itemsize for step in steps)
    return np.ndarray(shape, dtype, memory, 0, strides), name


def _address(capsule: Any) -> int:
    """Address of the tensor in a capsule, which is not consumed: it frees the tensor itself."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    found: int = pointer(capsule, b"dltensor")
    return found
