"""The stretched exponential (Weibull) law on x ≥ xmin, down to the power law that is its limit."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from htsr_ref.powerlaw.distributions.tail import (
    Array,
    checked_tail,
    log_ratio,
    require_spread,
)

EXPREL_SLOPE = tuple(1.0 / (math.factorial(k) * (k + 2)) for k in range(15))
"""Taylor coefficients of the derivative of (e^z - 1)/z."""


@dataclass(frozen=True)
class StretchedExponential:
    """P(X > x) = exp(-h ((x/xmin)^β - 1)/β) for x ≥ xmin.

    The usual form P(X > x) = exp(-λ(x^β - xmin^β)) is the same law with λ = h/(β xmin^β). In h,
    which is xmin times the hazard rate at xmin, the limit β → 0 is the power law of exponent 1 + h,
    and β = 0 stands for it; λ would be infinite there.

    Attributes
    ----------
    beta : stretching exponent β, ≥ 0; 1 is the exponential law.
    log_hazard : ln h, since h itself underflows for samples of a huge range.
    xmin : lower end of the support, > 0.

    Spec: PL-20, PL-29. Source: Clauset, Shalizi & Newman 2009, table 2.1.

    >>> power_law = StretchedExponential(beta=0.0, log_hazard=np.log(1.5), xmin=1.0)
    >>> round(float(power_law.cdf(4.0)), 12)
    0.875
    """

    beta: float
    log_hazard: float
    xmin: float

    def __post_init__(self) -> None:
        parameters_are_finite = 0 <= self.beta < np.inf and np.isfinite(self.log_hazard)
        if not (parameters_are_finite and 0 < self.xmin < np.inf):
            raise ValueError(f"a stretched exponential needs beta ≥ 0 and xmin > 0: {self}")

    def _cumulative_hazard(self, log: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.asarray(log * np.exp(self.log_hazard + _log_exprel(self.beta * log)))

    def logpdf(self, x: ArrayLike) -> Array:
        """Logarithm of the density; -inf below xmin."""
        log = log_ratio(x, self.xmin)
        log_hazard_rate = self.log_hazard + (self.beta - 1.0) * log - np.log(self.xmin)
        inside = log_hazard_rate - self._cumulative_hazard(log)
        return np.where(np.asarray(x) >= self.xmin, inside, -np.inf)

    def cdf(self, x: ArrayLike) -> Array:
        """Probability of a value ≤ x."""
        return -np.expm1(-self._cumulative_hazard(log_ratio(x, self.xmin)))

    @classmethod
    def fit(cls, tail: ArrayLike, xmin: float) -> Self:
        """Law of greatest likelihood; the power law (β = 0) where no β > 0 is more likely.

        For a given β the best h is closed, and the likelihood that remains is strictly concave in
        β. So its maximum is the one root of its slope, or at 0 if the slope there is not positive.

        Parameters
        ----------
        tail : (n,) all points ≥ xmin, at least two distinct ones.
        xmin : threshold.

        Raises
        ------
        SampleError
            A point is below xmin or not finite; as NoFitError, all points are equal.

        Spec: PL-30.
        """
        from scipy import optimize

        log = log_ratio(checked_tail(tail, xmin), xmin)
        require_spread(log)
        largest = float(log.max())
        mean_shortfall = float(np.mean(largest - log))

        def slope(beta: float) -> float:
            """Differentiate the likelihood in β; divided by n."""
            return _shortfall(log, beta) - mean_shortfall

        beta = 0.0
        if slope(beta) > 0:
            # _shortfall is below (1 + ln n)/β.
            upper = 2.0 * (1.0 + np.log(log.size)) / mean_shortfall
            beta = float(optimize.brentq(slope, 0.0, upper, xtol=1e-300, rtol=1e-15))
        shift = float(_log_exprel(beta * largest))
        integrals = log * np.exp(_log_exprel(beta * log) - shift)
        return cls(beta, -shift - float(np.log(integrals.mean())), xmin)


def _log_exprel(z: ArrayLike) -> Array:
    """Logarithm of (e^z - 1)/z for z ≥ 0, without overflow.

    >>> _log_exprel([0.0, 1000.0]).round(6)
    array([  0.      , 993.092245])
    """
    from scipy import special

    large = np.maximum(z, 1.0)
    log_small = np.log(special.exprel(np.minimum(z, 1.0)))
    log_large = large + np.log1p(-np.exp(-large)) - np.log(large)
    return np.asarray(np.where(np.asarray(z) < 1.0, log_small, log_large))


def _shortfall(log: Array, beta: float) -> float:
    """How far the mean of s over the density ~ Σ_i 1[0 < s < L_i] e^(βs) lies below the largest L.

    That mean is the derivative of ln Σ_i (e^(βL_i) - 1)/β with respect to β, and rises with it.

    >>> _shortfall(np.array([2.0]), 0.0)
    1.0
    """
    from scipy import special

    z = beta * log
    largest = float(log.max())
    if beta * largest < 0.5:
        # d/dz of (e^z - 1)/z, as a series where its closed form cancels.
        slope = np.polynomial.polynomial.polyval(z, EXPREL_SLOPE)
        return largest - float(np.sum(log * log * slope) / np.sum(log * special.exprel(z)))
    gap = largest - log
    weights = np.exp(-beta * gap)
    smallest = np.exp(-beta * largest)
    return 1.0 / beta + float(
        np.sum(gap * weights - largest * smallest) / np.sum(weights - smallest)
    )
