"""From a weight matrix to eigenvalues, and what counts as zero, as rank and as bad."""

import tracemalloc

import ml_dtypes
import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file
from strategies import generators, haar, matrices, prescribed

from htsr_ref.analysis.bad_entries import first_nonfinite
from htsr_ref.errors import LayerError
from htsr_ref.layers.cuts import layer_matrices
from htsr_ref.layers.matrices import BLOCK_ELEMENTS, Pool, matrix_from_array
from htsr_ref.spectra.eigenvalues import UNIT_ROUNDOFF, spectrum
from htsr_ref.spectra.solvers import NonFiniteError, choose_solver, solver_error
from htsr_ref.weights import open_weights

SOLVERS = ["gram", "svd"]
FLOATS = {
    "float64": np.float64,
    "float32": np.float32,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e5m2": ml_dtypes.float8_e5m2,
}


@pytest.mark.spec("SPC-1")
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("W", "unscaled"),
    [
        pytest.param([[2.0, 0.0], [0.0, 1.0]], [1, 4], id="diagonal"),
        pytest.param([[3.0, 0.0], [4.0, 5.0]], [5, 45], id="det 15, trace 50"),
        pytest.param([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]], [1, 3], id="tall"),
        pytest.param([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]], [1, 3], id="wide"),
        pytest.param([[1.0, 2.0, 2.0]], [9], id="one row"),
        pytest.param([[7.0] * 4] * 6, [0, 0, 0, 7 * 7 * 24], id="constant: not centered"),
        pytest.param([[0.0, 0.0], [0.0, 0.0]], [0, 0], id="zero"),
    ],
)
def test_eigenvalues_found_by_hand(W, unscaled, solver):
    N = max(np.shape(W))
    for normalization, c in [("1/N", 1 / N), ("none", 1.0)]:
        found = spectrum(W, normalization=normalization, solver=solver)
        assert (found.N, found.M, found.scale) == (N, len(unscaled), c)
        np.testing.assert_allclose(found.eigenvalues, np.multiply(c, unscaled), rtol=1e-14)
        assert found.lambda_max == found.eigenvalues[-1]
        assert found.aspect_ratio == N / len(unscaled)


@pytest.mark.spec("SPC-1")
@given(matrices, st.sampled_from(SOLVERS))
def test_all_are_kept_ascending_and_none_is_negative(W, solver):
    found = spectrum(W, solver=solver)
    assert found.eigenvalues.shape == (W.shape[1],)
    assert (np.diff(found.eigenvalues) >= 0).all()
    assert found.eigenvalues[0] >= 0
    assert found.num_zero + found.positive.size == W.shape[1]
    assert (found.positive > 0).all()


@pytest.mark.spec("SPC-1")
def test_one_over_n_is_the_default_and_the_values_cannot_be_changed():
    found = spectrum(np.diag([2.0, 4.0]))
    assert found.eigenvalues.tolist() == [2.0, 8.0]
    with pytest.raises(ValueError, match="read-only"):
        found.eigenvalues[0] = 1.0


@pytest.mark.spec("SPC-2")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_narrow_types_are_computed_as_their_binary64_values(dtype, solver):
    stored = np.random.default_rng(1).standard_normal((30, 20)).astype(FLOATS[dtype])
    np.testing.assert_array_equal(
        spectrum(stored, solver=solver).eigenvalues,
        spectrum(stored.astype(np.float64), solver=solver).eigenvalues,
    )


@pytest.mark.spec("SPC-3")
@pytest.mark.parametrize(
    ("dtype", "solver"),
    [(name, "svd" if name == "float64" else "gram") for name in FLOATS]
    + [("int8", "gram"), ("uint32", "gram"), ("int64", "svd"), ("uint64", "svd")],
)
def test_auto_takes_gram_for_at_most_32_bits(dtype, solver):
    assert choose_solver(dtype) == solver
    assert choose_solver(dtype, "gram") == "gram"
    assert choose_solver(dtype, "svd") == "svd"
    assert spectrum(np.eye(2).astype(FLOATS.get(dtype, dtype))).solver == solver


@pytest.mark.spec("SPC-4")
@pytest.mark.parametrize("N", [1, 100, 4096])
def test_solver_error_is_eight_roots_of_n_roundings(N):
    assert solver_error(N) == 16 * 2.0**-53 * max(N, 64) ** 0.5


@pytest.mark.spec("SPC-4")
def test_error_bounds_of_three_eigenvalues():
    W = np.diag([1.0, 0.25, 0.0])
    epsilon = solver_error(3)
    gram, svd = (3 * spectrum(W, solver=solver).error_bounds for solver in ("gram", "svd"))
    assert gram == pytest.approx([2 * epsilon, epsilon, epsilon], rel=1e-12)
    assert svd == pytest.approx(
        [2 * epsilon**2, 0.5 * epsilon + epsilon**2, 2 * epsilon + epsilon**2], rel=1e-12
    )


@pytest.mark.spec("SPC-5")
@pytest.mark.parametrize(("solver", "power"), [("gram", 1), ("svd", 2)])
def test_zero_is_what_lies_below_the_error_at_zero(solver, power):
    # λ/λ_max of a diagonal matrix is exact up to one rounding.
    limit = solver_error(3) ** power
    below, above = 0.99 * limit, 1.01 * limit
    found = spectrum(np.diag([1.0, above**0.5, below**0.5]), solver=solver)
    assert found.num_zero == 1
    assert found.eigenvalues[0] == 0
    assert found.positive[0] == pytest.approx(above / 3, rel=1e-12)


@pytest.mark.spec("SPC-5")
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("scale", [2.0**-300, 1.0, 2.0**300])
def test_the_eigenvalues_that_a_low_rank_leaves_are_zero_at_any_scale(solver, scale):
    rng = np.random.default_rng(2)
    W = scale * (haar(rng, 60, 7) @ haar(rng, 40, 7).T)
    found = spectrum(W, solver=solver)
    assert (found.num_zero, found.rank) == (33, 7)
    assert found.eigenvalues[:33].tolist() == [0.0] * 33


@pytest.mark.slow
@pytest.mark.spec("SPC-6")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("solver", SOLVERS)
@given(generators)
def test_an_outer_product_rounded_to_any_type_has_rank_one(dtype, solver, rng):
    N, M = rng.integers(4, 60, 2)
    u, v = rng.uniform(1, 4, N), rng.uniform(1, 4, M)
    W = np.outer(u * rng.choice([-1, 1], N), v).astype(FLOATS[dtype])
    assert spectrum(W, solver=solver).rank == 1


@pytest.mark.spec("SPC-6")
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("rank", [1, 5, 12])
def test_rounding_hides_no_large_singular_value(dtype, rank):
    sigma = np.concatenate((np.zeros(12 - rank), np.ones(rank)))
    W = prescribed(np.random.default_rng(3), 20, sigma).astype(FLOATS[dtype])
    assert spectrum(W).rank == rank


@pytest.mark.spec("SPC-6")
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float8_e4m3fn"])
def test_rank_counts_what_exceeds_the_unit_roundoff_of_the_stored_type(dtype):
    r = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}.get(dtype, 2.0**-4)
    assert UNIT_ROUNDOFF[dtype] == r
    below = spectrum(np.diag([1.0, r]).astype(FLOATS[dtype]), solver="svd")
    # √2·r lies in between: of a 2×2 matrix, 1/√N + 1/√M is √2, and the bound takes 1.
    above = spectrum(np.diag([1.0, 1.25 * r]).astype(FLOATS[dtype]), solver="svd")
    assert (below.num_zero, below.rank) == (0, 1)
    assert (above.num_zero, above.rank) == (0, 2)


@pytest.mark.spec("SPC-6")
@pytest.mark.parametrize(("N", "M", "spread"), [(64, 64, 1 / 4), (64, 16, 3 / 8), (900, 4, 8 / 15)])
def test_independent_rounding_errors_spread_over_the_larger_matrix(N, M, spread):
    r = 2.0**-8
    W = np.zeros((N, M))
    W[0, 0] = 1.0
    ranks = []
    for factor in (0.98, 1.02):  # storing it changes it by at most 0.4 %
        W[1, 1] = factor * spread * r
        ranks.append(spectrum(W.astype(ml_dtypes.bfloat16)).rank)
    assert ranks == [1, 2]


@pytest.mark.spec("SPC-6")
@pytest.mark.parametrize(
    ("W", "rank"),
    [
        (np.zeros((3, 2)), 0),
        (np.eye(5), 5),
        (np.full((4, 3), 0.1), 1),
        (np.diag([100, 1]).astype(np.int8), 2),
        (np.diag([1.0, 1.5e-14]), 2),  # ε = 128u = 1.42e-14
        (np.diag([1.0, 1.4e-14]), 1),
    ],
)
def test_ranks_found_by_hand(W, rank):
    assert spectrum(W).rank == rank


@pytest.mark.spec("SPC-7")
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_entry_is_refused(solver, bad):
    W = np.ones((4, 3))
    W[2, 1] = bad
    with pytest.raises(NonFiniteError, match="NaN or an infinity"):
        spectrum(W, solver=solver)


@pytest.mark.spec("SPC-7")
def test_the_first_bad_entry_is_found_in_row_major_order(monkeypatch):
    monkeypatch.setattr("htsr_ref.analysis.bad_entries.BLOCK_ELEMENTS", 12)
    array = np.zeros((5, 2, 3))
    data = open_weights({"W": array}).layers[0].data
    assert first_nonfinite(data) is None
    for index in [(4, 0, 0), (3, 1, 2), (3, 1, 1), (0, 1, 0)]:
        array[index] = np.nan if index[0] % 2 else np.inf
        assert first_nonfinite(data) == index


@pytest.mark.spec("SPC-7")
@pytest.mark.parametrize(
    ("solver", "entry"),
    [("gram", 1e155), ("svd", 1e155), ("gram", 1e-147), ("svd", 1e-140), ("svd", 1e-170)],
)
def test_eigenvalues_outside_binary64_are_refused_with_the_cure(solver, entry):
    with pytest.raises(LayerError, match=r"outside the range of float64\. Rescale") as refusal:
        spectrum(entry * np.eye(4), solver=solver)
    assert f"entries up to {entry:.3g}" in str(refusal.value)


@pytest.mark.spec("SPC-7")
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_sum_outside_binary64_is_refused_though_the_factor_would_bring_it_back(solver):
    # Eigenvalues of WᵀW are 1e308 each and add up to 2e308; those of X, 5e307, add up to 1e308.
    assert spectrum(np.array([[1e154]]), solver=solver).lambda_max == pytest.approx(1e308)
    with pytest.raises(LayerError, match=r"outside the range of float64\. Rescale"):
        spectrum(1e154 * np.eye(2), solver=solver)


@pytest.mark.spec("SPC-7")
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_factor_that_leaves_binary64_is_refused_with_the_cure(solver):
    # c = (50 + 50)/2: λ_max is 50·4·10^(2k), beyond 1.8e308 for k = 153 alone.
    W = np.diag(np.linspace(1.0, 2.0, 50))
    fits = spectrum(1e152 * W, normalization="glorot", solver=solver)
    assert fits.lambda_max == pytest.approx(2e306, rel=1e-12)
    with pytest.raises(LayerError, match=r"2e\+153 and the factor 50 .*Rescale"):
        spectrum(1e153 * W, normalization="glorot", solver=solver)


@pytest.mark.spec("SPC-7", "SPC-12")
def test_matrices_whose_eigenvalues_have_no_sum_together_are_refused():
    # Σλ of one matrix is 4·10^307: 4 of them fit, 5 do not.
    member = matrix_from_array(1e153 * np.sqrt(10) * np.eye(4))
    for count in (4, 5):
        pool = Pool("", 4, 4, (member,) * count, member.origin)
        if count == 4:
            assert spectrum(pool, normalization="none").eigenvalues.sum() == pytest.approx(1.6e308)
        else:
            with pytest.raises(LayerError, match=r"add up to more than float64 holds\. Rescale"):
                spectrum(pool, normalization="none")


@pytest.mark.spec("SPC-7")
@pytest.mark.parametrize(
    ("solver", "entry"), [("gram", 1e153), ("svd", 1e153), ("gram", 1e-145), ("svd", 1e-137)]
)
def test_eigenvalues_that_fit_are_not_refused(solver, entry):
    W = entry * np.diag([1.0, 0.5, 0.25])
    sigma = [float(s) for s in reference.singular_values(W)]
    np.testing.assert_allclose(
        np.sqrt(3 * spectrum(W, solver=solver).eigenvalues), sigma, rtol=1e-14
    )


@pytest.mark.spec("SPC-8")
@pytest.mark.parametrize("tall", [True, False])
def test_gram_never_holds_a_tall_matrix_of_a_file(tall, tmp_path):
    shape = (600_000, 16) if tall else (16, 600_000)
    path = tmp_path / "tall.safetensors"
    save_file({"W": np.random.default_rng(4).random(shape, dtype=np.float32)}, path)
    (matrix,) = layer_matrices(open_weights(path).layers[0])
    tracemalloc.start()
    try:
        assert spectrum(matrix).num_zero == 0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    block, whole = 8 * BLOCK_ELEMENTS, 8 * 600_000 * 16
    assert whole > 9 * block
    assert peak < 3 * block


@pytest.mark.spec("SPC-6")
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_rank_of_a_difference_takes_the_roundings_of_both(solver):
    rng = np.random.default_rng(11)
    base = rng.standard_normal((128, 64))
    added = 0.05 * prescribed(rng, 128, np.concatenate((np.zeros(60), 8 * np.arange(1.0, 5.0))))
    first, second = ((base + part).astype(ml_dtypes.bfloat16) for part in (added, 0))
    W = first.astype(np.float64) - second.astype(np.float64)
    both = sum(2.0**-8 * float(np.linalg.norm(V.astype(np.float64))) for V in (first, second))
    assert spectrum(W, solver=solver).rank == 64
    assert spectrum(W, solver=solver, rounding=[both]).rank == 4
    for nothing in (second.astype(np.float64) - base, np.zeros((3, 2))):
        assert spectrum(nothing, solver=solver, rounding=[both]).rank == 0


@pytest.mark.spec("SPC-6", "SPC-12")
def test_matrices_put_together_have_a_rounding_each():
    members = tuple(matrix_from_array(np.diag([1.0, s])) for s in (0.1, 0.2))
    pool = Pool("", 2, 2, members, members[0].origin)
    for rounding, resolved in (
        (None, [True, True, True, True]),
        ((0.15, 0.15), [False, True, True, True]),
        ((0.05, 0.25), [True, False, True, True]),
    ):
        found = spectrum(pool, solver="svd", rounding=rounding)
        assert found.resolved.tolist() == resolved
        assert found.rank == sum(resolved)
    with pytest.raises(ValueError, match="shorter"):
        spectrum(pool, solver="svd", rounding=(0.05,))
