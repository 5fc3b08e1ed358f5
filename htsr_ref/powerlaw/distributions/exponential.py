"""The exponential law on x ≥ xmin."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from htsr_ref.powerlaw.distributions.tail import MAX, Array, checked_tail, scaled_excess


@dataclass(frozen=True)
class Exponential:
    """p(x) = λ e^(-λ(x - xmin)) for x ≥ xmin.

    Attributes
    ----------
    rate : λ, > 0, in inverse units of x.
    xmin : lower end of the support, > 0.

    Spec: PL-20, PL-28. Source: Clauset, Shalizi & Newman 2009, table 2.1.

    >>> Exponential(rate=np.log(2.0), xmin=1.0).cdf([1.0, 2.0, 3.0])
    array([0.  , 0.5 , 0.75])
    """

    rate: float
    xmin: float

    def __post_init__(self) -> None:
        if not (0 < self.rate < np.inf and 0 < self.xmin < np.inf):
            raise ValueError(f"an exponential law needs rate > 0 and xmin > 0: {self}")

    def logpdf(self, x: ArrayLike) -> Array:
        """Logarithm of the density; -inf below xmin."""
        inside = np.log(self.rate) - scaled_excess(x, self.xmin, self.rate)
        return np.where(np.asarray(x) >= self.xmin, inside, -np.inf)

    def cdf(self, x: ArrayLike) -> Array:
        """Probability of a value ≤ x."""
        return -np.expm1(-scaled_excess(x, self.xmin, self.rate))

    @classmethod
    def fit(cls, tail: ArrayLike, xmin: float) -> Self:
        """Law of greatest likelihood, λ = 1/(mean - xmin).

        Parameters
        ----------
        tail : (n,) all points ≥ xmin; at least one above it.
        xmin : threshold.

        Raises
        ------
        SampleError
            A point is below xmin or not finite; as NoFitError, none is above xmin.

        Spec: PL-28.
        """
        excess = float(np.mean(checked_tail(tail, xmin) - xmin))
        # Only a tail within 6e-309 of xmin has a rate beyond the range of binary64.
        return cls(min(1.0 / excess, MAX), xmin)
