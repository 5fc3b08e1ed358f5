"""Survival functions: of a spectrum or sample with its laws, and of shuffled copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.plots.axes import legend_above, set_axis, set_title
from htsr_ref.plots.canvas import drawing
from htsr_ref.plots.fit_marks import GRID, draw_xmin, fit_label, noun, quantity, share_above, symbol
from htsr_ref.plots.palette import BLUE, GRAY, LAWS
from htsr_ref.plots.thinning import top_heavy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from htsr_ref.analysis.tail_view import TailView


def survival_figure(view: TailView, title: str) -> Figure:
    """Draw the share of values at or above each value, the fitted law and those compared with it.

    Parameters
    ----------
    view : the spectrum, or any sample.
    title : see `title_lines`.

    Spec: FIG-2, FIG-5, PL-17.
    """
    with drawing(7.4) as figure:
        draw_survival(figure.subplots(), view)
        set_title(figure, title)
    return figure


def shuffled_figure(view: TailView, title: str) -> Figure:
    """Draw the survival function of a spectrum and the band of those of its shuffled copies.

    Parameters
    ----------
    view : a spectrum with shuffled copies.
    title : see `title_lines`.

    Spec: FIG-2, FIG-5.
    """
    with drawing(6.4) as figure:
        draw_shuffled(figure.subplots(), view)
        set_title(figure, title)
    return figure


def draw_survival(axes: Axes, view: TailView) -> None:
    """Draw the survival function of a spectrum or sample, with its laws, into axes."""
    values = view.values
    share = np.arange(values.size, 0, -1) / values.size
    shown = top_heavy(values.size)
    axes.plot(values[shown], share[shown], "o", color=BLUE, label=f"{values.size} {noun(view)}")
    set_axis(axes, "x", quantity(view), values[[0, -1]], log=True)
    set_axis(axes, "y", f"share at or above {symbol(view)}", [0.5 / values.size, 1.0], log=True)
    if view.fit is not None:
        end = view.fit.xmax or float(values[-1])
        x = np.geomspace(view.fit.xmin, end, GRID)
        above = share_above(values, view.fit.xmin)
        for name, law in {"power_law": view.fit.law, **view.laws}.items():
            color, dashes = LAWS[name]
            is_fit = name == "power_law"
            axes.plot(
                x,
                above * (1.0 - law.cdf(x)),
                color=color,
                linestyle=dashes,
                label=fit_label(view.fit) if is_fit else name.replace("_", " "),
                scaley=False,
            )
        draw_xmin(axes, view.fit)
    legend_above(axes)


def draw_shuffled(axes: Axes, view: TailView) -> None:
    """Draw a spectrum and the band of its shuffled copies into axes."""
    if view.shuffled is None:
        return
    values, copies = view.values, view.shuffled
    share = np.arange(copies.shape[1], 0, -1) / copies.shape[1]
    shown = top_heavy(copies.shape[1])
    least, most = copies.min(axis=0)[shown], copies.max(axis=0)[shown]
    positive = least > 0
    axes.fill_betweenx(
        share[shown][positive],
        least[positive],
        most[positive],
        color=GRAY,
        alpha=0.5,
        linewidth=1.0,
        label=f"{len(copies)} shuffled copies, least to largest",
    )
    own = top_heavy(values.size)
    own_share = np.arange(values.size, 0, -1) / copies.shape[1]
    axes.plot(values[own], own_share[own], "o", color=BLUE, label=f"{values.size} eigenvalues")
    ends = [values[0], values[-1], most[-1], *least[positive][:1]]
    set_axis(axes, "x", quantity(view), ends, log=True)
    set_axis(axes, "y", "share at or above λ", [0.5 / copies.shape[1], 1.0], log=True)
    legend_above(axes)
