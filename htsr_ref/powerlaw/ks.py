"""The Kolmogorov-Smirnov distance between a tail and a fitted distribution."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

KsKind = Literal["two-sided", "one-sided"]


def ks_gaps(cdf: NDArray[np.float64], kind: KsKind = "two-sided") -> NDArray[np.float64]:
    """Distances between a model's distribution function and the empirical one at every point.

    The empirical function rises from (k-1)/n to k/n at the k-th of n points. "two-sided" compares
    the model with both ends of each step, which gives the Kolmogorov-Smirnov statistic;
    "one-sided" with the lower end only, as the code of Clauset et al. and the tools of this field
    do. Tied points take consecutive ranks.

    Parameters
    ----------
    cdf : (n,) float64, the model's distribution function at the points of the tail, ascending.
    kind : which ends of the steps are compared.

    Returns
    -------
    (n,) float64, each in [0, 1].

    Spec: PL-3. Source: Clauset, Shalizi & Newman 2009, eq. 3.9.
    """
    ranks = np.arange(cdf.size + 1) / cdf.size
    above_lower_end = cdf - ranks[:-1]
    if kind == "one-sided":
        return np.abs(above_lower_end)
    return np.maximum(above_lower_end, ranks[1:] - cdf)


def ks_distance(cdf: NDArray[np.float64], kind: KsKind = "two-sided") -> float:
    """Largest distance between a model's distribution function and the empirical one.

    Parameters and kinds as for `ks_gaps`.

    Spec: PL-3.

    >>> ks_distance(np.array([0.0, 0.5]))
    0.5
    >>> ks_distance(np.array([0.0, 0.5]), "one-sided")
    0.0
    """
    return float(ks_gaps(cdf, kind).max())
