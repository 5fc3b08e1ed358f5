"""Confidence intervals from the values that an estimate takes in replicas of its sample."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Interval = tuple[float, float]
Method = Literal["percentile", "bca"]


def tail_probability(level: float) -> float:
    """Probability beyond each end of an interval of the given level.

    Raises
    ------
    ValueError
        The level is no probability between 0 and 1.

    >>> tail_probability(0.5)
    0.25
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"the level is {level}: it must lie between 0 and 1")
    return (1.0 - level) / 2


def percentile_interval(replicas: NDArray[np.float64], level: float) -> Interval:
    """Interval between two quantiles of the replicas.

    Parameters
    ----------
    replicas : (B,) float64, estimates.
    level : nominal probability of covering.

    Spec: PL-47. Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), section 13.3.

    >>> percentile_interval(np.arange(1001.0), 0.5)
    (250.0, 750.0)
    """
    tail = tail_probability(level)
    low, high = np.quantile(replicas, [tail, 1.0 - tail])
    return float(low), float(high)


def bca_interval(
    replicas: NDArray[np.float64],
    estimate: float,
    jackknife: NDArray[np.float64],
    level: float,
) -> Interval | None:
    """Interval between quantiles that are corrected for bias and for acceleration.

    Parameters
    ----------
    replicas : (B,) float64, estimates from the replicas.
    estimate : estimate from the sample.
    jackknife : (n,) float64, estimates from the sample without one of its points.
    level : nominal probability of covering.

    Returns
    -------
    (low, high), or None where the correction is not defined: all replicas lie on one side of the
    estimate, or so many that the corrected level passes through its pole.

    Spec: PL-48. Source: Efron, Journal of the American Statistical Association 82 (1987), 171-185.

    >>> bca_interval(np.arange(1001.0), 500.0, np.array([-1.0, 1.0]), 0.5)
    (250.0, 750.0)
    """
    smaller = np.mean(replicas < estimate) + np.mean(replicas == estimate) / 2
    ends = ndtri(tail_probability(level)) * np.array([1.0, -1.0])
    if smaller in (0.0, 1.0):
        return None
    bias = ndtri(smaller)
    shifted = bias + ends
    denominator = 1.0 - _acceleration(jackknife) * shifted
    if denominator.min() <= 0:
        return None
    low, high = np.quantile(replicas, ndtr(bias + shifted / denominator))
    return float(low), float(high)


def _acceleration(jackknife: NDArray[np.float64]) -> float:
    """Sixth of the skewness of the influence of single points."""
    influence = jackknife.mean() - jackknife
    largest = float(np.abs(influence).max())
    if largest == 0:
        return 0.0
    influence /= largest
    return float(np.sum(influence**3) / (6 * np.sum(influence**2) ** 1.5))
