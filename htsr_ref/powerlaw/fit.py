"""Fitting a power law to a sample: checks, and the choice of the threshold."""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw.distributions import PowerLaw
from htsr_ref.powerlaw.ks import KsKind
from htsr_ref.powerlaw.plain import fit_above, search_plain
from htsr_ref.powerlaw.pruned import search_pruned
from htsr_ref.powerlaw.tail_fit import TailFit
from htsr_ref.powerlaw.thresholds import STARTS, grid_thresholds, require_rule

XminRule = Literal["ks", "median", "peak", "peak-slip", "grid"]

MIN_RELIABLE_TAIL = 10
"""Tails shorter than this are reported with a warning (PL-8)."""


def checked_sample(sample: ArrayLike) -> NDArray[np.float64]:
    """Copy of a sample, ascending, as float64; refused unless every value is positive and finite.

    Raises
    ------
    SampleError
        Names the first bad value and its index.

    Spec: PL-9.

    >>> checked_sample([3, 1, 2])
    array([1., 2., 3.])
    >>> checked_sample([3.0, -1.0])
    Traceback (most recent call last):
        ...
    htsr_ref.errors.SampleError: value 1 of the sample is -1.0: only positive numbers can be fitted
    """
    values = np.asarray(sample)
    if values.dtype.kind not in "fiu":
        raise SampleError(f"the sample holds {values.dtype}: only real numbers can be fitted")
    if values.ndim != 1:
        raise SampleError(f"the sample has shape {values.shape}: it must have one dimension")
    if values.size == 0:
        raise SampleError("the sample is empty")
    with np.errstate(over="ignore"):  # What overflows is refused as infinite.
        given: NDArray[np.float64] = values.astype(np.float64)
    x = np.sort(given)
    if not (x[0] > 0 and x[-1] < math.inf):  # NaN is the last in order.
        bad = int(np.flatnonzero(~(np.isfinite(given) & (given > 0)))[0])
        raise SampleError(
            f"value {bad} of the sample is {float(given[bad])}: only positive numbers can be fitted"
        )
    return x


def require_distinct(x: NDArray[np.float64]) -> None:
    """Refuse an ascending sample that leaves a rule for the threshold nothing to choose.

    Raises
    ------
    NoFitError
        The sample holds fewer than two distinct values.

    Spec: PL-7.
    """
    if x[0] == x[-1]:
        raise NoFitError(
            "one positive value" if x.size == 1 else f"all {x.size} positive values are equal"
        )


_FAR_AND_CLOSE = np.array([np.finfo(np.float64).tiny, 0.5])
"""Ratios to the largest value: below the first they have lost digits, above the second they lie
close."""


def relative_logs(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms ln(x_j/x_max) of a positive ascending sample, for any range of values.

    Taken relative to the largest value, so that a power-of-two change of scale changes no bit.

    >>> relative_logs(np.array([1.0, 1.0e300]) * 1e-300).round(1)
    array([-690.8,    0. ])
    """
    largest = ascending[-1]
    with np.errstate(under="ignore"):
        ratios = ascending / largest
    tiny, close = ratios.searchsorted(_FAR_AND_CLOSE)
    logs = np.empty(ratios.size)
    logs[:tiny] = np.log(ascending[:tiny]) - np.log(largest)
    logs[tiny:close] = np.log(ratios[tiny:close])
    # Differences of close numbers are exact: nothing is lost even in the last digits.
    logs[close:] = np.log1p((ascending[close:] - largest) / largest)
    return logs


def fit_power_law(
    sample: ArrayLike, *, ks: KsKind = "two-sided", xmin: float | XminRule = "ks"
) -> TailFit[PowerLaw]:
    """Fit a continuous power law to the tail of a positive sample.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.
    ks : kind of the KS distance that is reported and, for most rules, chooses xmin.
    xmin : the threshold, or the rule that chooses it: "ks" (least KS distance among the sample's
        values), "median", "peak", "peak-slip" or "grid".

    Returns
    -------
    TailFit

    Raises
    ------
    SampleError
        The sample holds a value that is not a positive finite number, or none; or there is no
        such rule.
    NoFitError
        The rule finds no threshold; all rules need two distinct values at or above xmin.

    Spec: PL-1, PL-4, PL-5, PL-7, PL-10. Source: Clauset, Shalizi & Newman 2009, section 3.

    >>> quantiles = (1 - (np.arange(1, 129) - 0.5) / 128) ** (-1 / 1.5)
    >>> fit = fit_power_law(quantiles)
    >>> f"{fit.alpha:.4f} from {fit.tail_size} of {fit.sample_size}"
    '2.5100 from 128 of 128'
    """
    x = checked_sample(sample)
    return _by_rule(x, ks, xmin) if isinstance(xmin, str) else _given(x, ks, xmin)


def _given(x: NDArray[np.float64], ks: KsKind, xmin: float) -> TailFit[PowerLaw]:
    """Fit the tail above a given threshold."""
    if not (math.isfinite(xmin) and xmin > 0):
        raise SampleError(f"xmin is {xmin}: it must be a positive number")
    if x[-1] <= xmin:
        raise NoFitError(f"no value lies above xmin = {xmin}")
    start = int(np.searchsorted(x, xmin))
    logs = relative_logs(np.concatenate(([xmin], x[start:])))
    return fit_above(logs[1:] - logs[0], start, float(xmin), ks)


def _by_rule(x: NDArray[np.float64], ks: KsKind, rule: XminRule) -> TailFit[PowerLaw]:
    """Choose the threshold by a rule and fit the tail above it."""
    require_rule(rule)
    require_distinct(x)
    logs = relative_logs(x)
    if rule == "grid":
        found = search_plain(
            grid_thresholds(x, logs),
            lambda tail: fit_above(logs[tail[0] :] - tail[2], tail[0], tail[1], ks),
        )
    else:
        found = search_pruned(x, logs, STARTS[rule](x), ks)
    if found is None:
        raise NoFitError(f"no threshold fits the rule xmin = {rule}")
    return found
