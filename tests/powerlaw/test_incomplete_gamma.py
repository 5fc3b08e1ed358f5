"""The incomplete gamma function against mpmath, SciPy and the identities that define it."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from htsr_ref.powerlaw.incomplete_gamma import LARGE_ORDER, log_scaled_expint

pytestmark = pytest.mark.spec("PL-25")
orders = st.one_of(
    st.floats(-30, 1),
    st.integers(-30, 1).map(float),
    st.builds(lambda n, shift: n + shift, st.integers(-30, 0), st.floats(-1e-9, 1e-9)),
)
arguments = st.one_of(
    st.floats(-12, 2).map(lambda exponent: 10.0**exponent),
    st.sampled_from([np.nextafter(1.0, 0.0), 1.0, np.nextafter(1.0, 2.0)]),
)


def log_upper_gamma(s, x):
    """ln Γ(s, x) by the second formula of PL-25."""
    return s * np.log(x) - x + log_scaled_expint(1.0 - s, np.log(x))


@given(orders, arguments)
def test_the_stated_error_holds(s, x):
    with mpmath.workdps(50):
        exact = mpmath.gammainc(mpmath.mpf(s), mpmath.mpf(x))
        assert abs(mpmath.mpf(float(log_upper_gamma(s, x))) - mpmath.log(exact)) < 1e-12


@pytest.mark.slow
@given(orders, arguments)
def test_the_scaled_form_is_more_exact(s, x):
    with mpmath.workdps(50):
        gamma = mpmath.gammainc(mpmath.mpf(s), mpmath.mpf(x))
        log_x = mpmath.mpf(float(np.log(x)))
        exact = mpmath.exp(x) * mpmath.exp(-mpmath.mpf(s) * mpmath.log(x)) * gamma
        got = mpmath.mpf(float(log_scaled_expint(1.0 - s, float(log_x))))
        # ln x is itself rounded, which moves the value by up to |ln x|/2^53 relative to x.
        assert abs(got - mpmath.log(exact)) < 1e-14 + 2.0**-52 * (1 + abs(log_x))


@pytest.mark.parametrize("n", [0, 1, 2, 5, 30])
def test_integer_orders_are_exponential_integrals(n):
    x = np.geomspace(1e-6, 50.0, 40)
    expected = x + np.log(special.expn(n, x))
    np.testing.assert_allclose(log_scaled_expint(n, np.log(x)), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("s", [0.1, 0.5, 0.99, 1.0])
def test_positive_orders_are_scipys(s):
    x = np.geomspace(1e-12, 100.0, 40)
    expected = special.gammaincc(s, x) * special.gamma(s)
    np.testing.assert_allclose(np.exp(log_upper_gamma(s, x)), expected, 1e-12)


@given(st.floats(0, 60), st.floats(-40, 7))
def test_neighboring_orders_satisfy_the_recurrence(p, log_x):
    x = np.exp(log_x)
    this, after = (np.exp(log_scaled_expint(order, log_x)) for order in (p, p + 1))
    # p E_(p+1) + x E_p = e^-x
    assert p * after + x * this == pytest.approx(1.0, rel=1e-13)


def test_orders_on_both_sides_of_the_change_of_method_agree():
    log_x = np.linspace(-30, 5, 71)
    below, above = (
        log_scaled_expint(p, log_x) for p in (np.nextafter(LARGE_ORDER, 0), LARGE_ORDER)
    )
    np.testing.assert_allclose(below, above, rtol=0, atol=1e-14)


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0, 1.7, 40.0])
def test_arguments_beyond_binary64(p):
    tiny, huge = log_scaled_expint(p, -1400.0), log_scaled_expint(p, 1400.0)
    with mpmath.workdps(50):
        exact = mpmath.log(mpmath.expint(p, mpmath.exp(-1400)))
    assert float(tiny) == pytest.approx(float(exact), rel=1e-14)
    assert float(huge) == -1400.0


@pytest.mark.parametrize("p", [0.3, 2.5, 41.0])
def test_shapes_are_kept(p):
    assert log_scaled_expint(p, np.zeros((2, 3))).shape == (2, 3)
