"""Tables of plain text: names are shortened, sentences wrapped, numbers left as they are."""

from __future__ import annotations

from itertools import zip_longest
from types import MappingProxyType
from typing import TYPE_CHECKING

from htsr_ref.text.apart import told_apart
from htsr_ref.text.cells import cell_width, filled, printed, wrapped
from htsr_ref.text.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GAP = 2
"""Blanks between columns."""

LEAST = 12
"""Cells below which no column gives way."""

MOST_FILLED = 200
"""Cells to which a column is filled up where nothing is cut; longer cells stand out."""

_UNPAINTED: Mapping[str, str] = MappingProxyType({})


def text_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[int] = (),
    flexible: Sequence[int] = (0,),
    layout: Layout | None = None,
    paint: Mapping[str, str] = _UNPAINTED,
) -> str:
    """Lay out a table.

    Parameters
    ----------
    header, rows : the cells; those of the first column are names.
    right : columns aligned right; the others are aligned left.
    flexible : columns that give way, widest first: the first is shortened, others are wrapped.
    layout : the width to which they do, and whether to paint; `Layout()` by default.
    paint : parameters of the escape sequence for cells that hold these texts.

    >>> print(text_table(["a", "n"], [["x", "10"]], right=[1]))
    a   n
    ─────
    x  10
    """
    layout = layout or Layout()
    names = told_apart([row[0] for row in rows])
    cells = [list(map(printed, header))]
    cells += [[name, *map(printed, row[1:])] for name, row in zip(names, rows, strict=True)]
    widths = _widths(cells, flexible, layout.width)
    if 0 in flexible and layout.width is not None:
        shortened = told_apart([row[0] for row in rows], widths[0])
        for cell_row, name in zip(cells[1:], shortened, strict=True):
            cell_row[0] = name
        widths[0] = max(widths[0], max(map(cell_width, shortened), default=0))
    painted = paint if layout.color else _UNPAINTED
    wraps = [i for i in flexible if i and layout.width is not None]
    lines = [_lines(row, widths, right, wraps, painted) for row in cells]
    rule = "─" * (sum(widths) + GAP * (len(widths) - 1))
    return "\n".join([*lines[0], rule, *(line for found in lines[1:] for line in found)])


def natural_widths(cells: Sequence[Sequence[str]]) -> list[int]:
    """Count the cells that each column of a table takes, if nothing gives way."""
    return [max(map(cell_width, column)) for column in zip(*cells, strict=True)]


def _widths(
    cells: Sequence[Sequence[str]], flexible: Sequence[int], width: int | None
) -> list[int]:
    if width is None:
        return [min(MOST_FILLED, found) for found in natural_widths(cells)]
    widths = natural_widths(cells)
    for i in flexible:
        widths[i] = min(widths[i], width)
    least = [min(LEAST, found) for found in widths]
    while sum(widths) + GAP * (len(widths) - 1) > width:
        able = [i for i in flexible if widths[i] > least[i]]
        if not able:
            break
        widths[max(able, key=widths.__getitem__)] -= 1
    return widths


def _lines(
    row: Sequence[str],
    widths: Sequence[int],
    right: Sequence[int],
    wraps: Sequence[int],
    paint: Mapping[str, str],
) -> list[str]:
    """Lines of a row: as many as its longest cell takes."""
    parts = [
        wrapped(cell, width) if i in wraps else [cell]
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    lines = []
    for texts in zip_longest(*parts, fillvalue=""):
        shown = (
            _painted(filled(text, width, i in right), cell, paint)
            for i, (text, width, cell) in enumerate(zip(texts, widths, row, strict=True))
        )
        lines.append((" " * GAP).join(shown).rstrip())
    return lines


def _painted(text: str, cell: str, paint: Mapping[str, str]) -> str:
    """Paint what is not blank of a part of a cell."""
    if cell not in paint or not text.strip():
        return text
    inner = text.rstrip()
    return f"\x1b[{paint[cell]}m{inner}\x1b[0m{text[len(inner) :]}"
