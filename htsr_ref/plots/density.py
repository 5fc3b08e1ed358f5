"""The density of a spectrum or sample, with its bulk, the edge, spikes, xmin and the law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.plots.axes import legend_above, set_axis, set_title
from htsr_ref.plots.canvas import drawing
from htsr_ref.plots.fit_marks import GRID, draw_xmin, fit_label, noun, quantity, share_above
from htsr_ref.plots.palette import BLACK, BLUE, LAWS, LIGHT, PURPLE
from htsr_ref.plots.thinning import top_heavy
from htsr_ref.randommatrix.bulk import KS_LEVEL
from htsr_ref.randommatrix.marchenko_pastur import MarchenkoPastur
from htsr_ref.randommatrix.tracy_widom import largest_eigenvalue

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from htsr_ref.analysis.tail_view import TailView
    from htsr_ref.randommatrix.bulk import BulkFit

    Array = NDArray[np.float64]

FARTHEST = 2.5
"""How many times as far as the bulk, or as nine of ten values, a linear axis reaches."""


def density_figure(view: TailView, title: str, *, log: bool = True) -> Figure:
    """Draw the density of a spectrum with its bulk, the edge, the spikes, xmin and the fitted law.

    Parameters
    ----------
    view : the spectrum, or any sample.
    title : see `title_lines`.
    log : whether both axes are logarithmic; a linear one may leave out the largest values, and
        says how many.

    Spec: FIG-2, FIG-5.
    """
    with drawing(7.6) as figure:
        draw_density(figure.subplots(), view, log=log)
        set_title(figure, title)
    return figure


def draw_density(axes: Axes, view: TailView, *, log: bool = True) -> None:
    """Draw the density of a spectrum or sample into axes."""
    values = view.values
    end = float(values[-1]) if log else _linear_end(view)
    edges = bins(values[values <= end], log=log)
    counts, _ = np.histogram(values, edges)
    density = counts / (values.size * np.diff(edges))
    there = counts > 0
    zeros = f", {view.num_zero} zeros left out" if view.num_zero else ""
    beyond = values.size - int(counts.sum())
    more = f", {beyond} above {end:.3g}" if beyond else ""
    label = f"{values.size} {noun(view)}{zeros}{more}"
    if log:
        middles = np.sqrt(edges[:-1] * edges[1:])
        axes.plot(middles[there], density[there], "o", color=BLUE, label=label)
    else:
        axes.stairs(density, edges, fill=True, color=BLUE, alpha=0.35, label=label)
    set_axis(axes, "x", quantity(view), [edges[0] if log else 0.0, end], log=log)
    top = float(density.max())
    # The lowest tenth is for the marks of the spikes.
    low = 0.5 * float(density[there].min()) if log else 0.0
    set_axis(axes, "y", "density", [low, 1.3 * top], log=log)
    if view.bulk is not None and view.N is not None:
        _draw_bulk(axes, view.bulk, view.N, values, log=log)
    if view.fit is not None:
        x = np.geomspace(view.fit.xmin, min(view.fit.xmax or end, end), GRID)
        if x[-1] > x[0]:
            share = share_above(values, view.fit.xmin)
            color, dashes = LAWS["power_law"]
            label = fit_label(view.fit)
            law = share * np.exp(view.fit.law.logpdf(x))
            axes.plot(x, law, color=color, linestyle=dashes, label=label, scaley=False)
        draw_xmin(axes, view.fit)
    legend_above(axes)


def _draw_bulk(axes: Axes, bulk: BulkFit, N: int, values: Array, *, log: bool) -> None:
    """Draw the Marchenko-Pastur law, its edge, and the spikes above it."""
    law = MarchenkoPastur(bulk.Q, bulk.variance)
    first = max(law.lambda_minus, float(values[0]) if log else 0.0)
    if first < law.lambda_plus:
        # Fine at both edges, where the density changes fast.
        steps = np.sin(np.linspace(0.0, 0.5 * np.pi, GRID)) ** 2
        x = (
            first * (law.lambda_plus / first) ** steps
            if log
            else first + steps * (law.lambda_plus - first)
        )
        density = np.diff(law.cdf(x)) / np.diff(x) * bulk.bulk_size / values.size
        middles = 0.5 * (x[:-1] + x[1:])
        axes.plot(
            middles,
            density,
            color=BLACK,
            linestyle="--",
            label="Marchenko-Pastur bulk",
            scaley=False,
        )
    noise = largest_eigenvalue(N - bulk.num_spikes, bulk.bulk_size, bulk.variance)
    axes.axvspan(
        noise.upper_quantile(1.0 - KS_LEVEL),
        noise.upper_quantile(KS_LEVEL),
        color=LIGHT,
        zorder=0,
        label="edge ± Tracy-Widom",
    )
    spikes = values[values > bulk.edge]
    if spikes.size:
        spikes = spikes[top_heavy(spikes.size)]
        axes.plot(
            spikes,
            np.full(spikes.size, 0.04),
            "|",
            color=PURPLE,
            markersize=6.0,
            transform=axes.get_xaxis_transform(),
            label=f"{bulk.num_spikes} above the edge",
        )


def bins(values: Array, *, log: bool) -> Array:
    """Edges of bins, the fewer the smaller the sample.

    Parameters
    ----------
    values : (n,) float64, ascending, positive.
    log : whether bins have equal ratios, or equal widths.

    Spec: FIG-5.
    """
    count = int(np.clip(1.5 * np.sqrt(values.size), 8, 50))
    low, high = float(values[0]), float(values[-1])
    # Bins of equal values, or nearly so, still have a width.
    ends = (low, high) if high > low * (1.0 + 1e-6) else (0.95 * low, 1.05 * high)
    return np.geomspace(*ends, count + 1) if log else np.linspace(*ends, count + 1)


def _linear_end(view: TailView) -> float:
    """Where a linear axis ends: heavy tails would leave nothing of the bulk to see."""
    last = float(view.values[-1])
    usual = float(np.quantile(view.values, 0.9))
    bulk = 0.0 if view.bulk is None else view.bulk.lambda_plus
    end = FARTHEST * max(usual, bulk)
    # One value more or less beyond is not worth an axis that ends before the last.
    return last if last <= 1.5 * end else end
