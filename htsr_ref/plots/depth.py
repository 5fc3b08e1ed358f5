"""α of every matrix of a model by depth, and before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.plots.axes import draw_marks, legend_above, set_axis, set_title
from htsr_ref.plots.canvas import drawing
from htsr_ref.plots.names import title_lines, told_apart
from htsr_ref.plots.of_report import matrix_rows, report_title
from htsr_ref.plots.palette import (
    BLUE,
    GRAY,
    LIGHT,
    ORANGE,
    WITHOUT_VERDICT,
    Mark,
    in_order,
    mark_of,
)
from htsr_ref.plots.quantities import QUANTITIES
from htsr_ref.plots.rows import rows_height, set_rows
from htsr_ref.reports.markdown import convention_text
from htsr_ref.text.order import by_depth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from htsr_ref.models.difference import Difference
    from htsr_ref.reports.report import Report

FURTHEST = 3.0
"""Values beyond this multiple of the third quartile are drawn at the end of the axis."""


def alpha_by_depth(report: Report, verdicts: Sequence[str] | None = None) -> Figure:
    """Draw α of every matrix with its 95 % interval, marked by its verdict.

    Parameters
    ----------
    report : of the model.
    verdicts : one for every analyzed matrix, in the order of the file; None for none.

    Spec: FIG-2, FIG-6.
    """
    rows = matrix_rows(report)
    words = [WITHOUT_VERDICT] * len(rows) if verdicts is None else list(verdicts)
    order = by_depth([row.layer for row in rows])
    rows, words = [rows[i] for i in order], [words[i] for i in order]
    known = [row.matrix.alpha for row in rows if row.matrix.alpha is not None]
    intervals = [row.matrix.alpha_ci95 or (np.nan, np.nan) for row in rows]
    end = _end(known)
    widest = min(1.6 * end, max((high for _, high in intervals if high >= 0.0), default=end))
    with drawing(rows_height(len(rows)) + 2.4 + 0.33 * len(set(words))) as figure:
        axes = figure.subplots()
        set_axis(axes, "x", "exponent α", [1.0, max(end, widest)], length=110.0)
        set_rows(axes, [row.name for row in rows])
        for word in in_order(words):
            places = [i for i, found in enumerate(words) if found == word]
            mark = mark_of(word)
            x = np.array([rows[i].matrix.alpha for i in places], dtype=np.float64)
            low, high = np.array([intervals[i] for i in places]).T
            axes.hlines(places, low, high, color=mark.color, linewidth=0.8)
            draw_marks(axes, np.minimum(x, end), places, mark, word)
        _draw_ends(axes, [row.matrix.alpha for row in rows], end)
        mean = report.model.mean_alpha
        if mean is not None and mean <= end:
            label = f"mean α = {mean:.2f}"
            axes.axvline(mean, color=GRAY, linewidth=0.7, linestyle="--", zorder=0, label=label)
        legend_above(axes, wide=False)
        set_title(figure, report_title(report, "α by depth"))
    return figure


def _end(values: Sequence[float]) -> float:
    """End of an axis: the largest value, unless a few are far beyond the others."""
    if not values:
        return 4.0
    usual = FURTHEST * float(np.quantile(values, 0.75))
    return max(value for value in values if value <= usual)


def _draw_ends(axes: Axes, values: Sequence[float | None], end: float) -> None:
    """Say which values lie beyond the axis, and which are missing."""
    for place, value in enumerate(values):
        if value is None:
            text = "no fit"
        elif value > end:
            text = f"{value:.3g} ▸"
        else:
            continue
        axes.annotate(
            text,
            (1.0, place),
            xycoords=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            color="0.25",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )


def difference_figure(found: Difference, depth: Sequence[str], number: str = "alpha") -> Figure:
    """Draw a number of every layer before and after.

    Parameters
    ----------
    found : the difference of two models.
    depth : names of the layers before, in the order of the file.
    number : which one, of those that differences hold.

    Spec: FIG-2, FIG-6.
    """
    order = {depth[i]: place for place, i in enumerate(by_depth(depth))}
    layers = sorted(found.layers, key=lambda layer: order.get(layer.name, len(order)))
    changes = [layer.numbers[number] for layer in layers]
    before, after = (
        np.array([getattr(change, name) for change in changes], dtype=np.float64)
        for name in ("before", "after")
    )
    places = np.arange(len(layers))
    with drawing(rows_height(len(layers)) + 3.2) as figure:
        axes = figure.subplots()
        set_axis(axes, "x", QUANTITIES[number], [before, after], length=110.0)
        set_rows(axes, [layer.name for layer in layers])
        axes.hlines(places, before, after, color=LIGHT, linewidth=2.5)
        names = told_apart([found.before.name, found.after.name], 110.0)
        for numbers, mark, size, label in (
            (before, Mark("o", BLUE, filled=False), 5.5, f"before: {names[0]}"),
            (after, Mark("D", ORANGE), 2.8, f"after: {names[1]}"),
        ):
            draw_marks(axes, numbers, places, mark, label, size=size)
        legend_above(axes, wide=False)
        convention = convention_text(found.convention)
        set_title(
            figure,
            title_lines(f"{QUANTITIES[number]} before and after", f"convention {convention}"),
        )
    return figure
