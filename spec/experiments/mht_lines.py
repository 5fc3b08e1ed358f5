# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "htsr-ref"]
# ///
"""The lines α = a·μ + b that fit the moderately heavy-tailed class, 2 < μ < 4, and what bends them.

One row of the table is one kind of entries, one KS distance of the fit and one shape: a and b by
least squares over the median α at μ = 2.25, 2.5, …, 3.75, the largest departure of a median from
the line, and the medians at μ = 2.5, 3 and 3.5. Kinds of entries:

- `Pareto`: of random sign, |w| ≥ 1, as in the table of universality.py, from which they are read
  for the two-sided distance;
- `centered Lomax`: |w| + 1 is Pareto, of random sign: the same tail on a smaller variance;
- `positive Lomax`: the same without the sign, what `numpy.random.Generator.pareto` returns. Their
  mean is not zero.

    OPENBLAS_NUM_THREADS=1 uv run mht_lines.py    # writes mht_lines.csv beside this file
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from universality import OUTPUT as ALPHA_TABLE
from universality import pareto

from htsr_ref.powerlaw import KsKind, fit_power_law
from htsr_ref.spectra.eigenvalues import spectrum

Array = NDArray[np.float64]

SEED = 18_100_108
MUS = np.arange(2.25, 4.0, 0.25)
DRAWS = {(100, 100): 500, (200, 200): 300, (500, 500): 100, (500, 250): 200, (1000, 500): 100}
"""Number of draws by shape."""

KS_KINDS: tuple[KsKind, ...] = ("two-sided", "one-sided")
OUTPUT = Path(__file__).with_suffix(".csv")


def centered_lomax(N: int, M: int, mu: float, rng: np.random.Generator) -> Array:
    """Draw entries of random sign with P(|w| > t) = (1 + t)^-μ."""
    W = pareto(N, M, mu, rng)
    return W - np.sign(W)


def positive_lomax(N: int, M: int, mu: float, rng: np.random.Generator) -> Array:
    """Draw positive entries with P(w > t) = (1 + t)^-μ."""
    return np.abs(centered_lomax(N, M, mu, rng))


ENTRIES = {"Pareto": pareto, "centered Lomax": centered_lomax, "positive Lomax": positive_lomax}


def row(entries: str, ks: str, N: int, M: int, medians: Array) -> dict[str, object]:
    """One row of the table from the medians at `MUS`."""
    a, b = np.polyfit(MUS, medians, 1)
    return {
        "entries": entries,
        "ks": ks,
        "N": N,
        "M": M,
        "a": f"{a:.3f}",
        "b": f"{b:.3f}",
        "largest_departure": f"{np.abs(medians - a * MUS - b).max():.3f}",
        **{f"alpha_{mu}": f"{medians[mu == MUS][0]:.3f}" for mu in (2.5, 3.0, 3.5)},
    }


def rows_of_table() -> Iterator[dict[str, object]]:
    """Rows from the table of universality.py."""
    with ALPHA_TABLE.open(encoding="utf-8") as stream:
        table = {(int(r["N"]), int(r["M"]), float(r["mu"])): r for r in csv.DictReader(stream)}
    for N, M in sorted({(N, M) for N, M, _ in table}):
        medians = np.array([float(table[N, M, mu]["median"]) for mu in MUS])
        yield row("Pareto", "two-sided", N, M, medians)


def measured_rows() -> Iterator[dict[str, object]]:
    """Rows of the other kinds and distances; both distances are of the same matrices."""
    for e, (name, entries) in enumerate(ENTRIES.items()):
        for (N, M), draws in DRAWS.items():
            alphas = np.empty((MUS.size, draws, len(KS_KINDS)))
            for i, mu in enumerate(MUS):
                rng = np.random.default_rng([SEED, e, N, M, i])
                for j in range(draws):
                    X = spectrum(entries(N, M, mu, rng), solver="gram")
                    alphas[i, j] = [fit_power_law(X.positive, ks=ks).alpha for ks in KS_KINDS]
            for ks, medians in zip(KS_KINDS, np.median(alphas, axis=1).T, strict=True):
                if (name, ks) != ("Pareto", "two-sided"):
                    yield row(name, ks, N, M, medians)


def main() -> None:
    """Write the table."""
    rows = [*rows_of_table(), *measured_rows()]
    with OUTPUT.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
