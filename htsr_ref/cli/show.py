"""`htsr show`."""

from typing import Annotated

import typer

from htsr_ref.cli import options, output

EPILOG = "Example: htsr show saved.json --csv"


def show(
    report: Annotated[
        str, typer.Argument(metavar="REPORT.json", help="A JSON report of `htsr analyze`.")
    ],
    json: options.JsonOption = False,
    csv: options.CsvOption = False,
    markdown: options.MarkdownOption = False,
    per: options.PerOption = None,
    columns: options.ColumnsOption = "own",
    sort: options.SortOption = "depth",
    skipped: options.SkippedOption = False,
    out: options.OutputOption = None,
    fail_if: options.FailIfOption = None,
    quiet: options.QuietOption = False,
) -> None:
    """Print a saved report as a table, or in any other form; nothing is computed again."""
    form = output.choose_form(json, csv, markdown, out)
    options.check_columns(form, per, columns)
    output.check_writable(out, report)

    from htsr_ref.cli.tabulating import report_text
    from htsr_ref.reports.report import Report

    found = Report.load(report)
    failures = found.failures(fail_if or [])
    text = report_text(found, form, per, columns, out, sort=sort, listed=skipped)
    output.emit(text, out)
    for failure in failures:
        output.fail(f"check failed: {failure}")
    if failures:
        raise typer.Exit(1)
