"""Four estimators of the extreme-value index, each a function of the k largest of a sample.

The samples are ascending, positive and finite (`checked_sample`). With X_1 ≥ X_2 ≥ … the values in
descending order, all but Pickands' look at X_1 … X_k relative to the threshold X_(k+1).
"""

import math

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import NoFitError

KERNEL_EXPONENT = 0.6
"""The exponent δ > 1/2 that keeps the largest values from dominating the kernel estimator."""


def log_excesses(sample: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Logarithms of the k largest values above the next one, ln(X_i / X_(k+1)).

    Parameters
    ----------
    sample : (n,) float64, ascending, positive.
    k : 1 ≤ k < n.

    Returns
    -------
    (k,) float64, ascending, ≥ 0; natural logarithms, to a few units in the last place even where
    the values are nearly equal or span more than the range of float64.

    Spec: PL-61.

    >>> log_excesses(np.array([1.0, 2.0, 4.0, 8.0]), 2) / np.log(2.0)
    array([1., 2.])
    """
    threshold, largest = sample[-k - 1], sample[-k:]
    with np.errstate(over="ignore"):
        relative = (largest - threshold) / threshold
    excesses: NDArray[np.float64] = np.log1p(relative)
    far = np.isinf(relative)
    excesses[far] = np.log(largest[far]) - np.log(threshold)
    return excesses


def moment(sample: NDArray[np.float64], k: int) -> float:
    """Moment estimator, for an index of either sign.

    ξ = M_1 + 1 - ½ / (1 - M_1²/M_2), M_r the mean of the r-th powers of the log-excesses.

    Parameters
    ----------
    sample : (n,) float64, ascending, positive.
    k : number of values in the tail, 2 ≤ k < n.

    Raises
    ------
    NoFitError
        The k largest values are equal.

    Spec: PL-61. Source: Dekkers, Einmahl & de Haan 1989.

    >>> round(moment(np.arange(1.0, 1001.0), 100), 2)  # a uniform distribution has ξ = -1
    -1.03
    """
    excesses = log_excesses(sample, k)
    mean = float(excesses.mean())
    if excesses[0] == excesses[-1]:
        raise _tied(k)
    variance = float(np.square(excesses - mean).mean())
    # 1 - M_1²/M_2 is variance/M_2, which loses no digits where the excesses are nearly equal.
    return mean + 1.0 - 0.5 * (variance + mean * mean) / variance


def hill(sample: NDArray[np.float64], k: int) -> float:
    """Hill's estimator, the mean log-excess: for a tail that is known to be heavy.

    Parameters
    ----------
    sample : (n,) float64, ascending, positive.
    k : number of values in the tail, 1 ≤ k < n; the threshold X_(k+1) is not counted.

    Raises
    ------
    NoFitError
        The k largest values equal the threshold.

    Spec: PL-62. Source: Hill 1975.

    >>> round(hill(np.array([1.0, np.e, np.e**2]), 2), 12)
    1.5
    """
    index = float(log_excesses(sample, k).mean())
    if index == 0.0:
        raise _tied(k + 1)
    return index


def pickands(sample: NDArray[np.float64], k: int) -> float:
    """Pickands' estimator: the rate at which the gaps between three order statistics grow.

    ξ = log2 (X_m - X_2m)/(X_2m - X_4m), m = ⌊k/4⌋. A shift of the sample does not change it.

    Parameters
    ----------
    sample : (n,) float64, ascending, positive.
    k : number of values in the tail, 4 ≤ k ≤ n.

    Raises
    ------
    NoFitError
        Two of the three order statistics are equal.

    Spec: PL-63. Source: Pickands 1975.

    >>> pickands(np.arange(1.0, 101.0), 32)  # a uniform distribution has ξ = -1
    -1.0
    """
    m = k // 4
    high, middle, low = (float(sample[-rank]) for rank in (m, 2 * m, 4 * m))
    if high == middle or middle == low:
        raise NoFitError(f"two of the order statistics {m}, {2 * m} and {4 * m} are equal")
    return math.log2(high - middle) - math.log2(middle - low)


def kernel(sample: NDArray[np.float64], k: int) -> float:
    """Kernel estimator with the biweight, for an index of either sign.

    With the spacings D_i = ln X_i - ln X_(i+1), u_i = i/k, K(u) = 15/8 (1 - u²)² and δ = 0.6:
    ξ = Σ u_i K(u_i) D_i + q_2/q_1 - 1, where q_1 = Σ u_i^δ K(u_i) D_i and q_2 = Σ f(u_i) D_i, f the
    derivative of u^(δ+1) K(u).

    Parameters
    ----------
    sample : (n,) float64, ascending, positive.
    k : number of values in the tail, 2 ≤ k < n; the bandwidth is k/n.

    Raises
    ------
    NoFitError
        The k largest values are equal.

    Spec: PL-64. Source: Groeneboom, Lopuhaä & de Wolf 2003.

    >>> round(kernel(np.arange(1.0, 1001.0), 100), 2)  # a uniform distribution has ξ = -1
    -1.01
    """
    spacings = np.diff(log_excesses(sample, k), prepend=0.0)[::-1]
    u = np.arange(1, k + 1) / k
    weight = 1.875 * np.square(1.0 - u * u)
    weight_slope = -7.5 * u * (1.0 - u * u)
    damping = u**KERNEL_EXPONENT
    q1 = float(np.sum(damping * weight * spacings))
    if q1 == 0.0:
        raise _tied(k)
    slope = damping * ((1.0 + KERNEL_EXPONENT) * weight + u * weight_slope)
    q2 = float(np.sum(slope * spacings))
    return float(np.sum(u * weight * spacings)) + q2 / q1 - 1.0


def _tied(count: int) -> NoFitError:
    return NoFitError(f"the {count} largest values are equal")
