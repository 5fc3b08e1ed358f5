"""The k-th powers of the eigenvalues sum to the trace of X^k, in exact integer arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import generators, shapes

from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.spectra.solvers import solver_error


@pytest.mark.spec("SPC-1", "SPC-4")
@given(
    shapes(),
    generators,
    st.sampled_from([1, 9, 1000]),
    st.sampled_from(["gram", "svd"]),
    st.sampled_from(["1/N", "none"]),
    st.booleans(),
)
def test_power_sums_are_traces(shape, rng, size, solver, normalization, wide):
    W = rng.integers(-size, size, shape, endpoint=True)
    W[0, 0] = size
    N, M = shape
    gram = W.astype(object).T @ W.astype(object)
    found = spectrum(W.T if wide else W, solver=solver, normalization=normalization)
    c = N if normalization == "1/N" else 1
    power = np.eye(M, dtype=object)
    for k in (1, 2, 3, 4):
        power = power @ gram
        # Each λ is off by at most 2ε·λ_max, hence λ^k by 2kε·λ_max^k to first order.
        tolerance = 3 * k * M * solver_error(N)
        moment = math.fsum((found.eigenvalues * c) ** k)
        assert moment == pytest.approx(int(np.trace(power)), rel=tolerance)
