"""The power law between two ends, where any exponent is a density."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from htsr_ref.errors import SampleError
from htsr_ref.powerlaw.distributions.tail import (
    Array,
    checked_tail,
    log_ratio,
    require_spread,
)


@dataclass(frozen=True)
class BoundedPowerLaw:
    """p(x) = C x^-α for xmin ≤ x ≤ xmax, with C = (α-1)/(xmin^(1-α) - xmax^(1-α)).

    In w = ln(x/xmin)/ln(xmax/xmin), which runs over [0, 1], it is the exponential density
    θ e^(-θw)/(1 - e^-θ) with θ = (α-1) ln(xmax/xmin) of either sign, uniform at α = 1.

    Attributes
    ----------
    alpha : exponent α, any real number.
    xmin, xmax : ends of the support, 0 < xmin < xmax.

    Spec: PL-20, PL-22. Source: Aban, Meerschaert & Panorska 2006.

    >>> law = BoundedPowerLaw(alpha=1.0, xmin=1.0, xmax=100.0)
    >>> law.cdf([1.0, 10.0, 100.0])
    array([0. , 0.5, 1. ])
    """

    alpha: float
    xmin: float
    xmax: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.alpha) and 0 < self.xmin < self.xmax < np.inf):
            raise ValueError(f"a bounded power law needs 0 < xmin < xmax: {self}")

    @property
    def log_width(self) -> float:
        """Logarithm of xmax/xmin."""
        return float(log_ratio(self.xmax, self.xmin))

    def _fractions(self, x: ArrayLike) -> tuple[Array, Array]:
        """Position w of each point, and 1 - w, both to full relative precision."""
        x = np.clip(x, self.xmin, self.xmax)
        return log_ratio(x, self.xmin) / self.log_width, log_ratio(self.xmax, x) / self.log_width

    def logpdf(self, x: ArrayLike) -> Array:
        """Logarithm of the density; -inf outside [xmin, xmax]."""
        from scipy import special

        x = np.asarray(x, dtype=np.float64)
        inside = np.clip(x, self.xmin, self.xmax)
        theta = (self.alpha - 1.0) * self.log_width
        from_lower, from_upper = self._fractions(x)
        # From the end where the density of w is greatest, so that nothing large cancels.
        drop = abs(theta) * (from_lower if theta >= 0 else from_upper)
        log_mass = np.log(special.exprel(-abs(theta)) * self.log_width)
        log_density = -drop - log_mass - np.log(inside)
        return np.where(x == inside, log_density, -np.inf)

    def cdf(self, x: ArrayLike) -> Array:
        """Probability of a value ≤ x."""
        w, complement = self._fractions(x)
        return _exponential_cdf(w, complement, (self.alpha - 1.0) * self.log_width)

    def alpha_stderr(self, tail_size: int) -> float:
        """Asymptotic standard error of α for known ends, from the Fisher information.

        That of θ is the variance of w, 1/θ² - 1/(4 sinh²(θ/2)).

        Parameters
        ----------
        tail_size : number of points that were fitted.

        Spec: CNV-5.

        >>> round(BoundedPowerLaw(alpha=3.0, xmin=1.0, xmax=1e60).alpha_stderr(100), 12)
        0.2
        """
        theta = abs(self.alpha - 1.0) * self.log_width
        if theta < 0.1:
            variance = 1 / 12 - theta**2 / 240 + theta**4 / 6048 - theta**6 / 172800
        else:
            variance = theta**-2 - np.exp(-theta) / np.expm1(-theta) ** 2
        return float(1.0 / (self.log_width * np.sqrt(tail_size * variance)))

    @classmethod
    def fit(cls, tail: ArrayLike, xmin: float, xmax: float | None = None) -> Self:
        """Law of greatest likelihood: the root of the score, which is unique.

        Parameters
        ----------
        tail : (n,) all points ≥ xmin, at least two distinct ones.
        xmin : threshold.
        xmax : upper end; by default the largest point, which is its estimate.

        Raises
        ------
        SampleError
            A point is outside [xmin, xmax]; as NoFitError, all points are equal.

        Spec: PL-23. Source: Aban, Meerschaert & Panorska 2006.
        """
        x = checked_tail(tail, xmin)
        require_spread(x)
        largest = float(x.max())
        xmax = largest if xmax is None else xmax
        if xmax < largest:
            raise SampleError(f"the tail reaches to {largest}, beyond xmax = {xmax}")
        width = float(log_ratio(xmax, xmin))
        # The mean of w and that of 1 - w: the smaller one carries the precision.
        mean = float(np.mean(log_ratio(x, xmin))) / width
        complement = float(np.mean(log_ratio(xmax, x))) / width
        theta = _theta_of_mean(mean) if mean <= complement else -_theta_of_mean(complement)
        return cls(1.0 + theta / width, xmin, xmax)


def _exponential_cdf(w: Array, complement: Array, theta: float) -> Array:
    """(1 - e^(-θw))/(1 - e^-θ), the distribution function of e^(-θw) on [0, 1]."""
    from scipy import special

    size = abs(theta)
    ratio = w * special.exprel(-size * w) / special.exprel(-size)
    return np.asarray(ratio * np.exp(min(theta, 0.0) * complement))


def _mean_of_theta(theta: float) -> float:
    """Mean of the density ~ e^(-θw) on [0, 1], 1/θ - 1/(e^θ - 1), for θ ≥ 0.

    >>> _mean_of_theta(0.0)
    0.5
    """
    if theta < 0.1:
        square = theta * theta
        return 0.5 - theta * (1 / 12 - square * (1 / 720 - square * (1 / 30240 - square / 1209600)))
    return 1.0 / theta - float(np.exp(-theta) / -np.expm1(-theta))


def _theta_of_mean(mean: float) -> float:
    """Inverse of `_mean_of_theta`, for a mean up to 1/2, of which rounding may make a little more.

    The mean is below 1/θ, hence the root below 1/mean; twice that, because both may round.
    """
    from scipy import optimize

    if mean >= 0.5:
        return 0.0
    root = optimize.brentq(
        lambda theta: _mean_of_theta(theta) - mean, 0.0, 2.0 / mean, xtol=1e-300, rtol=1e-15
    )
    return float(root)
