"""Samples for the xmin search: ordinary ones, and ones made to defeat its bounds."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Sample = NDArray[np.float64]


def pareto(n: int, seed: int = 0) -> Sample:
    """Draws of a power law, α = 2.5."""
    return (1 - np.random.default_rng(seed).random(n)) ** (-1 / 1.5)


def lognormal(n: int, seed: int = 0) -> Sample:
    """Draws of a lognormal, μ = 0 and σ = 1."""
    return np.exp(np.random.default_rng(seed).standard_normal(n))


def marchenko_pastur(n: int, seed: int = 0) -> Sample:
    """Independent draws of the Marchenko-Pastur law, Q = 4, by rejection from a semicircle."""
    rng = np.random.default_rng(seed)
    kept: Sample = np.empty(0)
    while kept.size < n:
        x = 0.25 + 2 * rng.beta(1.5, 1.5, 5 * n)
        kept = np.concatenate((kept, x[rng.random(x.size) < 0.25 / x]))
    return kept[:n]


def pareto_quantiles(n: int) -> Sample:
    """Quantiles of a power law, α = 2.5: as good a fit from many thresholds."""
    return (1 - (np.arange(1, n + 1) - 0.5) / n) ** (-1 / 1.5)


ORDINARY: dict[str, Callable[..., Sample]] = {
    "Pareto": pareto,
    "lognormal": lognormal,
    "Marchenko-Pastur": marchenko_pastur,
}


def _two_clusters(n: int) -> Sample:
    rng = np.random.default_rng(1)
    return np.concatenate((1 + 0.01 * rng.random(n // 2), 100 + rng.random(n - n // 2)))


def _few_distinct(n: int) -> Sample:
    return np.random.default_rng(2).integers(1, 80, n).astype(np.float64)


ADVERSARIAL: dict[str, Callable[[int], Sample]] = {
    "geometric, ratio 1.001": lambda n: 1.001 ** np.arange(float(n)),
    "geometric, ratio 1.1": lambda n: 1.1 ** np.arange(float(n)),
    "arithmetic": lambda n: 1.0 + np.arange(n),
    "harmonic": lambda n: 1.0 / (1.0 + np.arange(n)),
    "Pareto quantiles": pareto_quantiles,
    "exponential quantiles": lambda n: -np.log((np.arange(n) + 0.5) / n),
    "ties, pairs": lambda n: np.repeat(pareto((n + 1) // 2), 2),
    "ties, two decimals": lambda n: np.maximum(pareto(n).round(2), 0.01),
    "two clusters": _two_clusters,
    "few distinct values": _few_distinct,
    "one giant": lambda n: np.concatenate((1 + np.random.default_rng(3).random(n - 1), [1e30])),
    "double exponential range": lambda n: np.exp(np.linspace(0, 26, n) ** 2),
}


def structured(n: int, count: int) -> Iterator[tuple[str, Sample]]:
    """Random mixtures of pieces of the samples above, at random scales and powers."""
    families = list(ORDINARY.values()) + list(ADVERSARIAL.values())
    for seed in range(count):
        rng = np.random.default_rng(seed)
        cuts = np.sort(rng.integers(10, n - 10, rng.integers(0, 4)))
        sizes = np.diff(np.concatenate(([0], cuts, [n])))
        pieces = []
        for size in sizes[sizes >= 2]:
            piece = families[rng.integers(len(families))](int(size))
            logs = np.log(piece) - np.log(piece.max())
            spread = rng.choice([0.01, 0.3, 1.0, 5.0]) / max(1.0, np.ptp(logs) / 10)
            pieces.append(np.exp(spread * logs + rng.uniform(0, 3)))
        sample = np.concatenate(pieces)
        if rng.random() < 0.3:
            sample = np.maximum(sample.round(int(rng.integers(1, 4))), 1e-3)
        yield f"structured {seed}", sample
