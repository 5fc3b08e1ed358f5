"""The exponent of a matrix of rank r is that of its r eigenvalues, however the matrix is stored."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import generators, prescribed

from htsr_ref import analyze
from htsr_ref.conventions import CONVENTIONS, SDM2020_TEXT, Convention
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.fit import relative_logs
from htsr_ref.powerlaw.plain import fit_tail
from htsr_ref.reports.report import MatrixReport

N, M = 256, 128
FLOATS = {"float64": np.float64, "float32": np.float32, "bfloat16": ml_dtypes.bfloat16}
SOLVERS = pytest.mark.parametrize("solver", ["gram", "svd"])
CODE = CONVENTIONS["sdm2020"]

pytestmark = pytest.mark.spec("SPC-10", "SPC-6")


def low_rank(rng: np.random.Generator, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """A matrix, and its positive singular values, which 8 bits neither hide nor join."""
    sigma = 0.1 ** ((np.arange(rank)[::-1] + rng.uniform(0.2, 0.8, rank)) / rank)
    return prescribed(rng, N, np.concatenate((np.zeros(M - rank), sigma))), sigma


def one(W: np.ndarray, convention: Convention, solver: str) -> MatrixReport:
    return analyze({"W": W}, convention, solver=solver).layers[0].matrices[0]


def expected_alpha(eigenvalues: np.ndarray, convention: Convention) -> float:
    """α of exactly these eigenvalues: all are kept, for the M - r zeros are the smallest."""
    if convention == SDM2020_TEXT:
        return fit_power_law(eigenvalues).alpha
    logs = relative_logs(eigenvalues)
    tails = range(eigenvalues.size - 1)
    fits = [fit_tail(eigenvalues, logs, i, "one-sided", renormalized=True) for i in tails]
    return min(fits, key=lambda fit: fit.ks_distance).alpha


@SOLVERS
@pytest.mark.parametrize("convention", [SDM2020_TEXT, CODE], ids=["sdm2020-text", "sdm2020"])
@pytest.mark.parametrize("rank", [2, 4, 16])
@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=settings().max_examples // 10)
@given(generators)
def test_alpha_is_that_of_the_positive_eigenvalues(dtype, rank, convention, solver, rng):
    W, sigma = low_rank(rng, rank)
    stored = W.astype(FLOATS[dtype])
    found = one(stored, convention, solver)
    assert found.rank == rank
    # What the stored matrix holds beside rounding: its r largest singular values, found apart.
    kept = np.sort(np.linalg.svd(stored.astype(np.float64), compute_uv=False))[-rank:]
    assert found.alpha == pytest.approx(expected_alpha(kept**2, convention), rel=1e-9)
    assert found.tail_size <= rank
    if dtype == "bfloat16":
        np.testing.assert_allclose(kept, sigma, rtol=0.01)
    else:
        rel = 1e-9 if dtype == "float64" else 1e-6
        assert found.alpha == pytest.approx(expected_alpha(sigma**2, convention), rel=rel)


@SOLVERS
@pytest.mark.parametrize("rank", [2, 4, 16])
@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=settings().max_examples // 10)
@given(generators, st.floats(1e-3, 1e3))
def test_alpha_does_not_depend_on_scale_order_and_side(dtype, rank, solver, rng, factor):
    W, _ = low_rank(rng, rank)
    alpha = one(W.astype(FLOATS[dtype]), SDM2020_TEXT, solver).alpha
    permuted = rng.permutation(rng.permutation(W), axis=1).T.astype(FLOATS[dtype])
    assert one(permuted, SDM2020_TEXT, solver).alpha == pytest.approx(alpha, rel=1e-9)
    scaled = one((factor * W).astype(FLOATS[dtype]), SDM2020_TEXT, solver)
    if dtype == "bfloat16":
        assert scaled.rank == rank
    else:
        rel = 1e-9 if dtype == "float64" else 1e-6
        assert scaled.alpha == pytest.approx(alpha, rel=rel)


@SOLVERS
@pytest.mark.parametrize("convention", [SDM2020_TEXT, CODE], ids=["sdm2020-text", "sdm2020"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_rank_one_has_no_exponent(dtype, convention, solver):
    W, _ = low_rank(np.random.default_rng(5), 1)
    found = one(W.astype(FLOATS[dtype]), convention, solver)
    assert (found.rank, found.alpha, found.alpha_null_reason) == (1, None, "one positive value")


@SOLVERS
@pytest.mark.parametrize("name", ["sdm2020-text", "sdm2020"])
@given(generators)
@settings(max_examples=settings().max_examples // 5)
def test_a_matrix_of_full_rank_keeps_every_number(name, solver, rng):
    W = rng.standard_normal((60, 20)).astype(ml_dtypes.bfloat16)
    convention = CONVENTIONS[name]
    before = convention.override({"eigenvalue_floor": "relative"})
    assert one(W, convention, solver).rank == 20
    assert one(W, convention, solver) == one(W, before, solver)


def test_the_extreme_value_index_is_that_of_the_same_eigenvalues():
    rng = np.random.default_rng(6)
    W = prescribed(rng, N, np.concatenate((np.zeros(M - 60), np.sort(0.1 ** rng.random(60)))))
    exact, stored = (one(V, SDM2020_TEXT, "svd") for V in (W, W.astype(ml_dtypes.bfloat16)))
    assert stored.rank == 60
    assert stored.extreme_value.k == exact.extreme_value.k <= 60
    assert stored.extreme_value.xi == pytest.approx(exact.extreme_value.xi, abs=0.01)
