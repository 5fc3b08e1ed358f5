"""Arrays as tensors: the numbers that a file with them gives, and no trip through file code."""

import sys
from pathlib import Path

import numpy as np
import pytest

import htsr_ref
from htsr_ref.errors import LayerError
from htsr_ref.layers.matrices import matrix_from_array
from htsr_ref.layers.tensors import ArrayTensor
from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.weights import open_weights

TYPES = ("<f8", ">f8", "<f4", ">f4", "<f2", "<i8", "<i4", "|i1", "<u8", "|u1", "|b1")
CUTS = ((slice(0, 4), slice(0, 3)), (2, slice(1, 3)), (slice(1, 4, 2), 0), (slice(3, 4), ...))


@pytest.mark.spec("FMT-12")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_has_the_numbers_of_a_file_with_it(tmp_path, dtype, order):
    array = np.array(np.arange(12).reshape(4, 3) % 5, dtype=dtype, order=order)
    np.savez(tmp_path / "one.npz", W=array)
    stored = open_weights(tmp_path / "one.npz").layers[0].data
    tensor = ArrayTensor(array)
    assert (tensor.shape, tensor.dtype) == (stored.shape, stored.dtype)
    for cut in CUTS:
        part = tensor[cut]
        assert part.dtype == np.float64
        assert part.flags.c_contiguous
        assert not np.shares_memory(part, array)
        np.testing.assert_array_equal(part, stored[cut])


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128, object, "U3", "M8[s]"])
def test_an_array_without_real_numbers_is_refused_with_its_type(dtype):
    with pytest.raises(LayerError, match=r"are not decoded\. Convert them to float32"):
        matrix_from_array(np.zeros((3, 2)).astype(dtype))


def test_the_spectrum_of_an_array_runs_no_file_code():
    home = str(Path(htsr_ref.__file__).parent / "weights")
    entered = set()

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(home):
            entered.add(frame.f_code.co_filename.removeprefix(home).strip("/\\"))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        spectrum(np.eye(3))
    finally:
        sys.setprofile(before)
    assert entered == {"dtypes.py"}
