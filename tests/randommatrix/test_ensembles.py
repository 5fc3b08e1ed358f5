"""Random matrices against the laws that their definitions give them.

Seeds are fixed, so that no run fails by chance; tolerances are nevertheless those that a fresh seed
would exceed with a probability of 1e-6 at most.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from htsr_ref.errors import EnsembleError
from htsr_ref.randommatrix import ensembles

LEVEL = 1e-6
DRAWS = {
    "gaussian": lambda rng: ensembles.gaussian(6, 4, rng, sigma=2.0),
    "pareto": lambda rng: ensembles.pareto(6, 4, 1.5, rng),
    "levy_stable": lambda rng: ensembles.levy_stable(6, 4, 1.5, rng),
    "student_t": lambda rng: ensembles.student_t(6, 4, 3.0, rng),
    "spiked": lambda rng: ensembles.spiked(6, 4, [2.0], rng),
    "prescribed": lambda rng: ensembles.prescribed([1.0, 2.0, 3.0, 4.0], 6, rng),
    "gaussian_with_heavy_part": lambda rng: ensembles.gaussian_with_heavy_part(6, 4, 1.5, rng),
    "low_rank_plus_noise": lambda rng: ensembles.low_rank_plus_noise(6, 4, 2, rng),
    "correlated_rows": lambda rng: ensembles.correlated_rows(6, 4, 0.5, rng),
}


def eigenvalues(W):
    return np.linalg.eigvalsh(W.T @ W / W.shape[0])


def follows(sample, cdf):
    """Whether a sample passes the Kolmogorov-Smirnov test of a law."""
    return stats.kstest(np.ravel(sample), cdf).pvalue > LEVEL


@pytest.mark.spec("RMT-1")
@pytest.mark.parametrize("name", DRAWS)
def test_the_same_state_gives_the_same_matrix(name):
    first, again, other = (DRAWS[name](np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (first.shape, first.dtype) == ((6, 4), np.float64)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.spec("RMT-2", "RMT-5")
def test_normal_entries_have_their_deviations():
    rng = np.random.default_rng(1)
    assert follows(ensembles.gaussian(200, 100, rng, sigma=3.0), stats.norm(scale=3.0).cdf)
    W = ensembles.spiked(2000, 4, [3.0, -0.75], rng, sigma=2.0)
    for column, deviation in enumerate([4.0, 1.0, 2.0, 2.0]):
        assert follows(W[:, column], stats.norm(scale=deviation).cdf)


@pytest.mark.spec("RMT-2")
@given(seed=st.integers(0, 2**32), shape=st.tuples(st.integers(1, 60), st.integers(0, 60)))
def test_extreme_singular_values_keep_within_the_bounds(seed, shape):
    M, more = shape
    N = M + more
    W = ensembles.gaussian(N, M, np.random.default_rng(seed))
    values = np.linalg.svd(W, compute_uv=False)
    # 100 examples a run, two bounds each: exp(-t²/2) = LEVEL / 200.
    t = math.sqrt(2 * math.log(200 / LEVEL))
    assert values[0] <= math.sqrt(N) + math.sqrt(M) + t
    assert values[-1] >= math.sqrt(N) - math.sqrt(M) - t


@pytest.mark.spec("RMT-3")
@pytest.mark.parametrize("mu", [0.5, 1.0, 2.5, 6.0])
def test_pareto_entries(mu):
    W = ensembles.pareto(200, 100, mu, np.random.default_rng(2), scale=0.5)
    assert follows(np.abs(W), stats.pareto(mu, scale=0.5).cdf)
    positive = int((W > 0).sum())
    assert stats.binomtest(positive, W.size).pvalue > LEVEL


@pytest.mark.spec("RMT-4")
@pytest.mark.parametrize(
    ("mu", "law"), [(1.0, stats.cauchy(scale=3.0)), (2.0, stats.norm(scale=3.0 * math.sqrt(2)))]
)
def test_stable_entries_whose_law_is_elementary(mu, law):
    W = ensembles.levy_stable(200, 100, mu, np.random.default_rng(3), scale=3.0)
    assert follows(W, law.cdf)


@pytest.mark.spec("RMT-4")
@pytest.mark.parametrize("mu", [0.3, 0.8, 1.4, 1.9])
@pytest.mark.parametrize("t", [0.2, 1.0, 3.0])
def test_stable_entries_have_their_characteristic_function(mu, t):
    W = ensembles.levy_stable(300, 100, mu, np.random.default_rng(4), scale=2.0)
    cosines = np.cos(t * W)
    error = stats.norm.isf(LEVEL / 2) * cosines.std() / math.sqrt(W.size)
    assert abs(cosines.mean() - math.exp(-((2.0 * t) ** mu))) < error


@pytest.mark.spec("RMT-4")
def test_student_entries():
    W = ensembles.student_t(200, 100, 3.0, np.random.default_rng(5), scale=2.0)
    assert follows(W, stats.t(3.0, scale=2.0).cdf)


@pytest.mark.spec("RMT-6")
@given(seed=st.integers(0, 2**32), M=st.integers(1, 12), more=st.integers(0, 8))
def test_prescribed_singular_values_come_back(seed, M, more):
    rng = np.random.default_rng(seed)
    wanted = np.sort(rng.exponential(size=M))
    W = ensembles.prescribed(wanted, M + more, rng)
    found = np.sort(np.linalg.svd(W, compute_uv=False))
    # A product of three and two factorizations of N rows, each with an error of some N units.
    np.testing.assert_allclose(found, wanted, rtol=0, atol=64 * (M + more) * 2.0**-53 * wanted[-1])


@pytest.mark.spec("RMT-6")
def test_frames_are_orthonormal_and_prefer_no_direction():
    rng = np.random.default_rng(6)
    U = ensembles.frame(7, 3, rng)
    np.testing.assert_allclose(U.T @ U, np.eye(3), atol=1e-14)
    # An entry squared of a uniform unit vector in R⁴ has a Beta law.
    entries = np.array([ensembles.frame(4, 2, rng)[0, 0] for _ in range(2000)])
    assert follows(entries**2, stats.beta(0.5, 1.5).cdf)
    assert stats.binomtest(int((entries > 0).sum()), entries.size).pvalue > LEVEL


@pytest.mark.spec("RMT-7")
def test_power_law_eigenvalues():
    exact = ensembles.power_law_eigenvalues(4, 3.0, xmin=2.0)
    # (1 - p)^(-1/2) at p = 1/8, 3/8, 5/8, 7/8.
    np.testing.assert_allclose(exact, 2.0 * np.sqrt([8 / 7, 8 / 5, 8 / 3, 8]), rtol=1e-15)
    drawn = ensembles.power_law_eigenvalues(5000, 2.5, np.random.default_rng(7), xmin=2.0)
    assert np.all(np.diff(drawn) >= 0)
    assert follows(drawn, stats.pareto(1.5, scale=2.0).cdf)


@pytest.mark.spec("RMT-8")
def test_the_largest_entry_of_a_heavy_part_makes_the_largest_eigenvalue():
    rng = np.random.default_rng(8)
    W = ensembles.gaussian_with_heavy_part(300, 200, 0.5, rng, weight=0.1)
    # P(w_max is not far above all others) is small for mu = 0.5; rows and columns of the rest add.
    top = np.abs(W).max()
    assert eigenvalues(W)[-1] * 300 / top**2 == pytest.approx(1.0, abs=0.05)
    gaussian = W - ensembles.pareto(300, 200, 0.5, _after_gaussian(8, 300, 200), scale=0.1)
    assert follows(gaussian, stats.norm.cdf)


def _after_gaussian(seed, N, M):
    """Return the generator as it is when the Gaussian part has been drawn."""
    rng = np.random.default_rng(seed)
    ensembles.gaussian(N, M, rng)
    return rng


@pytest.mark.spec("RMT-9")
def test_low_rank_without_noise():
    W = ensembles.low_rank_plus_noise(30, 20, 3, np.random.default_rng(9), strength=2.0, sigma=0.0)
    values = eigenvalues(W)
    np.testing.assert_allclose(values[-3:], 4.0, rtol=1e-12)
    np.testing.assert_allclose(values[:-3], 0.0, atol=1e-13)


@pytest.mark.spec("RMT-9")
@pytest.mark.parametrize(("strength", "outliers"), [(2.0, 3), (0.3, 0)])
def test_low_rank_beyond_the_noise(strength, outliers):
    N, M = 1000, 500
    rng = np.random.default_rng(10)
    values = eigenvalues(ensembles.low_rank_plus_noise(N, M, 3, rng, strength=strength))
    # Davidson & Szarek: the norm of the noise exceeds its edge by t with exp(-t²/2).
    edge = (math.sqrt(N) + math.sqrt(M) + math.sqrt(2 * math.log(1 / LEVEL))) ** 2 / N
    if outliers:
        place = (strength**2 + 1) * (strength**2 + 0.5) / strength**2
        assert np.all(values[-outliers:] > edge)
        # A Lipschitz function of normal entries, and the distance of its mean from the limit.
        slack = (math.sqrt(2 * math.log(2 / LEVEL)) + 2 * math.sqrt(3)) / math.sqrt(N)
        np.testing.assert_allclose(np.sqrt(values[-outliers:]), math.sqrt(place), atol=slack)
    assert values[-outliers - 1] <= edge


@pytest.mark.spec("RMT-10")
@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.8])
def test_correlated_rows(rho):
    N, M = 2000, 400
    W = ensembles.correlated_rows(N, M, rho, np.random.default_rng(11), sigma=2.0)
    # One row of every column: neighbors and ρ^distance, by the normal law of the difference.
    for distance in (1, 3):
        difference = (W[500 + distance] - W[500]) / math.sqrt(2 * (1 - rho**distance))
        assert follows(difference, stats.norm(scale=2.0).cdf)
    tau = (1 + rho**2) / (1 - rho**2)
    values = eigenvalues(W)
    # Var(Σλ/M) = 2σ⁴τ/(NM): the sum of squares of normal entries with that correlation.
    error = stats.norm.isf(LEVEL / 2) * 4.0 * math.sqrt(2 * tau / (N * M))
    assert abs(values.mean() - 4.0) < error
    # E Σλ²/M = σ⁴(1 + (M+1)·Σ ρ^(2|i-j|)/N²), by the fourth moments of normal entries.
    distances = np.abs(np.subtract.outer(np.arange(N), np.arange(N)))
    wanted = 16.0 * (1 + (M + 1) * (float(rho) ** (2 * distances)).sum() / N**2)
    assert wanted == pytest.approx(16.0 * (1 + tau * M / N), rel=2 / M)
    # Poincaré: its variance is at most that of its gradient, 16·‖R‖·(Σλ³/M)/(NM), R = σ²ρ^|i-j|.
    norm = 4.0 * (1 + abs(rho)) / (1 - abs(rho))
    error = stats.norm.isf(LEVEL / 2) * 4 * math.sqrt(norm * (values**3).mean() / (N * M))
    assert abs((values**2).mean() - wanted) < error


@pytest.mark.spec("RMT-1")
@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda rng: ensembles.gaussian(2, 3, rng), "the shape is 2×3"),
        (lambda rng: ensembles.gaussian(2, 0, rng), "the shape is 2×0"),
        (lambda rng: ensembles.gaussian(2, 2, rng, sigma=-1.0), "sigma is -1.0"),
        (lambda rng: ensembles.pareto(2, 2, 0.0, rng), "mu is 0.0"),
        (lambda rng: ensembles.pareto(2, 2, math.nan, rng), "mu is nan"),
        (lambda rng: ensembles.pareto(50, 50, 0.001, rng), "too large for binary64"),
        (lambda rng: ensembles.levy_stable(2, 2, 2.5, rng), "0 < mu ≤ 2"),
        (lambda rng: ensembles.student_t(2, 2, -1.0, rng), "dof is -1.0"),
        (lambda rng: ensembles.spiked(4, 2, [1.0, 2.0, 3.0], rng), "3 spikes do not fit"),
        (lambda rng: ensembles.spiked(4, 2, [-1.0], rng), "above -1"),
        (lambda rng: ensembles.prescribed([1.0, -1.0], 4, rng), "at least 0"),
        (lambda rng: ensembles.prescribed([1.0, 2.0], 1, rng), "the shape is 1×2"),
        (lambda rng: ensembles.power_law_eigenvalues(5, 1.0, rng), "alpha - 1 is 0.0"),
        (lambda rng: ensembles.low_rank_plus_noise(4, 2, 3, rng), "rank is 3"),
        (lambda rng: ensembles.low_rank_plus_noise(4, 2, 1, rng, sigma=-1.0), "sigma is -1.0"),
        (lambda rng: ensembles.correlated_rows(4, 2, 1.0, rng), "rho is 1.0"),
        (lambda rng: ensembles.gaussian(10**7, 10**6, rng), "GB to draw"),
    ],
)
def test_what_does_not_exist_is_refused(draw, words):
    with pytest.raises(EnsembleError, match=words):
        draw(np.random.default_rng(0))
