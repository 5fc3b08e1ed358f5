"""Golden vectors of chapter PL: every candidate for xmin is fitted, at 50 digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common import Json, bound, case, decimal, require
from mpmath import mp, mpf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEYS = {
    "alpha": "PL-2",
    "ks_distance": "PL-3",
    "xmin": "PL-4",
    "tail_size": "PL-4",
    "sample_size": "PL-1",
    "stderr": "PL-6",
    "ci95": "PL-6",
}


@dataclass(frozen=True)
class Fit:
    """The fit of one tail."""

    xmin: float
    tail_size: int
    alpha: mpf
    distance: dict[str, mpf]  # by kind of KS distance


def fit_tail(points: Sequence[float], xmin: float) -> Fit:
    """PL-2 and PL-3 for the tail x ≥ xmin of ascending points."""
    logs = [mp.log(mpf(x)) - mp.log(mpf(xmin)) for x in points if x >= xmin]
    n = len(logs)
    alpha = 1 + n / mp.fsum(logs)
    below, above = mpf(0), mpf(0)
    for k, log in enumerate(logs, 1):
        F = 1 - mp.exp((1 - alpha) * log)
        below = max(below, abs(F - mpf(k - 1) / n))
        above = max(above, abs(F - mpf(k) / n))
    return Fit(xmin, n, alpha, {"one-sided": below, "two-sided": max(below, above)})


def best_fit(fits: Sequence[Fit], ks: str, *, exact_tie: bool) -> Fit:
    """PL-4, for samples in which no rounding can change the choice.

    The best candidate is ahead of the next by more than 1e-9; or, in the cases about ties, both
    distances are one binary fraction that is found without rounding, k/n − F(xmin) = k/n.
    """
    ranked = sorted(fits, key=lambda fit: (fit.distance[ks], fit.xmin))
    if len(ranked) > 1:
        best, second = (fit.distance[ks] for fit in ranked[:2])
        tied = best == second == mpf(1) / 2
        apart = second - best > mpf("1e-9")
        require(tied if exact_tie else apart, "two candidates are too close")
    return ranked[0]


def fit_cases(
    name: str,
    requirements: str,
    sample: Sequence[float],
    *,
    kinds: Sequence[str] = ("two-sided", "one-sided"),
    xmin: float | str = "ks",
    exact_tie: bool = False,
) -> list[dict[str, Json]]:
    """Make a case for each kind of KS distance."""
    points = sorted(sample)
    candidates = sorted(set(points))[:-1] if xmin == "ks" else [float(xmin)]
    fits = [fit_tail(points, x) for x in candidates]
    result = []
    for ks in kinds:
        fit = best_fit(fits, ks, exact_tie=exact_tie)
        stderr = (fit.alpha - 1) / mp.sqrt(fit.tail_size)
        half_width = mpf("1.959963984540054") * stderr
        # PL-6 has no tolerance of its own: what PL-2 allows α is carried through its formulas.
        error = mpf("1e-12") * fit.alpha
        stderr_error = error / mp.sqrt(fit.tail_size)
        expected = {
            "alpha": decimal(fit.alpha),
            "xmin": decimal(mpf(fit.xmin)),
            "tail_size": fit.tail_size,
            "sample_size": len(points),
            "ks_distance": decimal(fit.distance[ks]),
            "stderr": decimal(stderr),
            "ci95": [decimal(fit.alpha - half_width), decimal(fit.alpha + half_width)],
        }
        tolerance = {
            "alpha": bound("relative", mpf("1e-12")),
            "ks_distance": bound("absolute", mpf("1e-12")),
            "stderr": bound("absolute", stderr_error),
            "ci95": bound("absolute", error + 2 * stderr_error),
        }
        given = {"sample": list(sample), "ks": ks, "xmin": xmin}
        result.append(case(f"pl/{name}/{ks}", requirements, given, expected, tolerance))
    return result


def refused_sample(
    name: str, requirements: str, sample: Sequence[float | str], error: Json
) -> dict[str, Json]:
    """Make a case of a sample that has no fit (PL-7) or is refused (PL-9)."""
    given = {"sample": list(sample), "ks": "two-sided", "xmin": "ks"}
    return case(f"pl/{name}", requirements, given, {"error": error})


def quantiles(n: int, inverse: Callable[[mpf], mpf]) -> list[float]:
    """Quantiles (i − ½)/n, i = 1…n, each rounded to binary64."""
    return [float(inverse((mpf(i) - mpf(1) / 2) / n)) for i in range(1, n + 1)]


def pareto(n: int, alpha: str, scale: str = "1") -> list[float]:
    """Quantiles of the power law with xmin = scale."""
    return quantiles(n, lambda p: mpf(scale) * (1 - p) ** (-1 / (mpf(alpha) - 1)))


def lognormal(n: int, mu: str, sigma: str) -> list[float]:
    """Quantiles of the lognormal distribution."""
    root = mp.sqrt(2)
    return quantiles(n, lambda p: mp.exp(mpf(mu) + mpf(sigma) * root * mp.erfinv(2 * p - 1)))


def shuffled(sample: list[float], step: int) -> list[float]:
    """Take every step-th point, cyclically; step and size have no common factor."""
    return [sample[i * step % len(sample)] for i in range(len(sample))]


def cases() -> list[dict[str, Json]]:
    """Make all cases of the chapter."""
    base = pareto(20, "2.5")
    body = quantiles(40, lambda p: mpf("0.1") + mpf("0.9") * p) + pareto(40, "3")
    bulk_and_spikes = [*lognormal(30, "0", "0.4"), 25.0, 60.0, 300.0]
    result = [
        *fit_cases("pareto-1.01/n=20", "PL-2 PL-3 PL-4 PL-6", pareto(20, "1.01")),
        *fit_cases("pareto-1.05/n=20", "PL-2 PL-3 PL-4 PL-6", pareto(20, "1.05")),
        *fit_cases("pareto-1.5/n=10", "PL-2 PL-3 PL-4 PL-6", pareto(10, "1.5")),
        *fit_cases("pareto-2/n=19", "PL-2 PL-3 PL-4 PL-6", pareto(19, "2")),
        *fit_cases("pareto-2.5/n=20", "PL-2 PL-3 PL-4 PL-6", base),
        *fit_cases("pareto-4/n=128", "PL-2 PL-3 PL-4 PL-6", pareto(128, "4")),
        *fit_cases("pareto-30/n=20", "PL-2 PL-3 PL-4 PL-6", pareto(20, "30")),
        *fit_cases("pareto-3/n=512", "PL-2 PL-3 PL-4 PL-6", pareto(512, "3")),
        *fit_cases("two-points", "PL-2 PL-3 PL-4", pareto(2, "2.5")),
        *fit_cases("three-points", "PL-2 PL-3 PL-4", pareto(3, "2.5")),
        *fit_cases("uniform-body-pareto-tail", "PL-4", body),
        *fit_cases("lognormal/n=128", "PL-4 PL-11", lognormal(128, "-1", "1")),
        *fit_cases("lognormal/n=10", "PL-3 PL-4", lognormal(10, "0", "1")),
        *fit_cases("lognormal-narrow/n=20", "PL-4", lognormal(20, "0", "0.05")),
        *fit_cases("bulk-and-spikes", "PL-4", bulk_and_spikes),
        *fit_cases("integers-1-to-10", "PL-2 PL-3 PL-4", [float(i) for i in range(1, 11)]),
        *fit_cases("powers-of-two", "PL-2 PL-3 PL-4", [2.0**i for i in range(12)]),
        *fit_cases("shuffled", "PL-1 PL-10", shuffled(base, 7)),
        *fit_cases("ties/bottom", "PL-2 PL-3", [base[0]] * 5 + base[1:]),
        *fit_cases("ties/top", "PL-2 PL-3 PL-4", base[:-1] + [base[-1]] * 4),
        *fit_cases("ties/middle", "PL-2 PL-3", base[:8] + [base[8]] * 6 + base[9:]),
        *fit_cases("ties/pairs", "PL-2 PL-3", sorted(pareto(12, "2.5") * 2)),
        *fit_cases("ties/two-values", "PL-2 PL-3 PL-4", [1.0, 1.0, 1.0, 2.0, 2.0]),
        *fit_cases("ties/one-below-all-equal", "PL-2 PL-3 PL-4", [1.0, *[3.0] * 6]),
        *fit_cases("ties/rounded-values", "PL-2 PL-3", [float(round(8 * x)) / 8 for x in body]),
        *fit_cases(
            "equal-distances",
            "PL-4",
            [1.0, 1.0, 3.0, 20.0],
            kinds=["two-sided"],
            exact_tie=True,
        ),
        *fit_cases("scale-1e150", "PL-10", pareto(20, "2.5", "1e150")),
        *fit_cases("scale-1e-150", "PL-10", pareto(20, "2.5", "1e-150")),
        *fit_cases("scale-1e150-pareto-30", "PL-2 PL-10", pareto(20, "30", "1e150")),
        *fit_cases("scale-2^-300", "PL-10", [x * 2.0**-300 for x in base]),
        *fit_cases("range-1e-160-to-1e160", "PL-2", [1e-160, 1e-80, 1.0, 1e80, 1e160]),
        *fit_cases("nearly-equal", "PL-2", [1.0 + 2.0**-12 * i * i for i in range(12)]),
        *fit_cases("fixed-xmin/a-point", "PL-5", base, xmin=base[6]),
        *fit_cases("fixed-xmin/between-points", "PL-5", base, xmin=1.25),
        *fit_cases("fixed-xmin/below-all", "PL-5", base, xmin=0.5),
        *fit_cases("fixed-xmin/ties", "PL-5", [1.0, *[2.0] * 5, 3.0, 5.0, 9.0], xmin=2.0),
        refused_sample("one-value", "PL-7", [2.5], {"kind": "no-fit", "reason": "one-value"}),
        refused_sample("all-equal", "PL-7", [0.1] * 7, {"kind": "no-fit", "reason": "all-equal"}),
        refused_sample("two-equal", "PL-7", [3.0, 3.0], {"kind": "no-fit", "reason": "all-equal"}),
        refused_sample("bad-sample/empty", "PL-9", [], {"kind": "bad-sample", "index": None}),
    ]
    bad: dict[str, float | str] = {
        "zero": 0.0,
        "negative": -1.0,
        "nan": "NaN",
        "infinity": "Infinity",
    }
    for index, (name, value) in enumerate(bad.items()):
        sample: list[float | str] = [1.0, 2.0, 3.0, 4.0, -5.0]
        sample[index] = value
        result.append(
            refused_sample(
                f"bad-sample/{name}", "PL-9", sample, {"kind": "bad-sample", "index": index}
            )
        )
    return result
