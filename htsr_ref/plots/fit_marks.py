"""What several figures of a spectrum or sample have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.plots.palette import GRAY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from htsr_ref.analysis.tail_view import TailView
    from htsr_ref.powerlaw.tail_fit import TailFit

GRID = 200
"""Points of a curve."""


def share_above(values: NDArray[np.float64], xmin: float) -> float:
    """Share of ascending values at or above a threshold."""
    return 1.0 - float(np.searchsorted(values, xmin)) / values.size


def draw_xmin(axes: Axes, fit: TailFit[Any]) -> None:
    """Draw where the fitted tail begins."""
    label = f"xmin = {fit.xmin:.3g}, tail of {fit.tail_size}"
    axes.axvline(fit.xmin, color=GRAY, linewidth=0.7, zorder=0, label=label)


def fit_label(fit: TailFit[Any]) -> str:
    """Name the fitted law with its numbers."""
    return f"power law, α = {fit.alpha:.2f} ± {fit.stderr:.2f}, D = {fit.ks_distance:.3f}"


def noun(view: TailView) -> str:
    """Name the values."""
    return "values" if view.N is None else "eigenvalues"


def symbol(view: TailView) -> str:
    """Name one value by a letter."""
    return "x" if view.N is None else "λ"


def quantity(view: TailView) -> str:
    """Name the quantity, as an axis does."""
    return "value x" if view.N is None else "eigenvalue λ"
