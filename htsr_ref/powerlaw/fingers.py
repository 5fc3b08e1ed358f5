"""Fingers: a few largest values that lie apart from the tail and bend its fit."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import NoFitError
from htsr_ref.powerlaw.fit import PowerLawFit, checked_sample, fit_power_law, log_ratios
from htsr_ref.powerlaw.ks import KsKind

FingerRule = Literal["weightwatcher", "outliers"]

ALPHA_DROP = 1.0
"""By how much alpha must fall for WeightWatcher to accept a clipped fit (`finger_thresh`)."""

LEAST_ALPHA = 2.0
"""WeightWatcher stops clipping when alpha falls to this (`min_alpha`)."""


@dataclass(frozen=True)
class ClippedFit:
    """A fit with the largest values left out.

    Attributes
    ----------
    fit : the fit of the remaining values.
    clipped : how many of the largest values were left out.
    """

    fit: PowerLawFit
    clipped: int


def clip_fingers(
    sample: ArrayLike,
    *,
    rule: FingerRule = "outliers",
    most: int = 10,
    level: float = 0.05,
    ks: KsKind = "two-sided",
) -> ClippedFit:
    """Fit a power law after leaving out a few of the largest values, if a rule says so.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.
    rule : "weightwatcher" (its `fix_fingers="clip_xmax"`) or "outliers" (see `count_outliers`).
    most : for "outliers" the greatest number of values left out; for "weightwatcher" its
        `max_fingers`, one more than that.
    level : significance of the test, for "outliers".
    ks : kind of the KS distance.

    Raises
    ------
    SampleError, NoFitError
        As `fit_power_law` for the whole sample.

    Spec: PL-15, PL-16.

    >>> x = [*range(1, 50), 1e9]
    >>> clip_fingers(x).clipped
    1
    """
    x = checked_sample(sample)
    whole = fit_power_law(x, ks=ks)
    if rule == "weightwatcher":
        return _clip_as_weightwatcher(x, whole, most, ks)
    clipped = count_outliers(x[-whole.tail_size :], most=most, level=level)
    if not clipped:
        return ClippedFit(whole, 0)
    return ClippedFit(fit_power_law(x[:-clipped], ks=ks), clipped)


def _clip_as_weightwatcher(
    x: NDArray[np.float64], whole: PowerLawFit, most: int, ks: KsKind
) -> ClippedFit:
    """Leave out 2, 3, … values until alpha has fallen by more than 1.

    Spec: PL-15.
    """
    for clipped in range(2, min(most, x.size)):
        try:
            fit = fit_power_law(x[:-clipped], ks=ks)
        except NoFitError:
            break
        if fit.alpha + ALPHA_DROP < whole.alpha:
            return ClippedFit(fit, clipped)
        if fit.alpha <= LEAST_ALPHA:
            break
    return ClippedFit(whole, 0)


def count_outliers(tail: NDArray[np.float64], *, most: int = 10, level: float = 0.05) -> int:
    """Count the largest values that a power law does not explain.

    Under a power law the logarithms ln(x/xmin) are exponential. Of m exponentials with an unknown
    mean, the largest exceeds the share g of their sum with a probability of at most m·(1-g)^(m-1)
    (Fisher's test). The test is made with 0, 1, 2, … of the largest values left out; all up to the
    last that is significant are outliers, so that several cannot hide one another.

    Parameters
    ----------
    tail : (n,) float64, ascending; the first is xmin.
    most : greatest number of outliers; never more than a quarter of the tail.
    level : of significance of each test, and nearly the probability of finding any outlier where
        there is none.

    Spec: PL-16. Source: Fisher 1929 (the largest of exponentials); Rosner 1983 (the step-down).

    >>> count_outliers(np.exp(np.arange(30.0)))
    0
    """
    logs = log_ratios(tail)
    shifted = logs[1:] - logs[0]
    outliers = 0
    for left_out in range(min(most, shifted.size // 4)):
        kept = shifted[: shifted.size - left_out]
        share = float(kept[-1] / kept.sum()) if kept[-1] > 0 else 0.0
        if kept.size * (1.0 - share) ** (kept.size - 1) <= level:
            outliers = left_out + 1
    return outliers
