"""Limits of the log-excesses of independent values, at mpmath's precision.

Above a high threshold they are, but for their scale, a generalized Pareto sample. The variance of
an estimator made of their moments then follows by the delta method.
"""

from mpmath import mp, mpf

INDICES = [2.0, 1.0, 0.3, 0.0, -0.05, -0.4, -2 / 3, -1.0, -3.0]


def log_excess_moments(xi, orders):
    """Moments of the scaled log-excesses: exponential for ξ ≥ 0, (1 - u^-ξ)/(-ξ) for ξ < 0."""
    if xi >= 0:
        return [mp.factorial(r) for r in orders]
    # E h^r of a generalized Pareto law is r! / Π (1 - j ξ).
    return [mp.factorial(r) / mp.fprod(1 - j * xi for j in range(1, r + 1)) for r in orders]


def delta_method(statistic, xi, count):
    """Variance of a smooth function of the first `count` moments of independent log-excesses."""
    m = log_excess_moments(xi, range(1, 2 * count + 1))
    point = tuple(m[:count])
    gradient = [
        mp.diff(statistic, point, tuple(int(i == j) for i in range(count))) for j in range(count)
    ]
    return mp.fsum(
        gradient[i] * gradient[j] * (m[i + j + 1] - m[i] * m[j])
        for i in range(count)
        for j in range(count)
    )


def moment_statistic(xi):
    """The estimator as a function of moments whose scale is ξ for ξ > 0 and tends to 0 else."""
    scale = max(xi, mpf(0))
    return lambda m1, m2: scale * m1 + 1 - mpf(1) / 2 / (1 - m1**2 / m2)
