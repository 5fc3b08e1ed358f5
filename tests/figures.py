"""What the tests of figures measure: boxes of texts, and what figures say."""

from itertools import combinations

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

HOSTILE = (
    "$\\alpha$",
    "$\\input{/etc/passwd}$ \\undefined",
    "two\nlines\r\nand\ttabs",
    "\u202eright to left",
    "bell\x07escape\x1b[31m",
    "x" * 5000,
    "中文层",
    "e\u0301\u0302\u0303\u0304",
    "_hidden",
    "<b>&amp;\"'",
    "\U0001f600\ud800",
    "$",
)
"""Names that strangers could give."""


def texts_of(figure: Figure) -> list[str]:
    """All texts of a figure that show."""
    return [text.get_text() for text in visible_texts(figure)]


def visible_texts(figure: Figure) -> list[Text]:
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and is_drawn(text)
    ]


def is_drawn(text: Text) -> bool:
    """Whether a text is not a tick's label that its axes hide."""
    axes = text.axes
    if axes is None:
        return True
    for axis in (axes.xaxis, axes.yaxis):
        for tick in axis.get_major_ticks():
            if text is tick.label2:
                return False
            if text is tick.label1:
                return tick.label1.get_visible()
    return True


def box_of(text: Text, renderer: RendererAgg) -> Bbox:
    """Box of a text, without the line that may lead to it."""
    if isinstance(text, Annotation):
        text.update_positions(renderer)
    return Text.get_window_extent(text, renderer)


def _drawn(figure: Figure) -> RendererAgg:
    """The renderer that a figure has been drawn with: legends find their places then."""
    figure.draw_without_rendering()
    return figure.canvas.get_renderer()


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes, as the Agg renderer measures them, have a point in common."""
    renderer = _drawn(figure)
    boxes = [(text.get_text(), box_of(text, renderer)) for text in visible_texts(figure)]
    return [(a, b) for (a, box), (b, other) in combinations(boxes, 2) if box.overlaps(other)]


def outside(figure: Figure) -> list[str]:
    """Texts that the figure cuts off, by more than a point."""
    renderer = _drawn(figure)
    pixel = figure.dpi / 72
    width, height = figure.bbox.width, figure.bbox.height
    found = []
    for text in visible_texts(figure):
        box = box_of(text, renderer)
        if min(box.x0, box.y0, width - box.x1, height - box.y1) < -pixel:
            found.append(text.get_text())
    return found
