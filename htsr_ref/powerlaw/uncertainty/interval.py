"""Confidence intervals from the values that an estimate takes in replicas of its sample."""

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]


def tail_probability(level: float) -> float:
    """Probability beyond each end of an interval of the given level.

    Raises
    ------
    ValueError
        The level is not between 0 and 1.

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
