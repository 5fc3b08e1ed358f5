"""What is known of the numbers of one random matrix before it is drawn: closed forms and bounds.

Every function takes N, M and an ensemble's parameters; the numbers are those of the convention
`sdm2020-text`. What is known only of the limit, with no bound for a finite matrix, is left out.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln
from scipy.stats import chi2
from scipy.stats import t as student

from htsr_ref.randommatrix.ensembles import power_law_eigenvalues
from htsr_ref.randommatrix.tracy_widom import largest_eigenvalue
from htsr_ref.randommatrix.universality import UniversalityError, expected_alpha
from htsr_ref.spectra.solvers import solver_error
from htsr_ref.synthetic.expectations import Expectation

Parameters = Mapping[str, Any]
"""Values by name."""

Known = tuple[Expectation, ...]

MISS = 1e-8
"""Probability that a number lies outside its interval though all is well (RMT-12)."""

SLACK = math.sqrt(2 * math.log(2 / MISS))
"""By how much a 1-Lipschitz function of normal entries leaves its mean, either way, with MISS."""

TRACY_WIDOM_LEVEL = 1e-9
"""Level at which the limiting law of λ_max is left, on either side."""

SETTLED, UNSETTLED_MISS = 40, 2e-6
"""By its exact law λ_max leaves those quantiles with at most MISS from this M on, and before it,
down to 2×2, with at most that."""

BUILDING = 16
"""Error of a prescribed eigenvalue, of drawing and solving, in units of that of SPC-4."""


def of_gaussian(N: int, M: int, p: Parameters) -> Known:
    """Known of normal entries: the laws of ‖W‖_F and λ_max, and bounds of λ_min.

    Spec: RMT-2, RMT-13.
    """
    variance = p["sigma"] ** 2
    entries = chi2(N * M)
    norm = _log_norm(
        variance * N * M,
        variance * entries.ppf(MISS / 2),
        variance * entries.isf(MISS / 2),
        "χ² of the entries (RMT-2)",
    )
    smallest = Expectation(
        "lambda_min",
        variance * (1 - math.sqrt(M / N)) ** 2,
        variance * max(0.0, math.sqrt(N) - math.sqrt(M) - SLACK) ** 2 / N,
        # A column's distance from the span of the others, squared, is χ² and at least N·λ_min.
        variance * chi2(N - M + 1).isf(MISS / 2) / N,
        MISS,
        "lower Marchenko-Pastur edge (RMT-2)",
    )
    if M == 1:
        return norm, smallest
    law = largest_eigenvalue(N, M, variance)
    largest = Expectation(
        "lambda_max",
        variance * (1 + math.sqrt(M / N)) ** 2,
        max(0.0, law.upper_quantile(1 - TRACY_WIDOM_LEVEL)),
        law.upper_quantile(TRACY_WIDOM_LEVEL),
        MISS if M >= SETTLED else UNSETTLED_MISS,
        "upper Marchenko-Pastur edge, Tracy-Widom (RMT-2, RMT-26)",
    )
    return norm, largest, smallest


def of_pareto(N: int, M: int, p: Parameters) -> Known:
    """Known of Pareto entries: the table of α, and what entries of at least W0 add up to.

    Spec: RMT-3, RMT-13.
    """
    mu, scale = p["mu"], p["scale"]
    largest = scale * _tail(N * M) ** (-1 / mu)
    least = math.log10(scale * math.sqrt(N * M))
    known = (
        Expectation("log10_frobenius_norm", None, least, None, 0.0, "no entry is below W0 (RMT-3)"),
        _at_least_an_entry(largest),
    )
    try:
        alpha = expected_alpha(mu, N, M)
    except UniversalityError:
        return known
    why = "table of α (RMT-43)" + (f"; in the limit {mu / 2 + 1:g}" if mu < 4 else "")
    fitted = Expectation("alpha", alpha.median, alpha.low95, alpha.high95, 0.05, why)
    return fitted, *known


def of_student(N: int, M: int, p: Parameters) -> Known:
    """Known of Student entries: the law of the largest.

    Spec: RMT-4, RMT-13.
    """
    return (_at_least_an_entry(p["scale"] * float(student(p["dof"]).isf(_tail(N * M) / 2))),)


def of_heavy_part(N: int, M: int, p: Parameters) -> Known:
    """Known of normal plus Pareto entries: the largest of the latter, less what may be added.

    Spec: RMT-8, RMT-13.
    """
    largest = p["weight"] * _tail(N * M) ** (-1 / p["mu"]) - p["sigma"] * SLACK
    return (_at_least_an_entry(largest),) if largest > 0 else ()


def of_spikes(N: int, M: int, p: Parameters) -> Known:
    """Known of spikes: the norm, and the place of the largest if it is beyond the bulk.

    Spec: RMT-5, RMT-13.
    """
    spikes, sigma = p["spikes"], p["sigma"]
    theta = max(spikes, default=0.0)
    steepness = sigma * math.sqrt(1 + max(0.0, theta))
    norm = _norm_near(sigma**2 * N * (M + sum(spikes)), steepness, "RMT-5")
    if theta * math.sqrt(N / M) <= 1:
        return (norm,)
    place = sigma**2 * (1 + theta) * (1 + M / (N * theta))
    return norm, _outlier(place, steepness, len(spikes), N, "place of the largest spike (RMT-5)")


def of_low_rank(N: int, M: int, p: Parameters) -> Known:
    """Known of low rank and noise: the norm, and the place of the outliers if there are any.

    Spec: RMT-9, RMT-13.
    """
    s, sigma, rank = p["strength"], p["sigma"], p["rank"]
    if sigma == 0:
        return of_singular_values(np.repeat([s * math.sqrt(N), 0.0], [rank, M - rank]), N)
    norm = _norm_near(N * (rank * s**2 + M * sigma**2), sigma, "RMT-9")
    if rank == 0 or s <= sigma * (M / N) ** 0.25:
        return (norm,)
    place = (s**2 + sigma**2) * (s**2 + sigma**2 * M / N) / s**2
    return norm, _outlier(place, sigma, rank, N, "place of the outliers (RMT-9)")


def of_correlated_rows(N: int, M: int, p: Parameters) -> Known:
    """Known of correlated rows: the norm.

    Spec: RMT-10, RMT-13.
    """
    rho = abs(p["rho"])
    # The eigenvalues of the correlations ρ^|i-j| lie below (1+ρ)/(1-ρ).
    steepness = p["sigma"] * math.sqrt((1 + rho) / (1 - rho))
    return (_norm_near(p["sigma"] ** 2 * N * M, steepness, "RMT-10"),)


def of_singular_values(singular_values: ArrayLike, N: int) -> Known:
    """Known of prescribed singular values: everything, up to the errors of building and solving.

    Spec: RMT-6, RMT-13.
    """
    values = np.asarray(singular_values, dtype=np.float64)
    largest, total = float(values.max()), float(np.sum(values**2))
    why = "prescribed singular values (RMT-6)"
    if largest == 0:
        return (Expectation("rank", 0, 0, 0, 0.0, why),)
    error = BUILDING * solver_error(N)
    eigenvalues = values**2 / N
    lambda_max = largest**2 / N
    stable = total / largest**2
    of_sum = min(0.5, error * values.size / stable)
    known = (
        _log_norm(total, total * (1 - of_sum), total * (1 + of_sum), why, 0.0),
        _within("lambda_max", lambda_max, error * lambda_max, why),
        _within("lambda_min", float(eigenvalues.min()), error * lambda_max, why),
        _within("stable_rank", stable, stable * (error + of_sum), why),
    )
    positive = eigenvalues[eigenvalues > 0]
    if positive.min() < 4 * error * lambda_max:
        return known
    return *known, Expectation("rank", positive.size, positive.size, positive.size, 0.0, why)


def of_power_law(N: int, M: int, p: Parameters) -> Known:
    """Known of a power law's quantiles: as of any spectrum, and what the search finds in them.

    A tail of k points whose first is xmin has D ≥ 1/k; that of all M has D = 1/M, so that all are
    taken: Σ ln(x/xmin) = S/(α-1), S = Σ ln((M-½)/(i-½)) over i = 1 … M.

    Spec: RMT-7, RMT-13.
    """
    eigenvalues = power_law_eigenvalues(M, p["alpha"], xmin=p["xmin"])
    known = of_singular_values(np.sqrt(N * eigenvalues), N)
    slope = p["alpha"] - 1
    smallest_error = BUILDING * solver_error(N) * eigenvalues[-1] / eigenvalues[0]
    # By how much α - 1, relatively, and the distribution function may be moved.
    moved = 4 * slope * float(smallest_error)
    if M == 1 or moved > 0.5 / M**2:
        return known
    logs = M * math.log(M - 0.5) - float(gammaln(M + 0.5)) + 0.5 * math.log(math.pi)
    found = slope * M / logs
    why = "closed form for the quantiles (RMT-7)"
    return (
        _within("alpha", 1 + found, found * (moved + 1e-12), why),
        Expectation("tail_size", M, M, M, 0.0, why),
        _within("ks_distance", 1 / M, 1e-12, why),
        *known,
    )


def _tail(entries: int) -> float:
    """P(|w| > x) for the x that all of so many entries keep below with probability MISS."""
    return -math.expm1(math.log(MISS) / entries)


def _at_least_an_entry(entry: float) -> Expectation:
    why = "the spectral norm is at least the largest entry (RMT-13)"
    return Expectation("log10_spectral_norm", None, math.log10(entry), None, 2 * MISS, why)


def _norm_near(mean_square: float, steepness: float, why: str) -> Expectation:
    """‖W‖_F as a Lipschitz function of normal entries, of which E‖W‖_F² is known."""
    low = math.sqrt(max(0.0, mean_square - steepness**2)) - SLACK * steepness
    high = math.sqrt(mean_square) + SLACK * steepness
    why = f"its second moment and concentration ({why})"
    return _log_norm(mean_square, max(0.0, low) ** 2, high**2, why)


def _log_norm(square: float, low: float, high: float, why: str, miss: float = MISS) -> Expectation:
    """Interval of log10 ‖W‖_F from one of ‖W‖_F²."""
    value, least, most = (0.5 * math.log10(x) if x > 0 else None for x in (square, low, high))
    return Expectation("log10_frobenius_norm", value, least, most, miss, why)


def _outlier(place: float, steepness: float, count: int, N: int, why: str) -> Expectation:
    """λ_max as the square of a Lipschitz function of normal entries, near a place."""
    root, reach = math.sqrt(place), (SLACK + 2 * math.sqrt(count)) * steepness / math.sqrt(N)
    low, high = max(0.0, root - reach) ** 2, (root + reach) ** 2
    return Expectation("lambda_max", place, low, high, MISS, why)


def _within(metric: str, value: float, error: float, why: str) -> Expectation:
    """Give a closed form that holds up to rounding."""
    return Expectation(metric, value, value - error, value + error, 0.0, why)
