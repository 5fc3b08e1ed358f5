"""Estimators of the exponent beside the maximum-likelihood one: without its bias, and Hill's."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw.distributions.tail import log_ratio

Threshold = Literal["from the sample", "given"]
Counting = Literal["threshold included", "threshold excluded"]


def alpha_unbiased(
    log_ratios: NDArray[np.float64], threshold: Threshold = "from the sample"
) -> float:
    """Exponent without the bias that the maximum-likelihood estimate has in small samples.

    Σ ln(x_j/xmin) is a gamma variable of shape n for a threshold that is given, and of shape n - 1
    for one that is the smallest of the n points. Hence the estimate α - 1 is too large on average
    by n/(n-1) and by n/(n-2); without that factor it is the one of least variance among the
    unbiased ones. Where the n - 1 points above the smallest are counted, as Hill does with the
    threshold excluded, the second correction is the factor (n-2)/(n-1).

    Parameters
    ----------
    log_ratios : (n,) ln(x_j/xmin) of the whole tail, all ≥ 0 and not all 0; n ≥ 2 for a threshold
        that is given, else n ≥ 3 with the threshold's own 0 among them.
    threshold : where xmin comes from.

    Raises
    ------
    NoFitError
        Too few points.

    Spec: PL-35. Source: Johnson, Kotz & Balakrishnan 1994, Continuous Univariate Distributions 1,
    chapter 20.

    >>> logs = np.log([1.0, np.e, np.e**2, np.e])
    >>> alpha_unbiased(logs), alpha_unbiased(logs, "given")
    (1.5, 1.75)
    """
    lost = 1 if threshold == "given" else 2
    if log_ratios.size <= lost:
        raise NoFitError(f"{log_ratios.size} points: an unbiased exponent needs {lost + 1}")
    return 1.0 + (log_ratios.size - lost) / float(log_ratios.sum())


def hill_alpha(ascending: NDArray[np.float64], k: int, counting: Counting) -> float:
    """Hill's estimate of the exponent, 1 + k/Σ ln(x_j/threshold), from the k largest values.

    Parameters
    ----------
    ascending : (n,) float64, positive.
    k : number of values that are counted.
    counting : "threshold excluded": the threshold is the next smaller value, so that k logarithms
        are summed (Hill 1975). "threshold included": it is the smallest of the k values, whose own
        logarithm is 0, so that k - 1 are: the maximum-likelihood estimate for that xmin (PL-2).

    Raises
    ------
    SampleError
        k is not between 1 and n - 1, or 2 and n with the threshold included.
    NoFitError
        The k largest values are equal to the threshold.

    Spec: PL-36. Source: Hill 1975, Annals of Statistics 3, 1163.

    >>> x = np.array([1.0, np.e, np.e**2])
    >>> hill_alpha(x, 2, "threshold excluded"), hill_alpha(x, 2, "threshold included")
    (1.6666666666666665, 3.0)
    """
    n = ascending.size
    least, most = (2, n) if counting == "threshold included" else (1, n - 1)
    if not least <= k <= most:
        raise SampleError(f"k = {k}: with the {counting} it must be from {least} to {most}")
    threshold = ascending[n - k if counting == "threshold included" else n - k - 1]
    total = float(log_ratio(ascending[n - k :], threshold).sum())
    if total == 0:
        raise NoFitError(f"the {k} largest values are equal to the threshold {threshold}")
    return 1.0 + k / total
