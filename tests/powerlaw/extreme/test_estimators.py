"""The four estimators of the extreme-value index against their definitions and closed forms."""

import math

import numpy as np
import pytest
from mpmath import mp, mpf

from htsr_ref.powerlaw.extreme import tail_index
from htsr_ref.powerlaw.extreme.estimators import hill, kernel, moment, pickands


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


def exact_hill(sample, k):
    return mp.fsum(exact_log_ratios(sample, k)) / k


def exact_pickands(sample, k):
    x = [mpf(float(value)) for value in sample[::-1]]
    m = k // 4
    return mp.log((x[m - 1] - x[2 * m - 1]) / (x[2 * m - 1] - x[4 * m - 1])) / mp.log(2)


def exact_kernel(sample, k):
    """In the paper's terms: ranks i/n of all spacings, bandwidth h = k/n, K_h(u) = K(u/h)/h."""
    n = len(sample)
    h, delta = mpf(k) / n, mpf(0.6)
    x = [mpf(float(value)) for value in sample[::-1]]
    spacings = [(mpf(i) / n, mp.log(x[i - 1] / x[i])) for i in range(1, n)]

    def scaled_kernel(u):
        return mpf(15) / 8 * (1 - (u / h) ** 2) ** 2 / h if u < h else mpf(0)

    def slope(u):
        return mp.diff(lambda v: v ** (delta + 1) * scaled_kernel(v), u) if u < h else mpf(0)

    positive = mp.fsum(u * scaled_kernel(u) * d for u, d in spacings)
    q1 = mp.fsum(u**delta * scaled_kernel(u) * d for u, d in spacings)
    q2 = mp.fsum(slope(u) * d for u, d in spacings)
    return positive - 1 + q2 / q1


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    ("estimate", "exact"),
    [
        pytest.param(moment, exact_moment, marks=pytest.mark.spec("PL-61")),
        pytest.param(hill, exact_hill, marks=pytest.mark.spec("PL-62")),
        pytest.param(pickands, exact_pickands, marks=pytest.mark.spec("PL-63")),
        pytest.param(kernel, exact_kernel, marks=pytest.mark.spec("PL-64")),
    ],
)
@pytest.mark.parametrize("k", [13, 60])
def test_estimators_agree_with_their_definitions(name, estimate, exact, k):
    sample = SAMPLES[name]
    assert estimate(sample, k) == pytest.approx(float(exact(sample, k)), rel=1e-12, abs=1e-12)


@pytest.mark.spec("PL-61", "PL-62")
def test_moments_of_a_geometric_sequence():
    k, ratio = 7, math.log(2.0)
    sample = 2.0 ** np.arange(20)
    m1 = ratio * (k + 1) / 2
    m2 = ratio**2 * (k + 1) * (2 * k + 1) / 6
    assert hill(sample, k) == pytest.approx(m1, rel=1e-14)
    assert moment(sample, k) == pytest.approx(m1 + 1 - 0.5 / (1 - m1**2 / m2), rel=1e-14)


@pytest.mark.spec("PL-61", "PL-62")
def test_moments_of_two_values_by_hand():
    sample = np.exp([0.0, 1.0, 2.0])  # M_1 = 3/2, M_2 = 5/2
    assert hill(sample, 2) == pytest.approx(1.5, rel=1e-14)
    assert moment(sample, 2) == pytest.approx(-2.5, rel=1e-13)


@pytest.mark.spec("PL-63")
@pytest.mark.parametrize("xi", [2.0, 0.5, -0.5, -1.0])
def test_pickands_is_exact_on_the_quantiles_of_a_generalized_pareto_law(xi):
    ranks = np.arange(100, 0, -1)
    sample = ranks**-xi if xi > 0 else 200.0 - ranks**-xi
    for k in (4, 16, 99):
        assert pickands(sample, k) == pytest.approx(xi, abs=1e-12)
        assert pickands(sample + 5.0, k) == pytest.approx(xi, abs=1e-12)


@pytest.mark.spec("PL-63")
def test_pickands_takes_whole_quarters_of_k():
    sample = SAMPLES["pareto"]
    assert len({pickands(sample, k) for k in (8, 9, 10, 11)}) == 1
    assert pickands(sample, 8) != pickands(sample, 12)


@pytest.mark.spec("PL-64")
def test_kernel_of_two_values_by_hand():
    # Only u = 1/2 has weight: K = 135/128, K' = -45/16, so that q_2/q_1 = 8/5 + K'/(2K) = 4/15.
    expected = 135 / 256 * math.log(2.0) + 4 / 15 - 1
    assert kernel(np.array([1.0, 2.0, 4.0]), 2) == pytest.approx(expected, rel=1e-14)


def marchenko_pastur_quantiles(p):
    """Quantiles of the law for N = 2M, its density integrated by the trapezoid rule."""
    low, high = (1 - 0.5**0.5) ** 2, (1 + 0.5**0.5) ** 2
    x = (high + low) / 2 - (high - low) / 2 * np.cos(np.linspace(0, np.pi, 2_000_001))
    density = np.sqrt(np.maximum((high - x) * (x - low), 0)) / x
    cdf = np.concatenate(([0], np.cumsum((density[1:] + density[:-1]) * np.diff(x))))
    return np.interp(p, cdf / cdf[-1], x)


@pytest.mark.spec("PL-60")
@pytest.mark.parametrize("estimator", ["moment", "kernel", "pickands"])
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
def test_the_index_of_known_laws(estimator, quantiles, xi):
    p = (np.arange(1, 1_000_001) - 0.5) / 1_000_000
    assert tail_index(quantiles(p), estimator=estimator, k=5_000).xi == pytest.approx(xi, abs=0.03)
