"""Rules for the threshold xmin other than the least KS distance, as published tools have them."""

import math
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import SampleError
from htsr_ref.powerlaw.distributions.tail import from_log_ratio
from htsr_ref.powerlaw.plain import candidate_starts

BINS = 100
"""Bins of the histogram whose peak `peak_starts` finds, and the least number of grid points."""

Sample = NDArray[np.float64]
"""(n,) float64, ascending, positive."""

Starts = NDArray[np.intp]
"""(m,) ascending indices of the first points of the tails that a rule admits."""


def median_starts(sample: Sample, position: float = 2.0) -> Starts:
    """Begin the tail at the point of index ⌊n/position⌋, so that 2 takes the upper half.

    Spec: PL-12. Source: TempBalance (arXiv 2312.00359), `xmin_pos`.
    """
    start = int(sample.size / position)
    return np.array([start] if sample[start] < sample[-1] else [], dtype=np.intp)


def peak_starts(sample: Sample) -> Starts:
    """Search between 0.95 and 1.5 times the peak of the histogram of log10 x.

    Spec: PL-13. Source: AlphaPruning (arXiv 2410.10912), `xmin_peak`, as its words describe it.
    """
    peak = histogram_peak(sample)
    return _starts_within(sample, 0.95 * peak, 1.5 * peak)


def slipped_peak_starts(sample: Sample) -> Starts:
    """Search between log10(0.95 peak), as if it were not a logarithm, and 1.5 times the peak.

    Spec: PL-13. Source: the code of WeightWatcher, TempBalance, AlphaPruning and others, whose
    lower end is left as a logarithm.
    """
    peak = histogram_peak(sample)
    return _starts_within(sample, math.log10(0.95 * peak), 1.5 * peak)


def _starts_within(sample: Sample, low: float, high: float) -> Starts:
    starts = candidate_starts(sample)
    return starts[(sample[starts] >= low) & (sample[starts] <= high)]


def histogram_peak(sample: Sample) -> float:
    """Left edge of the fullest of 100 equal bins of log10 x; the first of several.

    Where binary64 does not tell all edges of the bins apart, it is the smallest value.

    Spec: PL-13.

    >>> round(histogram_peak(np.array([1.0, 9.6, 9.9, 100.0])), 6)
    9.549926
    """
    logs = np.log10(sample)
    if not (np.diff(np.linspace(logs[0], logs[-1], BINS + 1)) > 0).all():
        return float(sample[0])
    counts, edges = np.histogram(logs, BINS)
    return float(10.0 ** edges[counts.argmax()])


def grid_thresholds(
    sample: Sample, logs: NDArray[np.float64]
) -> Iterator[tuple[int, float, float]]:
    """Try max(100, ⌊n/100⌋) thresholds at equal ratios, which need not be points.

    They run from the smallest value to the fourth largest distinct one; with fewer than four
    distinct values there are none.

    Parameters
    ----------
    sample : the sample.
    logs : (n,) float64, its natural logarithms less that of its largest value.

    Yields
    ------
    index of the tail's first point, threshold, logarithm of the threshold as those in `logs`.

    Spec: PL-14. Source: the development version of the package `powerlaw` after 2.0.0, with
    `test_all_xmin=False`.
    """
    starts = candidate_starts(sample)
    if starts.size < 3:
        return
    for log_xmin in np.linspace(logs[0], logs[starts[-3]], max(BINS, sample.size // 100)):
        start = int(np.searchsorted(logs, log_xmin))
        # The exponential may round to above a point at which the threshold lies.
        xmin = min(from_log_ratio(log_xmin, sample[-1]), sample[start])
        yield start, float(xmin), float(log_xmin)


STARTS: Mapping[str, Callable[[Sample], Starts]] = MappingProxyType(
    {
        "ks": candidate_starts,
        "median": median_starts,
        "peak": peak_starts,
        "peak-slip": slipped_peak_starts,
    }
)
"""By rule, the tails among which the one of least KS distance is taken."""


def require_rule(name: str) -> None:
    """Refuse a name that no rule has.

    Raises
    ------
    SampleError

    Spec: PL-5.
    """
    if name not in (*STARTS, "grid"):
        raise SampleError(
            f"there is no rule xmin = {name!r}. Give a number or one of {', '.join(STARTS)}, grid"
        )
