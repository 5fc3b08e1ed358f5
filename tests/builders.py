"""Weight matrices that several test modules build."""

import numpy as np


def power_law_matrix(alpha: float, n: int = 60, scale: float = 1.0) -> np.ndarray:
    """Matrix whose eigenvalues (1/N) are quantiles of a power law that begins at `scale`."""
    quantiles = (1 - (np.arange(1, n + 1) - 0.5) / n) ** (-1 / (alpha - 1))
    return np.diag(np.sqrt(n * scale * quantiles))


def gaussian(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)
