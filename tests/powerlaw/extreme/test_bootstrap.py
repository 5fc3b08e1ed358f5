"""The double bootstrap against its text, its constants and a sample of known best k."""

import math

import numpy as np
import pytest
from log_excesses import (
    INDICES,
    control_statistic,
    delta_method,
    log_excess_moments,
    moment_statistic,
)
from mpmath import mp, mpf

from htsr_ref.errors import NoFitError
from htsr_ref.powerlaw.extreme import double_bootstrap_k, tail_index
from htsr_ref.powerlaw.extreme.bootstrap import (
    hill_constant,
    moment_constant,
    moment_control_variance,
)
from htsr_ref.powerlaw.extreme.estimators import moment


@pytest.fixture(autouse=True)
def _forty_digits():
    with mp.workdps(40):
        yield


def draws(seed, size=120):
    return np.sort(np.random.default_rng(seed).pareto(1.5, size) + 0.1)


@pytest.mark.spec("PL-67")
@pytest.mark.parametrize("xi", INDICES)
def test_control_variance_is_that_of_the_delta_method(xi):
    expected = delta_method(control_statistic(mpf(xi)), mpf(xi), 3)
    assert moment_control_variance(xi) == pytest.approx(float(expected), rel=1e-12)


def best_k_ratio(variance, bias, control_variance, control_bias, rho):
    """Ratio of the k of least mean square error V/k + b² (k/n)^(-2ρ) of two statistics."""

    def best(v, b):
        return mp.findroot(lambda y: -v * mp.exp(-y) - 2 * rho * b**2 * mp.exp(-2 * rho * y), 0)

    return mp.exp(best(variance, bias) - best(control_variance, control_bias))


def perturbed_moment(order, xi, rho, amount):
    """E of a power of the log-excesses under a second-order term of the given amount."""

    def log_excess(u):
        if xi >= 0:
            return -xi * mp.log(u) + amount * (u**-rho - 1) / rho
        return (u**-xi - 1) / xi + amount * (u ** (-xi - rho) - 1) / (xi + rho)

    return mp.quad(lambda u: log_excess(u) ** order, [0, 1e-6, 0.01, 1])


@pytest.mark.spec("PL-67")
@pytest.mark.parametrize("rho", [-0.3, -1.0, -2.5])
def test_hill_constant_minimizes_the_mean_square_error(rho):
    xi, rho_ = mpf("0.5"), mpf(rho)

    def hill_statistic(amount):
        return perturbed_moment(1, xi, rho_, amount)

    def control(amount):
        return (
            perturbed_moment(2, xi, rho_, amount) - 2 * perturbed_moment(1, xi, rho_, amount) ** 2
        )

    expected = best_k_ratio(
        xi**2,
        mp.diff(hill_statistic, 0),
        delta_method(lambda m1, m2: xi**2 * (m2 - 2 * m1**2), xi, 2),
        mp.diff(control, 0),
        rho_,
    )
    assert hill_constant(rho) == pytest.approx(float(expected), rel=1e-8)


@pytest.mark.spec("PL-67")
@pytest.mark.parametrize(("xi", "rho"), [(0.5, -0.3), (2.0, -1.0), (-0.6, -0.2), (-1.5, -1.0)])
def test_moment_constant_minimizes_the_mean_square_error(xi, rho):
    x, r = mpf(xi), mpf(rho)

    def estimate(amount):
        m1, m2 = (perturbed_moment(order, x, r, amount) for order in (1, 2))
        return (m1 if x >= 0 else 0) - mpf(1) / 2 / (1 - m1**2 / m2)

    def other(amount):
        m1, m2, m3 = (perturbed_moment(order, x, r, amount) for order in (1, 2, 3))
        return (mp.sqrt(m2 / 2) if x >= 0 else 0) - mpf(2) / 3 / (1 - m1 * m2 / m3)

    bias, other_bias = mp.diff(estimate, 0), mp.diff(other, 0)
    expected = best_k_ratio(
        delta_method(moment_statistic(x), x, 2),
        bias,
        delta_method(control_statistic(x), x, 3),
        bias - other_bias,
        r,
    )
    assert moment_constant(xi, rho) == pytest.approx(float(expected), rel=1e-8)


@pytest.mark.spec("PL-67")
def test_moment_constant_where_the_logarithm_bends_more_than_the_tail():
    # ρ ≤ ξ < 0: of the biases, those of M_1 and √(M_2/2) are counted.
    xi, rho = mpf(-0.5), -2.0
    m1, m2 = log_excess_moments(xi, (1, 2))
    variances = delta_method(moment_statistic(xi), xi, 2) / delta_method(
        control_statistic(xi), xi, 3
    )
    expected = (variances * ((m1 - mp.sqrt(m2 / 2)) / m1) ** 2) ** mpf("0.2")
    assert moment_constant(-0.5, rho) == pytest.approx(float(expected), rel=1e-12)


def plain_double_bootstrap(sample, estimator, rng, replicas):
    """PL-67 word by word, one tail at a time."""
    n = len(sample)
    sizes = (math.floor(n**0.9), math.floor(n**0.9) ** 2 // n)
    best = []
    for size in sizes:
        resamples = [np.sort(sample[rng.integers(n, size=size)])[::-1] for _ in range(replicas)]
        squares = {}
        for k in range(10, size // 2 + 1):
            controls = []
            for x in resamples:
                e = np.log(x[:k] / x[k])
                m1, m2, m3 = (math.fsum(e**power) / k for power in (1, 2, 3))
                if estimator == "hill":
                    controls.append(m2 - 2 * m1**2)
                else:
                    xi = m1 + 1 - 0.5 / (1 - m1**2 / m2)
                    controls.append(xi - math.sqrt(m2 / 2) - 1 + 2 / 3 / (1 - m1 * m2 / m3))
            squares[k] = math.fsum(c**2 for c in controls)
        best.append(min(squares, key=squares.get))
    rho = math.log(best[0]) / (2 * math.log(best[0]) - 2 * math.log(sizes[0]))
    if estimator == "hill":
        constant = (rho**2 / (1 - rho) ** 2) ** (1 / (1 - 2 * rho))
    else:
        constant = moment_constant(moment(sample, math.isqrt(n)), rho)
    return min(max(math.floor(best[0] ** 2 / best[1] * constant), 10), n // 2)


@pytest.mark.spec("PL-67")
@pytest.mark.parametrize("estimator", ["hill", "moment"])
@pytest.mark.parametrize("seed", range(4))
def test_double_bootstrap_agrees_with_its_text(estimator, seed):
    sample = np.sort(np.random.default_rng(seed).standard_t(3, 260) ** 2)
    expected = plain_double_bootstrap(sample, estimator, np.random.default_rng(seed), 12)
    assert double_bootstrap_k(sample, estimator, np.random.default_rng(seed), 12) == expected


@pytest.mark.spec("PL-67")
def test_double_bootstrap_nears_the_best_k_of_a_frechet_sample():
    # For Hill's estimator and P(X ≤ x) = exp(-1/x), the error is 1/k + (k/4n)², least at 2 n^(2/3).
    n = 2000

    def error(k):
        return 1 / k + (k / (4 * n)) ** 2

    chosen = []
    for seed in range(9):
        rng = np.random.default_rng(seed)
        sample = -1 / np.log(rng.random(n))
        index = tail_index(sample, estimator="hill", k="double-bootstrap", rng=rng)
        assert index.k_choice == "double-bootstrap"
        chosen.append(index.k)
    assert error(np.median(chosen)) < 1.5 * error(2 * n ** (2 / 3))


@pytest.mark.spec("PL-67")
def test_double_bootstrap_repeats_with_its_seed():
    sample = draws(8, 300)
    first = tail_index(sample, k="double-bootstrap", rng=np.random.default_rng(0))
    assert first == tail_index(sample, k="double-bootstrap")
    found = {
        tail_index(sample, k="double-bootstrap", rng=np.random.default_rng(seed)).k
        for seed in range(5)
    }
    assert len(found) > 1


@pytest.mark.spec("PL-71")
def test_samples_too_small_or_too_tied_for_the_double_bootstrap():
    with pytest.raises(NoFitError, match="needs 200 values, not 199"):
        tail_index(draws(9, 199), k="double-bootstrap")
    with pytest.raises(NoFitError, match="tied"):
        tail_index([1.0, 2.0] + [3.0] * 300, estimator="hill", k="double-bootstrap")


@pytest.mark.spec("PL-72")
@pytest.mark.parametrize("estimator", ["moment", "hill"])
def test_a_power_of_two_does_not_change_the_chosen_k(estimator):
    sample = draws(10, 300)
    expected = tail_index(sample, estimator=estimator, k="double-bootstrap")
    assert tail_index(2.0**100 * sample, estimator=estimator, k="double-bootstrap") == expected
