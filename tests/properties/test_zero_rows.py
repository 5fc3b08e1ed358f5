"""Appended zero rows enter the spectrum through N alone."""

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import matrices, well_conditioned_matrices

from htsr_ref.powerlaw import fit_power_law
from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.spectra.solvers import solver_error

pytestmark = pytest.mark.spec("SPC-1")
SOLVERS = st.sampled_from(["gram", "svd"])


def padded(W: np.ndarray, rows: int) -> np.ndarray:
    return np.concatenate((W, np.zeros((rows, W.shape[1]))))


@given(matrices, st.integers(1, 30), SOLVERS)
def test_eigenvalues_shrink_as_n_grows(W, rows, solver):
    N = len(W)
    before, after = spectrum(W, solver=solver), spectrum(padded(W, rows), solver=solver)
    assert (N + rows, before.M) == (after.N, after.M)
    allowed = 2 * solver_error(after.N) * after.lambda_max
    np.testing.assert_allclose(
        after.eigenvalues, before.eigenvalues * N / (N + rows), rtol=0, atol=allowed
    )


@given(matrices, st.integers(1, 30), SOLVERS)
def test_without_normalization_they_do_not_move(W, rows, solver):
    before = spectrum(W, solver=solver, normalization="none")
    after = spectrum(padded(W, rows), solver=solver, normalization="none")
    allowed = 2 * solver_error(after.N) * after.lambda_max
    np.testing.assert_allclose(after.eigenvalues, before.eigenvalues, rtol=0, atol=allowed)


@pytest.mark.spec("PL-10")
@given(well_conditioned_matrices(), st.integers(1, 30))
def test_alpha_does_not_see_them(W, rows):
    before = spectrum(W).positive
    assume(reference.lead(reference.scan(before), "two-sided") > 1e-9)
    expected, fit = fit_power_law(before), fit_power_law(spectrum(padded(W, rows)).positive)
    assert fit.tail_size == expected.tail_size
    assert fit.alpha == pytest.approx(expected.alpha, rel=1e-12)
