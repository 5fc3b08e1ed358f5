"""Golden vectors of chapter PL, second part: the laws of a tail, their fits and comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dst_forms import (
    comparison,
    degenerate_comparison,
    density,
    fit,
    gamma,
    power_law_limit,
    truncated_boundary,
    unbiased,
)
from mpmath import mp, mpf
from pl import lognormal, pareto, quantiles

if TYPE_CHECKING:
    from common import Json

KEYS = {
    "logpdf": "PL-20",
    "cdf": "PL-20",
    "log_gamma": "PL-25",
    "parameters": "PL-20",
    "log_likelihood": "PL-20",
    "stderr": "PL-27",
    "unbiased_alpha": "PL-35",
    "log_likelihood_ratio": "PL-37",
    "normalized_ratio": "PL-37",
    "p_value": "PL-37",
    "favored": "PL-37",
}
ORDERS = (1.0, 0.5, 1e-10, 0.0, -1e-10, -0.5, -1.0, -1.5, -2.0, -5.3, -10.0, -29.5, -30.0)
NEAR = (1.0, 1.0 + 2.0**-30, 1.5, 4.0, 40.0)
FAR = (1e-300, 1.5e-300, 1e-200, 1e-10, 1.0, 1e150, 1e300)


def weibull(n: int, beta: str, scale: str = "1") -> list[float]:
    """Quantiles of a stretched exponential on x ≥ 0."""
    return quantiles(n, lambda p: mpf(scale) * (-mp.log(1 - p)) ** (1 / mpf(beta)))


def cut_off(n: int, alpha: str, cutoff: str) -> list[float]:
    """Points whose survival function falls faster than any power from the cutoff on."""
    tail = quantiles(n, lambda p: (1 - p) ** (-1 / (mpf(alpha) - 1)))
    return [float(mpf(x) / (1 + mpf(x) / mpf(cutoff))) for x in tail]


def densities() -> list[dict[str, Json]]:
    """Make the cases of the two functions of each law."""
    power, bounded, truncated = "power_law", "bounded_power_law", "truncated_power_law"
    stretched = "stretched_exponential"
    return [
        density(power, "alpha=1.01", "PL-21", NEAR, alpha=1.01, xmin=1.0),
        density(power, "alpha=2.5", "PL-21", (2.0, 3.0, 1e6), alpha=2.5, xmin=2.0),
        density(power, "alpha=30", "PL-21", NEAR, alpha=30.0, xmin=1.0),
        density(power, "range", "PL-21", FAR, alpha=2.5, xmin=1e-300),
        density(bounded, "alpha=2.5", "PL-22", NEAR, alpha=2.5, xmin=1.0, xmax=50.0),
        density(bounded, "alpha=1", "PL-22", NEAR, alpha=1.0, xmin=1.0, xmax=40.0),
        density(bounded, "alpha=1+1e-9", "PL-22", NEAR, alpha=1.0 + 1e-9, xmin=1.0, xmax=50.0),
        density(bounded, "alpha=0.2", "PL-22", NEAR, alpha=0.2, xmin=1.0, xmax=50.0),
        density(bounded, "alpha=-3", "PL-22", NEAR, alpha=-3.0, xmin=1.0, xmax=50.0),
        density(bounded, "alpha=30", "PL-22", NEAR, alpha=30.0, xmin=1.0, xmax=40.0),
        density(bounded, "range", "PL-22", FAR, alpha=2.0, xmin=1e-300, xmax=1e300),
        density(bounded, "range-rising", "PL-22", FAR, alpha=-1.0, xmin=1e-300, xmax=1e300),
        density(truncated, "1.01/1e-12", "PL-24", NEAR, alpha=1.01, rate=1e-12, xmin=1.0),
        density(truncated, "2.5/1e-12", "PL-24", NEAR, alpha=2.5, rate=1e-12, xmin=1.0),
        density(truncated, "30/1e-12", "PL-24", NEAR, alpha=30.0, rate=1e-12, xmin=1.0),
        density(truncated, "0.5/1e-9", "PL-24", NEAR, alpha=0.5, rate=1e-9, xmin=1.0),
        density(truncated, "1/1e-6", "PL-24", NEAR, alpha=1.0, rate=1e-6, xmin=1.0),
        density(truncated, "3/1e-3", "PL-24", NEAR, alpha=3.0, rate=1e-3, xmin=1.0),
        density(truncated, "2.5/0.1", "PL-24", NEAR, alpha=2.5, rate=0.1, xmin=1.0),
        density(truncated, "0/0.5", "PL-24", NEAR, alpha=0.0, rate=0.5, xmin=1.0),
        density(truncated, "2/1", "PL-24", NEAR, alpha=2.0, rate=1.0, xmin=1.0),
        density(truncated, "1.5/100", "PL-24", NEAR, alpha=1.5, rate=100.0, xmin=1.0),
        density(truncated, "30/100", "PL-24", NEAR, alpha=30.0, rate=100.0, xmin=1.0),
        density(truncated, "2.5/0", "PL-24", NEAR, alpha=2.5, rate=0.0, xmin=1.0),
        density(truncated, "range", "PL-24", FAR, alpha=1.2, rate=1e-300, xmin=1e-300),
        density("exponential", "rate=0.3", "PL-28", (2.0, 2.5, 300.0), rate=0.3, xmin=2.0),
        density("exponential", "range", "PL-28", FAR, rate=1e-300, xmin=1e-300),
        density(stretched, "beta=0", "PL-29", NEAR, beta=0.0, log_hazard=0.5, xmin=1.0),
        density(stretched, "beta=1e-9", "PL-29", NEAR, beta=1e-9, log_hazard=0.5, xmin=1.0),
        density(stretched, "beta=0.5", "PL-29", NEAR, beta=0.5, log_hazard=-0.7, xmin=1.0),
        density(stretched, "beta=1", "PL-29", NEAR, beta=1.0, log_hazard=0.0, xmin=1.0),
        density(stretched, "beta=3", "PL-29", NEAR, beta=3.0, log_hazard=-9.0, xmin=1.0),
        density(stretched, "range", "PL-29", FAR, beta=2.0, log_hazard=-2760.0, xmin=1e-300),
        density("lognormal", "offset=0.5", "PL-31", NEAR, offset=0.5, sigma=1.0, xmin=1.0),
        density("lognormal", "offset=-5", "PL-31", NEAR, offset=-5.0, sigma=2.0, xmin=1.0),
        density("lognormal", "offset=-500", "PL-31", NEAR, offset=-500.0, sigma=10.0, xmin=1.0),
        density("lognormal", "offset=-1e18", "PL-31", NEAR, offset=-1e18, sigma=1e9, xmin=1.0),
        density("lognormal", "offset=8", "PL-31", (2.0, 3e3, 9e3), offset=8.0, sigma=0.3, xmin=2.0),
        density("lognormal", "range", "PL-31", FAR, offset=600.0, sigma=100.0, xmin=1e-300),
    ]


def fits() -> list[dict[str, Json]]:
    """Make the cases of greatest likelihood."""
    power, bounded, truncated = "power_law", "bounded_power_law", "truncated_power_law"
    stretched = "stretched_exponential"
    tail, waves = pareto(20, "2.5"), lognormal(30, "1", "0.5")
    bulk = quantiles(25, lambda p: 1 + p)
    lifted = quantiles(25, lambda p: 10 - 9 * p * p)
    giant = [*pareto(100, "2.5")[:-1], 1e9]
    wide = [1e-300, 1e-299, 1e-150, 1.0, 1e150, 1e299, 1e300]
    return [
        fit(power, "n=2", "PL-21", [1.0, 2.0], "3"),
        fit(power, "alpha=1.01", "PL-21", pareto(100, "1.01"), "1.01"),
        fit(power, "n=1000", "PL-21", pareto(1000, "1.5"), "1.5"),
        fit(power, "alpha=30/n=100", "PL-21", pareto(100, "30"), "30"),
        fit(power, "range", "PL-21", wide, "1.0016"),
        fit(power, "given-xmin", "PL-21", tail, "2.2", xmin=0.75),
        fit(bounded, "n=2", "PL-23", [2.0, 3.0], "-2", xmin=1.0),
        fit(bounded, "n=4", "PL-23", [1.0, 2.0, 2.5, 3.0], "-0.3"),
        fit(bounded, "alpha=2.5", "PL-23", tail, "2.4"),
        fit(bounded, "alpha=30", "PL-23", pareto(100, "30"), "28"),
        fit(bounded, "given-xmax", "PL-23", tail, "2.5", xmin=1.0, xmax=1000.0),
        fit(bounded, "bulk", "PL-23", bulk, "0.04"),
        fit(bounded, "rising", "PL-23", lifted, "-1"),
        fit(bounded, "range", "PL-23", wide, "1.0001"),
        fit("exponential", "n=2", "PL-28", [1.0, 2.0], "2"),
        fit("exponential", "n=200", "PL-28", weibull(200, "1"), "1"),
        fit("exponential", "range", "PL-28", wide, "6e-300"),
        fit(truncated, "alpha=1.5", "PL-26 PL-27", cut_off(40, "1.5", "50"), "1.3 0.02"),
        fit(truncated, "alpha=2.5", "PL-26 PL-27", cut_off(40, "2.5", "30"), "2.4 0.07"),
        fit(truncated, "alpha=1.05", "PL-26 PL-27", cut_off(40, "1.05", "1e12"), "1.02 1.5e-13"),
        fit(truncated, "alpha=30", "PL-26 PL-27", cut_off(60, "30", "60"), "13 17"),
        fit(
            truncated,
            "scale=1e-150",
            "PL-26 PL-27 PL-34",
            [x * 2.0**-500 for x in cut_off(20, "1.5", "50")],
            "1.3 6e148",
        ),
        truncated_boundary("pure", [*pareto(50, "2.5"), 1e4]),
        truncated_boundary("pure/n=300", [*pareto(300, "30"), 1e3]),
        truncated_boundary("exponential", bulk),
        truncated_boundary("exponential/rising", lifted),
        fit(stretched, "beta=0.5", "PL-30", weibull(30, "0.5"), "0.5 -2"),
        fit(stretched, "waves", "PL-30", waves, "1.7 -1.5"),
        fit(stretched, "bulk", "PL-30", bulk, "3 0.1"),
        power_law_limit(stretched, "limit", giant),
        fit("lognormal", "waves", "PL-32", waves, "1 0.5"),
        fit("lognormal", "bulk", "PL-32", bulk, "0.33 0.23"),
        fit("lognormal", "far-offset", "PL-32", pareto(40, "2.5"), "-25 4.1"),
        fit("lognormal", "one-outlier-below", "PL-32", [1e-3, *bulk], "7 1"),
        power_law_limit("lognormal", "limit", giant),
    ]


def comparisons() -> list[dict[str, Json]]:
    """Make the cases of two laws on one tail."""
    heavy, waves = pareto(40, "2.2"), lognormal(30, "1", "0.5")
    cut, giant = cut_off(40, "1.5", "50"), [*pareto(100, "2.5")[:-1], 1e9]
    power, truncated = "power_law", "truncated_power_law"
    stretched = "stretched_exponential"
    return [
        comparison("pareto/power-exponential", heavy, power, "2.2", "exponential", "0.2"),
        comparison("waves/power-exponential", waves, power, "2", "exponential", "0.5"),
        comparison("waves/power-lognormal", waves, power, "2", "lognormal", "1 0.5"),
        comparison("waves/stretched-lognormal", waves, stretched, "1.7 -1.5", "lognormal", "1 0.5"),
        comparison("waves/exponential-power", waves, "exponential", "0.5", power, "2"),
        comparison("cut/power-truncated", cut, power, "1.7", truncated, "1.3 0.02", nested=True),
        comparison("cut/truncated-power", cut, truncated, "1.3 0.02", power, "1.7", nested=True),
        comparison(
            "cut/exponential-truncated",
            cut,
            "exponential",
            "0.1",
            truncated,
            "1.3 0.02",
            nested=True,
        ),
        comparison(
            "waves/exponential-stretched",
            waves,
            "exponential",
            "0.5",
            stretched,
            "1.7 -1.5",
            nested=True,
        ),
        degenerate_comparison("giant/power-stretched", giant, power, stretched),
        degenerate_comparison("giant/lognormal-power", giant, "lognormal", power),
    ]


def cases() -> list[dict[str, Json]]:
    """Make all cases of the chapter."""
    tail = pareto(20, "2.5")
    return [
        *densities(),
        *(gamma(s) for s in ORDERS),
        *fits(),
        *comparisons(),
        unbiased("from-the-sample", tail, tail[0], "from the sample"),
        unbiased("given", tail, 1.0, "given"),
        unbiased("n=3", [1.0, 2.0, 8.0], 1.0, "from the sample"),
    ]
