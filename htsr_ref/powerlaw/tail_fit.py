"""The one record of a fit: a law, the tail that it was fitted to, and the distance between them."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from htsr_ref.powerlaw.distributions import Distribution
from htsr_ref.powerlaw.ks import KsKind
from htsr_ref.powerlaw.mle import ci95


class ExponentLaw(Distribution, Protocol):
    """A law with an exponent, and the exponent's standard error."""

    @property
    def alpha(self) -> float:
        """Exponent α."""

    def alpha_stderr(self, tail_size: int) -> float:
        """Asymptotic standard error of α for a tail of that many points and a known xmin."""


Law = TypeVar("Law", bound=Distribution)
Law_co = TypeVar("Law_co", bound=Distribution, covariant=True)


@dataclass(frozen=True)
class TailFit(Generic[Law_co]):
    """A law fitted to the tail of a sample.

    Attributes
    ----------
    law : the law, with its parameters and xmin, in the units of the sample.
    start : number of points before the tail: of an ascending sample it is `sample[start:]`.
    tail_size : number of points of the tail, all ≥ xmin.
    ks_distance : distance between the tail and the law.
    ks : which KS distance that is.
    place : index, in the ascending sample, of the point where they are that far apart.
    xmax : upper end of the fitted range; None without one.

    Spec: PL-2, PL-6, PL-55, CNV-5.
    """

    law: Law_co
    start: int
    tail_size: int
    ks_distance: float
    ks: KsKind
    place: int
    xmax: float | None = None

    @property
    def xmin(self) -> float:
        """Threshold, in the units of the sample."""
        return self.law.xmin

    @property
    def sample_size(self) -> int:
        """Number of points in the sample."""
        return self.start + self.tail_size

    @property
    def alpha(self: "TailFit[ExponentLaw]") -> float:
        """Exponent; above 1 for a power law without an upper end."""
        return self.law.alpha

    @property
    def stderr(self: "TailFit[ExponentLaw]") -> float:
        """Asymptotic standard error of alpha, by the law's own formula."""
        return self.law.alpha_stderr(self.tail_size)

    @property
    def ci95(self: "TailFit[ExponentLaw]") -> tuple[float, float]:
        """Asymptotic 95 % interval of alpha."""
        return ci95(self.alpha, self.stderr)
