"""Rows of a figure with their names, the first on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.plots.canvas import TEXT_SIZE
from htsr_ref.plots.names import (
    POINTS_PER_CM,
    SEPARATORS,
    drawn,
    fitted,
    shared_beginning,
    told_apart,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

ROW = 0.36
"""Height of a row, cm, as long as there is room."""

TALLEST = 17.0
"""Height of all rows, cm, beyond which they become thinner."""

NAME_WIDTH = 75.0
"""Room for a name, points."""

LEAST_PITCH = 1.25 * TEXT_SIZE
"""Distance of names that do not touch, points."""


def rows_height(count: int) -> float:
    """Height of so many rows, cm.

    >>> rows_height(1000)
    17.0
    """
    return min(TALLEST, max(ROW * count, 5 * ROW))


def set_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows 0, 1, … of an axes, or as many of them as there is room for.

    Spec: FIG-3, FIG-4.
    """
    set_labels(axes, told_apart(names, NAME_WIDTH))
    axes.set_ylabel(drawn(fitted(shared_beginning(names).rstrip(SEPARATORS), 100.0)))


def set_labels(axes: Axes, labels: Sequence[str]) -> None:
    """Label the rows 0, 1, … of an axes with plain texts, as many as there is room for.

    Spec: FIG-4.
    """
    count = len(labels)
    pitch = rows_height(count) * POINTS_PER_CM / max(count, 1)
    every = max(1, int(np.ceil(LEAST_PITCH / pitch)))
    shown = range(0, count, every)
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_yticks(list(shown), labels=[drawn(labels[i]) for i in shown])
    axes.tick_params(axis="y", length=0.0 if every == 1 else 2.5)
    axes.grid(axis="y", color="0.92", linewidth=0.5)
    axes.set_axisbelow(True)
