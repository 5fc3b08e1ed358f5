"""Number types of weight files and their exact decoding to float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class DType:
    """One number type.

    Parameters
    ----------
    name : NumPy-style name.
    bits : size of one number.
    storage : little-endian NumPy type of the stored codes; None if it is not decoded here.
    is_integer : whether a value has a meaning only together with a scale.
    """

    name: str
    bits: int
    storage: str | None
    is_integer: bool = False


_DECODED = [
    DType("float64", 64, "<f8"),
    DType("float32", 32, "<f4"),
    DType("float16", 16, "<f2"),
    DType("bfloat16", 16, "<u2"),
    DType("float8_e4m3fn", 8, "|u1"),
    DType("float8_e5m2", 8, "|u1"),
    DType("int64", 64, "<i8", is_integer=True),
    DType("int32", 32, "<i4", is_integer=True),
    DType("int16", 16, "<i2", is_integer=True),
    DType("int8", 8, "|i1", is_integer=True),
    DType("uint64", 64, "<u8", is_integer=True),
    DType("uint32", 32, "<u4", is_integer=True),
    DType("uint16", 16, "<u2", is_integer=True),
    DType("uint8", 8, "|u1", is_integer=True),
    DType("bool", 8, "|b1", is_integer=True),
]
_NOT_DECODED = [
    DType("complex64", 64, None),
    DType("float8_e8m0fnu", 8, None),
    DType("float8_e4m3fnuz", 8, None),
    DType("float8_e5m2fnuz", 8, None),
    DType("float6_e2m3fn", 6, None),
    DType("float6_e3m2fn", 6, None),
    DType("float4_e2m1fn", 4, None),
]

DTYPES = {dtype.name: dtype for dtype in _DECODED + _NOT_DECODED}

PLAIN_FLOATS = frozenset({"float64", "float32", "float16", "bfloat16"})
"""Types whose numbers are the weights, unless something beside them says otherwise."""

SAFETENSORS_CODES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
    "C64": "complex64",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F6_E2M3": "float6_e2m3fn",
    "F6_E3M2": "float6_e3m2fn",
    "F4": "float4_e2m1fn",
}


def is_decoded(name: str) -> bool:
    """Whether numbers of this type can be turned into float64.

    >>> is_decoded("bfloat16"), is_decoded("float4_e2m1fn"), is_decoded("object")
    (True, False, False)
    """
    return name in DTYPES and DTYPES[name].storage is not None


def is_integer(name: str) -> bool:
    """Whether a type holds whole numbers, which mean nothing without a scale.

    >>> is_integer("int8"), is_integer("float16")
    (True, False)
    """
    return name in DTYPES and DTYPES[name].is_integer


def storage_dtype(name: str) -> str:
    """Little-endian NumPy type of the stored codes.

    Types without a decoder are addressed as bytes, and only whole bytes.

    >>> storage_dtype("bfloat16"), storage_dtype("float32")
    ('<u2', '<f4')
    """
    dtype = DTYPES[name]
    return dtype.storage if dtype.storage is not None else f"|V{max(dtype.bits // 8, 1)}"


def codes_of(array: NDArray[Any]) -> NDArray[Any]:
    """View an array's numbers as the codes that files store; bfloat16 and float8 become integers.

    >>> codes_of(np.array([1.5], dtype=np.float32)).dtype.name
    'float32'
    """
    name = array.dtype.name
    if name.startswith(("bfloat", "float8")) and is_decoded(name):
        return array.view(storage_dtype(name))
    return array


def decode(codes: NDArray[Any], name: str) -> NDArray[np.float64]:
    """Exact float64 values of stored codes.

    Parameters
    ----------
    codes : array of the type's storage, in any byte order and memory layout.
    name : name of the number type.

    Returns
    -------
    float64 array of the same shape that shares no memory with `codes`. NaN codes give NaN.
    Integers beyond 2**53 are rounded to the nearest float64.

    Raises
    ------
    ValueError
        If the type has no decoder.

    Spec: FMT-12. Source: OCP 8-bit Floating Point Specification 1.0 for the float8 types.

    >>> decode(np.array([0x3F80, 0xC040], dtype=np.uint16), "bfloat16")
    array([ 1., -3.])
    >>> decode(np.array([0x7E], dtype=np.uint8), "float8_e4m3fn")
    array([448.])
    """
    if not is_decoded(name):
        raise ValueError(f"numbers of type {name} are not decoded")
    if name in _FLOAT8_VALUES:
        return np.take(_FLOAT8_VALUES[name], codes)
    if name == "bfloat16":
        # A bfloat16 is the upper half of a float32.
        codes = (codes.astype(np.uint32) << np.uint32(16)).view(np.float32)
    with np.errstate(invalid="ignore"):  # signaling NaNs become quiet ones
        return np.array(codes, dtype=np.float64)


def _float8_values(exponent_bits: int, *, has_infinity: bool) -> NDArray[np.float64]:
    """Values of all 256 codes of a float8 type with IEEE-like bias and subnormals."""
    mantissa_bits = 7 - exponent_bits
    bias = 2 ** (exponent_bits - 1) - 1
    top = 2**exponent_bits - 1
    codes = np.arange(256)
    mantissa = codes & (2**mantissa_bits - 1)
    exponent = (codes >> mantissa_bits) & top
    hidden_bit = np.where(exponent > 0, 2**mantissa_bits, 0)
    magnitude = np.ldexp(
        (hidden_bit + mantissa).astype(np.float64),
        np.maximum(exponent, 1) - bias - mantissa_bits,
    )
    if has_infinity:
        magnitude[exponent == top] = np.nan
        magnitude[(exponent == top) & (mantissa == 0)] = np.inf
    else:
        magnitude[(exponent == top) & (mantissa == 2**mantissa_bits - 1)] = np.nan
    signed: NDArray[np.float64] = np.where(codes < 128, magnitude, -magnitude)
    return signed


_FLOAT8_VALUES = {
    "float8_e4m3fn": _float8_values(4, has_infinity=False),
    "float8_e5m2": _float8_values(5, has_infinity=True),
}
