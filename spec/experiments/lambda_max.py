# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "htsr-ref"]
# ///
"""How the largest eigenvalue of X = WᵀW/N grows with N, for square matrices of Pareto entries.

Theory says λ_max ~ N^(4/μ - 1). One row of the table is one tail index μ: that exponent, the slope
of a least-squares line through the medians of log10 λ_max over log10 N, each weighted by its
Monte-Carlo error, with its standard error, the line's χ² per degree of freedom, and the medians.
The entries are those of universality.py, |w| ≥ 1.

    OPENBLAS_NUM_THREADS=1 uv run lambda_max.py    # writes lambda_max.csv beside this file
"""

import csv
import math
from pathlib import Path

import numpy as np
from universality import median_error, pareto_spectrum

SEED = 20_060_907
MUS = (0.5, 1.0, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)
DRAWS = {50: 2000, 100: 2000, 200: 1000, 400: 500, 800: 250}
"""Number of draws by N."""

OUTPUT = Path(__file__).with_suffix(".csv")


def medians(mu: float) -> tuple[list[float], list[float]]:
    """Medians of log10 λ_max at every N and their Monte-Carlo errors."""
    found, errors = [], []
    for N, draws in DRAWS.items():
        rng = np.random.default_rng([SEED, round(1000 * mu), N])
        logs = np.sort(
            [math.log10(pareto_spectrum(N, N, mu, rng).lambda_max) for _ in range(draws)]
        )
        found.append(float(np.median(logs)))
        errors.append(median_error(logs))
    return found, errors


def measure(mu: float) -> dict[str, object]:
    """Compute one row of the table."""
    y, errors = medians(mu)
    x, weights = np.log10(list(DRAWS)), np.array(errors) ** -2
    dx = x - np.average(x, weights=weights)
    stderr = float((weights * dx**2).sum()) ** -0.5
    slope = float((weights * dx * y).sum()) * stderr**2
    residuals = y - np.average(y, weights=weights) - slope * dx
    return {
        "mu": mu,
        "theory": f"{max(4 / mu - 1, 0):.4f}",
        "exponent": f"{slope:.4f}",
        "stderr": f"{stderr:.4f}",
        "chi2_per_dof": f"{float((weights * residuals**2).sum()) / (x.size - 2):.2f}",
        **{f"median_{N}": f"{value:.4f}" for N, value in zip(DRAWS, y, strict=True)},
    }


def main() -> None:
    """Write the table."""
    rows = [measure(mu) for mu in MUS]
    with OUTPUT.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
