"""What a power law fitted above each threshold looks like: how much the choice of xmin matters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from htsr_ref.powerlaw.fit import relative_logs
from htsr_ref.powerlaw.ks import KsKind
from htsr_ref.powerlaw.plain import candidate_starts, fit_tail

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ThresholdScan:
    """Power laws fitted above many thresholds.

    Attributes
    ----------
    xmin : (m,) float64, thresholds, ascending.
    alpha, stderr, ks_distance : (m,) float64, exponent, its standard error and KS distance.
    ks : kind of that distance.

    Spec: FIG-5.
    """

    xmin: Array
    alpha: Array
    stderr: Array
    ks_distance: Array
    ks: KsKind


def scan_thresholds(
    sample: Array, ks: KsKind = "two-sided", *, renormalized: bool, most: int = 200
) -> ThresholdScan:
    """Fit a power law above the values of a sample.

    Parameters
    ----------
    sample : (n,) float64, ascending, positive, at least two different values.
    ks, renormalized : kind of the KS distance, and whether laws end at the largest value for it.
    most : thresholds at most; of more distinct values, evenly spaced ones by rank.

    Spec: FIG-5.

    >>> scan = scan_thresholds(np.array([1.0, np.e, np.e**2]), renormalized=False)
    >>> scan.alpha
    array([2., 3.])
    """
    starts = candidate_starts(sample)
    chosen = np.linspace(0, starts.size - 1, min(most, starts.size)).astype(np.intp)
    logs = relative_logs(sample)
    fits = [
        fit_tail(sample, logs, start, ks, renormalized=renormalized)
        for start in starts[chosen].tolist()
    ]
    return ThresholdScan(
        xmin=np.array([fit.xmin for fit in fits]),
        alpha=np.array([fit.alpha for fit in fits]),
        stderr=np.array([fit.stderr for fit in fits]),
        ks_distance=np.array([fit.ks_distance for fit in fits]),
        ks=fits[0].ks,
    )
