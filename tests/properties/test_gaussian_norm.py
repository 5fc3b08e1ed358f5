"""‖W‖_F²/σ² of a Gaussian matrix has the χ² distribution with N·M degrees of freedom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2
from strategies import generators, shapes

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT

FALSE_ALARM = 1e-10
"""In each example: 1e-6 in a run of 10,000."""


@pytest.mark.spec("SPC-1", "MET-2")
@given(shapes(), generators, st.sampled_from([1e-3, 0.02, 1.0, 50.0]))
def test_the_norm_of_a_gaussian_matrix(shape, rng, sigma):
    W = sigma * rng.standard_normal(shape)
    (found,) = analyze({"W": W}, SDM2020_TEXT).layers[0].matrices
    squared = 10 ** (2 * found.log10_frobenius_norm) / sigma**2
    low, high = chi2.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], W.size)
    assert low <= squared <= high
    assert low <= found.stable_rank * found.lambda_max * found.N / sigma**2 <= high
