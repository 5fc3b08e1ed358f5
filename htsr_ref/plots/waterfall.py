"""How the default convention's number becomes somebody else's, choice by choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.audits.path import TRACED
from htsr_ref.audits.text import mean_path
from htsr_ref.plots.axes import set_axis, set_title
from htsr_ref.plots.canvas import drawing
from htsr_ref.plots.names import fitted, title_lines
from htsr_ref.plots.palette import BLUE, GRAY, ORANGE
from htsr_ref.plots.quantities import QUANTITIES
from htsr_ref.plots.rows import rows_height, set_labels
from htsr_ref.reports.markdown import convention_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from htsr_ref.audits.audit_report import AuditReport

NAME_WIDTH = 100.0
"""Room for the name of a choice, points."""


def waterfall_figure(report: AuditReport, number: str = "alpha") -> Figure:
    """Draw a number of the default convention, what each choice adds to it, and theirs.

    Parameters
    ----------
    report : of an audit.
    number : one of `TRACED`; its mean over layers is drawn.

    Spec: FIG-2, FIG-7.
    """
    place, path = TRACED.index(number), mean_path(report)
    added = np.array([step.means[place] or 0.0 for step in path.choices])
    values = np.cumsum([path.start.means[place] or 0.0, *added])
    rest = path.rest.means[place]
    last = {path.ours.name: float(values[-1])}
    if rest is not None:
        last[path.rest.name] = float(values[-1]) + rest
    names = [path.start.name, *(step.name for step in path.choices), *last]
    with drawing(1.3 * rows_height(len(names)) + 2.6) as figure:
        axes = figure.subplots()
        low, high = min(*values, *last.values()), max(*values, *last.values())
        room = (high - low) or 1.0
        set_axis(axes, "x", f"{QUANTITIES[number]}, mean over layers", [low, high + 0.25 * room])
        set_labels(axes, [fitted(name, NAME_WIDTH) for name in names])
        for row, (step, before) in enumerate(zip(added, values, strict=False), 1):
            up = bool(step >= 0)
            axes.barh(
                row,
                step,
                left=before,
                height=0.55,
                color=BLUE if up else "white",
                edgecolor=BLUE if up else ORANGE,
                hatch=None if up else "////",
                linewidth=0.8,
            )
            _write(axes, max(before, before + step), row, f"{step:+.3g}")
        ends = [(0, float(values[0])), *enumerate(last.values(), len(added) + 1)]
        for row, value in ends:
            axes.plot(value, row, "o", color=GRAY, markersize=4.5)
            _write(axes, value, row, f"{value:.4g}")
        for row, value in enumerate(values):
            axes.plot([value, value], [row, row + 1], "-", color=GRAY, linewidth=0.5, zorder=0)
        convention = convention_text(report.convention)
        set_title(figure, title_lines(report.table, f"from {path.start.name} to {convention}"))
    return figure


def _write(axes: Axes, x: float, row: int, text: str) -> None:
    axes.annotate(text.replace("-", "−"), (x, row), (4, 0), textcoords="offset points", va="center")
