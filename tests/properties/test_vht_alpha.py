"""Very heavy-tailed matrices: the fit finds what the table of α says, at any μ and shape in it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pareto_matrices import fitted_alphas
from strategies import generators

from htsr_ref.randommatrix.universality import expected_alpha

DRAWS = 261
"""The median of so many draws leaves the quartiles by chance once in a million runs.

It does only if 131 draws or more lie beyond one of them. A draw does so with a probability of 0.25,
of 0.34 at most if the quartile is misplaced by the table's Monte-Carlo error (0.05 is 3.6 standard
errors for 1,000 draws) and by its interpolation (0.04, measured). P(Bin(261, 0.34) ≥ 131) is
5.4e-8; two quartiles and eight examples make 8.6e-7.
"""


@pytest.mark.slow
@pytest.mark.spec("RMT-43", "RMT-44")
@settings(max_examples=8)
@given(st.floats(0.5, 1.9), st.integers(100, 140), st.floats(0.72, 1.0), generators)
def test_the_median_alpha_lies_between_the_tables_quartiles(mu, N, share, rng):
    M = max(100, round(share * N))
    expected = expected_alpha(mu, N, M)
    median = np.median(fitted_alphas(mu, N, M, DRAWS, rng))
    assert expected.lower_quartile <= median <= expected.upper_quartile
