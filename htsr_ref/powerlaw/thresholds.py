"""Other rules for the threshold xmin, as published tools have them.

Each takes an ascending positive sample, its logarithms and a kind of KS distance, and returns the
fit above the threshold it chooses, or None where it finds none.
"""

import math

import numpy as np
from numpy.typing import NDArray

from htsr_ref.powerlaw.exact import search_exact
from htsr_ref.powerlaw.ks import KsKind
from htsr_ref.powerlaw.plain import Threshold, candidate_starts, fit_above, fit_tail

BINS = 100
"""Bins of the histogram whose peak `peak_threshold` finds."""


def median_threshold(
    sample: NDArray[np.float64], logs: NDArray[np.float64], ks: KsKind, position: float = 2.0
) -> Threshold | None:
    """Begin the tail at the point of index ⌊n/position⌋, so that 2 takes the upper half.

    Spec: PL-12. Source: TempBalance (arXiv 2312.00359), `xmin_pos`.
    """
    start = int(sample.size / position)
    return fit_tail(logs, start, ks) if logs[start] < logs[-1] else None


def peak_threshold(
    sample: NDArray[np.float64], logs: NDArray[np.float64], ks: KsKind
) -> Threshold | None:
    """Search between 0.95 and 1.5 times the peak of the histogram of log10 x.

    Spec: PL-13. Source: AlphaPruning (arXiv 2410.10912), `xmin_peak`, as its words describe it.
    """
    peak = histogram_peak(sample)
    return _search_window(sample, logs, ks, 0.95 * peak, 1.5 * peak)


def slipped_peak_threshold(
    sample: NDArray[np.float64], logs: NDArray[np.float64], ks: KsKind
) -> Threshold | None:
    """Search between log10(0.95 peak), as if it were no logarithm, and 1.5 times the peak.

    Spec: PL-13. Source: the code of WeightWatcher, TempBalance, AlphaPruning and others, whose
    lower end is left as a logarithm.
    """
    peak = histogram_peak(sample)
    return _search_window(sample, logs, ks, math.log10(0.95 * peak), 1.5 * peak)


def histogram_peak(sample: NDArray[np.float64]) -> float:
    """Left edge of the fullest of 100 equal bins of log10 x; the first of several.

    Spec: PL-13.

    >>> round(histogram_peak(np.array([1.0, 9.6, 9.9, 100.0])), 6)
    9.549926
    """
    counts, edges = np.histogram(np.log10(sample), BINS)
    return float(10.0 ** edges[counts.argmax()])


def _search_window(
    sample: NDArray[np.float64], logs: NDArray[np.float64], ks: KsKind, low: float, high: float
) -> Threshold | None:
    starts = candidate_starts(sample)
    inside = (sample[starts] >= low) & (sample[starts] <= high)
    return search_exact(sample, logs, ks, starts[inside])


def grid_threshold(
    sample: NDArray[np.float64], logs: NDArray[np.float64], ks: KsKind
) -> tuple[Threshold, float] | None:
    """Try max(100, ⌊n/100⌋) thresholds at equal ratios, which need not be points of the sample.

    They run from the smallest value to the fourth largest distinct one.

    Returns
    -------
    The fit and the threshold, or None with fewer than four distinct values.

    Spec: PL-14. Source: the development version of the package `powerlaw` after 2.0.0, with
    `test_all_xmin=False`.
    """
    starts = candidate_starts(sample)
    if starts.size < 3:
        return None
    count = max(BINS, sample.size // 100)
    last = starts[-3]
    best: tuple[Threshold, float] | None = None
    for log_xmin in np.linspace(logs[0], logs[last], count):
        start = int(np.searchsorted(logs, log_xmin))
        trial = fit_above(logs[start:] - log_xmin, start, ks)
        if best is None or trial.ks_distance < best[0].ks_distance:
            best = trial, float(np.exp(log_xmin) * sample[-1])
    return best
