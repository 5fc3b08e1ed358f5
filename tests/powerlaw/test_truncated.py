"""The truncated power law: its ends, its maximum, its standard errors."""

import mpmath
import numpy as np
import pytest
from draws import draw
from hypothesis import assume, given
from hypothesis import strategies as st
from laws import tails
from scipy import special

from htsr_ref.powerlaw.distributions import Exponential, PowerLaw, TruncatedPowerLaw
from htsr_ref.powerlaw.distributions.truncated_mle import truncated_mle
from htsr_ref.powerlaw.distributions.truncated_moments import truncated_moments
from htsr_ref.powerlaw.incomplete_gamma import log_scaled_expint


@pytest.mark.spec("PL-24")
@pytest.mark.parametrize("alpha", [1.01, 2.5, 30.0])
def test_it_tends_to_the_power_law_as_the_rate_tends_to_zero(alpha):
    points = np.geomspace(1.0, 100.0, 20)
    pure = PowerLaw(alpha, 1.0)
    gaps = []
    for rate in (1e-6, 1e-9, 1e-12, 1e-300):
        law = TruncatedPowerLaw(alpha, rate, 1.0)
        gaps.append(float(np.abs(law.logpdf(points) - pure.logpdf(points)).max()))
    assert gaps == sorted(gaps, reverse=True)
    # The normalizer comes near its limit as Γ(2-α) (λ xmin)^(α-1): slowly for α near 1.
    assert gaps[-1] < 1e-12 * (1 + alpha) + 1.1 * 1e-300 ** (alpha - 1)
    limit = TruncatedPowerLaw(alpha, 0.0, 1.0)
    np.testing.assert_array_equal(limit.logpdf(points), pure.logpdf(points))
    np.testing.assert_array_equal(limit.cdf(points), pure.cdf(points))


@pytest.mark.spec("PL-24")
def test_exponent_zero_is_the_exponential_law():
    points = np.linspace(2.0, 40.0, 20)
    law, other = TruncatedPowerLaw(0.0, 0.7, 2.0), Exponential(0.7, 2.0)
    np.testing.assert_allclose(law.logpdf(points), other.logpdf(points), rtol=1e-14)
    np.testing.assert_allclose(law.cdf(points), other.cdf(points), rtol=1e-13)


@pytest.mark.spec("PL-26")
@given(tails)
def test_every_tail_has_an_estimate(tail):
    law = TruncatedPowerLaw.fit(tail, tail.min())
    assert law.alpha >= 0
    assert 0 <= law.rate < np.inf
    assert law.rate > 0 or law.alpha > 1


@pytest.mark.spec("PL-26")
@given(st.floats(-6, 2.9), st.floats(-8, 2.8))
def test_inside_its_range_the_law_has_the_tails_means(log10_mean_log, log10_above):
    # Any two means that a tail can have: e^(mean L) is below the mean of x/xmin.
    mean_log = 10.0**log10_mean_log
    log_excess = mean_log + np.log(-np.expm1(-mean_log)) + 10.0**log10_above
    assume(log_excess < 1381)
    alpha, share = truncated_mle(mean_log, log_excess)
    assert 0 <= alpha <= 1 + 1 / mean_log
    assert 0 <= share <= 1
    if share < 1e-250 or alpha == 0:
        return
    moments = truncated_moments(alpha, np.log(share) - log_excess)
    assert moments.mean_log == pytest.approx(mean_log, rel=1e-11)
    assert np.exp(moments.log_unit) * moments.mean_excess == pytest.approx(share, rel=1e-11)


@pytest.mark.spec("PL-26")
@pytest.mark.parametrize("log_scale", [-300.0, -30.0, -3.0, 0.0, 3.0])
@pytest.mark.parametrize("alpha", [1.0, 1.01, 1.5, 2.0, 2.7, 7.0, 30.0])
def test_moments_are_derivatives_of_the_normalizer(alpha, log_scale):
    # ln Z(α, κ): -∂/∂α is the mean of L, and Z(α-1)/Z - 1 that of x/xmin - 1.
    moments = truncated_moments(alpha, log_scale)
    with mpmath.workdps(50):
        scale = mpmath.exp(mpmath.mpf(log_scale))
        mean_log = -mpmath.diff(lambda p: mpmath.log(mpmath.expint(p, scale)), alpha)
        mean = mpmath.expint(mpmath.mpf(alpha) - 1, scale) / mpmath.expint(alpha, scale)
        mean_excess = scale * (mean - 1)
    assert moments.mean_log == pytest.approx(float(mean_log), rel=1e-13)
    got = np.exp(moments.log_unit) * moments.mean_excess
    assert got == pytest.approx(float(mean_excess), rel=1e-12)


@pytest.mark.spec("PL-26")
def test_it_is_pure_exactly_where_the_tails_mean_reaches_the_power_laws():
    # mean L = 1/2 is α = 3, whose mean of x/xmin is 2: an excess of 1.
    assert truncated_mle(0.5, 0.0) == (3.0, 0.0)
    assert truncated_mle(0.5, 0.1) == (3.0, 0.0)
    alpha, share = truncated_mle(0.5, -1e-6)
    assert share > 0
    assert alpha < 3
    # From mean L = 1 on the power law has no mean: there is always a cutoff.
    assert truncated_mle(1.0, 20.0)[1] > 0


@pytest.mark.spec("PL-26")
def test_it_is_exponential_exactly_where_the_tails_log_mean_reaches_the_exponentials():
    # An excess of 1/2: κ = 2, and the exponential law's mean of L is e² E_1(2).
    end = float(np.exp(2) * special.exp1(2))
    assert truncated_mle(end * (1 + 1e-9), -np.log(2)) == (0.0, 1.0)
    alpha, share = truncated_mle(end * (1 - 1e-6), -np.log(2))
    assert 0 < alpha < 1e-3
    assert share < 1


@pytest.mark.spec("PL-26")
def test_a_rate_that_no_number_holds_is_none():
    tail = np.append(np.ones(600), 1e300)
    law = TruncatedPowerLaw.fit(tail, 1.0)
    assert law.rate == 0
    assert law.alpha == PowerLaw.fit(tail, 1.0).alpha


@pytest.mark.spec("PL-26")
@pytest.mark.parametrize(("alpha", "rate"), [(0.5, 0.01), (1.0, 1e-4), (1.8, 0.02), (2.5, 0.3)])
def test_large_samples_give_the_parameters_back(alpha, rate):
    tail = draw(TruncatedPowerLaw(alpha, rate, 1.0), 20_000, np.random.default_rng(12))
    law = TruncatedPowerLaw.fit(tail, 1.0)
    se_alpha, se_rate = law.stderr(tail.size)
    assert abs(law.alpha - alpha) < 4 * se_alpha < 0.4
    assert abs(law.rate - rate) < 4 * se_rate


@pytest.mark.spec("PL-27")
@pytest.mark.parametrize(("alpha", "rate"), [(1.5, 0.01), (2.5, 0.5), (0.3, 2.0), (30.0, 5.0)])
def test_standard_errors_are_those_of_the_curvature(alpha, rate):
    n = 50

    def log_normalizer(a, r):
        return mpmath.log(mpmath.gammainc(1 - a, 2 * r)) + (a - 1) * mpmath.log(r)

    with mpmath.workdps(40):
        point = (mpmath.mpf(alpha), mpmath.mpf(rate))
        second = [
            [mpmath.diff(log_normalizer, point, order) for order in row]
            for row in (((2, 0), (1, 1)), ((1, 1), (0, 2)))
        ]
        covariance = mpmath.inverse(n * mpmath.matrix(second))
    expected = [float(mpmath.sqrt(covariance[i, i])) for i in (0, 1)]
    assert TruncatedPowerLaw(alpha, rate, 2.0).stderr(n) == pytest.approx(expected, rel=1e-10)


@pytest.mark.slow
@pytest.mark.spec("PL-27")
def test_standard_errors_match_the_scatter_of_estimates():
    rng = np.random.default_rng(9)
    law = TruncatedPowerLaw(1.5, 0.05, 1.0)
    fits = [TruncatedPowerLaw.fit(draw(law, 400, rng), 1.0) for _ in range(300)]
    scatter = np.std([[fit.alpha, fit.rate] for fit in fits], axis=0)
    # The standard deviation of 300 values is known to 4 %.
    np.testing.assert_allclose(law.stderr(400), scatter, rtol=0.15)


@pytest.mark.spec("PL-27")
def test_without_a_cutoff_only_the_exponent_has_an_error():
    assert TruncatedPowerLaw(3.0, 0.0, 1.0).stderr(100) == (0.2, None)


@pytest.mark.spec("PL-26")
@pytest.mark.parametrize("log_scale", [-600.0, -30.0, -1.0, 0.0, 3.0, 10.0])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 1.01, 2.0, 7.0, 30.0, 1e4])
def test_quadrature_gives_the_normalizer(alpha, log_scale):
    moments = truncated_moments(alpha, log_scale)
    expected = float(log_scaled_expint(alpha, log_scale))
    assert moments.log_mass == pytest.approx(expected, rel=1e-13, abs=1e-13)
