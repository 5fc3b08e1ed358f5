"""Number types against ml_dtypes, code by code."""

import ml_dtypes
import numpy as np
import pytest

from htsr_ref.weights.dtypes import (
    DTYPES,
    SAFETENSORS_CODES,
    codes_of,
    decode,
    is_decoded,
    is_integer,
    storage_dtype,
)


@pytest.mark.spec("FMT-12")
@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2"])
def test_all_256_codes_of_float8(name):
    codes = np.arange(256, dtype=np.uint8)
    expected = codes.view(getattr(ml_dtypes, name)).astype(np.float64)
    np.testing.assert_array_equal(decode(codes, name), expected, strict=True)
    zeros = decode(np.array([0, 128], dtype=np.uint8), name)
    assert np.signbit(zeros).tolist() == [False, True]


@pytest.mark.spec("FMT-12")
@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_all_65536_codes_of_16_bits(name):
    codes = np.arange(65536, dtype=np.uint16)
    dtype = np.float16 if name == "float16" else ml_dtypes.bfloat16
    stored = codes.view(storage_dtype(name))
    with np.errstate(invalid="ignore"):
        expected = codes.view(dtype).astype(np.float64)
    np.testing.assert_array_equal(decode(stored, name), expected, strict=True)


@pytest.mark.spec("FMT-12")
def test_signaling_nan_of_float32_is_a_nan_without_a_warning():
    codes = np.array([0x7FA00000, 0x7F800000], dtype=np.uint32).view(np.float32)
    np.testing.assert_array_equal(decode(codes, "float32"), [np.nan, np.inf])


@pytest.mark.spec("FMT-12")
def test_integers_convert_to_the_nearest_float64():
    codes = np.array([2**53 + 1, -(2**63)], dtype=np.int64)
    assert decode(codes, "int64").tolist() == [9007199254740992.0, -9223372036854775808.0]


@pytest.mark.spec("FMT-12")
def test_any_byte_order_and_layout():
    array = np.arange(6, dtype=">f4").reshape(2, 3).T
    np.testing.assert_array_equal(decode(array, "float32"), [[0, 3], [1, 4], [2, 5]])


@pytest.mark.parametrize("name", [name for name in DTYPES if is_decoded(name)])
def test_decoding_shares_no_memory(name):
    codes = np.zeros(3, dtype=storage_dtype(name))
    values = decode(codes, name)
    assert values.dtype == np.float64
    assert not np.shares_memory(values, codes)


def test_codes_of_narrow_floats_are_integers():
    array = np.array([1.0, -2.0], dtype=ml_dtypes.bfloat16)
    assert codes_of(array).tolist() == [0x3F80, 0xC000]
    assert codes_of(np.array([1], dtype=ml_dtypes.float8_e5m2)).tolist() == [0x3C]


@pytest.mark.spec("FMT-12")
@pytest.mark.parametrize("name", ["complex64", "float4_e2m1fn", "str96", "float128"])
def test_other_types_are_not_decoded(name):
    assert not is_decoded(name)
    with pytest.raises(ValueError, match="not decoded"):
        decode(np.zeros(1, dtype=np.uint8), name)


def test_every_code_names_a_type_of_its_width():
    widths = {"BOOL": 8, "BF16": 16, "F4": 4, "C64": 64, "F8_E4M3FNUZ": 8, "F6_E2M3": 6}
    for code, name in SAFETENSORS_CODES.items():
        digits = "".join(char for char in code.split("_")[0] if char.isdigit())
        assert DTYPES[name].bits == widths.get(code, int(digits or 0))
    assert {name for name in DTYPES if is_integer(name)} == {
        "bool",
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    }
