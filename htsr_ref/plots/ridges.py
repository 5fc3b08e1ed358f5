"""The spectra of all matrices of a model, one above the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.plots.axes import set_axis, set_title
from htsr_ref.plots.canvas import drawing
from htsr_ref.plots.palette import BLACK, BLUE
from htsr_ref.plots.rows import rows_height, set_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

MOST_RIDGES = 40
"""Spectra that are drawn; of more, evenly spaced ones."""

OVERLAP = 1.6
"""Height of the highest ridge, in rows."""


def ridge_figure(
    names: Sequence[str], spectra: Sequence[NDArray[np.float64]], title: str
) -> Figure:
    """Draw the distribution of the logarithms of each spectrum's eigenvalues, by depth.

    Parameters
    ----------
    names : of the matrices, in the order of the file.
    spectra : of each, (n,) float64, positive eigenvalues.
    title : see `title_lines`.

    Spec: FIG-2, FIG-6.
    """
    chosen = np.unique(
        np.linspace(0, len(names) - 1, min(len(names), MOST_RIDGES)).round().astype(int)
    )
    drawn = [spectra[i] for i in chosen]
    everything = np.concatenate(drawn)
    edges = np.geomspace(0.9 * everything.min(), 1.1 * everything.max(), 81)
    with drawing(rows_height(len(drawn)) + 2.4) as figure:
        axes = figure.subplots()
        set_axis(axes, "x", "eigenvalue λ", everything, log=True, length=110.0)
        set_rows(axes, [names[i] for i in chosen])
        axes.set_ylim(len(drawn) - 0.4, -OVERLAP - 0.2)
        for place, spectrum in enumerate(drawn):
            height = _smoothed(np.histogram(spectrum, edges)[0])
            top = place - OVERLAP * height / height.max()
            middles = np.sqrt(edges[:-1] * edges[1:])
            axes.fill_between(
                middles, top, place, facecolor=BLUE, edgecolor="none", alpha=0.45, zorder=place + 1
            )
            axes.plot(middles, top, "-", color=BLACK, linewidth=0.5, zorder=place + 1)
            largest = spectrum.max()
            axes.plot(largest, place, "|", color=BLACK, markersize=4.0, zorder=place + 1)
        left_out = len(names) - len(drawn)
        more = f"; {left_out} of {len(names)} left out for lack of room" if left_out else ""
        set_title(figure, f"{title}; bar: λmax{more}")
    return figure


def _smoothed(counts: NDArray[np.int_]) -> NDArray[np.float64]:
    """Average counts over five bins, the middle ones most."""
    return np.convolve(counts, np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0, mode="same")
