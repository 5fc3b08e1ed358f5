"""Eigenvalues that a matrix has several times: α does not depend on how rounding parts them."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import generators, haar

from htsr_ref import analyze
from htsr_ref.conventions import CONVENTIONS, Convention
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.reports.report import MatrixReport

GROUPING = st.sampled_from(["sdm2020-text", "sdm2020"])
REL = 1e-9

pytestmark = pytest.mark.spec("SPC-13")


def one(W: np.ndarray, convention: Convention, solver: str = "svd", **asked: int) -> MatrixReport:
    return analyze({"W": W}, convention, solver=solver, **asked).layers[0].matrices[0]


def kronecker(rng: np.random.Generator) -> np.ndarray:
    """Every eigenvalue of a Gaussian matrix, several times: the other factor is orthogonal."""
    times = int(rng.integers(2, 6))
    return np.kron(haar(rng, times, times), rng.standard_normal((16, 9)))


def circulant(rng: np.random.Generator) -> np.ndarray:
    """Every eigenvalue but one or two twice: |F|² of a real sequence."""
    row = rng.standard_normal(int(rng.integers(20, 50)))
    return np.stack([np.roll(row, shift) for shift in range(row.size)])


def duplicated_rows(rng: np.random.Generator) -> np.ndarray:
    """Rows of a block matrix with equal blocks, some of them several times over."""
    block = rng.standard_normal((12, 8))
    return np.repeat(np.kron(np.eye(3), block), int(rng.integers(2, 4)), axis=0)


KINDS = st.sampled_from([kronecker, circulant, duplicated_rows])


@given(GROUPING, KINDS, generators, st.floats(1e-3, 1e3))
def test_scale_order_side_and_solver_do_not_matter(name, kind, rng, factor):
    convention = CONVENTIONS[name]
    W = kind(rng)
    found = one(W, convention)
    assume(found.xmin >= 1e-4 * found.lambda_max)
    for other in (
        one(W, convention, "gram"),
        one(factor * W, convention),
        one(factor * W, convention, "gram"),
        one(rng.permutation(rng.permutation(W), axis=1), convention),
        one(W.T, convention, "gram"),
    ):
        assert other.alpha == pytest.approx(found.alpha, rel=REL)
        assert other.tail_size == found.tail_size
        assert other.ks_distance == pytest.approx(found.ks_distance, abs=REL)


@given(GROUPING, st.sampled_from([circulant, duplicated_rows]), generators)
def test_a_type_that_holds_the_entries_does_not_matter(name, kind, rng):
    W = kind(rng).astype(np.float32)  # `auto` solves by gram
    wide = one(W.astype(np.float64), CONVENTIONS[name])
    assume(wide.xmin >= 1e-4 * wide.lambda_max)
    narrow = one(W, CONVENTIONS[name], "auto")
    assert narrow.alpha == pytest.approx(wide.alpha, rel=REL)
    assert narrow.tail_size == wide.tail_size


@given(GROUPING, st.sampled_from([circulant, duplicated_rows]), generators, st.floats(1e-3, 1e3))
def test_rounding_that_leaves_equal_entries_equal_does_not_matter(name, kind, rng, factor):
    W = kind(rng)
    wide = one(W, CONVENTIONS[name])
    assume(wide.xmin >= 0.1 * wide.lambda_max)
    narrow = one((factor * W).astype(np.float32), CONVENTIONS[name], "auto")
    assert narrow.alpha == pytest.approx(wide.alpha, rel=5e-6)
    assert narrow.tail_size == wide.tail_size


@pytest.mark.spec("PL-3")
@pytest.mark.parametrize("ks", ["two-sided", "one-sided"])
@given(generators, st.integers(2, 6))
def test_taking_every_eigenvalue_k_times_leaves_threshold_exponent_and_distance(ks, rng, times):
    convention = CONVENTIONS["sdm2020-text"].override({"ks": ks})
    A = rng.standard_normal((16, 9))
    once = one(A, convention)
    often = one(np.kron(haar(rng, times, times), A), convention)
    assert often.tail_size == times * once.tail_size
    assert often.alpha == pytest.approx(once.alpha, rel=REL)
    assert often.ks_distance == pytest.approx(once.ks_distance, abs=REL)
    assert often.alpha_stderr == pytest.approx(
        (often.alpha - 1) / np.sqrt(often.tail_size), rel=REL
    )


@given(generators)
def test_a_circulant_matrix_has_the_exponent_of_its_transform(rng):
    W = circulant(rng)
    found = one(W, CONVENTIONS["sdm2020-text"])
    half = np.abs(np.fft.rfft(W[0])) ** 2
    paired = slice(1, (W.shape[0] + 1) // 2)
    expected = fit_power_law(np.concatenate((half, half[paired])))
    assume(expected.xmin >= 1e-4 * half.max())
    assert found.alpha == pytest.approx(expected.alpha, rel=REL)
    assert found.tail_size == expected.tail_size


@given(GROUPING, generators, st.integers(5, 8))
def test_the_operator_of_a_convolution(name, rng, size):
    convention = CONVENTIONS[name].override({"conv": "operator", "map_size": size, "min_dim": 0})
    W = rng.standard_normal((6, 5, 3, 3))
    first = analyze({"W": W}, convention, solver="svd").layers[0].matrices[0]
    assume(first.xmin >= 1e-4 * first.lambda_max)
    for other, solver in ((W, "gram"), (3.3 * W, "svd"), (W[:, :, ::-1, ::-1], "gram")):
        found = analyze({"W": np.ascontiguousarray(other)}, convention, solver=solver)
        assert found.layers[0].matrices[0].alpha == pytest.approx(first.alpha, rel=REL)
        assert found.layers[0].matrices[0].tail_size == first.tail_size


def test_programs_take_what_they_compute():
    grouping = {name for name, found in CONVENTIONS.items() if found.equal_eigenvalues == "group"}
    assert grouping == {"sdm2020-text", "sdm2020"}


@given(GROUPING, generators)
def test_eigenvalues_of_their_own_keep_every_number(name, rng):
    W = rng.standard_t(3, (60, 40))
    apart = CONVENTIONS[name].override({"equal_eigenvalues": "apart"})
    assert one(W, CONVENTIONS[name]) == one(W, apart)


@pytest.mark.spec("PL-41", "PL-52")
@pytest.mark.parametrize("ks", ["two-sided", "one-sided"])
def test_the_goodness_of_fit_test_repeats_a_fit_of_groups(ks):
    W = np.kron(np.eye(6), np.random.default_rng(3).standard_normal((40, 20)))
    convention = CONVENTIONS["sdm2020-text"].override({"ks": ks})
    p_values = [
        one(V, convention, solver, gof=60).p_value
        for V, solver in ((W, "svd"), (W, "gram"), (3.3 * W, "svd"))
    ]
    assert p_values[0] == p_values[1] == p_values[2]
