"""Fewer points where a figure could not show more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_POINTS = 400


def top_heavy(size: int, most: int = MOST_POINTS) -> NDArray[np.intp]:
    """Places, ascending, of at most `most` of the values of an ascending sample.

    All of a small sample; of a larger one places at equal ratios of the rank from the top, which
    are evenly spaced on the logarithmic axis of a survival function, and both ends.

    >>> top_heavy(3), top_heavy(10**6).size <= MOST_POINTS
    (array([0, 1, 2]), True)
    """
    if size <= most:
        return np.arange(size)
    ranks = np.unique(np.geomspace(1, size, most).round().astype(np.intp))
    return (size - ranks)[::-1]
