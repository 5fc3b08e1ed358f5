"""Metrics of one run over its checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.plots.axes import draw_marks, set_axis, set_title
from htsr_ref.plots.canvas import drawing
from htsr_ref.plots.palette import BLUE, GRAY, Mark
from htsr_ref.plots.quantities import QUANTITIES
from htsr_ref.runs.checkpoint import MEASURES
from htsr_ref.runs.course import places_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from htsr_ref.runs.course import Course

PANEL = 3.7
"""Height of a panel, cm."""

MARKS = (Mark("o", BLUE), Mark("D", GRAY, filled=False))
"""Of checkpoints that count, and of those that are like noise."""


def course_figure(course: Course, title: str) -> Figure:
    """Draw each number of a run over its steps, or over the places of its checkpoints.

    Parameters
    ----------
    course : of the run.
    title : see `title_lines`.

    Spec: FIG-2, TRD-15.
    """
    places = places_of(course.order, course.points)
    with drawing(PANEL * len(MEASURES) + 2.0) as figure:
        panels = list(figure.subplots(len(MEASURES), 1, squeeze=False).flat)
        for axes, name in zip(panels, MEASURES, strict=True):
            _draw(axes, course, places, name)
        set_axis(panels[-1], "x", "step" if course.order == "step" else "checkpoint", places)
        marks = {
            label: handle
            for axes in panels
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(list(marks.values()), list(marks), loc="outside lower left", frameon=False)
        set_title(figure, title)
    return figure


def _draw(axes: Axes, course: Course, places: list[int], name: str) -> None:
    """Draw one number, noise apart, and write how steadily it rises or falls."""
    known = [
        (place, value, point.apart is not None)
        for place, point in zip(places, course.points, strict=True)
        if (value := point.measures[name]) is not None
    ]
    values = [value for _, value, _ in known]
    set_axis(axes, "x", "", places)
    set_axis(axes, "y", QUANTITIES[name], values, length=70.0)
    axes.plot([place for place, _, _ in known], values, "-", color=GRAY, linewidth=0.7, zorder=0)
    for mark, is_noise, label in zip(
        MARKS, (False, True), ("checkpoint", "like noise"), strict=True
    ):
        shown = [(place, value) for place, value, noise in known if noise == is_noise]
        if shown:
            x, y = zip(*shown, strict=True)
            draw_marks(axes, x, y, mark, label)
    drift = course.drifts[name]
    if drift.kendall is not None:
        ends = drift.kendall_range
        left_out = "" if ends is None else f" [{ends[0]:.2f} … {ends[1]:.2f}]"
        axes.set_title(
            f"τ = {drift.kendall:.2f}{left_out}".replace("-", "−"),
            loc="right",
            fontsize="medium",
            pad=2.0,
        )
