"""Metrics of a spectrum and its fit, and their means: small pure functions."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Eigenvalues = NDArray[np.float64]
"""(M,) float64, ascending, non-negative, not all zero."""


def log10_frobenius_norm(eigenvalues: Eigenvalues, scale: float) -> float:
    """Log of the Frobenius norm of W, log10 ‖W‖_F = ½·log10(Σλ/c); not squared.

    Parameters
    ----------
    eigenvalues : of X = c·WᵀW.
    scale : the factor c.

    Spec: MET-2. Source: Martin & Mahoney, SDM 2020, section 3 (product norm).

    >>> log10_frobenius_norm(np.array([36.0, 64.0]), 1.0)
    1.0
    """
    return 0.5 * (math.log10(float(eigenvalues.sum())) - math.log10(scale))


def log10_spectral_norm(eigenvalues: Eigenvalues, scale: float) -> float:
    """Log of the spectral norm of W, log10 ‖W‖₂ = ½·log10(λ_max/c); not squared.

    Parameters
    ----------
    eigenvalues : of X = c·WᵀW.
    scale : the factor c.

    Spec: MET-3.

    >>> log10_spectral_norm(np.array([36.0, 100.0]), 1.0)
    1.0
    """
    return 0.5 * (math.log10(float(eigenvalues[-1])) - math.log10(scale))


def log10_alpha_norm(eigenvalues: Eigenvalues, alpha: float) -> float:
    """Log of the alpha-norm, log10 Σ λ^α, over the positive eigenvalues of X.

    Taken relative to the largest power, so that the sum neither over- nor underflows.

    Parameters
    ----------
    eigenvalues : of X.
    alpha : exponent.

    Spec: MET-4. Source: Martin, Peng & Mahoney, arXiv 2002.06716 (log α-norm).

    >>> round(log10_alpha_norm(np.array([1.0, 10.0]), 2.0), 6)
    2.004321
    """
    positive = eigenvalues[eigenvalues > 0]
    first = float(positive[-1 if alpha >= 0 else 0])
    with np.errstate(over="ignore", under="ignore"):
        relative = float(((positive / first) ** alpha).sum())
    return alpha * math.log10(first) + math.log10(relative)


def stable_rank(eigenvalues: Eigenvalues) -> float:
    """Stable rank ‖W‖_F²/‖W‖₂² = Σλ/λ_max.

    Spec: MET-5.

    >>> stable_rank(np.array([1.0, 2.0]))
    1.5
    """
    return float(eigenvalues.sum() / eigenvalues[-1])


def log_stable_rank(eigenvalues: Eigenvalues, scale: float) -> float | None:
    """Log-units stable rank, log10 ‖W‖_F² / log10 λ_max; None where log10 λ_max = 0.

    Parameters
    ----------
    eigenvalues : of X = c·WᵀW.
    scale : the factor c.

    Spec: MET-6. Source: Martin & Mahoney, SDM 2020, section 4.

    >>> log_stable_rank(np.array([900.0, 100.0]), 0.1)
    2.0
    """
    log_max = math.log10(float(eigenvalues[-1]))
    if log_max == 0:
        return None
    return 2 * log10_frobenius_norm(eigenvalues, scale) / log_max


def entropy(eigenvalues: Eigenvalues, rank: int) -> float | None:
    """Matrix entropy -Σ p ln p / ln R of the R = rank largest eigenvalues; None for R < 2.

    Spec: MET-7. Source: Martin & Mahoney, arXiv 1810.01075 (matrix entropy).

    >>> entropy(np.array([0.0, 3.0, 3.0]), 2)
    1.0
    """
    if rank < 2:
        return None
    with np.errstate(under="ignore"):
        p = eigenvalues[-rank:] / eigenvalues[-rank:].sum()
    p = p[p > 0]  # p ln p vanishes with p.
    # Rounding may carry equal eigenvalues beyond 1.
    return min(1.0, abs(float((p * np.log(p)).sum())) / math.log(rank))


def shifted_entropy(eigenvalues: Eigenvalues, rank: int) -> float | None:
    """Matrix entropy with 10⁻¹⁰ added to every share, over all eigenvalues; None for R < 2.

    Spec: MET-15. Source: WeightWatcher 0.7.7, `matrix_entropy`.

    >>> round(shifted_entropy(np.array([0.0, 3.0, 3.0]), 2), 8)
    1.0
    """
    if rank < 2:
        return None
    p = eigenvalues / eigenvalues.sum() + 1e-10
    return float(-(p * np.log(p)).sum() / math.log(rank + 1e-10))


def matrix_rank(eigenvalues: Eigenvalues, N: int) -> int:
    """Count the singular values above σ_max·N·2⁻⁵².

    Spec: MET-15. Source: NumPy, `linalg.matrix_rank`; WeightWatcher 0.7.7.

    >>> matrix_rank(np.array([1e-34, 1e-20, 1.0]), 3)
    2
    """
    singular_values = np.sqrt(eigenvalues)
    return int(np.count_nonzero(singular_values > singular_values[-1] * N * 2.0**-52))


LOGARITHMS: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {"10": math.log10, "e": math.log}
)
"""Logarithms of the weighted alpha by the value of `log_base` (MET-8)."""


def weighted_alpha(alpha: float, lambda_max: float, log_base: str = "10") -> float:
    """Weighted alpha of one matrix, α·log10 λ_max.

    Parameters
    ----------
    alpha : exponent.
    lambda_max : largest eigenvalue of X, positive.
    log_base : "10" or "e".

    Spec: MET-8. Source: Martin & Mahoney, SDM 2020, section 3.

    >>> weighted_alpha(2.5, 100.0)
    5.0
    """
    return alpha * LOGARITHMS[log_base](lambda_max)


def erg_tail_size(eigenvalues: Eigenvalues, resolution: float = 0.0) -> int | None:
    """Size of the tail that satisfies the condition of the exact renormalization group.

    Rescaled to mean 1, the eigenvalues of the tail have a product near 1, Σ ln λ̃ = 0: of the
    tails that grow downward from the largest eigenvalue, the first whose product is below 1.

    Parameters
    ----------
    eigenvalues : of X.
    resolution : difference from the largest eigenvalue that errors can account for.

    Returns
    -------
    int from 2 to M; None where all eigenvalues are equal within the resolution.

    Spec: MET-16. Source: SETOL (arXiv 2507.17912), the condition det X̃ = 1; WeightWatcher 0.7.7,
    `detX_constraint`.

    >>> erg_tail_size(np.array([0.1, 0.2, 1.2, 2.5]))
    3
    """
    if eigenvalues[-1] - eigenvalues[0] <= resolution:
        return None
    with np.errstate(divide="ignore"):
        logs = np.log(eigenvalues / _mean(eigenvalues))
    # The largest alone is never below the mean, though rounding may say so.
    below = logs[::-1].cumsum()[1:] < 0
    return int(below.argmax()) + 2 if below.any() else eigenvalues.size


def delta_lambda_min(eigenvalues: Eigenvalues, xmin: float, tail_size: int) -> float:
    """How far a threshold lies above that of the ERG tail, in units of the mean eigenvalue.

    Parameters
    ----------
    eigenvalues : of X.
    xmin : the threshold of the power law.
    tail_size : of the ERG tail, see `erg_tail_size`.

    Spec: MET-17. Source: SETOL (arXiv 2507.17912), Δλ_min = λ_min^PL - λ_min^|detX|=1.

    >>> round(delta_lambda_min(np.array([0.1, 0.2, 1.2, 2.5]), 1.2, 3), 6)
    1.0
    """
    return (xmin - float(eigenvalues[-tail_size])) / _mean(eigenvalues)


def _mean(eigenvalues: Eigenvalues) -> float:
    return float(eigenvalues.sum()) / eigenvalues.size


@dataclass(frozen=True)
class Mean:
    """An arithmetic mean and the number of values behind it; None over no values."""

    value: float | None
    count: int


def mean(values: Iterable[float | None]) -> Mean:
    """Mean of the values that are defined.

    Spec: MET-9, MET-10.

    >>> mean([1.0, None, 2.0]), mean([1e308, 1e308])
    (Mean(value=1.5, count=2), Mean(value=1e+308, count=2))
    """
    defined = [value for value in values if value is not None]
    if not defined:
        return Mean(None, 0)
    if len(defined) == 1:
        return Mean(float(defined[0]), 1)
    count = len(defined)
    try:
        return Mean(math.fsum(defined) / count, count)
    except OverflowError:  # The sum has no floating-point number, the mean has.
        return Mean(math.fsum(value / count for value in defined), count)


@dataclass(frozen=True)
class Line:
    """A least-squares line and Pearson's correlation (None where y does not vary)."""

    slope: float
    intercept: float
    pearson_r: float | None


def pl_norm_relation(
    log10_frobenius_norms: Sequence[float], weighted_alphas: Sequence[float]
) -> Line | None:
    """Regress α·log10 λ_max on log10 ‖W‖_F² over matrices.

    Parameters
    ----------
    log10_frobenius_norms : log10 ‖W‖_F of each fitted matrix (not squared).
    weighted_alphas : α·log10 λ_max of the same matrices.

    Returns
    -------
    Line, or None with fewer than two matrices or when all norms are equal.

    Spec: MET-11. Source: Martin & Mahoney, SDM 2020, section 4 (PL-Norm relation).

    >>> pl_norm_relation([0.5, 1.0], [1.0, 3.0])
    Line(slope=2.0, intercept=-1.0, pearson_r=1.0)
    """
    x = 2 * np.asarray(log10_frobenius_norms, dtype=np.float64)
    y = np.asarray(weighted_alphas, dtype=np.float64)
    if x.size < 2 or np.ptp(x) == 0:
        return None
    # Exact sums, so that the order of the matrices in a file changes no digit.
    x_mean, y_mean = math.fsum(x) / x.size, math.fsum(y) / y.size
    dx, dy = x - x_mean, y - y_mean
    xx, xy, yy = (math.fsum(products) for products in (dx * dx, dx * dy, dy * dy))
    slope = xy / xx
    intercept = y_mean - slope * x_mean
    if np.ptp(y) == 0:
        return Line(slope, intercept, None)
    # Rounding may carry points on a line beyond 1.
    return Line(slope, intercept, max(-1.0, min(1.0, xy / math.sqrt(xx * yy))))
