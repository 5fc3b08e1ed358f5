"""One matrix in memory: the short way to it is the same as the long one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from htsr_ref.weights import open_weights
from htsr_ref.weights.one_matrix import is_matrix, weights_of_matrix

FLOATS = st.sampled_from(["<f8", ">f8", "<f4", ">f4", "<f2"])
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)


@pytest.mark.spec("FMT-1", "FMT-14")
@given(st.data(), SHAPES, FLOATS)
def test_it_is_what_opening_finds(data, shape, dtype):
    array = data.draw(hnp.arrays(dtype, shape))
    array = array[:: data.draw(st.sampled_from([1, -1])), :]
    assert is_matrix(array)
    found, opened = weights_of_matrix(array), open_weights(array)
    (layer,), (expected,) = found.layers, opened.layers
    assert replace(found, layers=()) == replace(opened, layers=())
    assert replace(layer, data=None) == replace(expected, data=None)
    assert layer.data.backing.codes is array
    assert replace(layer.data, backing=None) == replace(expected.data, backing=None)
    assert layer.data[...].tobytes() == expected.data[...].tobytes()


@pytest.mark.parametrize(
    "other",
    [
        [[1.0, 2.0]],
        np.ones(3),
        np.ones((2, 2, 2)),
        np.ones((0, 3)),
        np.ones((2, 2), np.int8),
        np.ones((2, 2), complex),
        np.ones((2, 2), np.longdouble),
        np.ma.masked_array(np.ones((2, 2)), True),
    ],
    ids=lambda other: f"{type(other).__name__} {np.asarray(other).dtype} {np.shape(other)}",
)
def test_anything_else_goes_the_long_way(other):
    assert not is_matrix(other)
