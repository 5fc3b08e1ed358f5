"""`htsr merge`."""

from typing import Annotated

import typer

from htsr_ref.cli import options, output

EPILOG = "Example: htsr merge model.1.part model.2.part -o report.json"


def merge(
    parts: Annotated[
        list[str],
        typer.Argument(metavar="PART", help="The files that `htsr analyze --part i/n` wrote."),
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
    allow_skipped: options.AllowSkippedOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Put the parts of an analysis together: the report is that of an undivided run.

    The weights are not read again, and need not be there.
    """
    form = output.choose_form(json, csv, markdown, out)
    options.check_columns(form, per, columns)
    output.check_writable(out, *parts)

    from htsr_ref.analysis.parts import merge as run
    from htsr_ref.cli.failures import exit_code, failures_of
    from htsr_ref.cli.tabulating import report_text
    from htsr_ref.reports.gates import parse_gate

    gates = [parse_gate(text) for text in fail_if or []]
    report = run(parts)
    output.emit(report_text(report, form, per, columns, out, sort=sort, listed=skipped), out)
    failures = failures_of(report, gates, allow_skipped=allow_skipped)
    code = exit_code(report.source.name, report, failures)
    if code:
        raise typer.Exit(code)
