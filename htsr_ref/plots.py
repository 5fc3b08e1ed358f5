"""Figures; needs matplotlib (the extra `plot`), imported on demand. Computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from htsr_ref.sample_report import SampleReport

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
    x = np.sort(sample)
    share = np.arange(x.size, 0, -1) / x.size
    ends = np.array([report.xmin, x[-1]])
    tail_share = report.tail_size / report.sample_size

    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    axes.loglog(x, share, ".", color=BLUE, markersize=4, label=f"{x.size} values")
    axes.loglog(
        ends,
        tail_share * (ends / report.xmin) ** (1.0 - report.alpha),
        color=ORANGE,
        label=f"power law, α = {report.alpha:.3f} ± {report.alpha_stderr:.3f}",
    )
    axes.axvline(
        report.xmin,
        color="0.6",
        linestyle=":",
        label=f"xmin = {report.xmin:.4g}, tail of {report.tail_size}, D = {report.ks_distance:.3f}",
    )
    axes.set_xlabel("x")
    axes.set_ylabel("share of values ≥ x")
    axes.set_title(report.name, fontsize="medium")
    axes.legend(frameon=False, fontsize="small", loc="lower left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure in the format of the path's suffix; the same figure gives the same bytes.

    Raises
    ------
    HtsrError
        The suffix is not a format of figures.
    """
    from matplotlib import rc_context

    form = path.suffix.lstrip(".") or "png"
    if form not in figure.canvas.get_supported_filetypes():
        raise HtsrError(f"{path}: write figures to .png, .svg or .pdf")
    metadata = {"Date": None} if form == "svg" else None
    with rc_context({"svg.hashsalt": "htsr-ref"}):
        figure.savefig(path, format=form, dpi=150, metadata=metadata)
