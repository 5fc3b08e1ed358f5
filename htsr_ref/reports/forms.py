"""The forms that a report is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from htsr_ref.reports.columns import weightwatcher_lines
from htsr_ref.reports.rows import report_rows, row_columns
from htsr_ref.text.csvtext import csv_lines
from htsr_ref.text.strictjson import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from htsr_ref.reports.report import Per, Report

Form = Literal["table", "json", "csv", "markdown"]
Columns = Literal["own", "weightwatcher"]


def written(
    report: Report, form: Form, per: Per = "matrix", columns: Columns = "own"
) -> Iterable[str]:
    """Write a report in a form, piece by piece, so that a long one is not held as one text.

    Parameters
    ----------
    report : the report.
    form : "table" for people, "json", "csv" or "markdown".
    per : rows of the CSV with our columns.
    columns : names of the CSV's columns.

    Spec: RPT-1, RPT-6, RPT-8.
    """
    if form == "json":
        return pieces(report)
    if form == "markdown":
        return [report.to_markdown()]
    if form == "csv" and columns == "weightwatcher":
        return weightwatcher_lines(report)
    if form == "csv":
        return csv_lines(row_columns(per), report_rows(report, per))
    return [str(report)]
