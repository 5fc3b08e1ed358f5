"""Axes: what is the same in every figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from htsr_ref.plots.canvas import TEXT_SIZE
from htsr_ref.plots.names import drawn, text_width
from htsr_ref.plots.ticks import limits, ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from htsr_ref.plots.palette import Mark

ROOM = {"x": 150.0, "y": 90.0}
"""Length of an axis that its ticks may count on, points; layouts leave it more."""

WIDEST = 70.0
"""Width of a legend's entry, points, up to which there is room for another beside it."""


def set_axis(
    axes: Axes,
    which: Literal["x", "y"],
    label: str,
    shown: ArrayLike,
    *,
    log: bool = False,
    length: float | None = None,
) -> None:
    """Give an axis its label, a range that shows some numbers, and ticks that do not overlap.

    Parameters
    ----------
    axes, which : the axis.
    label : quantity and unit.
    shown : numbers that must be seen; those that are not finite, and on a logarithmic axis those
        that are not positive, do not count.
    log : whether it is logarithmic.
    length : of the axis at least, points.

    Spec: FIG-2, FIG-4.
    """
    values = np.asarray(shown, dtype=np.float64).ravel()
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    ends = (float(values.min()), float(values.max())) if values.size else (1.0, 10.0)
    low, high = limits(*ends, log=log)
    room = text_width if which == "x" else lambda _: 0.6 * TEXT_SIZE
    found = ticks(low, high, log=log, room=room, length=length or ROOM[which])
    axis = axes.xaxis if which == "x" else axes.yaxis
    if log:
        axes.set(**{f"{which}scale": "log"})
    axes.set(**{f"{which}lim": (low, high), f"{which}label": label})
    axis.set_ticks(found.places, labels=found.labels)
    axis.set_ticks([], minor=True)


def draw_marks(
    axes: Axes, x: ArrayLike, y: ArrayLike, mark: Mark, label: str, *, size: float | None = None
) -> None:
    """Draw points as one kind of mark, which the legend explains.

    Parameters
    ----------
    axes : where to.
    x, y : (n,) float64.
    mark, label : of the points; the label is text as `drawn` gives it, or one of ours.
    size : of the marks, points; the usual one if None.

    Spec: FIG-2.
    """
    axes.plot(
        x,
        y,
        mark.shape,
        color=mark.color,
        markerfacecolor=mark.face,
        markersize=size,
        label=label,
    )


def set_title(figure: Figure, title: str) -> None:
    """Put a title above all, from the left edge on.

    Spec: FIG-2.
    """
    figure.suptitle(title, x=0.01, ha="left", fontsize=TEXT_SIZE, linespacing=1.3)


def legend_above(axes: Axes, *, wide: bool = True) -> None:
    """Explain marks and lines above the axes, where they hide no point.

    Parameters
    ----------
    axes : with labeled marks and lines; their labels are plain text.
    wide : whether the axes are about as wide as the figure, so that two entries may share a line.

    Spec: FIG-2.
    """
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles,
            [drawn(label) for label in labels],
            frameon=False,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            borderaxespad=0.3,
            borderpad=0.0,
            handlelength=2.4,
            labelspacing=0.25,
            columnspacing=1.0,
            ncols=2 if wide and len(labels) > 1 and max(map(text_width, labels)) < WIDEST else 1,
        )
