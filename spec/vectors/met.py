"""Golden vectors of chapter MET: the formulas applied to given eigenvalues and given metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common import Json, bound, case, decimal, require
from mpmath import mp, mpf

if TYPE_CHECKING:
    from collections.abc import Sequence

MATRIX_KEYS = {
    "lambda_max": "MET-1",
    "lambda_min": "MET-1",
    "log10_frobenius_norm": "MET-2",
    "log10_spectral_norm": "MET-3",
    "log10_alpha_norm": "MET-4",
    "stable_rank": "MET-5",
    "log_stable_rank": "MET-6",
    "entropy": "MET-7",
    "weighted_alpha": "MET-8",
}
KEYS = {
    **MATRIX_KEYS,
    "layer_counts": "MET-9",
    "layer_means": "MET-9",
    "alpha_hat": "MET-10",
    "mean_alpha": "MET-10",
    "mean_log10_frobenius_norm": "MET-10",
    "mean_log10_spectral_norm": "MET-10",
    "mean_log10_alpha_norm": "MET-10",
    "mean_stable_rank": "MET-10",
    "counts": "MET-10",
    "pl_norm_relation": "MET-11",
}
RELATIVE = bound("relative", "1e-12")


def text(value: mpf | None) -> str | None:
    """Write a number, or null."""
    return None if value is None else decimal(value)


# A matrix


def metrics_of(
    eigenvalues: Sequence[float],
    N: int,
    normalization: str,
    num_zero: int,
    rank: int,
    alpha: float | None,
) -> dict[str, mpf | None]:
    """MET-1 to MET-8; None where a metric is null."""
    lam = [mpf(value) for value in eigenvalues]
    c = 1 / mpf(N) if normalization == "1/N" else mpf(1)
    total, largest = mp.fsum(lam), lam[-1]
    metrics: dict[str, mpf | None] = dict.fromkeys(MATRIX_KEYS)
    metrics["lambda_max"] = largest
    metrics["lambda_min"] = mpf(0) if num_zero else lam[0]
    if largest == 0:
        return metrics
    log_largest = mp.log10(largest)
    metrics["log10_frobenius_norm"] = mp.log10(total / c) / 2
    metrics["log10_spectral_norm"] = mp.log10(largest / c) / 2
    metrics["stable_rank"] = total / largest
    if log_largest != 0:
        metrics["log_stable_rank"] = mp.log10(total / c) / log_largest
    if rank >= 2:
        shares = [value / total for value in lam[-rank:]]
        metrics["entropy"] = -mp.fsum(p * mp.log(p) for p in shares) / mp.log(rank)
    if alpha is not None:
        powers = [value ** mpf(alpha) for value in lam[num_zero:]]
        metrics["log10_alpha_norm"] = mp.log10(mp.fsum(powers))
        metrics["weighted_alpha"] = mpf(alpha) * log_largest
    return metrics


def matrix_case(
    name: str,
    requirements: str,
    eigenvalues: Sequence[float],
    alpha: float | None,
    *,
    N: int | None = None,
    normalization: str = "1/N",
    num_zero: int = 0,
) -> dict[str, Json]:
    """Make a case of a matrix, square unless N is given, whose rank is M less the zeros."""
    M = len(eigenvalues)
    given = {
        "N": N or M,
        "M": M,
        "normalization": normalization,
        "eigenvalues": list(eigenvalues),
        "num_zero": num_zero,
        "rank": M - num_zero,
        "alpha": alpha,
    }
    zeros, others = eigenvalues[:num_zero], eigenvalues[num_zero:]
    counted = not any(zeros) and all(value > 1e-12 * max(others) for value in others)
    require(counted, f"{name}: num_zero is not that of SPC-5")
    metrics = metrics_of(eigenvalues, N or M, normalization, num_zero, M - num_zero, alpha)
    for key, value in metrics.items():
        # A logarithm next to zero has no binary64 value to twelve digits.
        usable = not value or abs(value) > 0.01 or not key.startswith("log")
        require(usable, f"{name}: {key} is next to zero")
    expected = {key: text(value) for key, value in metrics.items()}
    tolerance = {key: RELATIVE for key, value in metrics.items() if value is not None}
    return case(f"met/matrix/{name}", requirements, given, expected, tolerance)


def matrix_cases() -> list[dict[str, Json]]:
    """Make the cases of MET-1 to MET-8."""
    squares = [1.0, 4.0, 9.0, 16.0]
    small = [0.01, 0.02, 0.05, 0.3]
    heavy = [float((1 - (mpf(i) - 0.5) / 48) ** (-1 / mpf("1.5"))) for i in range(1, 49)]
    everything = "MET-1 MET-2 MET-3 MET-4 MET-5 MET-6 MET-7 MET-8"
    return [
        matrix_case("squares", everything, squares, 2.5, N=10),
        matrix_case("squares/unscaled", everything, squares, 2.5, N=10, normalization="none"),
        matrix_case("heavy-tailed", everything, heavy, 2.4375, N=200),
        matrix_case("below-one", "MET-4 MET-6 MET-8", small, 3.25, N=9),
        matrix_case("below-one/unscaled", "MET-6", small, 3.25, N=9, normalization="none"),
        matrix_case("without-alpha", "MET-4 MET-8", squares, None),
        matrix_case("zeros", "MET-1 MET-4 MET-7", [0.0, 0.0, 1.0, 2.5, 7.0], 2.0, N=8, num_zero=2),
        matrix_case("zero-matrix", everything, [0.0, 0.0, 0.0], None, N=5, num_zero=3),
        matrix_case("all-equal", "MET-5 MET-7", [2.5] * 6, None),
        matrix_case("rank-one", "MET-1 MET-5 MET-7", [0.0, 0.0, 6.0], None, num_zero=2),
        matrix_case("one-dominates", "MET-5 MET-7", [0.001, 0.002, 0.003, 50.0], 2.0, N=7),
        matrix_case("1x1", "MET-5 MET-7", [9.0], None),
        matrix_case(
            "largest-is-one", "MET-3 MET-6 MET-8", [0.25, 0.5, 1.0], 2.0, normalization="none"
        ),
        matrix_case("spectral-norm-one", "MET-3", [0.0625, 0.125, 0.1875, 0.25], 2.0),
        matrix_case("alpha-norm-beyond-range", "MET-4", [1e148, 3e149, 1e150], 40.0, N=12),
        matrix_case("alpha-norm-below-range", "MET-4", [1e-160, 2e-150, 5e-150], 40.0, N=12),
        matrix_case("alpha-norm-barely-heavy", "MET-4", heavy, 1.0625, N=48),
    ]


# A model


def mean(values: Sequence[mpf | None]) -> mpf | None:
    """Mean of the defined values."""
    defined = [value for value in values if value is not None]
    return mp.fsum(defined) / len(defined) if defined else None


def relation(matrices: Sequence[dict[str, Json]]) -> dict[str, mpf | None] | None:
    """MET-11."""
    fitted = [matrix for matrix in matrices if matrix["alpha"] is not None]
    x = [2 * matrix["log10_frobenius_norm"] for matrix in fitted]
    y = [matrix["weighted_alpha"] for matrix in fitted]
    n = len(fitted)
    if n < 2 or min(x) == max(x):
        return None
    x_mean, y_mean = mp.fsum(x) / n, mp.fsum(y) / n
    sxx = mp.fsum((a - x_mean) ** 2 for a in x)
    syy = mp.fsum((b - y_mean) ** 2 for b in y)
    sxy = mp.fsum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
    slope = sxy / sxx
    return {
        "slope": slope,
        "intercept": y_mean - slope * x_mean,
        "pearson_r": None if min(y) == max(y) else sxy / mp.sqrt(sxx * syy),
    }


MEANS = {
    "alpha_hat": "weighted_alpha",
    "mean_alpha": "alpha",
    "mean_log10_frobenius_norm": "log10_frobenius_norm",
    "mean_log10_spectral_norm": "log10_spectral_norm",
    "mean_log10_alpha_norm": "log10_alpha_norm",
    "mean_stable_rank": "stable_rank",
}
WITH_ALPHA = ("alpha_hat", "mean_alpha", "mean_log10_alpha_norm")
Numbers = dict[str, float | None]


def matrix(
    alpha: float | None,
    weighted_alpha: float | None,
    frobenius: float | None,
    spectral: float | None,
    alpha_norm: float | None,
    stable_rank: float | None,
) -> Numbers:
    """Name the metrics of a matrix. They are free numbers: no spectrum stands behind them."""
    return {
        "alpha": alpha,
        "weighted_alpha": weighted_alpha,
        "log10_frobenius_norm": frobenius,
        "log10_spectral_norm": spectral,
        "log10_alpha_norm": alpha_norm,
        "stable_rank": stable_rank,
    }


def model_case(
    name: str,
    requirements: str,
    layers: Sequence[Sequence[Numbers]],
    average: str = "matrices",
    alpha_range: tuple[float, float] | None = None,
) -> dict[str, Json]:
    """Make a case of a model whose layers are lists of matrices (MET-9 to MET-11)."""
    exact = [
        [{k: None if v is None else mpf(v) for k, v in numbers.items()} for numbers in layer]
        for layer in layers
    ]
    layer_means = [
        {key: mean([numbers[key] for numbers in layer]) for key in MEANS.values()}
        for layer in exact
    ]
    matrices = [numbers for layer in exact for numbers in layer]
    units = layer_means if average == "layers" else matrices
    inside = [
        unit
        for unit in units
        if alpha_range is None
        or (unit["alpha"] is not None and alpha_range[0] <= unit["alpha"] <= alpha_range[1])
    ]
    entering = {key: inside if key in WITH_ALPHA else units for key in MEANS}
    line = relation(matrices)

    expected: dict[str, Json] = {
        key: text(mean([unit[MEANS[key]] for unit in entering[key]])) for key in MEANS
    }
    expected["counts"] = {
        key: sum(unit[MEANS[key]] is not None for unit in entering[key]) for key in MEANS
    }
    expected["layer_counts"] = [
        {key: sum(numbers[key] is not None for numbers in layer) for key in MEANS.values()}
        for layer in exact
    ]
    expected["layer_means"] = [{k: text(v) for k, v in means.items()} for means in layer_means]
    expected["pl_norm_relation"] = line and {key: text(value) for key, value in line.items()}
    tolerance = {key: RELATIVE for key in MEANS if expected[key] is not None}
    if layers:
        tolerance["layer_means"] = RELATIVE
    if line:
        tolerance["pl_norm_relation"] = bound("absolute", "1e-12")
    given = {
        "layers": [list(layer) for layer in layers],
        "average": average,
        "alpha_range": alpha_range and list(alpha_range),
    }
    return case(f"met/model/{name}", requirements, given, expected, tolerance)


def model_cases() -> list[dict[str, Json]]:
    """Make the cases of MET-9 to MET-11."""
    fc = [matrix(3.1, 2.2, 1.4, 0.35, 2.9, 12.5)]
    conv = [
        matrix(2.0, 1.1, 0.8, 0.275, 1.9, 9.0),
        matrix(4.5, -1.3, 0.2, -0.14, -0.9, 5.25),
        matrix(6.0, 3.4, 1.1, 0.283, 3.6, 30.0),
    ]
    unfitted = [matrix(None, None, 0.7, 0.4, None, 4.0), matrix(2.75, 1.6, 0.9, 0.29, 1.8, 16.0)]
    zero = [matrix(None, None, None, None, None, None)]
    model = [fc, conv, unfitted, zero]
    steady = [[matrix(2.5, 3.5, x, 0.7, 3.75, 8.0)] for x in (0.5, 0.75, 1.5)]
    same_x = [[matrix(2.5, y, 0.1, 0.7, 3.75, 8.0)] for y in (1.0, 2.0, 4.0)]
    exact = [
        [matrix(a, 2 * x, x, 0.25, 1.5, 8.0)] for a, x in ((2.0, 0.5), (3.0, 1.5), (2.5, 0.75))
    ]
    means = "MET-9 MET-10 MET-11"
    return [
        model_case("matrices", means, model),
        model_case("layers", means, model, "layers"),
        model_case("matrices/alpha-range", "MET-10", model, "matrices", (2.0, 4.5)),
        model_case("layers/alpha-range", "MET-9 MET-10", model, "layers", (2.8, 4.2)),
        model_case("alpha-range-without-units", "MET-10", model, "matrices", (10.0, 20.0)),
        model_case("empty", "MET-10 MET-11", []),
        model_case("nothing-defined", "MET-9 MET-10 MET-11", [zero, zero], "layers"),
        model_case("relation/one-matrix", "MET-11", [fc]),
        model_case("relation/exact-line", "MET-11", exact),
        model_case("relation/equal-y", "MET-11", steady),
        model_case("relation/equal-x", "MET-11", same_x),
    ]


def cases() -> list[dict[str, Json]]:
    """Make all cases of the chapter."""
    return matrix_cases() + model_cases()
