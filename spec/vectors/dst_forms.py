"""The forms of case in the vectors of the laws: densities, fits, comparisons, estimates."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from common import Json, bound, case, decimal, require
from laws import FREE, log_density, log_likelihood, most_likely, standard_errors, survival
from mpmath import mp, mpf

if TYPE_CHECKING:
    from collections.abc import Sequence

EPSILON = mpf("1e-12")
ORDERS = (1.0, 0.5, 1e-10, 0.0, -1e-10, -0.5, -1.0, -1.5, -2.0, -5.3, -10.0, -29.5, -30.0)
ARGUMENTS = (1e-12, 1e-6, 1e-3, 0.1, 0.9, 1.0, 1.1, 5.0, 30.0, 100.0)


def exact(parameters: dict[str, float]) -> dict[str, mpf]:
    """Take binary64 numbers at their exact value."""
    return {name: mpf(value) for name, value in parameters.items()}


def density(
    law: str, name: str, requirement: str, points: Sequence[float], **parameters: float
) -> dict[str, Json]:
    """Make a case of the two functions of a law at points of its support."""
    p = exact(parameters)
    logs = [log_density(law, p, mpf(x)) for x in points]
    beyond = [survival(law, p, mpf(x)) for x in points]
    alpha = abs(p.get("alpha", mpf(0)))
    sizes = [
        max(1, abs(log), (1 + alpha) * abs(mp.log(x))) for log, x in zip(logs, points, strict=True)
    ]
    expected = {
        "logpdf": [decimal(value) for value in logs],
        "cdf": [decimal(1 - value) for value in beyond],
    }
    tolerance = {
        "logpdf": bound("absolute", *(EPSILON * size for size in sizes)),
        "cdf": bound("absolute", EPSILON),
    }
    given = {"law": law, "parameters": parameters, "points": list(points)}
    return case(f"dst/density/{law}/{name}", f"PL-20 {requirement}", given, expected, tolerance)


def gamma(s: float) -> dict[str, Json]:
    """Make a case of ln Γ(s, x)."""
    values = [mp.log(mp.gammainc(mpf(s), mpf(x))) for x in ARGUMENTS]
    return case(
        f"dst/gamma/s={s}",
        "PL-25",
        {"order": s, "arguments": list(ARGUMENTS)},
        {"log_gamma": [decimal(value) for value in values]},
        {"log_gamma": bound("absolute", EPSILON)},
    )


def fit(
    law: str,
    name: str,
    requirements: str,
    tail: Sequence[float],
    start: str,
    *,
    xmin: float | None = None,
    xmax: float | None = None,
) -> dict[str, Json]:
    """Make a case of a maximum in the interior; `start`, near it, is not an expected value."""
    fixed = exact({"xmin": min(tail) if xmin is None else xmin})
    if law == "bounded_power_law":
        fixed["xmax"] = mpf(max(tail) if xmax is None else xmax)
    found = most_likely(law, fixed, [mpf(x) for x in tail], start.split())
    errors = law == "truncated_power_law"
    return fit_case(law, name, requirements, tail, fixed, found, FREE[law], errors=errors)


def fit_case(
    law: str,
    name: str,
    requirements: str,
    tail: Sequence[float],
    fixed: dict[str, mpf],
    found: dict[str, mpf],
    names: Sequence[str],
    *,
    errors: bool = False,
) -> dict[str, Json]:
    """Make a case of a fit whose parameters are known."""
    points = [mpf(x) for x in tail]
    likelihood = log_likelihood(law, found, points)
    scale = mp.fsum(max(1, abs(log_density(law, found, x)), abs(mp.log(x))) for x in points)
    expected: dict[str, Json] = {"log_likelihood": decimal(likelihood)}
    tolerance = {"log_likelihood": bound("absolute", EPSILON * scale)}
    if names:
        expected["parameters"] = {key: decimal(found[key]) for key in names}
        tolerance["parameters"] = bound("relative", "1e-12" if len(names) == 1 else "1e-10")
    if errors:
        expected["stderr"] = [decimal(se) for se in standard_errors(law, found, len(tail))]
        tolerance["stderr"] = bound("relative", "1e-10")
    given = {"law": law, "tail": list(tail), **{key: float(value) for key, value in fixed.items()}}
    return case(f"dst/fit/{law}/{name}", requirements, given, expected, tolerance)


def truncated_boundary(name: str, tail: Sequence[float]) -> dict[str, Json]:
    """Make a case of a truncated power law that is pure, or exponential (PL-26)."""
    points, xmin = [mpf(x) for x in tail], mpf(min(tail))
    n = len(tail)
    mean_log = mp.fsum(mp.log(x / xmin) for x in points) / n
    mean = mp.fsum(points) / n
    alpha, rate = 1 + 1 / mean_log, 1 / (mean - xmin)
    if alpha > 2 and mean >= xmin * (alpha - 1) / (alpha - 2):
        found = {"alpha": alpha, "rate": mpf(0), "xmin": xmin}
        law_of_the_end = "power_law"
    else:
        expected_log = mp.exp(rate * xmin) * mp.expint(1, rate * xmin)
        require(mean_log >= expected_log, f"{name} is not at an end")
        found = {"alpha": mpf(0), "rate": rate, "xmin": xmin}
        law_of_the_end = "exponential"
    case_ = fit_case(
        "truncated_power_law", name, "PL-26", tail, {"xmin": xmin}, found, ("alpha", "rate")
    )
    end = log_likelihood(law_of_the_end, found, points)
    require(abs(end - mpf(case_["expected"]["log_likelihood"])) < mpf("1e-15"), name)
    return case_


def power_law_limit(law: str, name: str, tail: Sequence[float]) -> dict[str, Json]:
    """Make a case of a law that is as likely as possible in its power-law limit (PL-30, PL-32)."""
    points, xmin = [mpf(x) for x in tail], mpf(min(tail))
    logs = [mp.log(x / xmin) for x in points]
    mean = mp.fsum(logs) / len(logs)
    require(mp.fsum(log**2 for log in logs) / len(logs) >= 2 * mean**2, f"{name}: not the limit")
    fixed = {"xmin": xmin}
    if law == "stretched_exponential":
        found = {"beta": mpf(0), "log_hazard": -mp.log(mean), "xmin": xmin}
        return fit_case(law, name, "PL-30", tail, fixed, found, FREE[law])
    likelihood = log_likelihood("power_law", {"alpha": 1 + 1 / mean, "xmin": xmin}, points)
    given = {"law": law, "tail": list(tail), "xmin": float(xmin)}
    tolerance = {"log_likelihood": bound("absolute", EPSILON * len(tail) * 10)}
    expected = {"log_likelihood": decimal(likelihood)}
    return case(f"dst/fit/{law}/{name}", "PL-32", given, expected, tolerance)


@cache
def fitted(law: str, tail: tuple[float, ...], start: str) -> dict[str, mpf]:
    """Find a law that several comparisons share."""
    return most_likely(law, exact({"xmin": min(tail)}), [mpf(x) for x in tail], start.split())


def comparison(
    name: str,
    tail: Sequence[float],
    first: str,
    start_first: str,
    second: str,
    start_second: str,
    *,
    nested: bool = False,
) -> dict[str, Json]:
    """Make a case of two laws fitted to one tail and compared (PL-37, PL-38)."""
    points, n = [mpf(x) for x in tail], len(tail)
    p, q = fitted(first, tuple(tail), start_first), fitted(second, tuple(tail), start_second)
    differences = [log_density(first, p, x) - log_density(second, q, x) for x in points]
    ratio = mp.fsum(differences)
    sigma = mp.sqrt(mp.fsum((d - ratio / n) ** 2 for d in differences) / n)
    normalized = ratio / (mp.sqrt(n) * sigma)
    p_value = mp.erfc(mp.sqrt(abs(ratio)) if nested else abs(normalized) / mp.sqrt(2))
    expected = {
        "log_likelihood_ratio": decimal(ratio),
        "normalized_ratio": None if nested else decimal(normalized),
        "p_value": decimal(p_value),
        "favored": "first" if ratio > 0 else "second",
    }
    tolerance = {
        "log_likelihood_ratio": bound("absolute", EPSILON * n * 10),
        "p_value": bound("absolute", "1e-10"),
    }
    if not nested:
        tolerance["normalized_ratio"] = bound("relative", "1e-9")
    given = {"first": first, "second": second, "tail": list(tail), "xmin": min(tail)}
    requirements = "PL-38" if nested else "PL-37"
    return case(f"dst/comparison/{name}", requirements, given, expected, tolerance)


def degenerate_comparison(
    name: str, tail: Sequence[float], first: str, second: str
) -> dict[str, Json]:
    """Make a case of a law and its own limit, on a tail that is in it (PL-39)."""
    logs = [mp.log(mpf(x) / mpf(min(tail))) for x in tail]
    mean = mp.fsum(logs) / len(logs)
    require(mp.fsum(log**2 for log in logs) / len(logs) >= 2 * mean**2, f"{name}: not the limit")
    expected = {
        "log_likelihood_ratio": decimal(mpf(0)),
        "normalized_ratio": None,
        "p_value": None,
        "favored": None,
    }
    given = {"first": first, "second": second, "tail": list(tail), "xmin": min(tail)}
    return case(f"dst/comparison/{name}", "PL-37 PL-39", given, expected)


def unbiased(name: str, tail: Sequence[float], xmin: float, threshold: str) -> dict[str, Json]:
    """Make a case of PL-35."""
    logs = [mp.log(mpf(x) / mpf(xmin)) for x in tail]
    lost = 1 if threshold == "given" else 2
    alpha = 1 + (len(logs) - lost) / mp.fsum(logs)
    given = {"tail": list(tail), "xmin": xmin, "threshold": threshold}
    expected, tolerance = {"unbiased_alpha": decimal(alpha)}, bound("relative", EPSILON)
    return case(f"dst/unbiased/{name}", "PL-35", given, expected, {"unbiased_alpha": tolerance})
