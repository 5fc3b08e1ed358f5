# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "htsr-ref"]
# ///
"""How often the rules of RMT-35 name the phase that a matrix was made in.

Every phase has two or three kinds of matrices, whose parameters are drawn anew for each matrix.
One row of the table is one kind and shape: how often each name was given. The thresholds of RMT-35
were chosen on matrices drawn with other seeds.

    OPENBLAS_NUM_THREADS=1 uv run phases.py    # writes phases.csv beside this file, in 4 minutes
"""

import csv
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from htsr_ref.randommatrix import ensembles
from htsr_ref.randommatrix.phases import PhaseName, phase_of
from htsr_ref.spectra.eigenvalues import spectrum

Matrix = NDArray[np.floating]
Draw = Callable[[int, int, np.random.Generator], Matrix]

SEED = 20_181_002
DRAWS = 20
SHAPES = ((200, 50), (300, 200), (1000, 500), (1000, 1000))
OUTPUT = Path(__file__).with_suffix(".csv")


def uniform(N: int, M: int, rng: np.random.Generator) -> Matrix:
    """Draw entries as many networks are initialized."""
    return rng.uniform(-1.0, 1.0, (N, M))


def student(low: float, high: float) -> Draw:
    """Draw Student-t entries of random degrees of freedom."""
    return lambda N, M, rng: ensembles.student_t(N, M, rng.uniform(low, high), rng)


def pareto(low: float, high: float) -> Draw:
    """Draw Pareto entries of a random tail index μ."""
    return lambda N, M, rng: ensembles.pareto(N, M, rng.uniform(low, high), rng)


def heavy_part(N: int, M: int, rng: np.random.Generator) -> Matrix:
    """Draw Gaussian entries and small Pareto ones beside them."""
    return ensembles.gaussian_with_heavy_part(N, M, rng.uniform(1.5, 2.0), rng)


def power_law_spectrum(N: int, M: int, rng: np.random.Generator) -> Matrix:
    """Draw eigenvalues from a power law of random exponent."""
    eigenvalues = ensembles.power_law_eigenvalues(M, rng.uniform(2.0, 4.0), rng)
    return ensembles.prescribed(np.sqrt(eigenvalues), N, rng)


def few(M: int, share: float, rng: np.random.Generator) -> int:
    """Draw a number of spikes."""
    return int(rng.integers(1, max(2, int(share * M)), endpoint=True))


def half_overlap(N: int, M: int) -> float:
    """θ of a spike whose eigenvector is half signal: 1 - c/θ² = (1 + c/θ)/2 with c = M/N."""
    c = M / N
    return (c + math.sqrt(c * c + 8.0 * c)) / 2.0


def weak_spikes(N: int, M: int, rng: np.random.Generator) -> Matrix:
    """Draw spikes between the threshold of their appearance and half overlap."""
    theta = rng.uniform(math.sqrt(M / N), half_overlap(N, M), few(M, 0.05, rng))
    return ensembles.spiked(N, M, theta, rng)


def strong_spikes(N: int, M: int, rng: np.random.Generator) -> Matrix:
    """Draw spikes from half overlap to ten times it."""
    theta = half_overlap(N, M) * rng.uniform(1.0, 10.0, few(M, 0.05, rng))
    return ensembles.spiked(N, M, theta, rng)


def low_rank(low: float, high: float) -> Draw:
    """Draw noise and a signal of low rank, its strength in units of the threshold σ/Q^¼."""

    def draw(N: int, M: int, rng: np.random.Generator) -> Matrix:
        strength = rng.uniform(low, high) * (M / N) ** 0.25
        return ensembles.low_rank_plus_noise(N, M, few(M, 0.1, rng), rng, strength=strength)

    return draw


def deficient(N: int, M: int, rng: np.random.Generator) -> Matrix:
    """Draw a product of two Gaussian matrices, stored in single precision."""
    rank = int(rng.uniform(0.1, 0.9) * M)
    product = rng.standard_normal((N, rank)) @ rng.standard_normal((rank, M))
    return product.astype(np.float32)


def dead_columns(N: int, M: int, rng: np.random.Generator) -> Matrix:
    """Draw a Gaussian matrix of which some columns are zero."""
    W = ensembles.gaussian(N, M, rng)
    W[:, : int(rng.uniform(0.1, 0.9) * M) + 1] = 0.0
    return W


def nearly_deficient(N: int, M: int, rng: np.random.Generator) -> Matrix:
    """Draw a product of low rank and noise of a thousandth of its size."""
    W = deficient(N, M, rng)
    return W + 1e-3 * W.std() * rng.standard_normal((N, M))


def correlated(N: int, M: int, rng: np.random.Generator) -> Matrix:
    """Draw rows that are correlated with their neighbors."""
    return ensembles.correlated_rows(N, M, rng.uniform(0.2, 0.8), rng)


KINDS: tuple[tuple[str, str, Draw], ...] = (
    ("random-like", "Gaussian", ensembles.gaussian),
    ("random-like", "uniform", uniform),
    ("random-like", "Student t, 6 to 12 d.o.f.", student(6.0, 12.0)),
    ("bleeding-out", "spikes up to half overlap", weak_spikes),
    ("bleeding-out", "weak low rank + noise", low_rank(1.0, 1.5)),
    ("bulk+spikes", "spikes above half overlap", strong_spikes),
    ("bulk+spikes", "strong low rank + noise", low_rank(2.0, 5.0)),
    ("bulk-decay", "Pareto, mu 2 to 4", pareto(2.0, 4.0)),
    ("bulk-decay", "Student t, 2 to 4 d.o.f.", student(2.0, 4.0)),
    ("bulk-decay", "Gaussian + heavy part, mu 1.5 to 2", heavy_part),
    ("heavy-tailed", "Pareto, mu 0.5 to 2", pareto(0.5, 2.0)),
    ("heavy-tailed", "Student t, 0.5 to 2 d.o.f.", student(0.5, 2.0)),
    ("heavy-tailed", "power-law spectrum, alpha 2 to 4", power_law_spectrum),
    ("rank-collapse", "low rank, float32", deficient),
    ("rank-collapse", "zero columns", dead_columns),
    ("rank-collapse", "low rank + noise of 1/1000", nearly_deficient),
    ("none of them", "correlated rows", correlated),
)


def rows() -> Iterator[dict[str, object]]:
    """All rows of the table; each kind and shape has its own stream of random numbers."""
    for (k, (phase, kind, draw)), (s, (N, M)) in itertools.product(
        enumerate(KINDS), enumerate(SHAPES)
    ):
        rng = np.random.default_rng([SEED, k, s])
        found: Counter[str] = Counter()
        for _ in range(DRAWS):
            eigen = spectrum(draw(N, M, rng), solver="gram")
            found[phase_of(eigen.eigenvalues, N, rank=eigen.rank).name] += 1
        counts = {name: found[name] for name in get_args(PhaseName)}
        yield {"phase": phase, "kind": kind, "rows": N, "columns": M, "draws": DRAWS, **counts}


def main() -> None:
    """Write the table."""
    table = list(rows())
    with OUTPUT.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


if __name__ == "__main__":
    main()
