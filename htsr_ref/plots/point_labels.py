"""Names beside points, where they cover neither points nor one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.plots.names import drawn, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

AWAY = (3.5, 8.0, 14.0, 22.0)
"""Distances of a name from its point, points, the nearest that is free."""

SIZE = 5.5
"""Size of names, points."""

HEIGHT = 1.25 * SIZE
"""Height of a name, with what is below the line."""


def free_places(
    points: NDArray[np.float64],
    widths: Sequence[float],
    height: float,
    frame: Box,
    others: Sequence[tuple[float, float]] = (),
) -> list[tuple[float, float] | None]:
    """Choose the lower left corner of each name; None for one without a free place.

    Parameters
    ----------
    points : (n, 2) float64, in the unit of the widths.
    widths, height : sizes of the names.
    frame : where names must stay.
    others : more points that names must not cover.

    Spec: FIG-4.

    >>> free_places(np.array([[0.0, 0.0]]), [10.0], 5.0, (-50, -50, 50, 50))
    [(3.5, -2.5)]
    """
    taken: list[Box] = [(x - 2.0, y - 2.0, x + 2.0, y + 2.0) for x, y in (*points, *others)]
    found: list[tuple[float, float] | None] = []
    for (x, y), width in zip(points.tolist(), widths, strict=True):
        corner = next(
            (
                at
                for at in _around(x, y, width, height)
                if _is_free((at[0], at[1], at[0] + width, at[1] + height), taken, frame)
            ),
            None,
        )
        if corner is not None:
            taken.append((*corner, corner[0] + width, corner[1] + height))
        found.append(corner)
    return found


def _around(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    return [
        corner
        for away in AWAY
        for corner in (
            (x + away, y - height / 2),
            (x - away - width, y - height / 2),
            (x - width / 2, y + away),
            (x - width / 2, y - away - height),
            (x + away, y + away),
            (x - away - width, y + away),
            (x + away, y - away - height),
            (x - away - width, y - away - height),
        )
    ]


def _is_free(box: Box, taken: Sequence[Box], frame: Box) -> bool:
    inside = frame[0] <= box[0] and frame[1] <= box[1] and box[2] <= frame[2] and box[3] <= frame[3]
    return inside and not any(
        box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
        for other in taken
    )


def label_points(axes: Axes, x: Sequence[float], y: Sequence[float], names: Sequence[str]) -> int:
    """Write plain names beside points of axes that are laid out; return how many found no room.

    Spec: FIG-4.
    """
    scale = 72.0 / axes.figure.dpi
    points = axes.transData.transform(np.column_stack([x, y])) * scale
    left, bottom, right, top = (edge * scale for edge in axes.bbox.extents)
    # A little more than the text, as its edges are moved to whole pixels.
    widths = [text_width(name, SIZE) + 1.5 for name in names]
    others = [
        (float(a), float(b))
        for line in axes.lines
        if np.size(line.get_xdata()) == 2
        for a, b in _along(axes.transData.transform(line.get_xydata()) * scale)
    ]
    frame = (left, bottom, right, top)
    places = free_places(points, widths, HEIGHT, frame, others)
    for at, point, name, width, place in zip(
        zip(x, y, strict=True), points, names, widths, places, strict=True
    ):
        if place is not None:
            axes.annotate(
                drawn(name),
                at,
                (place[0] - point[0], place[1] - point[1] + 0.3 * SIZE),
                textcoords="offset points",
                fontsize=SIZE,
                color="0.3",
                arrowprops=None if _is_near(place, point, width) else _LEADER,
            )
    return places.count(None)


_LEADER = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.4, "shrinkA": 0.0, "shrinkB": 2.0}


def _is_near(corner: tuple[float, float], point: NDArray[np.float64], width: float) -> bool:
    """Whether a name is so near to its point that no line need lead to it."""
    beside = max(corner[0] - point[0], point[0] - corner[0] - width)
    above = max(corner[1] - point[1], point[1] - corner[1] - HEIGHT)
    return bool(max(beside, above) <= AWAY[0] + 0.1)


def _along(ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points along a straight line, dense enough that no name slips between them."""
    return np.linspace(ends[0], ends[1], 80)
