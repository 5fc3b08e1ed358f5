# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "htsr-ref"]
# ///
"""How often the bootstrap interval of a trend's R² covers the true one.

Metric and accuracy are drawn from a bivariate normal distribution whose squared correlation is the
true R². One row of the table is one true R² and number of models: the share of series whose 95 %
interval covers it, misses it above or below, and the mean width.

    OPENBLAS_NUM_THREADS=1 uv run r_squared_interval.py    # 20 s
"""

import csv
import itertools
from pathlib import Path

import numpy as np

from htsr_ref.models.trends import fit_trend

SEED = 20_200_218
SERIES = 400
RESAMPLES = 500
OUTPUT = Path(__file__).with_suffix(".csv")


def row(r_squared: float, models: int, rng: np.random.Generator) -> dict[str, object]:
    """Draw the series of one row and count."""
    covariance = [[1.0, np.sqrt(r_squared)], [np.sqrt(r_squared), 1.0]]
    intervals = []
    for _ in range(SERIES):
        x, y = rng.multivariate_normal([0.0, 0.0], covariance, size=models).T
        trend = fit_trend(x, y, resamples=RESAMPLES, seed=int(rng.integers(2**32)))
        intervals.append(trend.r_squared_ci95)
    low, high = np.array(intervals).T
    return {
        "r_squared": r_squared,
        "models": models,
        "covered": f"{np.mean((low <= r_squared) & (r_squared <= high)):.3f}",
        "above_it": f"{np.mean(low > r_squared):.3f}",
        "below_it": f"{np.mean(high < r_squared):.3f}",
        "mean_width": f"{np.mean(high - low):.3f}",
    }


def main() -> None:
    """Write the table."""
    rng = np.random.default_rng(SEED)
    rows = [row(*case, rng) for case in itertools.product((0.3, 0.7, 0.95), (5, 8, 15, 30))]
    with OUTPUT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
