"""Values of number types that NumPy does not have, as ml_dtypes has them."""

import ml_dtypes
import numpy as np
import pytest
from common.numbers import CODES, FLOATS, to_float32

FLOAT8 = [name for name in CODES if name.startswith("float8")]


@pytest.mark.parametrize("dtype", FLOAT8)
def test_every_code_of_float8(dtype):
    assert dtype in FLOATS
    codes = np.arange(256, dtype=np.uint8)
    with np.errstate(invalid="ignore"):
        wanted = codes.view(getattr(ml_dtypes, dtype)).astype(np.float32)
    found = to_float32(codes, dtype)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))
