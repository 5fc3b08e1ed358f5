"""Golden vectors of PL-12 to PL-15 and of large samples: rules for the threshold, fingers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from common import Json, bound, case, decimal, require
from mpmath import mp, mpf
from pl import Fit, best_fit, fit_tail, lognormal, pareto, quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS = {
    "alpha": "PL-2",
    "ks_distance": "PL-3",
    "xmin": "PL-4",
    "tail_size": "PL-4",
    "sample_size": "PL-1",
    "clipped": "PL-15",
}
APART = mpf("1e-9")
"""No comparison that decides a case is closer than this."""


def candidates(points: Sequence[float], rule: str | float) -> list[tuple[Sequence[float], mpf]]:
    """Tails and thresholds that a rule admits, of ascending points."""
    distinct = sorted(set(points))
    if not isinstance(rule, str):
        return [([x for x in points if x >= rule], mpf(rule))]
    if rule == "median":
        start = len(points) // 2
        return [(points[start:], mpf(points[start]))]
    if rule == "grid":
        count = max(100, len(points) // 100)
        low, high = mp.log(points[0]), mp.log(distinct[-4])
        grid = [low + (high - low) * i / (count - 1) for i in range(count)]
        logs = [mp.log(x) for x in points]
        inner = grid[1:-1]
        require(all(abs(g - x) > APART for g in inner for x in logs), "a point is on the grid")
        # The ends of the grid are points.
        thresholds = [mpf(points[0]), *map(mp.exp, inner), mpf(distinct[-4])]
        return [([x for x in points if x >= xmin], xmin) for xmin in thresholds]
    low, high = window(points, slip=rule == "peak-slip") if rule != "ks" else (0, mp.inf)
    inside = [x for x in distinct[:-1] if low <= x <= high]
    return [([x for x in points if x >= xmin], mpf(xmin)) for xmin in inside]


def window(points: Sequence[float], *, slip: bool) -> tuple[mpf, mpf]:
    """PL-13: the window about the peak of the histogram."""
    logs = [mp.log10(x) for x in points]
    low, width = logs[0], (logs[-1] - logs[0]) / 100
    places = [(log - low) / width for log in logs if logs[0] < log < logs[-1]]
    require(all(abs(p - mp.nint(p)) > APART for p in places), "a point is on a bin's edge")
    counts = Counter(min(int((log - low) / width), 99) for log in logs)
    fullest = max(range(100), key=lambda i: counts[i])
    peak = mpf(10) ** (low + fullest * width)
    ends = (mp.log10(mpf("0.95") * peak) if slip else mpf("0.95") * peak, mpf("1.5") * peak)
    require(all(abs(x / end - 1) > APART for x in points for end in ends), "a point is at an end")
    return ends


def fits_by_rule(points: Sequence[float], rule: str | float) -> list[Fit]:
    """Fit every tail that the rule admits."""
    fits = []
    for tail, xmin in candidates(points, rule):
        fit = fit_tail(tail, xmin)
        fits.append(Fit(xmin, len(tail), fit.alpha, fit.distance))
    return fits


def nearest(points: Sequence[float], ks: str) -> Fit:
    """Fit with the threshold of PL-4."""
    return best_fit(fits_by_rule(points, "ks"), ks, exact_tie=False)


def expected(fit: Fit, points: Sequence[float], ks: str) -> dict[str, Json]:
    """Write a fit."""
    return {
        "alpha": decimal(fit.alpha),
        "xmin": decimal(mpf(fit.xmin)),
        "tail_size": fit.tail_size,
        "sample_size": len(points),
        "ks_distance": decimal(fit.distance[ks]),
    }


TOLERANCE = {
    "alpha": bound("relative", mpf("1e-12")),
    "ks_distance": bound("absolute", mpf("1e-12")),
}


def rule_cases(name: str, ids: str, sample: Json, rule: str | float) -> list[dict[str, Json]]:
    """Make a case for each kind of KS distance.

    `sample` is a list of numbers or a formula of whole numbers.
    """
    points = sorted(sample) if isinstance(sample, list) else sorted(from_formula(sample))
    fits = fits_by_rule(points, rule)
    # Only the grid's thresholds are not points of the sample, which are exact.
    tolerance = TOLERANCE | ({"xmin": bound("relative", "1e-12")} if rule == "grid" else {})
    result = []
    for ks in ("two-sided", "one-sided"):
        fit = best_fit(fits, ks, exact_tie=False)
        given = {"sample": sample, "ks": ks, "xmin": rule}
        result.append(case(f"thr/{name}/{ks}", ids, given, expected(fit, points, ks), tolerance))
    return result


def from_formula(sample: dict[str, int]) -> list[float]:
    """⌊numerator/i⌋ for i = 1…count: whole numbers that every language has exactly."""
    return [float(sample["numerator"] // i) for i in range(1, sample["count"] + 1)]


def finger_case(
    name: str, sample: list[float], most: int, ks: str = "two-sided"
) -> dict[str, Json]:
    """Make a case of PL-15; its level belonged to a rule that is retired."""
    points = sorted(sample)
    whole = nearest(points, ks)
    clipped = clip_stepwise(points, whole, most, ks)
    fit = nearest(points[: len(points) - clipped], ks)
    given = {"sample": sample, "ks": ks, "fingers": "weightwatcher", "most": most, "level": 0.05}
    result = expected(fit, points[: len(points) - clipped], ks) | {"clipped": clipped}
    return case(f"thr/fingers/{name}/weightwatcher", "PL-15", given, result, TOLERANCE)


def clip_stepwise(points: list[float], whole: Fit, most: int, ks: str) -> int:
    """PL-15."""
    for clipped in range(2, most):
        alpha = nearest(points[:-clipped], ks).alpha
        require(abs(alpha + 1 - whole.alpha) > APART and abs(alpha - 2) > APART, "too close")
        if alpha + 1 < whole.alpha:
            return clipped
        if alpha <= 2:
            return 0
    return 0


def cases() -> list[dict[str, Json]]:
    """Make all cases of the chapter."""
    wide = lognormal(120, "0.5", "1")
    small = [x / 64 for x in wide]
    tailed = [0.3, 0.5, 0.6, 0.8, *pareto(60, "2.2")]
    above = [4 * x for x in pareto(40, "2.5")] + [30 + i / 32 for i in range(6)]
    ties = [1.0, 2.0, 2.0, 2.0, 5.0, 11.0]
    large: Json = {"numerator": 2**40, "count": 100_000}
    body = pareto(40, "3")
    crowd = quantiles(14, lambda p: mp.exp(6 * p)) + quantiles(8, lambda p: mp.exp(5 + p / 2))
    return [
        *rule_cases("median/even", "PL-12", tailed, "median"),
        *rule_cases("median/odd", "PL-12", tailed[:-1], "median"),
        *rule_cases("median/ties-below-stay-outside", "PL-12", ties, "median"),
        *rule_cases("peak/wide", "PL-13", wide, "peak"),
        *rule_cases("peak/below-one", "PL-13", small, "peak"),
        *rule_cases("peak/above-one", "PL-13", above, "peak"),
        *rule_cases("peak-slip/above-one", "PL-13", above, "peak-slip"),
        *rule_cases("peak-slip/wide", "PL-13", wide, "peak-slip"),
        *rule_cases("peak-slip/below-one", "PL-13", small, "peak-slip"),
        *rule_cases("grid/wide", "PL-14", wide, "grid"),
        *rule_cases("grid/tailed", "PL-14", tailed, "grid"),
        *rule_cases("large/n=100000", "PL-2 PL-3 PL-5", large, float(2**40 // 100_000)),
        *rule_cases("large/n=100000/median", "PL-2 PL-3 PL-12", large, "median"),
        finger_case("crowd", crowd, 10),
        finger_case("none", body, 10),
        finger_case("one-far", [*body, 1e6], 10),
    ]
