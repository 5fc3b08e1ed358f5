"""All that is known of a spectrum or sample, one figure below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.plots.axes import set_title
from htsr_ref.plots.canvas import drawing
from htsr_ref.plots.density import draw_density
from htsr_ref.plots.survival import draw_shuffled, draw_survival
from htsr_ref.plots.thresholds import draw_thresholds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from htsr_ref.analysis.tail_view import TailView


def tail_figure(view: TailView, title: str) -> Figure:
    """Draw all that is known of a spectrum or sample, one figure below the other.

    Parameters
    ----------
    view : the spectrum or sample.
    title : see `title_lines`.

    Spec: FIG-2, FIG-5.
    """
    heights = [6.4, 6.0]
    heights += [2.8, 3.0] if view.scan is not None else []
    heights += [5.4] if view.shuffled is not None else []
    with drawing(sum(heights) + 0.8) as figure:
        panels = list(figure.subplots(len(heights), 1, height_ratios=heights))
        draw_density(panels.pop(0), view)
        draw_survival(panels.pop(0), view)
        if view.scan is not None:
            draw_thresholds(panels.pop(0), panels.pop(0), view)
        if view.shuffled is not None:
            draw_shuffled(panels.pop(0), view)
        set_title(figure, title)
    return figure
