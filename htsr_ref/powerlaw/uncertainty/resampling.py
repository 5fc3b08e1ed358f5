"""Bootstrap intervals of the exponent and the threshold: resample, search again, repeat."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.powerlaw.fit import checked_sample, fit_power_law, relative_logs
from htsr_ref.powerlaw.ks import KsKind
from htsr_ref.powerlaw.uncertainty.interval import (
    Interval,
    percentile_interval,
    tail_probability,
)
from htsr_ref.powerlaw.uncertainty.replicas import Progress, Seed, chunks, recorded
from htsr_ref.powerlaw.uncertainty.rows import search_rows

Estimates = NDArray[np.float64]  # (2, r): exponents and thresholds, NaN where there is no fit
Estimator = Callable[[NDArray[np.intp]], Estimates]


@dataclass(frozen=True)
class BootstrapIntervals:
    """Intervals of a power law's exponent and threshold.

    Attributes
    ----------
    alpha : of the exponent.
    xmin : of the threshold, in the units of the sample; None for a given threshold.
    level : nominal probability of covering.
    replicas : number of replicas.
    seed : seed of the random generator; None if a generator was given.

    Spec: PL-42, PL-46.
    """

    alpha: Interval
    xmin: Interval | None
    level: float
    replicas: int
    seed: int | None


def bootstrap(
    sample: ArrayLike,
    *,
    ks: KsKind = "two-sided",
    xmin: float | Literal["ks"] = "ks",
    renormalized: bool = False,
    dropped: ArrayLike = (),
    replicas: int = 2500,
    level: float = 0.95,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> BootstrapIntervals:
    """Intervals of α and xmin from samples drawn, with replacement, from the sample.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.
    ks : kind of the KS distance by which every replica chooses its xmin.
    xmin : "ks", searched in every replica, or a threshold; then its tail alone is resampled.
    renormalized, dropped : as for `goodness_of_fit`.
    replicas : number of samples drawn.
    level : nominal probability of covering.
    seed : seed of the random generator, or a generator.
    progress : called with the numbers of fits done and of all.

    Returns
    -------
    BootstrapIntervals

    Raises
    ------
    SampleError, NoFitError
        As `fit_power_law`.
    ValueError
        The level or the number of replicas is out of range.

    Spec: PL-46, PL-73. Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993).

    >>> quantiles = (1 - (np.arange(1, 129) - 0.5) / 128) ** (-1 / 1.5)
    >>> low, high = bootstrap(quantiles, xmin=1.0).alpha
    >>> low < 2.51 < high
    True
    """
    tail_probability(level)
    fit = fit_power_law(sample, ks=ks, xmin=xmin)
    x = checked_sample(sample)
    if xmin == "ks":
        left_out = np.sort(np.asarray(dropped, dtype=np.float64))
        whole = np.concatenate((left_out, x))
        points = whole.size
        estimate = _searching(whole, ks, left_out.size, renormalized=renormalized)
    else:
        points, estimate = fit.tail_size, _above(x[x >= xmin], float(xmin))
    rng = np.random.default_rng(seed)
    sizes = chunks(replicas, points, progress)
    drawn = np.concatenate([_drawn(rng, points, size, estimate) for size in sizes], axis=1)
    alpha, threshold = (percentile_interval(row, level) for row in drawn)
    return BootstrapIntervals(
        alpha, threshold if xmin == "ks" else None, level, replicas, recorded(seed)
    )


def _searching(
    x: NDArray[np.float64], ks: KsKind, dropped: int, *, renormalized: bool
) -> Estimator:
    """Fit samples, given as (r, m) indices into x, above the thresholds of least distance."""
    logs = relative_logs(x)

    def estimate(picks: NDArray[np.intp]) -> Estimates:
        picks = np.sort(picks, axis=1)[:, dropped:]
        starts, alphas, _ = search_rows(logs[picks], ks, renormalized=renormalized)
        starts = np.minimum(starts, picks.shape[1] - 1)[:, np.newaxis]
        thresholds = x[np.take_along_axis(picks, starts, axis=1)[:, 0]]
        return np.stack((alphas, np.where(np.isnan(alphas), np.nan, thresholds)))

    return estimate


def _above(tail: NDArray[np.float64], xmin: float) -> Estimator:
    """Fit tails, given as (r, m) indices into one, above a given threshold."""
    logs = relative_logs(np.concatenate(([xmin], tail)))
    logs = logs[1:] - logs[0]

    def estimate(picks: NDArray[np.intp]) -> Estimates:
        sums = logs[picks].sum(axis=1)
        decays = np.divide(picks.shape[1], sums, out=np.full(sums.size, np.nan), where=sums > 0)
        return np.stack((1.0 + decays, np.full(sums.size, xmin)))

    return estimate


def _drawn(rng: np.random.Generator, points: int, count: int, estimate: Estimator) -> Estimates:
    """Fit replicas; those without a fit are drawn again.

    Spec: PL-40.
    """
    estimates = estimate(rng.integers(points, size=(count, points)))
    without = np.isnan(estimates[0])
    if without.any():
        estimates[:, without] = _drawn(rng, points, int(without.sum()), estimate)
    return estimates
