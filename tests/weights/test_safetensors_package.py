"""FMT-7, FMT-8: our reader and writer of safetensors against the package of that name."""

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from strategies import generators

from htsr_ref.weights import open_weights, write_weights

CODES = {
    np.float64: "F64",
    np.float32: "F32",
    np.float16: "F16",
    ml_dtypes.bfloat16: "BF16",
    ml_dtypes.float8_e4m3fn: "F8_E4M3",
    ml_dtypes.float8_e5m2: "F8_E5M2",
    np.int64: "I64",
    np.int32: "I32",
    np.int16: "I16",
    np.int8: "I8",
    np.uint64: "U64",
    np.uint32: "U32",
    np.uint16: "U16",
    np.uint8: "U8",
    np.bool_: "BOOL",
}
"""Every type that both can write, with its name in the format."""


@st.composite
def arrays(draw):
    """An array of any bits: NaN, infinities and subnormal numbers among them."""
    dtype = np.dtype(draw(st.sampled_from(list(CODES))))
    shape = draw(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    size = int(np.prod(shape)) * dtype.itemsize
    bits = draw(generators).integers(0, 2 if dtype == np.bool_ else 256, size, np.uint8)
    return bits.view(dtype).reshape(shape)


models = st.dictionaries(st.text('ab."\\/é\n', min_size=1, max_size=6), arrays(), max_size=5)


@pytest.mark.spec("FMT-7")
@given(models)
def test_the_package_reads_the_bits_that_we_write(tmp_path_factory, model):
    path = tmp_path_factory.mktemp("ours") / "x.safetensors"
    write_weights(path, model)
    read = dict(safetensors.deserialize(path.read_bytes()))
    assert read.keys() == model.keys()
    for name, array in model.items():
        assert read[name]["dtype"] == CODES[array.dtype.type]
        assert tuple(read[name]["shape"]) == array.shape
        assert bytes(read[name]["data"]) == array.tobytes()


@pytest.mark.spec("FMT-8")
@given(models)
def test_we_read_the_numbers_that_the_package_writes(tmp_path_factory, model):
    path = tmp_path_factory.mktemp("theirs") / "x.safetensors"
    safetensors.numpy.save_file(model, path)
    read = {layer.tensor: layer for layer in open_weights(path).layers}
    assert read.keys() == model.keys()
    for name, array in model.items():
        assert read[name].dtype == array.dtype.name
        with np.errstate(invalid="ignore"):
            expected = array.astype(np.float64)
        np.testing.assert_array_equal(read[name].data[...], expected, strict=True)


@pytest.mark.spec("FMT-7")
@given(st.permutations(["a", "b", "c", "d"]))
def test_our_header_keeps_the_order_given(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("order") / "x.safetensors"
    write_weights(path, {name: np.zeros(2, np.float32) for name in names})
    assert [layer.tensor for layer in open_weights(path).layers] == names
