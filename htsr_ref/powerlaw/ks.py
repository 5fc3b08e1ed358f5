"""The Kolmogorov-Smirnov distance between a tail and a fitted distribution."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

KsKind = Literal["two-sided", "one-sided"]


def ks_distance(cdf: NDArray[np.float64], kind: KsKind = "two-sided") -> float:
    """Largest distance between a model's distribution function and the empirical one.

    The empirical function rises from (k-1)/n to k/n at the k-th of n points. "two-sided" compares
    the model with both ends of each step, which is the Kolmogorov-Smirnov statistic; "one-sided"
    with the lower end only, as the code of Clauset et al. and the tools of this field do. Tied
    points take consecutive ranks.

    Parameters
    ----------
    cdf : (n,) float64, the model's distribution function at the points of the tail, ascending.
    kind : which steps are compared.

    Returns
    -------
    float in [0, 1].

    Spec: PL-3. Source: Clauset, Shalizi & Newman 2009, eq. 3.9.

    >>> ks_distance(np.array([0.0, 0.5]))
    0.5
    >>> ks_distance(np.array([0.0, 0.5]), "one-sided")
    0.0
    """
    n = cdf.size
    above_lower_end = cdf - np.arange(n) / n
    distance = max(float(above_lower_end.max()), -float(above_lower_end.min()))
    if kind == "one-sided":
        return distance
    below_upper_end = np.arange(1, n + 1) / n - cdf
    return max(distance, float(below_upper_end.max()))
