"""The moment estimator and its variance against their definitions, closed forms and draws."""

import math

import numpy as np
import pytest
from log_excesses import INDICES, delta_method, moment_statistic
from mpmath import mp, mpf

from htsr_ref.powerlaw.extreme import moment_index
from htsr_ref.powerlaw.extreme.moment import moment, moment_variance


@pytest.fixture(autouse=True)
def _forty_digits():
    with mp.workdps(40):
        yield


def draws(seed, size=120):
    return np.sort(np.random.default_rng(seed).pareto(1.5, size) + 0.1)


SAMPLES = {
    "pareto": draws(1),
    "uniform": np.sort(np.random.default_rng(2).random(120)),
    "lognormal": np.sort(np.random.default_rng(3).lognormal(0.0, 2.0, 120)),
    "nearly equal": 1.0 + 2.0**-30 * np.arange(120.0) ** 2,
    "beyond float64's range of ratios": np.geomspace(1e-300, 1e300, 120),
    "tied": np.repeat(draws(4, 60), 2),
}


def exact_log_ratios(sample, k):
    """ln(X_i / X_(k+1)), i = 1 … k."""
    largest = [mpf(float(x)) for x in sample[::-1]]
    return [mp.log(x / largest[k]) for x in largest[:k]]


def exact_moment(sample, k):
    logs = exact_log_ratios(sample, k)
    m1, m2 = mp.fsum(logs) / k, mp.fsum(x**2 for x in logs) / k
    return m1 + 1 - mpf(1) / 2 / (1 - m1**2 / m2)


@pytest.mark.spec("PL-61")
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("k", [13, 60])
def test_the_estimate_agrees_with_its_definition(name, k):
    sample = SAMPLES[name]
    expected = float(exact_moment(sample, k))
    assert moment(sample, k) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.spec("PL-61")
def test_the_estimate_of_a_geometric_sequence():
    k, ratio = 7, math.log(2.0)
    m1 = ratio * (k + 1) / 2
    m2 = ratio**2 * (k + 1) * (2 * k + 1) / 6
    expected = m1 + 1 - 0.5 / (1 - m1**2 / m2)
    assert moment(2.0 ** np.arange(20), k) == pytest.approx(expected, rel=1e-14)


@pytest.mark.spec("PL-61")
def test_the_estimate_from_two_values_by_hand():
    sample = np.exp([0.0, 1.0, 2.0])  # M_1 = 3/2, M_2 = 5/2
    assert moment(sample, 2) == pytest.approx(-2.5, rel=1e-13)


def marchenko_pastur_quantiles(p):
    """Quantiles of the law for N = 2M, its density integrated by the trapezoid rule."""
    low, high = (1 - 0.5**0.5) ** 2, (1 + 0.5**0.5) ** 2
    x = (high + low) / 2 - (high - low) / 2 * np.cos(np.linspace(0, np.pi, 2_000_001))
    density = np.sqrt(np.maximum((high - x) * (x - low), 0)) / x
    cdf = np.concatenate(([0], np.cumsum((density[1:] + density[:-1]) * np.diff(x))))
    return np.interp(p, cdf / cdf[-1], x)


@pytest.mark.spec("PL-60")
@pytest.mark.parametrize(
    ("quantiles", "xi"),
    [
        pytest.param(lambda p: (1 - p) ** (-1 / 1.5), 1 / 1.5, id="power law, α = 2.5"),
        pytest.param(lambda p: (1 - p) ** (-1 / 3), 1 / 3, id="power law, α = 4"),
        pytest.param(lambda p: 30 - np.log(1 - p), 0.0, id="exponential"),
        pytest.param(marchenko_pastur_quantiles, -2 / 3, id="Marchenko-Pastur"),
        pytest.param(lambda p: 1 + p, -1.0, id="uniform"),
    ],
)
def test_the_index_of_known_laws(quantiles, xi):
    p = (np.arange(1, 1_000_001) - 0.5) / 1_000_000
    assert moment_index(quantiles(p), 5_000).xi == pytest.approx(xi, abs=0.03)


@pytest.mark.spec("PL-65")
@pytest.mark.parametrize("xi", INDICES)
def test_moment_variance_is_that_of_the_delta_method(xi):
    expected = delta_method(moment_statistic(mpf(xi)), mpf(xi), 2)
    assert moment_variance(xi) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.spec("PL-65")
@pytest.mark.parametrize("xi", [1.0, -0.5])
def test_standard_error_is_the_scatter_of_independent_samples(xi):
    rng = np.random.default_rng(11)
    k, repeats = 1000, 400
    found = []
    for _ in range(repeats):
        u = rng.random(k + 1)
        sample = u**-xi if xi > 0 else np.exp(0.01 * (1 - u**-xi))
        found.append(moment_index(np.sort(sample), k))
    scatter = np.std([index.xi for index in found])
    stated = np.mean([index.stderr for index in found])
    # The scatter of 400 has a standard error of 3.5 %.
    assert 0.89 < scatter / stated < 1.11
