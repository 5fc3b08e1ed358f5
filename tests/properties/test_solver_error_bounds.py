"""Computed eigenvalues stay within the stated bounds of the true ones."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import hadamard
from strategies import degenerate_matrices, heavy_tailed_matrices, prescribed, prescribed_matrices

from htsr_ref.spectra.eigenvalues import Spectrum, spectrum

pytestmark = pytest.mark.spec("SPC-4")
SOLVERS = ["gram", "svd"]
TYPES = [np.float64, np.float32]


def assert_within_bounds(found: Spectrum, sigma: np.ndarray) -> None:
    """Compare with the true singular values, ascending, by the formulas of the specification."""
    epsilon = 8 * np.sqrt(max(found.N, 64)) * 2 * 2.0**-53
    true = sigma**2 * found.scale
    error = np.abs(found.eigenvalues - true)
    # The true values are rounded to binary64 themselves.
    slack = 4 * 2.0**-53 * true
    if found.solver == "gram":
        bound = np.full(found.M, epsilon * true[-1])
    else:
        bound = (2 * epsilon * np.sqrt(true / true[-1]) + epsilon**2) * true[-1]
        counted = found.eigenvalues > 0
        computed = np.sqrt(found.eigenvalues[counted] / found.scale)
        sigma_error = np.abs(computed - sigma[counted])
        assert (sigma_error <= epsilon * sigma[-1] + 4 * 2.0**-53 * sigma[counted]).all()
    # What was set to zero has moved by at most twice the error at zero (SPC-5).
    zero = found.eigenvalues == 0
    bound[zero] = 2 * (epsilon if found.solver == "gram" else epsilon**2) * true[-1]
    assert (error <= bound + slack).all()
    assert (error <= found.error_bounds * (1 + 1e-12) + slack).all()


@pytest.mark.slow
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", TYPES)
@given(prescribed_matrices())
def test_prescribed_singular_values_down_to_1e_12(solver, dtype, pair):
    W = pair[0].astype(dtype)
    sigma = np.array([float(s) for s in reference.singular_values(W)])
    assert_within_bounds(spectrum(W, solver=solver), sigma)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("seed", [7, 12, 44, 66, 128])
def test_clustered_singular_values(solver, seed):
    rng = np.random.default_rng(seed)
    W = prescribed(rng, 12, np.sort(10.0 ** (-1e-12 * rng.random(12))))
    sigma = np.array([float(s) for s in reference.singular_values(W)])
    assert_within_bounds(spectrum(W, solver=solver), sigma)


@pytest.mark.slow
@pytest.mark.parametrize("solver", SOLVERS)
@given(st.one_of(heavy_tailed_matrices(), degenerate_matrices()))
def test_heavy_tails_and_degenerate_matrices(solver, W):
    sigma = np.array([float(s) for s in reference.singular_values(W)])
    if sigma[-1] > 0:
        assert_within_bounds(spectrum(W, solver=solver), sigma)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("dtype", "smallest"), [(np.float64, -40), (np.float32, -15)])
@pytest.mark.parametrize("N", [64, 512])
def test_singular_values_that_are_exact_by_construction(solver, dtype, smallest, N):
    # Hadamard matrices are orthogonal up to a power of two, so that every entry of W is a short
    # binary fraction and its singular values are these powers of two without any rounding.
    exponents = np.round(np.linspace(smallest, 0, 64))
    W = hadamard(N)[:, :64] * 2.0**exponents @ hadamard(64)
    stored = W.astype(dtype)
    assert (stored == W).all()
    sigma = np.sqrt(N * 64) * 2.0**exponents
    assert_within_bounds(spectrum(stored, solver=solver), sigma)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_larger_binary32_matrix_against_singular_values_in_binary64(solver):
    sigma = 10.0 ** np.linspace(-12, 0, 150)
    W = prescribed(np.random.default_rng(1), 1500, sigma).astype(np.float32)
    true = np.linalg.svd(W.astype(np.float64), compute_uv=False)[::-1]
    assert_within_bounds(spectrum(W, solver=solver), true)
