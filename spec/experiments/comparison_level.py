# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "htsr-ref"]
# ///
"""How often the comparison of laws turns against a power law that is true.

Tails of 50 and 200 points are drawn from power laws of four exponents. A row of the table is one
exponent, size and alternative: over the draws, how often the alternative is favored with a p-value
below 0.05, and how often it is most likely where it is itself the power law.

    OPENBLAS_NUM_THREADS=1 uv run comparison_level.py    # writes comparison_level.csv, one minute
"""

import csv
from pathlib import Path

import numpy as np

from htsr_ref.powerlaw.comparison import compare
from htsr_ref.powerlaw.distributions import DISTRIBUTIONS, PowerLaw
from htsr_ref.powerlaw.distributions.tail import from_log_ratio

SEED = 20_240_611
DRAWS = 2000
ALTERNATIVES = ("truncated_power_law", "lognormal", "stretched_exponential", "exponential")
OUTPUT = Path(__file__).with_suffix(".csv")


def rates(alpha: float, size: int, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """For each alternative, the shares of draws that favor it at 5 % and that are in the limit."""
    counts = {name: [0, 0] for name in ALTERNATIVES}
    for _ in range(DRAWS):
        tail = from_log_ratio(rng.standard_exponential(size) / (alpha - 1.0), 1.0)
        power_law = PowerLaw.fit(tail, 1.0)
        for name, count in counts.items():
            found = compare(power_law, DISTRIBUTIONS[name].fit(tail, 1.0), tail)
            trusted = found.p_value is not None and found.p_value < 0.05
            count[0] += trusted and found.favored == "second"
            count[1] += found.log_likelihood_ratio == 0
    return {name: (favored / DRAWS, limit / DRAWS) for name, (favored, limit) in counts.items()}


def main() -> None:
    """Write the table."""
    rng = np.random.default_rng(SEED)
    with OUTPUT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["alpha", "n", "alternative", "draws", "favored_at_0.05", "limit"])
        for alpha in (1.5, 2.5, 3.5, 6.0):
            for size in (50, 200):
                for name, (favored, limit) in rates(alpha, size, rng).items():
                    writer.writerow([alpha, size, name, DRAWS, f"{favored:.4f}", f"{limit:.4f}"])


if __name__ == "__main__":
    main()
