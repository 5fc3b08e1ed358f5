"""Under W → c·W shapes stay and sizes follow: what changes, changes by a known amount."""

import math

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import matrices, well_conditioned_matrices

from htsr_ref import analyze
from htsr_ref.reports.report import MatrixReport
from htsr_ref.spectra.eigenvalues import spectrum

pytestmark = pytest.mark.spec("MET-12")
SOLVERS = st.sampled_from(["gram", "svd"])
factors = st.floats(-6, 6).map(lambda exponent: 10.0**exponent)

UNCHANGED = ("alpha", "ks_distance", "tail_size", "rank", "num_zero", "stable_rank", "entropy")


def only_matrix(W: np.ndarray, solver: str) -> MatrixReport:
    (layer,) = analyze({"W": W}, solver=solver).layers
    return layer.matrices[0]


def has_clear_threshold(W: np.ndarray) -> bool:
    """Whether no two candidates tie within rounding (PL-10)."""
    return reference.lead(reference.scan(spectrum(W).positive), "two-sided") > 1e-9


@pytest.mark.spec("PL-10")
@given(matrices, SOLVERS, st.integers(-60, 60))
def test_a_power_of_two_changes_no_bit(W, solver, exponent):
    before = only_matrix(W, solver)
    after = only_matrix(2.0**exponent * W, solver)
    for name in UNCHANGED:
        assert getattr(after, name) == getattr(before, name), name
    assert after.lambda_max == 4.0**exponent * before.lambda_max
    assert after.lambda_min == 4.0**exponent * before.lambda_min


@pytest.mark.spec("PL-10", "MET-2", "MET-3", "MET-4", "MET-8")
@given(well_conditioned_matrices(), SOLVERS, factors)
def test_any_factor_moves_the_norms_and_nothing_else(W, solver, factor):
    assume(has_clear_threshold(W))
    before, after = only_matrix(W, solver), only_matrix(factor * W, solver)
    log = math.log10(factor)
    expected = {
        **{name: getattr(before, name) for name in UNCHANGED},
        "log10_frobenius_norm": before.log10_frobenius_norm + log,
        "log10_spectral_norm": before.log10_spectral_norm + log,
        "log10_alpha_norm": before.log10_alpha_norm + 2 * before.alpha * log,
        "weighted_alpha": before.weighted_alpha + 2 * before.alpha * log,
    }
    for name, value in expected.items():
        tolerance = 1e-12 * (1 + before.alpha * (1 + abs(log)))
        assert getattr(after, name) == pytest.approx(value, rel=1e-12, abs=tolerance), name
    assert after.alpha == pytest.approx(before.alpha, rel=1e-12)


@pytest.mark.slow
@pytest.mark.spec("MET-10")
@given(st.lists(well_conditioned_matrices(), min_size=1, max_size=4), factors)
def test_alpha_hat_moves_by_twice_the_mean_alpha(layers, factor):
    assume(all(map(has_clear_threshold, layers)))
    before = analyze({f"fc{i}": W for i, W in enumerate(layers)}).model
    after = analyze({f"fc{i}": factor * W for i, W in enumerate(layers)}).model
    alphas = [only_matrix(W, "auto").alpha for W in layers]
    shift = math.fsum(2 * alpha * math.log10(factor) for alpha in alphas) / len(alphas)
    tolerance = 1e-12 * max(alphas) * (1 + abs(math.log10(factor)))
    assert after.alpha_hat - before.alpha_hat == pytest.approx(shift, abs=4 * tolerance)
    assert after.mean_alpha == pytest.approx(before.mean_alpha, rel=1e-12)
