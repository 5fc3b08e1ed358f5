"""Transposing, permuting or rotating a matrix changes neither its spectrum nor its fit."""

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import generators, haar, matrices, well_conditioned_matrices

from htsr_ref.powerlaw import fit_power_law
from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.spectra.solvers import solver_error

pytestmark = pytest.mark.spec("SPC-1")
SOLVERS = st.sampled_from(["gram", "svd"])


def transposed(W: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.ascontiguousarray(W.T)


def permuted(W: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(rng.permutation(W, axis=0), axis=1)


def rotated(W: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    N, M = W.shape
    return haar(rng, N, N) @ W @ haar(rng, M, M)


CHANGES = [pytest.param(transposed, marks=pytest.mark.spec("MAT-1")), permuted, rotated]


@pytest.mark.parametrize("change", CHANGES)
@given(matrices, generators, SOLVERS)
def test_the_spectrum_stays_within_the_error_bounds(change, W, rng, solver):
    before, after = spectrum(W, solver=solver), spectrum(change(W, rng), solver=solver)
    assert (after.N, after.M) == (before.N, before.M)
    # Two computed spectra, and the rounding of the rotated entries.
    allowed = 4 * solver_error(before.N) * before.lambda_max
    np.testing.assert_allclose(after.eigenvalues, before.eigenvalues, rtol=0, atol=allowed)


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
@given(well_conditioned_matrices(), generators, SOLVERS)
def test_the_fit_stays(change, W, rng, solver):
    before = spectrum(W, solver=solver).positive
    assume(reference.lead(reference.scan(before), "two-sided") > 1e-9)
    after = spectrum(change(W, rng), solver=solver).positive
    expected, fit = fit_power_law(before), fit_power_law(after)
    assert fit.tail_size == expected.tail_size
    assert fit.alpha == pytest.approx(expected.alpha, rel=1e-12)
    assert fit.ks_distance == pytest.approx(expected.ks_distance, abs=1e-11)


@pytest.mark.spec("MAT-1")
@given(matrices, SOLVERS)
def test_a_view_and_its_copy_have_the_same_spectrum(W, solver):
    view = np.ascontiguousarray(W.T).T
    allowed = 2 * solver_error(len(W)) * spectrum(W, solver=solver).lambda_max
    np.testing.assert_allclose(
        spectrum(view, solver=solver).eigenvalues,
        spectrum(W, solver=solver).eigenvalues,
        rtol=0,
        atol=allowed,
    )
