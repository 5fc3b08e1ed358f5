"""What all laws have in common: draws, scale, likelihood."""

import dataclasses

import numpy as np
import pytest
from draws import draw
from scipy.stats import kstest

from htsr_ref.errors import NoFitError
from htsr_ref.powerlaw.distributions import (
    DISTRIBUTIONS,
    BoundedPowerLaw,
    Exponential,
    Lognormal,
    PowerLaw,
    StretchedExponential,
    TruncatedPowerLaw,
)
from htsr_ref.powerlaw.distributions.tail import log_ratio

LAWS = [
    PowerLaw(alpha=2.5, xmin=2.0),
    BoundedPowerLaw(alpha=0.7, xmin=2.0, xmax=50.0),
    TruncatedPowerLaw(alpha=1.5, rate=0.1, xmin=2.0),
    TruncatedPowerLaw(alpha=2.5, rate=0.0, xmin=2.0),
    Exponential(rate=0.3, xmin=2.0),
]
TAIL = 2.0 * (np.random.default_rng(8).pareto(1.5, 200) + 1)


@pytest.mark.spec("PL-20")
@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_draws_follow_the_laws_own_distribution_function(law):
    # The seed is fixed: this is one draw, whose p-value a wrong function makes 0.
    assert kstest(draw(law, 20_000, np.random.default_rng(1)), law.cdf).pvalue > 1e-3


@pytest.mark.spec("PL-20")
@pytest.mark.parametrize("kind", [StretchedExponential, Lognormal])
def test_draws_of_fitted_laws_follow_their_distribution_function(kind):
    tail = 2.0 + np.random.default_rng(2).exponential(3.0, 500)
    law = kind.fit(tail, 2.0)
    draws = draw(law, 20_000, np.random.default_rng(3))
    assert kstest(draws, law.cdf).pvalue > 1e-3


@pytest.mark.spec("PL-34")
@pytest.mark.parametrize("factor", [2.0**-40, 2.0**300])
def test_a_power_of_two_changes_no_bit_of_a_shape(factor):
    np.testing.assert_array_equal(log_ratio(factor * TAIL, factor * 2.0), log_ratio(TAIL, 2.0))
    assert PowerLaw.fit(factor * TAIL, factor * 2.0).alpha == PowerLaw.fit(TAIL, 2.0).alpha
    scaled = TruncatedPowerLaw.fit(factor * TAIL, factor * 2.0)
    assert scaled.alpha == pytest.approx(TruncatedPowerLaw.fit(TAIL, 2.0).alpha, rel=1e-9)


@pytest.mark.spec("PL-20")
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_no_law_near_the_fitted_one_is_likelier(name):
    law = DISTRIBUTIONS[name].fit(TAIL, 2.0)
    greatest = law.logpdf(TAIL).sum()
    shapes = [
        field.name
        for field in dataclasses.fields(law)
        if field.name not in ("xmin", "xmax") and getattr(law, field.name) != 0
    ]
    for shape in shapes:
        for factor in (0.999, 1.001):
            near = dataclasses.replace(law, **{shape: factor * getattr(law, shape)})
            assert near.logpdf(TAIL).sum() <= greatest + 1e-6


@pytest.mark.spec("PL-20")
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_fitted_distribution_function_never_falls(name):
    law = DISTRIBUTIONS[name].fit(TAIL, 2.0)
    x = np.sort(TAIL)
    assert np.all(np.diff(law.cdf(x)) >= 0)
    with pytest.raises(NoFitError):
        type(law).fit([3.0, 3.0, 3.0], 3.0)
