"""The forms that a report is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from htsr_ref.reports.columns import weightwatcher_csv

if TYPE_CHECKING:
    from htsr_ref.reports.report import Per, Report

Form = Literal["table", "json", "csv", "markdown"]
Columns = Literal["own", "weightwatcher"]


def written(report: Report, form: Form, per: Per = "matrix", columns: Columns = "own") -> str:
    """Write a report in a form.

    Parameters
    ----------
    report : the report.
    form : "table" for people, "json", "csv" or "markdown".
    per : rows of the CSV with our columns.
    columns : names of the CSV's columns.

    Spec: RPT-1, RPT-6, RPT-8.
    """
    if form == "json":
        return report.to_json()
    if form == "markdown":
        return report.to_markdown()
    if form == "csv":
        return weightwatcher_csv(report) if columns == "weightwatcher" else report.to_csv(per)
    return str(report)
