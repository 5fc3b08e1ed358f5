"""What several figures of a report have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from htsr_ref.plots.names import title_lines
from htsr_ref.reports.markdown import convention_text

if TYPE_CHECKING:
    from htsr_ref.reports.report import LayerReport, MatrixReport, Report


@dataclass(frozen=True)
class Row:
    """A matrix of a report, its name and that of its layer."""

    name: str
    layer: str
    matrix: MatrixReport


def matrix_rows(report: Report) -> list[Row]:
    """Name every analyzed matrix of a report, in the order of the file."""
    return [
        Row(matrix_name(layer, matrix), layer.name, matrix)
        for layer in report.layers
        for matrix in layer.matrices
    ]


def matrix_name(layer: LayerReport, matrix: MatrixReport) -> str:
    """Name a matrix: that of its layer, with its own label if it has one."""
    return f"{layer.name} {matrix.label}".rstrip()


def report_title(report: Report, what: str) -> str:
    """Make the title of a figure that shows something of a whole report.

    Spec: FIG-2.
    """
    return title_lines(
        report.source.title, f"{what}; convention {convention_text(report.convention)}"
    )
