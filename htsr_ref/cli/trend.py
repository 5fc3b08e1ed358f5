"""`htsr trend`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from htsr_ref.cli import loading, options, output
from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from collections.abc import Callable

    from htsr_ref.models.rank_correlation import Correlation
    from htsr_ref.models.trend_report import TrendReport
    from htsr_ref.models.trends import Series, Trend

EPILOG = "Example: htsr trend spec/examples/mlp_*.safetensors --accuracy spec/examples/accuracy.csv"


def trend(
    files: loading.FilesArgument,
    accuracy: Annotated[
        Path,
        typer.Option(
            "--accuracy",
            metavar="CSV",
            help="Table with a column model (or file), naming files with or without suffix, a "
            "column accuracy (or test_accuracy) and, for several series, a column series.",
        ),
    ],
    column: Annotated[
        str | None,
        typer.Option("--column", metavar="NAME", help="Column that holds the accuracies."),
    ] = None,
    layers: options.LayersOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    convention: loading.ConventionOption = None,
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
    resamples: Annotated[
        int, typer.Option("--bootstrap", metavar="N", min=100, help="Resamples for R²'s interval.")
    ] = 2000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the resampling.")] = 0,
    json: options.JsonOption = False,
    csv: options.CsvOption = False,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="PATH", help="Draw accuracy against each metric."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Write there instead of to standard output; .json and .csv choose the form.",
        ),
    ] = None,
) -> None:
    """Regress accuracy on each metric over a series of models.

    The theory says: within a series of one architecture trained on the same data, the smaller the
    metric, the higher the accuracy. The slopes should be negative.
    """
    form = output.choose_form(json, csv, False, out)
    if form == "markdown":
        raise HtsrError(f"{out}: a trend is a table, JSON or CSV")
    output.check_writable(out, *files, accuracy, layers, convention)
    output.check_figure(plot, *files, accuracy, layers, convention)

    from htsr_ref.models.accuracies import match_files, read_accuracies
    from htsr_ref.models.trend_report import trend_report

    rows = read_accuracies(accuracy, column)
    asked = loading.Asked.of(convention, set_, layers, (include, exclude), solver)
    loaded = loading.load_reports(files, asked)
    matched = match_files([(file, report.source.name) for file, report in loaded.reports], rows)
    reports = loaded.named()
    for report, row in zip(reports, matched, strict=True):
        if row is None:
            output.fail(f"left out: {report.source.name}: no row of {accuracy} has this name")
    for row in rows:
        if row not in matched:
            output.fail(f"left out: row {row.name} of {accuracy}: no given file has this name")
    models = [(report, row) for report, row in zip(reports, matched, strict=True) if row]
    if models:
        found = trend_report(models, resamples=resamples, seed=seed)
        if plot is not None:
            from htsr_ref.plots import save_figure, title_lines, trend_figure
            from htsr_ref.reports.markdown import convention_text

            title = title_lines(
                f"accuracy of {output.count(len(models), 'model')}, {accuracy.name}",
                f"convention {convention_text(found.convention)}",
            )
            save_figure(trend_figure(found.series, title), plot)
        forms = {"json": found.to_json, "csv": found.to_csv}
        output.emit(forms.get(form, lambda: _table(found))(), out)
    elif reports:
        raise HtsrError(f"{accuracy}: no row has the name of a file. Name rows after the files")
    code = loaded.exit_code()
    if code:
        raise typer.Exit(code)


_HEADER = ("alpha_hat", "alpha", "log‖W‖F", "log‖W‖₂", "log α-norm")


def _table(report: "TrendReport") -> str:
    from htsr_ref.reports.markdown import convention_text

    return (
        "\n\n".join(map(_series_table, report.series))
        + "\n\nThe theory wants slopes below 0: the smaller a metric, the higher the accuracy.\n"
        "p: share of all orders of the models that correlate as much (≈: approximated).\n"
        f"Intervals of R² are from {report.resamples} resamples of the models.\n"
        f"Convention {convention_text(report.convention)}.\n"
    )


def _series_table(series: "Series") -> str:
    from htsr_ref.cli.tables import text_table

    trends = list(series.trends.values())
    rows = [[label, *map(cell, trends)] for label, cell in _ROWS]
    reasons = {reason for trend in trends for reason in trend.null_reasons.values()}
    heading = f"{output.one_line(series.name)}: {output.count(len(series.models), 'model')}"
    table = text_table([heading, *_HEADER], rows, range(1, 6))
    return "\n".join([table, *(f"–: {reason}" for reason in sorted(reasons))])


def _number(value: float | None) -> str:
    from htsr_ref.reports.markdown import number

    return number(value, ".3g")


def _range(ends: tuple[float, float] | None) -> str:
    return _number(None) if ends is None else f"{_number(ends[0])} … {_number(ends[1])}"


def _value(correlation: "Correlation | None") -> str:
    return _number(None if correlation is None else correlation.value)


def _p_value(correlation: "Correlation | None") -> str:
    if correlation is None:
        return _number(None)
    about = "≈" if correlation.method == "asymptotic" else ""
    return about + _number(correlation.p_value)


def _yes(value: bool | None) -> str:
    return _number(None) if value is None else "yes" if value else "no"


_ROWS: tuple[tuple[str, "Callable[[Trend], str]"], ...] = (
    ("models", lambda trend: str(trend.models)),
    ("slope", lambda trend: _number(trend.slope)),
    ("  one left out", lambda trend: _range(trend.slope_range)),
    ("  below 0", lambda trend: _yes(trend.as_expected)),
    ("intercept", lambda trend: _number(trend.intercept)),
    ("R²", lambda trend: _number(trend.r_squared)),
    ("  95 % interval", lambda trend: _range(trend.r_squared_ci95)),
    ("RMSE", lambda trend: _number(trend.rmse)),
    ("Kendall τ-b", lambda trend: _value(trend.kendall)),
    ("  p", lambda trend: _p_value(trend.kendall)),
    ("  one left out", lambda trend: _range(trend.kendall_range)),
    ("Spearman ρ", lambda trend: _value(trend.spearman)),
    ("  p", lambda trend: _p_value(trend.spearman)),
)
