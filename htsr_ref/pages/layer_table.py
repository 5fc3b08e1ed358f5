"""The table of layers: a row for each name, beside each other where there are several reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from htsr_ref.reports.judgments import verdict_text
from htsr_ref.reports.markdown import number
from htsr_ref.reports.table_columns import sorted_layers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from htsr_ref.reports.report import LayerReport, Report


@dataclass(frozen=True)
class Cell:
    """A cell: its text, and the number that it is sorted by; None sorts numbers last."""

    text: str
    key: float | None = None


@dataclass(frozen=True)
class Column:
    """A column of each report.

    Attributes
    ----------
    title, meaning : what it holds, shortly and in words.
    is_number : whether it is sorted by a number.
    cell : its cell of a layer.
    """

    title: str
    meaning: str
    is_number: bool
    cell: Callable[[LayerReport], Cell]


@dataclass(frozen=True)
class Row:
    """A layer of one or more reports.

    Attributes
    ----------
    name : of the layer.
    verdicts : of its matrices in all reports, each once.
    layers : place by depth among the analyzed layers of each report; None where it is not there.
    cells : of all columns, report after report, then the change.
    """

    name: str
    verdicts: tuple[str, ...]
    layers: tuple[int | None, ...]
    cells: tuple[Cell, ...]


def columns_for(reports: Sequence[Report]) -> tuple[Column, ...]:
    """Choose columns: all of one report, the most important of several.

    Spec: PAG-4, PAG-6.
    """
    if len(reports) == 1:
        return _ALL
    return tuple(column for column in _ALL if column.title in _OF_SEVERAL)


def layer_rows(reports: Sequence[Report]) -> tuple[Row, ...]:
    """Lay out the analyzed layers, those of the first report first.

    Spec: PAG-4, PAG-6.
    """
    columns = columns_for(reports)
    analyzed = [sorted_layers(report.analyzed()) for report in reports]
    places = [
        {(layer.name, count): place for place, (layer, count) in enumerate(_counted(layers))}
        for layers in analyzed
    ]
    keys = dict.fromkeys(key for found in places for key in found)
    return tuple(_row(key, analyzed, [found.get(key) for found in places], columns) for key in keys)


def _counted(layers: Sequence[LayerReport]) -> list[tuple[LayerReport, int]]:
    """Layers, and how many of the same name came before."""
    seen: dict[str, int] = {}
    counted = []
    for layer in layers:
        counted.append((layer, seen.get(layer.name, 0)))
        seen[layer.name] = counted[-1][1] + 1
    return counted


def _row(
    key: tuple[str, int],
    analyzed: Sequence[Sequence[LayerReport]],
    places: Sequence[int | None],
    columns: Sequence[Column],
) -> Row:
    found = [
        None if place is None else layers[place]
        for layers, place in zip(analyzed, places, strict=True)
    ]
    cells = [
        Cell("") if layer is None else column.cell(layer) for layer in found for column in columns
    ]
    if len(found) == 2:
        cells.append(_change(*found))
    verdicts = [
        matrix.verdict.name
        for layer in found
        if layer is not None
        for matrix in layer.matrices
        if matrix.verdict is not None
    ]
    return Row(key[0], tuple(dict.fromkeys(verdicts)), tuple(places), tuple(cells))


def _change(before: LayerReport | None, after: LayerReport | None) -> Cell:
    """Change of alpha from the first report to the second."""
    values = [
        None if layer is None else (layer.means or {}).get("alpha") for layer in (before, after)
    ]
    if values[0] is None or values[1] is None:
        return Cell("–")
    change = values[1] - values[0]
    return Cell(number(change, "+.3f"), change)


def _mean(name: str, spec: str = ".3f") -> Callable[[LayerReport], Cell]:
    def cell(layer: LayerReport) -> Cell:
        value = (layer.means or {}).get(name)
        return Cell(number(value, spec), value)

    return cell


def _size(layer: LayerReport) -> Cell:
    """Sizes of the matrices, sorted by the number of entries."""
    shapes = {(matrix.N, matrix.M) for matrix in layer.matrices}
    rows, columns = max(shapes)
    text, several = f"{rows}×{columns}", len(layer.matrices)
    if several > 1:
        text = f"{several} {'of' if len(shapes) == 1 else 'up to'} {text}"
    return Cell(text, float(rows * columns * several))


def _error(layer: LayerReport) -> Cell:
    value = layer.matrices[0].alpha_stderr if len(layer.matrices) == 1 else None
    return Cell(number(value), value)


def _xi(layer: LayerReport) -> Cell:
    extreme = layer.matrices[0].extreme_value if len(layer.matrices) == 1 else None
    value = None if extreme is None else extreme.xi
    return Cell(number(value, ".2f"), value)


_ALL = (
    Column("N×M", "size of the matrices", True, _size),
    Column("verdict", "is there a power law?", False, lambda layer: Cell(verdict_text(layer))),
    Column("α", "exponent of the power law", True, _mean("alpha")),
    Column("±", "standard error of α, xmin taken as known", True, _error),
    Column("D", "KS distance of the tail from the power law", True, _mean("ks_distance")),
    Column("tail", "eigenvalues from xmin up", True, _mean("tail_size", ".0f")),
    Column("α·log λmax", "what α̂ is the mean of", True, _mean("weighted_alpha")),
    Column("log‖W‖F", "log10 of the Frobenius norm", True, _mean("log10_frobenius_norm")),
    Column("stable rank", "‖W‖F²/‖W‖₂²", True, _mean("stable_rank", ".1f")),
    Column("ξ", "extreme-value index: above 0 a heavy tail, below 0 an edge", True, _xi),
)
_OF_SEVERAL = ("verdict", "α", "±", "α·log λmax")
