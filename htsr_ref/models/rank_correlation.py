"""Rank correlations, with p-values that are exact for the few models a series has."""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations, permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

MOST_ENUMERATED = 9
"""Largest sample of which every order is tried: 9! = 362,880."""

MOST_EXACT_KENDALL = 50
"""Largest sample without ties for which Kendall's exact distribution is summed."""


@dataclass(frozen=True)
class Correlation:
    """A rank correlation and its two-sided p-value.

    Attributes
    ----------
    value : from -1 to 1.
    p_value : share of all orders of y whose correlation is at least as large in size.
    method : "exact", or "asymptotic" where that share is only approximated.
    """

    value: float
    p_value: float
    method: Literal["exact", "asymptotic"]


def kendall_tau_b(x: Array, y: Array) -> Correlation:
    """Kendall's τ-b.

    Parameters
    ----------
    x, y : (n,) float64, finite, n ≥ 2, neither all equal.

    Spec: TRD-4, TRD-5. Source: Kendall, Rank Correlation Methods (1970).

    >>> kendall_tau_b(np.array([1.0, 2.0, 3.0, 4.0]), np.array([9.0, 7.0, 8.0, 5.0]))
    Correlation(value=-0.6666666666666666, p_value=0.3333333333333333, method='exact')
    """
    value = tau_b(x, y)
    tied = _has_ties(x) or _has_ties(y)
    if tied and x.size <= MOST_ENUMERATED:
        return Correlation(value, _share_as_large(_kendall_sums(x, y)), "exact")
    exact = not tied and x.size <= MOST_EXACT_KENDALL
    found = stats.kendalltau(x, y, method="exact" if exact else "asymptotic")
    p_value = max(float(found.pvalue), _least_p(x.size))
    return Correlation(value, p_value, "exact" if exact else "asymptotic")


def tau_b(x: Array, y: Array) -> float:
    """Kendall's τ-b alone: concordant less discordant pairs over √(untied in x · untied in y).

    Spec: TRD-4.
    """
    a, b = _signs(x), _signs(y)
    untied = int((a != 0).sum()) * int((b != 0).sum())
    return int((a * b).sum()) / math.sqrt(untied)


def tau_b_range(x: Array, y: Array) -> tuple[float, float] | None:
    """Least and greatest τ-b when any one of the pairs of numbers is left out.

    Parameters
    ----------
    x, y : (n,) float64, finite, n ≥ 2.

    Returns
    -------
    None if x or y are all equal once one is left out.

    Spec: TRD-6.

    >>> tau_b_range(np.array([1.0, 2.0, 3.0, 4.0]), np.array([9.0, 7.0, 8.0, 5.0]))
    (-1.0, -0.3333333333333333)
    """
    a, b = _signs(x), _signs(y)
    # Each pair counts twice, and leaves with either of its two.
    sums, in_x, in_y = (
        (found.sum() - 2 * found.sum(axis=1)).tolist() for found in (a * b, a != 0, b != 0)
    )
    if 0 in in_x or 0 in in_y:
        return None
    taus = [s / math.sqrt(u * v) for s, u, v in zip(sums, in_x, in_y, strict=True)]
    return min(taus), max(taus)


def spearman_rho(x: Array, y: Array) -> Correlation:
    """Spearman's ρ, with mean ranks for ties.

    Parameters
    ----------
    x, y : (n,) float64, finite, n ≥ 2, neither all equal.

    Spec: TRD-4, TRD-5. Source: Kendall, Rank Correlation Methods (1970).

    >>> spearman_rho(np.array([1.0, 2.0, 3.0, 4.0]), np.array([9.0, 7.0, 8.0, 5.0]))
    Correlation(value=-0.8, p_value=0.3333333333333333, method='exact')
    """
    a, b = _centered_ranks(x), _centered_ranks(y)
    # Python's integers: the product exceeds 64 bits from some 2,100 models on.
    value = int(a @ b) / math.sqrt(int(a @ a) * int(b @ b))
    if x.size <= MOST_ENUMERATED:
        return Correlation(value, _share_as_large(b[_orders(x.size)] @ a), "exact")
    p_value = max(float(stats.spearmanr(x, y).pvalue), _least_p(x.size))
    return Correlation(value, p_value, "asymptotic")


def _has_ties(x: Array) -> bool:
    return np.unique(x).size < x.size


def _signs(x: Array) -> NDArray[np.int64]:
    """Order of each pair: -1, 0 or 1."""
    return np.sign(x[:, None] - x).astype(np.int64)


def _least_p(n: int) -> float:
    """No test that orders n models can say less; an approximation may claim 0."""
    return 2.0 / math.factorial(n) if n < 170 else 0.0


def _centered_ranks(x: Array) -> NDArray[np.int64]:
    """Twice each rank less its mean: integers, so that equal sums compare as equal."""
    return (2 * stats.rankdata(x)).astype(np.int64) - (x.size + 1)


@lru_cache(maxsize=1)
def _orders(n: int) -> NDArray[np.int8]:
    """Every order of 0 … n-1, a row each; the first is the order given."""
    flat = chain.from_iterable(permutations(range(n)))
    return np.fromiter(flat, np.int8, n * math.factorial(n)).reshape(-1, n)


def _kendall_sums(x: Array, y: Array) -> NDArray[np.int64]:
    """Concordant less discordant pairs, for every order of y."""
    orders, a, b = _orders(x.size), _signs(x), _signs(y)
    total = np.zeros(len(orders), dtype=np.int64)
    for i, j in combinations(range(x.size), 2):
        total += a[i, j] * b[orders[:, i], orders[:, j]]
    return total


def _share_as_large(sums: NDArray[np.int64]) -> float:
    """Share of sums at least as large in size as the first, which is the one observed."""
    return float(np.mean(np.abs(sums) >= abs(sums[0])))
