"""Number types that weight files hold, and their values as float32."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

CODES = {
    "float64": ("F64", "<f8"),
    "float32": ("F32", "<f4"),
    "float16": ("F16", "<f2"),
    "bfloat16": ("BF16", "<u2"),
    "float8_e4m3fn": ("F8_E4M3", "|u1"),
    "float8_e5m2": ("F8_E5M2", "|u1"),
    "float8_e8m0fnu": ("F8_E8M0", "|u1"),
    "float8_e4m3fnuz": ("F8_E4M3FNUZ", "|u1"),
    "float8_e5m2fnuz": ("F8_E5M2FNUZ", "|u1"),
    "complex64": ("C64", "<c8"),
    "int64": ("I64", "<i8"),
    "int32": ("I32", "<i4"),
    "int16": ("I16", "<i2"),
    "int8": ("I8", "|i1"),
    "uint64": ("U64", "<u8"),
    "uint32": ("U32", "<u4"),
    "uint16": ("U16", "<u2"),
    "uint8": ("U8", "|u1"),
    "bool": ("BOOL", "|b1"),
}
"""Of each number type that can be written: safetensors' name, and NumPy's for its codes."""
FLOATS = ("float64", "float16", "bfloat16", *(name for name in CODES if name.startswith("float8")))
"""The types that are written as float32 on demand."""


def to_float32(codes: NDArray[Any], dtype: str) -> NDArray[np.float32]:
    """Values as float32; exact but for float64, which is rounded."""
    if dtype == "bfloat16":
        return (codes.astype(np.uint32) << np.uint32(16)).view(np.float32)
    if dtype in _FLOAT8_VALUES:
        return np.take(_FLOAT8_VALUES[dtype], codes)
    with np.errstate(over="ignore", invalid="ignore"):
        return codes.astype(np.float32)


def _float8_values(exponent_bits: int, special: str) -> NDArray[np.float32]:
    """Values of the 256 codes of a float8 type.

    `special` says what is not finite: "inf" as in IEEE 754, "nan" if only the largest codes are,
    "fnuz" if the code of -0 is the only one.
    """
    mantissa_bits = 7 - exponent_bits
    bias = 2 ** (exponent_bits - 1) - (special != "fnuz")
    top = 2**exponent_bits - 1
    codes = np.arange(256)
    mantissa = codes & (2**mantissa_bits - 1)
    exponent = (codes >> mantissa_bits) & top
    significand = mantissa + np.where(exponent > 0, 2**mantissa_bits, 0)
    values = np.ldexp(
        significand.astype(np.float32), np.maximum(exponent, 1) - bias - mantissa_bits
    )
    if special == "inf":
        values[exponent == top] = np.nan
        values[(exponent == top) & (mantissa == 0)] = np.inf
    elif special == "nan":
        values[(exponent == top) & (mantissa == 2**mantissa_bits - 1)] = np.nan
    else:
        values[128] = np.nan
    signed: NDArray[np.float32] = np.where(codes < 128, values, -values).astype(np.float32)
    return signed


_FLOAT8_VALUES = {
    "float8_e4m3fn": _float8_values(4, "nan"),
    "float8_e5m2": _float8_values(5, "inf"),
    "float8_e4m3fnuz": _float8_values(4, "fnuz"),
    "float8_e5m2fnuz": _float8_values(5, "fnuz"),
    # Powers of 2 without a sign.
    "float8_e8m0fnu": np.append(np.ldexp(np.float32(1), np.arange(-127, 128)), np.float32("nan")),
}
