"""Figures; needs matplotlib (the extra `plot`), imported on demand. Computes nothing."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.errors import HtsrError
from htsr_ref.weights.outputs import writing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from htsr_ref.models.trends import Series
    from htsr_ref.samples.sample_report import SampleReport

BLUE, ORANGE = "#1f5fa8", "#d1600a"


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure that needs no display.

    Raises
    ------
    HtsrError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise HtsrError("plots need matplotlib: pip install 'htsr-ref[plot]'") from error
    return Figure(figsize=(width, height), layout="constrained")


def survival_figure(sample: NDArray[np.float64], report: SampleReport) -> Figure:
    """Draw the share of values at or above each value, and the fitted power law over its tail.

    Parameters
    ----------
    sample : (n,) float64, positive.
    report : what was found in it.

    Spec: PL-17.
    """
    x, fit = np.sort(sample), report.fit
    share = np.arange(x.size, 0, -1) / x.size
    ends = np.array([fit.xmin, x[-1]])
    tail_share = fit.tail_size / report.sample_size

    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    axes.loglog(x, share, ".", color=BLUE, markersize=4, label=f"{x.size} values")
    axes.loglog(
        ends,
        tail_share * (ends / fit.xmin) ** (1.0 - fit.alpha),
        color=ORANGE,
        label=f"power law, α = {fit.alpha:.3f} ± {fit.stderr:.3f}",
    )
    axes.axvline(
        fit.xmin,
        color="0.6",
        linestyle=":",
        label=f"xmin = {fit.xmin:.4g}, tail of {fit.tail_size}, D = {fit.ks_distance:.3f}",
    )
    axes.set_xlabel("x")
    axes.set_ylabel("share of values ≥ x")
    axes.set_title(report.name, fontsize="medium")
    axes.legend(frameon=False, fontsize="small", loc="lower left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def trend_figure(found: Sequence[Series]) -> Figure:
    """Draw accuracy against each metric, with the least-squares line of each series.

    Parameters
    ----------
    found : at least one series.

    Spec: TRD-12.
    """
    figure = new_figure(9.6, 6.0)
    *panels, corner = figure.subplots(2, 3, sharey=True).flat
    for axes, metric in zip(panels, found[0].trends, strict=True):
        for place, series in enumerate(found):
            _draw_trend(axes, series, metric, f"C{place % 10}")
        axes.set_xlabel(metric)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in (panels[0], panels[3]):
        axes.set_ylabel("accuracy")
    corner.axis("off")
    handles = panels[0].get_legend_handles_labels()
    corner.legend(*handles, frameon=False, fontsize="small", loc="center")
    return figure


def _draw_trend(axes: Axes, series: Series, metric: str, color: str) -> None:
    values = [(model.metrics[metric], model.accuracy) for model in series.models]
    x, y = np.array([pair for pair in values if pair[0] is not None], float).reshape(-1, 2).T
    axes.plot(x, y, "o", color=color, markersize=4, label=series.name)
    trend = series.trends[metric]
    if trend.slope is not None and trend.intercept is not None:
        ends = np.array([x.min(), x.max()])
        axes.plot(ends, trend.intercept + trend.slope * ends, color=color, linewidth=1)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure in the format of the path's suffix; the same figure gives the same bytes.

    Raises
    ------
    HtsrError
        The suffix is not a format of figures.
    OutputError
        The file cannot be written.
    """
    from matplotlib import rc_context

    form = path.suffix.lstrip(".") or "png"
    if form not in figure.canvas.get_supported_filetypes():
        raise HtsrError(f"{path}: write figures to .png, .svg or .pdf")
    drawn = BytesIO()
    metadata = {"Date": None} if form == "svg" else None
    with rc_context({"svg.hashsalt": "htsr-ref"}):
        figure.savefig(drawn, format=form, dpi=150, metadata=metadata)
    with writing(path) as output:
        output.write(drawn.getbuffer())
