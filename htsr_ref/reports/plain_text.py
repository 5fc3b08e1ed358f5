"""Reports as tables for people: as wide as the terminal, whole where there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from htsr_ref.reports.judgments import LEGEND, TEST_HEADER, because, test_rows, verdict_text
from htsr_ref.reports.left_out import skipped_lines, warning_lines
from htsr_ref.reports.markdown import (
    MODEL_HEADER,
    NULL_HEADER,
    convention_text,
    model_rows,
    named_remarks,
    null_rows,
    number,
    phase_text,
)
from htsr_ref.reports.table_columns import (
    DEPTH,
    DROPPED,
    SHOWN,
    Column,
    column_of,
    sorted_layers,
)
from htsr_ref.reports.verdicts import VERDICTS
from htsr_ref.text.layout import Layout
from htsr_ref.text.lines import count
from htsr_ref.text.table import GAP, natural_widths, text_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from htsr_ref.reports.report import LayerReport, Report

SPECTRUM = "spectrum"
"""Name of the column of sparklines."""

NAME_WIDTH = 24
"""Cells that a name or a verdict is granted before a column is left out."""

_COLORS = MappingProxyType(dict(zip(VERDICTS, ("36", "33", "35", "2", "2"), strict=True)))
"""Parameters of the escape sequences for the verdicts: cyan, yellow, magenta, dim."""


@dataclass(frozen=True)
class TableChoices:
    """What a table of a report shows.

    Attributes
    ----------
    columns : names of its columns; empty for those that are shown unless others are asked for.
    sort : "depth", or the column by which rows are sorted, descending after a minus.
    listed : whether everything skipped and every warning gets a line of its own.
    sparks : sparklines of the spectra, by the name of the layer; empty for none.

    Spec: RPT-12.
    """

    columns: tuple[str, ...] = ()
    sort: str = DEPTH
    listed: bool = False
    sparks: Mapping[str, str] = field(default_factory=dict)


def report_table(
    report: Report, layout: Layout | None = None, choices: TableChoices | None = None
) -> str:
    """Lay out a report: a row per layer, the model's numbers, what was skipped, warnings.

    Parameters
    ----------
    report : the report.
    layout : where it goes; whole by default.
    choices : what is shown, and in which order.

    Raises
    ------
    HtsrError
        A column that is asked for does not exist.

    Spec: RPT-12, VRD-8.
    """
    layout, choices = layout or Layout(), choices or TableChoices()
    source = report.source
    pieces = [
        layout.prose(
            [
                f"{source.title}: {source.format}, {count(source.tensors, 'tensor')}; "
                f"convention {convention_text(report.convention)}"
            ]
        )
    ]
    layers = sorted_layers(report.analyzed(), choices.sort)
    columns = _columns(layers, choices)
    if layers:
        table, *reasons = _layer_tables(layers, columns, layout, chosen=bool(choices.columns))
        pieces += [table, _model(report, layout), *reasons]
        for header, rows, right in (
            (TEST_HEADER, test_rows(report), ()),
            (NULL_HEADER, null_rows(report), range(2, 6)),
        ):
            if rows:
                pieces.append(text_table(header, rows, right, flexible=(0, 1), layout=layout))
        titles = {column.title for column in columns}
        pieces.append(layout.prose(text for text in LEGEND if text.split(":")[0] in titles))
    else:
        pieces.append("no weight matrix was analyzed: `htsr describe` says what the file holds")
    pieces += [
        layout.prose(skipped_lines(report, layout, listed=choices.listed)),
        layout.prose(warning_lines(named_remarks(report), layout, listed=choices.listed)),
    ]
    return "\n\n".join(filter(None, pieces)) + "\n"


def _columns(layers: Sequence[LayerReport], choices: TableChoices) -> list[Column]:
    names = list(choices.columns)
    if not names:
        tested = any(matrix.p_value is not None for layer in layers for matrix in layer.matrices)
        names = [*SHOWN[:-1], *(["p_value"] if tested else []), SHOWN[-1]]
    columns = [column_of(name) for name in names]
    if choices.sparks:
        sparks = choices.sparks
        shown = Column(SPECTRUM, SPECTRUM, lambda layer: sparks.get(layer.name, ""), right=False)
        columns.insert(len(columns) - (not choices.columns), shown)
    return columns


def _layer_tables(
    layers: Sequence[LayerReport], columns: Sequence[Column], layout: Layout, *, chosen: bool
) -> list[str]:
    """Lay out the table of layers, and below the others why each has its verdict."""
    shown = list(columns) if chosen else _fitting(layers, columns, layout)
    flexible = [
        i
        for i, column in enumerate(shown)
        if not column.right
        and column.name not in ("shape", SPECTRUM)
        and (i == 0 or column.name != "layer")
    ]
    table = text_table(
        [column.title for column in shown],
        [[column.text(layer) for column in shown] for layer in layers],
        [i for i, column in enumerate(shown) if column.right],
        flexible=flexible,
        layout=layout,
        paint=_paint(layers),
    )
    left = [column.title for column in columns if column not in shown]
    if left:
        table += "\n" + layout.prose(
            [f"not shown in {layout.width} columns: {', '.join(left)}; --columns chooses"]
        )
    reasons = [[layer.name, reason] for layer in layers if (reason := because(layer))]
    if chosen or not reasons:
        return [table]
    header = ("layer", "why it has this verdict")
    return [table, text_table(header, reasons, flexible=(0, 1), layout=layout)]


def _fitting(
    layers: Sequence[LayerReport], columns: Sequence[Column], layout: Layout
) -> list[Column]:
    """Leave out columns until names, verdicts and whole numbers fit."""
    if layout.width is None:
        return list(columns)
    cells = [[column.title for column in columns]]
    cells += [[column.text(layer) for column in columns] for layer in layers]
    widths = {
        column.name: min(width, NAME_WIDTH) if column.name in ("layer", "verdict") else width
        for column, width in zip(columns, natural_widths(cells), strict=True)
    }
    for name in DROPPED:
        if sum(widths.values()) + GAP * (len(widths) - 1) <= layout.width:
            break
        widths.pop(name, None)
    return [column for column in columns if column.name in widths]


def _paint(layers: Sequence[LayerReport]) -> dict[str, str]:
    """Colors of the texts of verdicts; none where matrices of a layer have several."""
    painted = {}
    for layer in layers:
        names = {matrix.verdict.name for matrix in layer.matrices if matrix.verdict is not None}
        if len(names) == 1:
            painted[verdict_text(layer)] = _COLORS[names.pop()]
    return painted


def _model(report: Report, layout: Layout) -> str:
    lines = [text_table(MODEL_HEADER, model_rows(report), right=[1], layout=layout)]
    phases = phase_text(report)
    if phases:
        lines.append(layout.prose([phases]))
    line = report.model.pl_norm_relation
    if line is not None:
        text = (
            f"α·log λmax on log‖W‖F² (pl_norm_relation): slope {number(line.slope)}, "
            f"intercept {number(line.intercept)}, r {number(line.pearson_r)}"
        )
        lines.append(layout.prose([text]))
    return "\n".join(lines)
