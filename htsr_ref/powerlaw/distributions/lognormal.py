"""The lognormal law on x ≥ xmin, out to the power law that is its limit."""

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

SQRT2 = np.sqrt(2.0)

LIMIT = -(2.0**40)
"""The offset, in units of σ, that stands for the power-law limit."""


@dataclass(frozen=True)
class Lognormal:
    """ln X is normal (μ, σ²), given that X ≥ xmin.

    For μ → -∞ with (ln xmin - μ)/σ² = α - 1 fixed it becomes the power law of exponent α.

    Attributes
    ----------
    offset : μ - ln xmin, since μ itself would lose what a narrow tail is about to rounding.
    sigma : standard deviation σ > 0 of ln X before the restriction to x ≥ xmin.
    xmin : lower end of the support, > 0.

    Spec: PL-20, PL-31. Source: Clauset, Shalizi & Newman 2009, table 2.1.

    >>> law = Lognormal(offset=0.0, sigma=1.0, xmin=2.0)
    >>> round(float(law.cdf(2.0 * np.e)), 12)
    0.682689492137
    """

    offset: float
    sigma: float
    xmin: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.offset) and 0 < self.sigma < np.inf and 0 < self.xmin < np.inf):
            raise ValueError(f"a lognormal law needs sigma > 0 and xmin > 0: {self}")

    def logpdf(self, x: ArrayLike) -> Array:
        """Logarithm of the density; -inf below xmin."""
        from scipy import special

        y, m, sigma = log_ratio(x, self.xmin), self.offset, self.sigma
        if m < 0:
            # The two quadratics in m cancel; so does Φ(m/σ), whose logarithm is near -m²/(2σ²).
            log_mass = np.log(sigma * np.sqrt(np.pi / 2) * special.erfcx(-m / (sigma * SQRT2)))
            log_density = -_drop(y, m, sigma) - log_mass
        else:
            log_mass = np.log(sigma * np.sqrt(2 * np.pi)) + special.log_ndtr(m / sigma)
            log_density = -(((y - m) / sigma) ** 2) / 2 - log_mass
        inside = log_density - y - np.log(self.xmin)
        return np.where(np.asarray(x) >= self.xmin, inside, -np.inf)

    def _log_survival(self, x: ArrayLike) -> Array:
        from scipy import special

        y, m, sigma = log_ratio(x, self.xmin), self.offset, self.sigma
        if m < 0:
            there = special.erfcx((y - m) / (sigma * SQRT2))
            here = special.erfcx(-m / (sigma * SQRT2))
            return np.asarray(np.log(there / here) - _drop(y, m, sigma))
        return np.asarray(special.log_ndtr((m - y) / sigma) - special.log_ndtr(m / sigma))

    def cdf(self, x: ArrayLike) -> Array:
        """Probability of a value ≤ x."""
        return -np.expm1(self._log_survival(x))

    @classmethod
    def fit(cls, tail: ArrayLike, xmin: float) -> Self:
        """Law of greatest likelihood; at the power-law limit, one equal to it within rounding.

        With y = ln(x/xmin), the squared coefficient of variation of y determines the offset in
        units of σ, and the mean of y then determines σ. From a coefficient of 1 on, no lognormal is
        as likely as the power law that they approach.

        Parameters
        ----------
        tail : (n,) all points ≥ xmin, at least two distinct ones.
        xmin : threshold.

        Raises
        ------
        SampleError
            A point is below xmin or not finite; as NoFitError, all points are equal.

        Spec: PL-32. Source: Cohen 1950, Annals of Mathematical Statistics 21, 557.
        """
        y = log_ratio(checked_tail(tail, xmin), xmin)
        require_spread(y)
        mean = float(y.mean())
        spread = float(y.var()) / mean**2
        z = _offset_of_spread(spread) if spread < 1 else LIMIT
        sigma = mean / _half_normal(z)[0]
        return cls(z * sigma, sigma, xmin)


def _drop(y: Array, m: float, sigma: float) -> Array:
    """((y-m)² - m²)/(2σ²), by how much the normal density falls from 0 to y, for m < 0."""
    return np.asarray((y / sigma) * ((y / sigma - 2.0 * (m / sigma)) / 2))


def _half_normal(z: float) -> tuple[float, float]:
    """Mean, and squared coefficient of variation, of a normal (z, 1) variable given it is positive.

    >>> mean, spread = _half_normal(0.0)
    >>> round(mean**2, 12), round(spread, 12)  # 2/π and π/2 - 1
    (0.636619772368, 0.570796326795)
    """
    from scipy import special

    if z > -3.0:
        hazard = np.sqrt(2 / np.pi) / special.erfcx(-z / SQRT2)
        mean = hazard + z
        return float(mean), float((1.0 - hazard * mean) / mean**2)
    # The mean is 1/(u + 2/(u + 3/(u + …))) with u = -z: Laplace's fraction of Mills' ratio.
    third, u = 0.0, -z
    for k in range(60, 2, -1):
        third = k / (u + third)
    second = 2.0 / (u + third)
    return 1.0 / (u + second), 1.0 - 2.0 * (third - second) / (u + third)


def _offset_of_spread(spread: float) -> float:
    """Return the z whose squared coefficient of variation is `spread`, in (0, 1).

    It is below 1/z² for z > 0 and above 1 - 2/z² for z < 0, which brackets the root.
    """
    from scipy import optimize

    lower, upper = -2.0 * np.sqrt(2.0 / (1.0 - spread)), 2.0 / np.sqrt(spread)
    root = optimize.brentq(
        lambda z: _half_normal(z)[1] - spread, lower, upper, xtol=1e-300, rtol=1e-15
    )
    return float(root)
