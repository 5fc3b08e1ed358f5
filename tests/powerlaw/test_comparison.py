"""Likelihood-ratio tests of two laws."""

import math

import numpy as np
import pytest
from draws import draw
from hypothesis import given
from laws import tails
from scipy import stats

from htsr_ref.errors import SampleError
from htsr_ref.powerlaw.comparison import compare, nested_test, vuong_test
from htsr_ref.powerlaw.distributions import (
    DISTRIBUTIONS,
    BoundedPowerLaw,
    Exponential,
    Lognormal,
    PowerLaw,
    StretchedExponential,
    TruncatedPowerLaw,
)


@pytest.mark.spec("PL-37")
def test_vuong_by_hand():
    # Differences 3, 1, -1, 1: R = 4, mean 1, σ² = (4 + 0 + 4 + 0)/4 = 2.
    found = vuong_test(np.array([3.0, 2.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0]))
    assert found.log_likelihood_ratio == 4.0
    assert found.normalized_ratio == pytest.approx(math.sqrt(2), rel=1e-15)
    assert found.p_value == pytest.approx(math.erfc(1.0), rel=1e-14)
    assert (found.favored, found.test) == ("first", "vuong")


@pytest.mark.spec("PL-37")
def test_p_is_twice_the_normal_tail():
    rng = np.random.default_rng(1)
    found = vuong_test(rng.standard_normal(50), rng.standard_normal(50))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.normalized_ratio)), rel=1e-12)


@pytest.mark.spec("PL-37")
@given(tails)
def test_exchanging_the_laws_exchanges_the_sign(tail):
    xmin = tail.min()
    first, second = PowerLaw.fit(tail, xmin), Exponential.fit(tail, xmin)
    forth, back = compare(first, second, tail), compare(second, first, tail)
    assert back.log_likelihood_ratio == -forth.log_likelihood_ratio
    assert back.p_value == forth.p_value
    assert {forth.favored, back.favored} in ({"first", "second"}, {None})


@pytest.mark.spec("PL-37")
def test_the_right_law_is_favored():
    rng = np.random.default_rng(5)
    heavy, light = draw(PowerLaw(2.2, 1.0), 500, rng), draw(Exponential(1.0, 1.0), 500, rng)
    for tail, right in ((heavy, "first"), (light, "second")):
        found = compare(PowerLaw.fit(tail, 1.0), Exponential.fit(tail, 1.0), tail)
        assert found.favored == right
        assert found.p_value < 1e-3


@pytest.mark.spec("PL-37")
def test_the_test_holds_its_level():
    # Two laws equally near the truth: normal log-densities of equal mean.
    rng = np.random.default_rng(7)
    p_values = [vuong_test(*rng.standard_normal((2, 100))).p_value for _ in range(4000)]
    # The standard error of a share of 5 % in 4,000 is 0.34 %.
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.015)


@pytest.mark.spec("PL-37")
def test_against_a_law_that_contains_it_the_power_law_never_wins():
    rng = np.random.default_rng(11)
    for _ in range(20):
        tail = draw(PowerLaw(2.5, 1.0), 60, rng)
        for kind in (Lognormal, StretchedExponential):
            found = compare(PowerLaw.fit(tail, 1.0), kind.fit(tail, 1.0), tail)
            assert found.test == "vuong"
            assert found.favored in ("second", None)


@pytest.mark.spec("PL-38")
@pytest.mark.parametrize("ratio", [0.0, -1e-3, -2.0, -50.0])
def test_nested_p_is_the_tail_of_chi_square(ratio):
    found = nested_test(np.array([0.0, ratio]), np.zeros(2))
    assert found.p_value == pytest.approx(stats.chi2.sf(-2 * ratio, 1), rel=1e-12)
    assert found.normalized_ratio is None
    assert found.test == "nested"


@pytest.mark.spec("PL-38")
@pytest.mark.parametrize(
    ("small", "large"),
    [
        ("power_law", "truncated_power_law"),
        ("exponential", "truncated_power_law"),
        ("exponential", "stretched_exponential"),
    ],
)
def test_nested_pairs_are_known_in_either_order(small, large):
    tail = draw(TruncatedPowerLaw(1.5, 0.1, 1.0), 100, np.random.default_rng(3))
    xmin = float(tail.min())
    first, second = (DISTRIBUTIONS[name].fit(tail, xmin) for name in (small, large))
    forth, back = compare(first, second, tail), compare(second, first, tail)
    assert (forth.test, back.test) == ("nested", "nested")
    assert (forth.favored, back.favored) == ("second", "first")
    assert forth.log_likelihood_ratio < 0


@pytest.mark.spec("PL-38")
def test_the_interior_nested_test_holds_its_level():
    rng = np.random.default_rng(13)
    p_values = []
    for _ in range(600):
        tail = draw(Exponential(1.0, 1.0), 100, rng)
        laws = (kind.fit(tail, 1.0) for kind in (Exponential, StretchedExponential))
        p_values.append(compare(*laws, tail).p_value)
    # The standard error of a share of 5 % in 600 is 0.9 %.
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.03)


@pytest.mark.spec("PL-39")
def test_a_law_equal_to_its_limit_is_neither_better_nor_worse():
    tail = np.array([1.0, 1.1, 1.2, 1.3, 1.4, 50.0])
    power_law = PowerLaw.fit(tail, 1.0)
    for kind in (Lognormal, StretchedExponential):
        found = compare(power_law, kind.fit(tail, 1.0), tail)
        assert found.log_likelihood_ratio == 0.0
        assert (found.normalized_ratio, found.p_value, found.favored) == (None, None, None)
    pure = compare(power_law, TruncatedPowerLaw(power_law.alpha, 0.0, 1.0), tail)
    assert (pure.log_likelihood_ratio, pure.p_value, pure.favored) == (0.0, 1.0, None)


@pytest.mark.spec("PL-39")
def test_a_constant_difference_has_no_p_value():
    # A bounded law of the same exponent: denser by the same factor at every point.
    tail = np.array([1.0, 2.0, 3.0, 7.0])
    found = compare(BoundedPowerLaw(2.5, 1.0, 10.0), PowerLaw(2.5, 1.0), tail)
    assert found.log_likelihood_ratio == pytest.approx(-4 * math.log1p(-(10**-1.5)), rel=1e-12)
    assert (found.normalized_ratio, found.p_value) == (None, None)
    assert found.favored == "first"


@pytest.mark.spec("PL-37")
def test_laws_that_cannot_be_compared_are_refused():
    with pytest.raises(SampleError, match=r"xmin is 1.0 and 2.0"):
        compare(PowerLaw(2.0, 1.0), PowerLaw(2.0, 2.0), [3.0])
    with pytest.raises(SampleError, match=r"value 9.0 of the tail has density 0 under Bounded"):
        compare(BoundedPowerLaw(2.0, 1.0, 5.0), PowerLaw(2.0, 1.0), [3.0, 9.0])
