"""The power law with an exponential cutoff, x^-α e^(-λx) on x ≥ xmin."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from htsr_ref.powerlaw.distributions.exponential import Exponential
from htsr_ref.powerlaw.distributions.power_law import PowerLaw
from htsr_ref.powerlaw.distributions.tail import (
    MAX,
    Array,
    checked_tail,
    log_quotient,
    log_ratio,
    scaled_excess,
)
from htsr_ref.powerlaw.distributions.truncated_mle import truncated_mle
from htsr_ref.powerlaw.distributions.truncated_moments import truncated_moments
from htsr_ref.powerlaw.incomplete_gamma import log_scaled_expint


@dataclass(frozen=True)
class TruncatedPowerLaw:
    """p(x) = C x^-α e^(-λx) for x ≥ xmin, with C = λ^(1-α)/Γ(1-α, λ xmin).

    Attributes
    ----------
    alpha : exponent α; ≥ 0 with a cutoff, > 1 without.
    rate : λ ≥ 0, in inverse units of x; 0 is the pure power law.
    xmin : lower end of the support, > 0.

    Spec: PL-20, PL-24. Source: Clauset, Shalizi & Newman 2009, table 2.1.

    >>> TruncatedPowerLaw(alpha=2.0, rate=0.5, xmin=1.0).cdf([2.0, 4.0]).round(6)
    array([0.772695, 0.971273])
    """

    alpha: float
    rate: float
    xmin: float

    def __post_init__(self) -> None:
        normalisable = self.alpha >= 0 if self.rate > 0 else self.alpha > 1
        finite = self.alpha < np.inf and 0 <= self.rate < np.inf and 0 < self.xmin < np.inf
        if not (normalisable and finite):
            raise ValueError(
                "a truncated power law needs rate ≥ 0, xmin > 0, alpha ≥ 0, and > 1 at rate 0: "
                f"{self}"
            )

    @property
    def _log_scale(self) -> float:
        """Logarithm of λ·xmin."""
        return float(np.log(self.rate) + np.log(self.xmin))

    def logpdf(self, x: ArrayLike) -> Array:
        """Logarithm of the density; -inf below xmin."""
        if self.rate == 0:
            return PowerLaw(self.alpha, self.xmin).logpdf(x)
        log_mass = log_scaled_expint(self.alpha, self._log_scale) + np.log(self.xmin)
        inside = (
            -self.alpha * log_ratio(x, self.xmin)
            - scaled_excess(x, self.xmin, self.rate)
            - log_mass
        )
        return np.where(np.asarray(x) >= self.xmin, inside, -np.inf)

    def cdf(self, x: ArrayLike) -> Array:
        """Probability of a value ≤ x."""
        return -np.expm1(self._log_survival(x))

    def _log_survival(self, x: ArrayLike) -> Array:
        log = log_ratio(x, self.xmin)
        power = (1.0 - self.alpha) * log
        if self.rate == 0:
            return np.asarray(power)
        there = log_scaled_expint(self.alpha, self._log_scale + log)
        here = log_scaled_expint(self.alpha, self._log_scale)
        return np.minimum(power - scaled_excess(x, self.xmin, self.rate) + there - here, 0.0)

    def stderr(self, tail_size: int) -> tuple[float, float | None]:
        """Asymptotic standard errors of α and λ, from the Fisher information.

        The law is an exponential family, so that the observed information is the expected one.

        Parameters
        ----------
        tail_size : number of points that were fitted.

        Returns
        -------
        Those of α and of λ; at λ = 0, the end of its range, that of the pure power law and None.

        Spec: PL-27.

        >>> TruncatedPowerLaw(alpha=3.0, rate=0.0, xmin=1.0).stderr(100)
        (0.2, None)
        """
        if self.rate == 0:
            return PowerLaw(self.alpha, self.xmin).alpha_stderr(tail_size), None
        moments = truncated_moments(self.alpha, self._log_scale)
        rate_unit = np.exp(np.log(self.rate) - moments.log_unit)
        return (
            float(1.0 / np.sqrt(tail_size * moments.residual_log)),
            float(rate_unit / np.sqrt(tail_size * moments.residual_excess)),
        )

    def alpha_stderr(self, tail_size: int) -> float:
        """Asymptotic standard error of α.

        Spec: PL-27.
        """
        return self.stderr(tail_size)[0]

    @classmethod
    def fit(cls, tail: ArrayLike, xmin: float) -> Self:
        """Law of greatest likelihood over α ≥ 0, λ ≥ 0; it exists and is unique.

        Parameters
        ----------
        tail : (n,) all points ≥ xmin; at least one above it.
        xmin : threshold.

        Returns
        -------
        TruncatedPowerLaw, with rate = 0 where the pure power law is the most likely, and alpha = 0
        where the exponential law is.

        Raises
        ------
        SampleError
            A point is below xmin or not finite; as NoFitError, none is above xmin.

        Spec: PL-26.
        """
        x = checked_tail(tail, xmin)
        excess = float(np.mean(x - xmin))
        mean_log = float(np.mean(log_ratio(x, xmin)))
        alpha, share = truncated_mle(mean_log, float(log_quotient(excess, xmin)))
        candidates = [
            cls(PowerLaw.fit(x, xmin).alpha, 0.0, xmin),
            cls(0.0, Exponential.fit(x, xmin).rate, xmin),
        ]
        rate = min(share / excess, MAX)
        if rate > 0:
            candidates.append(cls(alpha, rate, xmin))
        return max(candidates, key=lambda law: float(law.logpdf(x).sum()))
