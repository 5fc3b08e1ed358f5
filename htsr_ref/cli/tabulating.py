"""The table of a report on standard output or in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.reports.forms import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from htsr_ref.cli.output import Form
    from htsr_ref.reports.report import Per, Report
    from htsr_ref.text.layout import Layout


def report_text(
    report: Report,
    form: Form,
    per: Per | None,
    columns: str,
    out: Path | None,
    *,
    sort: str,
    listed: bool,
    sparks: Mapping[str, str] | None = None,
) -> Iterable[str]:
    """Write a report in a form, piece by piece; the table as the options ask for it.

    Spec: RPT-12.
    """
    if form != "table":
        return written(
            report, form, per or "matrix", "weightwatcher" if columns == "weightwatcher" else "own"
        )
    from htsr_ref.reports.plain_text import TableChoices, report_table

    chosen = TableChoices(names_of(columns), sort, listed, sparks or {})
    return [report_table(report, layout_of(out), chosen)]


def names_of(columns: str | None) -> tuple[str, ...]:
    """Names in a list of columns; none for "own" and for no list."""
    if columns in (None, "own"):
        return ()
    return tuple(name.strip() for name in columns.split(",") if name.strip())


def layout_of(out: Path | None) -> Layout:
    """Layout for where the text goes: whole in a file."""
    from htsr_ref.text.layout import Layout

    return Layout.here() if out is None else Layout()
