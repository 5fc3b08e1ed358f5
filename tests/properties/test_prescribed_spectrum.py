"""A matrix that is built from given singular values has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import generators

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.randommatrix.ensembles import low_rank_plus_noise, prescribed
from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.spectra.solvers import solver_error

SOLVERS = st.sampled_from(["gram", "svd"])


@pytest.mark.spec("SPC-4", "RMT-6")
@given(generators, st.integers(2, 120), st.integers(0, 100), st.floats(0, 7), SOLVERS)
def test_every_singular_value_is_recovered(rng, M, more, decades, solver):
    N = M + more
    sigma = np.sort(10.0 ** (-decades * rng.random(M)))
    found = spectrum(prescribed(sigma, N, rng), solver=solver)
    eigenvalues = N * found.eigenvalues
    # The solver, and the rounding of two frames and of their product, each ε·σ_max at most;
    # what counts as zero has moved by up to twice that (SPC-5).
    error = 4 * solver_error(N) * sigma[-1]
    bounds = {"gram": 4 * error * sigma[-1], "svd": 2 * error * sigma + 4 * error**2}
    assert (np.abs(eigenvalues - sigma**2) <= bounds[solver]).all()


@pytest.mark.spec("SPC-6", "RMT-9")
@given(generators, st.integers(2, 60), st.integers(0, 60), st.floats(0.1, 10), st.data(), SOLVERS)
def test_the_rank_is_recovered(rng, M, more, strength, data, solver):
    rank = data.draw(st.integers(1, M))
    W = low_rank_plus_noise(M + more, M, rank, rng, strength=strength, sigma=0.0)
    (found,) = analyze({"W": W}, SDM2020_TEXT, solver=solver).layers[0].matrices
    assert found.rank == rank
    assert found.stable_rank == pytest.approx(rank, rel=1e-11)
    assert found.lambda_max == pytest.approx(strength**2, rel=1e-11)
