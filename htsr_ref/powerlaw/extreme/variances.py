"""Asymptotic variances of the four estimators: of √k (ξ̂ - ξ) for independent values.

Each is a function of the index ξ of either sign; the standard error is √(variance/k).
"""

import math

import numpy as np

from htsr_ref.powerlaw.extreme.estimators import KERNEL_EXPONENT

LN2 = math.log(2.0)


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


def hill_variance(xi: float) -> float:
    """Asymptotic variance of Hill's estimator, ξ².

    Spec: PL-65. Source: Hall 1982.

    >>> hill_variance(0.5)
    0.25
    """
    return xi * xi


def pickands_variance(xi: float) -> float:
    """Asymptotic variance of Pickands' estimator, relative to k = 4m.

    4 ξ² (2^(2ξ+1) + 1) / (2 (2^ξ - 1) ln 2)²; 3/(ln 2)⁴ at ξ = 0.

    Spec: PL-65. Source: Dekkers & de Haan 1989.

    >>> round(pickands_variance(0.0) * LN2**4, 12), round(pickands_variance(1.0) * LN2**2, 12)
    (3.0, 9.0)
    """
    # In terms of 2^-|ξ|, which does not overflow; ξ/(2^ξ-1) is then regular at 0 as well.
    shrunk = math.exp2(-abs(xi))
    ratio = xi / math.expm1(-abs(xi) * LN2) if xi != 0.0 else 1.0 / LN2
    numerator = 2.0 + shrunk * shrunk if xi > 0.0 else 2.0 * shrunk * shrunk + 1.0
    return ratio * ratio * numerator / LN2**2


def kernel_variance(xi: float) -> float:
    """Asymptotic variance of the kernel estimator.

    The estimator is asymptotically ∫ s^(-γ-1) W(s) φ'(s) ds, W a Brownian motion, γ = min(ξ, 0) and
    φ a sum of powers a_j s^(p_j). Its variance is Σ_ij w_i w_j (r_i + r_j) / (r_i r_j (r_i + r_j -
    1)) with w_j = a_j p_j and r_j = p_j - γ.

    Spec: PL-65. Source: Groeneboom, Lopuhaä & de Wolf 2003, written out for the biweight.

    >>> round(kernel_variance(0.0), 6)
    1.271585
    """
    gamma = min(xi, 0.0)
    biweight, powers = 1.875 * np.array([1.0, -2.0, 1.0]), np.array([0.0, 2.0, 4.0])
    q1 = float(np.sum(biweight / (KERNEL_EXPONENT - gamma + powers)))
    p = np.concatenate((1.0 + powers, KERNEL_EXPONENT + powers))
    a = np.concatenate(
        (max(xi, 0.0) * biweight, (KERNEL_EXPONENT + powers - gamma) * biweight / q1)
    )
    w, r = a * p, p - gamma
    pairs = r[:, None] + r
    return float(np.sum(np.outer(w / r, w / r) * pairs / (pairs - 1.0)))
