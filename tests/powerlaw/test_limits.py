"""The stretched exponential and the lognormal, up to the power law that is the limit of both."""

import mpmath
import numpy as np
import pytest
from draws import draw
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from htsr_ref.powerlaw.distributions import (
    Exponential,
    Lognormal,
    PowerLaw,
    StretchedExponential,
)

HEAVY = np.array([1.0, 1.1, 1.2, 1.3, 1.4, 50.0])
"""mean(L²) = 2.58 > 2 mean(L)² = 1.33: heavier than any power law."""

LIGHT = np.array([1.0, 1.5, 2.0, 3.0, 4.0, 5.0])
"""mean(L²) = 1.03 < 2 mean(L)² = 1.65."""


def coefficient(tail):
    logs = np.log(tail / tail.min())
    return np.mean(logs**2) / np.mean(logs) ** 2


@pytest.mark.spec("PL-29")
def test_stretching_by_one_is_the_exponential_law():
    points = np.linspace(2.0, 40.0, 20)
    law, other = StretchedExponential(1.0, np.log(0.6), 2.0), Exponential(0.3, 2.0)
    np.testing.assert_allclose(law.logpdf(points), other.logpdf(points), rtol=1e-13)
    np.testing.assert_allclose(law.cdf(points), other.cdf(points), rtol=1e-12)


@pytest.mark.spec("PL-29")
def test_stretched_exponential_in_its_usual_form():
    beta, rate, xmin = 0.5, 0.8, 3.0
    law = StretchedExponential(beta, np.log(rate * beta * xmin**beta), xmin)
    points = np.geomspace(3.0, 300.0, 20)
    np.testing.assert_allclose(
        law.cdf(points), -np.expm1(-rate * (points**beta - xmin**beta)), rtol=1e-12
    )


@pytest.mark.spec("PL-29")
@pytest.mark.parametrize("beta", [0.0, 1e-300, 1e-16])
def test_no_stretching_is_the_power_law(beta):
    points = np.geomspace(1.0, 1e6, 20)
    law, other = StretchedExponential(beta, np.log(1.5), 1.0), PowerLaw(2.5, 1.0)
    np.testing.assert_allclose(law.logpdf(points), other.logpdf(points), rtol=1e-13)
    np.testing.assert_allclose(law.cdf(points), other.cdf(points), rtol=1e-12)


@pytest.mark.spec("PL-31")
@pytest.mark.parametrize(
    ("mu", "sigma", "xmin"), [(0.0, 1.0, 0.5), (1.0, 0.5, 1.0), (-2.0, 2.0, 3.0)]
)
def test_lognormal_is_scipys_given_that_x_is_beyond_xmin(mu, sigma, xmin):
    law = Lognormal(mu - np.log(xmin), sigma, xmin)
    other = stats.lognorm(sigma, scale=np.exp(mu))
    points = np.geomspace(xmin, 100 * xmin, 20)
    np.testing.assert_allclose(
        law.logpdf(points), other.logpdf(points) - other.logsf(xmin), rtol=1e-12, atol=1e-12
    )
    np.testing.assert_allclose(law.cdf(points), 1.0 - other.sf(points) / other.sf(xmin), atol=1e-12)


@pytest.mark.spec("PL-31")
def test_both_forms_of_the_lognormal_meet_at_offset_zero():
    points = np.geomspace(1.0, 100.0, 20)
    below, above = (Lognormal(offset, 1.0, 1.0) for offset in (-1e-15, 0.0))
    np.testing.assert_allclose(below.logpdf(points), above.logpdf(points), atol=1e-13)
    np.testing.assert_allclose(below.cdf(points), above.cdf(points), rtol=1e-12)


@pytest.mark.spec("PL-30", "PL-32")
def test_a_heavy_tail_is_fitted_by_the_power_law():
    assert coefficient(HEAVY) > 2
    power_law = PowerLaw.fit(HEAVY, 1.0)
    stretched, lognormal = (kind.fit(HEAVY, 1.0) for kind in (StretchedExponential, Lognormal))
    assert stretched.beta == 0
    assert 1 + np.exp(stretched.log_hazard) == pytest.approx(power_law.alpha, rel=1e-14)
    assert np.isfinite([lognormal.offset, lognormal.sigma]).all()
    assert -lognormal.offset / lognormal.sigma**2 == pytest.approx(power_law.alpha - 1, rel=1e-12)
    for law in (stretched, lognormal):
        np.testing.assert_allclose(
            law.logpdf(HEAVY), power_law.logpdf(HEAVY), rtol=1e-13, atol=1e-14
        )
        np.testing.assert_allclose(law.cdf(HEAVY), power_law.cdf(HEAVY), rtol=1e-13)


@pytest.mark.spec("PL-30", "PL-32")
def test_a_light_tail_is_fitted_better_than_by_the_power_law():
    assert coefficient(LIGHT) < 2
    power_law = PowerLaw.fit(LIGHT, 1.0).logpdf(LIGHT).sum()
    for kind in (StretchedExponential, Lognormal):
        assert kind.fit(LIGHT, 1.0).logpdf(LIGHT).sum() > power_law + 0.1
    assert StretchedExponential.fit(LIGHT, 1.0).beta > 0


@pytest.mark.spec("PL-30", "PL-32")
@pytest.mark.parametrize("kind", [StretchedExponential, Lognormal])
def test_the_likelihood_is_continuous_at_the_limit(kind):
    # Move one point until the coefficient passes 2.
    def gain(point):
        tail = np.append(HEAVY[:-1], point)
        law, power_law = kind.fit(tail, 1.0), PowerLaw.fit(tail, 1.0)
        return float(law.logpdf(tail).sum() - power_law.logpdf(tail).sum()), coefficient(tail)

    low, high = 1.4, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if gain(middle)[1] < 2 else (low, middle)
    (below, under), (above, over) = gain(low), gain(high)
    assert under < 2 <= over
    assert abs(below) < 1e-12
    assert abs(above) < 1e-12


@pytest.mark.spec("PL-30")
@pytest.mark.parametrize("beta", [0.3, 1.0, 2.5])
def test_large_samples_give_the_stretching_back(beta):
    tail = draw(StretchedExponential(beta, np.log(0.7), 2.0), 20_000, np.random.default_rng(6))
    law = StretchedExponential.fit(tail, 2.0)
    assert law.beta == pytest.approx(beta, abs=0.03)
    assert law.log_hazard == pytest.approx(np.log(0.7), abs=0.05)


@pytest.mark.spec("PL-32")
@pytest.mark.parametrize(("offset", "sigma"), [(3.0, 0.5), (0.5, 1.0), (-1.0, 1.0)])
def test_large_samples_give_the_lognormal_back(offset, sigma):
    tail = draw(Lognormal(offset, sigma, 2.0), 20_000, np.random.default_rng(6))
    law = Lognormal.fit(tail, 2.0)
    assert law.offset == pytest.approx(offset, abs=0.15)
    assert law.sigma == pytest.approx(sigma, rel=0.04)


@pytest.mark.spec("PL-32")
@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e3))
def test_the_lognormal_has_the_tails_mean_and_variance_of_logarithms(z, mean):
    with mpmath.workdps(60):
        hazard = mpmath.npdf(z) / mpmath.ncdf(z)
        unit_mean, unit_variance = z + hazard, 1 - z * hazard - hazard**2
        spread = float(mpmath.sqrt(unit_variance) / unit_mean)
        sigma = float(mean / unit_mean)
    # Two points of that mean and variance of L, of which L = 0 must not be passed.
    logs = mean * np.array([1 - spread, 1 + spread])
    assume(1e-5 < spread < 1 - 1e-9 and logs[1] < 700)
    law = Lognormal.fit(np.exp(logs), 1.0)
    # What rounding of the logarithms leaves of 1 - spread, or of spread, limits z.
    error = 1e-13 / min(spread, 1 - spread) * (1 + 1 / mean)
    assert law.offset / law.sigma == pytest.approx(z, rel=error, abs=error)
    assert law.sigma == pytest.approx(sigma, rel=error)
