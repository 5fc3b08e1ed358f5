"""What every law owes: two functions that agree, an estimate."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from draws import draw
from hypothesis import assume, given
from hypothesis import strategies as st
from laws import EXAMPLES, tails
from scipy import integrate, stats

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw.distributions import (
    DISTRIBUTIONS,
    BoundedPowerLaw,
    Lognormal,
    PowerLaw,
    StretchedExponential,
    TruncatedPowerLaw,
)

examples = pytest.mark.parametrize("law", EXAMPLES, ids=str)
kinds = pytest.mark.parametrize("kind", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
SPREAD_NEEDED = (BoundedPowerLaw, StretchedExponential, Lognormal)


def support(law, count=9):
    """Points of the support from xmin to where hardly anything is left."""
    points = draw(law, 400, np.random.default_rng(1))
    return np.concatenate(([law.xmin], np.quantile(points, np.linspace(0, 1, count))))


def log_likelihood(law, tail):
    return float(law.logpdf(tail).sum())


def rounding(law, tail):
    """What rounding can do to a log-likelihood: 1e-12 of the terms of its sum."""
    alpha = abs(getattr(law, "alpha", 0.0))
    logs = np.log(tail) - np.log(tail.min())
    terms = np.abs(law.logpdf(tail)) + (1 + alpha) * logs + 1
    return 1e-12 * float(np.sum(terms + np.abs(np.log(tail))))


@pytest.mark.spec("PL-20")
def test_names_lead_to_the_laws():
    page = (Path(__file__).parents[2] / "spec" / "pl-distributions.md").read_text(encoding="utf-8")
    assert re.findall(r"`(\w+)`", re.findall(r"The names are (.*?)\.", page)[0]) == [*DISTRIBUTIONS]
    assert DISTRIBUTIONS["power_law"] is PowerLaw


@pytest.mark.spec("PL-20")
@examples
def test_density_is_the_slope_of_the_distribution_function(law):
    points = support(law)[2:-2]
    step = 1e-5 * np.minimum(points, points - law.xmin)
    slope = (law.cdf(points + step) - law.cdf(points - step)) / (2 * step)
    np.testing.assert_allclose(np.exp(law.logpdf(points)), slope, rtol=1e-6)


@pytest.mark.spec("PL-20")
@examples
def test_density_integrates_to_the_distribution_function(law):
    end = float(support(law)[-3])
    log_xmin = np.log(law.xmin)
    share, _ = integrate.quad(
        lambda log: float(np.exp(law.logpdf(np.exp(log)) + log)), log_xmin, np.log(end), limit=400
    )
    assert share == pytest.approx(float(law.cdf(end)), rel=1e-6)


@pytest.mark.spec("PL-20")
@examples
def test_the_distribution_function_never_falls(law):
    assert np.all(np.diff(law.cdf(np.sort(support(law)))) >= 0)


@pytest.mark.spec("PL-20")
@examples
def test_nothing_lies_below_xmin(law):
    below = [law.xmin * 0.999, law.xmin / 7]
    assert law.cdf(below).tolist() == [0.0, 0.0]
    assert law.logpdf(below).tolist() == [-np.inf, -np.inf]
    assert law.cdf(law.xmin) == 0.0
    assert np.isfinite(law.logpdf(law.xmin))


@pytest.mark.spec("PL-20")
@examples
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
def test_functions_keep_the_shape(law, shape):
    points = np.full(shape, law.xmin)
    for function in (law.logpdf, law.cdf):
        values = function(points)
        assert values.shape == shape
        assert values.dtype == np.float64


@pytest.mark.spec("PL-20")
@examples
def test_no_point_of_the_range_overflows(law):
    points = np.maximum(10.0 ** np.arange(-300.0, 301.0, 10.0), law.xmin)
    values = law.logpdf(points)
    assert not np.isnan(values).any()
    assert np.all((law.cdf(points) >= 0) & (law.cdf(points) <= 1))


@pytest.mark.spec("PL-20")
@examples
def test_draws_follow_the_distribution_function(law):
    draws = draw(law, 5000, np.random.default_rng(20240611))
    assert draws.shape == (5000,)
    assert np.all((draws >= law.xmin) & np.isfinite(draws))
    assert stats.kstest(draws, law.cdf).pvalue > 1e-3
    # The test has teeth: it refuses a law whose median is off by a tenth of the mass.
    assert stats.kstest(draws, lambda x: law.cdf(x) ** 1.2).pvalue < 1e-3


@pytest.mark.spec("PL-21", "PL-23", "PL-26", "PL-28", "PL-30", "PL-32")
@kinds
@given(tails)
def test_no_neighbor_is_more_likely_than_the_estimate(kind, tail):
    assume(not (kind in SPREAD_NEEDED and np.ptp(np.log(tail)) == 0))
    law = kind.fit(tail, tail.min())
    best = log_likelihood(law, tail)
    assert np.isfinite(best)
    for field in dataclasses.fields(law):
        if field.name in ("xmin", "xmax"):
            continue
        value = getattr(law, field.name)
        for change in (1e-2, -1e-2, 1e-5, -1e-5):
            step = change * abs(value) if value else abs(change) * 1e-3
            try:
                moved = dataclasses.replace(law, **{field.name: value + step})
            except ValueError:
                continue
            assert log_likelihood(moved, tail) <= best + rounding(moved, tail) + rounding(law, tail)


@pytest.mark.spec("PL-26", "PL-30", "PL-32")
@pytest.mark.parametrize("kind", [TruncatedPowerLaw, StretchedExponential, Lognormal])
@given(tails)
def test_no_estimate_is_less_likely_than_the_power_law_it_contains(kind, tail):
    assume(not (kind in SPREAD_NEEDED and np.ptp(np.log(tail)) == 0))
    law, power_law = kind.fit(tail, tail.min()), PowerLaw.fit(tail, tail.min())
    allowance = 0.0 if kind is TruncatedPowerLaw else rounding(power_law, tail)
    assert log_likelihood(law, tail) >= log_likelihood(power_law, tail) - allowance


@pytest.mark.spec("PL-20")
@kinds
@pytest.mark.parametrize("law", EXAMPLES, ids=str)
def test_every_law_fits_the_draws_of_every_other(kind, law):
    draws = draw(law, 40, np.random.default_rng(8))
    assert np.isfinite(kind.fit(draws, law.xmin).logpdf(draws)).all()


@pytest.mark.slow
@pytest.mark.spec("PL-20")
@kinds
@given(tails, st.randoms(use_true_random=False))
def test_the_order_of_the_tail_does_not_matter(kind, tail, random):
    assume(not (kind in SPREAD_NEEDED and np.ptp(np.log(tail)) == 0))
    shuffled = list(tail)
    random.shuffle(shuffled)
    law, other = kind.fit(tail, tail.min()), kind.fit(shuffled, tail.min())
    assert log_likelihood(law, tail) == pytest.approx(
        log_likelihood(other, tail), abs=rounding(law, tail)
    )


@pytest.mark.spec("PL-34")
@kinds
@pytest.mark.parametrize("factor", [1e-150, 0.3, 1e150])
@pytest.mark.parametrize("law", [PowerLaw(2.5, 1.0), TruncatedPowerLaw(1.5, 0.1, 1.0)], ids=str)
def test_estimates_follow_a_change_of_unit(kind, factor, law):
    tail = draw(law, 60, np.random.default_rng(4))
    xmin = float(tail.min())
    before, after = kind.fit(tail, xmin), kind.fit(factor * tail, factor * xmin)
    for field in dataclasses.fields(before):
        expected, got = getattr(before, field.name), getattr(after, field.name)
        unit = {"xmin": factor, "xmax": factor, "rate": 1 / factor}.get(field.name, 1.0)
        assert got == pytest.approx(unit * expected, rel=1e-10), field.name
    fall = log_likelihood(before, tail) - log_likelihood(after, factor * tail)
    assert fall == pytest.approx(tail.size * np.log(factor), rel=1e-12)


@pytest.mark.spec("PL-20")
@kinds
@pytest.mark.parametrize(
    ("tail", "xmin", "message"),
    [
        ([2.0, 0.5, 3.0], 1.0, "value 1 of the tail is 0.5"),
        ([2.0, 3.0, np.inf], 1.0, "value 2 of the tail is inf"),
        ([np.nan, 3.0], 1.0, "value 0 of the tail is nan"),
        ([2.0, 3.0], 0.0, "xmin is 0.0"),
        ([2.0, 3.0], np.inf, "xmin is inf"),
    ],
)
def test_bad_tails_are_refused(kind, tail, xmin, message):
    with pytest.raises(SampleError, match=message):
        kind.fit(tail, xmin)


@pytest.mark.spec("PL-20")
@kinds
@pytest.mark.parametrize("tail", [[], [1.0], [1.0, 1.0]])
def test_tails_at_xmin_have_no_fit(kind, tail):
    with pytest.raises(NoFitError, match="no value lies above xmin = 1"):
        kind.fit(tail, 1.0)


@pytest.mark.spec("PL-20")
@kinds
def test_equal_points_above_xmin_fit_only_laws_that_need_no_spread(kind):
    if kind in SPREAD_NEEDED:
        with pytest.raises(NoFitError, match="all 3 values of the tail are equal"):
            kind.fit([2.0, 2.0, 2.0], 1.0)
    else:
        assert np.isfinite(log_likelihood(kind.fit([2.0, 2.0, 2.0], 1.0), [2.0, 2.0, 2.0]))


@pytest.mark.spec("PL-20")
@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("power_law", {"alpha": 1.0, "xmin": 1.0}),
        ("power_law", {"alpha": 2.0, "xmin": 0.0}),
        ("bounded_power_law", {"alpha": 2.0, "xmin": 2.0, "xmax": 2.0}),
        ("bounded_power_law", {"alpha": np.nan, "xmin": 1.0, "xmax": 2.0}),
        ("truncated_power_law", {"alpha": 1.0, "rate": 0.0, "xmin": 1.0}),
        ("truncated_power_law", {"alpha": -0.1, "rate": 1.0, "xmin": 1.0}),
        ("truncated_power_law", {"alpha": 2.0, "rate": -1.0, "xmin": 1.0}),
        ("exponential", {"rate": 0.0, "xmin": 1.0}),
        ("stretched_exponential", {"beta": -0.1, "log_hazard": 0.0, "xmin": 1.0}),
        ("stretched_exponential", {"beta": 1.0, "log_hazard": np.inf, "xmin": 1.0}),
        ("stretched_exponential", {"beta": 1.0, "log_hazard": 0.0, "xmin": 0.0}),
        ("lognormal", {"offset": 0.0, "sigma": 0.0, "xmin": 1.0}),
        ("lognormal", {"offset": -np.inf, "sigma": 1.0, "xmin": 1.0}),
    ],
)
def test_parameters_outside_their_range_are_refused(kind, parameters):
    with pytest.raises(ValueError, match="needs"):
        DISTRIBUTIONS[kind](**parameters)
