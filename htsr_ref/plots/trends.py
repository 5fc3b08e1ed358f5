"""Accuracy against each metric over series of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.plots.axes import draw_marks, set_axis, set_title
from htsr_ref.plots.canvas import WIDTH, drawing, lay_out
from htsr_ref.plots.names import POINTS_PER_CM, drawn, fitted, told_apart, without_ending
from htsr_ref.plots.palette import SERIES, Mark
from htsr_ref.plots.point_labels import label_points
from htsr_ref.plots.quantities import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from htsr_ref.models.trends import Series, Trend

PANEL = 4.4
"""Height of a metric's panel without its lines of text, cm."""

LINE = 0.32
"""Height of a line of text, cm."""

MOST_TOLD = 3
"""Series whose numbers are written above each panel."""

NAMED_WIDTH = 60.0
"""Room for a model's name, points."""


def trend_figure(found: Sequence[Series], title: str, metrics: Sequence[str] = ()) -> Figure:
    """Draw accuracy against each metric: models with their names, and the line of each series.

    Parameters
    ----------
    found : at least one series.
    title : see `title_lines`.
    metrics : those that are drawn; all if there are none.

    Spec: FIG-2, FIG-7, TRD-12.
    """
    chosen = list(metrics) or list(found[0].trends)
    lines = 3 * min(len(found), MOST_TOLD)
    height = len(chosen) * (PANEL + LINE * lines) + 1.6 + LINE * len(found)
    with drawing(height) as figure:
        panels = list(figure.subplots(len(chosen), 1, squeeze=False).flat)
        for axes, metric in zip(panels, chosen, strict=True):
            _draw_metric(axes, found, metric)
        handles, _ = panels[0].get_legend_handles_labels()
        if len(found) > 1:
            figure.legend(handles=handles, loc="outside lower left", frameon=False)
        set_title(
            figure,
            f"{title}\nexpected: slope < 0; in brackets: one model left out",
        )
        lay_out(figure)
        for axes, metric in zip(panels, chosen, strict=True):
            _name_models(axes, found, metric)
    return figure


def _points(series: Series, metric: str) -> tuple[list[float], list[float], list[str]]:
    """Metric and accuracy of each model for which the metric is defined, and its name."""
    there = [
        (value, model.accuracy, model.name)
        for model in series.models
        if (value := model.metrics[metric]) is not None
    ]
    x, y, names = zip(*there, strict=True) if there else ((), (), ())
    return list(x), list(y), list(names)


def _draw_metric(axes: Axes, found: Sequence[Series], metric: str) -> None:
    parts = [_points(series, metric) for series in found]
    set_axis(axes, "x", QUANTITIES[metric], np.concatenate([x for x, _, _ in parts]))
    set_axis(axes, "y", "accuracy", [model.accuracy for one in found for model in one.models])
    for place, (series, (x, y, _)) in enumerate(zip(found, parts, strict=True)):
        mark = SERIES[place % len(SERIES)]
        trend = series.trends[metric]
        _draw_series(axes, mark, trend, x, y, fitted(series.name, 150.0))
    told = []
    for series in found[:MOST_TOLD]:
        told += _numbers(series.trends[metric], fitted(series.name, 60.0) if len(found) > 1 else "")
    width = WIDTH * POINTS_PER_CM - 45.0
    axes.set_title(
        "\n".join(drawn(fitted(line, width)) for line in told),
        loc="left",
        fontsize="medium",
        pad=3.0,
    )


def _draw_series(
    axes: Axes, mark: Mark, trend: Trend, x: list[float], y: list[float], name: str
) -> None:
    draw_marks(axes, x, y, mark, drawn(name))
    if trend.slope is not None and trend.intercept is not None:
        ends = np.array([min(x), max(x)])
        line = trend.intercept + trend.slope * ends
        axes.plot(ends, line, "-", color=mark.color, linewidth=0.9, scalex=False, scaley=False)


def _numbers(trend: Trend, name: str) -> list[str]:
    """Say how closely accuracy follows a metric, and how much that depends on single models."""
    begin = f"{name}: " if name else ""
    if trend.slope is None or trend.r_squared is None:
        reason = next(iter(trend.null_reasons.values()), "no trend")
        return [f"{begin}no line: {reason}"]
    ends = trend.r_squared_ci95
    interval = "" if ends is None else f", 95 % {_number(ends[0])} … {_number(ends[1])}"
    sign = "as expected" if trend.as_expected else "not as expected"
    lines = [
        f"{begin}R² = {trend.r_squared:.2f}{interval}",
        f"slope {_number(trend.slope)}{_left_out(trend.slope_range)}, {sign}",
    ]
    if trend.kendall is not None:
        lines.append(f"τ = {_number(trend.kendall.value)}{_left_out(trend.kendall_range)}")
    return lines


def _left_out(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f" [{_number(ends[0])} … {_number(ends[1])}]"


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")


def _name_models(axes: Axes, found: Sequence[Series], metric: str) -> None:
    """Write the names of models beside their points; say how many found no room."""
    parts = [_points(series, metric) for series in found]
    names = without_ending([name for _, _, names in parts for name in names])
    if not names:
        return
    x = [value for values, _, _ in parts for value in values]
    y = [value for _, values, _ in parts for value in values]
    without = label_points(axes, x, y, told_apart(names, NAMED_WIDTH))
    if without:
        axes.set_xlabel(f"{axes.get_xlabel()} ({without} of {len(names)} names left out)")
