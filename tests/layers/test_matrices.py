"""Weight matrices: orientation, blocks and types."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.errors import LayerError
from htsr_ref.layers.matrices import BLOCK_ELEMENTS, matrix_from_array, weight_matrix
from htsr_ref.weights import open_weights


def numbered(*shape: int) -> np.ndarray:
    """Array in which every entry is different, so that no two cuts can be confused."""
    return np.arange(float(np.prod(shape))).reshape(shape)


@pytest.mark.spec("MAT-1")
@given(st.integers(1, 9), st.integers(1, 9))
def test_a_matrix_is_as_tall_as_wide_or_taller(rows, columns):
    array = numbered(rows, columns)
    matrix = matrix_from_array(array)
    expected = array if rows >= columns else array.T
    assert (matrix.N, matrix.M) == expected.shape == (max(array.shape), min(array.shape))
    np.testing.assert_array_equal(matrix.to_array(), expected)


@pytest.mark.spec("MAT-1")
def test_a_square_matrix_is_not_transposed():
    assert matrix_from_array(numbered(3, 3)).transposed is False


@pytest.mark.spec("MAT-1")
@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (1, 5), (5, 1), (1, 1)])
def test_blocks_are_the_rows_in_order(shape, monkeypatch):
    monkeypatch.setattr("htsr_ref.layers.matrices.BLOCK_ELEMENTS", 4)
    matrix = matrix_from_array(numbered(*shape))
    blocks = list(matrix.blocks())
    assert all(block.size <= 4 for block in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks), matrix.to_array())


@pytest.mark.spec("SPC-8")
@pytest.mark.parametrize("tall", [True, False])
def test_a_block_stays_below_its_limit(tall):
    rows = BLOCK_ELEMENTS // 8
    array = np.zeros((2 * rows + 1, 8) if tall else (8, 2 * rows + 1), dtype=np.int8)
    heights = [block.shape for block in matrix_from_array(array).blocks()]
    assert heights == [(rows, 8), (rows, 8), (1, 8)]


@pytest.mark.spec("SPC-2")
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8"])
def test_every_block_is_binary64_whatever_the_stored_type(dtype):
    matrix = matrix_from_array(numbered(4, 3).astype(dtype))
    assert matrix.data.dtype == dtype
    assert matrix.to_array().dtype == np.float64
    assert {block.dtype for block in matrix.blocks()} == {np.dtype(np.float64)}


@pytest.mark.parametrize("shape", [(), (4,), (2, 2, 2), (0, 3), (3, 0)])
def test_what_is_no_matrix_is_refused_with_its_shape(shape):
    with pytest.raises(LayerError, match="is not a weight matrix"):
        matrix_from_array(np.zeros(shape))


@pytest.mark.spec("MAT-1")
def test_a_cut_is_oriented_by_its_own_shape():
    data = open_weights({"W": numbered(2, 9, 3)}).layers[0].data
    matrix = weight_matrix(data, (slice(0, 2), slice(0, 9), 1), "[1]")
    assert (matrix.N, matrix.M, matrix.transposed) == (9, 2, True)
