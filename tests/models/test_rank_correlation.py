"""Rank correlations: values by definition, p-values by counting orders."""

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from htsr_ref.models.rank_correlation import kendall_tau_b, spearman_rho

pytestmark = pytest.mark.spec("TRD-4", "TRD-5")
values = st.integers(0, 4).map(float)


@st.composite
def samples(draw, least=3, most=5):
    """Two short samples, often tied, neither all equal."""
    n = draw(st.integers(least, most))
    sample = st.lists(values, min_size=n, max_size=n).filter(lambda x: len(set(x)) > 1)
    return draw(sample), draw(sample)


def sign(value):
    return int(value > 0) - int(value < 0)


def kendall_sum(x, y):
    return sum(sign(x[i] - x[j]) * sign(y[i] - y[j]) for i, j in combinations(range(len(x)), 2))


def spearman_sum(x, y):
    """Sum over models of (twice the rank less its mean) in x and in y."""
    a, b = ([sum(sign(v - w) for w in sample) for v in sample] for sample in (x, y))
    return sum(p * q for p, q in zip(a, b, strict=True))


def share_as_large(statistic, x, y):
    observed = abs(statistic(x, y))
    found = [abs(statistic(x, order)) >= observed for order in permutations(y)]
    return sum(found) / len(found)


@given(samples())
def test_small_samples_count_every_order(sample):
    x, y = map(np.array, sample)
    for ours, theirs, statistic in (
        (kendall_tau_b, stats.kendalltau, kendall_sum),
        (spearman_rho, stats.spearmanr, spearman_sum),
    ):
        found = ours(x, y)
        assert found.value == pytest.approx(theirs(x, y).statistic, abs=1e-12)
        assert found.p_value == pytest.approx(share_as_large(statistic, *sample), abs=1e-15)
        assert found.method == "exact"


@pytest.mark.parametrize("n", [3, 4, 8, 9, 10, 30])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_perfect_order_is_exactly_one_and_as_rare_as_its_orders(n, direction):
    x = np.sqrt(np.arange(n))
    for correlate in (kendall_tau_b, spearman_rho):
        found = correlate(x, direction * np.exp(x))
        assert found.value == direction
        assert found.p_value == pytest.approx(2 / math.factorial(n), rel=1e-12)


@pytest.mark.parametrize(
    ("correlate", "significant", "not_quite"),
    [
        (kendall_tau_b, [5, 0, 1, 2, 3, 4, 6, 7], [6, 0, 1, 2, 3, 4, 5, 7]),
        (spearman_rho, [4, 0, 1, 2, 3, 6, 5, 7], [3, 0, 1, 2, 7, 4, 5, 6]),
    ],
)
def test_printed_tables_of_critical_values(correlate, significant, not_quite):
    """At 5 %, two-sided, n = 8: τ = 18/28, that is five inversions; ρ = 0.738, that is Σd² = 22."""
    x = np.arange(8.0)
    assert correlate(x, np.array(significant, float)).p_value <= 0.05
    assert correlate(x, np.array(not_quite, float)).p_value > 0.05


@given(st.integers(10, 20), st.integers(0, 10_000))
def test_longer_samples_are_approximated_as_scipy_does(n, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 6, (2, n)).astype(float)
    x[:2] = y[:2] = 0.0, 1.0
    for ours, theirs in (
        (kendall_tau_b, lambda: stats.kendalltau(x, y, method="asymptotic")),
        (spearman_rho, lambda: stats.spearmanr(x, y)),
    ):
        found = ours(x, y)
        assert found.value == pytest.approx(theirs().statistic, abs=1e-12)
        assert found.method == "asymptotic"
        assert found.p_value == pytest.approx(max(theirs().pvalue, 2 / math.factorial(n)))


@pytest.mark.parametrize("n", [2000, 2200, 5000])
def test_rho_of_thousands_of_models(n):
    # Sums of squares of ranks no longer multiply within 64 bits: 1 - 6Σd²/(n³ - n) does.
    rng = np.random.default_rng(n)
    x = rng.permutation(n).astype(float)
    y = x + rng.normal(0, 0.1 * n, n)
    squares = int(((stats.rankdata(x) - stats.rankdata(y)) ** 2).sum())
    assert spearman_rho(x, y).value == pytest.approx(1 - 6 * squares / (n**3 - n), abs=1e-12)
    assert spearman_rho(x, np.exp(x / n)).value == 1.0


@pytest.mark.spec("TRD-5")
@pytest.mark.parametrize(("n", "method"), [(9, "exact"), (10, "asymptotic")])
def test_with_ties_both_are_exact_up_to_nine(n, method):
    x = np.r_[0.0, 0.0, np.arange(1.0, n - 1)]
    assert {kendall_tau_b(x, x).method, spearman_rho(x, x).method} == {method}


def test_kendall_without_ties_is_exact_up_to_fifty():
    rng = np.random.default_rng(1)
    for n, method in ((10, "exact"), (50, "exact"), (51, "asymptotic")):
        x, y = rng.random((2, n))
        found = kendall_tau_b(x, y)
        assert found.method == method
        assert found.p_value == pytest.approx(stats.kendalltau(x, y, method=method).pvalue)
