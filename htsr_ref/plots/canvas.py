"""Empty figures in one style, and figures as files."""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import HtsrError
from htsr_ref.weights.outputs import writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from matplotlib.figure import Figure

WIDTH = 8.0
"""Width of every figure, cm: a column of a page."""

TEXT_SIZE = 7.0
"""Size of all text, points."""

FORMS = ("png", "svg", "pdf")
"""Formats that figures are written in."""

_STYLE: Mapping[str, Any] = {
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    "font.size": TEXT_SIZE,
    "axes.labelsize": TEXT_SIZE,
    "legend.fontsize": TEXT_SIZE,
    "xtick.labelsize": TEXT_SIZE,
    "ytick.labelsize": TEXT_SIZE,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.0,
    "svg.hashsalt": "htsr-ref",
}
_METADATA: Mapping[str, dict[str, Any]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


def require_matplotlib() -> None:
    """Refuse to draw without matplotlib.

    Raises
    ------
    HtsrError
        matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401 - to see whether it is there
    except ImportError as error:
        raise HtsrError("plots need matplotlib: pip install 'htsr-ref[plot]'") from error


@contextmanager
def _style() -> Iterator[None]:
    """Follow our style and matplotlib's defaults, whatever the user's settings are, for a while."""
    require_matplotlib()
    from matplotlib import style

    with style.context(["default", dict(_STYLE)]):
        yield


@contextmanager
def drawing(height: float, width: float = WIDTH) -> Iterator[Figure]:
    """Make an empty figure that needs no display, and lay it out once it is drawn.

    Parameters
    ----------
    height, width : in cm.

    Raises
    ------
    HtsrError
        matplotlib is not installed.

    Spec: FIG-1.
    """
    with _style():
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        from htsr_ref.plots.shown import ShownFigure

        figure = ShownFigure(figsize=(width / 2.54, height / 2.54), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        lay_out(figure)
        # Ticks and texts now have our style, and places, wherever the figure is drawn again.
        figure.set_layout_engine("none")


def lay_out(figure: Figure) -> None:
    """Give everything in a figure its place."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def check_form(path: Path) -> str:
    """Format of a figure's file, by its suffix; PNG without one.

    Raises
    ------
    HtsrError
        The suffix is not a format of figures.
    """
    form = path.suffix.lstrip(".").lower() or "png"
    if form not in FORMS:
        raise HtsrError(f"{path}: write figures to .png, .svg or .pdf")
    return form


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure in the format of the path's suffix; the same figure gives the same bytes.

    Raises
    ------
    HtsrError
        The suffix is not a format of figures.
    OutputError
        The file cannot be written.

    Spec: FIG-1.
    """
    form, drawn = check_form(path), BytesIO()
    with _style():
        figure.savefig(drawn, format=form, dpi=300, metadata=_METADATA[form])
    with writing(path) as output:
        output.write(drawn.getbuffer())
