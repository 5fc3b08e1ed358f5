"""Figures that notebooks show; imported where matplotlib is known to be there."""

from io import BytesIO

from matplotlib.figure import Figure


def png_of(figure: Figure) -> bytes:
    """Draw a figure as PNG, 200 dpi.

    Spec: FIG-9.
    """
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=200)
    return stream.getvalue()


class ShownFigure(Figure):
    """A figure that a notebook shows as it is, whether or not pyplot is set up there."""

    _repr_png_ = png_of
