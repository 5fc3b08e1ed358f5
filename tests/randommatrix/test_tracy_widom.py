"""The Tracy-Widom law against printed values, and the largest eigenvalue of noise against it."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from htsr_ref.errors import EnsembleError
from htsr_ref.randommatrix import tracy_widom

FALSE_ALARM = 1e-6


@pytest.mark.spec("RMT-24")
def test_moments_as_printed():
    """Bornemann 2010, table 10: mean and variance for β = 1."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    low, high = tracy_widom.LEAST, tracy_widom.GREATEST
    s = low + (high - low) * (nodes + 1) / 2
    shares = weights * (high - low) / 2 * tracy_widom.cdf(s)
    mean = high - shares.sum()
    square = high**2 - (2 * s * shares).sum()
    assert mean == pytest.approx(-1.2065335745820, abs=1e-9)
    assert square - mean**2 == pytest.approx(1.607781034581, abs=1e-8)


@pytest.mark.spec("RMT-24", "RMT-25")
@pytest.mark.parametrize(
    ("share", "percentile"),
    [(0.01, -3.90), (0.05, -3.18), (0.1, -2.78), (0.5, -1.27), (0.9, 0.45), (0.95, 0.98)],
)
def test_percentiles_as_printed(share, percentile):
    """Johnstone 2001, table 1."""
    assert tracy_widom.upper_quantile(1 - share) == pytest.approx(percentile, abs=0.006)
    assert tracy_widom.cdf(percentile) == pytest.approx(share, abs=0.003)


@pytest.mark.spec("RMT-25")
@pytest.mark.parametrize(("level", "quantile"), [(0.05, 0.9793), (0.01, 2.0234)])
def test_upper_quantiles_as_printed(level, quantile):
    """Patterson, Price & Reich 2006; Bejan 2005."""
    assert tracy_widom.upper_quantile(level) == pytest.approx(quantile, abs=6e-5)


@pytest.mark.spec("RMT-25")
@pytest.mark.parametrize("level", tracy_widom.KNOWN_QUANTILES)
def test_tabled_quantiles(level):
    assert tracy_widom.cdf(tracy_widom.KNOWN_QUANTILES[level]) == pytest.approx(
        1 - level, abs=1e-14
    )


@pytest.mark.spec("RMT-24")
def test_the_ends():
    s = np.array([[-math.inf, -9.0, -8.0], [-5.0, 10.0, 50.0]])
    found = tracy_widom.cdf(s)
    assert found.shape == (2, 3)
    assert_array_equal(found[0], found[0, 2])
    assert found[0, 0] < 2e-12
    assert_allclose(found[1, 1:], 1, atol=1e-10)
    # 1 - F1 ~ e^(-2/3·s^(3/2))/(4√π·s^(3/4)) is below 10⁻²⁶ from 20 on.
    assert_array_equal(tracy_widom.cdf([20.0, 1e6, 1e7, 1e300, math.inf]), 1.0)


@pytest.mark.slow
@pytest.mark.spec("RMT-26")
@pytest.mark.parametrize(("N", "M"), [(60, 30), (30, 30), (400, 20)])
def test_the_largest_eigenvalue_of_noise(N, M):
    """KS test of 2,000 matrices; Johnstone's error at finite size is of the order M^(-2/3)."""
    rng, draws, sigma = np.random.default_rng([N, M]), 2000, 0.1
    W = sigma * rng.standard_normal((draws, N, M))
    largest = np.linalg.eigvalsh(np.matmul(W.transpose(0, 2, 1), W) / N)[:, -1]
    law = tracy_widom.largest_eigenvalue(N, M, sigma**2)
    s = np.linspace(-8, 10, 361)  # interpolated to 1e-4
    cdf = np.interp((np.sort(largest) - law.center) / law.scale, s, tracy_widom.cdf(s))
    distance = np.abs(cdf - (np.arange(draws) + 0.5) / draws).max()
    chance = math.sqrt(math.log(2 / FALSE_ALARM) / (2 * draws))  # Dvoretzky, Kiefer & Wolfowitz
    assert distance <= chance + 0.5 * M ** (-2 / 3)


@pytest.mark.spec("RMT-26")
def test_the_quantile_of_the_largest_eigenvalue():
    law = tracy_widom.largest_eigenvalue(200, 100)
    expected = law.center + law.scale * tracy_widom.upper_quantile(0.05)
    assert law.upper_quantile(0.05) == expected


@pytest.mark.spec("RMT-25", "RMT-26")
def test_what_there_is_not_is_refused():
    for level in (0.0, 1.0, -1.0, math.nan):
        with pytest.raises(EnsembleError, match="the level is"):
            tracy_widom.upper_quantile(level)
    for shape in [(10, 1), (10, 11)]:
        with pytest.raises(EnsembleError, match="N ≥ M ≥ 2"):
            tracy_widom.largest_eigenvalue(*shape)
