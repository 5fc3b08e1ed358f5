# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "htsr-ref[plot]"]
# ///
"""The relations of SDM 2020 between norm, exponent and largest eigenvalue, on Pareto matrices.

Square matrices W of independent entries of random sign, P(|w| > t) = t^-μ for t ≥ 1; X = WᵀW/N;
every log has the base 10. One row of `pl_norm.csv` is one μ and N: medians over the draws. One row
of `pl_norm_lines.csv` is one class of μ and one N: how the quantities go together over all its
matrices. Figures:

    pl_norm_relation.svg    α·log λ_max against log ‖W‖_F²
    pl_norm_decrease.svg    log ‖W‖_F² against α
    pl_norm_alpha.svg       α against μ, from the table of universality.py
    pl_norm_rank.svg        log-units stable rank log ‖W‖_F²/log λ_max against α

    OPENBLAS_NUM_THREADS=1 uv run pl_norm.py    # writes all of them beside this file
    uv run pl_norm.py --figures                 # draws the figures anew from the tables
"""

import argparse
import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from universality import OUTPUT as ALPHA_TABLE
from universality import pareto_spectrum

from htsr_ref.metrics import log10_frobenius_norm
from htsr_ref.plots import ORANGE, drawing, save_figure
from htsr_ref.powerlaw import fit_power_law

Array = NDArray[np.float64]
Matrices = dict[tuple[float, int], Array]

SEED = 19_010_827
MUS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0)
DRAWS = {50: 400, 100: 400, 200: 200, 500: 100, 1000: 50}
"""Number of draws by N."""

QUANTITIES = ("log_norm", "weighted_alpha", "alpha", "log_stable_rank")
"""What is measured of a matrix, by its column in `pl_norm.csv`."""

LABELS = {
    "log_norm": r"$\log_{10} ‖W‖_F^2$",
    "weighted_alpha": r"$α\,\log_{10} λ_{\max}$",
    "alpha": "α",
    "log_stable_rank": r"$R = \log_{10} ‖W‖_F^2\ /\ \log_{10} λ_{\max}$",
    "mu": "μ",
    "median": "median α",
}

CLASSES = {"VHT": (0.0, 2.0), "MHT": (2.0, 4.0), "WHT": (4.0, np.inf)}
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Guide:
    """A straight line to compare with."""

    name: str
    slope: float
    intercept: float
    between: tuple[float, float]


def draw(mu: float, N: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Draw one matrix and measure its quantities."""
    X = pareto_spectrum(N, N, mu, rng)
    alpha = fit_power_law(X.positive).alpha
    log_norm = 2 * log10_frobenius_norm(X.eigenvalues, X.scale)
    log_max = math.log10(X.lambda_max)
    return log_norm, alpha * log_max, alpha, log_norm / log_max


def draw_all() -> Matrices:
    """All matrices by μ and N: arrays of (draws, quantities)."""
    found = {}
    for N, draws in DRAWS.items():
        for mu in MUS:
            rng = np.random.default_rng([SEED, round(1000 * mu), N])
            found[mu, N] = np.array([draw(mu, N, rng) for _ in range(draws)])
    return found


def ranks(x: Array) -> Array:
    """Ranks of values without ties."""
    return np.argsort(np.argsort(x)).astype(np.float64)


def correlation(x: Array, y: Array) -> float:
    """Pearson's correlation."""
    return float(np.corrcoef(x, y)[0, 1])


def line(name: str, N: int, sample: Array) -> dict[str, object]:
    """How the quantities go together over the matrices of one class and N."""
    log_norm, weighted, alpha, rank = sample.T
    dx = log_norm - log_norm.mean()
    slope = float(dx @ weighted / (dx @ dx))
    return {
        "class": name,
        "N": N,
        "matrices": len(sample),
        "slope": f"{slope:.3f}",
        "intercept": f"{weighted.mean() - slope * log_norm.mean():.3f}",
        "pearson": f"{correlation(log_norm, weighted):.3f}",
        "median_ratio": f"{np.median(weighted / log_norm):.3f}",
        "spearman_norm_alpha": f"{correlation(ranks(log_norm), ranks(alpha)):.3f}",
        "spearman_rank_alpha": f"{correlation(ranks(rank), ranks(alpha)):.3f}",
        "median_rank_minus_alpha": f"{np.median(rank - alpha):.3f}",
    }


def lines(matrices: Matrices) -> list[dict[str, object]]:
    """Rows of `pl_norm_lines.csv`; the borders μ = 2 and 4 belong to no class, only to "all"."""
    rows = []
    for name, (low, high) in {**CLASSES, "all": (0.0, np.inf)}.items():
        for N in DRAWS:
            chosen = [mu for mu in MUS if low < mu < high]
            rows.append(line(name, N, np.concatenate([matrices[mu, N] for mu in chosen])))
    return rows


def medians(matrices: Matrices) -> list[dict[str, object]]:
    """Rows of `pl_norm.csv`."""
    return [
        {
            "mu": mu,
            "N": N,
            "draws": len(sample),
            **{
                name: f"{value:.4f}"
                for name, value in zip(QUANTITIES, np.median(sample, axis=0), strict=True)
            },
        }
        for (mu, N), sample in matrices.items()
    ]


def write(name: str, rows: Sequence[dict[str, object]]) -> None:
    """Write a table beside this file."""
    with (FOLDER / name).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read(path: Path) -> dict[int, dict[str, Array]]:
    """Columns of a table for every N, the square matrices only."""
    with path.open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["N"] == row.get("M", row["N"])]
    return {
        N: {name: np.array([float(r[name]) for r in rows if int(r["N"]) == N]) for name in rows[0]}
        for N in sorted({int(row["N"]) for row in rows})
    }


def figure(name: str, path: Path, x: str, y: str, guide: Guide | None) -> None:
    """Draw one column of a table against another, from small to large μ, a curve for every N."""
    table = read(path)
    with drawing(6.5) as drawn:
        axes = drawn.subplots()
        for shade, (N, columns) in zip(
            np.linspace(0.75, 0.0, len(table)), table.items(), strict=True
        ):
            axes.plot(columns[x], columns[y], ".-", color=str(shade), label=f"N = {N}")
        if guide:
            ends = np.array(guide.between)
            axes.plot(
                ends, guide.slope * ends + guide.intercept, "--", color=ORANGE, label=guide.name
            )
        axes.set_xlabel(LABELS[x])
        axes.set_ylabel(LABELS[y])
        axes.legend(frameon=False, fontsize="small")
    save_figure(drawn, FOLDER / name)


def draw_figures() -> None:
    """Draw all figures from the tables."""
    norms = FOLDER / "pl_norm.csv"
    slope_1 = Guide("y = x", slope=1.0, intercept=0.0, between=(3.0, 26.0))
    figure("pl_norm_relation.svg", norms, "log_norm", "weighted_alpha", slope_1)
    figure("pl_norm_decrease.svg", norms, "alpha", "log_norm", None)
    equal = Guide("R = α", slope=1.0, intercept=0.0, between=(1.0, 8.0))
    figure("pl_norm_rank.svg", norms, "alpha", "log_stable_rank", equal)
    limit = Guide("μ/2 + 1", slope=0.5, intercept=1.0, between=(0.5, 4.0))
    figure("pl_norm_alpha.svg", ALPHA_TABLE, "mu", "median", limit)


def main() -> None:
    """Write the tables and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--figures", action="store_true", help="only draw the figures anew")
    if not parser.parse_args().figures:
        matrices = draw_all()
        write("pl_norm.csv", medians(matrices))
        write("pl_norm_lines.csv", lines(matrices))
    draw_figures()


if __name__ == "__main__":
    main()
