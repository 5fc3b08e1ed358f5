"""The choice of k by the double bootstrap, for Hill's estimator and for the moment estimator.

The best k balances variance and bias, and neither is known. A control statistic with the same
balance but a known limit, 0, takes the estimator's place: its mean square over resamples of two
sizes has its least value at k_1 and k_2, and k_1²/k_2 times a constant is the best k of the sample.
"""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import NoFitError
from htsr_ref.powerlaw.extreme.estimators import moment
from htsr_ref.powerlaw.extreme.variances import moment_variance
from htsr_ref.powerlaw.fit import log_ratios

Array = NDArray[np.float64]
BootstrapEstimator = Literal["moment", "hill"]

BOOTSTRAP_REPLICAS = 500
"""Resamples of either size."""

RESAMPLE_EXPONENT = 0.9
"""The first resamples hold n^0.9 of n values."""

LEAST_TAIL = 10
"""No tail of fewer points is chosen, and no verdict is based on one (PL-68)."""

LEAST_SAMPLE = 200
"""Smaller samples leave the second resamples too few thresholds to compare."""


def hill_control(moments: Array) -> Array:
    """Control statistic M_2 - 2 M_1² of Hill's estimator.

    Parameters
    ----------
    moments : (3, ...) float64, the M_1, M_2 and M_3 of tails of any lengths.

    Spec: PL-67. Source: Danielsson, de Haan, Peng & de Vries 2001.

    >>> hill_control(np.array([[1.0], [2.5], [9.0]]))
    array([0.5])
    """
    m1, m2, _ = moments
    control: Array = m2 - 2.0 * m1 * m1
    return control


def moment_control(moments: Array) -> Array:
    """Control statistic of the moment estimator: its difference from one made of M_2 and M_3.

    Parameters
    ----------
    moments : (3, ...) float64, the M_1, M_2 and M_3 of tails of any lengths.

    Returns
    -------
    (...) float64, not finite where all excesses are equal.

    Spec: PL-67. Source: Draisma, de Haan, Peng & Pereira 1999.

    >>> moment_control(np.array([[1.0], [2.0], [6.0]]))  # those of an exponential distribution
    array([0.])
    """
    m1, m2, m3 = moments
    estimate = m1 + 1.0 - 0.5 / (1.0 - m1 * m1 / m2)
    other = np.sqrt(0.5 * m2) + 1.0 - (2.0 / 3.0) / (1.0 - m1 * m2 / m3)
    control: Array = estimate - other
    return control


def hill_constant(rho: float) -> float:
    """Ratio of the best k of Hill's estimator to that of its control statistic.

    (ρ/(ρ-1))^(2/(1-2ρ)), ρ < 0 the second-order parameter.

    Spec: PL-67. Source: Danielsson, de Haan, Peng & de Vries 2001.

    >>> round(hill_constant(-0.5), 12) == round(1 / 3, 12)
    True
    """
    return float((rho / (rho - 1.0)) ** (2.0 / (1.0 - 2.0 * rho)))


def moment_control_variance(xi: float) -> float:
    """Asymptotic variance of the moment estimator's control statistic.

    Spec: PL-67. Source: Draisma, de Haan, Peng & Pereira 1999.

    >>> moment_control_variance(1.0)
    0.5
    """
    if xi >= 0.0:
        return 0.25 * (1.0 + xi * xi)
    polynomial = np.polyval([72.0, -222.0, 263.0, -154.0, 48.0, -8.0, 1.0], xi)
    return 0.25 * (1.0 - xi) ** 2 * float(polynomial) / math.prod(1.0 - j * xi for j in range(2, 7))


def moment_constant(xi: float, rho: float) -> float:
    """Ratio of the best k of the moment estimator to that of its control statistic.

    (V/V_c · (b_c/b)²)^(1/(1-2ρ)), V and b the asymptotic variance and bias of the estimator, V_c
    and b_c those of the control statistic. For ξ ≥ 0 it is the constant of Hill's estimator.

    Spec: PL-67. Source: Draisma, de Haan, Peng & Pereira 1999.

    >>> moment_constant(0.7, -0.5) == hill_constant(-0.5)
    True
    """
    if xi >= 0.0:
        return hill_constant(rho)
    if xi < rho:
        biases = -rho * (1.0 - xi) / (2.0 * (1.0 - 2.0 * xi) * (1.0 - 3.0 * xi - rho))
    else:
        biases = 1.0 - math.sqrt((1.0 - xi) / (1.0 - 2.0 * xi))
    variances = moment_variance(xi) / moment_control_variance(xi)
    return float((variances * biases**2) ** (1.0 / (1.0 - 2.0 * rho)))


def tail_moments(logs: Array, lengths: NDArray[np.int64]) -> Array:
    """Means M_1, M_2, M_3 of the powers of the log-excesses, for tails of many lengths at once.

    Parameters
    ----------
    logs : (n,) float64, descending, from 0: logarithms relative to the largest value.
    lengths : (t,) tail lengths k, 1 ≤ k < n.

    Returns
    -------
    (3, t) float64

    Spec: PL-67.

    >>> tail_moments(np.array([0.0, -1.0, -3.0]), np.array([2]))[:, 0]
    array([ 2.5,  6.5, 17.5])
    """
    means = [np.cumsum(logs**power)[lengths - 1] / lengths for power in (1, 2, 3)]
    threshold = logs[lengths]
    first = means[0] - threshold
    second = means[1] - 2.0 * threshold * means[0] + threshold**2
    third = means[2] - 3.0 * threshold * (means[1] - threshold * means[0]) - threshold**3
    return np.stack((first, second, third))


def double_bootstrap_k(
    sample: Array,
    estimator: BootstrapEstimator,
    rng: np.random.Generator,
    replicas: int = BOOTSTRAP_REPLICAS,
) -> int:
    """Choose the number of largest values that makes an estimator's mean square error least.

    Parameters
    ----------
    sample : (n,) float64, ascending, positive, n ≥ 200.
    estimator : the estimator that k is for.
    rng : draws the resamples: n_1 = ⌊n^0.9⌋ values with replacement, `replicas` times, then as
        often n_2 = ⌊n_1²/n⌋.
    replicas : number of resamples of either size.

    Returns
    -------
    int, from 10 to ⌊n/2⌋.

    Raises
    ------
    NoFitError
        The sample is too small, or so tied that no control statistic exists.

    Spec: PL-67. Source: Danielsson, de Haan, Peng & de Vries 2001.

    >>> pareto = np.arange(1000.0, 0.0, -1.0) ** -0.5
    >>> double_bootstrap_k(pareto, "hill", np.random.default_rng(0), replicas=50)
    475
    """
    n = sample.size
    if n < LEAST_SAMPLE:
        raise NoFitError(f"the double bootstrap needs {LEAST_SAMPLE} values, not {n}")
    control = hill_control if estimator == "hill" else moment_control
    logs = log_ratios(sample)
    first = int(n**RESAMPLE_EXPONENT)
    second = first * first // n
    k1 = _least_control_k(logs, first, control, rng, replicas)
    k2 = _least_control_k(logs, second, control, rng, replicas)
    rho = 0.5 * math.log(k1) / math.log(k1 / first)
    if estimator == "hill":
        constant = hill_constant(rho)
    else:
        constant = moment_constant(moment(sample, math.isqrt(n)), rho)
    return min(max(int(k1 * k1 / k2 * constant), LEAST_TAIL), n // 2)


def _least_control_k(
    logs: Array,
    size: int,
    control: Callable[[Array], Array],
    rng: np.random.Generator,
    replicas: int,
) -> int:
    """Tail length of the least mean square of a control statistic over resamples of one size."""
    lengths = np.arange(LEAST_TAIL, size // 2 + 1)
    total = np.zeros(lengths.size)
    for _ in range(replicas):
        draws = np.sort(rng.integers(logs.size, size=size))[::-1]
        resample = logs[draws[: lengths[-1] + 1]]
        moments = tail_moments(resample - resample[0], lengths)
        moments[:, moments[0] == 0.0] = np.nan  # tied down to the threshold: no excesses
        with np.errstate(divide="ignore", invalid="ignore"):
            total += np.square(control(moments))
    total[~np.isfinite(total)] = np.inf
    if np.isinf(total).all():
        raise NoFitError("the values are too tied for the double bootstrap")
    return int(lengths[np.argmin(total)])
