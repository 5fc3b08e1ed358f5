"""The likelihood interval of the exponent at a given threshold."""

import math

from scipy.optimize import brentq
from scipy.special import ndtri

from htsr_ref.powerlaw.uncertainty.interval import Interval, tail_probability


def profile_interval(alpha: float, tail_size: int, level: float = 0.95) -> Interval:
    """All α whose log-likelihood lies within χ²₁(level)/2 of the greatest one.

    With u = (α - 1)/(α̂ - 1) the log-likelihood of a tail of n points falls short of its maximum by
    n·(u - 1 - ln u). The ends are the two roots of this expression minus χ²₁(level)/2.

    Parameters
    ----------
    alpha : maximum-likelihood exponent α̂ of the tail.
    tail_size : number n of points in the tail.
    level : asymptotic probability of covering.

    Returns
    -------
    (low, high), both above 1.

    Spec: PL-45. Source: Wilks, Annals of Mathematical Statistics 9 (1938).

    >>> [round(end, 4) for end in profile_interval(3.0, 100)]
    [2.6332, 3.418]
    """
    drop = float(ndtri(tail_probability(level))) ** 2 / (2 * tail_size)

    def below(t: float) -> float:
        return math.expm1(-t) + t - drop

    def above(v: float) -> float:
        return v - math.log1p(v) - drop

    # u = e^-t below 1, where u may be tiny, and u = 1 + v above. At t = 2 + drop the first exceeds
    # 1; at v = drop + √(2·drop) the second is positive: ln(1 + s + s²/2) < s for s = √(2·drop).
    low = brentq(below, 0.0, 2.0 + drop, xtol=1e-300, rtol=1e-15)
    high = brentq(above, 0.0, drop + math.sqrt(2 * drop), xtol=1e-300, rtol=1e-15)
    scale = alpha - 1.0
    return 1.0 + scale * math.exp(-low), 1.0 + scale * (1.0 + high)
