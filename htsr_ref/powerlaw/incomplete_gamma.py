"""The incomplete gamma function of orders s ≤ 1, zero and negative ones included.

SciPy's `gammaincc` takes positive orders only; a power law x^-α with an exponential cutoff needs
the order 1 - α. Everything here goes through the generalized exponential integral
E_p(x) = ∫_1^∞ t^-p e^(-xt) dt = x^(p-1) Γ(1-p, x), whose product with e^x neither overflows nor
underflows where Γ does both.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

LARGE_ORDER = 32.0
"""From this p on the continued fraction of E_p converges quickly for every x ≥ 0."""


def log_scaled_expint(p: float, log_x: ArrayLike) -> NDArray[np.float64]:
    """Logarithm of e^x E_p(x), which is ∫_1^∞ t^-p e^(-x(t-1)) dt, as a function of ln x.

    Parameters
    ----------
    p : order, ≥ 0.
    log_x : any shape, ln x; x itself may be beyond the range of binary64.

    Returns
    -------
    float64 of that shape.

    Spec: PL-25. Source: DLMF 8.19.3.

    >>> float(log_scaled_expint(2.0, -1400.0))  # E_2(0) = 1
    0.0
    """
    log_x = np.asarray(log_x, dtype=np.float64)
    if p >= LARGE_ORDER:
        return _log_by_fraction(p, log_x)
    # Both are evaluated everywhere, each with the argument held inside its own domain.
    small = _log_by_recurrence(p, np.minimum(log_x, 0.0))
    large = _log_by_fraction(p, np.maximum(log_x, 0.0))
    return np.where(log_x < 0, small, large)


def _log_by_fraction(p: float, log_x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate the continued fraction 1/(x+p - 1·p/(x+p+2 - 2(p+1)/(x+p+4 - …))) from its end.

    For x ≥ 1 or p ≥ 32. Source: DLMF 8.9.2 (even part).
    """
    x = np.exp(np.minimum(log_x, 700.0))
    depth = 120
    tail = x + p + 2 * depth
    for k in range(depth, 0, -1):
        tail = x + p + 2 * (k - 1) - k * (p + k - 1) / tail
    # Beyond e^700 the fraction is 1/x.
    return -np.log(tail) - np.maximum(log_x - 700.0, 0.0)


def _log_by_recurrence(p: float, log_x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Climb from an order in [1/2, 3/2) by E_(p+1) = (e^-x - x E_p)/p, for x ≤ 1.

    No step loses more than two bits: x E_p is at most 0.76 e^-x. Source: DLMF 8.19.12.
    """
    from scipy import special

    x = np.exp(log_x)
    if p < 0.5:
        # Γ(s, x) with s in (1/2, 1], where E_p itself may overflow.
        s = 1.0 - p
        return x - s * log_x + np.log(special.gammaincc(s, x) * special.gamma(s))
    steps = int(np.floor(p - 0.5))
    order = p - steps
    value = _expint_near_one(order, x, log_x)
    decay = np.exp(-x)
    for _ in range(steps):
        value = (decay - x * value) / order
        order += 1.0
    return x + np.log(value)


def _expint_near_one(
    p: float, x: NDArray[np.float64], log_x: NDArray[np.float64]
) -> NDArray[np.float64]:
    """E_p(x) for p in [1/2, 3/2) and x ≤ 1, without the pole that E_1 would have term by term.

    With s = 1 - p, Γ(s, x) = Γ(s) - Σ (-1)^k x^(s+k)/(k!(s+k)); Γ(s) and the term k = 0 are
    combined into ((Γ(1+s) - 1) - (x^s - 1))/s. Source: DLMF 8.7.3.
    """
    from scipy import special

    s = 1.0 - p
    # e^(-s ln x) stays below 1e301 for every ratio of two binary64 numbers.
    inverse_power = np.exp(-s * log_x)
    value = inverse_power * _gamma1p_slope(s) - log_x * special.exprel(-s * log_x)
    term = np.ones_like(x)
    for k in range(1, 20):
        term = term * (-x / k)
        value = value - term / (s + k)
    return np.asarray(value)


def _gamma1p_slope(s: float) -> float:
    """(Γ(1+s) - 1)/s for |s| ≤ 1/2; minus Euler's constant at s = 0."""
    if s == 0.0:
        return -np.euler_gamma
    return float(np.expm1(_loggamma1p(s)) / s)


def _loggamma1p(s: float) -> float:
    """Logarithm of Γ(1+s) for |s| ≤ 1/2, to full relative precision near 0. Source: DLMF 5.7.3."""
    from scipy import special

    k = np.arange(2, 60)
    series = special.zetac(k)
    return float(-np.log1p(s) + s * (1.0 - np.euler_gamma) + np.sum(series * (-s) ** k / k))
