"""The plain xmin search: every candidate tail fitted and compared, straight from the text."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import NoFitError
from htsr_ref.powerlaw.distributions import PowerLaw
from htsr_ref.powerlaw.ks import KsKind, ks_gaps
from htsr_ref.powerlaw.mle import alpha_mle
from htsr_ref.powerlaw.tail_fit import Law, TailFit

Tail = TypeVar("Tail")


def measured_fit(
    law: Law,
    cdf: NDArray[np.float64],
    start: int,
    ks: KsKind,
    *,
    points: NDArray[np.float64],
    renormalized: bool = False,
) -> TailFit[Law]:
    """Measure how far a fitted law is from its tail.

    Parameters
    ----------
    law : the law.
    cdf : (n,) float64, its distribution function at the points of the tail, ascending.
    start : number of points of the sample before the tail.
    ks : kind of the KS distance.
    points : (n,) float64, the points, or ascending numbers that are equal where they are tied.
    renormalized : whether the law is renormalized to end at the largest point.

    Spec: PL-3, CNV-7.
    """
    gaps = ks_gaps(cdf / cdf[-1] if renormalized else cdf, ks, points)
    place = int(gaps.argmax())
    return TailFit(law, start, cdf.size, float(gaps[place]), ks, start + place)


def fit_above(
    log_ratios: NDArray[np.float64],
    start: int,
    xmin: float,
    ks: KsKind,
    *,
    alpha_of: Callable[[NDArray[np.float64]], float] = alpha_mle,
    points: NDArray[np.float64] | None = None,
    renormalized: bool = False,
) -> TailFit[PowerLaw]:
    """Fit the power law to one tail.

    Parameters
    ----------
    log_ratios : (n,) float64, ln(x_j/xmin) of the points of the tail, ascending, not all 0.
    start, ks, renormalized : as for `measured_fit`.
    xmin : threshold.
    alpha_of : estimator of the exponent.
    points : as for `measured_fit`; None if those of equal logarithm are tied.

    Spec: PL-2, PL-3, PL-5, CNV-7.
    """
    alpha = alpha_of(log_ratios)
    # F(x) = 1 - (x/xmin)^(1-α), without cancellation where F is small.
    cdf = -np.expm1((1.0 - alpha) * log_ratios)
    tied = log_ratios if points is None else points
    law = PowerLaw(alpha, xmin)
    return measured_fit(law, cdf, start, ks, points=tied, renormalized=renormalized)


def fit_tail(
    sample: NDArray[np.float64],
    logs: NDArray[np.float64],
    start: int,
    ks: KsKind,
    *,
    renormalized: bool,
) -> TailFit[PowerLaw]:
    """Fit the power law to the tail that begins at one point of a sample.

    Parameters
    ----------
    sample : (n,) float64, ascending, positive.
    logs : (n,) float64, natural logarithms of the sample up to a common constant.
    start : index of the first point of the tail, smaller than the largest point.
    ks, renormalized : as for `measured_fit`.

    Spec: PL-2, PL-3, CNV-7.
    """
    tail = sample[start:]
    log_ratios = logs[start:] - logs[start]
    return fit_above(log_ratios, start, float(tail[0]), ks, points=tail, renormalized=renormalized)


def candidate_starts(sample: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the first point of each distinct value but the largest, ascending.

    Spec: PL-4.

    >>> candidate_starts(np.array([1.0, 1.0, 2.0, 5.0, 5.0]))
    array([0, 2])
    """
    rises = (sample[1:] > sample[:-1]).nonzero()[0]
    starts = np.zeros_like(rises)
    starts[1:] = rises[:-1] + 1
    return starts


def search_plain(tails: Iterable[Tail], fit: Callable[[Tail], TailFit[Law]]) -> TailFit[Law] | None:
    """Fit of least KS distance; that of the smallest threshold among equally good ones.

    Parameters
    ----------
    tails : the candidates, by ascending threshold, in any form that `fit` takes.
    fit : fits one; it raises NoFitError for a tail that cannot be fitted, which is passed over.

    Returns
    -------
    TailFit, or None if no candidate is left.

    Spec: PL-4, PL-55. Source: Clauset, Shalizi & Newman 2009, section 3.3.
    """
    best: TailFit[Law] | None = None
    for tail in tails:
        try:
            trial = fit(tail)
        except NoFitError:
            continue
        if best is None or trial.ks_distance < best.ks_distance:
            best = trial
    return best
