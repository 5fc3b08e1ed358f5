"""Figures that notebooks show; imported where matplotlib is known to be there."""

from io import BytesIO

from matplotlib.figure import Figure


class ShownFigure(Figure):
    """A figure that a notebook shows as it is, whether or not pyplot is set up there."""

    def to_png(self) -> bytes:
        """Draw as PNG, 200 dpi.

        Spec: FIG-9.
        """
        stream = BytesIO()
        self.savefig(stream, format="png", dpi=200)
        return stream.getvalue()

    _repr_png_ = to_png
