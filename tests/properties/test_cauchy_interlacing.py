"""Cauchy: the eigenvalues of W without some rows, or columns, lie between those of W."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import generators, matrices

from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.spectra.solvers import solver_error

pytestmark = pytest.mark.spec("SPC-1", "SPC-4")
SOLVERS = st.sampled_from(["gram", "svd"])


def unscaled(W: np.ndarray, solver: str) -> np.ndarray:
    """Eigenvalues of WᵀW from those of X = WᵀW/N, ascending."""
    found = spectrum(W, solver=solver)
    return found.N * found.eigenvalues


def assert_interlaced(whole: np.ndarray, part: np.ndarray, removed: int, rounding: float) -> None:
    """Check λ_i ≤ λ'_i ≤ λ_(i + removed), counted from the largest; those that W lacks are 0."""
    missing = np.zeros(max(0, whole.size - part.size))
    part = np.concatenate((missing, part))
    assert (part <= whole + rounding).all()
    kept = whole.size - removed
    assert (part[removed:] >= whole[:kept] - rounding).all()


@given(matrices, st.sampled_from([0, 1]), generators, st.data(), SOLVERS)
def test_removing_rows_or_columns(W, axis, rng, data, solver):
    most = W.shape[axis] - 1
    removed = data.draw(st.integers(0, most))
    part = np.delete(W, rng.permutation(W.shape[axis])[:removed], axis=axis)
    before, after = unscaled(W, solver), unscaled(part, solver)
    # Two computed spectra; values set to zero have moved by up to twice the error (SPC-5).
    rounding = 4 * solver_error(len(W)) * before[-1]
    assert_interlaced(before, after, min(removed, before.size), rounding)
