"""FMT-17: whatever the bytes, a list of layers or a clean error, and little memory."""

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from htsr_ref.errors import HtsrError, LayerError
from htsr_ref.weights import Part, Quantization, TensorSpec, open_weights, write_weights
from htsr_ref.weights.dtypes import is_decoded

ARRAYS = {
    "fc.weight": np.arange(12, dtype=np.float32).reshape(4, 3),
    "conv.weight": np.arange(16, dtype=np.float64).reshape(2, 2, 4),
    "q": np.arange(4, dtype=np.int8).reshape(2, 2),
}
SPECS = {
    "fc.weight": TensorSpec("weight", parts=(Part("a", 1), Part("b", 3)), layer="fc"),
    "conv.weight": TensorSpec("weight", ("out", "in", "k1"), groups=2),
    "q": TensorSpec("weight", quantization=Quantization((0.5, 2.0), 1.0, 1)),
    "tied": TensorSpec("weight", ("out", "in"), same_as="fc.weight"),
}
MUTATIONS = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6
)
CUT = st.none() | st.floats(0, 1)
# The folder is made once for all examples, which each write the file anew.
ONCE = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write_seed(path):
    """A small valid file of the format that the name says; returns its bytes."""
    match path.name:
        case "labeled.safetensors":
            write_weights(path, ARRAYS, SPECS, {"framework": "numpy"})
        case "labeled.h5":
            write_weights(path, ARRAYS, SPECS, format="hdf5")
        case "plain.safetensors":
            write_weights(path, ARRAYS)
        case "stored.npz":
            np.savez(path, **ARRAYS)
        case "deflated.npz":
            np.savez_compressed(path, **ARRAYS)
        case "fc.npy":
            np.save(path, ARRAYS["fc.weight"])
    return path.read_bytes()


def check(path):
    """Open and read everything; any exception but those of the package is a failure."""
    try:
        weights = open_weights(path)
        weights.sha256()
    except HtsrError as error:
        assert "\n" not in str(error)
        return
    size = path.stat().st_size
    for layer in weights.layers:
        assert all(isinstance(length, int) and length >= 0 for length in layer.shape)
        if not is_decoded(layer.dtype):
            continue
        # 1032 is what compression can gain, 8 what decoding can.
        assert np.prod(layer.shape, dtype=object) <= size * 8 * 1032
        try:
            values = layer.data[...]
        except LayerError as error:
            assert "\n" not in str(error)
            continue
        assert values.dtype == np.float64
        assert values.shape == layer.shape


def mutate(content, mutations, cut):
    result = bytearray(content)
    for position, byte in mutations:
        result[int(position * len(result))] = byte
    return bytes(result if cut is None else result[: int(cut * len(result))])


@pytest.mark.spec("FMT-17")
@pytest.mark.parametrize(
    "name",
    ["labeled.safetensors", "plain.safetensors", "stored.npz", "deflated.npz", "fc.npy"],
)
@ONCE
@given(MUTATIONS, CUT)
def test_mutated_file(tmp_path, name, mutations, cut):
    path = tmp_path / name
    content = write_seed(path)
    path.write_bytes(mutate(content, mutations, cut))
    check(path)


@pytest.mark.spec("FMT-17")
# Always the same examples: a defect of the HDF5 library itself could end the process.
@settings(ONCE, derandomize=True)
@given(MUTATIONS, CUT)
def test_mutated_hdf5_file(tmp_path, mutations, cut):
    path = tmp_path / "labeled.h5"
    content = write_seed(path)
    path.write_bytes(mutate(content, mutations, cut))
    check(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["dtype", "shape", "data_offsets", "a", "__metadata__"]), inner
        )
    ),
    max_leaves=12,
)
ENTRY = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "I8", "BF16", "F4"]) | JSON,
        "shape": st.lists(st.integers(0, 4), max_size=4) | JSON,
        "data_offsets": st.lists(st.integers(0, 40), min_size=2, max_size=2) | JSON,
    }
)


@pytest.mark.slow
@pytest.mark.spec("FMT-8", "FMT-17")
@ONCE
@given(st.dictionaries(st.text(max_size=4), ENTRY | JSON, max_size=4), st.integers(0, 40))
@example({"a": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}}, 8)
def test_headers_of_the_right_shape(tmp_path, safetensors_bytes, header, size):
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_bytes(header, bytes(size)))
    check(path)


@pytest.mark.spec("FMT-17")
@ONCE
@given(st.binary(max_size=300))
def test_arbitrary_bytes(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    check(path)
