"""The maximum-likelihood exponent of a continuous power law, and the interval of an estimate."""

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


def ci95(estimate: float, stderr: float) -> tuple[float, float]:
    """Asymptotic 95 % interval of a number, its estimate ± 1.96 standard errors.

    Spec: PL-6.

    >>> [round(end, 3) for end in ci95(3.0, 0.2)]
    [2.608, 3.392]
    """
    half = Z95 * stderr
    return estimate - half, estimate + half
