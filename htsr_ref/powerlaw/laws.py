"""Fitting any of the laws to a sample, with the threshold chosen under that law."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw.distributions import DISTRIBUTIONS, Distribution
from htsr_ref.powerlaw.fit import XminRule, checked_sample, relative_logs
from htsr_ref.powerlaw.ks import KsKind
from htsr_ref.powerlaw.plain import measured_fit, search_plain
from htsr_ref.powerlaw.tail_fit import Law, TailFit
from htsr_ref.powerlaw.thresholds import STARTS, grid_thresholds, require_rule


def fit_law(
    sample: ArrayLike,
    law: str,
    *,
    ks: KsKind = "two-sided",
    xmin: float | XminRule = "ks",
    progress: Callable[[int, int], None] | None = None,
) -> TailFit[Distribution]:
    """Fit a law to the tail of a positive sample; every candidate for xmin is fitted by that law.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.
    law : a name of `DISTRIBUTIONS`.
    ks, xmin : as for `fit_power_law`.
    progress : called with the numbers of candidates done and of all.

    Returns
    -------
    TailFit. Under "power_law" the fit is that of `fit_power_law`, which is faster.

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
    found = search_plain(
        tails if progress is None else _counted(tails, progress),
        lambda tail: fit_law_above(x, *tail, DISTRIBUTIONS[law], ks),
    )
    if found is None:
        raise NoFitError(f"no tail of the sample can be fitted with xmin = {xmin}")
    return found


def _counted(
    tails: list[tuple[int, float]], progress: Callable[[int, int], None]
) -> Iterator[tuple[int, float]]:
    for done, tail in enumerate(tails):
        progress(done, len(tails))
        yield tail
    progress(len(tails), len(tails))


def tails_of_rule(x: NDArray[np.float64], xmin: float | XminRule) -> Iterator[tuple[int, float]]:
    """First point and threshold of every tail that a rule admits, ascending.

    Spec: PL-55.
    """
    if not isinstance(xmin, str):
        yield int(np.searchsorted(x, xmin)), float(xmin)
        return
    require_rule(xmin)
    if xmin == "grid":
        for start, threshold, _ in grid_thresholds(x, relative_logs(x)):
            yield start, threshold
    else:
        for start in STARTS[xmin](x):
            yield int(start), float(x[start])


def fit_law_above(
    x: NDArray[np.float64], start: int, xmin: float, law: type[Law], ks: KsKind
) -> TailFit[Law]:
    """Fit a law to the tail `x[start:]` of an ascending sample, all of it ≥ xmin.

    Raises
    ------
    NoFitError
        The law cannot be fitted to it.

    Spec: PL-55.
    """
    tail = x[start:]
    fitted = law.fit(tail, xmin)
    return measured_fit(fitted, fitted.cdf(tail), start, ks, points=tail)
