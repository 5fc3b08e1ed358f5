"""The maximum-likelihood exponent of a continuous power law."""

import math

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054  # Φ⁻¹(0.975)


def alpha_mle(log_ratios: NDArray[np.float64]) -> float:
    """Exponent of greatest likelihood for a tail x ≥ xmin.

    α = 1 + n / Σ ln(x_j/xmin).

    Parameters
    ----------
    log_ratios : (n,) float64, natural logarithms ln(x_j/xmin) of the whole tail, all ≥ 0 and not
        all 0.

    Returns
    -------
    float, greater than 1.

    Spec: PL-2. Source: Clauset, Shalizi & Newman 2009, eq. 3.1.

    >>> alpha_mle(np.log([1.0, np.e, np.e**2]))
    2.0
    """
    return 1.0 + log_ratios.size / float(log_ratios.sum())


def alpha_stderr(alpha: float, tail_size: int) -> float:
    """Asymptotic standard error of the exponent, (α-1)/√n, for a known xmin.

    Spec: PL-6. Source: Clauset, Shalizi & Newman 2009, eq. 3.2.

    >>> alpha_stderr(3.0, 100)
    0.2
    """
    return (alpha - 1.0) / math.sqrt(tail_size)


def alpha_ci95(alpha: float, tail_size: int) -> tuple[float, float]:
    """Asymptotic 95 % interval of the exponent, α ± 1.96 standard errors, for a known xmin.

    Spec: PL-6.

    >>> [round(end, 3) for end in alpha_ci95(3.0, 100)]
    [2.608, 3.392]
    """
    half = Z95 * alpha_stderr(alpha, tail_size)
    return alpha - half, alpha + half
