"""Which of two fitted laws a tail favors: the likelihood-ratio tests of Vuong and of Wilks."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import SampleError
from htsr_ref.powerlaw.distributions import (
    Distribution,
    Exponential,
    PowerLaw,
    StretchedExponential,
    TruncatedPowerLaw,
)

NESTED = frozenset[tuple[type[Distribution], type[Distribution]]](
    {
        (PowerLaw, TruncatedPowerLaw),
        (Exponential, TruncatedPowerLaw),
        (Exponential, StretchedExponential),
    }
)
"""Pairs whose first is the second with one parameter fixed (PL-38)."""


@dataclass(frozen=True)
class Comparison:
    """A likelihood-ratio test of a first law against a second one on the same tail.

    Attributes
    ----------
    log_likelihood_ratio : R, the first law's log-likelihood minus the second's (natural log).
    normalized_ratio : R/(√n σ), standard normal if both laws are equally near the truth; None for
        nested laws and where σ = 0.
    p_value : probability of a ratio as far from 0, either way, if neither is better; None where
        σ = 0. Small: the sign of R can be trusted.
    favored : the law of greater likelihood, None if there is none; for nested laws the larger one.
    test : "vuong", or "nested" for laws one of which contains the other.

    Spec: PL-37, PL-38, PL-39.
    """

    log_likelihood_ratio: float
    normalized_ratio: float | None
    p_value: float | None
    favored: Literal["first", "second"] | None
    test: Literal["vuong", "nested"]


def compare(first: Distribution, second: Distribution, tail: ArrayLike) -> Comparison:
    """Compare two laws, each fitted to the same tail.

    Parameters
    ----------
    first, second : fitted laws with the same xmin.
    tail : (n,) all points ≥ xmin.

    Raises
    ------
    SampleError
        The laws have different xmin, or a point has density 0 under one of them.

    Spec: PL-37, PL-38.

    >>> tail = np.array([1.0, 1.5, 2.0, 4.0, 50.0])
    >>> found = compare(PowerLaw.fit(tail, 1.0), Exponential.fit(tail, 1.0), tail)
    >>> found.favored, round(found.normalized_ratio, 4), round(found.p_value, 4)
    ('first', 2.0897, 0.0366)
    """
    if first.xmin != second.xmin:
        raise SampleError(f"laws of different tails: xmin is {first.xmin} and {second.xmin}")
    x = np.asarray(tail, dtype=np.float64).ravel()
    log_first, log_second = first.logpdf(x), second.logpdf(x)
    for log_density, law in ((log_first, first), (log_second, second)):
        impossible = np.flatnonzero(log_density == -np.inf)
        if impossible.size:
            raise SampleError(f"value {x[impossible[0]]} of the tail has density 0 under {law}")
    kinds = type(first), type(second)
    if kinds in NESTED or kinds[::-1] in NESTED:
        return nested_test(log_first, log_second)
    return vuong_test(log_first, log_second)


def vuong_test(log_first: NDArray[np.float64], log_second: NDArray[np.float64]) -> Comparison:
    """Vuong's test for laws neither of which contains the other.

    R = Σ (ln p_1(x_i) - ln p_2(x_i)), σ² the variance of the n differences (divisor n), and
    p = erfc(|R|/(√(2n) σ)).

    Parameters
    ----------
    log_first, log_second : (n,) log-densities of the tail under each law.

    Spec: PL-37, PL-39. Source: Vuong 1989, Econometrica 57, 307; Clauset, Shalizi & Newman 2009,
    appendix C.
    """
    from scipy import special

    differences = _differences(log_first, log_second)
    n = differences.size
    ratio = float(differences.sum())
    sigma = float(differences.std())
    # Equal differences leave a σ that is nothing but rounding.
    if sigma <= _rounding(log_first, log_second):
        return Comparison(ratio, None, None, _favored(ratio), "vuong")
    normalized = ratio / (np.sqrt(n) * sigma)
    p_value = float(special.erfc(abs(normalized) / np.sqrt(2.0)))
    return Comparison(ratio, float(normalized), p_value, _favored(ratio), "vuong")


def nested_test(log_first: NDArray[np.float64], log_second: NDArray[np.float64]) -> Comparison:
    """Wilks' test for a law and one that contains it and has one parameter more.

    2|R| is compared with χ² of one degree of freedom: p = erfc(√|R|).

    Parameters
    ----------
    log_first, log_second : (n,) log-densities of the tail under each law, either one the larger.

    Spec: PL-38, PL-39. Source: Wilks 1938, Annals of Mathematical Statistics 9, 60; Clauset,
    Shalizi & Newman 2009, appendix C.
    """
    from scipy import special

    ratio = float(_differences(log_first, log_second).sum())
    p_value = float(special.erfc(np.sqrt(abs(ratio))))
    return Comparison(ratio, None, p_value, _favored(ratio), "nested")


def _rounding(log_first: NDArray[np.float64], log_second: NDArray[np.float64]) -> float:
    """Bound of the rounding error of a log-density."""
    largest = max(float(np.abs(log_first).max()), float(np.abs(log_second).max()), 1.0)
    return 64 * float(np.finfo(np.float64).eps) * largest


def _differences(
    log_first: NDArray[np.float64], log_second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Differences of two log-densities; exactly 0 everywhere if they are equal within rounding."""
    differences = log_first - log_second
    if float(np.abs(differences).max()) <= _rounding(log_first, log_second):
        return np.zeros_like(differences)
    return differences


def _favored(ratio: float) -> Literal["first", "second"] | None:
    """Say which law has the greater likelihood."""
    if ratio == 0:
        return None
    return "first" if ratio > 0 else "second"
