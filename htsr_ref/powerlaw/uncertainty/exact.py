"""The exact confidence interval of the exponent above a known threshold."""

from scipy.special import gammainccinv, gammaincinv

from htsr_ref.powerlaw.uncertainty.interval import Interval, tail_probability


def exact_interval(alpha: float, tail_size: int, level: float = 0.95) -> Interval:
    """Equal-tailed interval of α that covers the true one with the stated probability exactly.

    ln(x/xmin) is exponential with rate α - 1, so that Σ ln(x_j/xmin) = n/(α̂ - 1) has a Gamma
    distribution of shape n: (α - 1)/(α̂ - 1)·2n is χ² with 2n degrees of freedom. Holds for any n if
    the points are independent and xmin was not chosen by looking at them.

    Parameters
    ----------
    alpha : maximum-likelihood exponent of the tail.
    tail_size : number n of points in the tail.
    level : probability of covering.

    Returns
    -------
    (low, high), both above 1.

    Spec: PL-44, PL-54. Source: the sum of n exponential variables is a Gamma variable.

    >>> [round(end, 4) for end in exact_interval(3.0, 100)]
    [2.6273, 3.4106]
    """
    tail = tail_probability(level)
    scale = (alpha - 1.0) / tail_size
    low, high = gammaincinv(tail_size, tail), gammainccinv(tail_size, tail)
    return 1.0 + scale * float(low), 1.0 + scale * float(high)
