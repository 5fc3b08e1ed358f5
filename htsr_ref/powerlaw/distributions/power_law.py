"""The power law x^-α on x ≥ xmin."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from htsr_ref.powerlaw.distributions.tail import Array, checked_tail, log_ratio
from htsr_ref.powerlaw.mle import alpha_mle


@dataclass(frozen=True)
class PowerLaw:
    """p(x) = ((α-1)/xmin) (x/xmin)^-α for x ≥ xmin.

    Attributes
    ----------
    alpha : exponent α, > 1.
    xmin : lower end of the support, > 0.

    Spec: PL-20, PL-21. Source: Clauset, Shalizi & Newman 2009, table 2.1.

    >>> law = PowerLaw(alpha=2.5, xmin=1.0)
    >>> round(float(law.cdf(4.0)), 12)
    0.875
    """

    alpha: float
    xmin: float

    def __post_init__(self) -> None:
        if not (1 < self.alpha < np.inf and 0 < self.xmin < np.inf):
            raise ValueError(f"a power law needs alpha > 1 and xmin > 0: {self}")

    def logpdf(self, x: ArrayLike) -> Array:
        """Logarithm of the density; -inf below xmin."""
        inside = np.log(self.alpha - 1.0) - np.log(self.xmin) - self.alpha * log_ratio(x, self.xmin)
        return np.where(np.asarray(x) >= self.xmin, inside, -np.inf)

    def cdf(self, x: ArrayLike) -> Array:
        """Probability of a value ≤ x."""
        return -np.expm1((1.0 - self.alpha) * log_ratio(x, self.xmin))

    def alpha_stderr(self, tail_size: int) -> float:
        """Asymptotic standard error of α, (α-1)/√n, for a tail of n points and a known xmin.

        Spec: PL-6. Source: Clauset, Shalizi & Newman 2009, eq. 3.2.

        >>> PowerLaw(alpha=3.0, xmin=1.0).alpha_stderr(100)
        0.2
        """
        return (self.alpha - 1.0) / math.sqrt(tail_size)

    @classmethod
    def fit(cls, tail: ArrayLike, xmin: float) -> Self:
        """Law of greatest likelihood.

        Parameters
        ----------
        tail : (n,) all points ≥ xmin; at least one above it.
        xmin : threshold.

        Raises
        ------
        SampleError
            A point is below xmin or not finite; as NoFitError, none is above xmin.

        Spec: PL-2, PL-21.
        """
        return cls(alpha_mle(log_ratio(checked_tail(tail, xmin), xmin)), xmin)
