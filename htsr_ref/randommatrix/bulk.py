"""The Marchenko-Pastur bulk of a spectrum, and the spikes that rise above it."""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.randommatrix.marchenko_pastur import MarchenkoPastur
from htsr_ref.randommatrix.spikes import half_overlap_theta, spike_position, spike_stdev
from htsr_ref.randommatrix.tracy_widom import largest_eigenvalue

KS_LEVEL = 1e-3
"""Probability with which noise exceeds each of the limits that are drawn for it."""

LEAST_BULK = 10
"""Fewest eigenvalues that a bulk is fitted to (RMT-28)."""

MEDIAN_ERRORS = 4.0
"""Standard errors that the first estimate of σ² from the median is raised by (RMT-28)."""

COUNTING_CONSTANT = 1.0 + np.euler_gamma - math.pi**2 / 8.0
"""Constant in the variance of a count of eigenvalues, β = 1 (RMT-27)."""


@dataclass(frozen=True, slots=True)
class BulkFit:
    """A Marchenko-Pastur law fitted to the lower eigenvalues of a spectrum, with k spikes above it.

    Attributes
    ----------
    variance : of the fitted law, the mean of the bulk's eigenvalues.
    Q : aspect ratio of the fitted law, (N - k)/bulk_size.
    lambda_minus, lambda_plus : edges of the fitted law.
    edge : value above which an eigenvalue counts as a spike.
    apart : value above which a spike stands apart from the bulk.
    bulk_size : number of positive eigenvalues up to `edge`.
    num_spikes : k, the number of eigenvalues above it.
    spike_mass : the spikes' share of the trace.
    soft_rank : λ₊/λ_max, about 1 without spikes.
    ks_distance : KS distance of the bulk's eigenvalues from the fitted law.
    ks_limit : KS distance that noise exceeds with a probability of at most `level`.

    Spec: RMT-28, RMT-29, RMT-30, RMT-33, RMT-34.
    """

    variance: float
    Q: float
    lambda_minus: float
    lambda_plus: float
    edge: float
    apart: float
    bulk_size: int
    num_spikes: int
    spike_mass: float
    soft_rank: float
    ks_distance: float
    ks_limit: float

    @property
    def lambda_max(self) -> float:
        """Largest eigenvalue."""
        return self.lambda_plus / self.soft_rank

    @property
    def misplaced_share(self) -> float:
        """Bound on the KS distance of all positive eigenvalues from the fitted law.

        Spec: RMT-30.
        """
        above = self.num_spikes / (self.num_spikes + self.bulk_size)
        return min(1.0, above + self.ks_distance)


def fit_bulk(eigenvalues: NDArray[np.float64], N: int, *, level: float = KS_LEVEL) -> BulkFit:
    """Fit a Marchenko-Pastur law to the eigenvalues of X = WᵀW/N that are not spikes.

    The median, which spikes move by their number and not by their size, gives a first edge. Then
    σ² is the mean of what lies below the edge, which gives the next one, until the edge stays.

    Parameters
    ----------
    eigenvalues : (M,) float64, ascending, non-negative, of X in any scale. Those that are 0 are
        left out, as the zero columns of a matrix would be.
    N : rows of W, at least the number of positive eigenvalues.
    level : probability that the largest eigenvalue of pure Gaussian noise is above the edge.

    Returns
    -------
    BulkFit

    Raises
    ------
    SampleError
        N is less than the number of positive eigenvalues.
    NoFitError
        There is no bulk: fewer than 10 eigenvalues are positive, or more than half of these are
        above the edge.

    Spec: RMT-28, RMT-29, RMT-30. Source: Johnstone 2001 (the edge); Martin & Mahoney,
    arXiv 1810.01075 (soft rank).

    >>> W = np.random.default_rng(0).standard_normal((200, 100))
    >>> W[:, 0] *= 3.0
    >>> fit = fit_bulk(np.linalg.eigvalsh(W.T @ W / 200), 200)
    >>> fit.num_spikes, round(fit.variance, 2)
    (1, 0.99)
    """
    positive = eigenvalues[eigenvalues.searchsorted(0.0, side="right") :]
    if positive.size > N:
        raise SampleError(f"{positive.size} positive eigenvalues do not fit {N} rows")
    if positive.size < LEAST_BULK:
        raise NoFitError(f"{positive.size} positive eigenvalues are too few for a bulk")
    spikes, edge = _count_spikes(positive, N, level)
    size, rows = positive.size - spikes, N - spikes
    law = MarchenkoPastur(rows / size, float(positive[:size].sum()) / size)
    return BulkFit(
        variance=law.variance,
        Q=law.Q,
        lambda_minus=law.lambda_minus,
        lambda_plus=law.lambda_plus,
        edge=edge,
        apart=_apart(law, rows, spikes, level),
        bulk_size=size,
        num_spikes=spikes,
        spike_mass=float(positive[size:].sum() / positive.sum()),
        soft_rank=law.lambda_plus / float(positive[-1]),
        ks_distance=_ks_distance(law.cdf(positive[:size])),
        ks_limit=ks_limit(size, level),
    )


def _count_spikes(positive: NDArray[np.float64], N: int, level: float) -> tuple[int, float]:
    """Find the number of spikes and the edge that they lie above.

    Spec: RMT-28, RMT-29.
    """
    means = positive.cumsum() / np.arange(1, positive.size + 1)
    # Noise alone shows no spike at the first edge: the median is as low as chance can make it.
    variance = _median(positive) / lowest_median(N, positive.size)
    edge = largest_eigenvalue(N, positive.size, variance).upper_quantile(level)
    previous, spikes = -1, _count_above(positive, edge)
    # With more spikes the mean of the rest is less, so the rounds run in one direction and end.
    while spikes != previous:
        if 2 * spikes > positive.size:
            raise NoFitError("more than half of the eigenvalues are above the edge: no bulk")
        previous, size = spikes, positive.size - spikes
        noise = largest_eigenvalue(N - spikes, size, float(means[size - 1]))
        edge = noise.upper_quantile(level)
        spikes = _count_above(positive, edge)
    return spikes, edge


@lru_cache(maxsize=1024)
def lowest_median(N: int, M: int) -> float:
    """Lowest median, as chance has it, of the M eigenvalues of noise of unit variance.

    Spec: RMT-28.
    """
    share = 0.5 - MEDIAN_ERRORS * counting_error(M) / M
    return float(MarchenkoPastur(N / M).quantile(share))


def _median(ascending: NDArray[np.float64]) -> float:
    """Median of a sample that is in order."""
    middle = ascending.size // 2
    return 0.5 * float(ascending[middle - 1 + ascending.size % 2] + ascending[middle])


def _count_above(positive: NDArray[np.float64], edge: float) -> int:
    return positive.size - int(positive.searchsorted(edge, side="right"))


def _ks_distance(cdf: NDArray[np.float64]) -> float:
    """KS distance of ascending values, given the law's cdf at each."""
    steps = np.arange(cdf.size + 1) / cdf.size
    return float(np.maximum(steps[1:] - cdf, cdf - steps[:-1]).max())


def counting_error(size: int) -> float:
    """Predict the standard deviation of the number of eigenvalues below a point of the bulk.

    Eigenvalues repel one another: it grows as √ln M, where that of independent values grows as √M.

    Spec: RMT-27. Source: Mehta 2004, chapter 16 (β = 1); Gustavsson 2005; O'Rourke 2010.

    >>> round(counting_error(1000), 2)
    0.96
    """
    return math.sqrt(math.log(2.0 * math.pi * size) + COUNTING_CONSTANT) / math.pi


def ks_limit(size: int, level: float = KS_LEVEL) -> float:
    """KS distance from the law fitted to them that eigenvalues of noise exceed with probability.

    The number of eigenvalues below a point is normal; the level is shared among as many points as
    there are eigenvalues.

    Spec: RMT-33.

    >>> round(ks_limit(200), 4)
    0.0199
    """
    return -NormalDist().inv_cdf(level / (2.0 * size)) * counting_error(size) / size


def _apart(law: MarchenkoPastur, rows: int, spikes: int, level: float) -> float:
    """Value that spikes of half overlap exceed with a probability of at most `level`.

    Spec: RMT-34.
    """
    theta = half_overlap_theta(law.Q)
    deviate = -NormalDist().inv_cdf(level / max(1, spikes))
    position = spike_position(theta, law.Q, law.variance)
    return position + deviate * spike_stdev(theta, law.Q, rows, law.variance)
