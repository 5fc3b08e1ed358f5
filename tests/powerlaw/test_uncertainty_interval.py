"""Intervals of the exponent at a given threshold, and intervals from replicas."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from htsr_ref.powerlaw.uncertainty import exact_interval, profile_interval
from htsr_ref.powerlaw.uncertainty.interval import bca_interval, percentile_interval

levels = st.floats(0.01, 0.9999)
alphas = st.floats(1.01, 30.0)
sizes = st.integers(1, 100_000)


@pytest.mark.spec("PL-44")
@given(alphas, sizes, levels)
def test_exact_ends_leave_equal_probabilities_of_the_sum_of_logs(alpha, n, level):
    low, high = exact_interval(alpha, n, level)
    # Were α the low end, a sum of logs as small as the one seen would have the probability of a
    # tail; likewise for the high end.
    log_sum = n / (alpha - 1)
    tail = (1 - level) / 2
    assert stats.gamma.sf(log_sum, n, scale=1 / (high - 1)) == pytest.approx(tail, rel=1e-6)
    assert stats.gamma.cdf(log_sum, n, scale=1 / (low - 1)) == pytest.approx(tail, rel=1e-6)


@pytest.mark.spec("PL-44")
def test_exact_interval_of_one_point_in_closed_form():
    # ln(x/xmin) = 1/2: the exponential distribution function solves for its rate.
    low, high = exact_interval(3.0, 1, 0.9)
    assert low == pytest.approx(1 - np.log(0.95) / 0.5, rel=1e-12)
    assert high == pytest.approx(1 - np.log(0.05) / 0.5, rel=1e-12)


@pytest.mark.spec("PL-45")
@pytest.mark.parametrize("alpha", [1.01, 2.5, 30.0, 1e6])
@pytest.mark.parametrize("n", [1, 2, 50, 1000, 10**6])
@pytest.mark.parametrize("level", [0.1, 0.95, 0.999999, 1 - 1e-15, 1 - 2.0**-53])
def test_likelihood_at_both_ends_is_lower_by_the_quantile(alpha, n, level):
    low, high = profile_interval(alpha, n, level)
    with mpmath.workdps(40):
        quantile = 2 * mpmath.erfinv(mpmath.mpf(level)) ** 2
        # Lambert's W solves u - 1 - ln u = c for u = (α - 1)/(α̂ - 1).
        c = quantile / (2 * n)
        for end, branch in ((low, 0), (high, -1)):
            u = -mpmath.lambertw(-mpmath.exp(-1 - c), branch).real
            expected = 1 + (mpmath.mpf(alpha) - 1) * u
            assert end == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.spec("PL-44", "PL-45")
@pytest.mark.parametrize("interval", [exact_interval, profile_interval])
def test_large_tails_give_the_asymptotic_interval(interval):
    n = 10**8
    half = stats.norm.ppf(0.975) * 1.5 / np.sqrt(n)
    assert interval(2.5, n) == pytest.approx((2.5 - half, 2.5 + half), abs=1e-7)


@pytest.mark.spec("PL-44", "PL-45", "PL-47")
@pytest.mark.parametrize("level", [0.0, 1.0, 95, float("nan")])
def test_a_level_is_a_probability(level):
    for interval in (
        lambda: exact_interval(2.5, 10, level),
        lambda: profile_interval(2.5, 10, level),
        lambda: percentile_interval(np.arange(9.0), level),
        lambda: bca_interval(np.arange(9.0), 4.0, np.arange(9.0), level),
    ):
        with pytest.raises(ValueError, match=f"the level is {level}"):
            interval()


@pytest.mark.spec("PL-47")
def test_percentile_ends_are_interpolated_quantiles():
    # 5 values: quantiles 0.1 and 0.9 lie at ranks 0.4 and 3.6.
    values = np.array([5.0, 1.0, 2.0, 4.0, 8.0])
    assert percentile_interval(values, 0.8) == pytest.approx((1.4, 6.8), rel=1e-12)


@pytest.mark.spec("PL-47", "PL-48")
@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("seed", range(4))
def test_both_intervals_are_scipys(level, seed):
    sample = np.random.default_rng(seed).exponential(size=30)
    jackknife = np.array([np.delete(sample, i).mean() for i in range(sample.size)])
    expected = {
        method: stats.bootstrap(
            (sample,), np.mean, confidence_level=level, n_resamples=999, method=method, rng=seed
        )
        for method in ("percentile", "BCa")
    }
    replicas = expected["BCa"].bootstrap_distribution
    assert percentile_interval(replicas, level) == pytest.approx(
        tuple(expected["percentile"].confidence_interval), rel=1e-12
    )
    assert bca_interval(replicas, sample.mean(), jackknife, level) == pytest.approx(
        tuple(expected["BCa"].confidence_interval), rel=1e-12
    )


@pytest.mark.spec("PL-48")
def test_bca_does_not_depend_on_the_unit():
    rng = np.random.default_rng(3)
    replicas, jackknife = rng.exponential(size=500), rng.exponential(size=40)
    low, high = bca_interval(replicas, 0.9, jackknife, 0.9)
    for unit in (2.0**-600, 2.0**600):
        scaled = bca_interval(unit * replicas, unit * 0.9, unit * jackknife, 0.9)
        assert scaled == (unit * low, unit * high)


@pytest.mark.spec("PL-48")
@pytest.mark.parametrize("estimate", [-1.0, 10.0])
def test_bca_is_not_defined_where_all_replicas_lie_on_one_side(estimate):
    assert bca_interval(np.arange(10.0), estimate, np.arange(5.0), 0.95) is None


@pytest.mark.spec("PL-48")
def test_bca_is_not_defined_beyond_its_pole():
    # The acceleration is all but 1/6, its largest value, and the bias 4.26: 6.2 ≥ 1/acceleration.
    replicas = np.concatenate((np.zeros(99_999), [2.0]))
    jackknife = np.concatenate(([-1.0], np.zeros(99_999)))
    assert bca_interval(replicas, 1.0, jackknife, 0.95) is None
    assert bca_interval(replicas, 1.0, -jackknife, 0.95) is not None


@pytest.mark.spec("PL-48")
def test_bca_without_any_influence_corrects_the_bias_alone():
    replicas = np.arange(1001.0)
    low, high = bca_interval(replicas, 600.0, np.ones(5), 0.9)
    bias = stats.norm.ppf(600.5 / 1001)
    expected = 1000 * stats.norm.cdf(2 * bias + stats.norm.ppf([0.05, 0.95]))
    assert (low, high) == pytest.approx(tuple(expected), rel=1e-12)
