"""The Marchenko-Pastur law: the spectrum of a large matrix of independent entries."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import EnsembleError

Array = NDArray[np.float64]

ROUNDING = 4e-15
"""What rounding moves a share of the law by, in units of the angle from the edge (RMT-22)."""

TINY_ANGLE = 1e-100
"""Keeps the slope of the cdf from 0/0 at the lower edge of Q = 1."""

SMALL_RATIO = 0.1
"""Below this √(M/N) the closed form is summed as a power series, which does not cancel."""

_SERIES = np.array([(-1.0) ** (k + 1) / (k + 2) for k in range(17)][::-1])
"""Coefficients of (ln(1+z) - z)/z², highest power first; the rest is below 2⁻⁵³ for |z| ≤ 0.1."""


@dataclass(frozen=True)
class MarchenkoPastur:
    """Limiting law of the eigenvalues of X = WᵀW/N, for N·M independent entries of W.

    As N and M grow with N/M = Q, the eigenvalues fill λ₋ to λ₊ whatever the distribution of the
    entries, if it has mean zero and a finite variance.

    Parameters
    ----------
    Q : aspect ratio N/M, finite, at least 1.
    variance : σ² of the entries, positive.

    Raises
    ------
    EnsembleError
        Q or the variance is out of range.

    Spec: RMT-20. Source: Marchenko & Pastur 1967; Martin & Mahoney, arXiv 1810.01075.

    >>> law = MarchenkoPastur(4.0)
    >>> law.lambda_minus, law.lambda_plus
    (0.25, 2.25)
    >>> f"{law.cdf(1.0):.6f}"
    '0.553390'
    """

    Q: float
    variance: float = 1.0

    def __post_init__(self) -> None:
        if not (1.0 <= self.Q < math.inf and 0.0 < self.variance < math.inf):
            raise EnsembleError(
                f"there is no Marchenko-Pastur law for Q = {self.Q} and variance {self.variance}: "
                "Q is at least 1, the variance positive"
            )

    @property
    def lambda_minus(self) -> float:
        """Lower edge σ²(1 - 1/√Q)², without cancellation near Q = 1.

        Spec: RMT-20.
        """
        return self.variance * ((self.Q - 1.0) / (self.Q + math.sqrt(self.Q))) ** 2

    @property
    def lambda_plus(self) -> float:
        """Upper edge σ²(1 + 1/√Q)².

        Spec: RMT-20.
        """
        return self.variance * (1.0 + 1.0 / math.sqrt(self.Q)) ** 2

    def cdf(self, x: ArrayLike) -> Array:
        """Share of the law at and below x.

        Spec: RMT-22.
        """
        above, below = self._distances(x)
        return _mass(2.0 * np.arctan2(above, below), -1.0 / math.sqrt(self.Q))

    def quantile(self, p: ArrayLike) -> Array:
        """Value below which a share p of the law lies; found from the nearer edge.

        Raises
        ------
        EnsembleError
            p is not between 0 and 1.

        Spec: RMT-23.
        """
        p = np.asarray(p, dtype=np.float64)
        if not ((p >= 0.0) & (p <= 1.0)).all():
            raise EnsembleError("a quantile needs a share between 0 and 1")
        r = 1.0 / math.sqrt(self.Q)
        lower = self.lambda_minus + self._height(_angle(np.minimum(p, 0.5), -r))
        upper = self.lambda_plus - self._height(_angle(np.minimum(1.0 - p, 0.5), r))
        return np.where(p <= 0.5, lower, upper)

    def _distances(self, x: ArrayLike) -> tuple[Array, Array]:
        """Square roots of the distances from both edges in units of σ; 0 beyond the edge."""
        x = np.asarray(x, dtype=np.float64)
        above = np.maximum(x - self.lambda_minus, 0.0) / self.variance
        below = np.maximum(self.lambda_plus - x, 0.0) / self.variance
        return np.sqrt(above), np.sqrt(below)

    def _height(self, angle: Array) -> Array:
        """Distance from the edge at which the angle is counted."""
        return 4.0 * self.variance / math.sqrt(self.Q) * np.sin(0.5 * angle) ** 2


def _mass(angle: Array, r: float) -> Array:
    """Share of the law between an edge and an angle, ∫₀ (2/π)·sin²φ/|1 + r·e^{iφ}|² dφ.

    With λ = σ²|1 + r·e^{iφ}|² the angle φ runs from 0 at λ₊ to π at λ₋ for r = 1/√Q, and from λ₋
    to λ₊ for r = -1/√Q. The integral is (φ - δ + (δ - r·sin φ)/r²)/π with δ = arg(1 + r·e^{iφ}).

    Spec: RMT-22.
    """
    z = r * np.exp(1j * angle)
    if abs(r) < SMALL_RATIO:
        curved = (np.polyval(_SERIES, z) * (z / r) ** 2).imag
        turn = z.imag + r * r * curved
    else:
        turn = np.arctan2(z.imag, 1.0 + z.real)
        curved = (turn - z.imag) / (r * r)
    share: Array = np.minimum(np.maximum((angle - turn + curved) / math.pi, 0.0), 1.0)
    return share


def _angle(mass: Array, r: float) -> Array:
    """Angle at which the share from the edge is `mass`, by Newton's method.

    The integrand has a single peak, at cos φ = -r. From there Newton's steps do not cross the root;
    where rounding says otherwise, the bracket is halved instead.

    Spec: RMT-23.
    """
    angle = np.full(mass.shape, max(math.acos(-r), TINY_ANGLE))
    low, high = np.zeros(mass.shape), np.full(mass.shape, math.pi)
    for _ in range(100):
        residual = _mass(angle, r) - mass
        found = (np.abs(residual) <= ROUNDING * angle) | (mass == 0.0)
        if found.all():
            break
        low, high = np.where(residual < 0.0, angle, low), np.where(residual < 0.0, high, angle)
        slope = 2.0 / math.pi * (np.sin(angle) / np.abs(1.0 + r * np.exp(1j * angle))) ** 2
        newton = angle - residual / slope
        step = np.where((low < newton) & (newton < high), newton, 0.5 * (low + high))
        angle = np.where(found, angle, step)
    return np.where(mass > 0.0, angle, 0.0)
