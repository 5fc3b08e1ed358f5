"""The plain xmin search: every candidate threshold fitted and compared, straight from the text."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from htsr_ref.powerlaw.ks import KsKind, ks_gaps
from htsr_ref.powerlaw.mle import alpha_mle


@dataclass(frozen=True)
class Threshold:
    """A threshold and the fit above it.

    Attributes
    ----------
    start : the tail is `sample[start:]`.
    alpha : exponent.
    ks_distance : distance between the tail and the fit.
    place : index, in the sample, of the point where they are that far apart.
    """

    start: int
    alpha: float
    ks_distance: float
    place: int


def fit_tail(
    logs: NDArray[np.float64], start: int, ks: KsKind, *, renormalized: bool = False
) -> Threshold:
    """Fit the tail that begins at one point of a sample.

    Parameters
    ----------
    logs : (n,) float64, ascending, natural logarithms of the sample up to a common constant.
    start : index of the first point of the tail, smaller than the largest point.
    ks : kind of the KS distance.
    renormalized : whether the law is renormalized to end at the largest point.

    Spec: PL-2, PL-3, CNV-7.
    """
    return fit_above(logs[start:] - logs[start], start, ks, renormalized=renormalized)


def fit_above(
    log_ratios: NDArray[np.float64], start: int, ks: KsKind, *, renormalized: bool = False
) -> Threshold:
    """Fit a tail from the logarithms ln(x_j/xmin) of its points, which begin at `start`.

    Spec: PL-2, PL-3, PL-5, CNV-7.
    """
    alpha = alpha_mle(log_ratios)
    # F(x) = 1 - (x/xmin)^(1-α), without cancellation where F is small.
    cdf = -np.expm1((1.0 - alpha) * log_ratios)
    gaps = ks_gaps(cdf / cdf[-1] if renormalized else cdf, ks)
    place = int(gaps.argmax())
    return Threshold(start, alpha, float(gaps[place]), start + place)


def candidate_starts(sample: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the first point of each distinct value but the largest, ascending.

    Spec: PL-4.

    >>> candidate_starts(np.array([1.0, 1.0, 2.0, 5.0, 5.0]))
    array([0, 2])
    """
    rises = np.flatnonzero(np.diff(sample) > 0)
    return np.concatenate(([0], rises[:-1] + 1)) if rises.size else rises


def search_plain(
    sample: NDArray[np.float64],
    logs: NDArray[np.float64],
    ks: KsKind,
    starts: NDArray[np.intp] | None = None,
    *,
    renormalized: bool = False,
) -> Threshold | None:
    """Threshold of least KS distance; the smallest of several that are equally good.

    Parameters
    ----------
    sample : (n,) float64, ascending, positive.
    logs : (n,) float64, natural logarithms of the sample up to a common constant.
    ks : kind of the KS distance.
    starts : the candidates, ascending; by default all of `candidate_starts`.
    renormalized : whether each law is renormalized to end at the largest point.

    Returns
    -------
    Threshold, or None if there is no candidate.

    Spec: PL-4. Source: Clauset, Shalizi & Newman 2009, section 3.3.
    """
    best: Threshold | None = None
    for start in candidate_starts(sample) if starts is None else starts:
        trial = fit_tail(logs, int(start), ks, renormalized=renormalized)
        if best is None or trial.ks_distance < best.ks_distance:
            best = trial
    return best
