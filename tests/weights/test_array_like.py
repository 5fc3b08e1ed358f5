"""Arrays in memory: what has `__array__` or `__dlpack__`, of any number type, without a copy."""

import gc

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from htsr_ref import WeightFileError, analyze, open_weights
from htsr_ref.weights.array_like import read_array
from htsr_ref.weights.dtypes import decode

pytestmark = pytest.mark.spec("FMT-1")


class Tensor:
    """A tensor of a framework: NumPy cannot have its numbers but by DLPack."""

    def __init__(self, array: np.ndarray, device: int = 1, grad: bool = False) -> None:
        self.array, self.device, self.grad = array, device, grad

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise TypeError("Got unsupported ScalarType")

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device, 0

    def __dlpack__(self, **_: object) -> object:
        if self.grad:
            raise BufferError("it requires gradients")
        return self.array.__dlpack__()

    def detach(self) -> "Tensor":
        return type(self)(self.array, self.device)


DTYPES = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")


@given(
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(max_dims=4, max_side=4, min_side=0))
    ),
    st.booleans(),
)
def test_every_type_and_layout_is_read_by_dlpack(array, transposed):
    given_array = array.T if transposed else array
    codes, name = read_array(Tensor(given_array))
    assert (name, codes.shape) == (array.dtype.name, given_array.shape)
    np.testing.assert_array_equal(codes, given_array)
    if array.size:
        assert np.shares_memory(codes, array)


def test_steps_and_offsets():
    array = np.arange(60.0).reshape(6, 10)
    np.testing.assert_array_equal(read_array(Tensor(array[1::2, 3:9:4]))[0], array[1::2, 3:9:4])
    with pytest.raises(ValueError, match="axes run backwards"):
        read_array(Tensor(array[::-1]))


class Bfloat16(Tensor):
    """A tensor whose capsule says bfloat16, which NumPy does not import."""

    def __dlpack__(self, **_: object) -> object:
        import ctypes

        from htsr_ref.weights import array_like

        capsule = self.array.view(np.uint16).__dlpack__()
        tensor = array_like._Tensor.from_address(array_like._address(capsule))
        tensor.dtype.code = 4
        assert ctypes.sizeof(tensor) == 48
        return capsule


def test_bfloat16_is_read_exactly_and_outlives_its_tensor():
    numbers = np.random.default_rng(0).standard_normal((40, 30)).astype(ml_dtypes.bfloat16)
    weights = open_weights({"fc.weight": Bfloat16(numbers.copy(), grad=True)})
    gc.collect(1)  # what this test made is young
    _ = [np.full((40, 30), 7, np.uint16) for _ in range(20)]
    (layer,) = weights.layers
    assert (layer.dtype, layer.role) == ("bfloat16", "weight")
    np.testing.assert_array_equal(layer.data[...], numbers.astype(np.float64))
    same = analyze({"fc.weight": numbers})
    assert analyze({"fc.weight": Bfloat16(numbers)}).layers == same.layers


def test_a_type_that_is_not_decoded():
    class Complex(Tensor):
        def __dlpack__(self, **_: object) -> object:
            return np.zeros((2, 2), np.complex128).__dlpack__()

    with pytest.raises(WeightFileError, match=r"number type is not decoded\. Convert"):
        open_weights({"w": Complex(np.zeros((2, 2)))})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Tensor(np.eye(2), device=2), r"tensor 'w': its numbers are not in main memory. Move it"),
        ([object()], "it holds Python objects, not numbers. Give an array of numbers"),
        ([[1.0], [1.0, 2.0]], "it cannot become an array"),
        (None, "it holds Python objects"),
    ],
)
def test_what_is_no_array_is_named(value, message):
    with pytest.raises(WeightFileError, match=message):
        open_weights({"w": value})


class Module:
    def state_dict(self) -> dict[str, np.ndarray]:
        return {}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Module(), r"Module: it is neither .* Give its state_dict\(\)"),
        (3, "int: it is neither a path nor arrays by name. Give a path, an array"),
        ([np.eye(2)], "list: it is neither"),
    ],
)
def test_what_is_no_source_is_named(source, message):
    with pytest.raises(WeightFileError, match=message):
        analyze(source)


def test_one_array_and_arrays_in_arrays():
    W = np.random.default_rng(1).standard_t(3, (50, 30))
    assert analyze(W).layers[0].name == "array"
    nested = {"params": {"Dense_0": {"kernel": W, "bias": W[0]}}}
    layer, bias = open_weights(nested).layers
    assert (layer.name, layer.axes, layer.shape) == ("params/Dense_0", ("out", "in"), (30, 50))
    assert bias.name == "params/Dense_0/bias"
    assert analyze(nested).layers[0].means == analyze({"Dense_0/kernel": W}).layers[0].means


def test_float8_of_a_framework():
    numbers = np.arange(256, dtype=np.uint8).view(ml_dtypes.float8_e5m2)
    codes, name = read_array(numbers)
    np.testing.assert_array_equal(decode(codes, name), numbers.astype(np.float64))
