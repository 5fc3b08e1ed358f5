"""The Tracy-Widom law (β = 1): how the largest eigenvalue of a random matrix scatters."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import EnsembleError

NODES = 40
"""Gauss-Legendre nodes; more change no value by 10⁻¹³ (RMT-24)."""

LENGTH = 40.0
"""Where the integral over (s, ∞) is cut off, beyond s; for s ≥ -8 the kernel is below 10⁻¹⁷."""

LEAST, GREATEST = -8.0, 10.0
"""F1 is below 2·10⁻¹² at the one and within 10⁻¹⁰ of 1 at the other."""

KNOWN_QUANTILES: Mapping[float, float] = MappingProxyType({1e-3: 3.272196059002090})
"""Values that the law exceeds with the levels that are asked for most, to the last digit.

From spec/experiments/tracy_widom_edge.py.
"""

CERTAIN = 20.0
"""F1 is within 10⁻²⁶ of 1 from here on."""


def cdf(s: ArrayLike) -> NDArray[np.float64]:
    """Distribution function F1, the Fredholm determinant det(1 - K) on (s, ∞).

    The kernel is K(x, y) = ½·Ai((x + y)/2). It is smooth, so that the determinant of the kernel at
    the nodes of a Gauss rule converges exponentially.

    Parameters
    ----------
    s : any shape, real; values below -8 are taken as -8, those above 20 as 20.

    Returns
    -------
    Array of the shape of s, with an absolute error below 10⁻¹³.

    Spec: RMT-24. Source: Ferrari & Spohn 2005 (the kernel); Bornemann 2010 (the method).

    >>> f"{cdf(0.9793):.4f} {cdf(2.0234):.4f}"
    '0.9500 0.9900'
    """
    from scipy.special import airy

    s = np.clip(np.asarray(s, dtype=np.float64), LEAST, CERTAIN)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    x = s[..., None] + 0.5 * LENGTH * (nodes + 1.0)
    roots = np.sqrt(0.5 * LENGTH * weights)
    kernel = 0.5 * airy(0.5 * (x[..., :, None] + x[..., None, :]))[0]
    determinant = np.linalg.det(np.eye(NODES) - roots[:, None] * kernel * roots)
    return np.clip(np.asarray(determinant, dtype=np.float64), 0.0, 1.0)


@functools.lru_cache
def upper_quantile(level: float) -> float:
    """Value that the law exceeds with a given probability.

    Parameters
    ----------
    level : from 10⁻⁹ to 1 - 10⁻⁹.

    Returns
    -------
    float, with an error below 10⁻⁶; below 10⁻¹⁰ for levels from 10⁻³ to 1 - 10⁻³.

    Raises
    ------
    EnsembleError
        The level is out of range.

    Spec: RMT-25.

    >>> round(upper_quantile(0.05), 4)
    0.9793
    """
    if not 1e-9 <= level <= 1.0 - 1e-9:
        raise EnsembleError(f"the level is {level}: it lies between 1e-9 and 1 - 1e-9")
    if level in KNOWN_QUANTILES:
        return KNOWN_QUANTILES[level]
    from scipy.optimize import brentq

    return float(brentq(lambda s: float(cdf(s)) - (1.0 - level), LEAST, GREATEST, xtol=1e-13))


@dataclass(frozen=True)
class LargestEigenvalue:
    """Limiting law of λ_max of X = WᵀW/N for N×M independent normal entries: center + scale·F1.

    Attributes
    ----------
    center : μ/N·σ².
    scale : s/N·σ².

    Spec: RMT-26.
    """

    center: float
    scale: float

    def upper_quantile(self, level: float) -> float:
        """Value that λ_max exceeds with a given probability.

        Spec: RMT-25, RMT-26.
        """
        return self.center + self.scale * upper_quantile(level)


def largest_eigenvalue(N: int, M: int, variance: float = 1.0) -> LargestEigenvalue:
    """Law of the largest eigenvalue of pure noise.

    Spec: RMT-26. Source: Johnstone 2001, theorem 1.1: μ = (√(N-1) + √M)² and
    s = (√(N-1) + √M)·(1/√(N-1) + 1/√M)^(1/3), for WᵀW and unit variance.

    >>> law = largest_eigenvalue(1000, 500)
    >>> f"{law.center:.4f} ± {law.scale:.4f}"
    '2.9125 ± 0.0229'
    """
    if not N >= M >= 2:
        raise EnsembleError(f"the shape is {N}×{M}: N ≥ M ≥ 2 is needed")
    roots = math.sqrt(N - 1.0) + math.sqrt(M)
    scale = roots * (1.0 / math.sqrt(N - 1.0) + 1.0 / math.sqrt(M)) ** (1.0 / 3.0)
    # The variance last: it may be near the largest number there is.
    return LargestEigenvalue(roots**2 / N * variance, scale / N * variance)
