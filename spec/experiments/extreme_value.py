# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "htsr-ref"]
# ///
"""How well the sign of the extreme-value index tells heavy-tailed matrices from others.

For matrices of independent entries of four kinds and four shapes, the eigenvalues of WᵀW are given
to the moment estimator with several shares of them as k. One row of the table is one kind, shape
and share: over the draws, the mean and standard deviation of ξ, the mean of the standard
error that each single draw states, and how often each verdict falls.

The kinds called "independent" are not matrices: as many independent values as the matrix of that
shape has eigenvalues. The "independent edge" has the Gaussian matrix's Marchenko-Pastur law; the
eigenvalues repel one another and these do not, which is all that tells the two apart. The other
three have ξ = 0.

    OPENBLAS_NUM_THREADS=1 uv run extreme_value.py    # writes extreme_value.csv beside this file
"""

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from htsr_ref.powerlaw.extreme import TailIndex, moment_index

Array = NDArray[np.float64]

SEED = 20_200_124
DRAWS = 100
SHAPES = ((300, 200), (1000, 500), (2000, 1000), (100, 50))
SHARES = (0.05, 0.1, 0.2)
OUTPUT = Path(__file__).with_suffix(".csv")


def eigenvalues(entries: Array) -> Array:
    """Positive eigenvalues of WᵀW: none of these matrices is singular."""
    return np.maximum(np.linalg.eigvalsh(entries.T @ entries), np.finfo(float).tiny)


def gaussian(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Draw normal entries."""
    return eigenvalues(rng.standard_normal(shape))


def student_4(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Draw Student-t entries with 4 degrees of freedom, P(|x| > t) ~ t^-4."""
    return eigenvalues(rng.standard_t(4, shape))


def pareto(mu: float, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Draw entries of random sign with P(|x| > t) = t^-μ."""
    return eigenvalues(rng.choice((-1.0, 1.0), shape) * (1.0 - rng.random(shape)) ** (-1.0 / mu))


def independent_edge(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Draw independently from the Marchenko-Pastur law, by its distribution function on a grid."""
    ratio = shape[1] / shape[0]
    low, high = (1.0 - ratio**0.5) ** 2, (1.0 + ratio**0.5) ** 2
    # Points cos θ crowd at both edges, where the density has square roots.
    angle = np.linspace(np.pi, 0.0, 100_001)
    x = 0.5 * (high + low) + 0.5 * (high - low) * np.cos(angle)
    density = np.sqrt(np.maximum((high - x) * (x - low), 0.0)) / x
    steps = 0.5 * (density[1:] + density[:-1]) * np.diff(x)
    cdf = np.concatenate(([0.0], np.cumsum(steps)))
    return np.interp(rng.random(shape[1]) * cdf[-1], cdf, x)


ENSEMBLES = {
    "Gaussian": gaussian,
    "Student t, 4 d.o.f.": student_4,
    "Pareto, mu = 1": lambda shape, rng: pareto(1.0, shape, rng),
    "Pareto, mu = 2.5": lambda shape, rng: pareto(2.5, shape, rng),
    "independent edge": independent_edge,
    "independent exponential": lambda shape, rng: rng.exponential(size=shape[1]),
    "independent lognormal": lambda shape, rng: rng.lognormal(size=shape[1]),
    "independent half-normal": lambda shape, rng: np.abs(rng.standard_normal(shape[1])),
}


def summary(found: list[TailIndex]) -> dict[str, float | int]:
    """Figures of one row."""
    xi = np.array([index.xi for index in found])
    stderr = np.array([index.stderr for index in found])
    verdicts = [index.verdict for index in found]
    return {
        "draws": len(found),
        "median_k": float(np.median([index.k for index in found])),
        "mean_xi": round(float(xi.mean()), 4),
        "sd_xi": round(float(xi.std(ddof=1)), 4),
        "mean_stderr": round(float(stderr.mean()), 4),
        "heavy_tail": verdicts.count("heavy tail"),
        "bounded_edge": verdicts.count("bounded edge"),
        "undecided": verdicts.count("undecided"),
    }


def rows() -> Iterator[dict[str, object]]:
    """All rows of the table; each ensemble and shape has its own stream of random numbers."""
    for (e, name), (s, shape) in itertools.product(enumerate(ENSEMBLES), enumerate(SHAPES)):
        rng = np.random.default_rng([SEED, e, s])
        samples = [ENSEMBLES[name](shape, rng) for _ in range(DRAWS)]
        for share in SHARES:
            k = min(max(int(share * shape[1]), 10), shape[1] // 2)
            found = [moment_index(np.sort(sample), k) for sample in samples]
            yield {
                "ensemble": name,
                "rows": shape[0],
                "columns": shape[1],
                "share": share,
                **summary(found),
            }


def main() -> None:
    """Write the table."""
    table = list(rows())
    with OUTPUT.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


if __name__ == "__main__":
    main()
