"""`htsr trend`."""

from pathlib import Path
from typing import Annotated

import typer

from htsr_ref.cli import loading, options, output
from htsr_ref.errors import HtsrError
from htsr_ref.text.lines import count

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
    jobs: options.JobsOption = None,
    max_memory: options.MaxMemoryOption = None,
    cache: options.CacheOption = None,
    cache_size: options.CacheSizeOption = None,
    everything: loading.EverythingOption = False,
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
    out: options.OutputOption = None,
    quiet: options.QuietOption = False,
) -> None:
    """Regress accuracy on each metric over a series of models.

    The theory says: within a series of one architecture trained on the same data, the smaller the
    metric, the higher the accuracy. The slopes should be negative.
    """
    form = output.choose_form(json, csv, False, out)
    output.check_writable(out, *files, accuracy, layers, convention)
    output.check_figure(plot, *files, accuracy, layers, convention)

    from htsr_ref.models.accuracies import match_files, read_accuracies
    from htsr_ref.models.trend_report import trend_report

    rows = read_accuracies(accuracy, column)
    asked = loading.asked(convention, set_, layers, (include, exclude), solver)
    machine = loading.Machine(jobs, max_memory, cache, cache_size)
    loaded = loading.load_reports(loading.each_once(files), asked, machine)
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
        output.emit(output.text_of(found, form), out)
    elif reports:
        raise HtsrError(f"{accuracy}: no row has the name of a file. Name rows after the files")
    code = loaded.exit_code()
    if code:
        raise typer.Exit(code)
