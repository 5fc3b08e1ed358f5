"""The laws that a tail x ≥ xmin may follow: each one a frozen dataclass of the same shape."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.powerlaw.distributions.bounded import BoundedPowerLaw
from htsr_ref.powerlaw.distributions.exponential import Exponential
from htsr_ref.powerlaw.distributions.lognormal import Lognormal
from htsr_ref.powerlaw.distributions.power_law import PowerLaw
from htsr_ref.powerlaw.distributions.stretched_exponential import StretchedExponential
from htsr_ref.powerlaw.distributions.truncated import TruncatedPowerLaw

__all__ = [
    "DISTRIBUTIONS",
    "BoundedPowerLaw",
    "Distribution",
    "Exponential",
    "Lognormal",
    "PowerLaw",
    "StretchedExponential",
    "TruncatedPowerLaw",
]


class Distribution(Protocol):
    """What every law can do.

    `logpdf` and `cdf` take points of any shape, finite and positive, and return float64
    of that shape. `fit` takes a tail, all points ≥ xmin in any order, and returns the law of
    greatest likelihood.

    Spec: PL-20.
    """

    @property
    def xmin(self) -> float:
        """Lower end of the support."""

    def logpdf(self, x: ArrayLike) -> NDArray[np.float64]:
        """Logarithm of the density; -inf outside the support."""

    def cdf(self, x: ArrayLike) -> NDArray[np.float64]:
        """Probability of a value ≤ x."""

    @classmethod
    def fit(cls, tail: ArrayLike, xmin: float) -> Self:
        """Law of greatest likelihood for a tail above xmin."""


DISTRIBUTIONS: Mapping[str, type[Distribution]] = MappingProxyType(
    {
        "power_law": PowerLaw,
        "bounded_power_law": BoundedPowerLaw,
        "truncated_power_law": TruncatedPowerLaw,
        "exponential": Exponential,
        "stretched_exponential": StretchedExponential,
        "lognormal": Lognormal,
    }
)
"""The laws by name (PL-20)."""
