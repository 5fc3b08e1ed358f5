# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "scipy", "htsr-ref"]
# ///
"""How often the shuffle test (RMT-60 to RMT-64) says what is true of a matrix.

Every row counts the verdicts on independent draws of one ensemble at one size:

- independent entries without a heavy tail (`neither` is right), with one (`heavy-tailed entries`);
- Gaussian entries with correlations: a low-rank part of some times the least strength that makes
  a spike (Benaych-Georges & Nadakuditi 2012), correlated rows, a power-law spectrum between Haar
  frames (`correlations`);
- Pareto entries in pairs of equal rows (`both`).

    OPENBLAS_NUM_THREADS=1 uv run shuffle.py    # writes shuffle.csv beside this file
"""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from htsr_ref.randommatrix import ensembles
from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.spectra.shuffle import NullVerdict, shuffle_null

Array = NDArray[np.float64]
Draw = Callable[[int, int, np.random.Generator], Array]

SEED = 19_310_000
DRAWS = 100
SIZES = ((60, 50), (200, 100), (240, 240))
VERDICTS = get_args(NullVerdict)
OUTPUT = Path(__file__).with_suffix(".csv")


def low_rank(times: float, N: int, M: int, rng: np.random.Generator) -> Array:
    """Gaussian noise and a matrix of rank 1, so many times as strong as is just seen."""
    return ensembles.low_rank_plus_noise(N, M, 1, rng, strength=times * (M / N) ** 0.25)


def power_law(alpha: float, N: int, M: int, rng: np.random.Generator) -> Array:
    """Haar frames around the quantiles of a power law."""
    return ensembles.prescribed(np.sqrt(ensembles.power_law_eigenvalues(M, alpha)), N, rng)


def row_pairs(mu: float, N: int, M: int, rng: np.random.Generator) -> Array:
    """Pareto entries, every row twice."""
    return np.repeat(ensembles.pareto(N, M, mu, rng)[: N // 2], 2, axis=0)


ENSEMBLES: dict[str, tuple[NullVerdict, Draw]] = {
    "Gaussian": ("neither", ensembles.gaussian),
    "Student, 8 degrees of freedom": (
        "neither",
        lambda N, M, rng: ensembles.student_t(N, M, 8.0, rng),
    ),
    **{
        f"Pareto, mu {mu}": (
            "heavy-tailed entries",
            lambda N, M, rng, mu=mu: ensembles.pareto(N, M, mu, rng),
        )
        for mu in (0.5, 1.0, 1.5, 2.5, 3.0, 3.5)
    },
    **{
        f"rank 1, {times} times the threshold": (
            "correlations",
            lambda N, M, rng, times=times: low_rank(times, N, M, rng),
        )
        for times in (1.25, 1.5, 2.0)
    },
    **{
        f"correlated rows, rho {rho}": (
            "correlations",
            lambda N, M, rng, rho=rho: ensembles.correlated_rows(N, M, rho, rng),
        )
        for rho in (0.1, 0.2, 0.3)
    },
    **{
        f"power-law spectrum, alpha {alpha}": (
            "correlations",
            lambda N, M, rng, alpha=alpha: power_law(alpha, N, M, rng),
        )
        for alpha in (2.0, 3.0, 5.0)
    },
    **{
        f"Pareto in equal rows, mu {mu}": (
            "both",
            lambda N, M, rng, mu=mu: row_pairs(mu, N, M, rng),
        )
        for mu in (1.5, 2.5)
    },
}


def verdicts(draw: Draw, N: int, M: int, rng: np.random.Generator) -> Counter[str]:
    """Count the verdicts on independent draws."""
    counts: Counter[str] = Counter()
    for _ in range(DRAWS):
        W = draw(N, M, rng)
        counts[shuffle_null(W, spectrum(W, solver="gram"), rng).verdict] += 1
    return counts


def main() -> None:
    """Write the table."""
    with OUTPUT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ensemble", "truth", "N", "M", "draws", *VERDICTS])
        for number, (name, (truth, draw)) in enumerate(ENSEMBLES.items()):
            for N, M in SIZES:
                counts = verdicts(draw, N, M, np.random.default_rng([SEED, number, N, M]))
                writer.writerow([name, truth, N, M, DRAWS, *(counts[v] for v in VERDICTS)])
                file.flush()


if __name__ == "__main__":
    main()
