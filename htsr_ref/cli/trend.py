"""`htsr trend`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from htsr_ref.cli import loading, options, output
from htsr_ref.cli.sources import each_once
from htsr_ref.errors import HtsrError
from htsr_ref.text.lines import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htsr_ref.models.accuracies import Accuracy
    from htsr_ref.models.trend_report import TrendReport
    from htsr_ref.reports.report import Report
    from htsr_ref.runs.course import Course

EPILOG = "Example: htsr trend spec/examples/mlp_*.safetensors --accuracy spec/examples/accuracy.csv"


def trend(
    files: loading.FilesArgument,
    accuracy: Annotated[
        Path | None,
        typer.Option(
            "--accuracy",
            metavar="CSV",
            help="Table with a column model (or file), naming files with or without suffix, a "
            "column accuracy (or test_accuracy) and, for several series, a column series.",
        ),
    ] = None,
    time: Annotated[
        bool,
        typer.Option(
            "--time",
            help="Without accuracies: the files are checkpoints of one run, whose names state "
            "their steps. Does a metric rise or fall over the run?",
        ),
    ] = False,
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
    jobs: options.JobsOption = None,
    max_memory: options.MaxMemoryOption = None,
    cache: options.CacheOption = None,
    cache_size: options.CacheSizeOption = None,
    everything: loading.EverythingOption = False,
    resamples: Annotated[
        int, typer.Option("--bootstrap", metavar="N", min=100, help="Resamples for R²'s interval.")
    ] = 2000,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Seed of the resampling.")
    ] = 0,
    json: options.JsonOption = False,
    csv: options.CsvOption = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="PATH",
            help="Draw accuracy against each metric, or each metric over time.",
        ),
    ] = None,
    out: options.OutputOption = None,
    quiet: options.QuietOption = False,
) -> None:
    """Regress accuracy on each metric over a series of models.

    The theory says: within a series of one architecture trained on the same data, the smaller the
    metric, the higher the accuracy. The slopes should be negative. With --time no accuracies are
    needed: each metric is compared with the steps of one run.
    """
    form = output.choose_form(json, csv, False, out)
    if (accuracy is None) != time:
        raise HtsrError(
            "accuracies and --time are two questions. Choose one"
            if time
            else "what should the metrics be compared with? Give --accuracy CSV, or --time for "
            "the checkpoints of one run"
        )
    if time and column is not None:
        raise HtsrError("--column names accuracies, and --time needs none. Leave it out")
    output.check_writable(out, *files, accuracy, layers, convention)
    output.check_figure(plot, *files, accuracy, layers, convention)
    asked = loading.asked(convention, set_, layers, (include, exclude), solver)
    machine = loading.Machine(jobs, max_memory, cache, cache_size)
    found: TrendReport | Course | None
    if accuracy is None:
        loaded = loading.load_reports(each_once(files), asked, machine)
        found = _over_time(loaded, plot, everything=everything)
    else:
        from htsr_ref.models.accuracies import read_accuracies

        rows = read_accuracies(accuracy, column)
        loaded = loading.load_reports(each_once(files), asked, machine)
        models = _with_accuracies(loaded, rows, accuracy)
        found = _trends(models, accuracy, plot, resamples, seed, everything=everything)
    if found is not None:
        output.emit(output.text_of(found, form), out)
    code = loaded.exit_code()
    if code:
        raise typer.Exit(code)


def _with_accuracies(
    loaded: loading.Loaded, rows: Sequence[Accuracy], accuracy: Path
) -> list[tuple[Report, Accuracy]]:
    """Give each report its row of the table; say which reports and rows are left over."""
    from htsr_ref.models.accuracies import match_files

    matched = match_files([(file, report.source.name) for file, report in loaded.reports], rows)
    reports = loaded.named()
    for report, row in zip(reports, matched, strict=True):
        if row is None:
            output.fail(f"left out: {report.source.name}: no row of {accuracy} has this name")
    for row in rows:
        if row not in matched:
            output.fail(f"left out: row {row.name} of {accuracy}: no given file has this name")
    models = [(report, row) for report, row in zip(reports, matched, strict=True) if row]
    if reports and not models:
        raise HtsrError(f"{accuracy}: no row has the name of a file. Name rows after the files")
    return models


def _trends(
    models: Sequence[tuple[Report, Accuracy]],
    accuracy: Path,
    plot: Path | None,
    resamples: int,
    seed: int,
    *,
    everything: bool,
) -> TrendReport | None:
    """Fit the trends and draw them; None without a model."""
    if not models:
        return None
    from htsr_ref.models.trend_report import trend_report

    found = trend_report(models, resamples=resamples, seed=seed, everything=everything)
    if plot is not None:
        from htsr_ref.plots import save_figure, title_lines, trend_figure
        from htsr_ref.reports.markdown import convention_text

        compared = sum(len(series.models) for series in found.series)
        title = title_lines(
            f"accuracy of {count(compared, 'model')}, {accuracy.name}",
            f"convention {convention_text(found.convention)}",
        )
        save_figure(trend_figure(found.series, title), plot)
    return found


def _over_time(loaded: loading.Loaded, plot: Path | None, *, everything: bool) -> Course | None:
    """Follow the metrics over a run and draw them; None without a checkpoint."""
    if not loaded.reports:
        return None
    from htsr_ref.runs.over_time import course_of_reports

    found = course_of_reports(loaded.named(), everything=everything)
    if plot is not None:
        from htsr_ref.plots import course_figure, save_figure, title_lines
        from htsr_ref.reports.markdown import convention_text

        title = title_lines(
            f"metrics over {count(len(found.points), 'checkpoint')}",
            f"convention {convention_text(found.convention)}",
        )
        save_figure(course_figure(found, title), plot)
    return found
