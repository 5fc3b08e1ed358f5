"""What the reproducers feed to the tools: small, from seeded uniform numbers or closed forms."""

import numpy as np
from networks import heavy
from numpy.typing import NDArray
from scipy.special import ndtri

Matrix = NDArray[np.float32]
Sample = NDArray[np.float64]


def uniform(seed: int, *shape: int) -> NDArray[np.float64]:
    """Uniform numbers on [0, 1)."""
    return np.random.default_rng(seed).random(shape)


def gaussian(seed: int, *shape: int) -> Matrix:
    """Standard normal entries."""
    return ndtri(uniform(seed, *shape)).astype(np.float32)


def heavy_matrix(seed: int = 1, N: int = 96, M: int = 64) -> Matrix:
    """Pareto entries with P(|w| > t) = t^-3."""
    return heavy(np.random.default_rng(seed), N, M, scale=1.0)


def rank_two() -> Matrix:
    """Product of two thin matrices, rounded to 32 bits."""
    u, v = heavy_matrix(2, 64, 2), heavy_matrix(3, 2, 48)
    return (u.astype(float) @ v).astype(np.float32)


def narrowing_kernel() -> Matrix:
    """Four slices (2x2) of 12 outputs and 40 inputs."""
    return heavy(np.random.default_rng(4), 12, 40, 2, 2)


def diagonal(eigenvalues: NDArray[np.float64]) -> Matrix:
    """Matrix with these eigenvalues of WᵀW."""
    return np.diag(np.sqrt(eigenvalues)).astype(np.float32)


def pareto_quantiles(n: int, mu: float) -> Sample:
    """Quantiles (i - ½)/n of P(x > t) = t^-mu: a power law with alpha = 1 + mu."""
    return (1 - (np.arange(1, n + 1) - 0.5) / n) ** (-1 / mu)


def exponential_quantiles(n: int) -> Sample:
    """Quantiles (i - ½)/n of P(x > t) = exp(1 - t), t ≥ 1."""
    return 1 - np.log1p(-(np.arange(1, n + 1) - 0.5) / n)


def uniform_power_law(seed: int, n: int) -> Sample:
    """A sample of P(x > t) = t^-1.5, ascending."""
    return np.sort((1 - uniform(seed, n)) ** (-1 / 1.5))


def widening_kernel() -> Matrix:
    """Four slices (2x2) of 16 outputs and 12 inputs."""
    return heavy(np.random.default_rng(4), 16, 12, 2, 2, scale=1.0)


def two_clusters() -> Sample:
    """Eigenvalues near 10⁻⁶ and near 2, 1,500 of each, all different."""
    steps = 1 + 1e-9 * np.arange(1500)
    return np.concatenate([1e-6 * steps, 2 * steps])


def quantized() -> tuple[NDArray[np.int8], Matrix]:
    """A heavy-tailed matrix in 8 bits and the scale of each row."""
    W = heavy_matrix()
    scale = np.abs(W).max(axis=1) / np.float32(127)
    return np.round(W / scale[:, np.newaxis]).astype(np.int8), scale


def truncated_sample() -> Sample:
    """Forty points above 1 that fall off faster than x^-1.2 and slower than an exponential."""
    return 1 + exponential_quantiles(40) ** 2 - exponential_quantiles(40)[0] ** 2
