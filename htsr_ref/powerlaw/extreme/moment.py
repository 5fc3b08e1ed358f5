"""The moment estimator of the extreme-value index, for a tail of any kind, and its variance."""

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import NoFitError


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
    k : number of values in the tail, 2 ≤ k < n; the threshold X_(k+1) is not counted.

    Raises
    ------
    NoFitError
        The k largest values are equal.

    Spec: PL-61. Source: Dekkers, Einmahl & de Haan 1989.

    >>> round(moment(np.arange(1.0, 1001.0), 100), 2)  # a uniform distribution has ξ = -1
    -1.03
    """
    excesses = log_excesses(sample, k)
    mean = float(excesses.sum()) / k
    if excesses[0] == excesses[-1]:
        raise NoFitError(f"the {k} largest values are equal")
    variance = float(np.square(excesses - mean).sum()) / k
    # 1 - M_1²/M_2 is variance/M_2, which loses no digits where the excesses are nearly equal.
    return mean + 1.0 - 0.5 * (variance + mean * mean) / variance


def moment_variance(xi: float) -> float:
    """Asymptotic variance of the moment estimator.

    1 + ξ² for ξ ≥ 0, (1-ξ)² (1-2ξ) (1-ξ+6ξ²) / ((1-3ξ) (1-4ξ)) for ξ < 0.

    Spec: PL-65. Source: Dekkers, Einmahl & de Haan 1989.

    >>> moment_variance(2.0), moment_variance(-1.0)
    (5.0, 4.8)
    """
    if xi >= 0.0:
        return 1.0 + xi * xi
    numerator = (1.0 - xi) ** 2 * (1.0 - 2.0 * xi) * (1.0 - xi + 6.0 * xi * xi)
    return numerator / ((1.0 - 3.0 * xi) * (1.0 - 4.0 * xi))
