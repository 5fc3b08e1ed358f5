# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "htsr-ref"]
# ///
"""The exponent α that the fit finds in matrices of independent Pareto entries.

One row of the table is one cell: the tail index μ of the entries and the shape N×M. Over the draws
it holds the quantiles of α and the Monte-Carlo error of the median. The package reads the table in
`htsr_ref.randommatrix.universality`.

Each cell has its own stream of random numbers, so that the order of the cells does not matter, and
finished cells are kept in a journal in the working folder: after an interruption the same command
goes on. The entries are drawn here and not by the package, so that the table can be made again
whatever becomes of its ensembles.

    OPENBLAS_NUM_THREADS=1 uv run universality.py --workers 2
"""

import argparse
import csv
import io
import itertools
import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from htsr_ref.powerlaw import fit_power_law
from htsr_ref.spectra.eigenvalues import Spectrum, spectrum

Array = NDArray[np.float64]

SEED = 18_100_107
MUS = (*np.arange(0.5, 4.1, 0.25).tolist(), 4.5, 5.0, 6.0)
ASPECT_RATIOS = (1, 2, 4)
DRAWS = {48: 1000, 100: 1000, 200: 1000, 500: 300, 1000: 100, 2000: 40}
"""Number of draws by N."""

OUTPUT = Path(__file__).parents[2] / "htsr_ref/randommatrix/alpha_of_mu.csv"
JOURNAL = Path("universality.journal.csv")
QUANTILES = {"q025": 0.025, "q25": 0.25, "median": 0.5, "q75": 0.75, "q975": 0.975}
COLUMNS = ("mu", "N", "M", "draws", *QUANTILES, "median_error")


class Cell(NamedTuple):
    """One cell of the table."""

    mu: float
    N: int
    M: int


def cells() -> list[Cell]:
    """List all cells, the small matrices first."""
    return [Cell(mu, N, N // Q) for N, mu, Q in itertools.product(DRAWS, MUS, ASPECT_RATIOS)]


def pareto(N: int, M: int, mu: float, rng: np.random.Generator) -> Array:
    """Draw independent entries of random sign with P(|w| > t) = t^-μ for t ≥ 1."""
    uniform = rng.uniform(-1.0, 1.0, (N, M))
    return np.sign(uniform) * np.abs(uniform) ** (-1.0 / mu)


def pareto_spectrum(N: int, M: int, mu: float, rng: np.random.Generator) -> Spectrum:
    """Draw one matrix and find the eigenvalues of X = WᵀW/N.

    Below μ = 1 they span more decades than the Gram matrix resolves.
    """
    return spectrum(pareto(N, M, mu, rng), solver="svd" if mu < 1 else "gram")


def median_error(ascending: Array) -> float:
    """Half the distance of the order statistics one binomial deviation, √n/2, off the median."""
    n = ascending.size
    low, high = math.floor((n - math.sqrt(n)) / 2), math.ceil((n + math.sqrt(n)) / 2) - 1
    return float(ascending[high] - ascending[low]) / 2


def measure(cell: Cell) -> dict[str, object]:
    """Compute one row of the table."""
    rng = np.random.default_rng([SEED, round(1000 * cell.mu), cell.N, cell.M])
    draws = DRAWS[cell.N]
    alphas = np.sort(
        [
            fit_power_law(pareto_spectrum(cell.N, cell.M, cell.mu, rng).positive).alpha
            for _ in range(draws)
        ]
    )
    # A new draw lies below such a quantile with the probability q, however few the draws.
    figures = {n: float(np.quantile(alphas, q, method="weibull")) for n, q in QUANTILES.items()}
    figures["median_error"] = median_error(alphas)
    return {
        **cell._asdict(),
        "draws": draws,
        **{name: f"{value:.5g}" for name, value in figures.items()},
    }


def read_journal() -> dict[Cell, dict[str, str]]:
    """Read the finished cells; a last line that was not written to its end does not count."""
    if not JOURNAL.exists():
        return {}
    text = JOURNAL.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    JOURNAL.write_text(whole, encoding="utf-8")
    rows = csv.DictReader(io.StringIO(whole), COLUMNS)
    return {Cell(float(row["mu"]), int(row["N"]), int(row["M"])): row for row in rows}


def measured(missing: list[Cell], workers: int) -> Iterator[dict[str, object]]:
    """Measure cells, on several processes if asked to."""
    if workers == 1:
        yield from map(measure, missing)
        return
    with ProcessPoolExecutor(workers) as executor:
        yield from executor.map(measure, missing)


def write_table(rows: Iterable[dict[str, str]]) -> None:
    """Write the table, whole or not at all."""
    partial = OUTPUT.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(OUTPUT)


def main() -> None:
    """Measure what the journal lacks, then write the table in order."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workers", type=int, default=1, help="processes side by side")
    workers = parser.parse_args().workers
    finished = read_journal()
    missing = [cell for cell in cells() if cell not in finished]
    with JOURNAL.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        for row in measured(missing, workers):
            writer.writerow(row)
            stream.flush()
    finished = read_journal()
    write_table(finished[cell] for cell in sorted(finished))
    JOURNAL.unlink()


if __name__ == "__main__":
    main()
