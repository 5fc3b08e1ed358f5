"""The bounded power law: every exponent, both ends, its estimate."""

import mpmath
import numpy as np
import pytest
from draws import draw
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.errors import SampleError
from htsr_ref.powerlaw.distributions import BoundedPowerLaw, PowerLaw


@pytest.mark.spec("PL-22")
@pytest.mark.parametrize("alpha", [1.5, 2.5, 30.0])
def test_it_tends_to_the_power_law_as_the_upper_end_grows(alpha):
    points = np.geomspace(1.0, 50.0, 20)
    pure = PowerLaw(alpha, 1.0)
    law = BoundedPowerLaw(alpha, 1.0, 1e300)
    np.testing.assert_allclose(law.logpdf(points), pure.logpdf(points), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(law.cdf(points), pure.cdf(points), rtol=1e-12, atol=1e-15)
    near = BoundedPowerLaw(alpha, 1.0, 60.0)
    assert np.abs(near.logpdf(points) - pure.logpdf(points)).max() > 60 ** (1 - alpha) / 2


@pytest.mark.spec("PL-22")
def test_nothing_lies_beyond_either_end():
    law = BoundedPowerLaw(2.0, 1.0, 10.0)
    assert law.logpdf([0.9, 10.1]).tolist() == [-np.inf, -np.inf]
    assert law.cdf([0.9, 10.0, 11.0]).tolist() == [0.0, 1.0, 1.0]


@pytest.mark.spec("PL-22")
@given(st.floats(-400, 400), st.floats(0.01, 300))
def test_turning_the_interval_round_turns_the_exponent(alpha, width):
    # If x follows α on [1, b], then b/x follows 2 - α.
    law, turned = (BoundedPowerLaw(a, 1.0, np.exp(width)) for a in (alpha, 2 - alpha))
    points = np.exp(np.linspace(0, width, 7)[1:-1])
    np.testing.assert_allclose(law.cdf(points), 1.0 - turned.cdf(law.xmax / points), atol=1e-12)


@pytest.mark.spec("PL-22")
@pytest.mark.parametrize("alpha", [1.0 - 1e-12, 1.0, 1.0 + 1e-12])
def test_exponent_one_is_no_exception(alpha):
    law = BoundedPowerLaw(alpha, 2.0, 32.0)
    np.testing.assert_allclose(law.cdf([4.0, 8.0, 16.0]), [0.25, 0.5, 0.75], rtol=1e-11)
    assert float(law.logpdf(4.0)) == pytest.approx(-np.log(4.0 * np.log(16.0)), rel=1e-11)


@pytest.mark.spec("PL-23")
def test_logarithms_in_the_middle_give_exponent_one():
    law = BoundedPowerLaw.fit([1.0, 10.0, 100.0], 1.0)
    assert law.alpha == pytest.approx(1.0, abs=1e-14)
    assert (law.xmin, law.xmax) == (1.0, 100.0)


@pytest.mark.spec("PL-23")
@pytest.mark.parametrize("n", range(2, 40))
def test_rounding_of_the_middle_is_no_obstacle(n):
    # Both w̄ and 1 - w̄ may round to more than 1/2.
    steps = np.concatenate((np.zeros(n), np.ones(n), np.full(n, 2.0)))
    law = BoundedPowerLaw.fit(1.0 + 2.0**-52 * steps, 1.0)
    assert abs(law.alpha - 1.0) * law.log_width < 1e-12


@pytest.mark.spec("PL-23")
@pytest.mark.parametrize("theta", [-50.0, -2.0, -1e-3, 1e-3, 0.05, 0.2, 3.0, 500.0])
def test_the_estimate_inverts_the_mean(theta):
    # A tail whose mean of w is that of θ by the formula, on [1, e]: one point at each of w, 1.
    mean = 1 / theta - 1 / np.expm1(theta)
    logs = np.array([mean, mean, mean, mean]) + np.array([-1, 1, -0.5, 0.5]) * min(mean, 1 - mean)
    law = BoundedPowerLaw.fit(np.exp(logs), 1.0, xmax=float(np.e))
    assert law.alpha == pytest.approx(1 + theta, rel=1e-10)


@pytest.mark.spec("CNV-5")
@pytest.mark.parametrize("theta", [1e-6, 0.03, 0.0999, 0.1001, 1.0, 30.0, 500.0])
def test_the_standard_error_is_that_of_the_fisher_information(theta):
    law = BoundedPowerLaw(1.0 + theta, 1.0, float(np.e))
    with mpmath.workdps(50):
        exact = mpmath.mpf(law.alpha - 1.0) * mpmath.mpf(law.log_width)
        variance = 1 / exact**2 - 1 / (4 * mpmath.sinh(exact / 2) ** 2)
        expected = 1 / (mpmath.mpf(law.log_width) * mpmath.sqrt(50 * variance))
    assert law.alpha_stderr(50) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.spec("PL-23")
@pytest.mark.parametrize("alpha", [-1.0, 0.5, 1.0, 2.5])
def test_large_samples_give_the_exponent_back(alpha):
    tail = draw(BoundedPowerLaw(alpha, 1.0, 30.0), 20_000, np.random.default_rng(2))
    law = BoundedPowerLaw.fit(tail, 1.0)
    # The variance of ln x is at least that of α = 2.5: the error of α is below 0.012.
    assert law.alpha == pytest.approx(alpha, abs=0.05)
    assert law.xmax == tail.max()


@pytest.mark.spec("PL-23")
def test_a_far_upper_end_gives_the_unbounded_estimate():
    tail = draw(PowerLaw(2.5, 1.0), 100, np.random.default_rng(2))
    bounded = BoundedPowerLaw.fit(tail, 1.0, xmax=1e300)
    assert bounded.alpha == pytest.approx(PowerLaw.fit(tail, 1.0).alpha, rel=1e-12)


@pytest.mark.spec("PL-23")
def test_a_point_beyond_the_upper_end_is_refused():
    with pytest.raises(SampleError, match=r"reaches to 5\.0, beyond xmax = 4\.0"):
        BoundedPowerLaw.fit([1.0, 5.0], 1.0, xmax=4.0)
