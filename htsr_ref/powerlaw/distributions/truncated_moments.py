"""Moments of the truncated power law's two statistics, for its estimate and standard errors."""

from dataclasses import dataclass

import numpy as np

from htsr_ref.powerlaw.distributions.tail import Array

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)

LAST = 60.0
"""Where the integrals end, in units of 1/λ beyond xmin: e^-60 is left out."""


@dataclass(frozen=True)
class TruncatedMoments:
    """Moments under p(x) ~ x^-α e^(-λx), x ≥ xmin, of L = ln(x/xmin) and w = λ(x - xmin).

    For a small λ, w is large in so few points that its moments underflow. They are in units of its
    root mean square.

    Attributes
    ----------
    log_mass : ln ∫ (x/xmin)^-α e^(-w) dx/xmin.
    log_unit : logarithm of the root mean square of w.
    mean_log, mean_excess : means of L and of w.
    var_log : variance of L.
    slope : covariance of L and w, divided by the variance of L.
    residual_log, residual_excess : variance of each that the other does not explain linearly.

    Spec: PL-26, PL-27.
    """

    log_mass: float
    log_unit: float
    mean_log: float
    mean_excess: float
    var_log: float
    slope: float
    residual_log: float
    residual_excess: float


def truncated_moments(alpha: float, log_scale: float) -> TruncatedMoments:
    """Integrate by Gauss-Legendre quadrature over L, on panels that follow the integrand.

    Parameters
    ----------
    alpha : exponent α, ≥ 0.
    log_scale : ln(λ·xmin); λ·xmin itself may underflow.

    Spec: PL-26, PL-27.

    >>> moments = truncated_moments(0.0, np.log(2.0))  # an exponential law: w has mean 1
    >>> round(float(np.exp(moments.log_unit)) * moments.mean_excess, 12)
    1.0
    >>> round(float(np.exp(moments.log_mass)), 12)
    0.5
    """
    ends = _panels(alpha, log_scale)
    half = np.diff(ends)[:, np.newaxis] / 2
    log = (ends[:-1, np.newaxis] + half * (1.0 + NODES)).ravel()
    log_excess = log_scale + log + np.log(-np.expm1(-log))
    log_density = (1.0 - alpha) * log - np.exp(log_excess) + np.log((half * WEIGHTS).ravel())
    log_mass = float(np.logaddexp.reduce(log_density))
    log_density -= log_mass
    log_unit = float(np.logaddexp.reduce(log_density + 2.0 * log_excess)) / 2

    # Everything is multiplied by the root of the density, so that moments are scalar products.
    root = np.exp(log_density / 2)
    excess = np.exp(log_density / 2 + log_excess - log_unit)
    mean_log, mean_excess = float(root**2 @ log), float(root @ excess)
    centered_log, centered_excess = root * (log - mean_log), excess - mean_excess * root
    covariance, var_log = float(centered_log @ centered_excess), float(centered_log @ centered_log)
    slope, inverse_slope = (
        covariance / var_log,
        covariance / float(centered_excess @ centered_excess),
    )
    return TruncatedMoments(
        log_mass=log_mass,
        log_unit=log_unit,
        mean_log=mean_log,
        mean_excess=mean_excess,
        var_log=var_log,
        slope=slope,
        # As sums of squares these stay positive where the determinant would cancel.
        residual_log=float(np.sum((centered_log - inverse_slope * centered_excess) ** 2)),
        residual_excess=float(np.sum((centered_excess - slope * centered_log) ** 2)),
    )


def _panels(alpha: float, log_scale: float) -> Array:
    """Cut the range of L at distances that double, both from 0 and from its end.

    The unit is the initial decay, 1/(|α-1| + λ·xmin), from 0; from the end it is 1, over which e^L
    and with it the exponent change by a factor e.
    """
    end = np.logaddexp(0.0, np.log(LAST) - log_scale)
    doubling = 2.0 ** np.arange(-2, 64)
    decay = abs(alpha - 1.0) + np.exp(log_scale)
    with np.errstate(divide="ignore", over="ignore"):
        ends = np.concatenate(([0.0, end], doubling / decay, end - doubling))
    return np.unique(ends[(ends >= 0) & (ends <= end)])
