"""The fit of a bulk: exact spectra whose answer is known, and noise."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom, chi2
from strategies import positive_samples

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.randommatrix import tracy_widom
from htsr_ref.randommatrix.bulk import counting_error, fit_bulk, ks_limit
from htsr_ref.randommatrix.marchenko_pastur import MarchenkoPastur

FALSE_ALARM = 1e-6


def bulk(rows: int, size: int, variance: float = 1.0) -> NDArray[np.float64]:
    """Quantiles of the law in the place of eigenvalues."""
    return MarchenkoPastur(rows / size, variance).quantile((np.arange(size) + 0.5) / size)


def noise(N: int, M: int, draws: int, seed: int) -> NDArray[np.float64]:
    W = np.random.default_rng(seed).standard_normal((draws, N, M))
    return np.linalg.eigvalsh(np.matmul(W.transpose(0, 2, 1), W) / N)


@pytest.mark.spec("RMT-28", "RMT-29", "RMT-30")
@given(
    st.integers(20, 300),
    st.floats(1, 8),
    st.floats(0, 0.45),
    st.floats(1.2, 1e9),
    st.sampled_from([1e-8, 1.0, 1e8]),
)
def test_spikes_of_any_size_are_set_aside(M, Q, share, height, variance):
    """Up to 45 % of the eigenvalues, all at one place beyond any edge that noise could have."""
    k = int(share * M)
    size, rows = M - k, int(Q * M) - k
    law = MarchenkoPastur(rows / size, variance)
    body = bulk(rows, size, variance)
    edge = tracy_widom.largest_eigenvalue(rows, size, variance).upper_quantile(1e-3)
    # The first edge rests on a median that is too high by the spikes' number and by 4 errors.
    shift = (k / 2 + 4 * counting_error(M)) / M
    first = float(MarchenkoPastur(Q).quantile(0.5) / MarchenkoPastur(Q).quantile(0.5 - shift))
    spikes = np.full(k, 6 * first * height * edge)
    found = fit_bulk(np.concatenate([body, spikes]), rows + k)
    assert (found.num_spikes, found.bulk_size) == (k, size)
    # The mean of the midpoint quantiles is that of the law, but for 1/size of its width.
    width = law.lambda_plus - law.lambda_minus
    assert found.variance == pytest.approx(variance, abs=width / size)
    assert pytest.approx(rows / size) == found.Q
    assert found.spike_mass == pytest.approx(spikes.sum() / (spikes.sum() + body.sum()))
    largest = spikes[0] if k else body[-1]
    assert found.soft_rank == pytest.approx(found.lambda_plus / largest)
    assert found.lambda_max == pytest.approx(largest)
    assert found.misplaced_share == pytest.approx(min(1, k / M + found.ks_distance))


@pytest.mark.spec("RMT-29")
def test_the_edge_is_where_noise_ends():
    eigenvalues = bulk(300, 200)
    for level in (0.5, 0.01, 1e-6):
        found = fit_bulk(eigenvalues, 300, level=level)
        law = tracy_widom.largest_eigenvalue(300, 200, float(eigenvalues.mean()))
        assert found.edge == pytest.approx(law.upper_quantile(level), rel=1e-14)


@pytest.mark.spec("RMT-30")
def test_ks_distance_by_hand():
    sides = set()
    for eigenvalues in noise(60, 30, 20, 9):
        found = fit_bulk(eigenvalues, 60)
        cdf = MarchenkoPastur(2.0, found.variance).cdf(eigenvalues)
        above = max((i + 1) / 30 - F for i, F in enumerate(cdf))
        below = max(F - i / 30 for i, F in enumerate(cdf))
        assert found.ks_distance == pytest.approx(max(above, below), abs=1e-15)
        sides.add(above > below)
    assert sides == {True, False}


@pytest.mark.spec("RMT-28")
def test_zeros_are_left_out():
    body = bulk(300, 100)
    assert fit_bulk(np.concatenate([np.zeros(80), body]), 300) == fit_bulk(body, 300)


@pytest.mark.spec("RMT-36")
@given(st.integers(-200, 200))
def test_a_scale_moves_positions_and_nothing_else(exponent):
    eigenvalues = np.append(noise(150, 100, 1, 3)[0], [9.0, 30.0])
    factor = 2.0**exponent
    before, after = fit_bulk(eigenvalues, 150), fit_bulk(factor * eigenvalues, 150)
    moved = ("variance", "lambda_minus", "lambda_plus", "edge", "apart")
    assert after == replace(before, **{name: factor * getattr(before, name) for name in moved})


@pytest.mark.slow
@pytest.mark.spec("RMT-28", "RMT-29", "RMT-33")
@pytest.mark.parametrize(("N", "M", "draws"), [(20, 20, 2000), (100, 50, 1000), (200, 200, 100)])
def test_noise_has_no_spikes_and_a_bulk(N, M, draws):
    """The level is 1e-3 for each; more alarms than the bound come by chance once in a million."""
    fits = [fit_bulk(eigenvalues, N) for eigenvalues in noise(N, M, draws, 7)]
    bound = binom.isf(FALSE_ALARM, draws, 1e-3)
    assert sum(fit.num_spikes > 0 for fit in fits) <= bound
    assert sum(fit.ks_distance > fit.ks_limit for fit in fits) <= bound
    # The variance is the trace's: χ² with N·M degrees of freedom.
    tail = FALSE_ALARM / (2 * draws)
    low, high = chi2.ppf([tail, 1 - tail], N * M) / (N * M)
    plain = [fit.variance for fit in fits if not fit.num_spikes]
    assert low <= min(plain) and max(plain) <= high


@pytest.mark.spec("RMT-33")
def test_the_limit_is_not_idle():
    """A bulk of another aspect ratio is refused as soon as it can be."""
    eigenvalues = bulk(400, 200)
    assert fit_bulk(eigenvalues, 400).ks_distance < ks_limit(200)
    assert fit_bulk(eigenvalues, 500).ks_distance > ks_limit(200)
    assert ks_limit(200) == fit_bulk(eigenvalues, 400).ks_limit


@pytest.mark.slow
@pytest.mark.spec("RMT-27")
@pytest.mark.parametrize(("N", "M"), [(100, 50), (80, 80)])
def test_counts_scatter_as_predicted(N, M):
    """χ² interval of 2,000 draws, widened by 5 % for the finite size."""
    draws = 2000
    median = MarchenkoPastur(N / M).quantile(0.5)
    counts = (noise(N, M, draws, 11) < median).sum(axis=1)
    low, high = chi2.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], draws - 1) / (draws - 1)
    predicted = counting_error(M) ** 2
    assert 0.95 * low * predicted <= counts.var(ddof=1) <= 1.05 * high * predicted


@pytest.mark.spec("RMT-34")
def test_apart_is_beyond_half_overlap():
    eigenvalues = np.append(bulk(400, 200), [6.0, 9.0])
    found = fit_bulk(eigenvalues, 402)
    theta = 0.5 * (0.5 + math.sqrt(0.25 + 4.0))  # 2(1 - c/θ²) = 1 + c/θ, c = 1/Q = ½
    position = (1 + theta) * (1 + 1 / (2 * theta))
    stdev = (1 + theta) * math.sqrt(2 / 400 * (1 - 1 / (2 * theta**2)))
    normal = 3.290526731491894  # exceeded with a probability of 1e-3/2
    assert found.apart == pytest.approx(found.variance * (position + normal * stdev), rel=1e-9)


@pytest.mark.spec("RMT-28")
@given(positive_samples, st.floats(1, 20))
def test_any_spectrum_has_an_answer(sample, Q):
    eigenvalues = np.sort(np.concatenate([sample, 1.7 * sample, 2.9 * sample]))
    N = math.ceil(Q * eigenvalues.size)
    try:
        found = fit_bulk(eigenvalues, N)
    except NoFitError:
        return
    assert found.num_spikes == np.count_nonzero(eigenvalues > found.edge)
    assert found.num_spikes + found.bulk_size == eigenvalues.size
    assert 2 * found.num_spikes <= eigenvalues.size


@pytest.mark.spec("RMT-28")
def test_where_there_is_no_bulk():
    with pytest.raises(NoFitError, match="too few"):
        fit_bulk(np.arange(1.0, 10.0), 20)
    with pytest.raises(NoFitError, match="more than half"):
        fit_bulk(10.0 ** np.arange(40.0), 40)
    with pytest.raises(SampleError, match="20 positive eigenvalues do not fit 19 rows"):
        fit_bulk(bulk(20, 20), 19)
