"""Numbers drawn as a line of blocks, higher for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BLOCKS = "▁▂▃▄▅▆▇█"

BINS = 16
"""Blocks of a histogram."""

LONGEST = 12
"""Blocks of a series."""


def log_histogram(values: NDArray[np.float64]) -> str:
    """Draw a histogram over the logarithm, from the smallest to the largest value.

    Parameters
    ----------
    values : (n,) float64, positive.

    Returns
    -------
    `BINS` characters, the height of each in proportion to its count, a blank for none; empty
    without values.

    Spec: RPT-13.

    >>> log_histogram(np.geomspace(1.0, 100.0, 160)), log_histogram(np.array([1.0, 1e15]))
    ('████████████████', '█              █')
    """
    if not values.size:
        return ""
    counts, _ = np.histogram(np.log10(values), BINS)
    heights = np.ceil(counts * (len(BLOCKS) / counts.max())).astype(int)
    return "".join(BLOCKS[height - 1] if height else " " for height in heights)


def series(values: Sequence[float | None]) -> str:
    """Draw numbers in their order, from the least as the lowest block to the greatest.

    Parameters
    ----------
    values : of more than `LONGEST`, neighbors share a block, whose height is their mean; where none
        is defined, there is a blank.

    Returns
    -------
    At most `LONGEST` characters; empty if no number is defined.

    Spec: WCH-4.

    >>> series([1.0, None, 2.0, 3.0]), series([5.0, 5.0])
    ('▁ ▅█', '▅▅')
    """
    parts = np.array_split(np.array(values, dtype=np.float64), min(len(values), LONGEST) or 1)
    means = [
        float(np.mean(known)) if (known := part[~np.isnan(part)]).size else None for part in parts
    ]
    known_means = [mean for mean in means if mean is not None]
    if not known_means:
        return ""
    low, high = min(known_means), max(known_means)
    return "".join(" " if mean is None else _block(mean, low, high) for mean in means)


def _block(value: float, low: float, high: float) -> str:
    share = 0.5 if low == high else (value - low) / (high - low)
    return BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)]
