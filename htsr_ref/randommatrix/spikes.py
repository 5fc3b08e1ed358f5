"""Spikes: where a strong direction of the covariance appears in a spectrum, and how clearly."""

import math

from htsr_ref.randommatrix.marchenko_pastur import MarchenkoPastur


def spike_position(theta: float, Q: float, variance: float = 1.0) -> float:
    """Where an eigenvalue σ²(1 + θ) of the covariance of W's rows appears in the spectrum.

    Above the threshold θ = 1/√Q at σ²(1 + θ)(1 + 1/(Qθ)); up to it, at the edge λ₊ of the bulk.

    Spec: RMT-31. Source: Baik, Ben Arous & Péché 2005; Baik & Silverstein 2006.

    >>> spike_position(1.0, 4.0)
    2.5
    >>> spike_position(0.25, 4.0) == MarchenkoPastur(4.0).lambda_plus
    True
    """
    law = MarchenkoPastur(Q, variance)
    if theta * math.sqrt(Q) <= 1.0:
        return law.lambda_plus
    return variance * (1.0 + theta) * (1.0 + 1.0 / (Q * theta))


def half_overlap_theta(Q: float) -> float:
    """θ of a spike whose eigenvector is half signal and half noise: its overlap is ½.

    Spec: RMT-32. Source: Paul 2007, theorem 4.

    >>> half_overlap_theta(1.0)
    2.0
    """
    return (1.0 + math.sqrt(1.0 + 8.0 * Q)) / (2.0 * Q)


def spike_stdev(theta: float, Q: float, N: int, variance: float = 1.0) -> float:
    """Predict the standard deviation of a spike's position, for normal entries and many rows.

    Parameters
    ----------
    theta : above the threshold 1/√Q.
    N : rows of W.

    Spec: RMT-32. Source: Paul 2007, theorem 3: σ²(1 + θ)·√(2/N·(1 - 1/(Qθ²))).

    >>> round(spike_stdev(2.0, 1.0, 600), 3)
    0.15
    """
    return variance * (1.0 + theta) * math.sqrt(2.0 / N * (1.0 - 1.0 / (Q * theta * theta)))
