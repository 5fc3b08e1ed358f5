"""Numbers over a run as a line of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.analysis.sparks import BLOCKS

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 12
"""Blocks of a line."""


def spark(values: Sequence[float | None]) -> str:
    """Draw numbers in their order, from the least as the lowest block to the greatest.

    Parameters
    ----------
    values : one for each checkpoint. Of more than `LONGEST`, neighbors share a block, whose height
        is their mean; where none is defined, there is a blank.

    Spec: WCH-4.

    >>> spark([1.0, None, 2.0, 3.0]), spark([5.0, 5.0])
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
