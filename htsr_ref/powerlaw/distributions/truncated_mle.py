"""The truncated power law of greatest likelihood: two closed tests, else Newton's method."""

import math

import numpy as np

from htsr_ref.powerlaw.distributions.truncated_moments import truncated_moments
from htsr_ref.powerlaw.incomplete_gamma import log_scaled_expint

MAX_STEPS = 200
HALVINGS = 40
SHRINK = 0.9
"""Most of its way to α = 0 or λ = 0 that one step may go."""
TINY = 1e-140
"""Root mean square of λ(x - xmin) below which λ changes nothing."""
CLOSE = 1e-8
"""Relative step that is the last: the error falls to its square, which rounding hides."""


def truncated_mle(mean_log: float, log_excess: float) -> tuple[float, float]:
    """Parameters of greatest likelihood over α ≥ 0, λ ≥ 0.

    Parameters
    ----------
    mean_log : mean of L = ln(x/xmin) over the tail, > 0.
    log_excess : ln(mean(x - xmin)/xmin).

    Returns
    -------
    α, and λ times the mean of x - xmin, which lies in [0, 1].

    Spec: PL-26.

    >>> truncated_mle(0.5, 0.0)  # a pure power law: the mean of x/xmin is that of α = 3
    (3.0, 0.0)
    """
    # λ = 0: the pure power law has a finite mean, and it is at most the sample's.
    if mean_log < 1 and log_excess + np.log1p(-mean_log) >= np.log(mean_log):
        return 1.0 + 1.0 / mean_log, 0.0
    # α = 0: under the exponential law L has a mean, at most the sample's.
    if np.log(mean_log) >= log_scaled_expint(1.0, -log_excess):
        return 0.0, 1.0
    return _newton(mean_log, log_excess)


def _newton(mean_log: float, log_excess: float) -> tuple[float, float]:
    """Minimize α·mean_log + ρ + ln Z(α, ρ), which is convex, over 0 < α < pure, ρ > 0.

    ρ = λ·mean(x - xmin), Z is the normalizer, and `pure` the exponent without a cutoff. Steps are
    Newton's, held inside the range and halved while they overshoot. Slopes decide, not values,
    which rounding would blur.
    """
    pure = 1.0 + 1.0 / mean_log
    alpha, rho = _start(pure, log_excess)
    moments = truncated_moments(alpha, float(np.log(rho)) - log_excess)
    for _ in range(MAX_STEPS):
        unit = float(np.exp(moments.log_unit))
        if unit < TINY:
            return pure, 0.0
        # Slopes in α and, divided by `unit`, in ln ρ; Newton's step by elimination of α.
        slope_alpha, slope_rho = mean_log - moments.mean_log, rho / unit - moments.mean_excess
        residual = slope_rho - moments.slope * slope_alpha
        change_rho = max(-residual / (moments.residual_excess * unit), -SHRINK)
        step_alpha = -slope_alpha / moments.var_log - moments.slope * unit * change_rho
        step_alpha = min(max(step_alpha, -SHRINK * alpha), pure - alpha)
        step_rho = change_rho * rho
        fall = slope_alpha**2 / moments.var_log + residual**2 / moments.residual_excess
        last = max(abs(step_alpha) / alpha, abs(change_rho)) < CLOSE
        for halving in range(HALVINGS):
            new_alpha, new_rho = alpha + step_alpha / 2**halving, rho + step_rho / 2**halving
            moments = truncated_moments(new_alpha, float(np.log(new_rho)) - log_excess)
            mean_excess = moments.mean_excess * float(np.exp(moments.log_unit))
            rise = (mean_log - moments.mean_log) * step_alpha
            rise += (1.0 - mean_excess / new_rho) * step_rho
            if last or rise <= fall / 10:
                break
        alpha, rho = new_alpha, new_rho
        if last:
            break
    return float(alpha), float(rho)


def _start(pure: float, log_excess: float) -> tuple[float, float]:
    """Choose α and ρ to begin with: the middle of their ranges, unless ρ is bound to be tiny.

    Where the tail has points in many decades, α is near the pure exponent, and the mean of
    w = λ(x - xmin) near (α-1) Γ(2-α) (λ·xmin)^(α-1), which at the maximum equals ρ.
    """
    if pure < 2:
        log_mean = math.log(pure - 1.0) + math.lgamma(2.0 - pure) - (pure - 1.0) * log_excess
        log_rho = log_mean / (2.0 - pure)
        if log_rho < -10:
            return pure, math.exp(max(log_rho, -700.0))
    return pure / 2, 0.5
