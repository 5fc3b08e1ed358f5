"""The estimate of an analysis's cost."""

import numpy as np
import pytest

from htsr_ref.layers.matrices import BLOCK_ELEMENTS, matrix_from_array
from htsr_ref.spectra.cost import Cost, estimate_cost


@pytest.mark.spec("SPC-8")
@pytest.mark.parametrize("shape", [(6, 3), (3, 6)])
def test_leading_terms_of_both_solvers(shape):
    matrix = matrix_from_array(np.ones(shape))
    assert estimate_cost(matrix, "gram") == Cost(6 * 9 + 36, 8 * (2 * 9 + 18))
    assert estimate_cost(matrix, "svd") == Cost(4 * 6 * 9 - 36, 8 * 2 * 18)
    assert estimate_cost(matrix) == estimate_cost(matrix, "svd")


@pytest.mark.spec("SPC-8")
def test_a_tall_matrix_costs_no_more_memory_than_a_block():
    tall = matrix_from_array(np.zeros((1 << 20, 4), dtype=np.int8))
    assert estimate_cost(tall).memory == 8 * (2 * 16 + BLOCK_ELEMENTS)
