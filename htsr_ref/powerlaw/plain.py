"""The plain xmin search: every candidate threshold fitted and compared, straight from the text."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from htsr_ref.powerlaw.ks import KsKind, ks_distance
from htsr_ref.powerlaw.mle import alpha_mle


@dataclass(frozen=True)
class Threshold:
    """A threshold and the fit above it: the tail is `sample[start:]`."""

    start: int
    alpha: float
    ks_distance: float


def fit_tail(log_ratios: NDArray[np.float64], ks: KsKind) -> tuple[float, float]:
    """Exponent and KS distance of one tail.

    Parameters
    ----------
    log_ratios : (n,) float64, ascending, ln(x_j/xmin), not all 0.
    ks : kind of the KS distance.

    Returns
    -------
    alpha, ks_distance

    Spec: PL-2, PL-3.
    """
    alpha = alpha_mle(log_ratios)
    # F(x) = 1 - (x/xmin)^(1-α), without cancellation where F is small.
    cdf = -np.expm1((1.0 - alpha) * log_ratios)
    return alpha, ks_distance(cdf, ks)


def candidate_starts(sample: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the first point of each distinct value but the largest, ascending.

    Spec: PL-4.

    >>> candidate_starts(np.array([1.0, 1.0, 2.0, 5.0, 5.0]))
    array([0, 2])
    """
    rises = np.flatnonzero(np.diff(sample) > 0)
    return np.concatenate(([0], rises[:-1] + 1)) if rises.size else rises


def search_plain(
    sample: NDArray[np.float64], logs: NDArray[np.float64], ks: KsKind
) -> Threshold | None:
    """Threshold of least KS distance; the smallest of several that are equally good.

    Parameters
    ----------
    sample : (n,) float64, ascending, positive.
    logs : (n,) float64, natural logarithms of the sample up to a common constant.
    ks : kind of the KS distance.

    Returns
    -------
    Threshold, or None if the sample holds fewer than two distinct values.

    Spec: PL-4. Source: Clauset, Shalizi & Newman 2009, section 3.3.
    """
    best: Threshold | None = None
    for start in candidate_starts(sample):
        alpha, distance = fit_tail(logs[start:] - logs[start], ks)
        if best is None or distance < best.ks_distance:
            best = Threshold(int(start), alpha, distance)
    return best
