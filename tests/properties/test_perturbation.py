"""Weyl, Mirsky and Eckart-Young: how far a change of W can move its singular values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import generators, matrices

from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.spectra.solvers import solver_error

pytestmark = pytest.mark.spec("SPC-1")


def singular_values(W: np.ndarray) -> np.ndarray:
    """Ascending, from the spectrum: σ = √(N·λ)."""
    found = spectrum(W, solver="svd")
    return np.sqrt(found.N * found.eigenvalues)


@given(matrices, generators, st.floats(-8, 1))
def test_no_singular_value_moves_by_more_than_the_change(W, rng, exponent):
    size = 10.0**exponent * max(np.abs(W).max(), 1e-3)
    E = size * rng.standard_normal(W.shape)
    before, after = singular_values(W), singular_values(W + E)
    rounding = 3 * solver_error(len(W)) * (before[-1] + after[-1])
    moved = np.abs(after - before)
    assert moved.max() <= np.linalg.norm(E, 2) + rounding  # Weyl
    assert np.linalg.norm(moved) <= np.linalg.norm(E) + rounding * len(moved)  # Mirsky


@given(matrices, generators, st.data())
def test_no_matrix_of_lower_rank_is_closer_than_the_small_eigenvalues(W, rng, data):
    M = W.shape[1]
    rank = data.draw(st.integers(0, M))
    left_out = np.linalg.norm(singular_values(W)[: M - rank])
    rounding = 1e-12 * np.linalg.norm(W)
    U, sigma, Vt = np.linalg.svd(W, full_matrices=False)
    best = U[:, :rank] * sigma[:rank] @ Vt[:rank]
    assert np.linalg.norm(W - best) == pytest.approx(left_out, abs=rounding)
    # Projecting W on any subspace of that dimension gives another matrix of that rank.
    Q, _ = np.linalg.qr(rng.standard_normal((M, rank)))
    assert np.linalg.norm(W - W @ Q @ Q.T) >= left_out - rounding
