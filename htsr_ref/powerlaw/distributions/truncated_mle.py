"""The truncated power law of greatest likelihood: two closed tests, else Newton's method."""

import numpy as np

from htsr_ref.powerlaw.distributions.truncated_moments import TruncatedMoments, truncated_moments
from htsr_ref.powerlaw.incomplete_gamma import log_scaled_expint

MAX_STEPS = 200
SHRINK = 0.9
"""Most of its way to a bound, α = 0 or λ = 0, that one step may go."""
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
    """Minimise α·mean_log + ρ + ln Z(α, ρ), which is convex, over α > 0, ρ > 0.

    ρ = λ·mean(x - xmin), and Z is the normaliser. Each step is Newton's, kept short of the bounds
    and halved until the function falls.
    """

    def at(alpha: float, rho: float) -> tuple[float, TruncatedMoments]:
        moments = truncated_moments(alpha, float(np.log(rho)) - log_excess)
        return alpha * mean_log + rho + moments.log_mass, moments

    alpha, rho = 0.5 / mean_log + 0.5, 0.5
    value, moments = at(alpha, rho)
    for _ in range(MAX_STEPS):
        # Gradient in α and ln ρ, and Newton's step Δα, Δρ/ρ from the factored Hessian.
        slope_alpha, slope_rho = mean_log - moments.mean_log, rho - moments.mean_excess
        residual = slope_rho - moments.slope * slope_alpha
        step_rho = -residual / moments.residual_excess
        step_alpha = -slope_alpha / moments.var_log - moments.slope * step_rho
        last = max(abs(step_alpha) / alpha, abs(step_rho)) < CLOSE
        gain = slope_alpha**2 / moments.var_log + residual**2 / moments.residual_excess
        scale = min(1.0, SHRINK / max(-step_alpha / alpha, -step_rho, SHRINK))
        while True:
            new_alpha, new_rho = alpha + scale * step_alpha, rho * (1.0 + scale * step_rho)
            new_value, new_moments = at(new_alpha, new_rho)
            # Below 1e-12 rounding hides the fall, and Newton's steps need no check.
            if gain < 1e-12 or new_value <= value - 1e-4 * scale * gain:
                break
            scale /= 2
        alpha, rho, value, moments = new_alpha, new_rho, new_value, new_moments
        if last:
            break
    return float(alpha), float(rho)
