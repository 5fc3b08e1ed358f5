"""Faults of TempBalance and its successors, which cannot be installed.

Written anew from what their source does at the commits that spec/known-faults.md names; the
functions run that arithmetic, not their code.
"""

import math

import numpy as np

from . import inputs
from .running import Outcome


def best_tail(sample: np.ndarray, low: float, high: float) -> Outcome:
    """Of the tails that begin between two values, the one of least one-sided distance."""
    tails = []
    for i in np.flatnonzero((sample[:-1] >= low) & (sample[:-1] <= high)):
        tail = sample[i:]
        alpha = 1 + tail.size / np.log(tail / tail[0]).sum()
        model = 1 - (tail / tail[0]) ** (1 - alpha)
        distance = np.abs(model - np.arange(tail.size) / tail.size).max()
        tails.append((distance, float(tail[0]), float(alpha)))
    _, xmin, alpha = min(tails)
    return {"alpha": alpha, "xmin": xmin}


def window_in_logarithms() -> Outcome:
    """The window around the fullest bin of a histogram, with its lower end left in logarithms."""
    sample = 0.5 * inputs.uniform_power_law(8, 100)
    counts, edges = np.histogram(np.log10(sample), bins=100)
    peak = 10 ** edges[counts.argmax()]
    return best_tail(sample, math.log10(0.95 * peak), 1.5 * peak)


def threshold_counted() -> Outcome:
    """Hill's estimator on the upper half, with the threshold among the values."""
    tail = inputs.pareto_quantiles(100, 1.5)[50:]
    return {"alpha": 1 + tail.size / np.log(tail / tail[0]).sum()}


def zeros_in_the_upper_half() -> Outcome:
    """The same where more than half of the eigenvalues are zero."""
    eigenvalues = np.append(np.zeros(60), inputs.pareto_quantiles(40, 1.5))
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(eigenvalues[50:])
        return {"alpha": 1 + logs.size / (logs.sum() - logs.size * logs[0])}
