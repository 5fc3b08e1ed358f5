"""The ensembles that a synthetic weight file can be drawn from, and what is known of each."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from htsr_ref.errors import EnsembleError
from htsr_ref.expectations import Expectation
from htsr_ref.randommatrix import ensembles
from htsr_ref.randommatrix.universality import UniversalityError, expected_alpha

MISS = 1e-9
"""Probability that one number lies outside its interval though all is well (RMT-12)."""

SIGMAS = float(norm.isf(MISS / 2))
"""Standard deviations of a normal law that leave MISS outside."""

SLACK = math.sqrt(2 * math.log(1 / MISS))
"""Distance t with exp(-t²/2) = MISS: what a 1-Lipschitz function of normal entries exceeds."""

ROUNDING = 256 * 2.0**-53
"""Relative error, per row, of drawing a prescribed spectrum and of solving for it."""

Parameters = Mapping[str, Any]
"""Values by name."""

Draw = Callable[[int, int, Parameters, np.random.Generator], NDArray[np.float64]]
"""Draws a matrix of N, M and the parameters."""


@dataclass(frozen=True)
class Ensemble:
    """How an ensemble is drawn from a recipe, and what is known of it.

    Attributes
    ----------
    draw : the matrix, of N, M, the parameters and a generator.
    expect : what is known of it, of N, M and the parameters.
    parameters : every parameter's value where none is given; None where one must be.
    meaning : one line for people.
    """

    draw: Draw
    expect: Callable[[int, int, Parameters], tuple[Expectation, ...]]
    parameters: Mapping[str, Any]
    meaning: str


def _of_gaussian(N: int, M: int, p: Parameters) -> tuple[Expectation, ...]:
    """RMT-2."""
    low, high = chi2(N * M).ppf(MISS / 2), chi2(N * M).isf(MISS / 2)
    variance = p["sigma"] ** 2
    largest = variance * (math.sqrt(N) + math.sqrt(M) + SLACK) ** 2 / N
    smallest = variance * max(0.0, math.sqrt(N) - math.sqrt(M) - SLACK) ** 2 / N
    return (
        _log_norm(variance * low, variance * high, "χ² of the squared entries, RMT-2"),
        Expectation("lambda_max", variance * low / (N * M), largest, "RMT-2"),
        Expectation("lambda_min", smallest, variance * high / (N * M), "RMT-2"),
    )


def _of_pareto(N: int, M: int, p: Parameters) -> tuple[Expectation, ...]:
    """RMT-3, RMT-42: five times as far from the median as the central 95 % of the table."""
    why = "no entry is smaller than W0, RMT-3"
    norm = _log_norm(p["scale"] ** 2 * N * M, math.inf, why)
    if p["mu"] >= 2:
        return (norm,)
    try:
        alpha = expected_alpha(p["mu"], N, M)
    except UniversalityError:
        return (norm,)
    reach = 5 * max(alpha.high95 - alpha.median, alpha.median - alpha.low95)
    low, high = max(1.0, alpha.median - reach), alpha.median + reach
    return (norm, Expectation("alpha", low, high, "the table for this mu, N and M, RMT-42"))


def _of_spikes(N: int, M: int, p: Parameters) -> tuple[Expectation, ...]:
    """RMT-5: λ_max is near the place of the largest spike beyond the bulk."""
    theta, variance = max(p["spikes"]), p["sigma"] ** 2
    if theta * math.sqrt(N / M) <= 1:
        return ()
    place = variance * (1 + theta) * (1 + M / (N * theta))
    reach = (SLACK + 2 * math.sqrt(len(p["spikes"]))) * p["sigma"] * math.sqrt((1 + theta) / N)
    return (_near("lambda_max", place, reach, "place of the largest spike, RMT-5"),)


def _of_singular_values(values: NDArray[np.float64], N: int) -> tuple[Expectation, ...]:
    """RMT-6: what the eigenvalues σ²/N give."""
    largest, total = float(values.max()), float(np.sum(values**2))
    if largest == 0:
        return (Expectation("rank", 0, 0, "all singular values are 0, RMT-6"),)
    error = ROUNDING * N
    stable = total / largest**2
    why = "the prescribed singular values, RMT-6"
    return (
        _log_norm(total * (1 - error), total * (1 + error), why),
        Expectation("lambda_max", largest**2 / N * (1 - error), largest**2 / N * (1 + error), why),
        Expectation("stable_rank", stable * (1 - error), stable * (1 + error), why),
    )


def _of_power_law(N: int, M: int, p: Parameters) -> tuple[Expectation, ...]:
    """RMT-7: quantiles are what a fit of any of their tails finds again, nearly."""
    eigenvalues = ensembles.power_law_eigenvalues(M, p["alpha"], xmin=p["xmin"])
    reach = SIGMAS * (p["alpha"] - 1) / math.sqrt(M)
    low, high = max(1.0, p["alpha"] - reach), p["alpha"] + reach
    return (
        Expectation("alpha", low, high, "the exponent of the quantiles, RMT-7"),
        *_of_singular_values(np.sqrt(N * eigenvalues), N),
    )


def _of_low_rank(N: int, M: int, p: Parameters) -> tuple[Expectation, ...]:
    """RMT-9."""
    s, sigma, rank = p["strength"], p["sigma"], int(p["rank"])
    if sigma == 0:
        return (Expectation("rank", rank, rank, "the rank without noise, RMT-9"),)
    if rank == 0 or s <= sigma * (M / N) ** 0.25:
        return ()
    place = (s**2 + sigma**2) * (s**2 + sigma**2 * M / N) / s**2
    reach = (SLACK + 2 * math.sqrt(rank)) * sigma / math.sqrt(N)
    return (_near("lambda_max", place, reach, "place of the outliers, RMT-9"),)


def _of_correlated_rows(N: int, M: int, p: Parameters) -> tuple[Expectation, ...]:
    """RMT-10: ‖W‖_F²/(NM) has mean σ² and variance about 2σ⁴τ/(NM)."""
    tau = (1 + p["rho"] ** 2) / (1 - p["rho"] ** 2)
    reach = 2 * SIGMAS * math.sqrt(2 * tau / (N * M))
    total = p["sigma"] ** 2 * N * M
    low = total * max(1 - reach, 1e-3)
    return (_log_norm(low, total * (1 + reach), "variance of the squared entries, RMT-10"),)


def _log_norm(low: float, high: float, why: str) -> Expectation:
    """Interval of log10 ‖W‖_F from one of ‖W‖_F²."""
    high = min(high, float(np.finfo(np.float64).max))
    return Expectation("log10_frobenius_norm", 0.5 * math.log10(low), 0.5 * math.log10(high), why)


def _near(metric: str, place: float, reach: float, why: str) -> Expectation:
    """Interval of a squared singular value whose root is within `reach` of that of `place`."""
    root = math.sqrt(place)
    return Expectation(metric, max(0.0, root - reach) ** 2, (root + reach) ** 2, why)


def _nothing(_: int, __: int, ___: Parameters) -> tuple[Expectation, ...]:
    """No number of one finite matrix is known."""
    return ()


def _draw_singular_values(
    N: int, M: int, p: Parameters, rng: np.random.Generator
) -> NDArray[np.float64]:
    values = np.asarray(p["singular_values"], dtype=np.float64)
    if values.size != M:
        raise EnsembleError(f"{values.size} singular values do not make a matrix of {N}×{M}")
    return ensembles.prescribed(values, N, rng)


def _draw_power_law(N: int, M: int, p: Parameters, rng: np.random.Generator) -> NDArray[np.float64]:
    eigenvalues = ensembles.power_law_eigenvalues(M, p["alpha"], xmin=p["xmin"])
    return ensembles.prescribed(np.sqrt(N * eigenvalues), N, rng)


def _by_name(draw: Callable[..., NDArray[np.float64]]) -> Draw:
    """Draw with the parameters as the function's own arguments."""
    return lambda N, M, p, rng: draw(N, M, rng=rng, **p)


ENSEMBLES: Mapping[str, Ensemble] = MappingProxyType(
    {
        "gaussian": Ensemble(
            _by_name(ensembles.gaussian), _of_gaussian, {"sigma": 1.0}, "normal entries"
        ),
        "pareto": Ensemble(
            _by_name(ensembles.pareto),
            _of_pareto,
            {"mu": None, "scale": 1.0},
            "Pareto entries of tail index mu",
        ),
        "levy-stable": Ensemble(
            _by_name(ensembles.levy_stable),
            _nothing,
            {"mu": None, "scale": 1.0},
            "symmetric stable entries of index mu",
        ),
        "student-t": Ensemble(
            _by_name(ensembles.student_t),
            _nothing,
            {"dof": None, "scale": 1.0},
            "Student entries of dof degrees of freedom",
        ),
        "spiked": Ensemble(
            _by_name(ensembles.spiked),
            _of_spikes,
            {"spikes": None, "sigma": 1.0},
            "normal rows whose covariance has spikes",
        ),
        "prescribed": Ensemble(
            _draw_singular_values,
            lambda N, _, p: _of_singular_values(np.asarray(p["singular_values"]), N),
            {"singular_values": None},
            "given singular values, random frames",
        ),
        "power-law": Ensemble(
            _draw_power_law,
            _of_power_law,
            {"alpha": None, "xmin": 1.0},
            "eigenvalues that are the quantiles of a power law",
        ),
        "gaussian-with-heavy-part": Ensemble(
            _by_name(ensembles.gaussian_with_heavy_part),
            _nothing,
            {"mu": None, "weight": 0.1, "sigma": 1.0},
            "normal plus Pareto entries",
        ),
        "low-rank-plus-noise": Ensemble(
            _by_name(ensembles.low_rank_plus_noise),
            _of_low_rank,
            {"rank": None, "strength": 2.0, "sigma": 1.0},
            "a few equal singular values, and noise",
        ),
        "correlated-rows": Ensemble(
            _by_name(ensembles.correlated_rows),
            _of_correlated_rows,
            {"rho": None, "sigma": 1.0},
            "normal entries correlated from row to row",
        ),
    }
)
"""The ensembles by name (RMT-11)."""
