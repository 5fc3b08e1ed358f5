"""The Kolmogorov-Smirnov distance between a tail and a fitted distribution."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

KsKind = Literal["two-sided", "one-sided", "one-sided-steps"]


def gaps_at_ranks(
    cdf: NDArray[np.float64],
    below: NDArray[np.intp],
    sizes: int | NDArray[np.intp],
    kind: KsKind = "two-sided",
) -> NDArray[np.float64]:
    """Distances between a model's distribution function and the empirical one at single points.

    The empirical function rises from (k-1)/n to k/n at the k-th of n points. "two-sided" compares
    the model with both ends of each step, which gives the Kolmogorov-Smirnov statistic;
    "one-sided" with the lower end only, as the code of Clauset et al. and the tools of this field
    do. Tied points take consecutive ranks; for "one-sided-steps" they are one step, and all take
    the rank of the first.

    Parameters
    ----------
    cdf : (m,) float64, the model's distribution function at each point.
    below : (m,) k - 1, the number of points of the tail before it or, for "one-sided-steps", before
        those tied with it.
    sizes : n, of one tail for all points or of each point's own.
    kind : which ends of the steps are compared.

    Returns
    -------
    (m,) float64, each in [0, 1].

    Spec: PL-3. Source: Clauset, Shalizi & Newman 2009, eq. 3.9.
    """
    gaps: NDArray[np.float64] = cdf - below / sizes
    if kind == "two-sided":
        np.maximum(gaps, (below + 1) / sizes - cdf, out=gaps)
    else:
        np.abs(gaps, out=gaps)
    return gaps


def step_starts(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index, for every point of ascending rows, of the first that equals it.

    >>> step_starts(np.array([1.0, 2.0, 2.0, 5.0]))
    array([0, 1, 1, 3])
    """
    starts = np.empty(points.shape, dtype=np.intp)
    starts[...] = np.arange(points.shape[-1])
    starts[..., 1:][points[..., 1:] == points[..., :-1]] = 0
    return np.maximum.accumulate(starts, axis=-1)


def ks_gaps(
    cdf: NDArray[np.float64],
    kind: KsKind = "two-sided",
    points: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Distances at every point of one tail; the largest is the KS distance.

    Parameters
    ----------
    cdf : (n,) float64, the model's distribution function at the points of the tail, ascending.
    kind : as for `gaps_at_ranks`.
    points : (n,) float64, ascending numbers that are equal where points are tied; None if those of
        equal `cdf` are.

    Returns
    -------
    (n,) float64, each in [0, 1].

    Spec: PL-3.

    >>> ks_gaps(np.array([0.0, 0.5]))
    array([0.5, 0.5])
    >>> ks_gaps(np.array([0.0, 0.5]), "one-sided")
    array([0., 0.])
    """
    if kind == "one-sided-steps":
        below = step_starts(cdf if points is None else points)
    else:
        below = np.arange(cdf.size)
    return gaps_at_ranks(cdf, below, cdf.size, kind)
