"""What the fitted power law would be above other thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.plots.axes import legend_above, set_axis, set_title
from htsr_ref.plots.canvas import drawing
from htsr_ref.plots.fit_marks import quantity
from htsr_ref.plots.palette import BLUE, GRAY, LIGHT, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from htsr_ref.analysis.tail_view import TailView

    Array = NDArray[np.float64]


def threshold_figure(view: TailView, title: str) -> Figure:
    """Draw the KS distance and the exponent of power laws above each threshold.

    Parameters
    ----------
    view : a spectrum or sample with a fit.
    title : see `title_lines`.

    Spec: FIG-2, FIG-5.
    """
    with drawing(8.0) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True)
        draw_thresholds(upper, lower, view)
        set_title(figure, title)
    return figure


def draw_thresholds(upper: Axes, lower: Axes, view: TailView) -> None:
    """Draw KS distances into the upper axes and exponents into the lower, against xmin."""
    scan, fit = view.scan, view.fit
    if scan is None or fit is None:
        return
    label = f"threshold xmin, {quantity(view)}"
    upper.plot(scan.xmin, scan.ks_distance, "-", color=BLUE)
    upper.plot(
        fit.xmin, fit.ks_distance, "D", color=ORANGE, markersize=4.0, label="the fit", zorder=3
    )
    set_axis(upper, "x", "", scan.xmin, log=True)
    set_axis(
        upper, "y", "KS distance D", [0.0, *_usual(scan.ks_distance), fit.ks_distance], length=45.0
    )
    lower.fill_between(
        scan.xmin,
        scan.alpha - scan.stderr,
        scan.alpha + scan.stderr,
        color=LIGHT,
        label="α ± standard error",
    )
    lower.plot(scan.xmin, scan.alpha, "-", color=BLUE)
    lower.plot(fit.xmin, fit.alpha, "D", color=ORANGE, markersize=4.0, zorder=3)
    set_axis(lower, "x", label, scan.xmin, log=True)
    set_axis(lower, "y", "exponent α", [1.0, *_usual(scan.alpha), fit.alpha], length=45.0)
    for axes in (upper, lower):
        axes.axvline(fit.xmin, color=GRAY, linewidth=0.7, zorder=0)
    upper.tick_params(labelbottom=False)
    legend_above(upper)
    legend_above(lower)


def _usual(values: Array) -> Array:
    """Numbers but the few at the upper end that rest on a handful of values."""
    return np.array([values.min(), 1.2 * np.quantile(values, 0.95)])
