"""Fitting any of the laws to a sample, with the threshold chosen under that law."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw.distributions import DISTRIBUTIONS, Distribution
from htsr_ref.powerlaw.fit import XminRule, checked_sample, log_ratios
from htsr_ref.powerlaw.ks import KsKind, ks_distance
from htsr_ref.powerlaw.thresholds import STARTS, grid_thresholds, require_rule


@dataclass(frozen=True)
class LawFit:
    """A law fitted to the tail of a sample.

    Attributes
    ----------
    law : the law, with its parameters and xmin.
    tail_size : number of points of the tail.
    sample_size : number of points in the sample.
    ks_distance : distance between the tail and the law.
    ks : which KS distance that is.
    log_likelihood : natural logarithm, of the tail.

    Spec: PL-55.
    """

    law: Distribution
    tail_size: int
    sample_size: int
    ks_distance: float
    ks: KsKind
    log_likelihood: float


def fit_law(
    sample: ArrayLike,
    law: str,
    *,
    ks: KsKind = "two-sided",
    xmin: float | XminRule = "ks",
    progress: Callable[[int, int], None] | None = None,
) -> LawFit:
    """Fit a law to the tail of a positive sample; every candidate for xmin is fitted by that law.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.
    law : a name of `DISTRIBUTIONS`.
    ks, xmin : as for `fit_power_law`.
    progress : called with the numbers of candidates done and of all.

    Returns
    -------
    LawFit. Under "power_law" the fit is that of `fit_power_law`, which is faster.

    Raises
    ------
    SampleError
        As `fit_power_law`, or there is no such law.
    NoFitError
        No tail that the rule admits can be fitted.

    Spec: PL-55. Source: Clauset, Shalizi & Newman 2009, section 3.3, and the package `powerlaw`
    (`xmin_distribution`).

    >>> sample = [1.0, 2.0, 3.0, 5.0, 9.0]
    >>> fit_law(sample, "exponential", xmin=2.0).law
    Exponential(rate=0.36363636363636365, xmin=2.0)
    """
    if law not in DISTRIBUTIONS:
        raise SampleError(f"there is no law {law!r}. Laws: {', '.join(DISTRIBUTIONS)}")
    x = checked_sample(sample)
    tails = list(tails_of_rule(x, xmin))
    best: LawFit | None = None
    for done, (start, threshold) in enumerate(tails):
        if progress is not None:
            progress(done, len(tails))
        trial = _fit_tail(x, start, threshold, law, ks)
        if trial is not None and (best is None or trial.ks_distance < best.ks_distance):
            best = trial
    if progress is not None:
        progress(len(tails), len(tails))
    if best is None:
        raise NoFitError(f"no tail of the sample can be fitted with xmin = {xmin}")
    return best


def tails_of_rule(x: NDArray[np.float64], xmin: float | XminRule) -> Iterator[tuple[int, float]]:
    """First point and threshold of every tail that a rule admits, ascending.

    Spec: PL-55.
    """
    if not isinstance(xmin, str):
        yield int(np.searchsorted(x, xmin)), float(xmin)
        return
    require_rule(xmin)
    if xmin == "grid":
        for start, threshold, _ in grid_thresholds(x, log_ratios(x)):
            yield start, threshold
    else:
        for start in STARTS[xmin](x):
            yield int(start), float(x[start])


def _fit_tail(
    x: NDArray[np.float64], start: int, xmin: float, law: str, ks: KsKind
) -> LawFit | None:
    """Fit one tail; None if the law cannot be fitted to it."""
    tail = x[start:]
    try:
        fitted = DISTRIBUTIONS[law].fit(tail, xmin)
    except NoFitError:
        return None
    return LawFit(
        law=fitted,
        tail_size=tail.size,
        sample_size=x.size,
        ks_distance=ks_distance(fitted.cdf(tail), ks),
        ks=ks,
        log_likelihood=float(fitted.logpdf(tail).sum()),
    )
